//! The connections of each player, over all shards: only the newest is sent the events, and their number is limited.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use klaxon_protocol::ids::{SeatRef, ShowId};
use parking_lot::{Mutex, MutexGuard};

use crate::transport::ConnKey;

/// The number of locks over which seats are spread.
const STRIPES: usize = 16;

/// Connections by player. Most players have one connection, which needs no list.
#[derive(Default)]
struct Stripe {
    newest: HashMap<(ShowId, SeatRef), ConnKey>,
    /// Earlier connections, oldest first.
    older: HashMap<(ShowId, SeatRef), Vec<ConnKey>>,
}

/// Connections by player, in stripes with a lock each.
#[derive(Default)]
pub struct Players([Mutex<Stripe>; STRIPES]);

/// The connections that a new one replaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// It was sent the events until now.
    pub displaced: Option<ConnKey>,
    /// It exceeds the limit, and has to be closed.
    pub evicted: Option<ConnKey>,
}

impl Players {
    fn stripe(&self, seat: SeatRef) -> MutexGuard<'_, Stripe> {
        self.0[seat.seat.index() % STRIPES].lock()
    }

    /// Adds a player's connection, which is sent the events from now on.
    pub fn enter(&self, show: ShowId, seat: SeatRef, conn: ConnKey, most: usize) -> Replaced {
        let mut stripe = self.stripe(seat);
        let displaced = stripe.newest.insert((show, seat), conn);
        let Some(displaced) = displaced else { return Replaced::default() };
        let mut older = stripe.older.remove(&(show, seat)).unwrap_or_default();
        older.push(displaced);
        let evicted = (older.len() >= most.max(1)).then(|| older.remove(0));
        if !older.is_empty() {
            stripe.older.insert((show, seat), older);
        }
        // A connection that is closed need not be displaced.
        Replaced { displaced: Some(displaced).filter(|_| evicted != Some(displaced)), evicted }
    }

    /// Removes a player's connection.
    pub fn leave(&self, show: ShowId, seat: SeatRef, conn: ConnKey) {
        let (mut stripe, player) = (self.stripe(seat), (show, seat));
        let Stripe { newest, older } = &mut *stripe;
        let mut before = None;
        if let Entry::Occupied(mut others) = older.entry(player) {
            if newest.get(&player) == Some(&conn) {
                before = others.get_mut().pop();
            } else {
                others.get_mut().retain(|&other| other != conn);
            }
            if others.get().is_empty() {
                others.remove();
            }
        }
        if let Entry::Occupied(mut last) = newest.entry(player)
            && *last.get() == conn
        {
            match before {
                Some(before) => drop(last.insert(before)),
                None => drop(last.remove()),
            }
        }
    }

    /// The player's connections, oldest first.
    pub fn of(&self, show: ShowId, seat: SeatRef) -> Vec<ConnKey> {
        let (stripe, player) = (self.stripe(seat), (show, seat));
        let older = stripe.older.get(&player).into_iter().flatten();
        older.chain(stripe.newest.get(&player)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::{Generation, Seat};

    use super::*;

    fn key(slot: u32) -> ConnKey {
        ConnKey { shard: 0, slot, generation: 0 }
    }

    const ANN: (ShowId, SeatRef) = (ShowId(1), SeatRef::first(Seat(5)));

    #[test]
    fn the_newest_connection_displaces_the_one_before_it_and_the_oldest_is_one_too_many() {
        let players = Players::default();
        let enter = |slot| players.enter(ANN.0, ANN.1, key(slot), 2);
        assert_eq!(enter(1), Replaced::default());
        assert_eq!(enter(2), Replaced { displaced: Some(key(1)), evicted: None });
        assert_eq!(enter(3), Replaced { displaced: Some(key(2)), evicted: Some(key(1)) });
        assert_eq!(players.of(ANN.0, ANN.1), [key(2), key(3)]);
    }

    #[test]
    fn a_player_who_may_have_one_connection_has_the_newest() {
        let players = Players::default();
        players.enter(ANN.0, ANN.1, key(1), 1);
        let put_aside = players.enter(ANN.0, ANN.1, key(2), 1);
        assert_eq!(put_aside, Replaced { displaced: None, evicted: Some(key(1)) });
    }

    #[test]
    fn players_in_other_shows_and_seats_and_who_had_the_seat_before_are_left_alone() {
        let players = Players::default();
        players.enter(ANN.0, ANN.1, key(1), 1);
        let again = SeatRef { generation: Generation(1), ..ANN.1 };
        let others = [6, 21].map(|seat| (ANN.0, SeatRef::first(Seat(seat))));
        for (show, seat) in others.into_iter().chain([(ShowId(2), ANN.1), (ANN.0, again)]) {
            assert_eq!(players.enter(show, seat, key(9), 1), Replaced::default());
        }
    }

    #[test]
    fn when_the_newest_connection_goes_the_one_before_it_is_the_newest() {
        let players = Players::default();
        (1..=3).for_each(|slot| _ = players.enter(ANN.0, ANN.1, key(slot), 4));
        players.leave(ANN.0, ANN.1, key(3));
        players.leave(ANN.0, ANN.1, key(3));
        assert_eq!(players.of(ANN.0, ANN.1), [key(1), key(2)]);
        players.leave(ANN.0, ANN.1, key(1));
        assert_eq!(players.of(ANN.0, ANN.1), [key(2)]);
        assert_eq!(players.enter(ANN.0, ANN.1, key(4), 4), Replaced { displaced: Some(key(2)), evicted: None });
    }

    #[test]
    fn nothing_is_kept_of_who_is_gone() {
        let players = Players::default();
        players.enter(ANN.0, ANN.1, key(1), 4);
        players.leave(ANN.0, ANN.1, key(1));
        assert!(players.0.iter().all(|stripe| {
            let stripe = stripe.lock();
            stripe.newest.is_empty() && stripe.older.is_empty()
        }));
    }
}
