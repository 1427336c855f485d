//! The command line of `klaxon-swarm`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use klaxon_protocol::games::rundown::Script;
use klaxon_protocol::games::trivia::{Autopilot, Mode, NobodyLeft, Pack, PrizeRule, Settings};
use klaxon_protocol::time::Span;
use klaxon_servers::Persistence;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use klaxon_simulator::swarm::faults::{FaultPlan, UpgradeOrder};
use klaxon_simulator::swarm::games::rundown::{CommonSettings, show};
use klaxon_simulator::swarm::games::trivia::arithmetic;
use klaxon_simulator::swarm::games::{Game, ShowName};
use klaxon_simulator::swarm::host::{Extras, Pace};
use klaxon_simulator::swarm::players::{CodecChoice, Shares, SwarmSettings};
use klaxon_simulator::swarm::show::ShowPlan;

use crate::choices::{ModeArg, PersistenceArg};

/// How much longer than its fault a question may last: an engine that takes the show up gives its time again.
const AFTER_FAULT: Duration = Duration::from_secs(15);

/// How much longer than players join the script waits in the lobby.
const LOBBY: Duration = Duration::from_secs(3);

/// Plays a whole live show with thousands of real players, audits what the server promises, and reports.
///
/// Exit code 0: every promise was kept. 1: one was not. 2: the show could not be played.
#[derive(Debug, Clone, Parser)]
#[command(name = "klaxon-swarm", version, max_term_width = 110)]
pub struct Args {
    /// What is played
    #[arg(long, value_enum, default_value_t = ShowName::Trivia)]
    pub show: ShowName,
    /// How many players
    #[arg(long, default_value_t = 2000)]
    pub players: u32,
    /// How many only watch, besides the players
    #[arg(long, default_value_t = 20)]
    pub spectators: u32,
    /// How many questions, of trivia or of the pack in an evening
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub questions: u16,
    /// How long a question is open, or a ball can be called
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub open_for: Duration,
    /// From a question or a ball being sent until it opens
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub lead: Duration,
    /// What right and wrong answers do in trivia
    #[arg(long, value_enum, default_value_t = ModeArg::Elimination)]
    pub mode: ModeArg,
    /// Right answers earn 1000 points however fast they were
    #[arg(long)]
    pub no_speed_points: bool,
    /// Right answers in a row earn no more than single ones
    #[arg(long)]
    pub no_streak_points: bool,
    /// Extra lives of each player
    #[arg(long, default_value_t = 1)]
    pub lives: u8,
    /// What is won in trivia, in minor units (cents)
    #[arg(long, default_value_t = 1_000_000)]
    pub pot: u64,
    /// Over how long the players join
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub rush: Duration,
    /// From the tally to the reveal
    #[arg(long, default_value = "300ms", value_parser = duration)]
    pub suspense: Duration,
    /// From the reveal to the next question
    #[arg(long, default_value = "700ms", value_parser = duration)]
    pub pause: Duration,
    /// Which codec the players use
    #[arg(long, value_enum, default_value_t = CodecChoice::Mix)]
    pub codec: CodecChoice,
    #[command(flatten)]
    pub shares: Shares,
    /// How many hostile connections besides
    #[arg(long, default_value_t = 0)]
    pub hostile: u32,
    /// Play without hostile connections and then with this many, and print the ratios for the honest players
    #[arg(long, value_name = "HOSTILE", conflicts_with = "hostile")]
    pub compare_hostile: Option<u32>,
    /// With --compare-hostile: exit with 1 if the honest players' p99 grows by more than this factor
    #[arg(long, requires = "compare_hostile")]
    pub max_ratio: Option<f64>,
    /// How often the server is killed (SIGKILL) in the middle of a question and started again
    #[arg(long, default_value_t = 0)]
    pub kills: u16,
    /// The host also pauses, adjusts, voids, closes early and too early, gives lives and sends a message, once each
    #[arg(long)]
    pub extras: bool,
    /// The server's own script runs the show
    #[arg(long, conflicts_with = "extras")]
    pub autopilot: bool,
    /// From which everything random comes; printed, so that a run can be done again
    #[arg(long)]
    pub seed: Option<u64>,
    /// The questions, a pack in Klaxon's JSON; sums if there is none
    #[arg(long)]
    pub pack: Option<PathBuf>,
    /// The server program; by default `klaxon` beside this one
    #[arg(long)]
    pub klaxon: Option<PathBuf>,
    /// Use a running server: its players' address
    #[arg(long, requires_all = ["admin", "token_file", "journal"], conflicts_with_all = ["klaxon", "kills"])]
    pub server: Option<SocketAddr>,
    /// Use a running server: its admin address
    #[arg(long, requires = "server")]
    pub admin: Option<SocketAddr>,
    /// Use a running server: the file that holds its admin token
    #[arg(long, requires = "server")]
    pub token_file: Option<PathBuf>,
    /// Use a running server: the directory of its journals
    #[arg(long, requires = "server")]
    pub journal: Option<PathBuf>,
    /// Play on a whole cluster of processes on this machine: engines, gateways, the archive service, Redis, a Kafka broker, PostgreSQL
    #[arg(long, conflicts_with_all = ["server", "kills", "pin", "compare_hostile"])]
    pub cluster: bool,
    /// Play the same show this many times on one process and on clusters of 1, 2 and 3 gateways, and print what an answer costs on each
    #[arg(long, value_name = "ROUNDS", conflicts_with_all = ["cluster", "server", "kills", "pin", "compare_hostile", "hostile"])]
    pub compare_gateways: Option<u16>,
    /// With --cluster: kill or stop one process in each question, chosen by the seed
    #[arg(long, requires = "cluster")]
    pub faults: bool,
    /// With --cluster and 2 engines: upgrade each engine and gateway to this program, one in each question
    #[arg(long, value_name = "KLAXON", requires = "cluster", conflicts_with = "faults")]
    pub upgrade_to: Option<PathBuf>,
    /// Which are upgraded first
    #[arg(long, value_enum, requires = "upgrade_to", default_value = "gateways")]
    pub upgrade_first: UpgradeOrder,
    /// With --cluster: how many engines
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub engines: u16,
    /// With --cluster: how many gateways
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub gateways: u16,
    /// With --cluster: what Redis keeps over a kill; by the seed if there are faults, else everything
    #[arg(long, value_enum, requires = "cluster")]
    pub redis_persistence: Option<PersistenceArg>,
    /// Bind the server to processor core 0 and the swarm to core 1
    #[arg(long)]
    pub pin: bool,
    /// Threads of the swarm; by default 2, or 1 when pinned
    #[arg(long)]
    pub threads: Option<usize>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as an HTML page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Keep the server's data directory; it is kept anyway if a promise was broken
    #[arg(long)]
    pub keep_data: bool,
}

/// `500ms`, `5s` or `2min`.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text);
    let duration = duration.map_err(|error| format!("{error}; a duration is such as 500ms, 5s or 2min"))?;
    if duration > Span(u32::MAX).to_std() {
        return Err("too long: 49 days at most".to_owned());
    }
    Ok(duration)
}

fn span(duration: Duration) -> Span {
    Span(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
}

impl Args {
    /// What is to be played, with this number of hostile connections.
    pub fn plan(&self, seed: u64, hostile: u32) -> anyhow::Result<ShowPlan> {
        let game = self.game(seed)?;
        let rounds = game.rounds();
        ensure!(self.kills <= rounds, "--kills: at most one for each question");
        let sure = game.sure_rounds();
        let extras = if self.extras { Extras::from_seed(seed, sure) } else { Extras::default() };
        // Hostile connections take seats too, so the count of seats does not show how many players are still to come.
        let join = self.rush + Duration::from_millis(500) + Duration::from_secs(if hostile > 0 { 3 } else { 0 });
        let question = self.lead + self.open_for * 2 + self.suspense + self.pause + Duration::from_secs(3);
        let faults = if self.faults {
            FaultPlan::of_a_cluster(seed, self.questions, self.gateways).every((sure / self.questions).max(1))
        } else if self.upgrade_to.is_some() {
            ensure!(self.engines == 2, "--upgrade-to: a cluster of 2 engines is upgraded");
            let needed = self.engines + self.gateways;
            ensure!(self.questions >= needed, "--upgrade-to: this takes {needed} questions, one for each process");
            FaultPlan::of_an_upgrade(seed, self.upgrade_first, self.gateways)
        } else {
            FaultPlan::of_a_server(seed, self.kills, sure)
        };
        Ok(ShowPlan {
            game,
            pace: Pace {
                players: self.players,
                lobby_least: join,
                lobby_most: join + Duration::from_secs(30),
                suspense: self.suspense,
                pause: self.pause,
                autopilot: self.autopilot,
            },
            extras,
            swarm: SwarmSettings {
                seed,
                players: self.players,
                spectators: self.spectators,
                rush: self.rush,
                codec: self.codec,
                shares: self.shares,
            },
            hostile,
            limit: join
                + Duration::from_secs(60)
                + (question + self.pause) * u32::from(rounds + self.kills)
                + (faults.longest() + AFTER_FAULT) * u32::try_from(faults.len()).unwrap_or_default(),
            faults,
        })
    }

    /// What Redis keeps over a kill in this run.
    pub fn persistence(&self, seed: u64) -> Persistence {
        match self.redis_persistence {
            Some(PersistenceArg::None) => Persistence::None,
            None if self.faults => FaultPlan::persistence(seed),
            Some(PersistenceArg::Aof) | None => Persistence::AppendOnly,
        }
    }

    /// The server program: the one that was named, or `klaxon` beside this one.
    pub fn program(&self) -> anyhow::Result<PathBuf> {
        if let Some(program) = &self.klaxon {
            return Ok(program.clone());
        }
        let beside = std::env::current_exe()?.with_file_name("klaxon");
        ensure!(beside.exists(), "there is no {}: name the server program with --klaxon", beside.display());
        Ok(beside)
    }

    /// The mode of trivia, or the game.
    pub const fn mode_name(&self) -> &'static str {
        match self.show {
            ShowName::Trivia => self.mode.name(),
            ShowName::Bingo75 | ShowName::Bingo90 => "bingo",
            ShowName::Kinds => "quiz",
            ShowName::Evening => "quiz and bingo",
        }
    }

    /// The seed, random if none was given.
    pub fn seed(&self) -> u64 {
        // Short enough to be typed again.
        self.seed.unwrap_or_else(|| rand::rng().random_range(1..1_000_000))
    }

    fn game(&self, seed: u64) -> anyhow::Result<Game> {
        let script = Script {
            on: self.autopilot,
            lobby: span(self.rush + LOBBY),
            suspense: span(self.suspense),
            between: span(self.pause),
        };
        let common = CommonSettings { open_for: self.open_for, lead: self.lead, lives: self.lives, script };
        if let Some(game) = show(self.show, &self.pack(seed)?, self.seats(), &common) {
            return Ok(game);
        }
        let settings = self.settings();
        if let Some(problem) = settings.problems().first() {
            bail!("the server would not take these settings: {problem}");
        }
        Ok(Game::Trivia { pack: self.pack(seed)?, settings })
    }

    /// How many can play: all players, and those who steal in.
    fn seats(&self) -> u32 {
        self.players.saturating_mul(2).max(100)
    }

    fn settings(&self) -> Settings {
        let (mode, prize) = match self.mode {
            ModeArg::Elimination => (Mode::Elimination, PrizeRule::Split),
            ModeArg::Points => (Mode::Points, PrizeRule::Podium { weights: vec![50, 30, 20] }),
            ModeArg::Both => (Mode::Both, PrizeRule::Podium { weights: vec![50, 30, 20] }),
        };
        Settings {
            mode,
            prize,
            lives: self.lives,
            open_for: span(self.open_for),
            lead: span(self.lead),
            pot: self.pot,
            speed_points: !self.no_speed_points,
            streak_points: !self.no_streak_points,
            nobody_left: NobodyLeft::LastStanding,
            autopilot: Autopilot {
                on: self.autopilot,
                lobby: span(self.rush + LOBBY),
                suspense: span(self.suspense),
                pause: span(self.pause),
            },
            ..Settings::default()
        }
    }

    /// As many questions of the pack as are wanted, chosen by the seed, each open as long as the command line says.
    fn pack(&self, seed: u64) -> anyhow::Result<Pack> {
        let Some(path) = &self.pack else { return Ok(arithmetic(seed, self.questions)) };
        let bytes = std::fs::read(path).with_context(|| format!("--pack {}", path.display()))?;
        let mut pack: Pack = serde_json::from_slice(&bytes).with_context(|| format!("--pack {}", path.display()))?;
        let problems: Vec<String> = pack.problems().iter().map(ToString::to_string).collect();
        ensure!(problems.is_empty(), "--pack {}: {}", path.display(), problems.join("; "));
        let wanted = usize::from(self.questions);
        ensure!(pack.questions.len() >= wanted, "--pack {}: has fewer than {wanted} questions", path.display());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        pack.questions.shuffle(&mut rng);
        pack.questions.truncate(wanted);
        pack.questions.iter_mut().for_each(|question| question.open_for = None);
        Ok(pack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::try_parse_from(std::iter::once("klaxon-swarm").chain(line.split_whitespace())).unwrap()
    }

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("2min"), duration("1m 60s"));
        for bad in ["", "5", "s", "-1s", "5 parsecs", "50d"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_mode_makes_settings_that_a_server_takes() {
        for mode in ["elimination", "points", "both"] {
            let plan = args(&format!("--mode {mode} --questions 3")).plan(1, 0).unwrap();
            let Game::Trivia { pack, settings } = plan.game else { panic!("trivia is usual") };
            assert_eq!(pack.questions.len(), 3);
            assert_eq!(settings.problems(), Vec::<String>::new());
        }
        assert!(args("--open-for 1ms").plan(1, 0).is_err());
        assert!(args("--questions 2 --kills 3").plan(1, 0).is_err());
    }

    #[test]
    fn a_cluster_has_its_faults_only_when_asked_and_a_redis_by_the_seed() {
        let calm = args("--cluster --questions 3");
        assert!(calm.plan(7, 0).unwrap().faults.is_empty());
        assert_eq!(calm.persistence(7), Persistence::AppendOnly);
        let faulty = args("--cluster --faults --questions 3");
        assert_eq!(faulty.plan(7, 0).unwrap().faults.len(), 3);
        assert_eq!(faulty.persistence(7), FaultPlan::persistence(7));
        assert_eq!(args("--cluster --redis-persistence none").persistence(7), Persistence::None);
        let upgrade = args("--cluster --upgrade-to klaxon-next --questions 5");
        assert_eq!(upgrade.plan(7, 0).unwrap().faults.len(), 5);
        assert!(args("--cluster --upgrade-to klaxon-next --questions 4").plan(7, 0).is_err());
        assert!(args("--cluster --upgrade-to klaxon-next --engines 3").plan(7, 0).is_err());
        let line = |line: &str| Args::try_parse_from(std::iter::once("klaxon-swarm").chain(line.split_whitespace()));
        assert!(line("--faults").is_err() && line("--cluster --kills 1").is_err());
    }

    #[test]
    fn a_show_of_bingo_has_its_faults_in_the_balls_that_it_surely_has() {
        for (show, balls) in [("bingo75", 75), ("bingo90", 90)] {
            let line = format!("--show {show} --players 300 --cluster --faults --questions 10 --extras");
            let plan = args(&line).plan(7, 0).unwrap();
            assert_eq!((plan.game.rounds(), plan.faults.len()), (balls, 10));
            let Game::Rundown { setup, seats, .. } = plan.game else { panic!("bingo is a part of a rundown") };
            let setup: klaxon_protocol::games::rundown::Setup = setup.read_known().unwrap();
            assert_eq!(setup.problems(), Vec::<String>::new());
            assert!(seats >= 300);
        }
    }

    #[test]
    fn a_show_of_several_parts_has_its_extras_and_faults_in_its_first_part() {
        for (show, first) in [("kinds", 23), ("evening", 10)] {
            let plan = args(&format!("--show {show} --cluster --faults --questions 10")).plan(7, 0).unwrap();
            assert_eq!((plan.game.sure_rounds(), plan.faults.len()), (first, 10), "{show}");
            let Game::Rundown { setup, rounds, .. } = plan.game else { panic!("these are parts of a rundown") };
            let setup: klaxon_protocol::games::rundown::Setup = setup.read_known().unwrap();
            assert_eq!(setup.problems(), Vec::<String>::new());
            assert!(setup.parts.len() > 3 && rounds > first);
        }
    }

    #[test]
    fn a_pack_is_cut_to_size_by_the_seed_and_the_clock_is_the_command_line_s() {
        let mut pack = arithmetic(1, 50);
        pack.questions.iter_mut().for_each(|question| question.open_for = Some(Span(600_000)));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), serde_json::to_vec(&pack).unwrap()).unwrap();
        let args = args(&format!("--pack {} --questions 12", file.path().display()));
        let chosen = args.pack(7).unwrap();
        assert_eq!(chosen.questions.len(), 12);
        assert!(chosen.questions.iter().all(|question| question.open_for.is_none()));
        assert_eq!(chosen, args.pack(7).unwrap());
        assert_ne!(chosen, args.pack(8).unwrap());
    }
}
