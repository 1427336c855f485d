//! `klaxon-bench`: measures the cost of the transport, compared with the floor and with a customary server.

mod args;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use klaxon_simulator::bench::document::document;
use klaxon_simulator::bench::goals::Verdict;
use klaxon_simulator::bench::report::{BenchReport, Machine};
use klaxon_simulator::bench::rows::Subject;
use klaxon_simulator::bench::{customary, floor, load, measure};
use klaxon_simulator::machine;
use klaxon_simulator::report::publish;

use args::{Args, Part};

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(Verdict::Reached) => ExitCode::SUCCESS,
        Ok(Verdict::Missed | Verdict::NoFigure) => ExitCode::from(1),
        Ok(Verdict::Undecided) => ExitCode::from(3),
        Err(error) => {
            eprintln!("klaxon-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the chosen part. Returns the verdict over the goals.
fn run(args: &Args) -> anyhow::Result<Verdict> {
    machine::allow_open_files().context("the limit of open files can't be raised")?;
    match args.part {
        Some(Part::ServeFloor { listen }) => {
            floor::serve(listen)?;
            Ok(Verdict::Reached)
        }
        Some(Part::ServeCustomary { listen }) => {
            tokio::runtime::Runtime::new()?.block_on(customary::serve(listen))?;
            Ok(Verdict::Reached)
        }
        Some(Part::Load { core }) => {
            core.map_or(Ok(()), machine::bind_to)?;
            load::obey()?;
            Ok(Verdict::Reached)
        }
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // If it is interrupted, the dropped future ends its servers and loads.
            runtime.block_on(machine::unless_interrupted(bench(args)))
        }
    }
}

async fn bench(args: &Args) -> anyhow::Result<Verdict> {
    // Read before this process is bound to one core.
    let machine = Machine::here();
    let plan = args.plan(machine.cores)?;
    if let Some(core) = plan.launch.load_core {
        machine::bind_to(core).context("the load can't have a core of its own")?;
    }
    let began = Instant::now();
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}")?);
    let step = |subject: Subject, step: &str| {
        bar.set_message(format!("{}: {step}", subject.title()));
        bar.tick();
    };
    let mut not_measured = Vec::new();
    let mut failed = |subject: Subject, error| {
        bar.suspend(|| eprintln!("klaxon-bench: {}: {error}", subject.title()));
        not_measured.push(subject.title());
    };
    let rows = measure::measure(&plan, &step, &mut failed).await;
    bar.finish_and_clear();
    let report = BenchReport::of(&plan, machine, rows, began.elapsed());
    publish(&document(&report), &report, args.json.as_deref(), args.html.as_deref())?;
    anyhow::ensure!(not_measured.is_empty(), "could not be measured: {}", not_measured.join(", "));
    Ok(if args.must { report.verdict() } else { Verdict::Reached })
}
