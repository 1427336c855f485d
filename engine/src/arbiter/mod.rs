//! The arbiter: decides which claim of a seat counts, and which engine has a show.
//!
//! # The contract
//! - A **claim** is one seat's choice for one question. Per (show, question, seat) the first claim counts and none after it,
//!   over all engines, tasks and retries. Claims of one batch are judged in their order.
//! - An engine that plays a show holds its **lease**. Each lease has a larger token than those before it; from the moment a lease
//!   is given, every call with a smaller token is refused and changes nothing.
//! - A lease lasts for a **term** unless it is renewed. While it lasts, another engine that asks for one gets
//!   [`ArbiterError::Held`]; the engine that holds it may take a new one at any time. A lease that has run out, or was released,
//!   goes on until another engine takes the show.
//! - A call is all or nothing: after an error other than [`ArbiterError::Unavailable`] nothing was changed. After `Unavailable`
//!   the outcome is unknown and the same call may be made again: a claim that had counted gets [`ClaimOutcome::Before`] with
//!   its own choice.
//! - Because of that, `Before(choice)` may name a claim that the caller never saw counted. It counts all the same: a caller
//!   whose journal does not hold it has to record it before it replies.
//! - A question is known from its first claim, close or restore on. The claims of a question are kept until the show's
//!   largest known question is larger by 2 or more; from then on all its claims are [`ClaimOutcome::TooLate`].

mod memory;
#[cfg(feature = "cluster")]
mod redis;

#[cfg(test)]
mod contract;

use async_trait::async_trait;
use klaxon_protocol::ids::{Choice, Fence, QuestionId, Seat, ShowId};
use klaxon_protocol::pack::CHOICES;
use klaxon_protocol::time::Span;

pub use memory::MemoryArbiter;
#[cfg(feature = "cluster")]
pub use redis::RedisArbiter;

/// How long a lease lasts unless it is renewed.
pub const TERM: Span = Span(2_000);

/// Seats that can claim are below this.
pub const SEATS: u32 = 10_000_000;

/// One seat's choice that asks to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Below [`SEATS`].
    pub seat: Seat,
    /// Below the largest number of choices that a question may have.
    pub choice: Choice,
}

impl Claim {
    /// Whether seat and choice are in their ranges.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        self.seat.0 < SEATS && self.choice.index() < *CHOICES.end()
    }
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// It counts, from now on.
    First,
    /// This choice of the same seat counted before; of a retry it is its own.
    Before(Choice),
    /// The question is closed and no claim of this seat counts.
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
    /// A claim that no seat can make; nothing of its batch counts.
    #[error("no claim can be made for seat {} and choice {}", .0.seat, .0.choice)]
    BadClaim(Claim),
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

    /// Judges a batch of claims for one question, in order: one outcome for each.
    ///
    /// # Errors
    /// Any of [`ArbiterError`].
    async fn claim(
        &self,
        show: ShowId,
        fence: Fence,
        question: QuestionId,
        claims: &[Claim],
    ) -> Result<Vec<ClaimOutcome>, ArbiterError>;

    /// Lets no new claim of this question count from now on. A retry of one that counted still gets [`ClaimOutcome::Before`],
    /// all others get [`ClaimOutcome::TooLate`]. Closing twice is closing once; a question that nobody claimed can be closed.
    ///
    /// # Errors
    /// [`ArbiterError::Fenced`], [`ArbiterError::NoLease`], [`ArbiterError::Unavailable`].
    async fn close(&self, show: ShowId, fence: Fence, question: QuestionId) -> Result<(), ArbiterError>;

    /// Restores the claims of a question that the journal holds, at most one a seat. The journal decides: these claims count,
    /// whatever counted for their seats before and even if the question is closed; other seats' claims stay, and so does the
    /// close. Restoring twice is restoring once; a question whose claims are no longer kept is not restored.
    ///
    /// # Errors
    /// Any of [`ArbiterError`].
    async fn restore(
        &self,
        show: ShowId,
        fence: Fence,
        question: QuestionId,
        claims: &[Claim],
    ) -> Result<(), ArbiterError>;

    /// Frees everything of the show, its lease too: the show is over. Forgetting a show that is not known does nothing.
    ///
    /// # Errors
    /// [`ArbiterError::Fenced`], [`ArbiterError::Unavailable`]; [`ArbiterError::NoLease`] if the token was never given.
    async fn forget(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError>;
}
