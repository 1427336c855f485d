//! The rules and the truth: what a show is, what counts, and what is kept of it.

pub mod arbiter;
pub mod archive;
pub mod bus;
pub mod clock;
mod compute;
pub mod game;
pub mod journal;
mod leases;
pub mod metrics_table;
pub mod pack;
pub mod random;
#[cfg(feature = "cluster")]
pub mod redis;
pub mod replay;
pub mod round;
pub mod seal;
mod show;
pub mod shows;

use std::sync::Arc;

/// What an engine stands on.
#[derive(Clone)]
pub struct Ports {
    /// To the gateways.
    pub bus: Arc<dyn bus::EngineEnd>,
    /// Whose answer counts.
    pub arbiter: Arc<dyn arbiter::Arbiter>,
    /// What happened.
    pub journal: Arc<dyn journal::Journal>,
    /// How it ended; none where the archive is filled from the journal.
    pub archive: Option<Arc<dyn archive::Archive>>,
    /// Which games are played.
    pub games: game::Games,
    /// The time.
    pub clock: clock::Clock,
    /// What nobody can guess.
    pub random: random::Random,
}
