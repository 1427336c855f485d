//! Players and spectators coming in and coming back.

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::ids::{ConnRef, GatewayId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::{JoinRequest, Proof, Resynced, Seated, ToGateway};
use klaxon_protocol::player::Snapshot;

use super::Show;
use crate::bus::Address;
use crate::game::Entry;

impl Show {
    pub(super) fn join(&mut self, request: JoinRequest) {
        let seat = match self.seat_for(&request) {
            Ok(seat) => seat,
            Err(refusal) => {
                let refused = ToGateway::JoinRefused { conn: request.conn, error: ErrorMessage::from(&refusal) };
                return self.outbox.push((Address::One(request.conn.gateway), refused));
            }
        };
        let name = match seat.and_then(|seat| self.game.name_of(seat)) {
            Some(name) => name.clone(),
            None => request.name.unwrap_or_else(|| self.game.unused_name(None)),
        };
        let JoinRequest { conn, player, .. } = request;
        if let Some(seat) = seat {
            self.homes.settle(seat, conn.gateway);
        }
        let (show, snapshot, you) = (self.id, self.shared_snapshot(), self.game.you(seat));
        let issue = self.game.token_issue(&player);
        let seated = Seated { conn, show, seat, player, name, snapshot, you, issue };
        self.outbox.push((Address::One(conn.gateway), ToGateway::Seated(seated)));
    }

    /// The player's seat, if they get one.
    fn seat_for(&mut self, request: &JoinRequest) -> Result<Option<Seat>, Refusal> {
        let JoinRequest { player, role, .. } = request;
        let entry = self.game.entry(player, *role)?;
        self.check_proof(request, entry)?;
        match entry {
            Entry::Watch => return Ok(None),
            Entry::Back(seat) => {
                if matches!(request.proof, Proof::Token { revoke: true, .. }) {
                    self.try_apply(Command::Reissue { seat })?;
                }
                return Ok(Some(seat));
            }
            Entry::New => {}
        }
        let name = self.game.unused_name(request.name.as_ref());
        self.apply(Command::Join { player: player.clone(), name, role: *role });
        if self.pulse.joined(self.now) {
            self.snapshot = None;
        }
        match self.game.entry(player, *role)? {
            Entry::Back(seat) => Ok(Some(seat)),
            Entry::New | Entry::Watch => Err(ErrorCode::Unavailable.into()),
        }
    }

    /// A resume token lets its player come back to the show that it is of, until it is revoked, and does nothing else.
    fn check_proof(&self, request: &JoinRequest, entry: Entry) -> Result<(), Refusal> {
        let Proof::Resume { show, issue, may_sit } = request.proof else { return Ok(()) };
        if show != self.id {
            let detail = "`resume` is of an earlier show with this code: join without it.";
            return Err(Refusal::because(ErrorCode::BadToken, detail));
        }
        if issue != self.game.token_issue(&request.player) {
            return Err(ErrorCode::TokenRevoked.into());
        }
        if entry == Entry::New && !may_sit {
            return Err(ErrorCode::TokenRequired.into());
        }
        Ok(())
    }

    pub(super) fn resync(&mut self, conn: ConnRef, seat: Option<Seat>) {
        let snapshot = self.shared_snapshot();
        let resynced = Resynced { conn, show: self.id, snapshot, you: self.game.you(seat) };
        self.outbox.push((Address::One(conn.gateway), ToGateway::Resynced(resynced)));
    }

    /// A gateway hears the show from now on. What its hosts must know of the question came before.
    pub(super) fn greet(&mut self, gateway: GatewayId) {
        self.gateways.insert(gateway);
        let snapshot = self.shared_snapshot();
        if snapshot.question.is_some() && self.ended_at.is_none() {
            self.outbox.push((Address::One(gateway), ToGateway::Running { show: self.id, snapshot }));
        }
    }

    fn shared_snapshot(&mut self) -> Arc<Snapshot> {
        let (game, now) = (&self.game, self.now);
        Arc::clone(self.snapshot.get_or_insert_with(|| Arc::new(game.snapshot(now))))
    }
}
