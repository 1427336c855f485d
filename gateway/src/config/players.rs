//! What an operator can choose about the players' side.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Args, Command, FromArgMatches};
use klaxon_protocol::name::Reserved;
use klaxon_protocol::time::Span;

use crate::transport::Transport;

use super::{CommonOptions, Guests, JwtAlgorithm, number, open_files, span, values};

/// Open files that are not for players: the journal, the archive, hosts, the log, and what the system needs.
const FILES_FOR_OTHERS: u64 = 200;
/// Shards have a number of eight bits.
const MOST_SHARDS: usize = 256;
/// More sockets than any machine of ours has memory for.
const MOST_CONNECTIONS: usize = 10_000_000;

/// How players are let in and treated.
#[derive(Debug, Clone, Args)]
pub struct PlayersOptions {
    /// Where players connect: address and port.
    #[arg(long, env = "KLAXON_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:4700", value_parser = values::address)]
    pub listen: SocketAddr,

    /// Threads that own players' sockets, 1 to 256. Default: one for each core.
    #[arg(long, env = "KLAXON_SHARDS", value_name = "COUNT", value_parser = |text: &str| number(text, 1..=MOST_SHARDS))]
    pub shards: Option<usize>,

    /// How players' sockets are driven: `io-uring`, `portable` (by readiness), or `auto`, which takes io_uring where it is to be had.
    #[arg(long, env = "KLAXON_TRANSPORT", value_name = "NAME", default_value = "auto", value_parser = values::transport)]
    pub transport: Transport,

    /// Players' connections at one time; more are refused with `no_capacity`. Default: the limit of open files less 200.
    #[arg(long, env = "KLAXON_MAX_CONNECTIONS", value_name = "COUNT", value_parser = |text: &str| number(text, 1..=MOST_CONNECTIONS))]
    pub max_connections: Option<usize>,

    /// What one player may take.
    #[command(flatten)]
    pub limits: PlayerLimits,

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

    /// Further words by which no player may be called, at most 100, such as `Gastgeber,Spielleiter`. Default: none.
    #[arg(long, env = "KLAXON_RESERVED_NAMES", value_name = "WORDS", value_parser = Reserved::further)]
    pub reserved_names: Option<Reserved>,

    /// How long players may take to leave when the server stops, up to 10 min.
    #[arg(long, env = "KLAXON_DRAIN_LIMIT", value_name = "TIME", default_value = "10s", value_parser = |text: &str| span(text, Span(0)..=Span(600_000)))]
    pub drain_limit: Span,
}

/// What one player may take, in bytes, messages and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct PlayerLimits {
    /// Bytes that may wait for one player before the connection is taken for too slow, 4096 to 16777216.
    #[arg(long, env = "KLAXON_OUTBOX_BYTES", value_name = "BYTES", default_value = "65536", value_parser = |text: &str| number(text, 4096..=16_777_216_usize))]
    pub outbox_bytes: usize,

    /// Messages a player may send in a second on average, 1 to 1000; twice as many at once.
    #[arg(long, env = "KLAXON_MESSAGES_PER_SECOND", value_name = "COUNT", default_value = "10", value_parser = |text: &str| number(text, 1..=1000_u32))]
    pub messages_per_second: u32,

    /// Who says nothing for longer than this, 1 s to 10 min, is pinged; who does not answer that until twice as long is over is taken for dead.
    #[arg(long, env = "KLAXON_HEARTBEAT", value_name = "TIME", default_value = "30s", value_parser = |text: &str| span(text, Span(1_000)..=Span(600_000)))]
    pub heartbeat: Span,

    /// How long a new connection may take to join a show, 100 ms to 5 min.
    #[arg(long, env = "KLAXON_JOIN_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = |text: &str| span(text, Span(100)..=Span(300_000)))]
    pub join_timeout: Span,
}

impl PlayersOptions {
    /// The defaults, whatever the environment says.
    ///
    /// # Panics
    /// If a default is refused, or an option has none.
    #[must_use]
    pub fn defaults() -> Self {
        let command = Self::augment_args(Command::new("players").no_binary_name(true));
        let command = command.mut_args(|arg| arg.env(Resettable::Reset));
        let chosen = command.try_get_matches_from(None::<&str>);
        chosen.and_then(|chosen| Self::from_arg_matches(&chosen)).expect("each option has a default or needs no value")
    }

    /// How many threads own sockets.
    #[must_use]
    pub fn shards(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.shards.unwrap_or_else(cores).clamp(1, MOST_SHARDS)
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

    /// Where the secret behind resume tokens is.
    #[must_use]
    pub fn secret_file(&self, common: &CommonOptions) -> PathBuf {
        self.secret_file.clone().unwrap_or_else(|| common.data_dir.join("resume.secret"))
    }
}
