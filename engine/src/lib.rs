//! The engine: the rules of the games, the counting of claims, and the journal of each show.

pub mod arbiter;
pub mod archive;
pub mod bus;
pub mod clock;
mod compute;
pub mod dry_run;
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
pub mod show_file;
pub mod shows;

use std::sync::Arc;

/// The interfaces and settings that an engine depends on.
#[derive(Clone)]
pub struct Ports {
    /// Carries messages to and from gateways.
    pub bus: Arc<dyn bus::EngineEnd>,
    /// Decides which claims count, and which engine holds a show.
    pub arbiter: Arc<dyn arbiter::Arbiter>,
    /// Stores the commands and events of every show.
    pub journal: Arc<dyn journal::Journal>,
    /// Stores results; none if the archive is filled from the journal by `klaxon archive`.
    pub archive: Option<Arc<dyn archive::Archive>>,
    /// The games that can be played.
    pub games: game::Games,
    /// The clock for stamps and deadlines.
    pub clock: clock::Clock,
    /// What nobody can guess.
    pub random: random::Random,
}
