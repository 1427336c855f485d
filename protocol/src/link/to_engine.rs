//! What gateways say to engines.

use crate::binary::{Decode, Encode};
use crate::claim::{Claim, ClaimForm};
use crate::host::{FromHost, Latency};
use crate::ids::{ConnRef, GatewayId, Name, PlayerId, RoundId, SeatRef, ShowCode, ShowId};
use crate::origin::Origin;
use crate::player::{Emoji, Role};
use crate::time::Millis;

/// What a gateway says to the engines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ToEngine {
    /// A gateway is up; barriers wait for it from now on.
    Hello {
        /// Which.
        gateway: GatewayId,
    },
    /// A gateway goes down; barriers no longer wait for it.
    Bye {
        /// Which.
        gateway: GatewayId,
    },
    /// A gateway hears this show from now on; the show's barriers wait for it.
    Attend {
        /// Which gateway.
        gateway: GatewayId,
        /// Which show.
        show: ShowId,
    },
    /// A gateway no longer hears this show: nobody there is in it.
    Leave {
        /// Which gateway.
        gateway: GatewayId,
        /// Which show.
        show: ShowId,
    },
    /// Somebody wants in, or is back.
    Join(JoinRequest),
    /// Answers, in the order in which they were read.
    Answers(AnswerBatch),
    /// "Everything that I read before the close is sent."
    BarrierPassed {
        /// Who says so.
        gateway: GatewayId,
        /// Of which show.
        show: ShowId,
        /// At the close of which round.
        round: RoundId,
    },
    /// A connection missed events and needs a snapshot.
    Resync {
        /// Which connection.
        conn: ConnRef,
        /// In which show.
        show: ShowId,
        /// Whose.
        seat: Option<SeatRef>,
    },
    /// Emojis since the last time, in [`Emoji::ALL`]'s order.
    Reactions {
        /// In which show.
        show: ShowId,
        /// How often each.
        counts: [u32; Emoji::ALL.len()],
    },
    /// A host's message.
    Host {
        /// Whose.
        conn: ConnRef,
        /// What.
        message: FromHost,
    },
    /// What one of several gateways counts of a show, for all hosts.
    Counts(GatewayCounts),
    /// A player's connection is gone, before the first round.
    Gone {
        /// Which connection.
        conn: ConnRef,
        /// In which show.
        show: ShowId,
        /// Whose.
        seat: SeatRef,
        /// Whether they said `leave`.
        left: bool,
    },
    /// Some of the players who are at this gateway, as a census asked.
    Present(Present),
}

/// Some of the players who are at a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Present {
    /// Where they are.
    pub gateway: GatewayId,
    /// In which show.
    pub show: ShowId,
    /// By which census.
    pub census: u32,
    /// Whose seats, and the gateway's keys of the connections that see the show.
    pub players: Vec<(SeatRef, u64)>,
    /// Whether all who are there have been named by now.
    pub is_last: bool,
}

/// What one gateway counts of a show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct GatewayCounts {
    /// Who counts.
    pub gateway: GatewayId,
    /// Which show.
    pub show: ShowId,
    /// Connections now.
    pub connected: u32,
    /// Connections closed because they could not keep up.
    pub shed: u64,
    /// From an answer being read to its reply being written, in the show's last round.
    pub latency: Latency,
    /// How wrong the gateway's stamps may be, in microseconds either way.
    pub clock_uncertainty: u32,
    /// Answers that were read in time and dropped, because too many waited for the bus: of the last round.
    pub dropped: u32,
}

/// Somebody wants in, or is back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct JoinRequest {
    /// On which connection.
    pub conn: ConnRef,
    /// Into which show.
    pub code: ShowCode,
    /// Who it is; one that has a seat comes back to it.
    pub player: PlayerId,
    /// What they want to be called.
    pub name: Option<Name>,
    /// To play or to watch.
    pub role: Role,
    /// How the gateway knows who it is.
    pub proof: Proof,
    /// From where they connect.
    pub origin: Origin,
}

impl JoinRequest {
    /// The show that their resume token is of, if they have one: it may be an earlier one of this code.
    #[must_use]
    pub const fn resumes(&self) -> Option<ShowId> {
        match self.proof {
            Proof::NewGuest => None,
            Proof::Token { resumes, .. } => resumes,
            Proof::Resume { show, .. } => Some(show),
        }
    }
}

/// How a gateway knows who somebody is. What a resume token says is checked against the show by the engine, for all gateways alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Proof {
    /// A guest, whose id was made for this join.
    NewGuest,
    /// The operator's token says who it is.
    Token {
        /// The show of a resume token that came with it.
        resumes: Option<ShowId>,
        /// Whether earlier resume tokens of theirs are to be refused from now on.
        revoke: bool,
    },
    /// Only a resume token says who it is.
    Resume {
        /// The show that it is of.
        show: ShowId,
        /// How often the player's tokens had been revoked when it was made.
        issue: u32,
        /// Whether this player may take a new seat without an operator's token.
        may_sit: bool,
    },
}

/// Answers in one show.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct AnswerBatch {
    /// Who read them.
    pub gateway: GatewayId,
    /// In which show.
    pub show: ShowId,
    /// In the order in which they were read.
    pub answers: Vec<StampedAnswer>,
}

/// An answer with the time at which its bytes were read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct StampedAnswer {
    /// The gateway's key of the connection, for the reply.
    pub conn: u64,
    /// The connection's number for the answer, for the reply.
    pub number: u16,
    /// Whose.
    pub by: SeatRef,
    /// By which message it came, for the reply.
    pub form: ClaimForm,
    /// What is claimed.
    pub claim: Claim,
    /// When it was read.
    pub at: Millis,
}
