//! What an operator can choose for `klaxon serve`, `gateway`, `engine` and `archive`: by flag, by environment, in a file; the first of
//! these that says something wins.

mod commands;
mod common;
mod error;
mod file;
mod layers;
mod limits;
mod origins;
mod parts;
mod players;
mod servers;
mod url;
mod values;

pub use commands::{ArchiveOptions, EngineOptions, GatewayOptions, ServeOptions};
pub use common::CommonOptions;
pub use error::ConfigError;
pub use file::ConfigFileError;
pub use layers::{Configured, effective, is_configured, parse, settle};
pub use limits::open_files;
pub use origins::{OptionOrigins, Origin};
pub use players::{PlayerLimits, PlayersOptions};
pub(crate) use servers::brokers;
pub use servers::{KafkaOptions, RedisOptions, SealOptions, seal_secrets};
pub(crate) use url::database;
pub use url::{SecretUrl, SecretUrls};
pub use values::{Guests, JwtAlgorithm, LogFormat};
pub(crate) use values::{number, one_of, span};
