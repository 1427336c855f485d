//! Players and spectators coming in and coming back.

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::ids::{ConnRef, GatewayId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::{JoinRequest, Resynced, Seated, ToGateway};
use klaxon_protocol::player::Snapshot;

use super::Show;
use crate::bus::Address;
use crate::game::Entry;

impl Show {
    pub(super) fn join(&mut self, request: JoinRequest) {
        let seat = match self.seat_for(&request) {
            Ok(seat) => seat,
            Err(code) => {
                let refused = ToGateway::JoinRefused { conn: request.conn, error: ErrorMessage::from(code) };
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
        let seated = Seated { conn, show, seat, player, name, snapshot, you };
        self.outbox.push((Address::One(conn.gateway), ToGateway::Seated(seated)));
    }

    /// The player's seat, if they get one.
    fn seat_for(&mut self, request: &JoinRequest) -> Result<Option<Seat>, ErrorCode> {
        let JoinRequest { player, role, .. } = request;
        match self.game.entry(player, *role)? {
            Entry::Watch => return Ok(None),
            Entry::Back(seat) => return Ok(Some(seat)),
            Entry::New => {}
        }
        let name = self.game.unused_name(request.name.as_ref());
        self.apply(Command::Join { player: player.clone(), name, role: *role });
        if self.pulse.joined(self.now) {
            self.snapshot = None;
        }
        match self.game.entry(player, *role)? {
            Entry::Back(seat) => Ok(Some(seat)),
            Entry::New | Entry::Watch => Err(ErrorCode::Unavailable),
        }
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
