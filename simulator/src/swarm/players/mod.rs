//! The swarm: thousands of players in one process, each a task with its own sockets, habits and view of the show.
//!
//! Players' actions depend only on the [`plan`] and the seed; the server's messages are logged in the [`ledger`].

pub(in crate::swarm) mod actions;
mod connection;
mod crowd;
mod gateways;
pub(in crate::swarm) mod habits;
mod ledger;
mod mischief;
mod person;
pub(in crate::swarm) mod plan;
pub(in crate::swarm) mod saying;
mod stream;
mod world;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

pub use connection::{PLAYERS_PATH, PlayerConnection, Received};
pub use crowd::HostileCrowd;
pub use gateways::Gateways;
pub use habits::{Habits, Mischief, Network, Tapping};
pub use ledger::{Ledger, Page};
pub use plan::{CodecChoice, PlayerPlan, Shares, SwarmPlan, SwarmSettings};
pub use world::{Progress, World};

/// Runs all players until the show is over for each, or until `over` is true.
pub async fn play(world: Arc<World>, over: watch::Receiver<bool>) {
    let mut people = JoinSet::new();
    for player in &world.plan.players {
        people.spawn(person::live(Arc::clone(&world), player.number, over.clone()));
    }
    while people.join_next().await.is_some() {}
}
