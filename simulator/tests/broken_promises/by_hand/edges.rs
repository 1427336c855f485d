//! Promise 4 at its edges: what the kernel's times, the replies and the run's pings prove about when an answer was
//! read, and what they leave open. The server's clock is ahead of the players', by an amount unknown to the audit.

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Answer, AnswerReply, Settings};
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{FromPlayer, Ping, Pong, ToPlayer};
use klaxon_protocol::time::Millis;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::evidence::{Micros, Transit};

use crate::show::{Line, OPEN_FOR, RIGHT, Show};
use crate::{assert_broken, told};

/// How far the server's clock is ahead of the players', in milliseconds.
const AHEAD: u64 = 40_000;

/// An answer that was sent before or after the close, and its outcome. Times are in microseconds.
#[derive(Debug, Clone, Copy)]
struct Case {
    /// When it was sent, relative to the close.
    sent: i64,
    /// The time until the swarm's process had written it.
    writing: u64,
    /// The time until the server's kernel acknowledged it, if the kernel reports times.
    acknowledged: Option<u64>,
    /// The time until the reply.
    replied: u64,
    /// The code of the refusal; none if it is accepted.
    code: Option<ErrorCode>,
    /// The one-way time of pings and pongs.
    ping: u64,
}

const QUICK: Case = Case { sent: 0, writing: 50, acknowledged: Some(100), replied: 900, code: None, ping: 300 };

/// A show with this answer of one player to the first question; all players' clocks are behind the server's.
fn play(case: Case) -> Show {
    let mut show = Show::new(Settings::default());
    for _ in 0..4 {
        show.join();
    }
    show.ask();
    show.answer(0, RIGHT);
    let question = show.question();
    let closes_at = closes(&show);
    let connection = show.connection_of(1);
    let at = |micros: i64| Micros((closes_at * 1000).saturating_add_signed(micros));
    let ping_at = at(-1_000_000);
    let pong = Pong { sent: Millis(7), now: Millis((ping_at.0 + case.ping) / 1000) };
    let lines = &mut show.connections[connection].lines;
    lines.push((ping_at, Line::Sent(FromPlayer::Ping(Ping { sent: Millis(7) }))));
    lines.push((Micros(ping_at.0 + 2 * case.ping), Line::Received(ToPlayer::Pong(pong))));
    let sent = at(case.sent);
    lines.push((sent, Line::Sent(FromPlayer::Answer(Answer { question, choice: RIGHT }))));
    let left = Micros(sent.0 + case.writing);
    let verdict = case.code.map_or(Verdict::Accepted(RIGHT.into()), Verdict::Refused);
    let reply = ToPlayer::AnswerReply(AnswerReply::new(question, &verdict));
    let received = Micros(left.0 + case.replied);
    if received.0 >= closes_at * 1000 {
        show.close();
    }
    show.connections[connection].lines.push((received, Line::Received(reply)));
    show.connections[connection].lines.sort_by_key(|(at, _)| *at);
    if received.0 < closes_at * 1000 {
        show.close();
    }
    if let Some(acknowledged) = case.acknowledged {
        let script = &mut show.connections[connection];
        let entry =
            script.lines.iter().position(|(_, line)| matches!(line, Line::Sent(FromPlayer::Answer(_)))).unwrap();
        let acknowledged = Some(Micros(left.0 + acknowledged));
        script.transits.push(Transit { entry, left: Some(left), acknowledged });
    }
    show.reveal();
    show.end();
    let behind = |at: &mut Micros| at.0 -= AHEAD * 1000;
    for connection in &mut show.connections {
        connection.lines.iter_mut().for_each(|(at, _)| behind(at));
        for transit in &mut connection.transits {
            transit.left.iter_mut().chain(&mut transit.acknowledged).for_each(behind);
        }
    }
    show
}

fn closes(show: &Show) -> u64 {
    let opens = show.records.iter().rev().find_map(|record| match record.events.first() {
        Some(ToPlayer::Question(question)) => Some(question.opens_at.0),
        _ => None,
    });
    opens.unwrap() + OPEN_FOR
}

fn judge(show: &Show, direct: bool) -> Audit {
    audit(&show.evidence(), &AuditOptions { direct, ..AuditOptions::default() })
}

/// The violations of promise 4 only: the answers of this show are in no journal.
fn untimely(case: Case, direct: bool) -> Vec<String> {
    let lines = told(&judge(&play(case), direct));
    lines.into_iter().filter(|line| line.starts_with("4: ")).collect()
}

fn figure(audit: &Audit, name: &str) -> String {
    let clock = audit.findings.iter().find(|finding| finding.promise == 4).unwrap();
    clock.figures.iter().find(|(what, _)| what == name).unwrap().1.clone()
}

#[test]
fn an_answer_100_ms_late_that_is_accepted_is_found() {
    for late in [100_000, 20_000, 3_000] {
        let audit = judge(&play(Case { sent: late, ..QUICK }), true);
        assert_broken(&audit, 4, "sent after the close, and accepted");
    }
}

#[test]
fn an_answer_100_ms_early_that_is_refused_is_found() {
    for early in [-100_000, -20_000, -4_000] {
        let audit = judge(&play(Case { sent: early, code: Some(ErrorCode::TooLate), ..QUICK }), true);
        assert_broken(&audit, 4, "before it closed, and refused as too_late");
    }
    let audit = judge(&play(Case { sent: -100_000, code: Some(ErrorCode::Paused), ..QUICK }), true);
    assert_broken(&audit, 4, "before it closed, and refused as paused");
}

#[test]
fn an_answer_within_the_margin_is_not_judged() {
    for code in [None, Some(ErrorCode::TooLate)] {
        for sent in [-1_000, -300, 0, 300] {
            let case = Case { sent, code, ..QUICK };
            assert_eq!(untimely(case, true), Vec::<String>::new(), "{case:?}");
        }
        let audit = judge(&play(Case { sent: -300, code, ..QUICK }), true);
        assert_eq!(figure(&audit, "within the margin, not judged"), "1");
    }
}

#[test]
fn a_reply_that_waited_in_the_server_is_no_excuse_for_one_that_came_in_time() {
    let case = Case { sent: -100_000, replied: 700_000, code: Some(ErrorCode::TooLate), ..QUICK };
    assert_broken(&judge(&play(case), true), 4, "refused as too_late");
    // Through a proxy, whose kernel acknowledged it, it may have been late.
    assert_eq!(untimely(case, false), Vec::<String>::new());
    // It may also have been late if the kernel reports no times.
    let untold = Case { acknowledged: None, ..case };
    assert_eq!(untimely(untold, true), Vec::<String>::new());
    assert_eq!(figure(&judge(&play(untold), true), "answers with the kernel's times"), "0 of 2");
}

#[test]
fn a_process_that_wrote_late_does_not_make_a_timely_answer_of_a_late_one() {
    // It was to be sent before the close, and was written 100 ms after it.
    let case = Case { sent: -50_000, writing: 150_000, ..QUICK };
    assert_broken(&judge(&play(case), true), 4, "sent after the close, and accepted");
    assert_eq!(untimely(Case { acknowledged: None, ..case }, true), Vec::<String>::new());
}

#[test]
fn a_network_that_takes_long_makes_a_wide_margin_of_its_own() {
    let slow = Case { acknowledged: Some(150_000), replied: 300_000, ping: 150_000, ..QUICK };
    for (sent, code) in [(-100_000, Some(ErrorCode::TooLate)), (100_000, None)] {
        assert_eq!(untimely(Case { sent, code, ..slow }, true), Vec::<String>::new());
    }
    assert_broken(&judge(&play(Case { sent: 400_000, ..slow }), true), 4, "sent after the close, and accepted");
    let refused = Case { sent: -600_000, code: Some(ErrorCode::TooLate), ..slow };
    assert_broken(&judge(&play(refused), true), 4, "refused as too_late");
}

#[test]
fn a_stamp_outside_of_what_is_known_of_the_reading_is_found() {
    for (shift, words) in [(-20, "sent no earlier than"), (20, "acknowledged before")] {
        let mut show = play(Case { sent: -100_000, code: Some(ErrorCode::TooLate), ..QUICK });
        for record in &mut show.records {
            if let Command::Answers { answers, .. } = &mut record.command {
                answers[0].at.0 = answers[0].at.0.saturating_add_signed(shift);
            }
        }
        assert_broken(&judge(&show, true), 4, words);
    }
}

#[test]
fn how_sharp_the_judge_is_is_told() {
    let audit = judge(&play(QUICK), true);
    let margin = figure(&audit, "margin on good networks");
    assert!(margin.starts_with("p50 ") && margin.contains(", p99 ") && margin.contains(", at most "), "{margin}");
    assert_eq!(figure(&audit, "answers with the kernel's times"), "1 of 2");
    assert_eq!(figure(&audit, "the server's clock was measured"), "by 1 pings");
}
