//! All that a player hears.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::*;
use super::game::{GameEvent, GameOwn, GameSnapshot};
use super::unordered::*;
use crate::binary::{Decode, Encode};
use crate::claim::{ClaimForm, ClaimReply, Verdict};
use crate::error::ErrorMessage;
use crate::games::trivia::{AnswerReply, Clock, Close, PlayerResult, Question, Reveal, Snapshot, Void, You};
use crate::ids::{ClaimKey, RoundId, Seq};

/// What a player hears.
///
/// Messages with a `seq` are the events of the show: in order, without holes, the same for everybody.
/// All others are for one connection, or can be missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ToPlayer {
    /// You are in.
    Welcome(Welcome),
    /// The show as it is now; supersedes every event up to its `seq`.
    Snapshot(Box<Snapshot>),
    /// Your own state now; follows each snapshot and each void, and comes when the host gives you lives.
    You(You),
    /// How many are in the lobby.
    Lobby(Lobby),
    /// The lobby is open.
    Opened(Mark),
    /// A question.
    Question(Question),
    /// The next question's clock was changed before it opened.
    Clock(Clock),
    /// What became of your answer.
    AnswerReply(AnswerReply),
    /// Time is up.
    Close(Close),
    /// The right choice.
    Reveal(Reveal),
    /// What the reveal means for you; follows it at once.
    Result(PlayerResult),
    /// Who leads.
    Standings(Standings),
    /// Who won.
    Podium(Podium),
    /// What you won; follows the podium.
    Prize(Prize),
    /// The clock stands still.
    Pause(Pause),
    /// The clock runs again.
    Resume(Resume),
    /// A question does not count.
    Void(Void),
    /// The host says something.
    Notice(Notice),
    /// The show is over.
    End(Mark),
    /// Everybody's emojis since the last time.
    Reactions(Reactions),
    /// The server's time.
    Pong(Pong),
    /// A refusal.
    Error(ErrorMessage),
    /// The server goes down; come back.
    Goodbye(Goodbye),
    /// The clock stands still, for who came in or back meanwhile; follows `you`.
    Paused(Paused),
    /// What became of your claim.
    ClaimReply(ClaimReply),
    /// An event of a game other than trivia.
    GameEvent(GameEvent),
    /// What such a game tells you alone.
    GameOwn(GameOwn),
    /// Such a game's show as it is now; supersedes every event up to its `seq`.
    GameSnapshot(Box<GameSnapshot>),
}

impl ToPlayer {
    /// The reply to a claim that was made in this form.
    #[must_use]
    pub fn reply(form: ClaimForm, round: RoundId, key: ClaimKey, verdict: &Verdict) -> Self {
        match form {
            ClaimForm::Answer => Self::AnswerReply(AnswerReply::new(round, verdict)),
            ClaimForm::Claim => Self::ClaimReply(ClaimReply::new(round, key, verdict)),
        }
    }

    /// The event as a journal has it whose names stand apart.
    #[must_use]
    pub fn without_names(self) -> Self {
        match self {
            Self::Standings(leaders) => Self::Standings(leaders.without_names()),
            Self::Podium(podium) => Self::Podium(podium.without_names()),
            other => other,
        }
    }

    /// The round that begins with this event, if one does.
    #[must_use]
    pub const fn begins_round(&self) -> Option<RoundId> {
        match self {
            Self::Question(question) => Some(question.question),
            Self::GameEvent(event) => event.round,
            _ => None,
        }
    }

    /// Whether seats can claim from here on; none if that stays as it is.
    #[must_use]
    pub const fn opens(&self) -> Option<bool> {
        match self {
            Self::Question(_) | Self::Clock(_) | Self::Pause(_) | Self::Resume(_) => Some(true),
            Self::Close(_) | Self::Reveal(_) | Self::Podium(_) | Self::End(_) => Some(false),
            Self::GameEvent(event) => Some(event.phase.is_open()),
            _ => None,
        }
    }

    /// Of a snapshot: the events that tell of the round that was begun last, as it is now; none if only the event that voided it says why.
    #[must_use]
    pub fn last_round(&self) -> Vec<Self> {
        match self {
            Self::Snapshot(snapshot) if !snapshot.voided => {
                let reveal = snapshot.reveal.clone().map(Self::Reveal);
                snapshot.question.clone().map(Self::Question).into_iter().chain(reveal).collect()
            }
            Self::GameSnapshot(_) => vec![self.clone()],
            _ => Vec::new(),
        }
    }

    /// Whether it tells when a round opens or closes: players who get it late lost time.
    #[must_use]
    pub const fn sets_a_clock(&self) -> bool {
        match self {
            Self::Question(_) | Self::Clock(_) | Self::Resume(_) => true,
            Self::GameEvent(event) => event.phase.is_open(),
            _ => false,
        }
    }

    /// The message's place in the show's order, if it is an event of the show.
    #[must_use]
    pub fn seq(&self) -> Option<Seq> {
        match self {
            Self::Opened(mark) | Self::End(mark) => Some(mark.seq),
            Self::Question(question) => Some(question.seq),
            Self::Clock(clock) => Some(clock.seq),
            Self::Close(close) => Some(close.seq),
            Self::Reveal(reveal) => Some(reveal.seq),
            Self::Podium(podium) => Some(podium.seq),
            Self::Pause(pause) => Some(pause.seq),
            Self::Resume(resume) => Some(resume.seq),
            Self::Void(void) => Some(void.seq),
            Self::Notice(notice) => Some(notice.seq),
            Self::GameEvent(event) => Some(event.seq),
            Self::Welcome(_)
            | Self::Snapshot(_)
            | Self::You(_)
            | Self::Lobby(_)
            | Self::AnswerReply(_)
            | Self::Result(_)
            | Self::Standings(_)
            | Self::Prize(_)
            | Self::Reactions(_)
            | Self::Pong(_)
            | Self::Error(_)
            | Self::Goodbye(_)
            | Self::Paused(_)
            | Self::ClaimReply(_)
            | Self::GameOwn(_)
            | Self::GameSnapshot(_) => None,
        }
    }
}
