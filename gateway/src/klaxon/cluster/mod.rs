//! The commands that need Redis, Kafka or database servers. A build without the feature `cluster` has `alone.rs`
//! instead.

mod archive;
mod engine;
mod gateway;

use std::fmt::Display;
use std::time::Duration;

use klaxon_engine::journal::kafka::{ForgetError, Forgetting, Kafka, ScanError, forget_in_cluster, read_show};
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

/// Forgets a person in the Kafka and the Redis that are named. Returns whether nothing of them can be left there.
pub async fn forget(options: &ForgetOptions, keys: &SealKeys) -> anyhow::Result<bool> {
    let forgetting = Forgetting { player: options.player.clone(), show: options.show, keys: keys.clone() };
    let kafka = options.kafka.as_ref().map(|brokers| {
        let kafka = Kafka::new(brokers, &options.kafka_topic);
        kafka.with_people_topic(options.kafka_people_topic.as_deref())
    });
    let redis = options.redis.as_ref().map(|urls| Redis::new(&urls.expose(), &options.redis_prefix)).transpose()?;
    let done = match forget_in_cluster(kafka.as_ref(), redis.as_ref(), &forgetting).await {
        Err(error @ ForgetError::Kafka(ScanError::NoTopic(_))) => anyhow::bail!(
            "{error}. Name it with --kafka-people-topic, or with --kafka-topic if its name begins with another one. Every engine of this \
             version makes it when it starts: if none was started yet, start one, or leave --kafka out."
        ),
        done => done?,
    };
    if let Some(kafka) = &kafka {
        println!("{}/{}: {}", kafka.brokers, kafka.people_topic, done.kafka);
    }
    if let Some(urls) = &options.redis {
        println!("{urls}: {}", done.redis);
    }
    let unread = [done.kafka.unread, done.redis.unread].concat();
    for problem in &unread {
        println!("This can't be read, and may name them: {problem}");
    }
    if done.not_uploaded > 0 {
        println!(
            "{} of these records were not in Kafka yet: an engine that has them on its disk may upload them after this. Do it again when \
             klaxon_kafka_behind_records is 0.",
            done.not_uploaded
        );
    }
    Ok(unread.is_empty() && done.not_uploaded == 0)
}
