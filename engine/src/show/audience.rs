//! The gateways that have players or hosts of a show, and the gateway of each player.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{ConnRef, GatewayId, Seat, SeatRef};
use klaxon_protocol::link::{Present, ToGateway};
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::{Millis, Span};

use super::Show;
use super::attendance::Attendance;
use super::locations::Locations;
use crate::game::Game;

/// How long a player who disconnected without `leave` keeps a seat that others want: long enough for a phone to
/// reconnect.
const GRACE: Span = Span(10_000);

/// A show's gateways and its players at them.
#[derive(Default)]
pub(super) struct Audience {
    /// The gateways for which barriers wait.
    gateways: BTreeSet<GatewayId>,
    locations: Locations,
    /// Used in the lobby only: after it no seat is given to another player.
    attendance: Attendance,
}

impl Audience {
    /// An audience at these gateways, whose players are not known yet.
    pub fn of(gateways: BTreeSet<GatewayId>) -> Self {
        Self { gateways, ..Self::default() }
    }

    pub fn gateways(&self) -> impl Iterator<Item = GatewayId> + '_ {
        self.gateways.iter().copied()
    }

    /// Whether no gateway has players or hosts of the show.
    pub fn is_empty(&self) -> bool {
        self.gateways.is_empty()
    }

    pub fn add_gateways(&mut self, gateways: impl IntoIterator<Item = GatewayId>) {
        self.gateways.extend(gateways);
    }

    /// Notes that a player joined on this connection.
    pub fn connected(&mut self, game: &dyn Game, held: SeatRef, conn: ConnRef) {
        self.locations.set(held, conn.gateway);
        if game.phase() == Phase::Lobby {
            self.attendance.connected(held.seat, conn);
        } else {
            self.attendance.end();
        }
    }

    /// Notes that a player's connection ended, which matters only for guests in the lobby. `left`: the player sent
    /// `leave`.
    pub fn disconnected(&mut self, game: &dyn Game, held: SeatRef, conn: ConnRef, left: bool, now: Millis) {
        if game.phase() != Phase::Lobby {
            return self.attendance.end();
        }
        if game.people().held(held.seat) == held && game.is_for_guests(held.seat) {
            self.attendance.disconnected(held.seat, conn, if left { now } else { now + GRACE });
        }
    }

    /// Removes a gateway, and all its players.
    pub fn gateway_gone(&mut self, game: &dyn Game, gateway: GatewayId, now: Millis) {
        self.gateways.remove(&gateway);
        if game.phase() == Phase::Lobby {
            self.attendance.gateway_gone(gateway, now + GRACE, |seat| game.is_for_guests(seat));
        }
    }

    /// Processes a gateway's report of some of its players.
    pub fn count_present(&mut self, game: &dyn Game, mut present: Present, now: Millis) {
        if game.phase() != Phase::Lobby {
            return self.attendance.end();
        }
        present.players.retain(|(held, _)| held.seat.0 < game.joined() && game.people().held(held.seat) == *held);
        self.attendance.count(&present, now + GRACE, |seat| game.is_for_guests(seat));
    }

    /// The seat of a guest who was removed or has disconnected, in the lobby of a full show.
    pub fn vacant_seat(&self, game: &dyn Game, now: Millis) -> Option<Seat> {
        game.vacant_seat().or_else(|| self.attendance.absent(now))
    }

    /// Begins a census, unless there was one just now. Returns its number, with which all gateways must be asked.
    pub fn begin_census(&mut self, game: &dyn Game, now: Millis) -> Option<u32> {
        let census = self.attendance.begin_census(game.joined(), &self.gateways, now)?;
        // Without gateways it ends at once: all players are absent.
        self.attendance.end_census(now + GRACE, |seat| game.is_for_guests(seat));
        Some(census)
    }

    /// The players who moved to another gateway since the last call, by their new gateway.
    pub fn take_moved(&mut self) -> Vec<(GatewayId, Vec<SeatRef>)> {
        self.locations.take_moved()
    }
}

impl Show {
    /// Publishes which players moved to another gateway.
    pub(super) fn publish_moves(&mut self) {
        let show = self.id;
        for (to, seats) in self.audience.take_moved() {
            self.outbox.send_to_all(ToGateway::Moved { show, to, seats });
        }
    }

    /// Adds a gateway that has players or hosts of the show. Its hosts missed the earlier messages about the open
    /// round, and its players may be marked as absent, so it is sent both: the view, and a census.
    pub(super) fn gateway_attends(&mut self, gateway: GatewayId) {
        self.audience.add_gateways([gateway]);
        if self.game.phase() == Phase::Lobby && self.audience.attendance.may_be_wrong() {
            match self.audience.attendance.census_for_newcomer(gateway) {
                Some(census) => self.outbox.send_to_gateway(gateway, ToGateway::Census { show: self.id, census }),
                None => self.take_census(),
            }
        }
        if self.game.round().is_some() && !self.ending.has_ended() {
            let view = self.shared_view();
            self.outbox.send_to_gateway(gateway, ToGateway::Running { show: self.id, view });
        }
    }

    /// Removes a gateway: barriers no longer wait for it.
    pub(super) fn gateway_gone(&mut self, gateway: GatewayId) {
        self.audience.gateway_gone(&*self.game, gateway, self.now);
        self.periodic.gateway_gone(gateway);
        if let Some(barrier) = &mut self.barrier {
            barrier.pass(gateway);
        }
    }

    /// The seat of a guest who was removed or has disconnected. If there is none, begins a census that may find one.
    pub(super) fn seat_to_give(&mut self) -> Option<Seat> {
        if self.game.phase() != Phase::Lobby {
            return None;
        }
        let seat = self.audience.vacant_seat(&*self.game, self.now);
        if seat.is_none() {
            self.take_census();
        }
        seat
    }

    /// Begins a census of all gateways, if the last one was long enough ago.
    pub(super) fn take_census(&mut self) {
        if let Some(census) = self.audience.begin_census(&*self.game, self.now) {
            self.outbox.send_to_all(ToGateway::Census { show: self.id, census });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::game::Games;
    use klaxon_protocol::apart::{Apart, Person};
    use klaxon_protocol::games::trivia::Settings;
    use klaxon_protocol::host::Action;
    use klaxon_protocol::ids::{CommandId, Name, PlayerId, ShowId};
    use klaxon_protocol::journal::Command;

    use super::*;

    const NOW: Millis = Millis(1_000_000);

    /// A show in its lobby, full with this many guests.
    fn full_game(seats: u32) -> Box<dyn Game> {
        let settings = Settings { seats, ..Settings::default() };
        let create = klaxon_fixtures::trivia_show(klaxon_fixtures::pack(1, ["no", "yes"]), settings);
        let mut game = Games::default().begin(NOW, Command::begin(create).begun().unwrap()).unwrap();
        host(&mut *game, Action::OpenLobby);
        for seat in 0..seats {
            let player = PlayerId::parse(&format!("guest-{seat}")).unwrap();
            let name = Name::parse(&format!("P{seat}")).unwrap();
            let who = Apart::known(Person { player, name });
            game.apply(NOW, &Command::Sit { seat: Seat(seat), guest: true, who }).unwrap();
        }
        game
    }

    fn host(game: &mut dyn Game, action: Action) {
        let id = CommandId::parse(&format!("{action:?}")).unwrap();
        game.apply(NOW, &Command::Host { id, action }).unwrap();
    }

    const fn on(gateway: u32, conn: u64) -> ConnRef {
        ConnRef { gateway: GatewayId(gateway), conn }
    }

    const fn held(seat: u32) -> SeatRef {
        SeatRef::first(Seat(seat))
    }

    #[test]
    fn a_seat_can_be_given_after_a_while_or_at_once_if_its_guest_left() {
        let (game, mut audience) = (full_game(3), Audience::of(BTreeSet::from([GatewayId(1)])));
        for seat in 0..3 {
            audience.connected(&*game, held(seat), on(1, u64::from(seat)));
        }
        audience.disconnected(&*game, held(1), on(1, 1), false, NOW);
        assert_eq!(audience.vacant_seat(&*game, NOW), None);
        assert_eq!(audience.vacant_seat(&*game, NOW + GRACE), Some(Seat(1)));
        audience.disconnected(&*game, held(2), on(1, 2), true, NOW);
        assert_eq!(audience.vacant_seat(&*game, NOW), Some(Seat(2)), "they said so");
        let stale = SeatRef { seat: Seat(0), generation: klaxon_protocol::ids::Generation(1) };
        audience.disconnected(&*game, stale, on(1, 0), true, NOW);
        audience.connected(&*game, held(2), on(1, 9));
        assert_eq!(audience.vacant_seat(&*game, NOW), None, "seat 0 has no such player");
    }

    #[test]
    fn a_census_without_gateways_finds_nobody_and_is_not_repeated_at_once() {
        let (game, mut audience) = (full_game(2), Audience::default());
        assert!(audience.is_empty());
        assert_eq!(audience.begin_census(&*game, NOW), Some(1));
        assert_eq!(audience.begin_census(&*game, NOW), None);
        assert_eq!(audience.vacant_seat(&*game, NOW + GRACE), Some(Seat(0)));
    }

    #[test]
    fn seats_that_are_not_there_or_have_another_player_are_not_counted_as_present() {
        let (game, mut audience) = (full_game(1), Audience::of(BTreeSet::from([GatewayId(1)])));
        let census = audience.begin_census(&*game, NOW).expect("it is the first");
        let players = vec![(held(0), 5), (held(7), 6)];
        let present = Present { gateway: GatewayId(1), show: ShowId(1), census, players, is_last: true };
        audience.count_present(&*game, present, NOW);
        assert_eq!(audience.vacant_seat(&*game, NOW + GRACE), None);
        audience.gateway_gone(&*game, GatewayId(1), NOW);
        assert!(audience.is_empty());
        assert_eq!(audience.vacant_seat(&*game, NOW + GRACE), Some(Seat(0)));
    }

    #[test]
    fn after_the_lobby_players_move_between_gateways_and_nobody_is_absent() {
        let (mut game, mut audience) = (full_game(1), Audience::of(BTreeSet::from([GatewayId(1), GatewayId(2)])));
        audience.connected(&*game, held(0), on(1, 5));
        host(&mut *game, Action::Next);
        audience.disconnected(&*game, held(0), on(1, 5), true, NOW);
        assert_eq!(audience.attendance.absent(NOW), None);
        assert_eq!(audience.take_moved(), []);
        audience.connected(&*game, held(0), on(2, 5));
        assert_eq!(audience.take_moved(), [(GatewayId(2), vec![held(0)])]);
    }
}
