//! What an operator can choose for `klaxon serve`: by flag, by environment, in a file; the first of these that says something wins.

mod file;
mod layers;
mod limits;
mod parts;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use klaxon_protocol::time::Span;

pub use file::ConfigFileError;
pub use layers::{ConfigError, Origin, Origins, effective, parse};
pub use limits::open_files;
pub use values::{Guests, JwtAlgorithm, LogFormat};
pub(crate) use values::{number, one_of, span};

/// Open files that are not for players: the journal, the archive, hosts, the log, and what the system needs.
const FILES_FOR_OTHERS: u64 = 200;
/// More sockets than any machine of ours has memory for.
const MOST_CONNECTIONS: usize = 10_000_000;

// The first sentences are the help, and the table in docs/operations.md, where a test holds them against each other.
/// What an operator can choose for `klaxon serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// A TOML file with any of the options below, without the dashes before them. Default: none.
    #[arg(long, env = "KLAXON_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print what each option is and where it comes from, and exit.
    #[arg(long)]
    pub print_config: bool,

    /// Where players connect: address and port.
    #[arg(long, env = "KLAXON_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:4700", value_parser = values::address)]
    pub listen: SocketAddr,

    /// Where hosts connect and metrics are: address and port. Keep it off the internet.
    #[arg(long, env = "KLAXON_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:4701", value_parser = values::address)]
    pub admin_listen: SocketAddr,

    /// Where the journal, the archive and the secrets are kept.
    #[arg(long, env = "KLAXON_DATA_DIR", value_name = "DIR", default_value = "klaxon-data")]
    pub data_dir: PathBuf,

    /// When the journal is forced to the disk: `always` before an answer is acknowledged, `interval:100ms` at most so long after, `never` by us.
    #[arg(long, env = "KLAXON_SYNC", value_name = "POLICY", default_value = "always")]
    pub sync: String,

    /// Threads that own players' sockets, 1 to 256. Default: one for each core.
    #[arg(long, env = "KLAXON_SHARDS", value_name = "COUNT", value_parser = |text: &str| number(text, 1..=256_usize))]
    pub shards: Option<usize>,

    /// Players' connections at one time; more are refused with `no_capacity`. Default: the limit of open files less 200.
    #[arg(long, env = "KLAXON_MAX_CONNECTIONS", value_name = "COUNT", value_parser = |text: &str| number(text, 1..=MOST_CONNECTIONS))]
    pub max_connections: Option<usize>,

    /// Bytes that may wait for one player before the connection is taken for too slow, 4096 to 16777216.
    #[arg(long, env = "KLAXON_OUTBOX_BYTES", value_name = "BYTES", default_value = "65536", value_parser = |text: &str| number(text, 4096..=16_777_216_usize))]
    pub outbox_bytes: usize,

    /// Messages a player may send in a second on average, 1 to 1000; twice as many at once.
    #[arg(long, env = "KLAXON_MESSAGES_PER_SECOND", value_name = "COUNT", default_value = "10", value_parser = |text: &str| number(text, 1..=1000_u32))]
    pub messages_per_second: u32,

    /// How often a player's client must say something, 1 s to 10 min; silent for twice as long, it is taken for dead.
    #[arg(long, env = "KLAXON_HEARTBEAT", value_name = "TIME", default_value = "30s", value_parser = |text: &str| span(text, Span(1_000)..=Span(600_000)))]
    pub heartbeat: Span,

    /// How long a new connection may take to join a show, 100 ms to 5 min.
    #[arg(long, env = "KLAXON_JOIN_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = |text: &str| span(text, Span(100)..=Span(300_000)))]
    pub join_timeout: Span,

    /// The file with the admin token; made if it is missing. Default: admin.token in the data directory.
    #[arg(long, env = "KLAXON_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// The file with the secret that signs resume tokens; made if it is missing. Default: resume.secret in the data directory.
    #[arg(long, env = "KLAXON_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// The file with the key that players' tokens (JWT) are checked with. Default: none, all players are guests.
    #[arg(long, env = "KLAXON_JWT_KEY_FILE", value_name = "FILE")]
    pub jwt_key_file: Option<PathBuf>,

    /// How players' tokens are signed: `eddsa` (the file holds the public key as PEM) or `hs256` (it holds the secret).
    #[arg(long, env = "KLAXON_JWT_ALGORITHM", value_name = "NAME", default_value = "eddsa", value_parser = values::algorithm)]
    pub jwt_algorithm: JwtAlgorithm,

    /// Whether players without a token may play: `allow` or `refuse`; `refuse` needs a `jwt-key-file`.
    #[arg(long, env = "KLAXON_GUESTS", value_name = "RULE", default_value = "allow", value_parser = values::guests)]
    pub guests: Guests,

    /// How the log is written to standard error: `human` or `json`.
    #[arg(long, env = "KLAXON_LOG", value_name = "FORMAT", default_value = "human", value_parser = values::log_format)]
    pub log: LogFormat,

    /// What is logged: a level, or levels by module, such as `warn,klaxon_engine=debug`.
    #[arg(long, env = "KLAXON_LOG_FILTER", value_name = "LEVELS", default_value = "info", value_parser = values::log_filter)]
    pub log_filter: String,

    /// How long players may take to leave when the server stops, up to 10 min.
    #[arg(long, env = "KLAXON_DRAIN_LIMIT", value_name = "TIME", default_value = "10s", value_parser = |text: &str| span(text, Span(0)..=Span(600_000)))]
    pub drain_limit: Span,

    /// Where each of these comes from.
    #[arg(skip)]
    pub origins: Origins,
}

impl ServeOptions {
    /// How many threads own sockets.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shards.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from).min(256))
    }

    /// How many players' connections there may be. Raises the process's limit of open files if that is what bounds them.
    #[must_use]
    pub fn max_connections(&self) -> usize {
        let open_files = open_files();
        self.max_connections.unwrap_or_else(|| {
            usize::try_from(open_files.saturating_sub(FILES_FOR_OTHERS))
                .unwrap_or(usize::MAX)
                .clamp(1, MOST_CONNECTIONS)
        })
    }

    /// Where the admin token is.
    #[must_use]
    pub fn admin_token_file(&self) -> PathBuf {
        self.admin_token_file.clone().unwrap_or_else(|| self.data_dir.join("admin.token"))
    }

    /// Where the secret behind resume tokens is.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.secret_file.clone().unwrap_or_else(|| self.data_dir.join("resume.secret"))
    }

    /// Says that this option's value can't be used, for whoever is the first to find out.
    pub fn blame(&self, key: &str, value: impl ToString, problem: impl ToString) -> ConfigError {
        let origin = self.origins.of(key);
        ConfigError::Wrong { key: key.to_owned(), value: value.to_string(), origin, problem: problem.to_string() }
    }
}
