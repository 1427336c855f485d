//! The plan of the swarm: all properties of all players, from a seed.

use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::Role;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::habits::{Habits, Network, Tapping};
use crate::evidence::PlayerNumber;

/// The settings that the plan is generated from.
#[derive(Debug, Clone, PartialEq)]
pub struct SwarmSettings {
    /// The seed of all random choices.
    pub seed: u64,
    /// The number of players.
    pub players: u32,
    /// The number of spectators, in addition to the players.
    pub spectators: u32,
    /// The time over which they join.
    pub rush: Duration,
    /// The codec that they use.
    pub codec: CodecChoice,
    /// The share of players with each habit.
    pub shares: Shares,
}

// The comments of the fields are the help of `klaxon-swarm`.
/// The share of players with each habit, from 0 (none) to 1 (all).
#[derive(Debug, Clone, Copy, Default, PartialEq, clap::Args)]
pub struct Shares {
    /// Share of players with a bad network, 0 to 1
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    pub bad_networks: f64,
    /// Share of players who cheat
    #[arg(long, default_value_t = 0.03, value_parser = share)]
    pub cheats: f64,
    /// Share of players who tap twice
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    pub double_taps: f64,
    /// Share of players with two devices
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub two_devices: f64,
    /// Share of players who sometimes answer after the close
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub dawdlers: f64,
    /// Share of players in a hidden tab: no heartbeats, only answers to the server's pings
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    pub hidden_tabs: f64,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("{text:?} is no number from 0 to 1")),
    }
}

/// Which codec the players use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CodecChoice {
    /// All in JSON.
    Json,
    /// All in bincode.
    Bincode,
    /// Each in one of them.
    Mix,
}

/// The plan of one player.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerPlan {
    /// The number in the swarm.
    pub number: PlayerNumber,
    /// The name that the player asks for.
    pub name: String,
    /// Whether to play or to watch.
    pub role: Role,
    /// The codec.
    pub codec: Codec,
    /// The delay of the join from the start.
    pub joins_after: Duration,
    /// The habits.
    pub habits: Habits,
}

/// The plans of all players.
#[derive(Debug, Clone, PartialEq)]
pub struct SwarmPlan {
    /// The seed of all random choices.
    pub seed: u64,
    /// Players first, then spectators; each at the index of their number.
    pub players: Vec<PlayerPlan>,
}

impl SwarmPlan {
    /// The plan for these settings; equal settings result in equal plans.
    #[must_use]
    pub fn new(settings: &SwarmSettings) -> Self {
        let count = settings.players.saturating_add(settings.spectators);
        let players = (0..count)
            .map(|number| {
                let role = if number < settings.players { Role::Player } else { Role::Spectator };
                PlayerPlan::new(settings, PlayerNumber(number), role)
            })
            .collect();
        Self { seed: settings.seed, players }
    }

    /// The number of players, without spectators.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.players.iter().filter(|player| player.role == Role::Player).count()
    }
}

/// A random generator for one player and one `purpose` (0: the plan, else a question's number).
pub(in crate::swarm) fn rng(seed: u64, player: PlayerNumber, purpose: u16) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(player.0) << 16 | u64::from(purpose));
    rng
}

impl PlayerPlan {
    fn new(settings: &SwarmSettings, number: PlayerNumber, role: Role) -> Self {
        let mut rng = rng(settings.seed, number, 0);
        let shares = settings.shares;
        let codec = match settings.codec {
            CodecChoice::Json => Codec::Json,
            CodecChoice::Bincode => Codec::Bincode,
            CodecChoice::Mix => Codec::ALL[usize::from(rng.random_bool(0.5))],
        };
        let joins_after = settings.rush.mul_f64(rng.random::<f64>());
        let mut has = |share: f64| rng.random_bool(share.clamp(0.0, 1.0));
        let network = if has(shares.bad_networks) { Network::Bad } else { Network::Good };
        let tapping = match (has(shares.double_taps), has(0.5)) {
            (false, _) => Tapping::Once,
            (true, false) => Tapping::Twice,
            (true, true) => Tapping::Wavers,
        };
        let habits = Habits {
            network,
            tapping,
            two_devices: has(shares.two_devices) && role == Role::Player,
            dawdles: has(shares.dawdlers),
            cheats: has(shares.cheats),
            // The larger of two random numbers: most people know most answers, a few know hardly any.
            skill: 0.35 + 0.63 * rng.random::<f64>().max(rng.random::<f64>()),
            hidden_tab: rng.random_bool(shares.hidden_tabs.clamp(0.0, 1.0)),
        };
        let kind = if role == Role::Player { "player" } else { "watcher" };
        Self { number, name: format!("{kind} {}", number.0), role, codec, joins_after, habits }
    }
}

#[cfg(test)]
pub(in crate::swarm) mod tests {
    use super::*;

    pub(in crate::swarm) fn settings(seed: u64) -> SwarmSettings {
        SwarmSettings {
            seed,
            players: 400,
            spectators: 10,
            rush: Duration::from_secs(2),
            codec: CodecChoice::Mix,
            shares: Shares {
                bad_networks: 0.2,
                cheats: 0.05,
                double_taps: 0.1,
                two_devices: 0.05,
                dawdlers: 0.05,
                hidden_tabs: 0.1,
            },
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_swarm_and_another_gives_another() {
        assert_eq!(SwarmPlan::new(&settings(7)), SwarmPlan::new(&settings(7)));
        assert_ne!(SwarmPlan::new(&settings(7)), SwarmPlan::new(&settings(8)));
    }

    #[test]
    fn a_player_is_the_same_in_a_larger_swarm() {
        let small = SwarmPlan::new(&settings(7));
        let large = SwarmPlan::new(&SwarmSettings { players: 500, ..settings(7) });
        assert_eq!(small.players[..400], large.players[..400]);
    }

    #[test]
    fn shares_are_about_what_was_asked_for() {
        let plan = SwarmPlan::new(&settings(7));
        assert_eq!(plan.seats(), 400);
        let bad = plan.players.iter().filter(|player| player.habits.network == Network::Bad).count();
        assert!((50..130).contains(&bad), "{bad}");
        let hidden = plan.players.iter().filter(|player| player.habits.hidden_tab).count();
        assert!((20..70).contains(&hidden), "{hidden}");
        let plan =
            SwarmPlan::new(&SwarmSettings { shares: Shares::default(), codec: CodecChoice::Json, ..settings(7) });
        assert!(plan.players.iter().all(|player| player.habits.honest() && player.habits.tapping == Tapping::Once));
        assert!(plan.players.iter().all(|player| player.codec == Codec::Json && !player.habits.two_devices));
    }
}
