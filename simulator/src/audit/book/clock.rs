//! The rule book's clock of a question: the stretches of time in which its answers count. Pauses, and times in which the engine was
//! away, don't count.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::time::{Millis, Span};

/// From the first millisecond in which answers count to the first in which they don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub opens: Millis,
    pub closes: Millis,
}

/// The clock of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Those that are over; each took answers for some time.
    past: Vec<Stretch>,
    /// The one that is open, will be, or was last.
    last: Stretch,
    total: Span,
    /// The time that is left while the clock stands still.
    standing: Option<Span>,
}

impl Clock {
    /// A question that opens at `opens` for `total`.
    pub const fn new(opens: Millis, total: Span) -> Self {
        let closes = Millis(opens.0.saturating_add(total.0 as u64));
        Self { past: Vec::new(), last: Stretch { opens, closes }, total, standing: None }
    }

    /// All the time that players had at first.
    pub const fn total(&self) -> Span {
        self.total
    }

    /// The stretch that is open, will be, or was last.
    pub const fn last(&self) -> Stretch {
        self.last
    }

    /// All stretches, in order.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> {
        self.past.iter().copied().chain([self.last])
    }

    /// When time is up; none while the clock stands still.
    pub const fn runs_out(&self) -> Option<Millis> {
        if self.standing.is_none() { Some(self.last.closes) } else { None }
    }

    /// How much time is left at this moment.
    pub fn left(&self, now: Millis) -> Span {
        self.standing.unwrap_or_else(|| self.last.closes.since(now.max(self.last.opens)))
    }

    /// Whether answers have begun to count, now or before a pause.
    pub fn has_opened(&self, now: Millis) -> bool {
        !self.past.is_empty() || now >= self.last.opens
    }

    /// Stands still from `at` on: what was read before it counts.
    pub fn stop(&mut self, at: Millis) {
        if self.standing.is_none() {
            self.standing = Some(self.left(at));
            self.cut(at);
        }
    }

    /// Runs again from `opens` for the time that was left, and for `least` at least.
    pub fn go(&mut self, opens: Millis, least: Span) {
        let Some(left) = self.standing.take() else { return };
        if self.last.opens < self.last.closes {
            self.past.push(self.last);
        }
        self.last = Stretch { opens, closes: opens + left.max(least) };
    }

    /// Time is up now.
    pub fn close(&mut self, at: Millis) {
        self.cut(at);
        self.standing = None;
    }

    fn cut(&mut self, at: Millis) {
        self.last.closes = self.last.closes.min(at).max(self.last.opens);
    }

    /// How much of the time had passed when an answer was read.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn elapsed(&self, at: Millis) -> Result<Span, ErrorCode> {
        let mut passed = Span(0);
        for stretch in self.stretches() {
            if at < stretch.opens {
                return Err(if passed == Span(0) { ErrorCode::TooEarly } else { ErrorCode::Paused });
            }
            if at < stretch.closes {
                return Ok(passed + at.since(stretch.opens));
            }
            passed = passed + stretch.closes.since(stretch.opens);
        }
        Err(if self.standing.is_some() { ErrorCode::Paused } else { ErrorCode::TooLate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elapsed<const N: usize>(clock: &Clock, moments: [u64; N]) -> [Result<Span, ErrorCode>; N] {
        moments.map(|at| clock.elapsed(Millis(at)))
    }

    #[test]
    fn a_pause_takes_no_time_from_anybody() {
        let mut clock = Clock::new(Millis(1000), Span(500));
        clock.stop(Millis(1200));
        assert_eq!(
            elapsed(&clock, [999, 1199, 1200]),
            [Err(ErrorCode::TooEarly), Ok(Span(199)), Err(ErrorCode::Paused)]
        );
        clock.go(Millis(5000), Span(0));
        let told = elapsed(&clock, [1000, 4999, 5000, 5299, 5300]);
        assert_eq!(told, [Ok(Span(0)), Err(ErrorCode::Paused), Ok(Span(200)), Ok(Span(499)), Err(ErrorCode::TooLate)]);
        assert_eq!((clock.total(), clock.runs_out()), (Span(500), Some(Millis(5300))));
    }

    #[test]
    fn a_question_stopped_before_it_opened_only_moves() {
        let mut clock = Clock::new(Millis(1000), Span(500));
        clock.stop(Millis(900));
        clock.go(Millis(2000), Span(0));
        assert_eq!(clock, Clock::new(Millis(2000), Span(500)));
    }
}
