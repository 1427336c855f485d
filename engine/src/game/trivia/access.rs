//! Who may come in and come back, beyond having a seat: what the second edition of the rules added.

use std::collections::HashMap;

use bincode::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{PlayerId, Seat};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Trivia;
use super::rules::Rules;
use crate::game::Effect;

/// What is kept of it. Most players are in none of this.
#[derive(Default)]
pub struct Access {
    /// How often each player's resume tokens were revoked.
    issues: HashMap<PlayerId, u32>,
    /// A chain over all changes, so that a record's hash costs the same however many there were.
    digest: u64,
}

/// A change, for the digest.
#[derive(Encode)]
enum Change<'a> {
    Issue(&'a PlayerId, u32),
}

impl Access {
    /// How often this player's resume tokens were revoked.
    pub fn issue(&self, player: &PlayerId) -> u32 {
        self.issues.get(player).copied().unwrap_or(0)
    }

    fn revoke(&mut self, player: PlayerId) {
        let issue = self.issue(&player).saturating_add(1);
        self.note(&Change::Issue(&player, issue));
        self.issues.insert(player, issue);
    }

    fn note(&mut self, change: &Change<'_>) {
        let bytes = bincode::encode_to_vec(change, bincode::config::standard()).expect("a change can be encoded");
        self.digest = xxh3_64_with_seed(&bytes, self.digest);
    }

    /// A number that differs when anything here was changed otherwise.
    pub fn digest(&self) -> u64 {
        self.digest
    }
}

impl Trivia {
    /// Resume tokens of this seat's player that were made before are refused, and whoever sits there by one has to come back.
    pub(super) fn reissue_tokens(&mut self, seat: Seat) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_have(seat)?;
        let Some(player) = self.roster.player(seat).cloned() else { return Err(ErrorCode::UnknownSeat.into()) };
        self.access.revoke(player);
        Ok(vec![Effect::Dismiss(seat, ErrorCode::TokenRevoked)])
    }

    fn must_have_access_rules(&self) -> Result<(), Refusal> {
        if self.rules >= Rules::Second {
            return Ok(());
        }
        Err(Refusal::because(
            ErrorCode::WrongPhase,
            "This show goes on by the first edition of the rules, which does not have this.",
        ))
    }
}
