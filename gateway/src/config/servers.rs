//! Options about the servers that processes share, and about the keys by which what is written there is sealed.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommonOptions, ConfigError, SecretUrls, number};
use crate::private_file::{self, PrivateFileError};

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

/// By which keys secrets are sealed.
#[derive(Debug, Clone, Args)]
pub struct SealOptions {
    /// The file with the keys that seal secrets in Redis and Kafka, a line for each, the newest first; the same for all gateways, engines and archives. Default: none, and nothing is sealed.
    #[arg(long, env = "KLAXON_SEAL_KEY_FILE", value_name = "FILE")]
    pub seal_key_file: Option<PathBuf>,
}

impl SealOptions {
    /// The secrets of the keys, the newest first; none if nothing is to be sealed.
    ///
    /// # Errors
    /// If the file can't be read, or others can read it, or a secret can be guessed.
    pub fn secrets(&self, common: &CommonOptions) -> Result<Vec<String>, ConfigError> {
        let Some(path) = &self.seal_key_file else {
            tracing::warn!(
                "without a seal-key-file nothing is sealed: whoever can read Redis or Kafka can read right answers before their reveal"
            );
            return Ok(Vec::new());
        };
        seal_secrets(path).map_err(|problem| common.unusable("seal-key-file", problem))
    }
}

/// The secrets of the keys in a file, a line for each.
///
/// # Errors
/// If it can't be read, or others can read it, or a secret can be guessed.
pub fn seal_secrets(path: &Path) -> Result<Vec<String>, PrivateFileError> {
    let text = private_file::read(path)?;
    let secrets: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    if secrets.is_empty() {
        return Err(PrivateFileError::Weak { path: path.to_owned(), weakness: "it is empty" });
    }
    for secret in &secrets {
        if secret.len() < SHORTEST_SECRET {
            return Err(PrivateFileError::Weak { path: path.to_owned(), weakness: "it has fewer than 32 characters" });
        }
        if let Some(weakness) = private_file::weakness(secret.as_bytes()) {
            return Err(PrivateFileError::Weak { path: path.to_owned(), weakness });
        }
    }
    Ok(secrets)
}

/// The fewest characters of a secret: as hexadecimal digits they are 128 bits.
const SHORTEST_SECRET: usize = 32;

/// Where Kafka is.
#[derive(Debug, Clone, Args)]
pub struct KafkaOptions {
    /// Where Kafka's brokers are, such as `127.0.0.1:9092`; several with commas between them. Default: none, and it is needed.
    #[arg(long, env = "KLAXON_KAFKA", value_name = "HOST:PORT", value_parser = brokers)]
    pub kafka: Option<String>,

    /// The topic that holds the journals of all shows.
    #[arg(long, env = "KLAXON_KAFKA_TOPIC", value_name = "NAME", default_value = "klaxon.journal")]
    pub kafka_topic: String,

    /// The topic that holds what stands apart from the journals: who is who. Default: the topic of the journals with `.people` behind it.
    #[arg(long, env = "KLAXON_KAFKA_PEOPLE_TOPIC", value_name = "NAME")]
    pub kafka_people_topic: Option<String>,
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_file_is_for_its_owner_only_and_holds_no_key_that_can_be_guessed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.keys");
        let told = |text: &str, mode| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            seal_secrets(&path).map_err(|problem| problem.to_string())
        };
        assert!(
            seal_secrets(&path).unwrap_err().to_string().contains("seal.keys"),
            "it is not made: all have the same"
        );
        let (new, old) = ("5b8e02f7c14d9a6630e1fb85d27c49a0", "c7a1e94d02b86f35f9d04b1e68a32c57");
        assert_eq!(told(&format!("{new}\n\n  {old} \n"), 0o600).unwrap(), [new, old]);
        assert!(told(new, 0o644).unwrap_err().contains("chmod 600"));
        for weak in ["", "5b8e02f7c14d9a66", &"a".repeat(40), &format!("{new}\n{}", "0123456789abcdef".repeat(2))] {
            let problem = told(weak, 0o600).unwrap_err();
            assert!(problem.contains("can be guessed") && problem.contains("openssl rand -hex 32"), "{problem}");
        }
    }
}
