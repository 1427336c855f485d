//! Bans of guests by where they come from.
//!
//! A guest's id is as good as new with each join, so a ban of it holds against nobody who clears their page's storage. What stays is the
//! address, of which the rules know a keyed hash ([`Origin`]): from a banned one nobody new gets a seat without an operator's token. Who
//! has a seat keeps it.
//!
//! The origin comes into the journal by [`Command::SeatOrigin`](klaxon_protocol::journal::Command::SeatOrigin), which stands right before
//! the host's `ban_address`: if a crash parts the two, nothing is banned, and the host, who heard no `done`, says it again.

use std::collections::HashMap;

use klaxon_protocol::binary::Encode;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::origin::Origin;

use super::chain::Chain;

/// How many bans of addresses a show can have: 32 bytes each.
pub const MOST: usize = 10_000;

/// From where nobody new gets a seat.
#[derive(Default)]
pub struct Bans {
    /// From where the player comes whom the next ban is about.
    named: Option<(Seat, Origin)>,
    /// The ban of each seat's player, which ends with the player's own.
    by_seat: HashMap<Seat, Origin>,
    /// How many bans each origin is under.
    origins: HashMap<Origin, u32>,
    changes: Chain,
}

/// A change, for the digest.
#[derive(Encode)]
enum BanChange {
    Named(Seat, Origin),
    Banned(Seat, Origin),
    Lifted(Seat),
    Outlived(Seat),
    AllLifted,
}

impl Bans {
    /// Whether nobody new gets a seat from there.
    pub fn bans(&self, origin: Origin) -> bool {
        self.origins.contains_key(&origin)
    }

    /// A number that differs when anything here was changed otherwise.
    pub fn digest(&self) -> u64 {
        self.changes.digest()
    }

    /// From where the seat's player comes, whom a host is about to ban.
    pub fn name(&mut self, seat: Seat, origin: Origin) {
        self.named = Some((seat, origin));
        self.changes.note(&BanChange::Named(seat, origin));
    }

    /// From where this seat's player comes, if it was named last.
    pub fn named(&self, seat: Seat) -> Option<Origin> {
        self.named.filter(|(named, _)| *named == seat).map(|(_, origin)| origin)
    }

    /// Whether there is room for one of this seat.
    pub fn has_room(&self, seat: Seat) -> bool {
        self.origins.len().max(self.by_seat.len()) < MOST || self.by_seat.contains_key(&seat)
    }

    /// Nobody new gets a seat from there because of this seat's player.
    pub fn ban(&mut self, seat: Seat, origin: Origin) {
        self.lift(seat);
        self.named = None;
        self.by_seat.insert(seat, origin);
        *self.origins.entry(origin).or_default() += 1;
        self.changes.note(&BanChange::Banned(seat, origin));
    }

    /// The ban of this seat's player ends. Others of the same origin don't.
    pub fn lift(&mut self, seat: Seat) {
        let Some(origin) = self.by_seat.remove(&seat) else { return };
        if let Some(bans) = self.origins.get_mut(&origin) {
            *bans -= 1;
            if *bans == 0 {
                self.origins.remove(&origin);
            }
        }
        self.changes.note(&BanChange::Lifted(seat));
    }

    /// The seat is another player's from now on. The ban of the one before stays, until all are lifted.
    pub fn outlive(&mut self, seat: Seat) {
        if self.by_seat.remove(&seat).is_some() {
            self.changes.note(&BanChange::Outlived(seat));
        }
    }

    /// All bans end.
    pub fn lift_all(&mut self) {
        self.by_seat.clear();
        self.origins.clear();
        self.changes.note(&BanChange::AllLifted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_banned_for_as_long_as_one_ban_of_it_stands() {
        let (home, school) = (Origin::of_hash(1), Origin::of_hash(2));
        let mut bans = Bans::default();
        bans.ban(Seat(1), school);
        bans.ban(Seat(2), school);
        bans.ban(Seat(3), home);
        bans.lift(Seat(1));
        bans.lift(Seat(9));
        assert!(bans.bans(school) && bans.bans(home));
        bans.lift(Seat(2));
        assert!(!bans.bans(school) && bans.bans(home));
        // Banned again from elsewhere: the newer ban stands for the older.
        bans.ban(Seat(3), school);
        assert!(bans.bans(school) && !bans.bans(home));
        // The ban outlives that its seat is given to another.
        bans.outlive(Seat(3));
        bans.lift(Seat(3));
        assert!(bans.bans(school));
        bans.ban(Seat(3), home);
        bans.lift(Seat(3));
        assert!(bans.bans(school) && !bans.bans(home));
        bans.lift_all();
        assert!(!bans.bans(school) && bans.by_seat.is_empty());
    }

    #[test]
    fn bans_are_bounded_and_one_that_takes_anothers_place_has_room() {
        let mut bans = Bans::default();
        for seat in 0..10_000 {
            assert!(bans.has_room(Seat(seat)));
            bans.ban(Seat(seat), Origin::of_hash(u64::from(seat) + 1));
        }
        assert!(!bans.has_room(Seat(10_000)) && bans.has_room(Seat(7)));
        (0..100).for_each(|seat| bans.outlive(Seat(seat)));
        assert!(!bans.has_room(Seat(10_000)), "those whose seats are others' count");
        bans.lift(Seat(700));
        assert!(bans.has_room(Seat(10_000)));
    }
}
