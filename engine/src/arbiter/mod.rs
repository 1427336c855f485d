//! The arbiter: decides which claim of a seat counts, and which engine has a show.
//!
//! # The contract
//! - A **claim** is a value of one seat in one round, under one of the round's keys. Per (show, round, seat, key) the
//!   first claim counts and no later one, over all engines, tasks and retries. Claims of one batch are judged in order.
//! - The claims that are possible in a round, its [`ClaimSpace`], are the same in all calls about the round.
//! - An engine that plays a show holds its **lease**. Each lease has a larger token than those before it; from the moment a lease
//!   is given, every call with a smaller token is refused and changes nothing.
//! - A lease lasts for a **term** unless it is renewed. While it lasts, another engine that asks for one gets
//!   [`ArbiterError::Held`]; the engine that holds it may take a new one at any time. A lease that has run out, or was released,
//!   goes on until another engine takes the show.
//! - A call is all or nothing: after an error other than [`ArbiterError::Unavailable`] nothing was changed. After `Unavailable`
//!   the outcome is unknown and the same call may be made again: a claim that had counted gets [`ClaimOutcome::Before`] with
//!   its own value.
//! - So `Before(value)` may refer to a claim that the caller never saw counted. It counts nevertheless: a caller whose
//!   journal does not have it has to record it before it replies.
//! - A round is registered by its first claim, close or restore. Its claims are kept until the show's largest
//!   registered round is larger by 2 or more; after that all its claims are [`ClaimOutcome::TooLate`].

mod memory;
#[cfg(feature = "cluster")]
mod redis;

#[cfg(test)]
mod contract;

use async_trait::async_trait;
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::ids::{Fence, RoundId, ShowId};
use klaxon_protocol::time::Span;

use crate::round::{ClaimSpace, ClaimValues, Round, SeatClaim};

pub use memory::MemoryArbiter;
#[cfg(feature = "cluster")]
pub use redis::RedisArbiter;

/// How long a lease lasts unless it is renewed.
pub const TERM: Span = Span(2_000);

/// How the claims of a round are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// In an array by seat: all claims of a seat take a byte at most.
    Dense(Dense),
    /// In a table.
    Sparse,
}

impl Layout {
    fn of(space: ClaimSpace) -> Self {
        let bits = match space.values {
            ClaimValues::Below(limit) => u64::BITS - limit.saturating_sub(1).leading_zeros() + 1,
            ClaimValues::Any => return Self::Sparse,
        };
        let keys = u32::from(space.keys);
        if bits * keys <= u8::BITS { Self::Dense(Dense { bits, keys }) } else { Self::Sparse }
    }
}

/// The layout of an array with a fixed number of bits per claim. 0 is an empty entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dense {
    /// Bits per claim: those of its value, and a highest bit that is always set.
    bits: u32,
    /// Claims per seat.
    keys: u32,
}

impl Dense {
    /// The index of a claim's entry, counted from the first entry of seat `first`.
    fn place(self, claim: &SeatClaim, first: u32) -> u32 {
        (claim.seat.0 - first) * self.keys + u32::from(claim.key.0)
    }

    /// The entry for this value: the value with the highest bit set.
    fn code(self, value: &ClaimValue) -> u8 {
        let ClaimValue::Bits(bits) = value else { unreachable!("a text is in no dense space") };
        let bits = u8::try_from(*bits).expect("a dense space's values have 7 bits at most");
        1 << (self.bits - 1) | bits
    }

    /// The value of an entry that is not empty.
    fn value(self, code: u8) -> ClaimValue {
        ClaimValue::Bits(u64::from(code ^ 1 << (self.bits - 1)))
    }
}

/// The outcome of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// It counts, from now on.
    First,
    /// Another claim of the same seat and key counted earlier, with this value. For a retry of that claim it is its own
    /// value.
    Before(ClaimValue),
    /// The round is closed and no claim of this seat under this key counts.
    TooLate,
}

/// Why an arbiter refused a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArbiterError {
    /// Another engine took the show's lease.
    #[error("the show was leased again, under token {newest}")]
    Fenced {
        /// The token of the lease that holds.
        newest: Fence,
    },
    /// The arbiter knows no such lease: none was taken, or the show was forgotten. Take one, and restore.
    #[error("the arbiter knows no such lease of the show")]
    NoLease,
    /// Another engine holds the show's lease, and its term is not over.
    #[error("another engine holds the show")]
    Held,
    /// No seat can make this claim; no claim of its batch counts.
    #[error("no claim can be made for seat {} and key {} that says {}", .0.seat, .0.key, .0.value)]
    BadClaim(SeatClaim),
    /// The arbiter can't be reached or can't answer; the outcome is unknown.
    #[error("the arbiter is unavailable: {0}")]
    Unavailable(String),
}

/// A lease that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Its token.
    pub fence: Fence,
    /// For how long the show has been without an engine, as far as the arbiter knows: since the last lease was taken, renewed or
    /// released. None if the arbiter knew no lease.
    pub idle: Option<Span>,
}

/// Judges claims and gives leases. The module's page has the contract.
#[async_trait]
pub trait Arbiter: Send + Sync + 'static {
    /// Takes the show's lease. The token is larger than `above` and than every token of the show before it.
    ///
    /// `above` is the largest token in the show's journal, `Fence(0)` if there is none: an arbiter that lost its memory must
    /// not give a token again.
    ///
    /// # Errors
    /// [`ArbiterError::Held`], [`ArbiterError::Unavailable`].
    async fn lease(&self, show: ShowId, above: Fence) -> Result<Lease, ArbiterError>;

    /// Begins a new term of each of these leases. The outcome of each, in order.
    ///
    /// # Errors
    /// [`ArbiterError::Unavailable`]; for each lease [`ArbiterError::Fenced`] or [`ArbiterError::NoLease`].
    async fn renew(&self, leases: &[(ShowId, Fence)]) -> Result<Vec<Result<(), ArbiterError>>, ArbiterError>;

    /// Ends the lease before its term is over: the engine that asks next gets the show.
    ///
    /// # Errors
    /// [`ArbiterError::Fenced`], [`ArbiterError::NoLease`], [`ArbiterError::Unavailable`].
    async fn release(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError>;

    /// The shows that are not forgotten and whose lease was released or has run out, in any order.
    ///
    /// # Errors
    /// [`ArbiterError::Unavailable`].
    async fn free(&self) -> Result<Vec<ShowId>, ArbiterError>;

    /// Judges a batch of claims of one round, in order: one outcome for each.
    ///
    /// # Errors
    /// Any of [`ArbiterError`].
    async fn claim(
        &self,
        show: ShowId,
        fence: Fence,
        round: Round,
        claims: &[SeatClaim],
    ) -> Result<Vec<ClaimOutcome>, ArbiterError>;

    /// Closes the round: no new claim of it counts from now on. A retry of one that counted still gets
    /// [`ClaimOutcome::Before`], all others get [`ClaimOutcome::TooLate`]. Closing is idempotent; a round without
    /// claims can be closed.
    ///
    /// # Errors
    /// [`ArbiterError::Fenced`], [`ArbiterError::NoLease`], [`ArbiterError::Unavailable`].
    async fn close(&self, show: ShowId, fence: Fence, round: RoundId) -> Result<(), ArbiterError>;

    /// Restores the claims of a round that are in the journal, at most one per seat and key. The journal decides: these
    /// claims count even if others counted before or the round is closed. Other claims and the close are not changed.
    /// Restoring is idempotent; a round whose claims are no longer kept is not restored.
    ///
    /// # Errors
    /// Any of [`ArbiterError`].
    async fn restore(&self, show: ShowId, fence: Fence, round: Round, claims: &[SeatClaim])
    -> Result<(), ArbiterError>;

    /// Frees everything of the show, its lease too: the show is over. Forgetting a show that is not known does nothing.
    ///
    /// # Errors
    /// [`ArbiterError::Fenced`], [`ArbiterError::Unavailable`]; [`ArbiterError::NoLease`] if the token was never given.
    async fn forget(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError>;
}

/// # Errors
/// [`ArbiterError::BadClaim`] with the first claim that the space does not hold.
fn check(space: ClaimSpace, claims: &[SeatClaim]) -> Result<(), ArbiterError> {
    let bad = claims.iter().find(|claim| !space.holds(claim));
    bad.map_or(Ok(()), |claim| Err(ArbiterError::BadClaim(claim.clone())))
}
