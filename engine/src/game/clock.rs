//! A round's clock: the time windows in which claims count.
//!
//! There is one window from opening to close, plus one for each time that the show was paused or the engine was
//! unavailable in between. A player's time is measured over the windows only.

use klaxon_protocol::binary::Encode;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::time::{Millis, Span};

/// A time window; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Window {
    /// Claims count from here on.
    pub opens: Millis,
    /// Claims read before this count.
    pub closes: Millis,
}

impl Window {
    fn length(self) -> Span {
        self.closes.since(self.opens)
    }
}

/// The clock of one round.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub struct RoundClock {
    /// In order, not overlapping; never empty.
    windows: Vec<Window>,
    /// The time that players have in total, over all windows.
    total: Span,
    /// The time that is left; only while the clock is stopped.
    left: Option<Span>,
}

impl RoundClock {
    /// A clock that will open at `opens` and run for `total`.
    pub fn new(opens: Millis, total: Span) -> Self {
        Self { windows: vec![Window { opens, closes: opens + total }], total, left: None }
    }

    /// The last window, which may be in the future or over.
    pub fn window(&self) -> Window {
        self.windows[self.windows.len() - 1]
    }

    /// When claims began to count.
    pub fn first_opened(&self) -> Millis {
        self.windows[0].opens
    }

    /// All the time that players have.
    pub fn total(&self) -> Span {
        self.total
    }

    /// When the time is up; none while the clock is stopped.
    pub fn runs_out(&self) -> Option<Millis> {
        self.left.is_none().then(|| self.window().closes)
    }

    /// How much time is left.
    pub fn left(&self, now: Millis) -> Span {
        let window = self.window();
        self.left.unwrap_or_else(|| window.closes.since(now.max(window.opens)))
    }

    /// Whether claims have begun to count.
    pub fn has_opened(&self, now: Millis) -> bool {
        self.windows.len() > 1 || now >= self.window().opens
    }

    /// Replaces the total time. Only to be called before the clock opens.
    pub fn set_total(&mut self, total: Span) {
        let opens = self.window().opens;
        *self = Self::new(opens, total);
    }

    /// Stops the clock: claims read before `at` still count. Has no effect if it is stopped, or if the time is up.
    pub fn stop(&mut self, at: Millis) {
        if self.left.is_none() {
            self.left = Some(self.left(at));
            self.cut(at);
        }
    }

    /// Lets the clock run from `opens` for the time that was left when it stopped.
    pub fn go(&mut self, opens: Millis) {
        if let Some(left) = self.left.take() {
            let window = Window { opens, closes: opens + left };
            match self.windows.last_mut() {
                // A window that was stopped before it opened has no claims, and is replaced.
                Some(last) if last.length() == Span(0) => *last = window,
                _ => self.windows.push(window),
            }
        }
    }

    /// As [`Self::go`], but for at least `least`.
    pub fn go_for_at_least(&mut self, opens: Millis, least: Span) {
        self.left = self.left.map(|left| left.max(least));
        self.go(opens);
    }

    /// Ends the round's time now.
    pub fn close(&mut self, at: Millis) {
        self.cut(at);
        self.left = None;
    }

    fn cut(&mut self, at: Millis) {
        let window = self.windows.last_mut().expect("a clock has a window from the start");
        window.closes = window.closes.min(at.max(window.opens));
    }

    /// How much of the players' time had passed at `at`, at which a claim was read.
    ///
    /// # Errors
    /// Why a claim read at `at` does not count.
    pub fn elapsed(&self, at: Millis) -> Result<Span, ErrorCode> {
        let mut before = Span(0);
        for window in &self.windows {
            if at < window.opens {
                return Err(if before == Span(0) { ErrorCode::TooEarly } else { ErrorCode::Paused });
            }
            if at < window.closes {
                return Ok(before + at.since(window.opens));
            }
            before = before + window.length();
        }
        Err(if self.left.is_some() { ErrorCode::Paused } else { ErrorCode::TooLate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_counts_from_the_opening_to_just_before_the_close() {
        let clock = RoundClock::new(Millis(1000), Span(500));
        assert_eq!(clock.elapsed(Millis(999)), Err(ErrorCode::TooEarly));
        assert_eq!(clock.elapsed(Millis(1000)), Ok(Span(0)));
        assert_eq!(clock.elapsed(Millis(1499)), Ok(Span(499)));
        assert_eq!(clock.elapsed(Millis(1500)), Err(ErrorCode::TooLate));
    }

    #[test]
    fn a_pause_takes_no_time_from_anybody() {
        let mut clock = RoundClock::new(Millis(1000), Span(500));
        clock.stop(Millis(1200));
        assert_eq!((clock.left(Millis(9000)), clock.runs_out()), (Span(300), None));
        assert_eq!(clock.elapsed(Millis(1199)), Ok(Span(199)));
        assert_eq!(clock.elapsed(Millis(1200)), Err(ErrorCode::Paused));
        clock.go(Millis(5000));
        assert_eq!(clock.elapsed(Millis(3000)), Err(ErrorCode::Paused));
        assert_eq!(clock.elapsed(Millis(5000)), Ok(Span(200)));
        assert_eq!(clock.runs_out(), Some(Millis(5300)));
    }

    #[test]
    fn a_pause_before_the_opening_only_moves_it() {
        let mut clock = RoundClock::new(Millis(1000), Span(500));
        clock.stop(Millis(900));
        clock.go(Millis(2000));
        assert_eq!(clock, RoundClock::new(Millis(2000), Span(500)));
    }

    #[test]
    fn an_early_close_ends_the_time_at_once() {
        let mut clock = RoundClock::new(Millis(1000), Span(500));
        clock.close(Millis(1100));
        assert_eq!(clock.elapsed(Millis(1100)), Err(ErrorCode::TooLate));
        assert_eq!(clock.elapsed(Millis(1099)), Ok(Span(99)));
    }

    proptest! {
        #[test]
        fn however_often_it_stops_the_windows_add_up_to_the_total(stops in proptest::collection::vec((1u32..400, 0u32..400), 0..6)) {
            let mut clock = RoundClock::new(Millis(1000), Span(1000));
            let mut now = Millis(900);
            for (run, wait) in stops {
                now = now + Span(run);
                if clock.runs_out().is_some_and(|end| now >= end) { break }
                clock.stop(now);
                now = now + Span(wait);
                clock.go(now + Span(50));
                now = now + Span(50);
            }
            let end = clock.runs_out().expect("it runs");
            prop_assert_eq!(clock.elapsed(end - Span(1)), Ok(Span(999)));
            prop_assert_eq!(clock.elapsed(end), Err(ErrorCode::TooLate));
        }
    }
}
