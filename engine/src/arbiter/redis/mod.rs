//! The arbiter on Redis: scripts that Redis runs one at a time, so that each call is atomic over all engines.
//!
//! - A show's lease and what is known of its rounds are one hash, its claims other keys, all in one slot of a cluster. Where all that a
//!   seat can claim in a round takes a byte at most, the claims are strings by seat, in which a claim has some bits, one of trivia's four:
//!   see `claims_judge.lua`. All others are hashes: `claims_judge_any.lua`.
//! - The ids of all shows are a set in a hash slot of its own, so no script can write both the set and a lease. A show
//!   is added to the set *before* its lease is taken, and again whenever the lease was renewed, in case a node of the
//!   cluster lost the set: a lease is missing from the set only briefly. A show in the set may have no lease (its
//!   engine died between the two steps, or a node lost the lease). It counts as [`free`](Arbiter::free) once it has had
//!   none for a term, in which a live engine would have taken it again. An engine that takes it over and finds nothing
//!   to play forgets it, which removes it from the set.
//! - All keys of a show expire three days after its engine last renewed the lease, and claims three days after the last one.
//! - A call with very many claims is made in batches, so that other shows are not delayed. If the lease is lost between
//!   two batches, the outcome is `Unavailable`, since some of the claims may count; repeating the call returns the
//!   error of the lost lease.

mod claims;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use ::redis::{FromRedisValue, RedisError, Value};
use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use klaxon_protocol::ids::{Fence, RoundId, ShowId};
use klaxon_protocol::time::Span;
use tokio::time::Instant;

use super::{Arbiter, ArbiterError, ClaimOutcome, Lease, TERM, check};
use crate::redis::scripts::{self, Script, ScriptError};
use crate::redis::{Connection, Keys, Redis};
use crate::round::{Round, SeatClaim};
use claims::ScriptBatch;
use parking_lot::Mutex;

/// Counts claims in a Redis or a Redis Cluster, for all engines that share it.
pub struct RedisArbiter {
    connection: Connection,
    keys: Keys,
    /// The engine that takes leases here.
    holder: String,
    /// Shows in the set without a lease, and since when that has been observed.
    without_lease: Mutex<HashMap<ShowId, Instant>>,
}

impl RedisArbiter {
    /// An arbiter at this Redis for the engine `holder`, a name that no other engine has.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn connect(redis: &Redis, holder: &str) -> Result<Self, RedisError> {
        Ok(Self {
            connection: redis.connect().await?,
            keys: redis.keys().clone(),
            holder: holder.to_owned(),
            without_lease: Mutex::default(),
        })
    }

    /// Runs a script on the lease of a show.
    async fn run_on_lease<T: FromRedisValue>(
        &self,
        script: &Script,
        show: ShowId,
        arguments: &[&str],
    ) -> Result<T, ScriptError> {
        script.run(&self.connection, &[self.keys.lease(show)], arguments).await
    }

    /// Adds shows to the set of all shows.
    async fn add_to_set(&self, shows: impl IntoIterator<Item = ShowId>) -> Result<(), ArbiterError> {
        let shows: Vec<u64> = shows.into_iter().map(|show| show.0).collect();
        if shows.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection.clone();
        let mut add = ::redis::cmd("SADD");
        add.arg(self.keys.shows()).arg(shows);
        add.query_async(&mut connection).await.map_err(unavailable)
    }

    async fn renew_one(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError> {
        let arguments = [&*fence.to_string(), &*TERM.0.to_string()];
        self.run_on_lease(&scripts::LEASE_RENEW, show, &arguments).await.map_err(|error| refusal(error, fence))
    }

    /// Runs a script on these claims, batch by batch and in their order. Returns its result for each batch.
    async fn run_on_claims(
        &self,
        script: impl Fn(&ScriptBatch) -> &'static Script + Send,
        (show, fence, round): (ShowId, Fence, Round),
        claims: &[SeatClaim],
    ) -> Result<Vec<(ScriptBatch, Value)>, ArbiterError> {
        check(round.space, claims)?;
        let (lease, fence_text, round_text) = (self.keys.lease(show), fence.to_string(), round.id.to_string());
        let mut results: Vec<(ScriptBatch, Value)> = Vec::new();
        for batch in ScriptBatch::of(round.space, claims) {
            let pages: Vec<String> = batch.pages().map(|page| self.keys.claims(show, round.id, page)).collect();
            let mut keys = vec![&*lease];
            keys.extend(pages.iter().map(|key| &**key));
            let mut arguments = vec![fence_text.as_bytes(), round_text.as_bytes()];
            arguments.extend(batch.arguments());
            match script(&batch).run(&self.connection, &keys, &arguments).await {
                Ok(answer) => results.push((batch, answer)),
                Err(error) if results.is_empty() => return Err(refusal(error, fence)),
                Err(error) => return Err(ArbiterError::Unavailable(format!("after some of the claims: {error}"))),
            }
        }
        Ok(results)
    }

    /// Whether no engine has the show.
    async fn is_free(&self, show: ShowId) -> Result<bool, ArbiterError> {
        let idle: i8 =
            self.run_on_lease(&scripts::LEASE_IDLE, show, &[]).await.map_err(|error| refusal(error, Fence(0)))?;
        let mut without_lease = self.without_lease.lock();
        if idle >= 0 {
            without_lease.remove(&show);
            return Ok(idle > 0);
        }
        Ok(without_lease.entry(show).or_insert_with(Instant::now).elapsed() >= Duration::from_millis(u64::from(TERM.0)))
    }
}

/// The error of a script for a caller with this token.
fn refusal(error: ScriptError, fence: Fence) -> ArbiterError {
    match error {
        ScriptError::Fenced { newest, .. } if newest > fence => ArbiterError::Fenced { newest },
        ScriptError::Fenced { .. } | ScriptError::NoLease => ArbiterError::NoLease,
        ScriptError::Held => ArbiterError::Held,
        error => unavailable(error),
    }
}

fn unavailable(error: impl std::fmt::Display) -> ArbiterError {
    ArbiterError::Unavailable(error.to_string())
}

#[async_trait]
impl Arbiter for RedisArbiter {
    async fn lease(&self, show: ShowId, above: Fence) -> Result<Lease, ArbiterError> {
        self.add_to_set([show]).await?;
        let arguments = [&*self.holder, &*above.to_string(), &*TERM.0.to_string()];
        let (fence, idle): (u64, i64) =
            self.run_on_lease(&scripts::LEASE_TAKE, show, &arguments).await.map_err(|error| refusal(error, above))?;
        let idle = u64::try_from(idle).ok().map(|idle| Span::of(Duration::from_millis(idle)));
        Ok(Lease { fence: Fence(fence), idle })
    }

    async fn renew(&self, leases: &[(ShowId, Fence)]) -> Result<Vec<Result<(), ArbiterError>>, ArbiterError> {
        // All at once on one connection: a pipeline, and in a cluster one to each node.
        let outcomes = join_all(leases.iter().map(|&(show, fence)| self.renew_one(show, fence))).await;
        let renewed = leases.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        self.add_to_set(renewed.map(|(&(show, _), _)| show)).await?;
        Ok(outcomes)
    }

    async fn release(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError> {
        self.run_on_lease(&scripts::LEASE_RELEASE, show, &[&fence.to_string()])
            .await
            .map_err(|error| refusal(error, fence))
    }

    async fn free(&self) -> Result<Vec<ShowId>, ArbiterError> {
        let mut connection = self.connection.clone();
        let members: Vec<u64> =
            ::redis::cmd("SMEMBERS").arg(self.keys.shows()).query_async(&mut connection).await.map_err(unavailable)?;
        let shows: Vec<ShowId> = members.into_iter().map(ShowId).collect();
        let is_free = try_join_all(shows.iter().map(|&show| self.is_free(show))).await?;
        let mut without_lease = self.without_lease.lock();
        without_lease.retain(|show, _| shows.contains(show));
        Ok(shows.into_iter().zip(is_free).filter_map(|(show, is_free)| is_free.then_some(show)).collect())
    }

    async fn claim(
        &self,
        show: ShowId,
        fence: Fence,
        round: Round,
        claims: &[SeatClaim],
    ) -> Result<Vec<ClaimOutcome>, ArbiterError> {
        let results = self.run_on_claims(ScriptBatch::judge, (show, fence, round), claims).await?;
        let mut outcomes = Vec::with_capacity(claims.len());
        for (batch, result) in results {
            let outcomes_of_batch = batch.outcomes(&result);
            outcomes.extend(outcomes_of_batch.ok_or_else(|| unavailable("Redis returned no outcomes"))?);
        }
        Ok(outcomes)
    }

    async fn close(&self, show: ShowId, fence: Fence, round: RoundId) -> Result<(), ArbiterError> {
        let arguments = [&*fence.to_string(), &*round.to_string()];
        self.run_on_lease(&scripts::CLAIMS_CLOSE, show, &arguments).await.map_err(|error| refusal(error, fence))
    }

    async fn restore(
        &self,
        show: ShowId,
        fence: Fence,
        round: Round,
        claims: &[SeatClaim],
    ) -> Result<(), ArbiterError> {
        self.run_on_claims(ScriptBatch::restore, (show, fence, round), claims).await.map(|_| ())
    }

    async fn forget(&self, show: ShowId, fence: Fence) -> Result<(), ArbiterError> {
        match self.run_on_lease(&scripts::LEASE_FORGET, show, &[&fence.to_string()]).await {
            // What was forgotten may still be in the set.
            Ok(()) | Err(ScriptError::NoLease) => {}
            Err(error) => return Err(refusal(error, fence)),
        }
        let mut connection = self.connection.clone();
        let mut remove = ::redis::cmd("SREM");
        remove.arg(self.keys.shows()).arg(show.0);
        remove.query_async(&mut connection).await.map_err(unavailable)
    }
}
