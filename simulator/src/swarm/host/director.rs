//! The host's decisions: from the server's messages and the time that the caller passes, without network or clock.

use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Question, QuestionId};
use klaxon_protocol::host::{Action, Figures, ToHost};
use klaxon_protocol::ids::Seq;
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Millis;
use tokio::time::Instant;

use super::extras::{Extra, Extras};

/// The delay before a refused action is repeated.
const AGAIN: Duration = Duration::from_millis(300);
/// A command that is sent when a question is received arrives before the question opens if the lead is at least this
/// long.
const SOON: Duration = Duration::from_millis(200);

/// How fast the host drives the show.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The first question is asked as soon as this number of players have a seat,
    pub players: u32,
    /// but not before the lobby has been open for this long,
    pub lobby_least: Duration,
    /// and at the latest when it has been open for this long.
    pub lobby_most: Duration,
    /// The time from the tally to the reveal.
    pub suspense: Duration,
    /// The time from the reveal to the next question.
    pub pause: Duration,
    /// Whether the server's autopilot drives the show instead.
    pub autopilot: bool,
}

/// The show's progress, as known to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The phase.
    pub phase: Phase,
    /// The last question that was asked, if any.
    pub question: Option<OpenQuestion>,
}

/// A question that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenQuestion {
    /// Its number.
    pub question: QuestionId,
    /// When it opens, on the server's clock.
    pub opens_at: Millis,
    /// When it closes, on the server's clock.
    pub closes_at: Millis,
}

/// An action and its time.
#[derive(Debug, Clone)]
struct Cue {
    at: Instant,
    action: Action,
    /// Discarded unless the show is in this phase of this question.
    only_in: Option<(Phase, Option<QuestionId>)>,
}

/// Decides what the host does.
#[derive(Debug)]
pub struct Director {
    pace: Pace,
    extras: Extras,
    cues: Vec<Cue>,
    stage: Stage,
    seq: Seq,
    total: u16,
    joined: u32,
    /// Whether the show must not proceed to the next question.
    held: bool,
    /// When the lobby will have been open for the minimum time.
    not_before: Option<Instant>,
}

impl Director {
    /// A director of a newly created show.
    #[must_use]
    pub fn new(pace: Pace, extras: Extras, total: u16) -> Self {
        let stage = Stage { phase: Phase::Created, question: None };
        Self { pace, extras, cues: Vec::new(), stage, seq: Seq(0), total, joined: 0, held: false, not_before: None }
    }

    /// The show's progress.
    #[must_use]
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The number of players with a seat.
    #[must_use]
    pub const fn joined(&self) -> u32 {
        self.joined
    }

    /// When the next action is due, if no message is received before.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.cues.iter().filter(|cue| !self.holds(cue)).map(|cue| cue.at).min()
    }

    /// Holds the show back from its next question and its end, or releases it.
    pub const fn hold(&mut self, held: bool) {
        self.held = held;
    }

    const fn holds(&self, cue: &Cue) -> bool {
        self.held && matches!(cue.action, Action::Next | Action::End { .. })
    }

    /// Removes and returns the actions that are due.
    pub fn take_due(&mut self, now: Instant) -> Vec<Action> {
        let here = self.here();
        let cues = std::mem::take(&mut self.cues);
        let (due, later) = cues.into_iter().partition(|cue| cue.at <= now && !self.holds(cue));
        self.cues = later;
        due.into_iter().filter(|cue| cue.only_in.is_none_or(|only| only == here)).map(|cue| cue.action).collect()
    }

    /// Processes a message of the server.
    pub fn receive(&mut self, message: &ToHost, now: Instant) {
        match message {
            ToHost::Figures(figures) => self.take_figures(figures, now),
            ToHost::Event(event) => self.take_event(&event.event, now),
            _ => {}
        }
    }

    /// Processes a refusal of `action`: actions that move the show on are repeated; if no question is left, the show is
    /// ended.
    pub fn refused(&mut self, action: Action, code: ErrorCode, now: Instant) {
        match (action, code) {
            (Action::Next, ErrorCode::NoMoreQuestions) => self.cue(now, Action::End { pay: true }),
            (action @ (Action::Next | Action::Reveal | Action::End { .. } | Action::OpenLobby), _) => {
                self.cue(now + AGAIN, action);
            }
            // Repeated, as the show can't continue while its clock is stopped.
            (Action::Resume, ErrorCode::Unavailable) => self.always(now + AGAIN, Action::Resume),
            _ => {}
        }
    }

    fn here(&self) -> (Phase, Option<QuestionId>) {
        (self.stage.phase, self.stage.question.map(|asked| asked.question))
    }

    fn cue(&mut self, at: Instant, action: Action) {
        self.cues.push(Cue { at, action, only_in: Some(self.here()) });
    }

    fn always(&mut self, at: Instant, action: Action) {
        self.cues.push(Cue { at, action, only_in: None });
    }

    fn take_figures(&mut self, figures: &Figures, now: Instant) {
        self.joined = figures.joined;
        if figures.seq < self.seq {
            return;
        }
        // The question's own event was missed while the connection was lost.
        if let Some(question) = figures.question.filter(|question| self.here().1.is_none_or(|known| known < *question))
        {
            let closes_at = figures.at + figures.time_left.unwrap_or_default();
            self.stage.question = Some(OpenQuestion { question, opens_at: figures.at, closes_at });
            self.stage.phase = Phase::Question;
        }
        if figures.question == self.here().1 {
            self.enter(figures.phase, now);
        }
        if self.stage.phase == Phase::Lobby && self.joined >= self.pace.players && !self.pace.autopilot {
            self.bring_forward(now);
        }
    }

    /// Brings the first question forward, since all players have joined.
    fn bring_forward(&mut self, now: Instant) {
        let at = self.not_before.map_or(now, |least| least.max(now));
        for cue in self.cues.iter_mut().filter(|cue| matches!(cue.action, Action::Next)) {
            cue.at = cue.at.min(at);
        }
    }

    fn take_event(&mut self, event: &ToPlayer, now: Instant) {
        self.seq = event.seq().unwrap_or(self.seq).max(self.seq);
        match event {
            ToPlayer::Opened(_) => self.enter(Phase::Lobby, now),
            ToPlayer::Question(question) => self.asked(question, now),
            ToPlayer::Close(_) => self.enter(Phase::Closing, now),
            ToPlayer::Reveal(_) => self.enter(Phase::Revealed, now),
            ToPlayer::End(_) => self.enter(Phase::Ended, now),
            _ => {}
        }
    }

    fn asked(&mut self, question: &Question, now: Instant) {
        let asked =
            OpenQuestion { question: question.question, opens_at: question.opens_at, closes_at: question.closes_at };
        self.stage = Stage { phase: Phase::Question, question: Some(asked) };
        let lead = question.opens_at.since(question.at).to_std();
        let open = question.closes_at.since(question.opens_at).to_std();
        let Some(extra) = self.extras.at(question.question) else { return };
        match extra {
            Extra::Pause { at, standing } => {
                self.cue(now + lead + open.mul_f64(at), Action::Pause);
                self.always(now + lead + open.mul_f64(at) + standing, Action::Resume);
            }
            Extra::Message { at, text } => self.cue(now + lead + open.mul_f64(at), Action::Message { text }),
            Extra::GiveLives { at, lives } => {
                self.cue(now + lead + open.mul_f64(at), Action::GiveLives { seat: None, lives });
            }
            Extra::AdjustTime { by } => self.cue(now, Action::AdjustTime { by }),
            // If the question opens at once, the command would arrive after the opening, and not be refused.
            Extra::CloseTooEarly if lead < SOON => {}
            Extra::CloseTooEarly => self.cue(now, Action::Close),
            Extra::CloseEarly { at } => self.cue(now + lead + open.mul_f64(at), Action::Close),
            Extra::Void { .. } => {}
        }
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        if self.stage.phase == phase {
            return;
        }
        self.stage.phase = phase;
        if self.pace.autopilot {
            return;
        }
        match phase {
            Phase::Created => self.cue(now, Action::OpenLobby),
            Phase::Lobby => {
                self.not_before = Some(now + self.pace.lobby_least);
                self.cue(now + self.pace.lobby_most, Action::Next);
            }
            Phase::Closed => self.cue(now + self.pace.suspense, Action::Reveal),
            Phase::Revealed => self.revealed(now),
            Phase::Question | Phase::Closing | Phase::Ended => {}
        }
    }

    fn revealed(&mut self, now: Instant) {
        let question = self.stage.question.map(|asked| asked.question);
        if let Some(Extra::Void { reason }) = question.and_then(|question| self.extras.at(question)) {
            self.cue(now + self.pace.pause / 2, Action::Void { reason });
        }
        let last = question.is_some_and(|question| question.0 >= self.total);
        let next = if last { Action::End { pay: true } } else { Action::Next };
        self.cue(now + self.pace.pause, next);
    }
}

#[cfg(test)]
mod tests;
