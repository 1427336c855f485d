//! Claims and their replies, in whatever form they were sent: an answer is the claim of a choice under key 0.

use klaxon_protocol::claim::{Claim, ClaimForm, ClaimReply, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Answer, AnswerReply};
use klaxon_protocol::ids::{ClaimKey, RoundId};
use klaxon_protocol::player::{FromPlayer, ToPlayer};

/// Which of a seat's claims: the first value of each stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Claimed {
    pub round: RoundId,
    pub key: ClaimKey,
}

impl Claimed {
    /// An answer's.
    pub const fn answer(round: RoundId) -> Self {
        Self { round, key: ClaimKey(0) }
    }

    /// A value of this claim, for people.
    pub fn words(self, value: &ClaimValue) -> String {
        match self.key {
            ClaimKey(0) => format!("choice {value}"),
            key => format!("claim {key} ({value})"),
        }
    }
}

/// A claim that a player sent.
#[derive(Debug)]
pub(super) struct SentClaim {
    pub claimed: Claimed,
    pub value: ClaimValue,
}

impl SentClaim {
    /// The claim in a message; none if it is another message.
    pub fn of(message: &FromPlayer) -> Option<Self> {
        match message {
            FromPlayer::Answer(Answer { question, choice }) => {
                Some(Self { claimed: Claimed::answer(*question), value: (*choice).into() })
            }
            FromPlayer::Claim(Claim { round, key, value }) => {
                Some(Self { claimed: Claimed { round: *round, key: *key }, value: value.clone() })
            }
            _ => None,
        }
    }
}

/// The reply to a claim.
#[derive(Debug, Clone)]
pub(super) struct ClaimAnswer<'m> {
    pub claimed: Claimed,
    pub accepted: bool,
    /// The value that counts, if one does.
    pub value: Option<ClaimValue>,
    pub code: Option<ErrorCode>,
    pub message: &'m ToPlayer,
    form: ClaimForm,
}

impl<'m> ClaimAnswer<'m> {
    /// The reply in a message; none if it is another message.
    pub fn of(message: &'m ToPlayer) -> Option<Self> {
        match message {
            ToPlayer::AnswerReply(AnswerReply { question, accepted, choice, code, .. }) => Some(Self {
                claimed: Claimed::answer(*question),
                accepted: *accepted,
                value: choice.map(ClaimValue::from),
                code: *code,
                message,
                form: ClaimForm::Answer,
            }),
            ToPlayer::ClaimReply(ClaimReply { round, key, accepted, value, code, .. }) => Some(Self {
                claimed: Claimed { round: *round, key: *key },
                accepted: *accepted,
                value: value.clone(),
                code: *code,
                message,
                form: ClaimForm::Claim,
            }),
            _ => None,
        }
    }

    /// The reply that all players get whose claims met the same verdict; none if this one is of no verdict.
    pub fn of_its_verdict(&self) -> Option<ToPlayer> {
        let verdict = match (self.accepted, &self.value, self.code) {
            (true, Some(value), None) => Verdict::Accepted(value.clone()),
            (false, Some(value), Some(ErrorCode::AlreadyAnswered)) => Verdict::AlreadyAnswered(value.clone()),
            (false, None, Some(code)) => Verdict::Refused(code),
            _ => return None,
        };
        Some(ToPlayer::reply(self.form, self.claimed.round, self.claimed.key, &verdict))
    }
}
