//! `klaxon-swarm`: plays a whole live show against a real server, audits it, and reports.

mod args;
mod choices;
mod judged;
mod machine;
mod on_cluster;
mod progress;
mod run;
mod table;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use klaxon_protocol::text::HarmlessLines;
use klaxon_simulator::machine::{bind_to, unless_interrupted};
use klaxon_simulator::report::publish;
use klaxon_simulator::swarm::report::{Comparison, Report, document};

use args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    match prepare_and_run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("klaxon-swarm: {}", HarmlessLines(&format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

fn prepare_and_run(args: &Args) -> anyhow::Result<bool> {
    machine::allow_enough_files(args)?;
    if args.pin {
        bind_to(1).context("--pin: there is no second core")?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.threads.unwrap_or(if args.pin { 1 } else { 2 }).max(1))
        .enable_all()
        .build()?;
    // If it is interrupted, the dropped future ends its server.
    runtime.block_on(unless_interrupted(play(args)))
}

/// Plays once, or twice to compare. True if all promises were kept.
async fn play(args: &Args) -> anyhow::Result<bool> {
    let seed = args.seed();
    if let Some(rounds) = args.compare_gateways {
        return table::print(args, seed, rounds).await;
    }
    let Some(hostile) = args.compare_hostile else {
        let report = run::once(args, seed, args.hostile).await?;
        show(args, &report)?;
        return Ok(report.clean());
    };
    let without = run::once(args, seed, 0).await?;
    publish(&document(&without), &without, None, None)?;
    let mut with = run::once(args, seed, hostile).await?;
    let comparison = Comparison::of(&without, &with);
    let within = args.max_ratio.is_none_or(|most| comparison.worst() <= most);
    with.comparison = Some(comparison);
    show(args, &with)?;
    Ok(without.clean() && with.clean() && within)
}

fn show(args: &Args, report: &Report) -> anyhow::Result<()> {
    publish(&document(report), report, args.json.as_deref(), args.html.as_deref())?;
    if !report.clean() {
        println!("A promise was broken. Once more with: --seed {}", report.seed);
    }
    Ok(())
}
