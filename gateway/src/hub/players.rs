//! Which connections a player has, over all shards: the newest has the display, and there are never too many.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use klaxon_protocol::ids::{Seat, ShowId};

use crate::transport::ConnKey;

/// Seats are spread over so many locks.
const STRIPES: usize = 16;

/// Connections of each player, oldest first.
type Stripe = HashMap<(ShowId, Seat), Vec<ConnKey>>;

/// Connections by player.
#[derive(Default)]
pub(crate) struct Players([Mutex<Stripe>; STRIPES]);

/// Whom a new connection puts aside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PutAside {
    /// Had the display until now.
    pub displaced: Option<ConnKey>,
    /// Is one too many.
    pub evicted: Option<ConnKey>,
}

impl Players {
    fn stripe(&self, seat: Seat) -> std::sync::MutexGuard<'_, Stripe> {
        self.0[seat.index() % STRIPES].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of this player is in; it has the display from now on.
    pub fn enter(&self, show: ShowId, seat: Seat, conn: ConnKey, most: usize) -> PutAside {
        let mut stripe = self.stripe(seat);
        let conns = stripe.entry((show, seat)).or_insert_with(|| Vec::with_capacity(1));
        let displaced = conns.last().copied();
        conns.push(conn);
        let evicted = (conns.len() > most.max(1)).then(|| conns.remove(0));
        // The one to be closed hears so, and needs no other word.
        PutAside { displaced: displaced.filter(|&displaced| Some(displaced) != evicted), evicted }
    }

    /// A connection of this player is gone.
    pub fn leave(&self, show: ShowId, seat: Seat, conn: ConnKey) {
        if let Entry::Occupied(mut entry) = self.stripe(seat).entry((show, seat)) {
            entry.get_mut().retain(|&other| other != conn);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }

    /// The player's connections, oldest first.
    pub fn of(&self, show: ShowId, seat: Seat) -> Vec<ConnKey> {
        self.stripe(seat).get(&(show, seat)).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: u32) -> ConnKey {
        ConnKey { shard: 0, slot, use_of_slot: 0 }
    }

    const ANN: (ShowId, Seat) = (ShowId(1), Seat(5));

    #[test]
    fn the_newest_connection_displaces_the_one_before_it_and_the_oldest_is_one_too_many() {
        let players = Players::default();
        let enter = |slot| players.enter(ANN.0, ANN.1, key(slot), 2);
        assert_eq!(enter(1), PutAside::default());
        assert_eq!(enter(2), PutAside { displaced: Some(key(1)), evicted: None });
        assert_eq!(enter(3), PutAside { displaced: Some(key(2)), evicted: Some(key(1)) });
        assert_eq!(players.of(ANN.0, ANN.1), [key(2), key(3)]);
    }

    #[test]
    fn a_player_who_may_have_one_connection_has_the_newest() {
        let players = Players::default();
        players.enter(ANN.0, ANN.1, key(1), 1);
        let put_aside = players.enter(ANN.0, ANN.1, key(2), 1);
        assert_eq!(put_aside, PutAside { displaced: None, evicted: Some(key(1)) });
    }

    #[test]
    fn players_in_other_shows_and_seats_are_left_alone() {
        let players = Players::default();
        players.enter(ANN.0, ANN.1, key(1), 1);
        for (show, seat) in [(ShowId(2), ANN.1), (ANN.0, Seat(6)), (ANN.0, Seat(21))] {
            assert_eq!(players.enter(show, seat, key(9), 1), PutAside::default());
        }
    }

    #[test]
    fn nothing_is_kept_of_who_is_gone() {
        let players = Players::default();
        players.enter(ANN.0, ANN.1, key(1), 4);
        players.leave(ANN.0, ANN.1, key(1));
        assert!(players.0.iter().all(|stripe| stripe.lock().unwrap().is_empty()));
    }
}
