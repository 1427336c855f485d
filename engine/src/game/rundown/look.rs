//! What a part may read of the rest of the show.

use klaxon_protocol::ids::Seat;

use super::ledger::Ledger;
use super::teams::Teams;
use crate::game::people::{People, SeatSet};

/// What a part may read of the rest of the show.
#[derive(Clone, Copy)]
pub struct Look<'s> {
    /// The players.
    pub people: &'s People,
    /// What each seat has.
    pub ledger: &'s Ledger,
    /// The teams, if the show has any.
    pub teams: Option<&'s Teams>,
}

impl Look<'_> {
    /// How many seats play.
    pub fn playing(&self) -> u32 {
        let is_removed = |seat: Seat| self.people.removed.contains(seat);
        let suspended = self.ledger.suspensions().seats().filter(|&seat| !is_removed(seat));
        let kept_out = self.people.removed.iter().chain(suspended);
        let removed = kept_out.filter(|&seat| self.ledger.is_in_play(seat)).count();
        self.ledger.seats() - self.ledger.out() - u32::try_from(removed).expect("there are no more than seats")
    }

    /// Whether the two are one seat, or in one team.
    pub fn are_together(&self, one: Seat, other: Seat) -> bool {
        let team = self.teams.and_then(|teams| teams.of(one));
        one == other || (team.is_some() && team == self.teams.and_then(|teams| teams.of(other)))
    }

    /// Whether this seat plays: it is in play by the rules, and its player was not removed.
    pub fn plays(&self, seat: Seat) -> bool {
        self.ledger.is_in_play(seat) && !self.is_kept_out(seat)
    }

    /// The seats that the host keeps out of play.
    pub fn kept_out(&self) -> SeatSet {
        let mut kept_out = self.people.removed.clone();
        self.ledger.suspensions().seats().for_each(|seat| kept_out.insert(seat));
        kept_out
    }

    /// Whether the host keeps the seat's player out of play, whatever the rules say.
    pub fn is_kept_out(&self, seat: Seat) -> bool {
        self.people.removed.contains(seat) || self.ledger.suspensions().of(seat).is_some()
    }
}
