//! When a round takes claims: the announced times without the pauses, up to its close.

use klaxon_protocol::ids::{RoundId, Seq};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

use super::flights::When;
use crate::messages::{RoundNews, RoundTimes, time_of};

/// Announced times, which hold from this event on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    pub seq: Seq,
    pub opens_at: Millis,
    pub closes_at: Millis,
}

/// An interval of time in milliseconds: `from` is included, `until` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    from: u64,
    until: u64,
    /// The end of the certain part: earlier than `until` if the clock was stopped.
    sure_until: u64,
}

impl Interval {
    const fn new(from: Millis, until: Millis) -> Self {
        Self { from: from.0, until: until.0, sure_until: until.0 }
    }
}

/// The times of one round.
#[derive(Debug, Default)]
pub(super) struct Windows {
    announced: Vec<Announced>,
    stretches: Vec<Interval>,
    /// When it closed, on time or early, or was voided.
    pub closed_at: Option<Millis>,
}

impl Windows {
    /// Applies an event for all that was sent while `round` was the last.
    pub fn receive(&mut self, round: RoundId, event: &ToPlayer) {
        let seq = event.seq().unwrap_or(Seq(0));
        match event {
            ToPlayer::Pause(pause) => self.cut(pause.at),
            ToPlayer::Resume(resume) => {
                if let (Some(opens_at), Some(closes_at)) = (resume.opens_at, resume.closes_at) {
                    self.announced.push(Announced { seq: resume.seq, opens_at, closes_at });
                    self.stretches.push(Interval::new(opens_at.max(resume.at), closes_at));
                }
            }
            ToPlayer::Podium(podium) => self.close(podium.at),
            ToPlayer::End(end) => self.close(end.at),
            _ => match RoundNews::of(event).filter(|news| news.round() == round) {
                Some(RoundNews::Begins(RoundTimes { opens_at, closes_at, .. })) => {
                    self.announced.push(Announced { seq, opens_at, closes_at });
                    self.stretches.push(Interval::new(opens_at, closes_at));
                }
                Some(RoundNews::Moved(RoundTimes { opens_at, closes_at, .. })) => {
                    self.announced.push(Announced { seq, opens_at, closes_at });
                    self.stretches.pop();
                    self.stretches.push(Interval::new(opens_at, closes_at));
                }
                Some(RoundNews::Closed(_) | RoundNews::Voided(_)) => {
                    time_of(event).into_iter().for_each(|at| self.close(at));
                }
                Some(RoundNews::Revealed(_)) | None => {}
            },
        }
    }

    /// Ends the running interval: the show was paused, or the server was away. The millisecond of the cut still counts,
    /// since an answer of that millisecond may have been read before the cut.
    pub fn cut(&mut self, at: Millis) {
        if let Some(last) = self.stretches.last_mut() {
            last.until = last.until.min(at.0.saturating_add(1));
            last.sure_until = last.sure_until.min(at.0);
        }
    }

    fn close(&mut self, at: Millis) {
        if self.closed_at.is_none() {
            self.cut(at);
            self.closed_at = Some(at);
        }
    }

    /// When it was to open, as first announced.
    pub fn first_opens_at(&self) -> Option<Millis> {
        self.announced.first().map(|announced| announced.opens_at)
    }

    /// The announced times as of event `seq`.
    pub fn at_seq(&self, seq: Seq) -> Option<Announced> {
        self.announced.iter().rev().find(|announced| announced.seq <= seq).copied()
    }

    /// Whether a claim that was read at this time counts.
    pub fn takes(&self, at: Millis) -> bool {
        self.stretches.iter().any(|stretch| (stretch.from..stretch.until).contains(&at.0))
    }

    /// How many microseconds before the end a claim with these limits was certainly on time; none if it may not have
    /// been. The millisecond in which the clock was stopped does not count as certain.
    pub fn surely_on_time(&self, when: When) -> Option<u64> {
        let latest = when.latest?;
        self.stretches.iter().find_map(|stretch| {
            let (from, until) = (micros(stretch.from), micros(stretch.sure_until));
            (when.earliest >= from && latest < until).then(|| until - latest)
        })
    }

    /// Whether a claim with these limits was certainly not on time.
    pub fn surely_out(&self, when: When) -> bool {
        self.stretches.iter().all(|stretch| {
            let before = when.latest.is_some_and(|latest| latest < micros(stretch.from));
            before || when.earliest >= micros(stretch.until)
        })
    }

    /// Whether a claim with these limits was certainly read after the last end.
    pub fn surely_too_late(&self, when: When) -> bool {
        let end = self.stretches.iter().map(|stretch| stretch.until).max();
        end.is_some_and(|end| when.earliest >= micros(end))
    }
}

/// The first microsecond of a millisecond.
const fn micros(millis: u64) -> u64 {
    millis.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::{Close, Question};
    use klaxon_protocol::player::{Pause, Resume};

    use super::*;

    const ONE: RoundId = RoundId(1);

    /// Open from 1,000 to 2,000 ms, with a pause from 1,400 to 1,600.
    fn paused() -> Windows {
        let mut windows = Windows::default();
        let question = Question {
            seq: Seq(1),
            at: Millis(900),
            question: ONE,
            total: 1,
            text: String::new(),
            choices: Vec::new(),
            category: None,
            opens_at: Millis(1000),
            closes_at: Millis(1800),
        };
        windows.receive(ONE, &ToPlayer::Question(question));
        windows.receive(ONE, &ToPlayer::Pause(Pause { seq: Seq(2), at: Millis(1400), left: None }));
        let (opens_at, closes_at) = (Some(Millis(1600)), Some(Millis(2000)));
        windows.receive(
            ONE,
            &ToPlayer::Resume(Resume { seq: Seq(3), at: Millis(1500), question: Some(ONE), opens_at, closes_at }),
        );
        windows
    }

    fn when(earliest: u64, latest: u64) -> When {
        When { earliest, latest: Some(latest) }
    }

    #[test]
    fn what_may_have_been_read_on_either_side_of_an_edge_is_not_judged() {
        let windows = paused();
        let judge = |earliest, latest| {
            let when = when(earliest, latest);
            (windows.surely_on_time(when).is_some(), windows.surely_out(when))
        };
        let (on_time, out, neither) = ((true, false), (false, true), (false, false));
        assert_eq!(judge(999_999, 1_000_000), neither);
        assert_eq!(judge(1_000_000, 1_399_999), on_time);
        assert_eq!(judge(1_400_000, 1_400_999), neither, "the millisecond of the pause");
        assert_eq!(judge(1_401_000, 1_599_999), out);
        assert_eq!(judge(1_399_000, 1_600_000), neither);
        assert_eq!(judge(1_999_000, 1_999_999), on_time);
        assert_eq!(judge(1_999_999, 2_000_000), neither);
        assert_eq!(judge(2_000_000, 2_500_000), out);
        assert_eq!(judge(500_000, 999_999), out);
        assert_eq!(windows.surely_on_time(when(1_999_000, 1_999_400)), Some(600));
        let unbounded = When { earliest: 1_999_999, latest: None };
        assert!(windows.surely_on_time(unbounded).is_none() && !windows.surely_out(unbounded));
    }

    #[test]
    fn a_close_before_time_ends_what_counts_in_its_own_millisecond() {
        let mut windows = paused();
        windows.receive(ONE, &ToPlayer::Close(Close { seq: Seq(4), at: Millis(1700), question: ONE }));
        assert!(windows.surely_on_time(when(1_699_000, 1_699_999)).is_some());
        assert!(windows.surely_on_time(when(1_699_000, 1_700_000)).is_none());
        assert!(!windows.surely_too_late(when(1_700_999, 1_702_000)));
        assert!(windows.surely_too_late(when(1_701_000, 1_702_000)));
    }
}
