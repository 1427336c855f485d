//! The gateways of the service, and which player connects to which.

use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt;

use crate::evidence::{GatewayNumber, PlayerNumber};

/// The time limit for a gateway to accept a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time limit for a gateway to accept a connection, if there are other gateways.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(3);

/// The addresses of the service for players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateways {
    first: SocketAddr,
    others: Vec<SocketAddr>,
}

impl From<SocketAddr> for Gateways {
    fn from(only: SocketAddr) -> Self {
        Self { first: only, others: Vec::new() }
    }
}

impl Gateways {
    /// These addresses, in this order.
    #[must_use]
    pub const fn new(first: SocketAddr, others: Vec<SocketAddr>) -> Self {
        Self { first, others }
    }

    /// The number of gateways.
    #[must_use]
    pub fn count(&self) -> u16 {
        u16::try_from(self.others.len() + 1).unwrap_or(u16::MAX)
    }

    /// A gateway's address.
    #[must_use]
    pub fn address(&self, gateway: GatewayNumber) -> SocketAddr {
        let other = usize::from(gateway.0 % self.count()).checked_sub(1);
        other.and_then(|other| self.others.get(other)).copied().unwrap_or(self.first)
    }

    /// A player's first gateway: chosen by the seed, with the same number of players at each.
    #[must_use]
    pub fn first_for(&self, seed: u64, player: PlayerNumber) -> GatewayNumber {
        let gateways = u64::from(self.count());
        let number = (u64::from(player.0) + seed % gateways) % gateways;
        GatewayNumber(u16::try_from(number).unwrap_or_default())
    }

    /// The gateway after this one.
    #[must_use]
    pub fn beside(&self, gateway: GatewayNumber) -> GatewayNumber {
        GatewayNumber((gateway.0 + 1) % self.count())
    }

    /// A random other gateway, all with the same probability, so that the players of a failed gateway spread over all
    /// others.
    pub fn any_other(&self, than: GatewayNumber, rng: &mut impl rand::Rng) -> GatewayNumber {
        match self.count() {
            1 => than,
            gateways => GatewayNumber((than.0 + rng.random_range(1..gateways)) % gateways),
        }
    }

    /// The gateway with this URL, such as `ws://127.0.0.1:4700/play`; none if it is unknown.
    #[must_use]
    pub fn named(&self, url: &str) -> Option<GatewayNumber> {
        let authority = url.split_once("://")?.1.split('/').next()?;
        let address: SocketAddr = authority.parse().ok()?;
        (0..self.count()).map(GatewayNumber).find(|&gateway| self.address(gateway) == address)
    }

    /// The time limit before a player tries another gateway.
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

    fn three() -> Gateways {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Gateways::new(address(4701), vec![address(4702), address(4703)])
    }

    #[test]
    fn players_are_spread_evenly_whatever_the_seed() {
        let gateways = three();
        for seed in [0, 1, 7, u64::MAX] {
            let mut counts = [0; 3];
            for player in 0..300 {
                counts[usize::from(gateways.first_for(seed, PlayerNumber(player)).0)] += 1;
            }
            assert_eq!(counts, [100; 3]);
        }
        assert_ne!(gateways.first_for(0, PlayerNumber(0)), gateways.first_for(1, PlayerNumber(0)));
    }

    #[test]
    fn who_loses_a_door_goes_to_any_of_the_others() {
        let gateways = three();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut counts = [0; 3];
        for _ in 0..300 {
            counts[usize::from(gateways.any_other(GatewayNumber(1), &mut rng).0)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!(counts[0] > 100 && counts[2] > 100, "{counts:?}");
        let only = Gateways::from(gateways.address(GatewayNumber(0)));
        assert_eq!(only.any_other(GatewayNumber(0), &mut rng), GatewayNumber(0));
        assert_eq!(gateways.beside(GatewayNumber(2)), GatewayNumber(0));
    }

    #[test]
    fn a_door_is_known_by_its_url() {
        let gateways = three();
        assert_eq!(gateways.named("ws://127.0.0.1:4702/play"), Some(GatewayNumber(1)));
        assert_eq!(gateways.address(GatewayNumber(1)).port(), 4702);
        for other in ["ws://127.0.0.1:4799/play", "ws://example.org/play", "127.0.0.1:4702", ""] {
            assert_eq!(gateways.named(other), None, "{other}");
        }
    }
}
