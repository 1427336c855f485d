//! The report of a show that was played, with the audit.

use std::path::PathBuf;

use klaxon_simulator::audit::{AuditOptions, audit};
use klaxon_simulator::swarm::host::HostLog;
use klaxon_simulator::swarm::replay::ReplayCommand;
use klaxon_simulator::swarm::report::{HostLine, PromiseLine, Report, Setup};
use klaxon_simulator::swarm::show::Played;

/// The report, with the audit. The journal is replayed by `klaxon`, if its path is given.
pub fn report(seed: u64, setup: Setup, mut played: Played, options: AuditOptions, klaxon: Option<PathBuf>) -> Report {
    played.evidence.replay =
        klaxon.map(|klaxon| ReplayCommand::of_klaxon(klaxon).run(&played.evidence.journal, &played.evidence.people));
    let mut report = Report::new(seed, setup, host_line(&played.host), &played.faults, &played.evidence);
    let options = AuditOptions { faults: played.faults, ..options };
    report.costs = played.costs;
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
