//! The commands that need Redis, Kafka or database servers. A build without the feature `cluster` has `alone.rs`
//! instead.

mod archive;
mod engine;
mod gateway;

use std::fmt::Display;
use std::time::Duration;

use klaxon_engine::journal::kafka::{Kafka, read_show_as_file};
use klaxon_engine::redis::Redis;
use klaxon_engine::seal::SealKeys;
use klaxon_gateway::config::{CommonOptions, RedisOptions};
use klaxon_protocol::ids::ShowId;

pub use archive::archive;
pub use engine::engine;
pub use gateway::gateway;

/// The pause before the next attempt to reach a server.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The Redis of these options. Does not connect yet.
fn redis(options: &RedisOptions, keys: SealKeys, common: &CommonOptions) -> anyhow::Result<Redis> {
    let urls = options.urls(common)?;
    let redis =
        Redis::new(&urls.expose(), &options.redis_prefix).map_err(|error| common.blame("redis", urls, error))?;
    Ok(redis.sealed(keys))
}

/// Retries until a server answers: after a power cut all processes start at once.
async fn wait_for<T, E: Display>(server: &str, mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let mut asked = 0_u32;
    loop {
        match ask().await {
            Ok(there) => return there,
            Err(error) => {
                if asked.is_multiple_of(20) {
                    tracing::warn!(%error, "waiting for {server}");
                }
            }
        }
        asked = asked.wrapping_add(1);
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Reads a show's journal from Kafka, in the format of a journal file.
pub async fn read_journal(brokers: &str, topic: &str, show: ShowId) -> anyhow::Result<Vec<u8>> {
    Ok(read_show_as_file(&Kafka::new(brokers, topic), show).await?)
}
