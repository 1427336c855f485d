//! What an operator can choose for every process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Arg, Args};

use super::{ConfigError, LogFormat, OptionOrigins, values};
use crate::private_file::PrivateFileError;

// The first sentences are the help, and the tables in docs/operations.md, where a test holds them against each other.
/// What every process can be told.
#[derive(Debug, Clone, Args)]
pub struct CommonOptions {
    /// A TOML file with any of the options below, without the dashes before them. Default: none.
    #[arg(long, env = "KLAXON_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print what each option is and where it comes from, and exit.
    #[arg(long)]
    pub print_config: bool,

    /// Where this process keeps its files: what they are is in docs/operations.md.
    #[arg(long, env = "KLAXON_DATA_DIR", value_name = "DIR", default_value = "klaxon-data")]
    pub data_dir: PathBuf,

    /// The file with the admin token; made if it is missing. Default: admin.token in the data directory.
    #[arg(long, env = "KLAXON_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// How the log is written to standard error: `human` or `json`.
    #[arg(long, env = "KLAXON_LOG", value_name = "FORMAT", default_value = "human", value_parser = values::log_format)]
    pub log: LogFormat,

    /// What is logged: a level, or levels by module, such as `warn,klaxon_engine=debug`.
    #[arg(long, env = "KLAXON_LOG_FILTER", value_name = "LEVELS", default_value = "info", value_parser = values::log_filter)]
    pub log_filter: String,

    /// Where hosts connect and metrics are: address and port. Keep it off the internet.
    #[arg(long, env = "KLAXON_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:4701", value_parser = values::address)]
    pub admin_listen: SocketAddr,

    /// Where each option of the command comes from.
    #[arg(skip)]
    pub origins: OptionOrigins,
}

impl CommonOptions {
    /// The options of a process that has no hosts, whose admin port has this address unless it is told another.
    pub(super) fn without_hosts(address: &'static str) -> impl FnMut(Arg) -> Arg {
        move |arg| match arg.get_id().as_str() {
            "admin_listen" => arg.default_value(address).help("Where metrics and health are: address and port"),
            _ => arg,
        }
    }

    /// The path of the file with the admin token.
    #[must_use]
    pub fn admin_token_file(&self) -> PathBuf {
        self.admin_token_file.clone().unwrap_or_else(|| self.data_dir.join("admin.token"))
    }

    /// The error for a value that other code found to be unusable.
    pub fn blame(&self, key: &str, value: impl ToString, problem: impl ToString) -> ConfigError {
        let origin = self.origins.of(key);
        ConfigError::Wrong { key: key.to_owned(), value: value.to_string(), origin, problem: problem.to_string() }
    }

    /// The error for a required option that was not given.
    pub(super) fn missing(&self, key: &'static str, example: &'static str) -> ConfigError {
        ConfigError::Missing { key, example }
    }

    /// The error for a private file, named by an option, that can't be used.
    #[must_use]
    pub fn unusable(&self, key: &'static str, problem: PrivateFileError) -> ConfigError {
        ConfigError::Unusable { key, origin: self.origins.of(key), problem }
    }
}
