//! The gateways through which players come, and who comes through which.

use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt;

use crate::evidence::{Door, PlayerNumber};

/// How long a player waits for a door to open.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same, if there are others to try.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(3);

/// Where players can connect: one address or several of the same service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doors {
    first: SocketAddr,
    others: Vec<SocketAddr>,
}

impl From<SocketAddr> for Doors {
    fn from(only: SocketAddr) -> Self {
        Self { first: only, others: Vec::new() }
    }
}

impl Doors {
    /// Several addresses, in this order.
    #[must_use]
    pub const fn new(first: SocketAddr, others: Vec<SocketAddr>) -> Self {
        Self { first, others }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u16 {
        u16::try_from(self.others.len() + 1).unwrap_or(u16::MAX)
    }

    /// Where a door is.
    #[must_use]
    pub fn address(&self, door: Door) -> SocketAddr {
        let other = usize::from(door.0 % self.count()).checked_sub(1);
        other.and_then(|other| self.others.get(other)).copied().unwrap_or(self.first)
    }

    /// The door at which a player comes first: by the seed, and as many at each as at any other.
    #[must_use]
    pub fn first_for(&self, seed: u64, player: PlayerNumber) -> Door {
        let doors = u64::from(self.count());
        let number = (u64::from(player.0) + seed % doors) % doors;
        Door(u16::try_from(number).unwrap_or_default())
    }

    /// The door beside this one.
    #[must_use]
    pub fn beside(&self, door: Door) -> Door {
        Door((door.0 + 1) % self.count())
    }

    /// Any other door, each as likely: those who come from one that is gone spread over all that are left.
    pub fn any_other(&self, than: Door, dice: &mut impl rand::Rng) -> Door {
        match self.count() {
            1 => than,
            doors => Door((than.0 + dice.random_range(1..doors)) % doors),
        }
    }

    /// The door of this URL, such as `ws://127.0.0.1:4700/play`, if it is one of these.
    #[must_use]
    pub fn named(&self, url: &str) -> Option<Door> {
        let authority = url.split_once("://")?.1.split('/').next()?;
        let address: SocketAddr = authority.parse().ok()?;
        (0..self.count()).map(Door).find(|&door| self.address(door) == address)
    }

    /// How long a player waits before trying elsewhere.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        if self.others.is_empty() { PATIENCE } else { PATIENCE_WITH_OTHERS }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn three() -> Doors {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Doors::new(address(4701), vec![address(4702), address(4703)])
    }

    #[test]
    fn players_are_spread_evenly_whatever_the_seed() {
        let doors = three();
        for seed in [0, 1, 7, u64::MAX] {
            let mut counts = [0; 3];
            for player in 0..300 {
                counts[usize::from(doors.first_for(seed, PlayerNumber(player)).0)] += 1;
            }
            assert_eq!(counts, [100; 3]);
        }
        assert_ne!(doors.first_for(0, PlayerNumber(0)), doors.first_for(1, PlayerNumber(0)));
    }

    #[test]
    fn who_loses_a_door_goes_to_any_of_the_others() {
        let doors = three();
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let mut counts = [0; 3];
        for _ in 0..300 {
            counts[usize::from(doors.any_other(Door(1), &mut dice).0)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!(counts[0] > 100 && counts[2] > 100, "{counts:?}");
        let only = Doors::from(doors.address(Door(0)));
        assert_eq!(only.any_other(Door(0), &mut dice), Door(0));
        assert_eq!(doors.beside(Door(2)), Door(0));
    }

    #[test]
    fn a_door_is_known_by_its_url() {
        let doors = three();
        assert_eq!(doors.named("ws://127.0.0.1:4702/play"), Some(Door(1)));
        assert_eq!(doors.address(Door(1)).port(), 4702);
        for other in ["ws://127.0.0.1:4799/play", "ws://example.org/play", "127.0.0.1:4702", ""] {
            assert_eq!(doors.named(other), None, "{other}");
        }
    }
}
