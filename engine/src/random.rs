//! Where random numbers come from.

use std::sync::Arc;

use parking_lot::Mutex;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Numbers that nobody can guess: shows' ids and seeds, codes, guests' ids.
#[derive(Clone, Default)]
pub struct Random {
    /// None: the system's.
    seeded: Option<Arc<Mutex<ChaCha20Rng>>>,
}

impl Random {
    /// Those of the system.
    #[must_use]
    pub fn of_system() -> Self {
        Self::default()
    }

    /// Always the same, for this seed: for shows that are to be played twice alike.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        Self { seeded: Some(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))) }
    }

    /// The next number.
    #[must_use]
    pub fn next(&self) -> u64 {
        match &self.seeded {
            None => rand::random(),
            Some(rng) => rng.lock().next_u64(),
        }
    }
}
