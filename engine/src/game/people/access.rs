//! Which players may join and rejoin a show, apart from whether they have a seat.

use std::collections::{BTreeSet, HashMap};

use klaxon_protocol::binary::Encode;
use klaxon_protocol::ids::{Generation, PlayerId, Seat};

use super::chain::Chain;

/// Exceptions from the default; most players have no entry here.
#[derive(Default)]
pub struct Access {
    /// How often each player's resume tokens were revoked.
    issues: HashMap<PlayerId, u32>,
    /// Whether new players are refused.
    pub locked: bool,
    /// Players whom the host removed, kept even after their seat was given to another player.
    barred: HashMap<PlayerId, Barred>,
    /// How often each seat was reassigned, for those that were.
    generations: HashMap<Seat, Generation>,
    /// Seats of removed guests, which can be reassigned before the first question.
    vacant: BTreeSet<Seat>,
    changes: Chain,
}

/// What a removed player may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barred {
    /// Having a seat; spectating is allowed.
    FromPlay,
    /// Joining at all.
    FromShow,
}

/// A change, as it enters the digest.
#[derive(Encode)]
pub enum AccessChange<'a> {
    Issue(&'a PlayerId, u32),
    Seats(u32),
    Locked(bool),
    Removed(Seat, bool),
    Restored(Seat),
    Reseated(Seat),
    /// As `Issue`, where who players are stands apart from the journal.
    Reissued(Seat),
}

impl Access {
    /// How often this player's resume tokens were revoked.
    pub fn issue(&self, player: &PlayerId) -> u32 {
        self.issues.get(player).copied().unwrap_or(0)
    }

    /// What this player may not do, if the host removed them.
    pub fn barred(&self, player: &PlayerId) -> Option<Barred> {
        self.barred.get(player).copied()
    }

    /// How often the seat was reassigned.
    pub fn generation(&self, seat: Seat) -> Generation {
        self.generations.get(&seat).copied().unwrap_or(Generation(0))
    }

    /// The player's resume tokens that were made before are refused. Returns how often that was so by now.
    pub fn revoke(&mut self, player: PlayerId) -> u32 {
        let issue = self.issues.entry(player).or_default();
        *issue = issue.saturating_add(1);
        *issue
    }

    /// Counts that the seat is reassigned to another player.
    pub fn give_again(&mut self, seat: Seat) {
        self.generations.insert(seat, Generation(self.generation(seat).0 + 1));
        self.vacant.remove(&seat);
        self.note(&AccessChange::Reseated(seat));
    }

    /// The first seat that can be reassigned.
    pub fn first_vacant(&self) -> Option<Seat> {
        self.vacant.first().copied()
    }

    /// Bars a removed player. Removing a banned player does not weaken the ban.
    pub fn bar(&mut self, player: PlayerId, from: Barred) {
        let barred = self.barred.entry(player).or_insert(from);
        *barred = from.max(*barred);
    }

    /// Undoes [`Self::bar`].
    pub fn unbar(&mut self, player: &PlayerId) {
        self.barred.remove(player);
    }

    /// Sets whether this seat can be reassigned.
    pub fn set_vacant(&mut self, seat: Seat, is_vacant: bool) {
        if is_vacant {
            self.vacant.insert(seat);
        } else {
            self.vacant.remove(&seat);
        }
    }

    pub fn note(&mut self, change: &AccessChange<'_>) {
        self.changes.note(change);
    }

    /// A hash of all changes, in order.
    pub fn digest(&self) -> u64 {
        self.changes.digest()
    }
}
