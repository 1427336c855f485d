//! Bans of guests by their address.
//!
//! A guest can get a new id with each join, so a ban of the id alone ends when the guest clears the page's storage. The
//! address stays the same, and the rules know a keyed hash of it ([`Origin`]): no new player from a banned origin gets
//! a seat without an operator's token. Players who have a seat keep it.
//!
//! The origin comes into the journal by [`Command::SeatHasOrigin`](klaxon_protocol::journal::Command::SeatHasOrigin), which stands right
//! before the host's `ban_address`: if a crash parts the two, nothing is banned, and the host, who heard no `done`, says it again. The origin
//! itself stands apart, so neither the room for bans nor the digest may depend on it: who is forgotten is banned from nowhere, and takes
//! the room that they took.

use std::collections::HashMap;

use klaxon_protocol::binary::Encode;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::origin::Origin;

use super::chain::Chain;

/// How many bans of addresses a show can have: 32 bytes each.
pub const MOST: usize = 10_000;

/// The banned origins of a show.
#[derive(Default)]
pub struct Bans {
    /// Whether origins stand apart from the show's journal.
    apart: bool,
    /// The seat that the next ban is for, and its player's origin.
    named: Option<(Seat, Option<Origin>)>,
    /// The ban of each seat's player, which ends with the player's own. Its origin may be forgotten.
    by_seat: HashMap<Seat, Option<Origin>>,
    /// Bans of players whose seats are others' by now.
    outlived: usize,
    /// How many bans apply to each origin.
    origins: HashMap<Origin, u32>,
    changes: Chain,
}

/// A change, as it enters the digest.
#[derive(Encode)]
enum BanChange {
    Named(Seat, Origin),
    Banned(Seat, Origin),
    Lifted(Seat),
    Outlived(Seat),
    AllLifted,
    /// As `Named` and `Banned`, where origins stand apart from the journal.
    NamedApart(Seat),
    BannedApart(Seat),
}

impl Bans {
    /// No bans yet. `apart`: origins stand apart from the show's journal.
    pub fn new(apart: bool) -> Self {
        Self { apart, ..Self::default() }
    }

    /// Whether new players from this origin are refused a seat.
    pub fn bans(&self, origin: Origin) -> bool {
        self.origins.contains_key(&origin)
    }

    /// A hash of all changes, in order.
    pub fn digest(&self) -> u64 {
        self.changes.digest()
    }

    /// Stores the origin of the player whom a host is about to ban.
    pub fn name(&mut self, seat: Seat, origin: Option<Origin>) {
        self.named = Some((seat, origin));
        match origin {
            Some(origin) if !self.apart => self.changes.note(&BanChange::Named(seat, origin)),
            _ => self.changes.note(&BanChange::NamedApart(seat)),
        }
    }

    /// From where this seat's player comes, if it was named last; none within if it is forgotten.
    pub fn named(&self, seat: Seat) -> Option<Option<Origin>> {
        self.named.filter(|(named, _)| *named == seat).map(|(_, origin)| origin)
    }

    /// Whether there is room for a ban of this seat.
    pub fn has_room(&self, seat: Seat) -> bool {
        let bans =
            if self.apart { self.by_seat.len() + self.outlived } else { self.origins.len().max(self.by_seat.len()) };
        bans < MOST || self.by_seat.contains_key(&seat)
    }

    /// Bans this origin on account of the seat's player.
    pub fn ban(&mut self, seat: Seat, origin: Option<Origin>) {
        self.lift(seat);
        self.named = None;
        self.by_seat.insert(seat, origin);
        if let Some(origin) = origin {
            *self.origins.entry(origin).or_default() += 1;
        }
        match origin {
            Some(origin) if !self.apart => self.changes.note(&BanChange::Banned(seat, origin)),
            _ => self.changes.note(&BanChange::BannedApart(seat)),
        }
    }

    /// Lifts the ban on account of this seat's player. Other bans of the same origin stay.
    pub fn lift(&mut self, seat: Seat) {
        let Some(origin) = self.by_seat.remove(&seat) else { return };
        if let Some(origin) = origin
            && let Some(bans) = self.origins.get_mut(&origin)
        {
            *bans -= 1;
            if *bans == 0 {
                self.origins.remove(&origin);
            }
        }
        self.changes.note(&BanChange::Lifted(seat));
    }

    /// Called when the seat is reassigned: the earlier player's ban stays, and can only be lifted with all others.
    pub fn on_reseat(&mut self, seat: Seat) {
        if self.by_seat.remove(&seat).is_some() {
            self.outlived += 1;
            self.changes.note(&BanChange::Outlived(seat));
        }
    }

    /// All bans end.
    pub fn lift_all(&mut self) {
        self.by_seat.clear();
        self.outlived = 0;
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
        bans.ban(Seat(1), Some(school));
        bans.ban(Seat(2), Some(school));
        bans.ban(Seat(3), Some(home));
        bans.lift(Seat(1));
        bans.lift(Seat(9));
        assert!(bans.bans(school) && bans.bans(home));
        bans.lift(Seat(2));
        assert!(!bans.bans(school) && bans.bans(home));
        // Banned again from elsewhere: the newer ban stands for the older.
        bans.ban(Seat(3), Some(school));
        assert!(bans.bans(school) && !bans.bans(home));
        // The ban outlives that its seat is given to another.
        bans.on_reseat(Seat(3));
        bans.lift(Seat(3));
        assert!(bans.bans(school));
        bans.ban(Seat(3), Some(home));
        bans.lift(Seat(3));
        assert!(bans.bans(school) && !bans.bans(home));
        bans.lift_all();
        assert!(!bans.bans(school) && bans.by_seat.is_empty());
    }

    #[test]
    fn where_origins_stand_apart_nothing_but_who_gets_in_depends_on_them() {
        let play = |origin: &dyn Fn(u32) -> Option<Origin>| {
            let mut bans = Bans::new(true);
            let mut digests = Vec::new();
            for seat in 0..10_000 {
                assert!(bans.has_room(Seat(seat)));
                bans.name(Seat(seat), origin(seat));
                bans.ban(Seat(seat), origin(seat));
                if seat % 3 == 0 {
                    bans.on_reseat(Seat(seat));
                }
                digests.push(bans.digest());
            }
            assert!(!bans.has_room(Seat(10_000)) && !bans.has_room(Seat(3)) && bans.has_room(Seat(4)));
            bans.lift(Seat(4));
            assert!(bans.has_room(Seat(10_000)));
            bans.lift_all();
            assert!(bans.has_room(Seat(0)));
            digests.push(bans.digest());
            digests
        };
        let all_from_one = play(&|_| Some(Origin::of_hash(7)));
        assert_eq!(all_from_one, play(&|seat| Some(Origin::of_hash(u64::from(seat) + 1))));
        assert_eq!(all_from_one, play(&|_| None));
    }

    #[test]
    fn bans_are_bounded_and_one_that_takes_anothers_place_has_room() {
        let mut bans = Bans::default();
        for seat in 0..10_000 {
            assert!(bans.has_room(Seat(seat)));
            bans.ban(Seat(seat), Some(Origin::of_hash(u64::from(seat) + 1)));
        }
        assert!(!bans.has_room(Seat(10_000)) && bans.has_room(Seat(7)));
        (0..100).for_each(|seat| bans.on_reseat(Seat(seat)));
        assert!(!bans.has_room(Seat(10_000)), "those whose seats are others' count");
        bans.lift(Seat(700));
        assert!(bans.has_room(Seat(10_000)));
    }
}
