//! The arbiter for a single process: claims in arrays by seat. Its state is lost when the process ends, and is restored
//! from the journal.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use dashmap::DashMap;
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::ids::{ClaimKey, Fence, RoundId, Seat, ShowId};
use klaxon_protocol::time::Span;
use tokio::time::Instant;

use super::{Arbiter, ArbiterError, ClaimOutcome, Dense, Layout, Lease, check};
use crate::round::{ClaimSpace, Round, SeatClaim};

/// Counts claims in memory, for the two rounds that are kept: in arrays by seat where a claim is a small number, in tables where not.
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
    /// Whether it was released. It never expires: the process has one engine, and both end together.
    is_free: bool,
    newest: RoundId,
    rounds: BTreeMap<RoundId, RoundClaims>,
}

/// One round's claims.
#[derive(Debug, Default)]
struct RoundClaims {
    closed: bool,
    /// None until the first claim.
    kept: Option<(ClaimSpace, Kept)>,
}

#[derive(Debug)]
enum Kept {
    /// By seat and key: a code, or 0. As long as the largest seat that claimed.
    Dense(Dense, Vec<u8>),
    Sparse(HashMap<(Seat, ClaimKey), ClaimValue>),
}

impl MemoryArbiter {
    /// An arbiter without leases and claims.
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

    /// The round's claims; none if they are no longer kept. Frees those that this round makes too old.
    fn round(&mut self, round: RoundId) -> Option<&mut RoundClaims> {
        self.newest = self.newest.max(round);
        let oldest = RoundId(self.newest.0.saturating_sub(1));
        self.rounds = self.rounds.split_off(&oldest);
        (round >= oldest).then(|| self.rounds.entry(round).or_default())
    }
}

impl RoundClaims {
    fn kept(&mut self, space: ClaimSpace) -> &mut Kept {
        let (known, kept) = self.kept.get_or_insert_with(|| match Layout::of(space) {
            Layout::Dense(dense) => (space, Kept::Dense(dense, Vec::new())),
            Layout::Sparse => (space, Kept::Sparse(HashMap::new())),
        });
        assert_eq!(*known, space, "a round's claims are of one space");
        kept
    }

    fn judge(&mut self, space: ClaimSpace, claims: &[SeatClaim]) -> Vec<ClaimOutcome> {
        let closed = self.closed;
        self.kept(space).judge(claims, closed)
    }
}

impl Kept {
    /// The layout is looked at once for a batch: a choice costs a few nanoseconds, so that looking for each would double it.
    fn judge(&mut self, claims: &[SeatClaim], closed: bool) -> Vec<ClaimOutcome> {
        match self {
            Self::Dense(dense, codes) => {
                let dense = *dense;
                let judge = |claim: &SeatClaim| {
                    let place = dense.place(claim, 0) as usize;
                    match codes.get_mut(place) {
                        Some(code) if *code > 0 => ClaimOutcome::Before(dense.value(*code)),
                        _ if closed => ClaimOutcome::TooLate,
                        Some(code) => {
                            *code = dense.code(&claim.value);
                            ClaimOutcome::First
                        }
                        None => {
                            put(codes, place, dense.code(&claim.value));
                            ClaimOutcome::First
                        }
                    }
                };
                claims.iter().map(judge).collect()
            }
            Self::Sparse(kept) => {
                let judge = |claim: &SeatClaim| match kept.entry((claim.seat, claim.key)) {
                    Entry::Occupied(stands) => ClaimOutcome::Before(stands.get().clone()),
                    Entry::Vacant(_) if closed => ClaimOutcome::TooLate,
                    Entry::Vacant(vacant) => {
                        vacant.insert(claim.value.clone());
                        ClaimOutcome::First
                    }
                };
                claims.iter().map(judge).collect()
            }
        }
    }

    fn set(&mut self, claim: &SeatClaim) {
        match self {
            Self::Dense(dense, codes) => put(codes, dense.place(claim, 0) as usize, dense.code(&claim.value)),
            Self::Sparse(claims) => {
                claims.insert((claim.seat, claim.key), claim.value.clone());
            }
        }
    }
}

fn put(codes: &mut Vec<u8>, place: usize, code: u8) {
    if place >= codes.len() {
        codes.resize(place + 1, 0);
    }
    codes[place] = code;
}

#[async_trait]
impl Arbiter for MemoryArbiter {
    async fn lease(&self, show: ShowId, above: Fence) -> Result<Lease, ArbiterError> {
        let mut claims = self.shows.entry(show).or_insert_with(|| ShowClaims {
            fence: above,
            seen: None,
            is_free: false,
            newest: RoundId(0),
            rounds: BTreeMap::new(),
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
        round: Round,
        claims: &[SeatClaim],
    ) -> Result<Vec<ClaimOutcome>, ArbiterError> {
        check(round.space, claims)?;
        self.under_lease(show, fence, |kept| match kept.round(round.id) {
            Some(kept) => kept.judge(round.space, claims),
            None => vec![ClaimOutcome::TooLate; claims.len()],
        })
    }

    async fn close(&self, show: ShowId, fence: Fence, round: RoundId) -> Result<(), ArbiterError> {
        self.under_lease(show, fence, |kept| {
            if let Some(kept) = kept.round(round) {
                kept.closed = true;
            }
        })
    }

    async fn restore(
        &self,
        show: ShowId,
        fence: Fence,
        round: Round,
        claims: &[SeatClaim],
    ) -> Result<(), ArbiterError> {
        check(round.space, claims)?;
        self.under_lease(show, fence, |kept| {
            if let Some(kept) = kept.round(round.id) {
                let kept = kept.kept(round.space);
                claims.iter().for_each(|claim| kept.set(claim));
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
    async fn only_two_rounds_take_memory_and_a_forgotten_show_takes_none() {
        let arbiter = MemoryArbiter::new();
        let show = ShowId(1);
        let fence = arbiter.lease(show, Fence(0)).await.unwrap().fence;
        for id in (1..=20).map(RoundId) {
            let round = Round { id, space: ClaimSpace::one_below(6) };
            let claim = SeatClaim { seat: Seat(1000), key: ClaimKey(0), value: ClaimValue::Bits(0) };
            arbiter.claim(show, fence, round, &[claim]).await.unwrap();
            assert!(arbiter.shows.get(&show).unwrap().rounds.len() <= 2);
        }
        arbiter.forget(show, fence).await.unwrap();
        assert!(arbiter.shows.is_empty());
    }
}
