//! The arbiter inside one process: arrays by seat. What it knows ends with the process, and is restored from the journal.

use std::collections::BTreeMap;
use std::time::Instant;

use async_trait::async_trait;
use dashmap::DashMap;
use klaxon_protocol::ids::{Choice, Fence, QuestionId, Seat, ShowId};

use klaxon_protocol::time::Span;

use super::{Arbiter, ArbiterError, Claim, ClaimOutcome, Lease};

/// Counts claims in memory: one byte a seat for each of the two questions that are kept.
#[derive(Debug, Default)]
pub struct MemoryArbiter {
    /// A show's entry is locked during a call, which makes every call atomic.
    shows: DashMap<ShowId, ShowClaims>,
}

/// One show's lease and claims.
#[derive(Debug)]
struct ShowClaims {
    fence: Fence,
    /// When the lease was taken, renewed or released.
    seen: Option<Instant>,
    /// Whether it was released. It never runs out: the one engine of the process ends with it.
    is_free: bool,
    newest: QuestionId,
    questions: BTreeMap<QuestionId, QuestionClaims>,
}

/// One question's claims.
#[derive(Debug, Default)]
struct QuestionClaims {
    closed: bool,
    /// By seat: the choice plus 1, or 0. As long as the largest seat that claimed.
    by_seat: Vec<u8>,
}

impl MemoryArbiter {
    /// An arbiter that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` on the show's claims if `fence` is the show's lease.
    fn under_lease<T>(
        &self,
        show: ShowId,
        fence: Fence,
        work: impl FnOnce(&mut ShowClaims) -> T,
    ) -> Result<T, ArbiterError> {
        let mut claims = self.shows.get_mut(&show).ok_or(ArbiterError::NoLease)?;
        claims.check(fence)?;
        Ok(work(&mut claims))
    }
}

impl ShowClaims {
    fn check(&self, fence: Fence) -> Result<(), ArbiterError> {
        match fence.cmp(&self.fence) {
            std::cmp::Ordering::Less => Err(ArbiterError::Fenced { newest: self.fence }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(ArbiterError::NoLease),
        }
    }

    /// The question's claims; none if they are no longer kept. Frees those that this question makes too old.
    fn question(&mut self, question: QuestionId) -> Option<&mut QuestionClaims> {
        self.newest = self.newest.max(question);
        let oldest = QuestionId(self.newest.0.saturating_sub(1));
        self.questions = self.questions.split_off(&oldest);
        (question >= oldest).then(|| self.questions.entry(question).or_default())
    }
}

impl QuestionClaims {
    fn judge(&mut self, claim: Claim) -> ClaimOutcome {
        match self.by_seat.get(claim.seat.index()) {
            Some(&stored) if stored > 0 => ClaimOutcome::Before(Choice(stored - 1)),
            _ if self.closed => ClaimOutcome::TooLate,
            _ => {
                self.set(claim);
                ClaimOutcome::First
            }
        }
    }

    fn set(&mut self, claim: Claim) {
        assert!(claim.is_possible(), "the batch of an impossible claim is refused");
        let Claim { seat: Seat(seat), choice } = claim;
        let index = seat as usize;
        if index >= self.by_seat.len() {
            self.by_seat.resize(index + 1, 0);
        }
        self.by_seat[index] = choice.0 + 1;
    }
}

fn check_claims(claims: &[Claim]) -> Result<(), ArbiterError> {
    claims.iter().find(|claim| !claim.is_possible()).map_or(Ok(()), |claim| Err(ArbiterError::BadClaim(*claim)))
}

#[async_trait]
impl Arbiter for MemoryArbiter {
    async fn lease(&self, show: ShowId, above: Fence) -> Result<Lease, ArbiterError> {
        let mut claims = self.shows.entry(show).or_insert_with(|| ShowClaims {
            fence: above,
            seen: None,
            is_free: false,
            newest: QuestionId(0),
            questions: BTreeMap::new(),
        });
        let largest = claims.fence.max(above);
        let token = largest.0.checked_add(1).ok_or_else(|| ArbiterError::Unavailable("no token is left".into()))?;
        claims.fence = Fence(token);
        claims.is_free = false;
        let idle = claims.seen.replace(Instant::now()).map(|seen| Span::of(seen.elapsed()));
        Ok(Lease { fence: claims.fence, idle })
    }

    async fn renew(&self, leases: &[(ShowId, Fence)]) -> Result<Vec<Result<(), ArbiterError>>, ArbiterError> {
        let renew = |kept: &mut ShowClaims| {
            kept.seen = Some(Instant::now());
            kept.is_free = false;
        };
        Ok(leases.iter().map(|&(show, fence)| self.under_lease(show, fence, renew)).collect())
    }

    async fn release(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError> {
        self.under_lease(show, fence, |kept| {
            kept.seen = Some(Instant::now());
            kept.is_free = true;
        })
    }

    async fn free(&self) -> Result<Vec<ShowId>, ArbiterError> {
        Ok(self.shows.iter().filter(|claims| claims.is_free).map(|claims| *claims.key()).collect())
    }

    async fn claim(
        &self,
        show: ShowId,
        fence: Fence,
        question: QuestionId,
        claims: &[Claim],
    ) -> Result<Vec<ClaimOutcome>, ArbiterError> {
        check_claims(claims)?;
        self.under_lease(show, fence, |kept| match kept.question(question) {
            Some(kept) => claims.iter().map(|&claim| kept.judge(claim)).collect(),
            None => vec![ClaimOutcome::TooLate; claims.len()],
        })
    }

    async fn close(&self, show: ShowId, fence: Fence, question: QuestionId) -> Result<(), ArbiterError> {
        self.under_lease(show, fence, |kept| {
            if let Some(kept) = kept.question(question) {
                kept.closed = true;
            }
        })
    }

    async fn restore(
        &self,
        show: ShowId,
        fence: Fence,
        question: QuestionId,
        claims: &[Claim],
    ) -> Result<(), ArbiterError> {
        check_claims(claims)?;
        self.under_lease(show, fence, |kept| {
            if let Some(kept) = kept.question(question) {
                claims.iter().for_each(|&claim| kept.set(claim));
            }
        })
    }

    async fn forget(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError> {
        match self.shows.remove_if(&show, |_, claims| claims.check(fence).is_ok()) {
            Some(_) => Ok(()),
            // The lease is another, or the show is not known.
            None => self.shows.get(&show).map_or(Ok(()), |claims| claims.check(fence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    super::super::contract::arbiter_contract!((MemoryArbiter::new(), ()), 256);

    #[tokio::test]
    async fn only_two_questions_take_memory_and_a_forgotten_show_takes_none() {
        let arbiter = MemoryArbiter::new();
        let show = ShowId(1);
        let fence = arbiter.lease(show, Fence(0)).await.unwrap().fence;
        for question in 1..=20 {
            let claim = Claim { seat: Seat(1000), choice: Choice(0) };
            arbiter.claim(show, fence, QuestionId(question), &[claim]).await.unwrap();
            assert!(arbiter.shows.get(&show).unwrap().questions.len() <= 2);
        }
        arbiter.forget(show, fence).await.unwrap();
        assert!(arbiter.shows.is_empty());
    }
}
