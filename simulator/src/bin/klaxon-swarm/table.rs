//! The same show on one process and on clusters with different numbers of gateways, compared: the cost of an answer,
//! and the latency of its reply.

use std::io::IsTerminal;

use klaxon_simulator::report::words::quantile;
use klaxon_simulator::swarm::report::Report;

use crate::args::Args;
use crate::run::once;

/// The numbers of gateways of the clusters.
const GATEWAYS: [u16; 3] = [1, 2, 3];

/// The rounds on one service.
struct ServiceRow {
    service: String,
    /// One report per round.
    reports: Vec<Report>,
}

/// Plays each round once on every service, and prints the medians. True if every audit was clean.
pub async fn print(args: &Args, seed: u64, rounds: u16) -> anyhow::Result<bool> {
    let mut rows = vec![ServiceRow { service: "one process".to_owned(), reports: Vec::new() }];
    rows.extend(GATEWAYS.map(|gateways| {
        let service = format!("{} engine, {gateways} gateway{}", args.engines, if gateways > 1 { "s" } else { "" });
        ServiceRow { service, reports: Vec::new() }
    }));
    for round in 1..=rounds {
        for (row, gateways) in rows.iter_mut().zip([None].into_iter().chain(GATEWAYS.map(Some))) {
            if std::io::stderr().is_terminal() {
                eprintln!("round {round} of {rounds}: {}", row.service);
            }
            let args = Args { cluster: gateways.is_some(), gateways: gateways.unwrap_or(1), ..args.clone() };
            row.reports.push(once(&args, seed, 0).await?);
        }
    }
    println!("{}", table(&rows));
    println!(
        "{} players, {} questions; medians of {rounds} rounds, the lowest to the highest in brackets. Processor time is that of a whole \
         show (joins, fan-out, heartbeats) by counted answer.",
        args.players, args.questions
    );
    Ok(rows.iter().flat_map(|row| &row.reports).all(Report::clean))
}

fn table(rows: &[ServiceRow]) -> String {
    let mut lines = vec![
        "| played on | gateways, µs | engines, µs | Redis, µs | all, µs an answer | answers/s a core | reply p50, ms | reply p99, ms |"
            .to_owned(),
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    for ServiceRow { service, reports } in rows {
        let by = |who: &str| spread(reports, |report| cost(report, who).unwrap_or(0.0));
        let all = |report: &Report| report.costs.iter().map(|each| each.seconds).sum::<f64>() * 1e6 / answers(report);
        let mut cells = vec![service.clone()];
        for who in ["gateways", "engines", "redis"] {
            cells.push(if reports.iter().all(|report| cost(report, who).is_none()) {
                "-".into()
            } else {
                by(who).text(0)
            });
        }
        let all = spread(reports, all);
        cells.push(all.text(0));
        cells.push(format!("{:.0}", 1e6 / all.middle));
        cells.push(spread(reports, |report| report.answer_replied.p50_ms).text(2));
        cells.push(spread(reports, |report| report.answer_replied.p99_ms).text(1));
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

/// Microseconds of processor time per counted answer; none if there were no such processes.
fn cost(report: &Report, who: &str) -> Option<f64> {
    let cost = report.costs.iter().find(|cost| cost.who == who)?;
    Some(cost.seconds * 1e6 / answers(report))
}

fn answers(report: &Report) -> f64 {
    report.answers.counted.max(1) as f64
}

/// A median, with the lowest and the highest value.
struct Spread {
    low: f64,
    middle: f64,
    high: f64,
}

fn spread(reports: &[Report], of: impl Fn(&Report) -> f64) -> Spread {
    let mut values: Vec<f64> = reports.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let at = |part| quantile(&values, part).unwrap_or(f64::NAN);
    Spread { low: at(0.0), middle: at(0.5), high: at(1.0) }
}

impl Spread {
    fn text(&self, digits: usize) -> String {
        let Self { low, middle, high } = self;
        format!("{middle:.digits$} ({low:.digits$} to {high:.digits$})")
    }
}
