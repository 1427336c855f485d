//! What a player claims in a round, in the message of the player's game.

use klaxon_protocol::claim::{Claim, ClaimForm, ClaimReply, ClaimValue};
use klaxon_protocol::games::trivia::{Answer, AnswerReply, Choice};
use klaxon_protocol::ids::{ClaimKey, RoundId};
use klaxon_protocol::player::{FromPlayer, ToPlayer};

/// A claim, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// An answer of trivia.
    Answer(Answer),
    /// A claim of another game.
    Claim(Claim),
}

/// A choice or a prize that no round has.
const NOTHING: u8 = 191;

impl Saying {
    /// A choice of trivia, or the claim under this key.
    pub const fn of(form: ClaimForm, round: RoundId, number: u8) -> Self {
        match form {
            ClaimForm::Answer => Self::Answer(Answer { question: round, choice: Choice(number) }),
            ClaimForm::Claim => Self::Claim(Claim { round, key: ClaimKey(number as u16), value: ClaimValue::Bits(0) }),
        }
    }

    /// A claim with a value.
    pub const fn claim(round: RoundId, key: ClaimKey, value: ClaimValue) -> Self {
        Self::Claim(Claim { round, key, value })
    }

    /// The same in another round.
    pub fn in_round(self, round: RoundId) -> Self {
        match self {
            Self::Answer(answer) => Self::Answer(Answer { question: round, ..answer }),
            Self::Claim(claim) => Self::Claim(Claim { round, ..claim }),
        }
    }

    /// One that no round takes.
    pub const fn nothing(form: ClaimForm, round: RoundId) -> Self {
        Self::of(form, round, NOTHING)
    }

    /// The round and the key.
    pub const fn claimed(&self) -> (RoundId, ClaimKey) {
        match self {
            Self::Answer(answer) => (answer.question, ClaimKey(0)),
            Self::Claim(claim) => (claim.round, claim.key),
        }
    }

    /// The message.
    pub fn message(&self) -> FromPlayer {
        match self {
            Self::Answer(answer) => FromPlayer::Answer(*answer),
            Self::Claim(claim) => FromPlayer::Claim(claim.clone()),
        }
    }

    /// The round and the key that this message replies to; none if it is no reply.
    pub const fn replied_to(message: &ToPlayer) -> Option<(RoundId, ClaimKey)> {
        match message {
            ToPlayer::AnswerReply(AnswerReply { question, .. }) => Some((*question, ClaimKey(0))),
            ToPlayer::ClaimReply(ClaimReply { round, key, .. }) => Some((*round, *key)),
            _ => None,
        }
    }
}
