//! The commands that need Redis, Kafka or database servers. A build without the feature `cluster` has `alone.rs`
//! instead.

mod archive;
mod engine;
mod gateway;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use klaxon_engine::journal::kafka::{Forgetting, Kafka, forget_in_kafka, forget_in_redis, read_show};
use klaxon_engine::redis::Redis;
use klaxon_engine::seal::SealKeys;
use klaxon_gateway::cli::{ForgetOptions, ReplayOptions};
use klaxon_gateway::config::{CommonOptions, KafkaOptions, RedisOptions};
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Record;

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

/// The Kafka of these options.
fn kafka(options: &KafkaOptions, common: &CommonOptions) -> anyhow::Result<Kafka> {
    let kafka = Kafka::new(options.brokers(common)?, &options.kafka_topic);
    Ok(kafka.with_people_topic(options.kafka_people_topic.as_deref()))
}

/// Reads a show's records from Kafka, with what stands apart from them.
pub async fn read_journal(options: &ReplayOptions, brokers: &str, show: ShowId) -> anyhow::Result<Vec<Record>> {
    let kafka = Kafka::new(brokers, &options.kafka_topic);
    Ok(read_show(&kafka.with_people_topic(options.kafka_people_topic.as_deref()), show).await?)
}

/// Forgets a person in the Kafka and the Redis that are named. Returns whether all that is there could be read.
pub async fn forget(options: &ForgetOptions, keys: &SealKeys) -> anyhow::Result<bool> {
    let forgetting = Forgetting { player: options.player.clone(), show: options.show, keys: keys.clone() };
    let mut unread = Vec::new();
    let mut shows = BTreeSet::new();
    // Kafka first: of a show that is over Redis tells nothing without its id.
    if let Some(brokers) = &options.kafka {
        let kafka = Kafka::new(brokers, &options.kafka_topic);
        let kafka = kafka.with_people_topic(options.kafka_people_topic.as_deref());
        let forgotten = forget_in_kafka(&kafka, &forgetting).await?;
        println!("{brokers}/{}: {forgotten}", kafka.people_topic);
        unread.extend(forgotten.unread);
        shows = forgotten.shows;
    }
    if let Some(urls) = &options.redis {
        let redis = Redis::new(&urls.expose(), &options.redis_prefix)?;
        let forgotten = forget_in_redis(&redis, &shows, &forgetting).await?;
        println!("{urls}: {forgotten}");
        unread.extend(forgotten.unread);
    }
    for problem in &unread {
        println!("This can't be read, and may name them: {problem}");
    }
    Ok(unread.is_empty())
}
