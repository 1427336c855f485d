//! What is to be measured, and how often.

use std::time::Duration;

use super::contestant::{Kind, Launch};
use super::rows::Subject;
use super::stopping::Stopping;

/// Sockets that one process of 20,000 open files can have, besides what else it needs.
const MOST_PLAYERS: usize = 19_000;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How servers are started, where a subject has no wish of its own.
    pub launch: Launch,
    /// Klaxon's kinds that take part.
    pub klaxon: Vec<Kind>,
    /// Which subjects.
    pub subjects: Vec<Subject>,
    /// How many players there are.
    pub players: usize,
    /// How long subjects that have rounds are measured.
    pub stopping: Stopping,
    /// How long idle players are watched.
    pub idle_for: Duration,
    /// How often each server is started for its boot.
    pub boots: usize,
}

impl Plan {
    /// Everybody who takes part, the floor first.
    pub fn contestants(&self) -> impl Iterator<Item = Kind> {
        std::iter::once(Kind::Floor).chain(self.klaxon.iter().copied()).chain([Kind::Customary])
    }

    /// The sizes of growth: from a tenth of the players to nearly twice as many, as far as a process has sockets.
    #[must_use]
    pub fn sizes(&self) -> [usize; 4] {
        let players = self.players;
        [players / 10, players / 2, players, players * 19 / 10].map(|size| size.clamp(1, MOST_PLAYERS))
    }
}
