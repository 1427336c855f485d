//! When a question takes answers: the times that everybody was told, less the pauses, cut where it was closed.

use klaxon_protocol::ids::{QuestionId, Seq};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

use super::reading::millis;
use crate::evidence::Micros;

/// Times that everybody was told, from this event on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    pub seq: Seq,
    pub opens_at: Millis,
    pub closes_at: Millis,
}

/// A stretch of time, in milliseconds: from the first that belongs to it to the first that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: u64,
    until: u64,
}

/// The times of one question.
#[derive(Debug, Default)]
pub(super) struct Windows {
    announced: Vec<Announced>,
    stretches: Vec<Stretch>,
    /// When it closed, on time or early, or ceased to count.
    pub closed_at: Option<Millis>,
}

impl Windows {
    /// Takes in an event that everybody heard while `question` was the last asked.
    pub fn hear(&mut self, question: QuestionId, event: &ToPlayer) {
        match event {
            ToPlayer::Question(asked) => {
                self.announced.push(Announced { seq: asked.seq, opens_at: asked.opens_at, closes_at: asked.closes_at });
                self.stretches.push(Stretch { from: asked.opens_at.0, until: asked.closes_at.0 });
            }
            ToPlayer::Clock(clock) if clock.question == question => {
                self.announced.push(Announced { seq: clock.seq, opens_at: clock.opens_at, closes_at: clock.closes_at });
                self.stretches.pop();
                self.stretches.push(Stretch { from: clock.opens_at.0, until: clock.closes_at.0 });
            }
            ToPlayer::Pause(pause) => self.cut(pause.at),
            ToPlayer::Resume(resume) => {
                if let (Some(opens_at), Some(closes_at)) = (resume.opens_at, resume.closes_at) {
                    self.announced.push(Announced { seq: resume.seq, opens_at, closes_at });
                    self.stretches.push(Stretch { from: opens_at.max(resume.at).0, until: closes_at.0 });
                }
            }
            ToPlayer::Close(close) if close.question == question => self.close(close.at),
            ToPlayer::Void(void) if void.question == question => self.close(void.at),
            ToPlayer::Podium(podium) => self.close(podium.at),
            ToPlayer::End(end) => self.close(end.at),
            _ => {}
        }
    }

    /// Ends the running stretch: the show was paused, or the server away. The millisecond of the cut still counts: what was
    /// read in it may have been read before.
    pub fn cut(&mut self, at: Millis) {
        if let Some(last) = self.stretches.last_mut() {
            last.until = last.until.min(at.0.saturating_add(1));
        }
    }

    fn close(&mut self, at: Millis) {
        if self.closed_at.is_none() {
            self.cut(at);
            self.closed_at = Some(at);
        }
    }

    /// The times that held from event `seq` on.
    pub fn at_seq(&self, seq: Seq) -> Option<Announced> {
        self.announced.iter().rev().find(|announced| announced.seq <= seq).copied()
    }

    /// Whether an answer read at this time counts.
    pub fn takes(&self, at: Millis) -> bool {
        self.stretches.iter().any(|stretch| (stretch.from..stretch.until).contains(&at.0))
    }

    /// Whether an answer sent then was certainly on time: `margin` milliseconds before the end, `slack` after the start.
    pub fn surely_on_time(&self, sent: Micros, margin: u64, slack: u64) -> bool {
        let sent = millis(sent);
        self.stretches
            .iter()
            .any(|stretch| sent >= stretch.from.saturating_add(slack) && sent.saturating_add(margin) <= stretch.until)
    }

    /// Whether an answer sent then, and read at the time of `read_by` or before, was certainly on time. The last millisecond is left out:
    /// it may be the one in which the host stopped the clock.
    pub fn surely_read_in_time(&self, sent: Micros, read_by: Millis, slack: u64) -> bool {
        let sent = millis(sent);
        self.stretches
            .iter()
            .any(|stretch| sent >= stretch.from.saturating_add(slack) && read_by.0.saturating_add(1) < stretch.until)
    }

    /// How long before the end it had been read.
    pub fn ahead(&self, read_by: Millis) -> Option<u64> {
        let ends = self.stretches.iter().map(|stretch| stretch.until);
        ends.filter_map(|end| end.checked_sub(read_by.0)).min()
    }

    /// Whether an answer sent then was certainly after the end, `slack` milliseconds and more.
    pub fn surely_too_late(&self, sent: Micros, slack: u64) -> bool {
        let end = self.stretches.iter().map(|stretch| stretch.until).max();
        end.is_some_and(|end| millis(sent) >= end.saturating_add(slack))
    }
}
