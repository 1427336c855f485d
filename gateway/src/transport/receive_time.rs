//! When bytes came: by the kernel's time stamps, not by when they were read.
//!
//! When ten thousand answers come in the last moment of a round, reading them takes longer than the moment. The kernel notes
//! when each packet came in (`SO_TIMESTAMPING`, see the kernel's Documentation/networking/timestamping.rst), and returns that with the
//! bytes; an answer is stamped with that.
//!
//! The kernel returns the time of the last packet in the order of the stream, which need not be the one that was missing: TCP keeps a
//! packet that came out of its order, with its time. So a stamp is never before a moment at which all that could be read was read
//! ([`ReceiveTime::not_before`]), whatever the kernel returns.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt};

use super::Timestamp;
use crate::link::Clock;

/// The space that the kernel's time stamp takes: a control message's head and three times (`struct scm_timestamping`).
pub(super) const CONTROL: usize = HEAD + 3 * TIME;
/// `struct cmsghdr`.
const HEAD: usize = 16;
/// `struct timespec`.
const TIME: usize = 16;

/// Two clocks that are read within this time, in microseconds, count as read at the same time.
const AT_ONCE: u64 = 2;
/// How often they are read again if something came between.
const READINGS: u32 = 4;

/// When a packet came in, in nanoseconds since 1970 by the machine's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KernelTime(pub u64);

/// When bytes came, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReceiveTime {
    /// The kernel's time stamp, if there is one.
    pub received: Option<KernelTime>,
    /// When all that could be read of this socket had been read: what is read now was not there as a whole.
    pub not_before: Timestamp,
}

/// Asks for the times of what comes in by these sockets, and by those that a listener takes.
pub(super) fn ask(socket: &impl AsFd) -> io::Result<()> {
    let flags = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
    setsockopt(socket, sockopt::Timestamping, &flags).map_err(Into::into)
}

impl KernelTime {
    /// The time stamp in control messages, as the kernel lays them out.
    pub fn in_control(control: &[u8]) -> Option<Self> {
        let length = usize::from_ne_bytes(control.get(..8)?.try_into().ok()?);
        let level = i32::from_ne_bytes(control.get(8..12)?.try_into().ok()?);
        let kind = i32::from_ne_bytes(control.get(12..HEAD)?.try_into().ok()?);
        if (level, kind) != (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) || length < HEAD + TIME {
            return None;
        }
        let seconds = i64::from_ne_bytes(control.get(HEAD..HEAD + 8)?.try_into().ok()?);
        let nanos = i64::from_ne_bytes(control.get(HEAD + 8..HEAD + TIME)?.try_into().ok()?);
        Self::at(seconds, nanos)
    }

    /// A time as the kernel writes it; 0 is none.
    pub fn at(seconds: i64, nanos: i64) -> Option<Self> {
        let (seconds, nanos) = (u64::try_from(seconds).ok()?, u64::try_from(nanos).ok()?);
        let time = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
        (time > 0).then_some(Self(time))
    }
}

/// Where the machine's wall clock and the server's stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockPair {
    /// What the wall clock shows, in microseconds.
    wall: u64,
    /// The monotonic time of the server's clock then. Not what that shows: it may be slewed, by 100 ms while a process stands still
    /// for 5 s, and what came before must not be stamped by its rate since.
    passed: u64,
    clock: Clock,
}

impl ClockPair {
    /// Reads both, at the same time as nearly as can be had.
    pub fn read() -> Self {
        let clock = Clock::of_process();
        let (mut least, mut best) = (u64::MAX, Self { wall: 0, passed: 0, clock });
        for _ in 0..READINGS {
            let before = clock.passed();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            let took = clock.passed().saturating_sub(before);
            if took < least {
                let wall = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
                (least, best) = (took, Self { wall, passed: before + took / 2, clock });
            }
            if took <= AT_ONCE {
                break;
            }
        }
        best
    }

    /// When that was by the server's clock, which shows `now`; `now` if the kernel has no time stamp, or one in the future.
    pub fn stamp(self, came: ReceiveTime, now: Timestamp) -> Timestamp {
        let Some(KernelTime(nanos)) = came.received else { return now };
        let since = (nanos / 1000).cast_signed().saturating_sub(self.wall.cast_signed());
        let at = self.clock.micros_at(self.passed.saturating_add_signed(since));
        Timestamp(at.max(came.not_before.0).min(now.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By a clock that shows 3 s when the wall clock shows 5.
    fn moment(nanos: Option<u64>, not_before: u64, now: u64) -> Timestamp {
        let (clock, passed) = (Clock::start(), 3_000_000);
        let zero = clock.micros_at(0);
        let clocks = ClockPair { wall: 5_000_000, passed, clock };
        let came = ReceiveTime { received: nanos.map(KernelTime), not_before: Timestamp(zero + not_before) };
        Timestamp(clocks.stamp(came, Timestamp(zero + now)).0 - zero)
    }

    #[test]
    fn what_came_while_we_did_something_else_is_stamped_with_when_it_came() {
        assert_eq!(moment(Some(5_080_000_999), 2_000_000, 3_090_000), Timestamp(3_080_000));
        assert_eq!(moment(Some(4_990_000_000), 2_000_000, 3_090_000), Timestamp(2_990_000));
        assert_eq!(moment(None, 2_000_000, 3_090_000), Timestamp(3_090_000));
    }

    #[test]
    fn a_packet_that_waited_for_one_before_it_lends_no_earlier_time_than_the_socket_was_empty() {
        assert_eq!(moment(Some(5_000_000_000), 3_085_000, 3_090_000), Timestamp(3_085_000));
        assert_eq!(moment(Some(5_080_000_000), 3_095_000, 3_090_000), Timestamp(3_090_000), "nor is it in the future");
    }

    #[test]
    fn a_clock_that_was_set_meanwhile_moves_no_stamp_beyond_what_is_known() {
        assert_eq!(moment(Some(5_091_000_000), 3_000_000, 3_090_000), Timestamp(3_090_000), "it is yet to come");
        assert_eq!(moment(Some(3_000_000_000), 3_000_000, 3_090_000), Timestamp(3_000_000), "it was long ago");
    }

    #[test]
    fn other_control_messages_have_no_time() {
        let mut control = [0; CONTROL];
        control[..8].copy_from_slice(&CONTROL.to_ne_bytes());
        control[8..12].copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        control[12..16].copy_from_slice(&libc::SCM_TIMESTAMPING.to_ne_bytes());
        control[16..24].copy_from_slice(&7_i64.to_ne_bytes());
        control[24..32].copy_from_slice(&9_i64.to_ne_bytes());
        assert_eq!(KernelTime::in_control(&control), Some(KernelTime(7_000_000_009)));
        for short in 0..HEAD + TIME {
            assert_eq!(KernelTime::in_control(&control[..short]), None);
        }
        control[12] ^= 1;
        assert_eq!(KernelTime::in_control(&control), None);
    }
}
