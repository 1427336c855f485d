//! What is measured, and for how long.

use std::time::Duration;

use super::contestant::{Kind, Launch};
use super::rows::Subject;
use super::stopping::Stopping;

/// The number of connections that a process can have with 20,000 open files, besides its other files.
const MOST_PLAYERS: usize = 19_000;

/// What is measured, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How servers are started, unless a subject requires otherwise.
    pub launch: Launch,
    /// Klaxon's kinds that are measured.
    pub klaxon: Vec<Kind>,
    /// The subjects to measure.
    pub subjects: Vec<Subject>,
    /// The number of players.
    pub players: usize,
    /// When subjects with rounds have been measured enough.
    pub stopping: Stopping,
    /// How long idle players are measured.
    pub idle_for: Duration,
    /// The number of starts per server for its boot time.
    pub boots: usize,
}

impl Plan {
    /// All contestants, the floor first.
    pub fn contestants(&self) -> impl Iterator<Item = Kind> {
        std::iter::once(Kind::Floor).chain(self.klaxon.iter().copied()).chain([Kind::Customary])
    }

    /// The sizes for growth: from a tenth of the players to nearly twice as many, limited by the open files of a
    /// process.
    #[must_use]
    pub fn sizes(&self) -> [usize; 4] {
        let players = self.players;
        [players / 10, players / 2, players, players * 19 / 10].map(|size| size.clamp(1, MOST_PLAYERS))
    }
}
