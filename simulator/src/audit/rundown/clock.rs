//! The time of a round: the stretches in which claims count, without pauses.

use klaxon_protocol::time::{Millis, Span};

/// A round's time.
#[derive(Debug, Clone)]
pub(super) struct ClockBook {
    /// From and until when claims count, in order.
    stretches: Vec<(Millis, Millis)>,
    /// All the time that players have, in ms.
    pub total: u64,
    /// What is left of it while the clock is stopped.
    stopped: Option<u64>,
}

impl ClockBook {
    pub fn new(opens: Millis, time: Span) -> Self {
        Self { stretches: vec![(opens, opens + time)], total: time.0.into(), stopped: None }
    }

    pub fn opens(&self) -> Millis {
        self.stretches.last().map_or(Millis(0), |stretch| stretch.0)
    }

    pub fn closes(&self) -> Millis {
        self.stretches.last().map_or(Millis(0), |stretch| stretch.1)
    }

    /// When its time is up; none while it is stopped.
    pub fn runs_out(&self) -> Option<Millis> {
        self.stopped.is_none().then(|| self.closes())
    }

    pub fn left(&self, now: Millis) -> u64 {
        self.stopped.unwrap_or_else(|| self.closes().0.saturating_sub(now.max(self.opens()).0))
    }

    pub fn has_opened(&self, now: Millis) -> bool {
        self.stretches.len() > 1 || now >= self.opens()
    }

    /// The host changes how long it is open, before it opens.
    pub fn set_total(&mut self, total: u64) {
        let opens = self.opens();
        *self = Self::new(opens, Span(u32::try_from(total).unwrap_or(u32::MAX)));
    }

    fn end_at(&mut self, at: Millis) {
        if let Some((opens, closes)) = self.stretches.last_mut() {
            *closes = at.max(*opens).min(*closes);
        }
    }

    pub fn stop(&mut self, at: Millis) {
        if self.stopped.is_none() {
            self.stopped = Some(self.left(at));
            self.end_at(at);
        }
    }

    /// It goes on from `opens`, for the time that was left and `least` at least.
    pub fn go(&mut self, opens: Millis, least: u64) {
        let Some(left) = self.stopped.take() else { return };
        let stretch = (opens, Millis(opens.0 + left.max(least)));
        // One that ended before it began had no time.
        self.stretches.retain(|&(from, until)| from < until);
        self.stretches.push(stretch);
    }

    pub fn close(&mut self, at: Millis) {
        self.end_at(at);
        self.stopped = None;
    }

    /// How much of the players' time had passed when a claim was read; none if the round was not open then.
    pub fn elapsed(&self, at: Millis) -> Option<u64> {
        let mut before = 0;
        for &(from, until) in &self.stretches {
            if (from..until).contains(&at) {
                return Some(before + (at.0 - from.0));
            }
            before += until.0 - from.0;
        }
        None
    }
}
