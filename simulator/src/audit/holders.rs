//! The players of each seat, and since when: before the first question a seat can be given to another player.

use klaxon_protocol::ids::{Name, Seat};
use klaxon_protocol::time::Millis;

/// The players of each seat, in order.
#[derive(Debug, Default)]
pub(super) struct Holders(Vec<Vec<Holder>>);

/// A player of a seat.
#[derive(Debug)]
struct Holder {
    from: Millis,
    name: Name,
}

impl Holders {
    /// Adds the first player of the next seat.
    pub fn join(&mut self, from: Millis, name: Name) {
        self.0.push(vec![Holder { from, name }]);
    }

    /// Adds a player who takes over a seat.
    pub fn reseat(&mut self, seat: Seat, from: Millis, name: Name) {
        if let Some(holders) = self.0.get_mut(seat.index()) {
            holders.push(Holder { from, name });
        }
    }

    /// The number of seats that were taken.
    pub fn seats(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether the player with this name, welcomed at `at`, later lost the seat to another player.
    pub fn lost_it(&self, seat: Seat, name: &Name, at: Millis) -> bool {
        let Some([.., last]) = self.0.get(seat.index()).filter(|holders| holders.len() > 1).map(Vec::as_slice) else {
            return false;
        };
        at < last.from || *name != last.name
    }

    /// Whether a player with this name had the seat at that time, with this tolerance in milliseconds.
    pub fn was(&self, seat: Seat, name: &Name, at: Millis, slack: u64) -> bool {
        let Some(holders) = self.0.get(seat.index()) else { return false };
        if let [one] = &holders[..] {
            return one.name == *name;
        }
        let until = holders.iter().skip(1).map(|next| next.from.0.saturating_add(slack)).chain([u64::MAX]);
        let mut terms = holders.iter().zip(until);
        terms.any(|(held, until)| held.name == *name && held.from.0.saturating_sub(slack) <= at.0 && at.0 <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_its_last_players_and_before_that_its_earlier_ones() {
        let name = |text: &str| Name::parse(text).unwrap();
        let mut holders = Holders::default();
        holders.join(Millis(10), name("Ann"));
        holders.join(Millis(20), name("Bob"));
        assert!(!holders.lost_it(Seat(0), &name("Ann"), Millis(10)));
        holders.reseat(Seat(0), Millis(100), name("Cid"));
        holders.reseat(Seat(0), Millis(200), name("Ann"));
        assert_eq!(holders.seats(), 2);
        for (who, at, lost) in [("Ann", 15, true), ("Cid", 150, true), ("Cid", 250, true), ("Ann", 200, false)] {
            assert_eq!(holders.lost_it(Seat(0), &name(who), Millis(at)), lost, "{who} at {at}");
        }
        assert!(!holders.lost_it(Seat(1), &name("Bob"), Millis(20)));
        for (who, at, was) in
            [("Ann", 50, true), ("Ann", 150, false), ("Cid", 150, true), ("Cid", 96, true), ("Cid", 206, false)]
        {
            assert_eq!(holders.was(Seat(0), &name(who), Millis(at), 5), was, "{who} at {at}");
        }
        assert!(!holders.was(Seat(7), &name("Ann"), Millis(50), 5));
    }
}
