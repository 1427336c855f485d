//! The show as a part sees it while one command is applied: what it reads, what it changes, and what it tells.

use std::cmp::Reverse;
use std::sync::Arc;

use klaxon_protocol::binary::Encode;
use klaxon_protocol::games::rundown::{Event, RoundTimes, Standing};
use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::{RoundId, Seat, Seq};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, GameEvent, GameOwn, Leader, Phase, Standings, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde::Serialize;
use serde_json::Value;

use super::ledger::Ledger;
use super::look::Look;
use super::teams::Teams;
use crate::game::Effect;
use crate::game::clock::RoundClock;
use crate::game::people::People;
use crate::round::ClaimSpace;

/// How many players the standings list.
const LEADERS: usize = 10;

/// Where the show is: everything that a part can change, apart from the ledger.
#[derive(Debug, Clone, Encode)]
pub struct Course {
    pub phase: Phase,
    /// The sequence number of the last event.
    pub seq: Seq,
    /// The round that was begun last.
    pub round: Option<BegunRound>,
}

/// A round that was begun.
#[derive(Debug, Clone, Encode)]
pub struct BegunRound {
    pub id: RoundId,
    /// The part's index.
    pub part: u8,
    pub space: ClaimSpace,
    pub clock: RoundClock,
    pub voided: bool,
    /// When it was closed.
    pub closed_at: Option<Millis>,
}

impl BegunRound {
    pub fn times(&self) -> RoundTimes {
        let window = self.clock.window();
        RoundTimes { round: self.id, opens_at: window.opens, closes_at: window.closes }
    }
}

impl Course {
    /// The phase between rounds.
    pub const fn between(&self) -> Phase {
        if self.round.is_some() { Phase::Revealed } else { Phase::Lobby }
    }

    /// An event of a part, whose body gets the part's index.
    fn event(&mut self, now: Millis, part: u8, phase: Phase, body: &impl Serialize) -> GameEvent {
        self.phase = phase;
        self.seq = self.seq.next();
        GameEvent { seq: self.seq, at: now, phase, round: None, body: of_part(part, body) }
    }
}

/// A body with the index of its part.
pub fn of_part(part: u8, body: &impl Serialize) -> Body {
    let mut body = Body::of(body);
    body.0.insert("part".into(), Value::from(part));
    body
}

/// How a round begins.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// The claims that are possible.
    pub space: ClaimSpace,
    /// From the event until claims count; usually [`Stage::lead`].
    pub lead: Span,
    /// How long claims count.
    pub open_for: Span,
}

/// The show as a part sees it while one command is applied.
pub struct Stage<'s> {
    /// The time of the command.
    pub now: Millis,
    /// The players.
    pub people: &'s People,
    /// What each seat has.
    pub ledger: &'s mut Ledger,
    /// The teams, if the show has any.
    pub teams: Option<&'s Teams>,
    /// The part's index.
    pub part: u8,
    /// Whether the show is paused.
    pub paused: bool,
    /// From the event that begins a round until its claims count, as the setup says.
    pub lead: Span,
    /// Whether prizes are paid at the end of a part: not if the host ends the show without.
    pub pays: bool,
    pub(super) course: &'s mut Course,
    pub(super) effects: Vec<Effect>,
}

impl Stage<'_> {
    /// The show, to read only.
    pub const fn look(&self) -> Look<'_> {
        Look { people: self.people, ledger: self.ledger, teams: self.teams }
    }

    /// The show's phase.
    pub const fn phase(&self) -> Phase {
        self.course.phase
    }

    /// The round that was begun last, in this part or an earlier one.
    pub fn last_round(&self) -> Option<RoundId> {
        Some(self.course.round.as_ref()?.id)
    }

    /// The clock of the round that was begun last.
    pub fn clock(&self) -> Option<&RoundClock> {
        Some(&self.course.round.as_ref()?.clock)
    }

    /// Begins the next round of the show, and tells so by an event with this body. Claims count from `lead` on.
    ///
    /// # Panics
    /// If the show has had 65,535 rounds: the rundown does not call `next` then.
    pub fn open(&mut self, opening: Opening, body: impl Serialize, personal: Option<Personal>) -> RoundTimes {
        let Opening { space, lead, open_for } = opening;
        let id = RoundId(self.last_round().map_or(0, |last| last.0).checked_add(1).expect("`next` is not called then"));
        let clock = RoundClock::new(self.now + lead, open_for);
        let round = BegunRound { id, part: self.part, space, clock, voided: false, closed_at: None };
        let times = round.times();
        self.course.round = Some(round);
        let mut event = self.course.event(self.now, self.part, Phase::Question, &body);
        event.round = Some(id);
        event.body.0.extend(Body::of(&times).0);
        self.effects.push(Effect::Tell(ToPlayer::GameEvent(event), personal.map(Arc::new)));
        times
    }

    /// Tells all an event in this phase, which the show is in from here on. The body has the tag `event`, and gets the part's index.
    pub fn tell(&mut self, phase: Phase, body: impl Serialize) {
        self.tell_with(phase, body, None);
    }

    /// As [`Self::tell`]; the seats in the personal part get their own message right after the event.
    pub fn tell_with(&mut self, phase: Phase, body: impl Serialize, personal: impl Into<Option<Personal>>) {
        let event = self.course.event(self.now, self.part, phase, &body);
        self.effects.push(Effect::Tell(ToPlayer::GameEvent(event), personal.into().map(Arc::new)));
    }

    /// Tells all an event between rounds: in the lobby if the show had no round yet, else in [`Phase::Revealed`].
    pub fn tell_between(&mut self, body: impl Serialize, personal: impl Into<Option<Personal>>) {
        self.tell_with(self.course.between(), body, personal);
    }

    /// Tells that the last round is void, which ends it.
    pub fn tell_void(&mut self, reason: &str, personal: impl Into<Option<Personal>>) {
        let round = self.last_round().expect("only a round that was begun is void");
        self.tell_with(Phase::Revealed, Event::Void { round, reason: reason.to_owned() }, personal);
    }

    /// Leaves the settled round closed until `reveal`, without an event.
    pub const fn leave_closed(&mut self) {
        self.course.phase = Phase::Closed;
    }

    /// Sends messages to the seats in the personal part only.
    pub fn tell_some(&mut self, personal: Personal) {
        self.effects.push(Effect::TellSome(Arc::new(personal)));
    }

    /// Tells all who leads: the players in play with the most points, at most ten.
    pub fn tell_standings(&mut self) {
        let mut best: Vec<(Reverse<i64>, Seat)> = Vec::with_capacity(LEADERS + 1);
        for seat in (0..self.ledger.seats()).map(Seat).filter(|&seat| self.plays(seat)) {
            let key = (Reverse(self.ledger.line(seat).points), seat);
            if best.len() == LEADERS && best.last().is_some_and(|last| *last < key) {
                continue;
            }
            best.insert(best.partition_point(|other| *other < key), key);
            best.truncate(LEADERS);
        }
        let mut leaders: Vec<Leader> = Vec::with_capacity(best.len());
        for (place, (_, seat)) in (1..).zip(best) {
            let Some(name) = self.people.roster.name(seat).cloned() else { continue };
            let score = self.ledger.line(seat).score();
            let rank = leaders.last().filter(|above| above.score == score).map_or(place, |above| above.rank);
            leaders.push(Leader { rank, seat, name, score });
        }
        let question = self.last_round().unwrap_or(RoundId(0));
        self.effects.push(Effect::Tell(ToPlayer::Standings(Standings { question, leaders }), None));
    }

    /// Alerts the hosts.
    pub fn alert(&mut self, alert: AlertKind) {
        self.effects.push(Effect::Alert(alert));
    }

    /// A message for a seat alone, with this part's index.
    pub fn own(&self, body: impl Serialize) -> ToPlayer {
        ToPlayer::GameOwn(GameOwn { body: of_part(self.part, &body) })
    }

    /// What the seat has, as it is told to it.
    pub fn standing(&self, seat: Seat) -> Standing {
        self.ledger.line(seat).standing(self.look().is_kept_out(seat))
    }

    /// Whether this seat plays: it is in play by the rules, and its player was not removed.
    pub fn plays(&self, seat: Seat) -> bool {
        self.look().plays(seat)
    }
}
