//! What engines say to gateways.

use std::sync::Arc;

use crate::binary::{Decode, Encode};
use crate::claim::{ClaimForm, Verdict};
use crate::error::{ErrorCode, ErrorMessage};
use crate::host::{AlertKind, Figures, ToHost};
use crate::ids::{
    ClaimKey, CommandId, ConnRef, GatewayId, Name, PlayerId, RoundId, Seat, SeatRef, Seq, ShowCode, ShowId,
};
use crate::player::{GameSnapshot, Paused, Phase, ToPlayer};
use crate::time::Millis;

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
