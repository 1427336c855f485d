//! The report of a small scripted show: two honest players and one with a bad network, one question.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Answer, AnswerReply, Choice, Question, QuestionId, Reveal, Void};
use klaxon_protocol::ids::{Name, Seat, Seq, ShowCode, ShowId};
use klaxon_protocol::player::{FromPlayer, Join, Place, Podium, Role, ToPlayer, Welcome};
use klaxon_protocol::time::{Millis, Span};
use klaxon_simulator::evidence::{ConnectionLog, Direction, Entry, Evidence, GatewayNumber, Micros, PlayerNumber};
use klaxon_simulator::report;
use klaxon_simulator::swarm::report::{Comparison, HostLine, PromiseLine, Report, Setup, document};

const QUESTION: QuestionId = QuestionId(1);
/// When the question is sent, in milliseconds.
const SENT: u64 = 10_000;

struct Writer {
    evidence: Evidence,
}

impl Writer {
    fn connection(&mut self, player: u32, honest: bool) {
        self.evidence.connections.push(ConnectionLog {
            player: PlayerNumber(player),
            gateway: GatewayNumber(0),
            codec: Codec::Json,
            honest,
            entries: vec![],
            transits: vec![],
            sent_beside: Vec::new(),
            close_code: None,
        });
    }

    fn note(&mut self, micros: u64, direction: Direction, bytes: &[u8]) {
        let frame = self.evidence.frames.intern(Codec::Json, bytes);
        let log = self.evidence.connections.last_mut().unwrap();
        log.entries.push(Entry { at: Micros(micros), direction, frame });
    }

    fn sent(&mut self, micros: u64, message: &FromPlayer) {
        self.note(micros, Direction::Sent, &Codec::Json.encode(message));
    }

    fn received(&mut self, micros: u64, message: &ToPlayer) {
        self.note(micros, Direction::Received, &Codec::Json.encode(message));
    }

    fn joins(&mut self, micros: u64, seat: u32, resume: bool) {
        let show = ShowCode::parse("SHOW1").unwrap();
        let resume = resume.then(|| "token".to_owned());
        self.sent(micros, &FromPlayer::Join(Join { show, name: None, role: Role::Player, token: None, resume }));
        self.received(
            micros + 1000,
            &ToPlayer::Welcome(Welcome {
                protocol: 1,
                session: "s".into(),
                resume: "token".into(),
                show: ShowId(1),
                seat: Some(Seat(seat)),
                name: Name::parse("Ann").unwrap(),
                now: Millis(0),
                heartbeat: Span(1000),
                newest: Default::default(),
            }),
        );
    }

    fn answers(&mut self, micros: u64, reply_after: u64, choice: u8, verdict: Verdict) {
        self.sent(micros, &FromPlayer::Answer(Answer { question: QUESTION, choice: Choice(choice) }));
        self.received(micros + reply_after, &ToPlayer::AnswerReply(AnswerReply::new(QUESTION, &verdict)));
    }
}

fn question() -> ToPlayer {
    let (at, opens_at, closes_at) = (Millis(SENT), Millis(SENT + 500), Millis(SENT + 5500));
    let text = "Is <b> a \"tag\"?".into();
    ToPlayer::Question(Question { at, text, opens_at, closes_at, ..klaxon_fixtures::question(2, QUESTION.0) })
}

fn reveal() -> ToPlayer {
    ToPlayer::Reveal(Reveal { at: Millis(SENT + 6000), silent: 1, ..klaxon_fixtures::reveal(4, QUESTION.0) })
}

fn evidence() -> Evidence {
    let mut writer = Writer { evidence: Evidence::default() };
    let sent = SENT * 1000;
    writer.connection(0, true);
    writer.joins(1_000_000, 0, false);
    writer.received(sent + 2_000, &question());
    writer.answers(sent + 900_000, 3_000, 0, Verdict::Accepted(Choice(0).into()));
    writer.answers(sent + 950_000, 1_000, 1, Verdict::AlreadyAnswered(Choice(0).into()));
    writer.received(sent + 6_000_000, &reveal());
    writer.connection(1, true);
    writer.joins(1_000_000, 1, false);
    writer.received(sent + 4_000, &question());
    writer.answers(sent + 2_000_000, 5_000, 1, Verdict::Accepted(Choice(1).into()));
    writer.connection(2, false);
    writer.joins(1_000_000, 2, false);
    writer.received(sent + 900_000, &question());
    writer.connection(2, false);
    writer.joins(sent + 1_000_000, 2, true);
    writer.received(sent + 1_500_000, &question());
    writer.answers(sent + 7_000_000, 800_000, 1, Verdict::Refused(ErrorCode::TooLate));
    writer.note(sent + 8_000_000, Direction::Sent, b"nonsense");
    writer.note(sent + 8_000_000, Direction::Received, b"more nonsense");
    let podium = Podium {
        seq: Seq(5),
        at: Millis(0),
        winners: 1,
        places: vec![Place { place: 1, seat: Seat(0), name: Name::parse("Ann").unwrap(), score: 900, prize: 100_000 }],
        pot: 100_000,
        paid: 100_000,
        rolled_over: 0,
        currency: "EUR".into(),
    };
    writer.received(sent + 9_000_000, &ToPlayer::Podium(podium));
    let mut evidence = writer.evidence;
    evidence.resident = vec![(Micros(0), 10 << 20), (Micros(1_000_000), 16 << 20), (Micros(2_000_000), 13 << 20)];
    evidence
}

fn report() -> Report {
    let setup = Setup { title: "Small & sharp".into(), mode: "elimination".into(), players: 3, ..Setup::default() };
    Report::new(7, setup, HostLine::default(), &[], &evidence())
}

#[test]
fn people_connections_and_answers_are_counted() {
    let report = report();
    assert_eq!((report.crowd.joined, report.crowd.connections, report.crowd.resumed), (3, 4, 1));
    let answers = &report.answers;
    assert_eq!((answers.sent, answers.replied, answers.accepted, answers.counted), (4, 4, 2, 2));
    assert_eq!(answers.peak_per_second, 2);
    assert_eq!(answers.refused, [("already_answered".to_owned(), 1), ("too_late".to_owned(), 1)]);
    assert_eq!(report.traffic.messages_sent, 4 + 4 + 1);
    assert_eq!(report.traffic.messages_received, 4 + 4 + 4 + 1 + 1 + 1);
}

#[test]
fn only_honest_players_are_measured_and_only_what_was_sent_to_them_live() {
    let report = report();
    assert_eq!(report.question_seen.count, 2);
    assert!((report.question_seen.max_ms - 4.0).abs() < 0.01, "{}", report.question_seen.max_ms);
    assert_eq!(report.answer_replied.count, 3);
    assert!((report.answer_replied.p50_ms - 3.0).abs() < 0.01 && (report.answer_replied.max_ms - 5.0).abs() < 0.01);
}

#[test]
fn a_question_is_told_with_what_came_out_of_it() {
    let report = report();
    let line = &report.questions[0];
    assert_eq!((line.question, line.seen_by, line.right, line.silent, line.alive), (1, 3, Some(0), 1, 1));
    assert_eq!(line.counts, [1, 1]);
    assert!(!line.voided);
}

#[test]
fn a_void_gives_the_players_back() {
    let mut writer = Writer { evidence: evidence() };
    let void = Void { seq: Seq(6), at: Millis(0), question: QUESTION, reason: "unfair".into(), alive: 3 };
    writer.received(99_000_000, &ToPlayer::Void(void));
    let report = Report::new(7, Setup::default(), HostLine::default(), &[], &writer.evidence);
    assert_eq!((report.questions[0].voided, report.questions[0].alive), (true, 3));
}

#[test]
fn memory_is_told_for_each_player() {
    let memory = report().memory.unwrap();
    assert_eq!((memory.start, memory.peak, memory.per_player), (10 << 20, 16 << 20, 2 << 20));
    assert_eq!(memory.samples.len(), 3);
}

#[test]
fn the_terminal_tells_the_whole_story() {
    let mut report = report();
    report.audit = vec![PromiseLine {
        promise: 1,
        name: "one answer".into(),
        checked: 5,
        figures: vec![("seats seen".into(), "3".into())],
        violated: 1,
        violations: vec!["counted twice · seat 1".into()],
    }];
    let shown = report::text(&document(&report), false);
    // Independent of the width of the columns.
    let text = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Small & sharp (elimination",
        "3 of 3 joined",
        "4 sent, 2 accepted, 2 counted; 2 a second at the peak",
        "too_late 1",
        "10.0 MiB at the start, 16.0 MiB at the peak, 2.0 MiB for each player",
        "last player 4.00 ms",
        "question asked answers silent right alive",
        "1 Is <b> a \"tag\"? 3 A 1✓ · B 1 1 50 % 1",
        "1,000.00 EUR",
        "✗ 1. one answer 5 1 seats seen 3",
        "→ counted twice · seat 1",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{shown}");
    }
    assert!(!text.contains('\x1b'));
    assert!(!report.clean());
}

#[test]
fn a_promise_that_was_never_checked_is_not_kept() {
    let line = PromiseLine {
        promise: 3,
        name: "no leak".into(),
        checked: 0,
        figures: vec![],
        violated: 0,
        violations: vec![],
    };
    assert!(!line.holds());
    assert!(PromiseLine { checked: 1, ..line }.holds());
}

#[test]
fn the_page_stands_alone_and_escapes_what_players_wrote() {
    let page = report::page(&document(&report()));
    assert!(page.contains("Is &lt;b&gt; a &quot;tag&quot;?") && page.contains("Small &amp; sharp"));
    assert!(!page.contains("<script") && !page.contains("http"));
    assert_eq!(page.matches("<svg").count(), 2, "curves");
    assert_eq!(page.matches("class=\"plot\"").count(), 2, "tables of bars");
    assert_eq!(page.matches("<figure").count(), page.matches("</figure>").count());
}

#[test]
fn a_hostile_crowd_is_compared_by_the_honest_players_times() {
    let without = report();
    let mut with = without.clone();
    with.setup.hostile = 100;
    with.answer_replied.p99_ms = without.answer_replied.p99_ms * 3.0;
    let comparison = Comparison::of(&without, &with);
    assert_eq!((comparison.hostile, comparison.question_seen_p99, comparison.memory_peak), (100, 1.0, Some(1.0)));
    assert!((comparison.worst() - 3.0).abs() < 1e-9);
}

#[test]
fn the_report_of_nothing_is_a_report() {
    let report = Report::new(7, Setup::default(), HostLine::default(), &[], &Evidence::default());
    assert!(report::text(&document(&report), true).contains("nothing was measured"));
    assert!(report::page(&document(&report)).contains("</html>"));
    assert_eq!(report.memory, None);
}
