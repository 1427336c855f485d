//! Joins, reconnects and closed connections.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Snapshot, You};
use klaxon_protocol::ids::{Name, PlayerId, Seat, Seq, ShowId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{FromPlayer, Join, Role, ToPlayer, Welcome};
use klaxon_protocol::time::{Millis, Span};

use super::{Person, Script, Show};

impl Show {
    /// A new player takes the next seat; every third uses bincode.
    pub fn join(&mut self) -> usize {
        self.wait(10);
        let seat = self.people.len();
        let player = u32::try_from(seat).unwrap();
        let name = Name::parse(&format!("Player {seat}")).unwrap();
        let id = PlayerId::parse(&format!("guest-{seat}")).unwrap();
        self.people.push(Person {
            player,
            alive: true,
            removed: false,
            lives: 0,
            answered: None,
            took: 0,
            time: 0,
            out_at: 0,
        });
        self.snapshot.joined += 1;
        self.snapshot.alive += 1;
        self.record(Command::Join { player: id, name, role: Role::Player }, vec![]);
        let codec = if seat % 3 == 2 { Codec::Bincode } else { Codec::Json };
        self.connect(player, codec, Some(Seat(player)))
    }

    /// A spectator connects.
    pub fn watch(&mut self) -> usize {
        self.wait(10);
        self.connect(1000, Codec::Json, None)
    }

    /// Closes a player's connection.
    pub fn hang_up(&mut self, seat: usize) {
        let connection = self.connection_of(seat);
        self.hang_up_connection(connection);
    }

    pub(super) fn hang_up_connection(&mut self, connection: usize) {
        self.connections[connection].listening = false;
    }

    /// Connects a player again, in addition to an older connection or instead of it.
    pub fn come_back(&mut self, seat: usize) -> usize {
        self.wait(100);
        let Person { player, .. } = self.people[seat];
        let place = Some(Seat(u32::try_from(seat).unwrap()));
        for index in 0..self.connections.len() {
            if self.connections[index].seat == place && self.connections[index].listening {
                self.receive(index, ToPlayer::Error(ErrorMessage::from(ErrorCode::Displaced)));
                self.connections[index].listening = false;
            }
        }
        self.connect(player, Codec::Json, place)
    }

    pub(super) fn connect(&mut self, player: u32, codec: Codec, seat: Option<Seat>) -> usize {
        let index = self.connections.len();
        let (lines, transits) = (Vec::new(), Vec::new());
        let script = Script { player, codec, honest: true, lines, transits, close_code: None, seat, listening: true };
        self.connections.push(script);
        let role = if seat.is_some() { Role::Player } else { Role::Spectator };
        let show = klaxon_fixtures::code("TEST");
        self.send(index, FromPlayer::Join(Join { show, name: None, role, token: None, resume: None }));
        let welcome = Welcome {
            protocol: 1,
            session: format!("s{index}"),
            resume: format!("r{index}"),
            show: ShowId(7),
            seat,
            name: Name::parse(&format!("Player {player}")).unwrap(),
            now: Millis(self.now),
            heartbeat: Span(30_000),
            newest: Default::default(),
        };
        self.receive(index, ToPlayer::Welcome(welcome));
        let mut snapshot = Snapshot { seq: Seq(self.seq), at: Millis(self.now), ..self.snapshot.clone() };
        if let Some(question) = snapshot.question.as_mut().filter(|_| snapshot.paused) {
            question.closes_at = snapshot.at + self.left();
        }
        let paused = snapshot.pause();
        self.receive(index, ToPlayer::Snapshot(Box::new(snapshot)));
        let nobody = ToPlayer::You(You { alive: false, lives: 0, score: 0, rank: 0, answered: None, prize: None });
        let you = seat.map_or(nobody, |seat| self.you(seat.index()));
        self.receive(index, you);
        if let Some(paused) = paused {
            self.receive(index, ToPlayer::Paused(paused));
        }
        index
    }

    /// A player's own state.
    pub(super) fn you(&self, seat: usize) -> ToPlayer {
        let Person { alive, lives, answered, .. } = self.people[seat];
        ToPlayer::You(You { alive, lives, score: 0, rank: 0, answered, prize: None })
    }

    /// The newest connection of a seat.
    pub fn connection_of(&self, seat: usize) -> usize {
        let seat = Some(Seat(u32::try_from(seat).unwrap()));
        self.connections.iter().rposition(|connection| connection.seat == seat).unwrap()
    }
}
