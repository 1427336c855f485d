//! Options about the servers that processes share.

use clap::Args;

use super::{CommonOptions, ConfigError, SecretUrls, number};

/// Where Redis is.
#[derive(Debug, Clone, Args)]
pub struct RedisOptions {
    /// Where Redis is, such as `redis://127.0.0.1:6379`; nodes of a Redis Cluster with commas between them. Default: none, and it is needed.
    #[arg(long, env = "KLAXON_REDIS", hide_env_values = true, value_name = "URL", value_parser = |text: &str| text.parse::<SecretUrls>())]
    pub redis: Option<SecretUrls>,

    /// What all keys in Redis begin with; gateways and engines that belong together have the same.
    #[arg(long, env = "KLAXON_REDIS_PREFIX", value_name = "WORD", default_value = "klaxon")]
    pub redis_prefix: String,
}

impl RedisOptions {
    /// Where Redis is.
    ///
    /// # Errors
    /// If that was not given.
    pub fn urls(&self, common: &CommonOptions) -> Result<&SecretUrls, ConfigError> {
        self.redis.as_ref().ok_or_else(|| common.missing("redis", "redis://127.0.0.1:6379"))
    }
}

/// Where Kafka is.
#[derive(Debug, Clone, Args)]
pub struct KafkaOptions {
    /// Where Kafka's brokers are, such as `127.0.0.1:9092`; several with commas between them. Default: none, and it is needed.
    #[arg(long, env = "KLAXON_KAFKA", value_name = "HOST:PORT", value_parser = brokers)]
    pub kafka: Option<String>,

    /// The topic that holds the journals of all shows.
    #[arg(long, env = "KLAXON_KAFKA_TOPIC", value_name = "NAME", default_value = "klaxon.journal")]
    pub kafka_topic: String,
}

impl KafkaOptions {
    /// Where its brokers are.
    ///
    /// # Errors
    /// If that was not given.
    pub fn brokers(&self, common: &CommonOptions) -> Result<&str, ConfigError> {
        self.kafka.as_deref().ok_or_else(|| common.missing("kafka", "127.0.0.1:9092"))
    }
}

/// Addresses of brokers.
pub(crate) fn brokers(text: &str) -> Result<String, String> {
    let is_broker = |broker: &str| {
        broker
            .trim()
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && number(port, 1..=u16::MAX).is_ok())
    };
    if text.split(',').all(is_broker) {
        Ok(text.to_owned())
    } else {
        Err("must be a host with a port, such as 127.0.0.1:9092, or several with commas between them".into())
    }
}
