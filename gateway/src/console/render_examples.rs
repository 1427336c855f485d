//! The console's screen by example, on a terminal of 80 columns and 24 lines.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Question, QuestionId, Reveal};
use klaxon_protocol::host::{
    Action, Alert, AlertKind, Figures, FromHost, HostCommand, HostEvent, Latency, Refused, ToHost,
};
use klaxon_protocol::ids::{CommandId, GatewayId, Seq, ShowCode, ShowId};
use klaxon_protocol::player::{Mark, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use unicode_width::UnicodeWidthStr;

use super::super::keys::{Key, press};
use super::*;

const SHOW: ShowId = ShowId(1);

fn view() -> View {
    View::new(SHOW, ShowCode::parse("QUIZ42").unwrap(), "Friday's big show".into(), Phase::Created, None)
}

fn event(message: ToPlayer) -> ToHost {
    ToHost::Event(HostEvent { show: SHOW, event: Box::new(message) })
}

fn question() -> ToPlayer {
    ToPlayer::Question(Question {
        seq: Seq(8),
        at: Millis(100_000),
        question: QuestionId(3),
        total: 12,
        text: "Which of these cities is the capital of Iceland, and has been since the republic was founded in 1944?"
            .into(),
        choices: vec!["Reykjavík".into(), "Akureyri".into(), "Hafnarfjörður".into()],
        category: None,
        opens_at: Millis(100_500),
        closes_at: Millis(110_500),
    })
}

fn figures() -> Figures {
    Figures {
        at: Millis(106_300),
        phase: Phase::Question,
        seq: Seq(8),
        question: Some(QuestionId(3)),
        total: 12,
        joined: 1000,
        connected: 998,
        alive: 640,
        answers: vec![300, 50, 100],
        time_left: Some(Span(4_200)),
        latency: Latency { count: 450, p50: 900, p99: 12_400, max: 40_000 },
        shed: 2,
        ..klaxon_fixtures::figures(SHOW)
    }
}

fn in_question() -> View {
    let mut view = view();
    view.receive(&event(ToPlayer::Opened(Mark { seq: Seq(1), at: Millis(0) })));
    view.receive(&event(question()));
    view.receive(&ToHost::Figures(Box::new(figures())));
    view
}

fn shown(view: &View) -> String {
    screen(view, 80, 24).into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_question_is_shown_with_its_answers_as_they_come() {
    let expected = "\
KLAXON  QUIZ42  Friday's big show                     question 3 of 12: question
────────────────────────────────────────────────────────────────────────────────
joined 1000   connected 998   in play 640
reply p50 900 us   p99 12.4 ms                                            shed 2

3. Which of these cities is the capital of Iceland, and has been since the
republic was founded in 1944?
   A Reykjavík                           ████████████████              300   67%
   B Akureyri                            ███                            50   11%
   C Hafnarfjörður                       █████                         100   22%
   4.2 s left  █████████████                                 450 of 640 answered

 · the lobby is open
 · question 3 of 12: Which of these cities is the capital of Iceland, and has b…






────────────────────────────────────────────────────────────────────────────────

o open  n next  c close  r reveal  p pause  v void  a autopilot  m message
l lives  e end  : order  q quit";
    let shown = shown(&in_question());
    assert_eq!(shown, expected, "\n{shown}");
}

#[test]
fn a_reveal_marks_the_right_choice() {
    let mut view = in_question();
    let reveal = Reveal {
        seq: Seq(10),
        at: Millis(111_000),
        question: QuestionId(3),
        right: Choice(0),
        counts: vec![310, 50, 100],
        silent: 180,
        alive: 310,
    };
    view.receive(&event(ToPlayer::Reveal(reveal)));
    let lines = screen(&view, 80, 24);
    let right = lines.iter().find(|line| line.text.contains("A Reykjavík")).unwrap();
    assert_eq!(right.look, Look::Good);
    assert!(right.text.starts_with(" ✔ A Reykjavík") && right.text.ends_with("310   67%"), "{}", right.text);
    assert!(lines.iter().any(|line| line.text.contains("A is right, 310 of 460 answers; 180 silent, 310 in play")));
}

#[test]
fn refusals_alerts_and_a_lost_connection_stand_out() {
    let mut view = in_question();
    let id = CommandId::parse("a").unwrap();
    view.sent(&FromHost::Command(HostCommand { id: id.clone(), show: SHOW, action: Action::Next }));
    view.receive(&ToHost::Refused(Refused { id, error: ErrorCode::WrongPhase.into() }));
    let alert = AlertKind::SilentGateways { question: QuestionId(3), gateways: vec![GatewayId(1), GatewayId(4)] };
    view.receive(&ToHost::Alert(Alert { show: SHOW, at: Millis(1), alert }));
    let bad = |view: &View| -> Vec<String> {
        screen(view, 120, 24).into_iter().filter(|line| line.look == Look::Bad).map(|line| line.text).collect()
    };
    let text = bad(&view);
    assert_eq!(text[0], " ! question 3: no word from gateway 1, 4; answers may be missing");
    assert!(text[1].starts_with("next refused (wrong_phase): "), "{text:?}");
    view.lost = Some("connection refused".into());
    assert_eq!(bad(&view)[1], "no connection, trying again: connection refused");
}

#[test]
fn what_is_typed_is_seen_to_its_end() {
    let mut view = in_question();
    press(&mut view, Key::Char('m'));
    for c in "the quick brown fox jumps over the lazy dog ".repeat(3).chars().chain("END".chars()) {
        press(&mut view, Key::Char(c));
    }
    let lines = screen(&view, 80, 24);
    assert!(lines[22].text.ends_with("END_"), "{:?}", lines[22]);
}

#[test]
fn no_screen_is_too_small_and_no_line_too_wide() {
    let mut view = in_question();
    view.title = "日本の首都は東京です".repeat(9);
    for (width, height) in [(0, 0), (1, 1), (7, 3), (20, 5), (40, 12), (80, 24), (300, 100)] {
        let lines = screen(&view, width, height);
        assert!(lines.len() <= height, "{width}x{height}: {} lines", lines.len());
        for line in lines {
            assert!(line.text.width() <= width, "{width}x{height}: {line:?}");
        }
    }
}
