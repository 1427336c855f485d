//! The errors of scripts.

use ::redis::{ErrorKind, RedisError};
use klaxon_protocol::ids::Fence;

/// Why a script refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The show has no lease.
    #[error("the show has no lease")]
    NoLease,
    /// The newest token is not the caller's.
    #[error("the newest token is {newest}")]
    Fenced {
        /// The newest token.
        newest: Fence,
        /// The token that was refused, if it is not the caller's.
        found: Option<Fence>,
    },
    /// Another engine has the lease.
    #[error("another engine holds the show")]
    Held,
    /// Tokens have reached 2^53, beyond which Lua's numbers are not exact.
    #[error("no fencing token is left")]
    NoToken,
    /// A record of this number is there already.
    #[error("record {number} was written under token {by}")]
    Taken {
        /// The record's number.
        number: u64,
        /// The token under which it was written.
        by: Fence,
    },
    /// Records before the first one sent are missing.
    #[error("record {expected} comes next, not {found}")]
    Gap {
        /// The next record's number.
        expected: u64,
        /// The first that was sent.
        found: u64,
    },
    /// Entries before the first one sent are missing.
    #[error("the last entry that was published is {published}")]
    Behind {
        /// The last entry's number.
        published: u64,
    },
    /// Redis did not run the script, or not to its end: the outcome is unknown.
    #[error(transparent)]
    Redis(RedisError),
}

impl ScriptError {
    /// The refusal with this code and these numbers.
    pub(super) fn of(code: &str, numbers: &[u64]) -> Option<Self> {
        Some(match (code, numbers) {
            ("NOLEASE", _) => Self::NoLease,
            ("HELD", _) => Self::Held,
            ("NOTOKEN", _) => Self::NoToken,
            ("FENCED", &[newest, ref found @ ..]) => {
                Self::Fenced { newest: Fence(newest), found: found.first().copied().map(Fence) }
            }
            ("TAKEN", &[number, by, ..]) => Self::Taken { number, by: Fence(by) },
            ("GAP", &[expected, found, ..]) => Self::Gap { expected, found },
            ("BEHIND", &[published, ..]) => Self::Behind { published },
            _ => return None,
        })
    }
}

impl From<RedisError> for ScriptError {
    fn from(error: RedisError) -> Self {
        let numbers: Vec<u64> =
            error.detail().into_iter().flat_map(str::split_whitespace).map_while(|word| word.parse().ok()).collect();
        error.code().and_then(|code| Self::of(code, &numbers)).unwrap_or(Self::Redis(error))
    }
}

/// For callers of scripts that have no refusals.
impl From<ScriptError> for RedisError {
    fn from(error: ScriptError) -> Self {
        match error {
            ScriptError::Redis(error) => error,
            refusal => (ErrorKind::UnexpectedReturnType, "a script refused", refusal.to_string()).into(),
        }
    }
}
