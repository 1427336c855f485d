//! One run on a cluster: its start, the show, the journal from Kafka, the rows from the database, its stop.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use klaxon_protocol::ids::ShowId;
use klaxon_simulator::audit::{AuditOptions, Outcome, prizes_sent};
use klaxon_simulator::evidence::Evidence;
use klaxon_simulator::swarm::cluster::{Cluster, ClusterPlan};
use klaxon_simulator::swarm::database::{compare, complete};
use klaxon_simulator::swarm::report::{DatabaseLine, Report, Setup};
use klaxon_simulator::swarm::show::{Played, ShowPlan};

use crate::args::Args;
use crate::judged::report;
use crate::progress::{Spinner, watched};

/// The time limit for the archive to store the show, from the show's end.
const ARCHIVED_WITHIN: Duration = Duration::from_secs(30);
/// The gateways measure the engines' clock over the bus; an error up to this size raises no alert.
const CLOCK_SLACK: Duration = Duration::from_millis(50);
/// The gateways slew their clock by at most one part in this number.
const CLOCK_DRIFT: u64 = 50;

/// Plays the show on a cluster that is started for it, and returns the report.
pub async fn on_cluster(args: &Args, seed: u64, plan: ShowPlan, mut setup: Setup) -> anyhow::Result<Report> {
    let place = tempfile::Builder::new().prefix("klaxon-cluster-").tempdir()?;
    let outcome = run(args, seed, plan, &mut setup, place.path()).await;
    if args.keep_data || !outcome.as_ref().is_ok_and(Report::clean) {
        eprintln!("The processes' data and logs are in {}", place.keep().display());
    }
    outcome.with_context(|| format!("with --seed {seed}"))
}

async fn run(args: &Args, seed: u64, plan: ShowPlan, setup: &mut Setup, place: &Path) -> anyhow::Result<Report> {
    let klaxon = args.program()?;
    let cluster = ClusterPlan {
        klaxon: klaxon.clone(),
        next: args.upgrade_to.clone(),
        place: place.to_owned(),
        engines: args.engines,
        gateways: args.gateways,
        persistence: args.persistence(seed),
    };
    let spinner = Spinner::new();
    let mut cluster = Cluster::start(cluster, |what| spinner.show(format!("starting: {what}"))).await?;
    drop(spinner);
    setup.service = Some(cluster.what());
    let (gateways, admin) = (cluster.gateways(), cluster.admin());
    let mut played = watched(plan, gateways, admin, &mut cluster).await?;
    setup.seconds = played.took.as_secs_f64();
    played.costs = cluster.costs();

    let spinner = Spinner::new();
    let processes = u64::try_from(cluster.processes()).unwrap_or(1);
    cluster.supervise().await?;
    let database = archived(&mut cluster, &mut played, &spinner).await?;
    spinner.show("stopping".to_owned());
    played.evidence.resident = cluster.stop().await?;
    spinner.show("auditing".to_owned());
    let defaults = AuditOptions::default();
    let options = AuditOptions {
        clock_slack: CLOCK_SLACK,
        clock_drift: CLOCK_DRIFT,
        direct: true,
        rss_base: defaults.rss_base * processes,
        ..defaults
    };
    let mut report = report(seed, setup.clone(), played, options, Some(klaxon));
    report.database = Some(database);
    Ok(report)
}

/// Fetches the journal from Kafka, and compares the database with it.
async fn archived(cluster: &mut Cluster, played: &mut Played, spinner: &Spinner) -> anyhow::Result<DatabaseLine> {
    let show: ShowId = played.created.show;
    let began = tokio::time::Instant::now();
    let waiting = |waited: Duration| {
        spinner.show(format!(
            "waiting for the archive, {:.0} of {} s",
            waited.as_secs_f64(),
            ARCHIVED_WITHIN.as_secs()
        ));
    };
    let rows = complete(cluster.database(), show, ARCHIVED_WITHIN, waiting).await;
    let seconds = began.elapsed().as_secs_f64();
    (played.evidence.journal, played.evidence.people) = cluster.journal(show).await?;
    let rows = match rows {
        Ok(rows) => rows,
        // The audit is reported nevertheless.
        Err(error) => {
            return Ok(DatabaseLine { seconds, different: 1, differences: vec![error.to_string()], compared: vec![] });
        }
    };
    let Evidence { journal, people, .. } = &played.evidence;
    let outcome = Outcome::of(journal, people).context("the journal from Kafka can't be read")?;
    Ok(DatabaseLine { seconds, ..compare(&rows, &outcome, &prizes_sent(&played.evidence)) })
}
