//! Draining: which connections are closed, and when.

use std::sync::Arc;
use std::time::Instant;

/// Which connections have to be closed now, and where their clients should connect instead.
#[derive(Debug, Clone)]
pub struct Drain {
    /// Connections in slots below this have to be closed now.
    pub slots: u32,
    /// Whether connections with unreplied answers stay open until they have the reply.
    pub waits_for_replies: bool,
    /// The URLs of the service's other gateways.
    pub others: Arc<[String]>,
}

/// The schedule of a drain. If there are other gateways, connections are closed over the first half of the time, so
/// that players do not arrive there all at once, and connections with unreplied answers may stay until three quarters
/// of it are over. If there are none, all are closed at once, and may wait for replies during the first half.
pub(super) struct DrainSchedule {
    began: Instant,
    until: Instant,
    others: Arc<[String]>,
    /// The number of slots when the drain began; connections in later slots are closed last.
    slots: u32,
}

impl DrainSchedule {
    /// A drain that begins now.
    pub fn begin(now: Instant, until: Instant, others: Arc<[String]>, slots: u32) -> Self {
        Self { began: now, until, others, slots }
    }

    /// Which connections have to be closed at this time.
    pub fn at(&self, now: Instant) -> Drain {
        let passed = now.saturating_duration_since(self.began).as_secs_f64();
        let whole = self.until.saturating_duration_since(self.began).as_secs_f64();
        let (spread, patience) = if self.others.is_empty() { (0.0, whole / 2.0) } else { (whole / 2.0, whole * 0.75) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the slots")]
        let slots = if passed < spread { (f64::from(self.slots) * passed / spread).ceil() as u32 } else { u32::MAX };
        Drain { slots, waits_for_replies: passed < patience, others: Arc::clone(&self.others) }
    }

    /// Whether the drain is done.
    pub fn is_over(&self, now: Instant, connections: usize) -> bool {
        connections == 0 || now >= self.until
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn drain(others: &[&str]) -> (DrainSchedule, impl Fn(u64) -> Instant) {
        let began = Instant::now();
        let others = others.iter().map(|&other| other.to_owned()).collect();
        let at = move |ms| began + Duration::from_millis(ms);
        (DrainSchedule::begin(began, at(8_000), others, 100), at)
    }

    #[test]
    fn players_go_to_the_others_over_half_of_the_time() {
        let (drain, at) = drain(&["ws://b/play"]);
        let slots = |ms| drain.at(at(ms)).slots;
        assert_eq!([slots(0), slots(1_000), slots(2_000), slots(3_960)], [0, 25, 50, 99]);
        assert_eq!(slots(4_000), u32::MAX, "those who came since, too");
        let waits = |ms| drain.at(at(ms)).waits_for_replies;
        assert!(waits(5_999) && !waits(6_000));
    }

    #[test]
    fn without_others_all_are_sent_away_at_once() {
        let (drain, at) = drain(&[]);
        assert_eq!(drain.at(at(0)).slots, u32::MAX);
        let waits = |ms| drain.at(at(ms)).waits_for_replies;
        assert!(waits(3_999) && !waits(4_000));
    }

    #[test]
    fn it_is_over_when_all_are_gone_or_the_time_is() {
        let (drain, at) = drain(&[]);
        assert!(drain.is_over(at(0), 0) && drain.is_over(at(8_000), 5));
        assert!(!drain.is_over(at(7_999), 5));
    }
}
