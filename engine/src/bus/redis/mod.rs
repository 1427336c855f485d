//! The bus over Redis Streams, for gateways and engines in processes of their own. They find each other by Redis alone.
//!
//! # What is where
//! All keys of a show are in one slot of a Redis Cluster, so that one script can touch them.
//!
//! - What gateways say about a show is in one stream. An entry holds what a gateway had to say since its last one. It stays
//!   there until the show's engine has dealt with it, so that the next engine goes on where the last one stopped.
//! - What a show says to everybody is one entry of another stream, whatever the audience, and what it says to one gateway is in
//!   a stream of that gateway's. Their ids are given by the engine, `<token of its lease>-<count>`, counted over all of them:
//!   together they are in one order, which goes on over engines, and over a Redis that lost its memory.
//! - A script says what came of a turn, and only if the lease is still the engine's. It does nothing twice.
//! - Gateways keep what they said until the show's engine has dealt with it, and say it again if Redis lost it. What reaches a
//!   show twice counts once, by the rules of the show.

mod answering;
mod attending;
mod clock;
mod directory;
mod engine_end;
mod entry;
mod finding;
mod gateway_end;
mod hearing;
mod lookup;
mod orders;
mod personal;
mod registry;
mod requests;
mod saying;
mod sending;
mod show_out;
mod trouble;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::task::JoinHandle;

use super::BusError;

pub use clock::Steering;
pub use engine_end::RedisEngineEnd;
pub use gateway_end::RedisGatewayEnd;

/// How long a read waits at Redis for something new.
const READ: Duration = Duration::from_millis(1000);
/// The pause before something is tried again, at first and at most.
const RETRY: std::ops::RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(500);
/// What a show said, and how far it has come, is kept for so long after it said something: a gateway that was away for longer
/// takes a snapshot.
const KEEP: Duration = Duration::from_secs(60 * 60);
/// A code, and what a create made, are kept for so long after they were needed.
const KEEP_CODE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The pause after so many failures, one after another.
fn pause(failures: u32) -> Duration {
    RETRY.start().saturating_mul(1 << failures.min(8)).min(*RETRY.end())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn unavailable(error: redis::RedisError) -> BusError {
    BusError::Unavailable(error.to_string())
}

/// A task that ends with whoever has it.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Task {
    fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
