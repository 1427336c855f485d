//! What gateways and engines say to each other. Everything about one show arrives in the order in which it was sent.

use std::sync::Arc;

use bincode::{Decode, Encode};

use crate::claim::{Claim, ClaimForm, Verdict};
use crate::error::{ErrorCode, ErrorMessage};
use crate::host::{AlertKind, Figures, FromHost, Latency, ToHost};
use crate::ids::{
    ClaimKey, CommandId, ConnRef, GatewayId, Name, PlayerId, RoundId, Seat, SeatRef, Seq, ShowCode, ShowId,
};
use crate::origin::Origin;
use crate::player::{Emoji, GameSnapshot, Paused, Phase, Role, Snapshot, ToPlayer};
use crate::time::Millis;

/// The version of the link, which each program's entries in Redis name: this program has all from 1 to this one.
///
/// Within a version no message changes. Another kind of message, at the end of its list, makes the next version, and programs of both work
/// together: what the older one does not know it does not read, so nothing may depend on its being read before the last program is upgraded
/// (docs/operations.md says in which order that is done). A message that needs another field is another kind. What can't be done so is
/// done between shows.
///
/// Version 2 has the messages of version 1, and entries of a gateway that are sealed.
pub const VERSION: u8 = 2;

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

/// What an engine says to gateways.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ToGateway {
    /// The connection is in; it gets the show's events after the snapshot's from here on.
    Seated(Seated),
    /// The connection asked for a snapshot.
    Resynced(Resynced),
    /// The connection is not in.
    JoinRefused {
        /// Which.
        conn: ConnRef,
        /// Why.
        error: ErrorMessage,
    },
    /// What became of answers.
    Replies(ReplyBatch),
    /// An event for all of a show's connections.
    Broadcast(Broadcast),
    /// Time is up: hand in what you read before this, then say `BarrierPassed`.
    Barrier {
        /// Of which show.
        show: ShowId,
        /// Of which round.
        round: RoundId,
    },
    /// Close all connections of a player.
    Dismiss {
        /// In which show.
        show: ShowId,
        /// Whose.
        seat: SeatRef,
        /// What to tell them.
        code: ErrorCode,
    },
    /// These players are connected elsewhere now: their connections here no longer have the display.
    Moved {
        /// In which show.
        show: ShowId,
        /// Where they are.
        to: GatewayId,
        /// Who.
        seats: Vec<SeatRef>,
    },
    /// The last event that was said; a gateway that has not heard it missed it.
    Said {
        /// In which show.
        show: ShowId,
        /// The event's place in the show's order.
        seq: Seq,
    },
    /// For one host.
    Host {
        /// Whose connection.
        conn: ConnRef,
        /// What.
        message: ToHost,
    },
    /// For the hosts that watch this show.
    Figures(Box<Figures>),
    /// For the hosts that watch this show.
    Alert {
        /// Which show.
        show: ShowId,
        /// When.
        at: Millis,
        /// What.
        alert: AlertKind,
    },
    /// For a gateway that hears the show from now on: where it is, for hosts who watch it there.
    Running {
        /// Which show.
        show: ShowId,
        /// The show now.
        view: Arc<View>,
    },
    /// Some seats hear something of their own, and nobody else hears anything.
    Own {
        /// Which show.
        show: ShowId,
        /// What, and who.
        personal: Arc<Personal>,
    },
    /// A host made a player's resume tokens invalid, and is to be told a new one.
    Reissued(Reissued),
    /// Say which players are at your gateway: the show is in its lobby, and somebody wants a seat.
    Census {
        /// Of which show.
        show: ShowId,
        /// To be named in what you say.
        census: u32,
    },
}

/// The show as those who come in see it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct View {
    /// The last event's place in the show's order.
    pub seq: Seq,
    /// Where the show is.
    pub phase: Phase,
    /// The snapshot.
    pub message: ToPlayer,
    /// What follows a player's own state while the clock stands still.
    pub paused: Option<Paused>,
}

impl From<Snapshot> for View {
    fn from(snapshot: Snapshot) -> Self {
        let (seq, phase, paused) = (snapshot.seq, snapshot.phase, snapshot.pause());
        Self { seq, phase, message: ToPlayer::Snapshot(Box::new(snapshot)), paused }
    }
}

impl From<GameSnapshot> for View {
    fn from(snapshot: GameSnapshot) -> Self {
        let (seq, phase) = (snapshot.seq, snapshot.phase);
        let paused = snapshot.paused.then_some(Paused { left: snapshot.left });
        Self { seq, phase, message: ToPlayer::GameSnapshot(Box::new(snapshot)), paused }
    }
}

/// The connection is in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Seated {
    /// Which.
    pub conn: ConnRef,
    /// In which show.
    pub show: ShowId,
    /// The player's seat, none for a spectator.
    pub seat: Option<SeatRef>,
    /// Who it is.
    pub player: PlayerId,
    /// What they are called.
    pub name: Name,
    /// The show now; shared by all who join at the same event.
    pub view: Arc<View>,
    /// The player now.
    pub own: ToPlayer,
    /// How often the player's resume tokens were revoked.
    pub issue: u32,
}

/// A player's resume tokens were revoked by a host, who is to be told a new one. Only gateways can sign it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Reissued {
    /// Which host's connection.
    pub conn: ConnRef,
    /// The host's command.
    pub command: CommandId,
    /// In which show.
    pub show: ShowId,
    /// What players type to join it.
    pub code: ShowCode,
    /// Whose.
    pub seat: Seat,
    /// Who that is.
    pub player: PlayerId,
    /// What they are called.
    pub name: Name,
    /// How often their tokens were revoked by now.
    pub issue: u32,
}

/// A snapshot for a connection that is in and missed events.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Resynced {
    /// Which.
    pub conn: ConnRef,
    /// In which show.
    pub show: ShowId,
    /// The show now.
    pub view: Arc<View>,
    /// The player now.
    pub own: ToPlayer,
}

/// What became of answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ReplyBatch {
    /// Whose connections.
    pub gateway: GatewayId,
    /// In which show.
    pub show: ShowId,
    /// One for each answer.
    pub replies: Vec<Reply>,
}

/// What became of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Reply {
    /// The gateway's key of the connection.
    pub conn: u64,
    /// The connection's number for the answer.
    pub number: u16,
    /// By which message it came.
    pub form: ClaimForm,
    /// In which round.
    pub round: RoundId,
    /// Which of the seat's claims.
    pub key: ClaimKey,
    /// What.
    pub verdict: Verdict,
    /// When the answer had been read, for the latency figures.
    pub read_at: Millis,
}

/// An event for all of a show's connections.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Broadcast {
    /// Which show.
    pub show: ShowId,
    /// The part that is the same for all.
    pub message: ToPlayer,
    /// What follows it for some or all seats.
    pub personal: Option<Arc<Personal>>,
}

/// The parts of an event that differ between players: few messages, and who gets which.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Personal {
    /// The messages.
    pub shapes: Vec<ToPlayer>,
    /// By seat: the index of the seat's message, or [`Personal::NONE`]; seats behind the end have none.
    pub by_seat: Vec<u32>,
}

impl Personal {
    /// This seat gets no message of its own.
    pub const NONE: u32 = u32::MAX;

    /// The index of the seat's message in `shapes`, if it gets one.
    #[must_use]
    pub fn shape_of(&self, seat: Seat) -> Option<usize> {
        match self.by_seat.get(seat.index()) {
            None | Some(&Self::NONE) => None,
            Some(&shape) => Some(shape as usize),
        }
    }
}
