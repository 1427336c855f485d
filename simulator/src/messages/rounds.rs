//! What a show's events tell of its rounds, whatever game is played.

use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::{GameEvent, Phase, ToPlayer};
use klaxon_protocol::time::Millis;
use serde_json::Value;

/// What an event tells of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundNews {
    /// It begins, and takes claims from `opens_at` until `closes_at`.
    Begins(RoundTimes),
    /// Its times are others.
    Moved(RoundTimes),
    /// It takes no more claims.
    Closed(RoundId),
    /// What it came to is known.
    Revealed(RoundId),
    /// It does not count.
    Voided(RoundId),
}

/// The times of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTimes {
    /// Which round.
    pub round: RoundId,
    /// Claims count that are read from here on.
    pub opens_at: Millis,
    /// Claims count that are read before this.
    pub closes_at: Millis,
}

impl RoundNews {
    /// What this event tells of a round; none if it tells of none.
    #[must_use]
    pub fn of(event: &ToPlayer) -> Option<Self> {
        let times = |round, opens_at, closes_at| RoundTimes { round, opens_at, closes_at };
        Some(match event {
            ToPlayer::Question(asked) => Self::Begins(times(asked.question, asked.opens_at, asked.closes_at)),
            ToPlayer::Clock(clock) => Self::Moved(times(clock.question, clock.opens_at, clock.closes_at)),
            ToPlayer::Resume(resume) => Self::Moved(times(resume.question?, resume.opens_at?, resume.closes_at?)),
            ToPlayer::Close(close) => Self::Closed(close.question),
            ToPlayer::Reveal(reveal) => Self::Revealed(reveal.question),
            ToPlayer::Void(void) => Self::Voided(void.question),
            ToPlayer::GameEvent(event) => return Self::of_game(event),
            _ => return None,
        })
    }

    /// Of another game's event: its phase and the names that all parts of a rundown use tell it.
    fn of_game(event: &GameEvent) -> Option<Self> {
        let body = &event.body.0;
        let at = |name: &str| body.get(name).and_then(Value::as_u64).map(Millis);
        let (opens_at, closes_at) = (at("opens_at"), at("closes_at"));
        if let Some(round) = event.round {
            let (opens_at, closes_at) = (opens_at.unwrap_or(event.at), closes_at.unwrap_or(Millis(u64::MAX)));
            return Some(Self::Begins(RoundTimes { round, opens_at, closes_at }));
        }
        let round = RoundId(body.get("round").and_then(Value::as_u64).and_then(|round| u16::try_from(round).ok())?);
        let name = body.get("event").and_then(Value::as_str).unwrap_or_default();
        match (event.phase, opens_at, closes_at) {
            _ if name == "void" => Some(Self::Voided(round)),
            (Phase::Question, Some(opens_at), Some(closes_at)) => {
                Some(Self::Moved(RoundTimes { round, opens_at, closes_at }))
            }
            (Phase::Closing | Phase::Closed, ..) => Some(Self::Closed(round)),
            (Phase::Revealed, ..) => Some(Self::Revealed(round)),
            _ => None,
        }
    }

    /// The round.
    #[must_use]
    pub const fn round(self) -> RoundId {
        match self {
            Self::Begins(times) | Self::Moved(times) => times.round,
            Self::Closed(round) | Self::Revealed(round) | Self::Voided(round) => round,
        }
    }
}

/// The time in an event of the show.
#[must_use]
pub const fn time_of(event: &ToPlayer) -> Option<Millis> {
    match event {
        ToPlayer::Opened(mark) | ToPlayer::End(mark) => Some(mark.at),
        ToPlayer::Question(question) => Some(question.at),
        ToPlayer::Clock(clock) => Some(clock.at),
        ToPlayer::Close(close) => Some(close.at),
        ToPlayer::Reveal(reveal) => Some(reveal.at),
        ToPlayer::Podium(podium) => Some(podium.at),
        ToPlayer::Pause(pause) => Some(pause.at),
        ToPlayer::Resume(resume) => Some(resume.at),
        ToPlayer::Void(void) => Some(void.at),
        ToPlayer::Notice(notice) => Some(notice.at),
        ToPlayer::GameEvent(event) => Some(event.at),
        _ => None,
    }
}
