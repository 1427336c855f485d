//! The kernel's times of received and sent packets (`SO_TIMESTAMPING`, see the kernel's
//! Documentation/networking/timestamping.rst). With them the delay of a process that is scheduled late is not
//! attributed to the network or the server.

use std::io::{self, ErrorKind, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};

use nix::cmsg_space;
use nix::libc::{self, sock_extended_err};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, TimestampingFlag, Timestamps, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use crate::evidence::Micros;

/// `SCM_TSTAMP_SND` and `SCM_TSTAMP_ACK` of linux/errqueue.h: the event that a time belongs to.
const LEFT: u32 = 0;
const ACKNOWLEDGED: u32 = 2;
/// The largest data that the kernel reports with a sent message's times: the reason, and a peer's address, which it
/// leaves empty.
type Reason = (sock_extended_err, libc::sockaddr_in6);

/// The buffer for the times that the kernel reports.
#[derive(Debug)]
pub struct Control(Vec<u8>);

impl Default for Control {
    fn default() -> Self {
        Self(vec![0; cmsg_space!(Timestamps, Reason).capacity()])
    }
}

/// Enables times of received data on this socket.
///
/// # Errors
/// If the kernel does not support it.
pub fn ask(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::Timestamping, &received())?)
}

/// Enables times of received and sent data on this connected TCP socket. Nothing may have been sent yet, so that bytes
/// are counted from the first.
///
/// # Errors
/// If the kernel does not support it.
pub fn ask_both_ways(socket: &impl AsFd) -> io::Result<()> {
    let sent = TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
        | TimestampingFlag::from_bits_retain(libc::SOF_TIMESTAMPING_TX_ACK)
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY;
    Ok(setsockopt(socket, sockopt::Timestamping, &(received() | sent))?)
}

fn received() -> TimestampingFlag {
    TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
}

/// Reads available data; returns its length, and when the last of it was received.
///
/// # Errors
/// As for read(2).
pub fn receive(socket: &impl AsRawFd, buffer: &mut [u8], control: &mut Control) -> io::Result<(usize, Micros)> {
    let mut bytes = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut bytes, Some(&mut control.0), MsgFlags::empty())?;
    let came = message.cmsgs().ok().and_then(|mut cmsgs| {
        cmsgs.find_map(|cmsg| match cmsg {
            ControlMessageOwned::ScmTimestampsns(times) => micros(times.system),
            _ => None,
        })
    });
    Ok((message.bytes, came.unwrap_or_else(Micros::now)))
}

/// An event in the transmission of sent bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bytes were passed to the network.
    Left,
    /// The peer's kernel acknowledged the bytes.
    Acknowledged,
}

/// The time of an event of sent bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The offset in the connection's stream, modulo 2^32, of the last byte of the write.
    pub last: u32,
    /// The event.
    pub step: Step,
    /// The time of the event.
    pub at: Micros,
}

/// The next reported time of sent bytes; none if there is no more at present.
///
/// # Errors
/// As for recvmsg(2).
pub fn sent(socket: &impl AsRawFd, control: &mut Control) -> io::Result<Option<Sent>> {
    loop {
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message =
            match recvmsg::<()>(socket.as_raw_fd(), &mut [], Some(&mut control.0), flags).map_err(io::Error::from) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                message => message?,
            };
        let (mut at, mut of) = (None, None);
        for cmsg in message.cmsgs()? {
            match cmsg {
                ControlMessageOwned::ScmTimestampsns(times) => at = micros(times.system),
                ControlMessageOwned::Ipv4RecvErr(reason, _) | ControlMessageOwned::Ipv6RecvErr(reason, _) => {
                    of = step(&reason).map(|step| (reason.ee_data, step));
                }
                _ => {}
            }
        }
        // All other entries of the queue are network errors, which reads and writes report as well.
        if let (Some(at), Some((last, step))) = (at, of) {
            return Ok(Some(Sent { last, step, at }));
        }
    }
}

fn step(reason: &sock_extended_err) -> Option<Step> {
    match (reason.ee_origin, reason.ee_info) {
        (libc::SO_EE_ORIGIN_TIMESTAMPING, LEFT) => Some(Step::Left),
        (libc::SO_EE_ORIGIN_TIMESTAMPING, ACKNOWLEDGED) => Some(Step::Acknowledged),
        _ => None,
    }
}

/// A time in the kernel's form; none if it is 0.
fn micros(time: TimeSpec) -> Option<Micros> {
    let (seconds, nanos) = (u64::try_from(time.tv_sec()).ok()?, u64::try_from(time.tv_nsec()).ok()?);
    Some(Micros(seconds * 1_000_000 + nanos / 1000)).filter(|time| time.0 > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn bytes_that_wait_to_be_read_have_the_time_at_which_they_came() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (player, _) = listener.accept().unwrap();
        ask(&player).unwrap();
        let (mut buffer, mut control) = ([0; 16], Control::default());
        // The kernel starts to take times a moment after the first socket enabled them.
        let (mut before, mut after) = (Micros(1), Micros(0));
        let mut came = Micros(u64::MAX);
        for _ in 0..1000 {
            before = Micros::now();
            server.write_all(b"x").unwrap();
            after = Micros::now();
            while Micros::now().0 < after.0 + 100 {}
            let (read, at) = receive(&player, &mut buffer, &mut control).unwrap();
            assert_eq!(read, 1);
            came = at;
            if came <= after {
                break;
            }
        }
        assert!(before <= came && came <= after, "{before:?} {came:?} {after:?}");
    }

    #[test]
    fn bytes_that_are_sent_have_the_times_at_which_they_left_and_were_acknowledged() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let mut player = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            player.set_nodelay(true).unwrap();
            let (server, _) = listener.accept().unwrap();
            ask_both_ways(&player).unwrap();
            let (mut buffer, mut control) = ([0; 16], Control::default());
            let mut last = u32::MAX;
            for bytes in [&b"four"[..], b"seven..", b"x"] {
                let before = Micros::now();
                player.write_all(bytes).unwrap();
                last = last.wrapping_add(u32::try_from(bytes.len()).unwrap());
                // Bytes that were read are acknowledged after a while, even if nothing is sent back.
                assert_eq!(receive(&server, &mut buffer, &mut control).unwrap().0, bytes.len());
                let mut told = Vec::new();
                while told.len() < 2 && Micros::now().0 < before.0 + 5_000_000 {
                    told.extend(sent(&player, &mut control).unwrap());
                }
                let after = Micros::now();
                assert_eq!(
                    told.iter().map(|sent| (sent.last, sent.step)).collect::<Vec<_>>(),
                    [(last, Step::Left), (last, Step::Acknowledged)]
                );
                assert!(
                    before <= told[0].at && told[0].at <= told[1].at && told[1].at <= after,
                    "{before:?} {told:?} {after:?}"
                );
            }
            assert_eq!(sent(&player, &mut control).unwrap(), None);
        }
    }
}
