//! Tests that the audit can fail: each promise is broken on purpose, and the audit must report each break correctly.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod breaker;
mod by_hand;
#[cfg(feature = "processes")]
mod live;
#[cfg(feature = "processes")]
mod proxy;
mod show;
mod written;

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::evidence::{Disturbance, Harm, Micros, Victim};

use show::Show;

/// The audit of a show, with the default options.
fn judge(show: &Show) -> Audit {
    audit(&show.evidence(), &AuditOptions::default())
}

/// A kill of the server in this question, with an immediate restart.
fn server_killed(at: Micros, question: u16) -> Disturbance {
    let process = "server".to_owned();
    Disturbance {
        question: QuestionId(question),
        victim: Victim::Server,
        process,
        harm: Harm::Killed,
        from: at,
        until: at,
    }
}

/// All violations, to be printed when a test fails.
fn told(audit: &Audit) -> Vec<String> {
    let line = |promise, violation| format!("{promise}: {violation}");
    audit
        .findings
        .iter()
        .flat_map(|finding| finding.violations.iter().map(move |violation| line(finding.promise, violation)))
        .collect()
}

/// Checks that the promise is reported as broken, with a description that contains `words`.
#[track_caller]
fn assert_broken(audit: &Audit, promise: u8, words: &str) {
    let found = audit
        .findings
        .iter()
        .filter(|finding| finding.promise == promise)
        .flat_map(|finding| &finding.violations)
        .any(|violation| violation.what.contains(words));
    assert!(found, "promise {promise}, {words:?}: {:#?}", told(audit));
    assert!(!audit.clean());
}

#[test]
fn a_show_that_keeps_every_promise_is_clean() {
    let audit = judge(&Show::played());
    assert_eq!(told(&audit), Vec::<String>::new());
    assert!(audit.clean(), "{audit:?}");
    for finding in &audit.findings {
        assert!(finding.checked > 0, "{finding:?}");
    }
}
