//! The host's decisions: from the server's messages and the time that the caller passes, without network or clock.

use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, Figures, ToHost};
use klaxon_protocol::ids::{RoundId, Seq};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Millis;
use tokio::time::Instant;

use super::extras::{Extra, Extras};
use crate::messages::{RoundNews, RoundTimes, time_of};
use crate::swarm::games::GameHost;

/// The delay before a refused action is repeated.
const AGAIN: Duration = Duration::from_millis(300);
/// A command that is sent when a round is received arrives before the round opens if the lead is at least this
/// long.
const SOON: Duration = Duration::from_millis(200);
/// The time after which a `next` that was done has begun something that all are told; if not, it only began a part.
const TOLD: Duration = Duration::from_millis(150);

/// How fast the host drives the show.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The first round is begun as soon as this number of players have a seat,
    pub players: u32,
    /// but not before the lobby has been open for this long,
    pub lobby_least: Duration,
    /// and at the latest when it has been open for this long.
    pub lobby_most: Duration,
    /// The time from the tally to the reveal.
    pub suspense: Duration,
    /// The time from the reveal to the next round.
    pub pause: Duration,
    /// Whether the server's autopilot drives the show instead.
    pub autopilot: bool,
}

/// The show's progress, as known to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The phase.
    pub phase: Phase,
    /// The last round that was begun, if any.
    pub round: Option<RoundTimes>,
}

/// An action and its time.
#[derive(Debug, Clone)]
struct Cue {
    at: Instant,
    action: Action,
    /// Discarded unless the show is in this phase of this round.
    only_in: Option<(Phase, Option<RoundId>)>,
    /// Discarded unless so many rounds and parts were told to have begun.
    only_after: Option<u32>,
}

/// Decides what the host does.
#[derive(Debug)]
pub struct Director {
    pace: Pace,
    extras: Extras,
    game: GameHost,
    cues: Vec<Cue>,
    stage: Stage,
    seq: Seq,
    joined: u32,
    /// Whether the show must not proceed to the next round.
    held: bool,
    /// When the lobby will have been open for the minimum time.
    not_before: Option<Instant>,
    /// How many rounds, and parts that are more than their rounds, were told to have begun.
    begun: u32,
    /// How many of them there were at the last `next`.
    begun_before: u32,
}

impl Director {
    /// A director of a newly created show.
    #[must_use]
    pub fn new(pace: Pace, extras: Extras, game: GameHost) -> Self {
        Self {
            pace,
            extras,
            game,
            cues: Vec::new(),
            stage: Stage { phase: Phase::Created, round: None },
            seq: Seq(0),
            joined: 0,
            held: false,
            not_before: None,
            begun: 0,
            begun_before: 0,
        }
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

    /// Holds the show back from its next round and its end, or releases it.
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
        let (mut due, later): (Vec<Cue>, _) = cues.into_iter().partition(|cue| cue.at <= now && !self.holds(cue));
        // A host who is late still does first what is about this round, and then begins the next.
        due.sort_by_key(|cue| cue.at);
        self.cues = later;
        let begun = self.begun;
        let fits =
            |cue: &Cue| cue.only_in.is_none_or(|only| only == here) && cue.only_after.is_none_or(|only| only == begun);
        let actions: Vec<Action> = due.into_iter().filter(fits).map(|cue| cue.action).collect();
        if actions.iter().any(|action| matches!(action, Action::Next)) {
            self.begun_before = self.begun;
        }
        actions
    }

    /// Processes a message of the server.
    pub fn receive(&mut self, message: &ToHost, now: Instant) {
        match message {
            ToHost::Figures(figures) => self.take_figures(figures, now),
            ToHost::Event(event) => self.take_event(&event.event, now),
            _ => {}
        }
    }

    /// Processes that `action` was done. The beginning of some parts is told to nobody: then the show is where it was, and goes
    /// on with another `next`.
    pub fn done(&mut self, action: &Action, now: Instant) {
        let is_between = matches!(self.stage.phase, Phase::Lobby | Phase::Revealed);
        if matches!(action, Action::Next) && is_between && self.begun == self.begun_before {
            let (only_in, only_after) = (Some(self.here()), Some(self.begun));
            self.cues.push(Cue { at: now + self.pace.pause.max(TOLD), action: Action::Next, only_in, only_after });
        }
    }

    /// Processes a refusal of `action`: actions that move the show on are repeated; if no round is left, the show is
    /// ended.
    pub fn refused(&mut self, action: Action, code: ErrorCode, now: Instant) {
        match (action, code) {
            (Action::Next, ErrorCode::NoMoreQuestions) => self.cue(now, Action::End { pay: true }),
            (action @ Action::Play { .. }, ErrorCode::Unavailable) => self.cue(now + AGAIN, action),
            (
                action @ (Action::Next | Action::Reveal | Action::End { .. } | Action::OpenLobby | Action::Play { .. }),
                code,
            ) => {
                let instead = self.game.instead(&action, code, self.stage.phase);
                let again = (!matches!(action, Action::Play { .. })).then_some(action);
                if let Some(action) = instead.or(again) {
                    self.cue(now + AGAIN, action);
                }
            }
            // Repeated, as the show can't continue while its clock is stopped.
            (Action::Resume, ErrorCode::Unavailable) => self.always(now + AGAIN, Action::Resume),
            _ => {}
        }
    }

    fn here(&self) -> (Phase, Option<RoundId>) {
        (self.stage.phase, self.stage.round.map(|times| times.round))
    }

    fn cue(&mut self, at: Instant, action: Action) {
        self.cues.push(Cue { at, action, only_in: Some(self.here()), only_after: None });
    }

    fn always(&mut self, at: Instant, action: Action) {
        self.cues.push(Cue { at, action, only_in: None, only_after: None });
    }

    fn take_figures(&mut self, figures: &Figures, now: Instant) {
        self.joined = figures.joined;
        if figures.seq < self.seq {
            return;
        }
        // The round's own event was missed while the connection was lost.
        if let Some(round) = figures.question.filter(|round| self.here().1.is_none_or(|known| known < *round)) {
            let closes_at = figures.at + figures.time_left.unwrap_or_default();
            self.stage.round = Some(RoundTimes { round, opens_at: figures.at, closes_at });
            self.stage.phase = Phase::Question;
        }
        if figures.question == self.here().1 {
            self.enter(figures.phase, now);
        }
        if self.stage.phase == Phase::Lobby && self.joined >= self.pace.players && !self.pace.autopilot {
            self.bring_forward(now);
        }
    }

    /// Brings the first round forward, since all players have joined.
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
            ToPlayer::End(_) => self.enter(Phase::Ended, now),
            _ => match RoundNews::of(event) {
                Some(RoundNews::Begins(times)) => {
                    self.begun(times, time_of(event).unwrap_or(times.opens_at), now);
                }
                // What a game tells of a closed round is that its host has something to do before the reveal.
                Some(RoundNews::Closed(_)) if matches!(event, ToPlayer::GameEvent(told) if told.phase == Phase::Closed) =>
                {
                    self.stage.phase = Phase::Closed;
                    self.cues.retain(|cue| !matches!(cue.action, Action::Reveal));
                }
                Some(RoundNews::Closed(_)) => self.enter(Phase::Closing, now),
                Some(RoundNews::Revealed(_)) => self.enter(Phase::Revealed, now),
                Some(RoundNews::Voided(_)) if matches!(event, ToPlayer::GameEvent(_)) => {
                    self.enter(Phase::Revealed, now);
                }
                Some(RoundNews::Moved(_) | RoundNews::Voided(_)) | None => {}
            },
        }
        for (wait, action) in self.game.steps(event, self.pace.pause) {
            // The script waits for what only the host knows.
            if self.pace.autopilot && !matches!(action, Action::Play { .. }) {
                continue;
            }
            self.begun += u32::from(matches!(self.stage.phase, Phase::Lobby | Phase::Revealed));
            self.cue(now + wait, action);
        }
    }

    fn begun(&mut self, times: RoundTimes, told_at: Millis, now: Instant) {
        self.stage = Stage { phase: Phase::Question, round: Some(times) };
        self.begun += 1;
        let lead = times.opens_at.since(told_at).to_std();
        let open = times.closes_at.since(times.opens_at).to_std();
        let Some(extra) = self.extras.at(times.round) else { return };
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
            // If the round opens at once, the command would arrive after the opening, and not be refused.
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
        let round = self.stage.round.map(|times| times.round);
        if let Some(Extra::Void { reason }) = round.and_then(|round| self.extras.at(round)) {
            self.cue(now + self.pace.pause / 2, Action::Void { reason });
        }
        let last = round.is_some_and(|round| self.game.ends_after(round.0));
        let next = if last { Action::End { pay: true } } else { Action::Next };
        self.cue(now + self.pace.pause, next);
    }
}

#[cfg(test)]
mod tests;
