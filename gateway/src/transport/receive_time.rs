//! The time at which bytes arrived, by the kernel's time stamps instead of the time of reading.
//!
//! If ten thousand answers arrive in the last moment of a round, reading them takes longer than that moment. The kernel
//! records when each packet arrived (`SO_TIMESTAMPING`, see the kernel's Documentation/networking/timestamping.rst),
//! and returns that time with the bytes; it becomes the answer's stamp.
//!
//! The kernel returns the time of the last packet in stream order, which need not be the packet that arrived last: TCP
//! keeps an out-of-order packet with its own time. So a stamp is never before a moment at which everything readable had
//! been read ([`ReceiveTime::not_before`]), whatever the kernel returns.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt};

use super::Timestamp;
use crate::link::Clock;

/// The size of the kernel's time stamp: a control message's head and three times (`struct scm_timestamping`).
pub(super) const CONTROL: usize = HEAD + 3 * TIME;
/// The size of `struct cmsghdr`, in bytes.
const HEAD: usize = 16;
/// The size of `struct timespec`, in bytes.
const TIME: usize = 16;

/// Two clock readings within this time, in microseconds, count as simultaneous.
const AT_ONCE: u64 = 2;
/// Attempts to read both clocks without an interruption in between.
const READINGS: u32 = 4;

/// A packet's receive time, in nanoseconds since 1970 by the machine's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelTime(pub(super) u64);

/// What is known about the time at which bytes arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReceiveTime {
    /// The kernel's time stamp, if there is one.
    pub received: Option<KernelTime>,
    /// When everything readable on this socket had last been read: the bytes were not complete before.
    pub not_before: Timestamp,
}

/// Enables receive times on this socket, or on the sockets that a listener accepts.
pub(super) fn ask(socket: &impl AsFd) -> io::Result<()> {
    let flags = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
    setsockopt(socket, sockopt::Timestamping, &flags).map_err(Into::into)
}

impl KernelTime {
    /// The time stamp in control messages of the kernel.
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

    /// A time in the kernel's format, in which 0 is no time.
    pub fn at(seconds: i64, nanos: i64) -> Option<Self> {
        let (seconds, nanos) = (u64::try_from(seconds).ok()?, u64::try_from(nanos).ok()?);
        let time = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
        (time > 0).then_some(Self(time))
    }
}

/// A simultaneous reading of the machine's wall clock and the server's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockPair {
    /// The wall clock, in microseconds since 1970.
    wall: u64,
    /// The monotonic time of the server's clock. Not what the clock shows: it may have been slewed, by 100 ms if a
    /// process was stopped for 5 s, and earlier times must not be stamped with its rate since.
    passed: u64,
    clock: Clock,
}

impl ClockPair {
    /// Reads both clocks, as simultaneously as possible.
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

    /// The receive time on the server's clock, which shows `now`. It is `now` if the kernel returned no time stamp, or
    /// one in the future.
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
