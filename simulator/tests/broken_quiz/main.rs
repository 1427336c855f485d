//! Tests that the audit can fail for quizzes and for the course of a rundown: a clean show with a question of each kind is played
//! live, its evidence changed in one place at a time, and the audit must report each change as what it is.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod breaks;
#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../broken_bingo/recorded.rs"]
mod recorded;
mod settings;

use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::swarm::games::ShowName;
use klaxon_simulator::swarm::replay::ReplayCommand;

use breaks::BREAKS;
use recorded::Recorded;

/// A change of a show's evidence.
pub struct Break {
    /// What is wrong then.
    pub name: &'static str,
    /// The promise that is broken.
    pub promise: u8,
    /// Words of the report.
    pub words: &'static str,
    /// Changes the show; false if there is nothing to change.
    pub change: fn(&mut Recorded) -> bool,
}

/// All violations, to be printed when a test fails.
fn told(audit: &Audit) -> Vec<String> {
    let of = |finding: &klaxon_simulator::audit::Finding| {
        let promise = finding.promise;
        finding.violations.iter().map(move |violation| format!("{promise}: {violation}")).collect::<Vec<String>>()
    };
    audit.findings.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_show_of_all_kinds_is_clean_and_each_change_of_it_is_found() {
    let klaxon = recorded::klaxon();
    let options = AuditOptions::default();
    let show = Recorded::play(&klaxon, ShowName::Kinds).await;
    let mut evidence = show.evidence();
    evidence.replay = Some(ReplayCommand::of_klaxon(klaxon.clone()).run(&evidence.journal, &evidence.people));
    let clean = audit(&evidence, &options);
    assert!(clean.clean(), "{:#?} {clean:#?}", told(&clean));
    let mut missed = Vec::new();
    for Break { name, promise, words, change } in BREAKS {
        let mut broken = show.clone();
        if !change(&mut broken) {
            missed.push(format!("{name}: changes nothing"));
            continue;
        }
        let found = told(&audit(&broken.evidence(), &options));
        let begins = format!("{promise}: ");
        if !found.iter().any(|line| line.starts_with(&begins) && line.contains(words)) {
            let short = |line: String| line.chars().take(300).collect::<String>();
            let found: Vec<String> = found.into_iter().map(short).collect();
            missed.push(format!("{name}, promise {promise}, {words:?}: {found:#?}"));
        }
    }
    for &(path, value) in settings::OTHERS {
        let mut broken = show.clone();
        settings::change(&mut broken, path, value);
        let found = audit(&broken.evidence(), &options);
        if !found.broken().contains(&10) {
            missed.push(format!("played by another {path} than {value}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
