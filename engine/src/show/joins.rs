//! Joins and rejoins of players and spectators.

use std::sync::Arc;

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::ids::{ConnRef, GatewayId, Name, PlayerId, Seat, SeatRef};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::{JoinRequest, Proof, Resynced, Seated, ToGateway, View};
use klaxon_protocol::player::Role;

use super::Show;
use crate::game::Entry;

impl Show {
    pub(super) fn join(&mut self, request: JoinRequest) {
        let seat = match self.seat_for(&request) {
            Ok(seat) => seat,
            Err(refusal) => {
                let refused = ToGateway::JoinRefused { conn: request.conn, error: ErrorMessage::from(&refusal) };
                return self.outbox.send_to_gateway(request.conn.gateway, refused);
            }
        };
        let name = match seat.and_then(|seat| self.game.people().roster.name(seat)) {
            Some(name) => name.clone(),
            None => request.name.unwrap_or_else(|| self.game.people().roster.unused_name(None)),
        };
        let JoinRequest { conn, player, origin, .. } = request;
        let held = seat.map(|seat| self.game.people().held(seat));
        if let Some(held) = held {
            self.addresses.origins.set(held.seat, origin);
            self.audience.connected(&*self.game, held, conn);
        }
        let (show, view, own) = (self.id, self.shared_view(), self.game.own(seat));
        let issue = self.game.people().token_issue(&player);
        let seated = Seated { conn, show, seat: held, player, name, view, own, issue };
        self.outbox.send_to_gateway(conn.gateway, ToGateway::Seated(seated));
    }

    /// The seat that the player gets; none for a spectator.
    fn seat_for(&mut self, request: &JoinRequest) -> Result<Option<Seat>, Refusal> {
        let JoinRequest { player, role, .. } = request;
        let (entry, given) = match self.game.entry(player, *role) {
            Err(ErrorCode::ShowFull) => (Entry::New, Some(self.given_seat(request)?)),
            entry => (entry?, None),
        };
        self.check_proof(request, entry)?;
        match entry {
            Entry::Watch => return Ok(None),
            Entry::Back(seat) => {
                if matches!(request.proof, Proof::Token { revoke: true, .. }) {
                    self.try_apply(Command::Reissue { seat })?;
                }
                return Ok(Some(seat));
            }
            Entry::New => self.check_address(request)?,
        }
        let name = self.game.people().roster.unused_name(request.name.as_ref());
        if let Some(seat) = given {
            self.try_apply(self.sit(Some(seat), player, name))?;
            return Ok(Some(seat));
        }
        self.apply(self.sit(None, player, name));
        if self.periodic.joined(self.now) {
            self.view = None;
        }
        match self.game.entry(player, *role)? {
            Entry::Back(seat) => Ok(Some(seat)),
            Entry::New | Entry::Watch => Err(ErrorCode::Unavailable.into()),
        }
    }

    /// The command by which somebody takes the next seat, or this one that another had.
    fn sit(&self, given: Option<Seat>, player: &PlayerId, name: Name) -> Command {
        let player = player.clone();
        match given {
            _ if self.game.people().are_apart() => Command::Sit {
                seat: given.unwrap_or(Seat(self.game.joined())),
                guest: player.is_guest(),
                who: Apart::known(Person { player, name }),
            },
            Some(seat) => Command::Reseat { seat, player, name },
            None => Command::Join { player, name, role: Role::Player },
        }
    }

    /// In a full show: the seat of a disconnected or removed guest, for this player.
    fn given_seat(&mut self, request: &JoinRequest) -> Result<Seat, Refusal> {
        self.check_proof(request, Entry::New)?;
        self.check_address(request)?;
        self.seat_to_give().ok_or_else(|| {
            let lost = "If you had one, it was given to another player while you were gone.";
            let comes_back = matches!(request.proof, Proof::Resume { .. });
            Refusal::because(ErrorCode::ShowFull, if comes_back { lost } else { "" })
        })
    }

    /// Checks a resume token. Until it is revoked, it lets its player rejoin the show for which it was made, and
    /// nothing else.
    fn check_proof(&self, request: &JoinRequest, entry: Entry) -> Result<(), Refusal> {
        let Proof::Resume { show, issue, may_sit } = request.proof else { return Ok(()) };
        if show != self.id {
            let detail = "`resume` is of an earlier show with this code: join without it.";
            return Err(Refusal::because(ErrorCode::BadToken, detail));
        }
        if issue != self.game.people().token_issue(&request.player) {
            return Err(ErrorCode::TokenRevoked.into());
        }
        if entry == Entry::New && !may_sit {
            return Err(ErrorCode::TokenRequired.into());
        }
        Ok(())
    }

    pub(super) fn resync(&mut self, conn: ConnRef, held: Option<SeatRef>) {
        if let Some(held) = held.filter(|held| *held != self.game.people().held(held.seat)) {
            return self.dismiss_stale(conn.gateway, held);
        }
        let seat = held.map(|held| held.seat);
        let view = self.shared_view();
        let resynced = Resynced { conn, show: self.id, view, own: self.game.own(seat) };
        self.outbox.send_to_gateway(conn.gateway, ToGateway::Resynced(resynced));
    }

    /// Closes a connection of a seat's earlier player: its gateway missed that the seat was given to another.
    pub(super) fn dismiss_stale(&mut self, gateway: GatewayId, seat: SeatRef) {
        let dismiss = ToGateway::Dismiss { show: self.id, seat, code: ErrorCode::SeatGivenAway };
        self.outbox.send_to_gateway(gateway, dismiss);
    }

    /// The current snapshot, shared by all who join until the state changes.
    pub(super) fn shared_view(&mut self) -> Arc<View> {
        let (game, now) = (&self.game, self.now);
        Arc::clone(self.view.get_or_insert_with(|| Arc::new(game.view(now))))
    }
}
