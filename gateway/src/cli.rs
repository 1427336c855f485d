//! The `klaxon` command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use klaxon_protocol::games::bingo::Bytes32;
use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::text::HarmlessLines;

use crate::config::{
    self, ArchiveOptions, ConfigError, EngineOptions, GatewayOptions, SecretUrl, SecretUrls, ServeOptions,
};
use crate::console::HostOptions;

/// Live game shows: one host, any number of players.
#[derive(Debug, Parser)]
#[command(name = "klaxon", version)]
pub struct Klaxon {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `klaxon` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a server that needs no other: gateway, engine, journal and archive in one process.
    Serve(Box<ServeOptions>),
    /// Run a gateway for players and hosts, one of several.
    Gateway(Box<GatewayOptions>),
    /// Run an engine that plays shows, one of several.
    Engine(Box<EngineOptions>),
    /// Fill a database with what became of the shows.
    Archive(Box<ArchiveOptions>),
    /// Host a show: a live console, or a script on standard input.
    Host(Box<HostOptions>),
    /// Play a journal again and compare every state with the recorded one.
    Replay(ReplayOptions),
    /// Forget a person: take out of a stopped server's data, of Redis, Kafka or a database, who they are and what they were called.
    Forget(ForgetOptions),
    /// Write the proof file of a part of bingo that is over, from the journal of its show.
    Proof(ProofOptions),
    /// Check a proof file of bingo: deal all tickets again, draw all balls again, and say what is wrong.
    Verify(VerifyOptions),
    /// Copy pictures, sounds and videos to names that tell nothing, and print what questions need to show them.
    Media(MediaOptions),
    /// Look at packs of questions.
    #[command(subcommand)]
    Pack(PackCommand),
    /// Say everything that is wrong with a show's file, or play it dry and say how long it takes and what it pays.
    Check(CheckOptions),
}

/// What `klaxon check` needs.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// The show, a file in TOML or (by its name's ending) JSON.
    pub file: PathBuf,

    /// How many simulated players there are, 0 to 10,000.
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = |text: &str| config::number(text, 0..=10_000_u32))]
    pub players: u32,

    /// From which the players' answers, tickets and balls follow: another number plays another show.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub seed: u64,
}

/// What `klaxon replay` needs.
#[derive(Debug, Args)]
pub struct ReplayOptions {
    /// The journal, a file.
    #[arg(required_unless_present = "kafka")]
    pub journal: Option<PathBuf>,

    /// Read the journal from Kafka instead: where its brokers are, such as `127.0.0.1:9092`.
    #[arg(long, value_name = "HOST:PORT", requires = "show", conflicts_with = "journal", value_parser = config::brokers)]
    pub kafka: Option<String>,

    /// The topic that holds the journals of all shows.
    #[arg(long, value_name = "NAME", default_value = "klaxon.journal")]
    pub kafka_topic: String,

    /// The topic that holds who is who. Default: the topic of the journals with `.people` behind it.
    #[arg(long, value_name = "NAME")]
    pub kafka_people_topic: Option<String>,

    /// The file with the keys that sealed the journal, a line for each.
    #[arg(long, env = "KLAXON_SEAL_KEY_FILE", value_name = "FILE")]
    pub seal_key_file: Option<PathBuf>,

    /// Which show.
    #[arg(long, value_name = "ID", requires = "kafka")]
    pub show: Option<ShowId>,

    /// Write the journal that was read from Kafka to this file, opened if it was sealed, and who is who beside it with the ending `klxp`.
    #[arg(long, value_name = "FILE", requires = "kafka")]
    pub save: Option<PathBuf>,
}

/// What `klaxon proof` needs.
#[derive(Debug, Args)]
pub struct ProofOptions {
    /// The journal, a file.
    pub journal: PathBuf,

    /// Which part of the show, from 0. Needed if several are bingo.
    #[arg(long, value_name = "NUMBER")]
    pub part: Option<u8>,

    /// Put the tickets into it, too: the file is many times as large.
    #[arg(long)]
    pub tickets: bool,

    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// What `klaxon verify` needs.
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// The proof file.
    pub file: PathBuf,

    /// The commitment that the show published before the first ticket: 64 hex digits.
    #[arg(long, value_name = "HEX")]
    pub commitment: Option<Bytes32>,

    /// The hash of the roster that the show published before the first ball: 64 hex digits.
    #[arg(long, value_name = "HEX")]
    pub roster_hash: Option<Bytes32>,

    /// The public value as you know it from elsewhere.
    #[arg(long, value_name = "TEXT")]
    pub public_value: Option<String>,

    /// Print the tickets of this seat.
    #[arg(long, value_name = "NUMBER")]
    pub seat: Option<u32>,
}

/// What `klaxon media` needs.
#[derive(Debug, Args)]
pub struct MediaOptions {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,

    /// The folder for the copies, which you then upload.
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,

    /// Where players will find that folder.
    #[arg(long, value_name = "HTTPS-URL")]
    pub url: String,
}

/// What `klaxon forget` needs.
#[derive(Debug, Args)]
pub struct ForgetOptions {
    /// The player's id: the `sub` of their tokens, or the id that was made for a guest.
    pub player: PlayerId,

    /// The data directory of a `klaxon serve` or a `klaxon engine`, which must not run.
    #[arg(long, env = "KLAXON_DATA_DIR", value_name = "DIR", required_unless_present_any = ["database", "redis", "kafka"])]
    pub data_dir: Option<PathBuf>,

    /// The Redis of a cluster.
    #[arg(long, env = "KLAXON_REDIS", hide_env_values = true, value_name = "URL", value_parser = |text: &str| text.parse::<SecretUrls>())]
    pub redis: Option<SecretUrls>,

    /// What all keys in Redis begin with.
    #[arg(long, env = "KLAXON_REDIS_PREFIX", value_name = "WORD", default_value = "klaxon")]
    pub redis_prefix: String,

    /// The Kafka of a cluster: where its brokers are, such as `127.0.0.1:9092`.
    #[arg(long, env = "KLAXON_KAFKA", value_name = "HOST:PORT", value_parser = config::brokers)]
    pub kafka: Option<String>,

    /// The topic that holds the journals of all shows.
    #[arg(long, env = "KLAXON_KAFKA_TOPIC", value_name = "NAME", default_value = "klaxon.journal")]
    pub kafka_topic: String,

    /// The topic that holds who is who. Default: the topic of the journals with `.people` behind it.
    #[arg(long, env = "KLAXON_KAFKA_PEOPLE_TOPIC", value_name = "NAME")]
    pub kafka_people_topic: Option<String>,

    /// The file with the keys that sealed it, a line for each.
    #[arg(long, env = "KLAXON_SEAL_KEY_FILE", value_name = "FILE")]
    pub seal_key_file: Option<PathBuf>,

    /// The database that a `klaxon archive` fills.
    #[arg(long, env = "KLAXON_DATABASE", hide_env_values = true, value_name = "URL", value_parser = config::database)]
    pub database: Option<SecretUrl>,

    /// In which show; in all of them if not given.
    #[arg(long, value_name = "ID")]
    pub show: Option<ShowId>,
}

/// What `klaxon pack` can do.
#[derive(Debug, Subcommand)]
pub enum PackCommand {
    /// Say everything that is wrong with a pack.
    Check {
        /// The pack, or `bundled` for the one that comes with Klaxon.
        file: PathBuf,
        /// How the pack is written.
        #[command(flatten)]
        written: PackFormat,
    },
    /// Print a pack as hosts send it to the server: in `create`, or as a quiz in `create_game` if trivia can't ask its questions.
    Show {
        /// The pack, or `bundled` for the one that comes with Klaxon.
        file: PathBuf,
    },
    /// Write a pack in Klaxon's own format.
    Import {
        /// The pack.
        file: PathBuf,
        /// How the pack is written.
        #[command(flatten)]
        written: PackFormat,
        /// Leave out questions that can't be played, and name them, instead of importing nothing.
        #[arg(long)]
        skip_bad: bool,
        /// Where to write it: as JSON if its name ends in `.json`, and as TOML otherwise.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

/// How a pack is written.
#[derive(Debug, Args)]
pub struct PackFormat {
    /// How it is written: `toml`, `json`, `opentdb`, `opentdb-html`, `opentdb-url3986`, `opentdb-urllegacy`, `opentdb-base64`
    /// or `sheet` (CSV, TSV, xlsx); found out from the file if not given.
    #[arg(long)]
    pub format: Option<String>,
    /// The sheet with the questions, if an xlsx file has several.
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// Take only what a show of trivia can ask: questions with one right choice of 2 to 6.
    #[arg(long)]
    pub trivia: bool,
}

impl Klaxon {
    /// What was asked for. Ends the process for `--help`, `--version`, `--print-config`, and with status 2 if it makes no sense.
    #[must_use]
    pub fn from_process() -> Self {
        match Self::from_words(std::env::args_os().collect()) {
            Ok(CommandLine::Run(klaxon)) => klaxon,
            Ok(CommandLine::Print(text)) => {
                println!("{text}");
                std::process::exit(0);
            }
            Err(ConfigError::Usage(error)) => error.exit(),
            Err(error) => {
                eprintln!("error: {}", HarmlessLines(&error.to_string()));
                std::process::exit(2);
            }
        }
    }

    /// What these words, the first of which is the program's name, ask for, in this process's environment.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    pub fn from_words(words: Vec<OsString>) -> Result<CommandLine, ConfigError> {
        let command = Self::command();
        let (matches, origins) = config::parse(&command, words)?;
        let asked = matches.subcommand().and_then(|(name, chosen)| Some((command.find_subcommand(name)?, chosen)));
        let Some((asked, chosen)) = asked.filter(|(asked, _)| config::is_configured(asked)) else {
            return Ok(CommandLine::Run(Self::from_arg_matches(&matches)?));
        };
        if chosen.get_flag("print_config") {
            return Ok(CommandLine::Print(config::effective(asked, chosen, &origins)));
        }
        let mut klaxon = Self::from_arg_matches(&matches)?;
        match &mut klaxon.command {
            Command::Serve(options) => config::settle(&mut **options, origins)?,
            Command::Gateway(options) => config::settle(&mut **options, origins)?,
            Command::Engine(options) => config::settle(&mut **options, origins)?,
            Command::Archive(options) => config::settle(&mut **options, origins)?,
            Command::Host(_)
            | Command::Replay(_)
            | Command::Forget(_)
            | Command::Proof(_)
            | Command::Verify(_)
            | Command::Media(_)
            | Command::Pack(_)
            | Command::Check(_) => {}
        }
        Ok(CommandLine::Run(klaxon))
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum CommandLine {
    /// To do something.
    Run(Klaxon),
    /// To print this and no more.
    Print(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_consistent() {
        Klaxon::command().debug_assert();
    }
}
