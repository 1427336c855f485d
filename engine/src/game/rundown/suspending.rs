//! The host takes a player out for some rounds, after which they are back by themselves.

use klaxon_protocol::binary::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{SUSPENDED_FOR, Suspend};
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Millis;

use super::Rundown;
use crate::game::Effect;

/// The suspended seats, by seat.
#[derive(Debug, Clone, Default, Encode)]
pub struct Suspensions {
    /// Each with the last round that it misses.
    until: Vec<(Seat, RoundId)>,
}

impl Suspensions {
    /// The last round that the seat misses; none if it is not suspended.
    pub fn of(&self, seat: Seat) -> Option<RoundId> {
        let at = self.until.binary_search_by_key(&seat, |&(seat, _)| seat).ok()?;
        Some(self.until[at].1)
    }

    /// The seats, in order.
    pub fn seats(&self) -> impl Iterator<Item = Seat> {
        self.until.iter().map(|&(seat, _)| seat)
    }

    fn insert(&mut self, seat: Seat, last: RoundId) {
        let at = self.until.partition_point(|&(other, _)| other < seat);
        self.until.insert(at, (seat, last));
    }

    fn remove(&mut self, seat: Seat) {
        self.until.retain(|&(other, _)| other != seat);
    }

    /// The seats whose last round was this one or an earlier one, in order.
    fn over(&self, round: RoundId) -> Vec<Seat> {
        self.until.iter().filter(|(_, last)| *last <= round).map(|&(seat, _)| seat).collect()
    }
}

impl Rundown {
    /// The host takes a player out for some rounds; the open one is the first of them.
    pub(super) fn suspend(&mut self, Suspend { seat, rounds }: Suspend) -> Result<Vec<Effect>, Refusal> {
        self.people.check_seat(seat)?;
        if !SUSPENDED_FOR.contains(&rounds) {
            let (least, most) = (SUSPENDED_FOR.start(), SUSPENDED_FOR.end());
            let detail = format!("`suspend.rounds`: {least} to {most}, not {rounds}.");
            return Err(Refusal::because(ErrorCode::BadArgument, detail));
        }
        if self.ledger.suspensions().of(seat).is_some() {
            let detail = "The player is suspended already: `restore` ends that.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        }
        if !self.look().plays(seat) {
            return Err(ErrorCode::NotInPlay.into());
        }
        let from = self.first_unsettled();
        let last = RoundId(from.0.saturating_add(rounds - 1));
        self.removals.insert(seat, from);
        self.ledger.suspend(|suspensions| suspensions.insert(seat, last));
        Ok(vec![self.tell_own(seat)])
    }

    /// A suspension ends, and the seat counts as silent in the rounds that it missed.
    pub(super) fn end_suspension(&mut self, now: Millis, seat: Seat) -> Vec<Effect> {
        self.ledger.suspend(|suspensions| suspensions.remove(seat));
        self.restored(now, seat)
    }

    /// The suspension becomes a removal, or the seat another player's.
    pub(super) fn forget_suspension(&mut self, seat: Seat) {
        self.ledger.suspend(|suspensions| suspensions.remove(seat));
    }

    /// Ends the suspensions whose last round is over.
    pub(super) fn end_suspensions(&mut self, now: Millis) -> Vec<Effect> {
        let is_between = matches!(self.course.phase, Phase::Lobby | Phase::Revealed);
        let last = self.course.round.as_ref().filter(|_| is_between).map(|round| round.id);
        let over = last.map(|last| self.ledger.suspensions().over(last)).unwrap_or_default();
        over.into_iter().flat_map(|seat| self.end_suspension(now, seat)).collect()
    }

    /// Ends all suspensions, at the end of the show.
    pub(super) fn end_all_suspensions(&mut self, now: Millis) -> Vec<Effect> {
        let all = self.ledger.suspensions().over(RoundId(u16::MAX));
        all.into_iter().flat_map(|seat| self.end_suspension(now, seat)).collect()
    }
}
