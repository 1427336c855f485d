//! The part in which clients load what later parts show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ranges::{OPEN_FOR, out_of_range};
use crate::games::media::Media;
use crate::ids::RoundId;
use crate::time::Span;

/// How many files are loaded at once at most.
pub const MOST_FILES: usize = 100;

/// Has clients load the pictures, sounds and videos of all parts from here to the next such part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preload {
    /// How many percent of the players in play must have loaded all before the show goes on: 0 to 100; 0 does not wait.
    #[serde(default)]
    #[schemars(range(max = 100))]
    pub percent: u8,
    /// How long that is waited for at most, in ms: 500 ms to an hour.
    #[serde(default = "usual_wait")]
    #[schemars(extend("minimum" = OPEN_FOR.start(), "maximum" = OPEN_FOR.end()))]
    pub within: Span,
}

/// The events of a preload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PreloadEvent {
    /// What to load.
    Preload {
        /// In the order of their names, which tells nothing of where they belong.
        media: Vec<Media>,
        /// How many percent of the players are waited for.
        percent: u8,
    },
    /// Who has loaded all claims 0 with key 0 in this round.
    Load,
    /// The wait is over.
    Loaded {
        /// The round.
        round: RoundId,
        /// How many players in play have loaded all.
        loaded: u32,
    },
}

impl Preload {
    pub(super) fn problems(&self) -> Vec<String> {
        let percent = (self.percent > 100).then(|| format!("percent: 0 to 100, not {}", self.percent));
        percent.into_iter().chain(out_of_range("within", OPEN_FOR, self.within)).collect()
    }
}

const fn usual_wait() -> Span {
    Span(20_000)
}
