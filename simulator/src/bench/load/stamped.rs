//! Reading with the time at which the kernel had the bytes: a load that gets the processor late, because others of the bench have
//! it, does not count as a late server.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, TimestampingFlag, Timestamps, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use crate::evidence::Micros;

/// Where the kernel says when bytes came.
#[derive(Debug)]
pub struct Control(Vec<u8>);

impl Default for Control {
    fn default() -> Self {
        Self(vec![0; cmsg_space!(Timestamps).capacity()])
    }
}

/// Asks for the times of what comes in by this socket.
///
/// # Errors
/// If the kernel has none.
pub fn ask(socket: &impl AsFd) -> io::Result<()> {
    let flags = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
    Ok(setsockopt(socket, sockopt::Timestamping, &flags)?)
}

/// Reads what is there, and says when the last of it came.
///
/// # Errors
/// As read(2) has them.
pub fn receive(socket: &impl AsRawFd, buffer: &mut [u8], control: &mut Control) -> io::Result<(usize, Micros)> {
    let mut bytes = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut bytes, Some(&mut control.0), MsgFlags::empty())?;
    let came = message.cmsgs().ok().and_then(|mut said| {
        said.find_map(|said| match said {
            ControlMessageOwned::ScmTimestampsns(times) => micros(times.system),
            _ => None,
        })
    });
    Ok((message.bytes, came.unwrap_or_else(Micros::now)))
}

/// A time as the kernel says it; 0 is none.
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
        // The kernel begins to take times a moment after the first socket asked for them.
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
}
