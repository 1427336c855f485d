//! A show played dry: by the rules alone, with simulated players and on virtual time, to see how long it takes and what it pays.
//!
//! The script runs the show from the opening of the lobby to the podium, and all gateways hand in at once. What the script waits for, a host
//! of its own does. The same show, number of players and seed give the same report.

mod answers;
mod bingo;
mod dice;
mod report;
mod show;
#[cfg(test)]
mod tests;

use klaxon_protocol::error::Refusal;

use crate::show_file::PreparedShow;

pub use report::{DryReport, PartReport, PrizeReport, Spread};

/// How a show is played dry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DryOptions {
    /// How many players there are; more than the show has seats do not get in.
    pub players: u32,
    /// From which all that is random follows.
    pub seed: u64,
}

impl Default for DryOptions {
    fn default() -> Self {
        Self { players: 100, seed: 1 }
    }
}

/// Plays the show, and reports.
///
/// # Errors
/// If the rules refuse the show.
pub fn play(show: &PreparedShow, options: DryOptions) -> Result<DryReport, Refusal> {
    Ok(show::DryShow::begin(show, options)?.play())
}
