//! The command line of `klaxon-bench`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use klaxon_simulator::bench::contestant::{JournalStorage, Kind, Launch};
use klaxon_simulator::bench::plan::Plan;
use klaxon_simulator::bench::rows::Subject;
use klaxon_simulator::bench::stopping::Stopping;

/// Measures what Klaxon's transport costs, beside the floor of plain system calls and beside a server as people write it first
///
/// A subject is measured in short rounds, its contestants by turns, until the 95 % interval of each ratio is within 5 % of it and each
/// goal is decided, or until `--limit` is over; what is known by then is printed with its interval.
///
/// Exit code 0: it was measured, and with `--must` every goal is reached. 1: with `--must`, a goal is surely missed, or nothing was
/// measured for it. 2: it could not be measured. 3: with `--must`, no goal is missed, but one is undecided: its interval holds the
/// goal.
#[derive(Debug, Parser)]
#[command(name = "klaxon-bench", version, max_term_width = 110)]
pub struct Args {
    #[command(subcommand)]
    pub part: Option<Part>,
    /// Only these subjects
    #[arg(long, value_delimiter = ',', value_name = "SUBJECT,...")]
    pub only: Vec<Subject>,
    /// Players; growth is measured from a tenth of them to nearly twice as many
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=19_000))]
    pub players: Option<u16>,
    /// Exactly this many rounds, not as many as are needed; with fewer than 6 there is no interval
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: Option<u16>,
    /// The seconds after which a subject ends, however wide its intervals are [default: 300, or 20 with --quick]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "rounds")]
    pub limit: Option<u32>,
    /// A look only: fewer players and less time, unless they are given
    #[arg(long)]
    pub quick: bool,
    /// A goal that is missed, undecided or not measured is a failure
    #[arg(long)]
    pub must: bool,
    /// The server program; by default `klaxon` beside this one
    #[arg(long, value_name = "FILE")]
    pub klaxon: Option<PathBuf>,
    /// Writes everything measured as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Writes a page with plots
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// What the bench starts itself as.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// The floor
    #[command(hide = true)]
    ServeFloor { listen: SocketAddr },
    /// The server as people write it first
    #[command(hide = true)]
    ServeCustomary { listen: SocketAddr },
    /// A load
    #[command(hide = true)]
    Load {
        #[arg(long)]
        core: Option<usize>,
    },
}

impl Args {
    /// What is to be measured on a machine with this many cores.
    pub fn plan(&self, cores: usize) -> anyhow::Result<Plan> {
        let klaxon = match &self.klaxon {
            Some(klaxon) => klaxon.clone(),
            None => std::env::current_exe()?.with_file_name("klaxon"),
        };
        let help = Command::new(&klaxon).arg("--help").output();
        help.with_context(|| format!("--klaxon {} can't be started", klaxon.display()))?;
        let (players, limit, boots, idle_for) = if self.quick { (2000, 20, 6, 5) } else { (10_000, 300, 20, 30) };
        let subjects = Subject::ALL.into_iter().filter(|it| self.only.is_empty() || self.only.contains(it));
        Ok(Plan {
            launch: Launch {
                klaxon,
                server_cores: "0".into(),
                load_core: (cores > 1).then_some(1),
                shards: 1,
                journal: JournalStorage::Memory,
                heartbeat: None,
            },
            klaxon: vec![Kind::IoUring, Kind::Portable],
            subjects: subjects.collect(),
            players: self.players.map_or(players, usize::from),
            stopping: Stopping {
                exactly: self.rounds.map(usize::from),
                at_most: Duration::from_secs(self.limit.map_or(limit, u64::from)),
            },
            idle_for: Duration::from_secs(idle_for),
            boots,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_measured_and_nothing_else() {
        let args = Args::parse_from(["klaxon-bench", "--only", "intake,fan-out", "--klaxon", "/bin/echo", "--quick"]);
        let plan = args.plan(2).unwrap();
        assert_eq!(plan.subjects, [Subject::FanOut, Subject::Intake]);
        assert_eq!((plan.players, plan.launch.load_core), (2000, Some(1)));
        assert!(args.plan(1).unwrap().launch.load_core.is_none());
    }
}
