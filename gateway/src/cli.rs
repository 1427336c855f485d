//! The `klaxon` command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, ConfigError, ServeOptions};
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
    /// Run a server.
    Serve(Box<ServeOptions>),
    /// Host a show: a live console, or a script on standard input.
    Host(Box<HostOptions>),
    /// Play a journal again and compare every state with the recorded one.
    Replay(ReplayOptions),
    /// Look at packs of questions.
    #[command(subcommand)]
    Pack(PackCommand),
}

/// What `klaxon replay` needs.
#[derive(Debug, Args)]
pub struct ReplayOptions {
    /// The journal.
    pub journal: PathBuf,
}

/// What `klaxon pack` can do.
#[derive(Debug, Subcommand)]
pub enum PackCommand {
    /// Say everything that is wrong with a pack.
    Check {
        /// The pack, or `bundled` for the one that comes with Klaxon.
        file: PathBuf,
        /// How it is written: `toml`, `json`, `opentdb`, `opentdb-html`, `opentdb-url3986`, `opentdb-urllegacy`, `opentdb-base64`
        /// or `kahoot`; found out from the file if not given.
        #[arg(long)]
        format: Option<String>,
    },
    /// Print a pack as hosts send it to the server in `create`.
    Show {
        /// The pack, or `bundled` for the one that comes with Klaxon.
        file: PathBuf,
    },
    /// Write a pack in Klaxon's own format.
    Import {
        /// The pack.
        file: PathBuf,
        /// How it is written: `toml`, `json`, `opentdb`, `opentdb-html`, `opentdb-url3986`, `opentdb-urllegacy`, `opentdb-base64`
        /// or `kahoot`; found out from the file if not given.
        #[arg(long)]
        format: Option<String>,
        /// Where to write it, as TOML.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

impl Klaxon {
    /// What was asked for. Ends the process for `--help`, `--version`, `--print-config`, and with status 2 if it makes no sense.
    #[must_use]
    pub fn from_process() -> Self {
        match Self::from_words(std::env::args_os().collect()) {
            Ok(Asked::Run(klaxon)) => klaxon,
            Ok(Asked::Print(text)) => {
                println!("{text}");
                std::process::exit(0);
            }
            Err(ConfigError::Usage(error)) => error.exit(),
            Err(error) => {
                eprintln!("error: {error}");
                std::process::exit(2);
            }
        }
    }

    /// What these words, the first of which is the program's name, ask for, in this process's environment.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    pub fn from_words(words: Vec<OsString>) -> Result<Asked, ConfigError> {
        let command = Self::command();
        let (matches, origins) = config::parse(&command, words)?;
        if let (Some(serve), Some(("serve", chosen))) = (command.find_subcommand("serve"), matches.subcommand()) {
            if chosen.get_flag("print_config") {
                return Ok(Asked::Print(config::effective(serve, chosen, &origins)));
            }
            let options = ServeOptions::from_parsed(chosen, origins)?;
            return Ok(Asked::Run(Self { command: Command::Serve(Box::new(options)) }));
        }
        Ok(Asked::Run(Self::from_arg_matches(&matches)?))
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Asked {
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
