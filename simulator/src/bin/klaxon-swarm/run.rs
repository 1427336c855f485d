//! One run: a server, a show, a report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use klaxon_protocol::player::Phase;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use klaxon_simulator::audit::{AuditOptions, ReplayCommand, audit};
use klaxon_simulator::faults::{Target, Untouched};
use klaxon_simulator::host::{AdminDoor, HostLog, Stage};
use klaxon_simulator::report::{HostLine, PromiseLine, Report, Setup};
use klaxon_simulator::server::{Launch, Server, journal_of};
use klaxon_simulator::show::{Played, ShowPlan, play};
use klaxon_simulator::swarm::{Doors, World};

use crate::args::Args;
use crate::on_cluster::on_cluster;

/// Plays the show with so many hostile connections and reports.
pub async fn once(args: &Args, seed: u64, hostile: u32) -> anyhow::Result<Report> {
    let plan = args.plan(seed, hostile)?;
    let mut setup = Setup {
        title: plan.pack.title.clone(),
        service: None,
        mode: args.mode.name().to_owned(),
        players: args.players,
        spectators: args.spectators,
        hostile,
        questions: args.questions.into(),
        seconds: 0.0,
    };
    if args.cluster {
        return on_cluster(args, seed, plan, setup).await;
    }
    if let Some(players) = args.server {
        let mut played = watched(plan, players.into(), running_door(args)?, &mut Untouched).await?;
        let journals = args.journal.as_deref().unwrap_or(Path::new("."));
        played.evidence.journal = journal_of(journals, played.created.show)?;
        setup.seconds = played.took.as_secs_f64();
        return Ok(report(seed, setup, &played, AuditOptions::default(), program(args).ok()));
    }
    let program = program(args)?;
    let data = tempfile::Builder::new().prefix("klaxon-swarm-").tempdir()?;
    let outcome = with_own_server(args, program.clone(), plan, data.path()).await.map(|played| {
        setup.seconds = played.took.as_secs_f64();
        let options = AuditOptions { direct: true, ..AuditOptions::default() };
        report(seed, setup, &played, options, Some(program))
    });
    if args.keep_data || !outcome.as_ref().is_ok_and(Report::clean) {
        eprintln!("The server's data and log are in {}", data.keep().display());
    }
    outcome.with_context(|| format!("with --seed {seed}"))
}

/// The admin socket of a server that runs already.
fn running_door(args: &Args) -> anyhow::Result<AdminDoor> {
    let address = args.admin.context("--admin is missing")?;
    let path = args.token_file.as_ref().context("--token-file is missing")?;
    let token = std::fs::read_to_string(path).with_context(|| format!("--token-file {}", path.display()))?;
    Ok(AdminDoor { addresses: vec![address], token: token.trim().to_owned() })
}

async fn with_own_server(args: &Args, program: PathBuf, plan: ShowPlan, data: &Path) -> anyhow::Result<Played> {
    let launch = Launch { program, data: data.to_owned(), core: args.pin.then_some(0) };
    let mut server = Server::start(launch).await?;
    let (players, door) = (server.addresses().players, server.door()?);
    let mut played = watched(plan, players.into(), door, &mut server).await?;
    played.costs = vec![server.cost()];
    played.evidence.resident = server.stop().await?;
    played.evidence.journal = journal_of(&data.join("journal"), played.created.show)?;
    Ok(played)
}

/// The server program: the one that was named, or `klaxon` beside this one.
pub fn program(args: &Args) -> anyhow::Result<PathBuf> {
    if let Some(program) = &args.klaxon {
        return Ok(program.clone());
    }
    let beside = std::env::current_exe()?.with_file_name("klaxon");
    anyhow::ensure!(beside.exists(), "there is no {}: name the server program with --klaxon", beside.display());
    Ok(beside)
}

/// Plays with a progress bar.
pub async fn watched(
    plan: ShowPlan,
    players: Doors,
    door: AdminDoor,
    target: &mut impl Target,
) -> anyhow::Result<Played> {
    let questions = u64::try_from(plan.pack.questions.len()).unwrap_or_default();
    let mut bar = None;
    let played = play(plan, players, door, target, |world, stage| bar = Some(Bar::new(questions, world, stage))).await;
    drop(bar);
    Ok(played?)
}

/// A progress bar that follows a show; gone when dropped.
struct Bar {
    bar: ProgressBar,
    follower: AbortHandle,
}

impl Bar {
    fn new(questions: u64, world: Arc<World>, stage: watch::Receiver<Stage>) -> Self {
        let bar = ProgressBar::new(questions);
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:24} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        let follower = tokio::spawn(follow(bar.clone(), world, stage)).abort_handle();
        Self { bar, follower }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.follower.abort();
        self.bar.finish_and_clear();
    }
}

async fn follow(bar: ProgressBar, world: Arc<World>, stage: watch::Receiver<Stage>) {
    loop {
        let phase = match stage.borrow().phase {
            Phase::Created => "created",
            Phase::Lobby => "lobby",
            Phase::Question => "question",
            Phase::Closing => "closing",
            Phase::Closed => "closed",
            Phase::Revealed => "revealed",
            Phase::Ended => "ended",
        };
        let progress = &world.progress;
        bar.set_position(progress.question.load(Ordering::Relaxed).into());
        bar.set_message(format!(
            "{phase}: {} joined, {} connected, {} answers",
            progress.joined.load(Ordering::Relaxed),
            progress.connected.load(Ordering::Relaxed),
            progress.answers.load(Ordering::Relaxed),
        ));
        sleep(Duration::from_millis(100)).await;
    }
}

/// The figures, and the audit of them. The journal is replayed by `klaxon`, if there is one.
pub fn report(seed: u64, setup: Setup, played: &Played, options: AuditOptions, klaxon: Option<PathBuf>) -> Report {
    let mut report = Report::new(seed, setup, host_line(&played.host), &played.faults, &played.evidence);
    let options =
        AuditOptions { replay: klaxon.map(ReplayCommand::of_klaxon), faults: played.faults.clone(), ..options };
    report.costs.clone_from(&played.costs);
    report.audit = audit(&played.evidence, &options).findings.iter().map(PromiseLine::from).collect();
    report
}

fn host_line(log: &HostLog) -> HostLine {
    HostLine {
        done: log.done,
        refused: log.refused.iter().map(|(action, code)| format!("{action:?}: {code}")).collect(),
        reconnects: log.reconnects,
        alerts: log.alerts.iter().map(|alert| format!("{:?}", alert.alert)).collect(),
    }
}
