//! What an operator can choose for each command.

use clap::Args;

use super::{
    CommonOptions, ConfigError, Configured, Guests, KafkaOptions, PlayersOptions, RedisOptions, SealOptions, SecretUrl,
    number, url,
};

/// What an operator can choose for `klaxon serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// What every process can be told.
    #[command(flatten)]
    pub common: CommonOptions,

    /// The players' side.
    #[command(flatten)]
    pub players: PlayersOptions,

    /// When the journal is forced to the disk: `always` before an answer is acknowledged, `interval:100ms` at most so long after, `never` by us.
    #[arg(long, env = "KLAXON_SYNC", value_name = "POLICY", default_value = "always")]
    pub sync: String,
}

/// What an operator can choose for `klaxon gateway`.
#[derive(Debug, Clone, Args)]
pub struct GatewayOptions {
    /// What every process can be told.
    #[command(flatten)]
    pub common: CommonOptions,

    /// The players' side.
    #[command(flatten)]
    pub players: PlayersOptions,

    /// Where players reach this gateway, such as `wss://g1.example.org/play`: other gateways send theirs here when they stop. Default: `listen`, unless that is every address.
    #[arg(long, env = "KLAXON_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// Redis.
    #[command(flatten)]
    pub redis: RedisOptions,

    /// The keys that seal secrets.
    #[command(flatten)]
    pub seal: SealOptions,
}

/// What an operator can choose for `klaxon engine`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(CommonOptions::without_hosts("127.0.0.1:4702")))]
pub struct EngineOptions {
    /// What every process can be told.
    #[command(flatten)]
    pub common: CommonOptions,

    /// What this engine is called; no two that run may have the same name. Default: the host's name and something random.
    #[arg(long, env = "KLAXON_NAME", value_name = "NAME", value_parser = name)]
    pub name: Option<String>,

    /// Redis.
    #[command(flatten)]
    pub redis: RedisOptions,

    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaOptions,

    /// How many partitions the topic gets if it is not there yet, 1 to 1000.
    #[arg(long, env = "KLAXON_KAFKA_PARTITIONS", value_name = "COUNT", default_value = "8", value_parser = |text: &str| number(text, 1..=1000_u16))]
    pub kafka_partitions: u16,

    /// How many brokers keep the topic if it is not there yet, 1 to 100.
    #[arg(long, env = "KLAXON_KAFKA_REPLICATION", value_name = "COUNT", default_value = "1", value_parser = |text: &str| number(text, 1..=100_u16))]
    pub kafka_replication: u16,

    /// The keys that seal secrets.
    #[command(flatten)]
    pub seal: SealOptions,
}

/// What an operator can choose for `klaxon archive`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(CommonOptions::without_hosts("127.0.0.1:4703")))]
pub struct ArchiveOptions {
    /// What every process can be told.
    #[command(flatten)]
    pub common: CommonOptions,

    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaOptions,

    /// The group whose members share the topic's partitions.
    #[arg(long, env = "KLAXON_KAFKA_GROUP", value_name = "NAME", default_value = "klaxon-archive")]
    pub kafka_group: String,

    /// The database, such as `postgres://klaxon@127.0.0.1/klaxon`, `mysql://...` or `sqlite:archive.sqlite`. Default: none, and it is needed.
    #[arg(long, env = "KLAXON_DATABASE", hide_env_values = true, value_name = "URL", value_parser = url::database)]
    pub database: Option<SecretUrl>,

    /// The keys that seal secrets.
    #[command(flatten)]
    pub seal: SealOptions,
}

impl ArchiveOptions {
    /// Where the database is.
    ///
    /// # Errors
    /// If that was not given.
    pub fn database(&self) -> Result<&SecretUrl, ConfigError> {
        self.database.as_ref().ok_or_else(|| self.common.missing("database", "postgres://klaxon@127.0.0.1/klaxon"))
    }
}

fn check_players(players: &PlayersOptions, common: &CommonOptions) -> Result<(), ConfigError> {
    if players.guests == Guests::Refuse && players.jwt_key_file.is_none() {
        return Err(common.blame("guests", "refuse", "needs a `jwt-key-file`, or nobody can play"));
    }
    Ok(())
}

impl Configured for ServeOptions {
    fn common(&mut self) -> &mut CommonOptions {
        &mut self.common
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_players(&self.players, &self.common)
    }
}

impl Configured for GatewayOptions {
    fn common(&mut self) -> &mut CommonOptions {
        &mut self.common
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_players(&self.players, &self.common)?;
        self.redis.urls(&self.common).map(drop)
    }
}

impl Configured for EngineOptions {
    fn common(&mut self) -> &mut CommonOptions {
        &mut self.common
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.redis.urls(&self.common)?;
        self.kafka.brokers(&self.common).map(drop)
    }
}

impl Configured for ArchiveOptions {
    fn common(&mut self) -> &mut CommonOptions {
        &mut self.common
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.kafka.brokers(&self.common)?;
        self.database().map(drop)
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("ws://").or_else(|| text.strip_prefix("wss://"));
    if host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) {
        Ok(text.to_owned())
    } else {
        Err("must be a WebSocket's URL, such as wss://g1.example.org/play".into())
    }
}

fn name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("must be 1 to 64 letters, digits or signs".into()) }
}
