//! The gateways that have players or hosts of a show, and at which of them each player is.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{ConnRef, GatewayId, Seat, SeatRef};
use klaxon_protocol::link::{Present, ToGateway};
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::{Millis, Span};

use super::Show;
use super::attendance::Attendance;
use super::locations::Locations;
use crate::game::Game;

/// A player who lost the connection, and did not send `leave`, keeps the seat for this long though others want it: a phone comes back
/// within it.
const GRACE: Span = Span(10_000);

/// A show's gateways and its players at them.
#[derive(Default)]
pub(super) struct Audience {
    /// Barriers wait for these.
    gateways: BTreeSet<GatewayId>,
    locations: Locations,
    /// Kept in the lobby only: later no seat is given to another player.
    attendance: Attendance,
}

impl Audience {
    /// The players of these gateways, of whom nothing is known yet.
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

    /// A player is in on this connection.
    pub fn connected(&mut self, game: &dyn Game, held: SeatRef, conn: ConnRef) {
        self.locations.set(held, conn.gateway);
        if game.phase() == Phase::Lobby {
            self.attendance.connected(held.seat, conn);
        } else {
            self.attendance.end();
        }
    }

    /// A player's connection is gone. It matters in the lobby only, and of guests. `left`: they sent `leave`.
    pub fn disconnected(&mut self, game: &dyn Game, held: SeatRef, conn: ConnRef, left: bool, now: Millis) {
        if game.phase() != Phase::Lobby {
            return self.attendance.end();
        }
        if game.people().held(held.seat) == held && game.is_for_guests(held.seat) {
            self.attendance.disconnected(held.seat, conn, if left { now } else { now + GRACE });
        }
    }

    /// A gateway is gone, and all its players with it.
    pub fn gateway_gone(&mut self, game: &dyn Game, gateway: GatewayId, now: Millis) {
        self.gateways.remove(&gateway);
        if game.phase() == Phase::Lobby {
            self.attendance.gateway_gone(gateway, now + GRACE, |seat| game.is_for_guests(seat));
        }
    }

    /// A gateway named some of its players.
    pub fn count_present(&mut self, game: &dyn Game, mut present: Present, now: Millis) {
        if game.phase() != Phase::Lobby {
            return self.attendance.end();
        }
        present.players.retain(|(held, _)| held.seat.0 < game.joined() && game.people().held(held.seat) == *held);
        self.attendance.count(&present, now + GRACE, |seat| game.is_for_guests(seat));
    }

    /// In the lobby of a full show: the seat of a guest who was removed or is gone.
    pub fn vacant_seat(&self, game: &dyn Game, now: Millis) -> Option<Seat> {
        game.vacant_seat().or_else(|| self.attendance.absent(now))
    }

    /// Begins a census, unless there was one just now. Returns its number, with which all gateways must be asked.
    pub fn begin_census(&mut self, game: &dyn Game, now: Millis) -> Option<u32> {
        let census = self.attendance.begin_census(game.joined(), &self.gateways, now)?;
        // Without gateways it has ended already: all players are absent.
        self.attendance.end_census(now + GRACE, |seat| game.is_for_guests(seat));
        Some(census)
    }

    /// The players who moved to another gateway since the last call, by the gateway where they are now.
    pub fn take_moved(&mut self) -> Vec<(GatewayId, Vec<SeatRef>)> {
        self.locations.take_moved()
    }
}

impl Show {
    /// Tells all gateways which players are at another gateway now.
    pub(super) fn publish_moves(&mut self) {
        let show = self.id;
        for (to, seats) in self.audience.take_moved() {
            self.outbox.send_to_all(ToGateway::Moved { show, to, seats });
        }
    }

    /// A gateway has players or hosts of the show from now on. Its hosts missed what came before about the round that is open, and its players
    /// may be taken for absent.
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

    /// A gateway is gone: nothing is waited for from it.
    pub(super) fn gateway_gone(&mut self, gateway: GatewayId) {
        self.audience.gateway_gone(&*self.game, gateway, self.now);
        self.periodic.gateway_gone(gateway);
        if let Some(barrier) = &mut self.barrier {
            barrier.pass(gateway);
        }
    }

    /// The seat of a guest who was removed or is gone. If there is none now, a census finds out whether there will be.
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

    /// Asks all gateways who is there, if they were not asked just now.
    pub(super) fn take_census(&mut self) {
        if let Some(census) = self.audience.begin_census(&*self.game, self.now) {
            self.outbox.send_to_all(ToGateway::Census { show: self.id, census });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::game::Games;
    use klaxon_protocol::games::trivia::{Choice, Pack, PackQuestion, Settings, TriviaShow};
    use klaxon_protocol::host::Action;
    use klaxon_protocol::ids::{CommandId, Name, PlayerId, ShowCode, ShowId};
    use klaxon_protocol::journal::Command;
    use klaxon_protocol::player::Role;

    use super::*;

    const NOW: Millis = Millis(1_000_000);

    /// A show in its lobby, full with this many guests.
    fn full_game(seats: u32) -> Box<dyn Game> {
        let question = PackQuestion {
            text: "Why?".into(),
            choices: ["no", "yes"].map(String::from).to_vec(),
            right: Choice(1),
            category: None,
            difficulty: None,
            open_for: None,
            source: None,
        };
        let create = TriviaShow {
            id: CommandId::parse("create").unwrap(),
            code: ShowCode::parse("TEST").unwrap(),
            seed: 7,
            pack: Pack { title: "A show".into(), questions: vec![question] },
            settings: Settings { seats, ..Settings::default() },
        };
        let mut game = Games::default().begin(NOW, Command::begin(create).begun().unwrap()).unwrap();
        host(&mut *game, Action::OpenLobby);
        for seat in 0..seats {
            let player = PlayerId::parse(&format!("guest-{seat}")).unwrap();
            let name = Name::parse(&format!("P{seat}")).unwrap();
            game.apply(NOW, &Command::Join { player, name, role: Role::Player }).unwrap();
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
