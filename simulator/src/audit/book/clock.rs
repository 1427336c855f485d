//! A question's clock by the rules: the intervals in which its answers count. Pauses, and times in which no engine
//! played the show, don't count.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::time::{Millis, Span};

/// An interval from the first millisecond in which answers count to the first in which they don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub opens: Millis,
    pub closes: Millis,
}

/// The clock of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The earlier intervals; each was open for some time.
    past: Vec<Stretch>,
    /// The interval that is open, is to open, or was the last.
    last: Stretch,
    total: Span,
    /// The time that is left while the clock is stopped; none while it runs.
    standing: Option<Span>,
}

impl Clock {
    /// The clock of a question that opens at `opens` for `total`.
    pub const fn new(opens: Millis, total: Span) -> Self {
        let closes = Millis(opens.0.saturating_add(total.0 as u64));
        Self { past: Vec::new(), last: Stretch { opens, closes }, total, standing: None }
    }

    /// The time that players had at first.
    pub const fn total(&self) -> Span {
        self.total
    }

    /// The interval that is open, is to open, or was the last.
    pub const fn last(&self) -> Stretch {
        self.last
    }

    /// All intervals, in order.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> {
        self.past.iter().copied().chain([self.last])
    }

    /// When the time is up; none while the clock is stopped.
    pub const fn runs_out(&self) -> Option<Millis> {
        if self.standing.is_none() { Some(self.last.closes) } else { None }
    }

    /// The time that is left at `now`.
    pub fn left(&self, now: Millis) -> Span {
        self.standing.unwrap_or_else(|| self.last.closes.since(now.max(self.last.opens)))
    }

    /// Whether answers have begun to count, now or before a pause.
    pub fn has_opened(&self, now: Millis) -> bool {
        !self.past.is_empty() || now >= self.last.opens
    }

    /// Stops the clock at `at`: answers that were read before it count.
    pub fn stop(&mut self, at: Millis) {
        if self.standing.is_none() {
            self.standing = Some(self.left(at));
            self.cut(at);
        }
    }

    /// Starts the clock again at `opens`, for the time that was left, but at least for `least`.
    pub fn go(&mut self, opens: Millis, least: Span) {
        let Some(left) = self.standing.take() else { return };
        if self.last.opens < self.last.closes {
            self.past.push(self.last);
        }
        self.last = Stretch { opens, closes: opens + left.max(least) };
    }

    /// Closes the question at `at`.
    pub fn close(&mut self, at: Millis) {
        self.cut(at);
        self.standing = None;
    }

    fn cut(&mut self, at: Millis) {
        self.last.closes = self.last.closes.min(at).max(self.last.opens);
    }

    /// How much of the question's time had passed when an answer was read.
    ///
    /// # Errors
    /// The code of the refusal, if the answer does not count.
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
