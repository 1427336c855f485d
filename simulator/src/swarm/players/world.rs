//! The state that all players of a swarm share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::ids::ShowCode;
use parking_lot::Mutex;

use super::gateways::Gateways;
use super::ledger::Ledger;
use super::plan::SwarmPlan;
use crate::evidence::PlayerNumber;
use crate::swarm::games::Known;

/// The state that all players of a swarm share.
#[derive(Debug)]
pub struct World {
    /// The service's addresses for players.
    pub gateways: Gateways,
    /// The show's code.
    pub code: ShowCode,
    /// The plans of all players.
    pub plan: SwarmPlan,
    /// What players know of the game.
    pub known: Known,
    /// By which message they claim.
    pub form: ClaimForm,
    /// The log of all connections.
    pub ledger: Arc<Ledger>,
    /// The progress of the show, for a progress bar.
    pub progress: Progress,
    /// Each player's resume token, once welcomed, for players who steal tokens.
    tokens: Box<[Mutex<Option<String>>]>,
}

/// Approximate counts while the show runs. The report is computed from the evidence, not from these.
#[derive(Debug, Default)]
pub struct Progress {
    /// Connections that are open now.
    pub connected: AtomicU32,
    /// Players that were welcomed.
    pub joined: AtomicU32,
    /// Claims sent.
    pub claims: AtomicU64,
    /// The last round that any player received.
    pub round: AtomicU32,
    /// Players that received the end and left.
    pub left: AtomicU32,
}

impl World {
    /// The state before any player joined.
    #[must_use]
    pub fn new(gateways: Gateways, code: ShowCode, plan: SwarmPlan, known: Known, form: ClaimForm) -> Self {
        let tokens = plan.players.iter().map(|_| Mutex::new(None)).collect();
        Self { gateways, code, plan, known, form, ledger: Arc::default(), progress: Progress::default(), tokens }
    }

    pub(super) fn token_of(&self, player: PlayerNumber) -> Option<String> {
        let token = self.tokens.get(player.0 as usize)?;
        token.lock().clone()
    }

    pub(super) fn keep_token(&self, player: PlayerNumber, token: &str) {
        if let Some(kept) = self.tokens.get(player.0 as usize) {
            let before = kept.lock().replace(token.to_owned());
            if before.is_none() {
                self.progress.joined.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
