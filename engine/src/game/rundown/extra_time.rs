//! Extra time for single seats: for players who read or type more slowly.

use std::sync::Arc;

use klaxon_protocol::binary::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{EXTRA_TIME, ExtraTime, OwnTime, RoundTimes};
use klaxon_protocol::ids::{ClaimKey, Seat};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{GameOwn, Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::stage::{BegunRound, of_part};
use super::{Part, Rundown};
use crate::game::Effect;
use crate::game::clock::RoundClock;

/// How many seats can have extra time.
const MOST_SEATS: usize = 1000;
/// The time of all others, in percent.
const USUAL: u16 = 100;

/// The seats with extra time.
#[derive(Debug, Clone, Default, Encode)]
pub struct ExtraTimes {
    /// By seat: how much time it has, in percent of that of the others.
    seats: Vec<(Seat, u16)>,
}

impl ExtraTimes {
    /// How much time the seat has, in percent of that of the others.
    fn percent(&self, seat: Seat) -> u16 {
        self.seats.binary_search_by_key(&seat, |&(seat, _)| seat).map_or(USUAL, |at| self.seats[at].1)
    }

    fn set(&mut self, seat: Seat, percent: u16) {
        self.seats.retain(|&(other, _)| other != seat);
        if percent != USUAL {
            let at = self.seats.partition_point(|&(other, _)| other < seat);
            self.seats.insert(at, (seat, percent));
        }
    }
}

/// What such a seat has beyond the time of all.
fn beyond(clock: &RoundClock, percent: u16) -> Span {
    let beyond = u64::from(clock.total().0) * u64::from(percent - USUAL) / u64::from(USUAL);
    Span(u32::try_from(beyond).unwrap_or(u32::MAX))
}

impl Rundown {
    /// The host gives a seat more time, or takes that away, from the next round on.
    pub(super) fn give_extra_time(&mut self, given: ExtraTime) -> Result<Vec<Effect>, Refusal> {
        let ExtraTime { seat, percent } = given;
        self.must_be_in(&[Phase::Created, Phase::Lobby, Phase::Revealed])?;
        self.people.check_seat(seat)?;
        let bad = |problem| Err(Refusal::because(ErrorCode::BadArgument, problem));
        if !EXTRA_TIME.contains(&percent) {
            let (least, most) = (EXTRA_TIME.start(), EXTRA_TIME.end());
            return bad(format!("`extra_time.percent`: {least} to {most}, not {percent}."));
        }
        if self.extra_times.seats.len() >= MOST_SEATS && self.extra_times.percent(seat) == USUAL {
            return bad(format!("{MOST_SEATS} seats have extra time already, and no more can."));
        }
        self.extra_times.set(seat, percent);
        Ok(vec![self.tell_own(seat)])
    }

    /// The seat has no extra time any more, because it is another player's.
    pub(super) fn forget_extra_time(&mut self, seat: Seat) {
        self.extra_times.set(seat, USUAL);
    }

    /// How much time the seat has in the last round, in percent of that of the others: none of its own where the order between seats decides.
    fn percent_of(&self, seat: Seat) -> u16 {
        if self.part_of_round().is_some_and(Part::gives_extra_time) { self.extra_times.percent(seat) } else { USUAL }
    }

    /// How much of the players' time had passed for the seat when its claim was read at `at`: as a share of its own time, so that points for
    /// speed are what they are for others.
    ///
    /// # Errors
    /// Why a claim read at `at` does not count.
    pub(super) fn elapsed(&self, round: &BegunRound, seat: Seat, at: Millis) -> Result<Span, ErrorCode> {
        let percent = self.percent_of(seat);
        let elapsed = round.clock.elapsed(at);
        if percent == USUAL {
            return elapsed;
        }
        let elapsed = elapsed.or_else(|code| {
            let ends = round.clock.window().closes;
            let is_over =
                at >= ends + beyond(&round.clock, percent) || round.closed_at.is_some_and(|closed| at >= closed);
            if code != ErrorCode::TooLate || is_over { Err(code) } else { Ok(round.clock.total() + at.since(ends)) }
        })?;
        let own = u64::from(elapsed.0) * u64::from(USUAL) / u64::from(percent);
        Ok(Span(u32::try_from(own).expect("it is no more than the time that passed")))
    }

    /// When the open round ends: when its time is up, or later while a seat with extra time has not answered.
    pub(super) fn ends(&self) -> Option<Millis> {
        let closes = self.closes()?;
        let round = self.course.round.as_ref()?;
        let (Some(part), runs_out) = (self.part_of_round(), round.clock.runs_out()?) else { return Some(closes) };
        if closes < runs_out || !part.gives_extra_time() {
            return Some(closes);
        }
        let is_awaited = |seat: Seat| {
            let has_answered = round.space.keys == 1 && part.counted_value(seat, ClaimKey(0)).is_some();
            self.look().plays(seat) && !has_answered
        };
        let awaited = self.extra_times.seats.iter().filter(|(seat, _)| is_awaited(*seat));
        awaited.map(|&(_, percent)| runs_out + beyond(&round.clock, percent)).max().max(Some(closes))
    }

    /// A seat's own time in the open round, if it has extra time.
    pub(super) fn own_time(&self, seat: Seat) -> Option<OwnTime> {
        if self.extra_times.percent(seat) == USUAL {
            return None;
        }
        let percent = self.percent_of(seat);
        let open = self.course.round.as_ref().filter(|_| self.course.phase == Phase::Question && !self.steps.paused);
        let closes_at = open.map(|round| round.clock.window().closes + beyond(&round.clock, percent));
        let extra_time = if open.is_some() { percent } else { self.extra_times.percent(seat) };
        Some(OwnTime { extra_time, closes_at })
    }

    /// What an open round's times are told to seats with extra time for: they change with these.
    pub(super) fn times(&self) -> Option<RoundTimes> {
        let is_open = self.course.phase == Phase::Question && !self.steps.paused && !self.extra_times.seats.is_empty();
        self.course.round.as_ref().filter(|_| is_open).map(BegunRound::times)
    }

    /// Tells the seats with extra time when the open round closes for them.
    pub(super) fn tell_own_times(&self) -> Effect {
        let seats = &self.extra_times.seats;
        let mut by_seat = vec![Personal::NONE; seats.last().map_or(0, |(seat, _)| seat.index() + 1)];
        let mut shapes = Vec::new();
        for &(seat, _) in seats {
            by_seat[seat.index()] = u32::try_from(shapes.len()).expect("there are no more than seats");
            let part = self.course.round.as_ref().map_or(0, |round| round.part);
            let body = of_part(part, &self.own_time(seat));
            shapes.push(ToPlayer::GameOwn(GameOwn { body }));
        }
        Effect::TellSome(Arc::new(Personal { shapes, by_seat }))
    }
}
