//! How much of a question's time had passed when an answer was read: pauses, and times in which the engine was away, don't count.

use klaxon_protocol::time::Millis;

/// The stretches of time in which a question took answers, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    stretches: Vec<(u64, u64)>,
    total: u64,
}

impl Clock {
    /// A question that is open from `opens` until `closes`.
    pub fn new(opens: Millis, closes: Millis) -> Self {
        Self { stretches: vec![(opens.0, closes.0)], total: closes.0.saturating_sub(opens.0) }
    }

    /// All the time that players had at first.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// No answer read at `at` or later counts, unless the clock goes on.
    pub fn stop(&mut self, at: Millis) {
        if let Some((opens, closes)) = self.stretches.last_mut() {
            *closes = (*closes).min(at.0.max(*opens));
        }
    }

    /// Takes answers again.
    pub fn go(&mut self, opens: Millis, closes: Millis) {
        self.stretches.retain(|(opens, closes)| opens < closes);
        self.stretches.push((opens.0, closes.0));
    }

    /// How much of the time had passed at a moment in which answers count. The moment of a stop itself may still count.
    pub fn elapsed(&self, at: Millis) -> u64 {
        let passed = |&(opens, closes): &(u64, u64)| at.0.min(closes).saturating_sub(opens);
        self.stretches.iter().map(passed).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_takes_no_time_from_anybody() {
        let mut clock = Clock::new(Millis(1000), Millis(1500));
        clock.stop(Millis(1200));
        clock.go(Millis(5000), Millis(5300));
        let elapsed = |at| clock.elapsed(Millis(at));
        assert_eq!([elapsed(1000), elapsed(1199), elapsed(5000), elapsed(5299)], [0, 199, 200, 499]);
        assert_eq!(clock.total(), 500);
    }

    #[test]
    fn a_question_stopped_before_it_opened_only_moves() {
        let mut clock = Clock::new(Millis(1000), Millis(1500));
        clock.stop(Millis(900));
        clock.go(Millis(2000), Millis(2500));
        assert_eq!(clock.elapsed(Millis(2100)), 100);
    }
}
