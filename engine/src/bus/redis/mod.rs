//! The bus over Redis Streams, for gateways and engines in processes of their own. They discover each other through
//! Redis.
//!
//! # Keys
//! All keys of a show are in one slot of a Redis Cluster, so that one script can use them.
//!
//! - `input`: a stream of messages from gateways about the show. An entry has all messages that one gateway had to send
//!   since its last entry. It stays until the show's engine has acknowledged it, so the next engine continues where the
//!   last one stopped.
//! - `events`: a stream of the messages to all gateways; an event is one entry, whatever the number of players.
//! - `events:GATEWAY`: a stream of the messages to one gateway. The engine assigns the entries' ids, `<fencing
//!   token>-<count>`, counted over all of the show's event streams. So a gateway can merge two streams into one order,
//!   which continues across engines, and across a Redis that lost its data.
//! - `progress`: how far the show's engine has published. One script publishes and updates it, only under the newest
//!   lease; entries that exist already are skipped.
//!
//! # Tasks
//! - Engine publisher (`show_publisher`): one task for each show, from its queue to `events`.
//! - Engine subscriber (`show_subscriber`): one task for each show, from `input` to the engine's inbox.
//! - Gateway publisher (`gateway_publisher`): one task for each show, from its send queue to `input`. Entries stay in the send queue until
//!   the engine has acknowledged them, and are sent again to a Redis that lost them. What reaches a show twice counts once, by the rules
//!   of the show.
//! - Gateway subscriber (`gateway_subscriber`): one task for each show, from `events` to the gateway's inbox.
//!
//! Beside them are what hosts ask of any engine (`host_requests`, `host_replies`), lookups of codes and shows (`show_lookup`), the registry
//! of gateways, and the synchronisation of clocks.

mod bit_planes;
mod clock_sync;
mod code_cache;
mod directory;
mod engine_end;
mod entry;
mod gateway_end;
mod gateway_publisher;
mod gateway_queues;
mod gateway_registry;
mod gateway_subscriber;
mod host_replies;
mod host_requests;
mod publish_queue;
mod sealed_entry;
mod send_queue;
mod show_lookup;
mod show_publisher;
mod show_status;
mod show_subscriber;
mod version;
mod waiting;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::task::JoinHandle;

use super::BusError;

pub use clock_sync::ClockSync;
pub use engine_end::RedisEngineEnd;
pub use gateway_end::RedisGatewayEnd;

/// How long a read blocks at Redis for new entries.
const READ_BLOCK: Duration = Duration::from_millis(1000);
/// The pause before a failed call is repeated, at first and at most.
const RETRY: std::ops::RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(500);
/// A show's streams and progress are kept for this long after the last write: a gateway that was away for longer takes a snapshot.
const RETENTION: Duration = Duration::from_secs(60 * 60);
/// A code, and the show that a create made, are kept for this long after they were last needed.
const CODE_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The pause before the next attempt, after this number of consecutive failures.
fn pause(failures: u32) -> Duration {
    RETRY.start().saturating_mul(1 << failures.min(8)).min(*RETRY.end())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn unavailable(error: redis::RedisError) -> BusError {
    BusError::Unavailable(error.to_string())
}

/// A task that is aborted when this is dropped.
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
