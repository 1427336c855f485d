//! What reaches a show, in the order in which it came.

use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, GatewayId, QuestionId, SeatRef};
use klaxon_protocol::link::{AnswerBatch, GatewayCounts, JoinRequest, Present};
use klaxon_protocol::player::Emoji;

use super::Show;
use super::answers::Pending;
use super::attendance::Departure;
use super::lost::Lost;
use crate::bus::StreamPosition;

/// Something that reached a show.
#[derive(Debug)]
pub struct Reached {
    /// Once it is dealt with, so is everything that gateways said up to here.
    pub place: StreamPosition,
    /// What.
    pub what: ToShow,
}

impl From<ToShow> for Reached {
    fn from(what: ToShow) -> Self {
        Self { place: StreamPosition::default(), what }
    }
}

/// What reaches a show.
#[derive(Debug)]
pub enum ToShow {
    /// A gateway hears the show from now on.
    GatewayHere(GatewayId),
    /// Another engine has the show; this lease is over.
    LeaseTaken(Fence),
    /// The arbiter does not know this lease of the show any more.
    LeaseForgotten(Fence),
    /// What a gateway counts.
    Counts(GatewayCounts),
    /// Somebody wants in.
    Join(JoinRequest),
    /// Answers of one gateway.
    Answers(AnswerBatch),
    /// A gateway handed in all that it read before the close.
    BarrierPassed(GatewayId, QuestionId),
    /// A gateway is gone: nothing is waited for from it.
    GatewayGone(GatewayId),
    /// A connection needs a snapshot.
    Resync(ConnRef, Option<SeatRef>),
    /// A player's connection is gone.
    Gone(Departure),
    /// Some of the players who are at a gateway.
    Present(Present),
    /// Emojis since the last time.
    Reactions([u32; Emoji::ALL.len()]),
    /// A host asks, once more, for the show to be created.
    Create(ConnRef, CommandId),
    /// A host's action.
    Command(ConnRef, CommandId, Action),
    /// A host looks for players.
    FindPlayers(ConnRef, String),
    /// A host reads the journal.
    JournalTail(ConnRef, u16),
}

impl Show {
    /// Takes what is waiting. Answers that stand together are claimed together.
    ///
    /// # Errors
    /// If the show's lease is lost.
    pub(super) async fn take_all(&mut self, taken: &mut Vec<Reached>) -> Result<(), Lost> {
        let mut pending = Pending::default();
        for Reached { place, what: message } in taken.drain(..) {
            self.heard = self.heard.max(place);
            if let ToShow::Answers(batch) = message {
                self.sift(batch, &mut pending);
                continue;
            }
            self.claim(&mut pending).await?;
            match message {
                ToShow::Answers(_) => {}
                ToShow::Join(request) => self.join(request),
                ToShow::BarrierPassed(gateway, question) => self.pass_barrier(gateway, question),
                ToShow::GatewayHere(gateway) => self.greet(gateway),
                ToShow::GatewayGone(gateway) => self.miss(gateway),
                ToShow::LeaseTaken(fence) if fence == self.fence => return Err(Lost::Taken),
                ToShow::LeaseTaken(_) => {}
                ToShow::LeaseForgotten(fence) if fence == self.fence => self.regain().await?,
                ToShow::LeaseForgotten(_) => {}
                ToShow::Counts(counts) => self.pulse.count(counts),
                ToShow::Resync(conn, seat) => self.resync(conn, seat),
                ToShow::Gone(departure) => self.part(&departure),
                ToShow::Present(present) => self.count_present(present),
                ToShow::Reactions(counts) => self.pulse.react(counts, self.now),
                ToShow::Create(conn, id) => self.say_created(conn, id),
                ToShow::Command(conn, id, action) => self.obey(conn, id, action),
                ToShow::FindPlayers(conn, name) => self.find_players(conn, &name),
                ToShow::JournalTail(conn, last) => self.journal_tail(conn, last),
            }
        }
        self.tell_moves();
        self.claim(&mut pending).await
    }
}
