//! One run: a service, a show, a report.

use std::path::{Path, PathBuf};

use anyhow::Context;
use klaxon_simulator::audit::AuditOptions;
use klaxon_simulator::socket::admin::AdminAccess;
use klaxon_simulator::swarm::faults::Untouched;
use klaxon_simulator::swarm::journals::journal_of;
use klaxon_simulator::swarm::report::{Report, Setup};
use klaxon_simulator::swarm::show::{Played, ShowPlan};
use klaxon_simulator::swarm::standalone::{Standalone, StandalonePlan};

use crate::args::Args;
use crate::judged::report;
use crate::on_cluster::on_cluster;
use crate::progress::watched;

/// Plays the show with this number of hostile connections, and returns the report.
pub async fn once(args: &Args, seed: u64, hostile: u32) -> anyhow::Result<Report> {
    let plan = args.plan(seed, hostile)?;
    let mut setup = Setup {
        title: plan.game.title().to_owned(),
        service: None,
        mode: args.mode_name().to_owned(),
        players: args.players,
        spectators: args.spectators,
        hostile,
        questions: plan.game.rounds().into(),
        seconds: 0.0,
    };
    if args.cluster {
        return on_cluster(args, seed, plan, setup).await;
    }
    if let Some(players) = args.server {
        let mut played = watched(plan, players.into(), running_admin(args)?, &mut Untouched).await?;
        let journals = args.journal.as_deref().unwrap_or(Path::new("."));
        (played.evidence.journal, played.evidence.people) = journal_of(journals, played.created.show)?;
        setup.seconds = played.took.as_secs_f64();
        return Ok(report(seed, setup, played, AuditOptions::default(), args.program().ok()));
    }
    let program = args.program()?;
    let data = tempfile::Builder::new().prefix("klaxon-swarm-").tempdir()?;
    let outcome = with_own_server(args, program.clone(), plan, data.path()).await.map(|played| {
        setup.seconds = played.took.as_secs_f64();
        let options = AuditOptions { direct: true, ..AuditOptions::default() };
        report(seed, setup, played, options, Some(program))
    });
    if args.keep_data || !outcome.as_ref().is_ok_and(Report::clean) {
        eprintln!("The server's data and log are in {}", data.keep().display());
    }
    outcome.with_context(|| format!("with --seed {seed}"))
}

/// The admin socket of a server that runs already.
fn running_admin(args: &Args) -> anyhow::Result<AdminAccess> {
    let address = args.admin.context("--admin is missing")?;
    let path = args.token_file.as_ref().context("--token-file is missing")?;
    AdminAccess::of_file(vec![address], path).with_context(|| format!("--token-file {}", path.display()))
}

async fn with_own_server(args: &Args, program: PathBuf, plan: ShowPlan, data: &Path) -> anyhow::Result<Played> {
    let launch = StandalonePlan { program, data: data.to_owned(), core: args.pin.then_some(0) };
    let mut server = Standalone::start(&launch).await?;
    let (players, admin) = (server.players(), server.admin()?);
    let mut played = watched(plan, players.into(), admin, &mut server).await?;
    played.costs = vec![server.cost()];
    played.evidence.resident = server.stop().await?;
    (played.evidence.journal, played.evidence.people) = journal_of(&data.join("journal"), played.created.show)?;
    Ok(played)
}
