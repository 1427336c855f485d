//! Actions of a host, and crashes, in a scripted show.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Clock, Close, Void};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Name, PlayerId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Mark, Pause, Phase, Resume, ToPlayer};
use klaxon_protocol::time::Span;

use super::{Person, Show};

impl Show {
    /// Voids the running question.
    pub fn void(&mut self) {
        let Mark { seq, at } = self.mark();
        let question = self.question();
        let alive = self.snapshot.alive;
        self.snapshot.voided = true;
        self.snapshot.phase = Phase::Revealed;
        let void = Void { seq, at, question, reason: "wrong picture".into(), alive };
        self.host(Action::Void { reason: "wrong picture".into() }, ToPlayer::Void(void));
        let states: Vec<ToPlayer> = (0..self.people.len()).map(|seat| self.you(seat)).collect();
        self.each_seat(|seat| states.get(seat).cloned());
        self.wait(100);
    }

    /// Records a host's action that is not sent to players.
    pub fn quietly(&mut self, action: Action) {
        let id = CommandId::parse(&format!("h{}", self.records.len())).unwrap();
        self.record(Command::Host { id, action }, vec![]);
        self.wait(10);
    }

    /// Gives this seat to another guest; the connection of the earlier player receives the error. Returns the new
    /// player's connection.
    pub fn reseat(&mut self, seat: usize) -> usize {
        self.wait(10);
        let place = Seat(u32::try_from(seat).unwrap());
        let player = self.people[seat].player + 100;
        let name = Name::parse(&format!("Player {player}")).unwrap();
        let id = PlayerId::parse(&format!("guest-{player}")).unwrap();
        self.people[seat].player = player;
        self.record(Command::Reseat { seat: place, player: id, name }, vec![]);
        for index in 0..self.connections.len() {
            if self.connections[index].seat == Some(place) && self.connections[index].listening {
                self.dismiss(index, ErrorCode::SeatGivenAway);
            }
        }
        self.connect(player, Codec::Json, Some(place))
    }

    /// Undoes a removal: the seat is in play again, or out since a question that the player missed.
    pub fn restore(&mut self, seat: usize, out_at: Option<u16>) {
        (self.people[seat].alive, self.people[seat].removed) = (out_at.is_none(), false);
        self.people[seat].out_at = out_at.unwrap_or_default();
        self.snapshot.alive += u32::from(out_at.is_none());
        self.quietly(Action::Restore { seat: Seat(u32::try_from(seat).unwrap()) });
    }

    /// Gives a life to a seat, or to all in play; each of them is sent the new state.
    pub fn give_life(&mut self, seat: Option<usize>) {
        let given = |(index, person): (usize, &Person)| seat.map_or(person.alive, |seat| seat == index);
        let given: Vec<bool> = self.people.iter().enumerate().map(given).collect();
        for (person, _) in self.people.iter_mut().zip(&given).filter(|(_, given)| **given) {
            person.lives += 1;
        }
        let id = CommandId::parse(&format!("h{}", self.records.len())).unwrap();
        let seat = seat.map(|seat| Seat(u32::try_from(seat).unwrap()));
        self.record(Command::Host { id, action: Action::GiveLives { seat, lives: 1 } }, vec![]);
        self.wait(1);
        let states: Vec<ToPlayer> = (0..self.people.len()).map(|seat| self.you(seat)).collect();
        self.each_seat(|seat| given[seat].then(|| states[seat].clone()));
        self.wait(100);
    }

    /// Removes a seat's player, and closes the connection.
    pub fn remove(&mut self, seat: usize) {
        let place = Seat(u32::try_from(seat).unwrap());
        self.take_out(seat, Action::Remove { seat: place, ban: false }, ErrorCode::Removed);
    }

    /// Removes a seat's player by a ban of the address.
    pub fn ban_address(&mut self, seat: usize) {
        let place = Seat(u32::try_from(seat).unwrap());
        self.record(Command::SeatOrigin { seat: place, origin: Origin::of_hash(7) }, vec![]);
        self.take_out(seat, Action::BanAddress { seat: place, shared: false }, ErrorCode::Banned);
    }

    fn take_out(&mut self, seat: usize, action: Action, code: ErrorCode) {
        let connection = self.connection_of(seat);
        let was_alive = std::mem::replace(&mut self.people[seat].alive, false);
        self.people[seat].removed = true;
        self.snapshot.alive -= u32::from(was_alive);
        let id = CommandId::parse(&format!("h{}", self.records.len())).unwrap();
        self.record(Command::Host { id, action }, vec![]);
        self.wait(1);
        self.dismiss(connection, code);
        self.wait(100);
    }

    fn dismiss(&mut self, connection: usize, code: ErrorCode) {
        self.receive(connection, ToPlayer::Error(ErrorMessage::from(code)));
        self.connections[connection].close_code = Some(4004);
        self.connections[connection].listening = false;
    }

    /// Stops the clock.
    pub fn pause(&mut self) {
        let Mark { seq, at } = self.mark();
        let closes_at = self.snapshot.question.as_ref().unwrap().closes_at;
        self.snapshot.paused = true;
        self.passed = at.since(self.snapshot.question.as_ref().unwrap().opens_at).0.into();
        self.host(Action::Pause, ToPlayer::Pause(Pause { seq, at, left: Some(closes_at.since(at)) }));
    }

    /// The time that the question had left when the clock was last stopped.
    pub(super) fn left(&self) -> Span {
        let events = self.records.iter().rev().flat_map(|record| &record.events);
        let mut lefts = events.filter_map(|event| if let ToPlayer::Pause(pause) = event { pause.left } else { None });
        lefts.next().unwrap()
    }

    /// Starts the clock again, with the time that was left.
    pub fn resume(&mut self) {
        let Mark { seq, at } = self.mark();
        let left = self.left();
        let running = self.snapshot.question.as_mut().unwrap();
        running.opens_at = at + self.settings.lead;
        running.closes_at = running.opens_at + left;
        let (question, opens_at, closes_at) = (running.question, running.opens_at, running.closes_at);
        self.snapshot.paused = false;
        let resume = Resume { seq, at, question: Some(question), opens_at: Some(opens_at), closes_at: Some(closes_at) };
        self.host(Action::Resume, ToPlayer::Resume(resume));
    }

    /// Kills the server, which is back after `away` milliseconds: the running question opens again.
    pub fn kill(&mut self, away: u64) {
        for connection in &mut self.connections {
            connection.listening = false;
        }
        let last = self.records.last().unwrap().at;
        self.wait(away);
        let Mark { seq, at } = self.mark();
        let running = self.snapshot.question.as_mut().unwrap();
        let left = running.closes_at.since(last + Span(1)).max(Span(3000));
        self.passed = (last + Span(1)).since(running.opens_at).0.into();
        (running.opens_at, running.closes_at) = (at + Span(3000), at + Span(3000) + left);
        let (question, opens_at, closes_at) = (running.question, running.opens_at, running.closes_at);
        let resume = Resume { seq, at, question: Some(question), opens_at: Some(opens_at), closes_at: Some(closes_at) };
        self.event(Command::Recovered { away: at.since(last) }, ToPlayer::Resume(resume));
    }

    /// Gives the question, which was sent and is not open yet, this many milliseconds more.
    pub fn adjust(&mut self, by: u32) {
        let Mark { seq, at } = self.mark();
        let running = self.snapshot.question.as_mut().unwrap();
        running.closes_at = running.closes_at + Span(by);
        let (question, opens_at, closes_at) = (running.question, running.opens_at, running.closes_at);
        let clock = Clock { seq, at, question, opens_at, closes_at };
        self.host(Action::AdjustTime { by: i32::try_from(by).unwrap() }, ToPlayer::Clock(clock));
    }

    /// Closes the question before its time.
    pub fn close_early(&mut self) {
        let Mark { seq, at } = self.mark();
        let question = self.question();
        self.snapshot.phase = Phase::Closed;
        self.host(Action::Close, ToPlayer::Close(Close { seq, at, question }));
        self.wait(100);
        self.record(Command::Tally { round: question, silent: vec![] }, vec![]);
    }
}
