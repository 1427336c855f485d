//! Tests of the host's decisions, without a server.

use klaxon_protocol::games::trivia::{Close, Question};
use klaxon_protocol::host::HostEvent;
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::player::{Body, GameEvent, Mark};
use serde_json::json;

use super::*;
use crate::swarm::games::rundown::RundownHost;

const STEP: Duration = Duration::from_secs(1);
const TWO: GameHost = GameHost::Trivia { questions: 2 };

fn pace() -> Pace {
    Pace { players: 10, lobby_least: STEP, lobby_most: STEP * 30, suspense: STEP, pause: STEP * 2, autopilot: false }
}

fn event(event: ToPlayer) -> ToHost {
    ToHost::Event(HostEvent { show: ShowId(1), event: Box::new(event) })
}

fn mark(seq: u64) -> Mark {
    Mark { seq: Seq(seq), at: Millis(0) }
}

fn question(seq: u64, number: u16) -> ToHost {
    let (opens_at, closes_at) = (Millis(2_000), Millis(12_000));
    let question = klaxon_fixtures::question(seq, number);
    event(ToPlayer::Question(Question { at: Millis(1_000), total: 2, opens_at, closes_at, ..question }))
}

fn figures(seq: u64, phase: Phase, number: Option<u16>, joined: u32) -> ToHost {
    let (seq, question, figures) = (Seq(seq), number.map(RoundId), klaxon_fixtures::figures(ShowId(1)));
    ToHost::Figures(Box::new(Figures {
        phase,
        seq,
        question,
        total: 2,
        joined,
        connected: joined,
        alive: joined,
        ..figures
    }))
}

fn reveal(seq: u64, number: u16) -> ToHost {
    event(ToPlayer::Reveal(klaxon_fixtures::reveal(seq, number)))
}

#[test]
fn a_show_is_driven_from_the_lobby_to_the_end() {
    let mut now = Instant::now();
    let mut director = Director::new(pace(), Extras::default(), TWO);
    director.receive(&event(ToPlayer::Opened(mark(1))), now);
    assert_eq!(director.take_due(now + STEP * 29), vec![]);
    director.receive(&figures(1, Phase::Lobby, None, 10), now);
    assert_eq!(director.take_due(now + STEP / 2), vec![]);
    assert_eq!(director.take_due(now + STEP), vec![Action::Next]);
    for number in 1..=2 {
        let seq = u64::from(number) * 10;
        director.receive(&question(seq, number), now);
        assert_eq!(director.take_due(now + STEP * 60), vec![]);
        let close = Close { seq: Seq(seq + 1), at: Millis(0), question: RoundId(number) };
        director.receive(&event(ToPlayer::Close(close)), now);
        director.receive(&figures(seq + 1, Phase::Closed, Some(number), 10), now);
        assert_eq!(director.take_due(now + STEP), vec![Action::Reveal]);
        director.receive(&reveal(seq + 2, number), now);
        now += STEP * 2;
        let next = if number == 2 { Action::End { pay: true } } else { Action::Next };
        assert_eq!(director.take_due(now), vec![next]);
    }
    director.receive(&event(ToPlayer::End(mark(30))), now);
    assert_eq!((director.stage().phase, director.due()), (Phase::Ended, None));
}

#[test]
fn figures_from_before_an_event_change_nothing() {
    let now = Instant::now();
    let mut director = Director::new(pace(), Extras::default(), TWO);
    director.receive(&question(10, 1), now);
    director.receive(&figures(9, Phase::Closed, Some(1), 10), now);
    assert_eq!(director.stage().phase, Phase::Question);
}

#[test]
fn a_question_that_was_missed_is_known_from_the_figures() {
    let now = Instant::now();
    let mut director = Director::new(pace(), Extras::default(), TWO);
    director.receive(&question(10, 1), now);
    director.receive(&figures(15, Phase::Closed, Some(2), 10), now);
    assert_eq!(director.stage().round.map(|times| times.round), Some(RoundId(2)));
    assert_eq!(director.take_due(now + STEP), vec![Action::Reveal]);
}

#[test]
fn what_moves_the_show_on_is_tried_again_but_only_where_it_still_fits() {
    let now = Instant::now();
    let mut director = Director::new(pace(), Extras::default(), TWO);
    director.receive(&question(10, 1), now);
    director.receive(&figures(11, Phase::Closed, Some(1), 10), now);
    assert_eq!(director.take_due(now + STEP), vec![Action::Reveal]);
    director.refused(Action::Reveal, ErrorCode::Unavailable, now + STEP);
    assert_eq!(director.take_due(now + STEP * 2), vec![Action::Reveal]);
    director.refused(Action::Reveal, ErrorCode::WrongPhase, now + STEP * 2);
    director.receive(&reveal(12, 1), now + STEP * 2);
    assert_eq!(director.take_due(now + STEP * 3), vec![]);
    director.refused(Action::Next, ErrorCode::NoMoreQuestions, now + STEP * 3);
    assert_eq!(director.take_due(now + STEP * 3), vec![Action::End { pay: true }]);
}

#[test]
fn a_show_that_is_held_reveals_and_does_not_ask_on() {
    let now = Instant::now();
    let mut director = Director::new(pace(), Extras::default(), TWO);
    director.receive(&question(10, 1), now);
    director.hold(true);
    director.receive(&figures(11, Phase::Closed, Some(1), 10), now);
    assert_eq!(director.take_due(now + STEP), vec![Action::Reveal]);
    director.receive(&reveal(12, 1), now + STEP);
    assert_eq!((director.take_due(now + STEP * 60), director.due()), (vec![], None));
    director.hold(false);
    assert_eq!(director.take_due(now + STEP * 60), vec![Action::Next]);
}

#[test]
fn a_pause_is_always_followed_by_its_resume() {
    let now = Instant::now();
    let extras = Extras::only(RoundId(1), Extra::Pause { at: 0.5, standing: STEP });
    let mut director = Director::new(pace(), extras, TWO);
    director.receive(&question(10, 1), now);
    assert_eq!(director.take_due(now + STEP * 6), vec![Action::Pause]);
    director.receive(&figures(12, Phase::Closed, Some(1), 10), now);
    assert!(director.take_due(now + STEP * 7).contains(&Action::Resume));
}

#[test]
fn lives_are_given_while_the_question_is_open_and_the_press_too_early_is_made_before() {
    let now = Instant::now();
    let give = Action::GiveLives { seat: None, lives: 2 };
    for (extra, at, action) in [
        (Extra::GiveLives { at: 0.5, lives: 2 }, STEP * 6, give),
        (Extra::CloseTooEarly, Duration::ZERO, Action::Close),
    ] {
        let mut director = Director::new(pace(), Extras::only(RoundId(1), extra), TWO);
        director.receive(&question(10, 1), now);
        assert_eq!(director.take_due(now + at), vec![action]);
    }
}

#[test]
fn the_autopilot_is_left_alone() {
    let now = Instant::now();
    let mut director = Director::new(Pace { autopilot: true, ..pace() }, Extras::default(), TWO);
    director.receive(&event(ToPlayer::Opened(mark(1))), now);
    director.receive(&question(10, 1), now);
    director.receive(&reveal(12, 1), now);
    assert_eq!(director.due(), None);
}

#[test]
fn a_host_who_is_late_voids_the_question_before_asking_the_next() {
    let now = Instant::now();
    let void = Extra::Void { reason: "Not fair.".into() };
    let mut director = Director::new(pace(), Extras::only(RoundId(1), void), TWO);
    director.receive(&question(10, 1), now);
    director.receive(&reveal(12, 1), now);
    let actions = director.take_due(now + STEP * 60);
    assert!(matches!(actions[..], [Action::Void { .. }, Action::Next]), "{actions:?}");
}

/// A rundown's director after its round 1 was begun, and told closed.
fn with_closed_round(now: Instant) -> Director {
    let host = RundownHost::new(7, None);
    let mut director = Director::new(pace(), Extras::default(), GameHost::Rundown(host));
    director.receive(&told(Phase::Lobby, None, json!({ "event": "break", "text": "Tea!", "for": 0 })), now);
    director.take_due(now + STEP * 60);
    let times = json!({ "event": "question", "opens_at": 0, "closes_at": 1 });
    director.receive(&told(Phase::Question, Some(1), times), now);
    director.receive(&told(Phase::Closing, None, json!({ "event": "close", "round": 1 })), now);
    director
}

fn told(phase: Phase, round: Option<u16>, body: serde_json::Value) -> ToHost {
    let (seq, at, round, body) = (Seq(1), Millis(0), round.map(RoundId), Body::of(&body));
    event(ToPlayer::GameEvent(GameEvent { seq, at, phase, round, body }))
}

fn judges(actions: &[Action]) -> bool {
    matches!(actions, [Action::Play { body }] if body.0.contains_key("judge"))
}

#[test]
fn a_break_is_left_by_the_host_and_a_part_that_tells_nothing_is_begun_twice() {
    let now = Instant::now();
    let host = RundownHost::new(7, None);
    let mut director = Director::new(pace(), Extras::default(), GameHost::Rundown(host));
    director.receive(&event(ToPlayer::Opened(mark(1))), now);
    assert_eq!(director.take_due(now + STEP * 30), vec![Action::Next]);
    director.receive(&told(Phase::Lobby, None, json!({ "event": "break", "text": "Tea!", "for": 0 })), now);
    director.done(&Action::Next, now);
    assert_eq!(director.take_due(now + STEP * 60), vec![Action::Next], "once, for the break is told");
    director.done(&Action::Next, now);
    assert_eq!(director.take_due(now + STEP * 60), vec![Action::Next], "nothing was told");
    director.done(&Action::Next, now);
    let times = json!({ "event": "question", "opens_at": 0, "closes_at": 1 });
    director.receive(&told(Phase::Question, Some(1), times), now);
    assert_eq!(director.take_due(now + STEP * 60), vec![]);
    director.refused(Action::Next, ErrorCode::NoMoreQuestions, now);
    assert_eq!(director.take_due(now + STEP * 60), vec![Action::End { pay: true }]);
}

#[test]
fn who_has_the_floor_is_judged_and_nothing_is_revealed_before() {
    let now = Instant::now();
    let floor = json!({ "event": "floor", "number": 1, "round": 1, "seat": 3, "order": [3], "buzzed": 1 });
    // The figures can come before the event.
    for figures_first in [false, true] {
        let mut director = with_closed_round(now);
        if figures_first {
            director.receive(&figures(1, Phase::Closed, Some(1), 10), now);
        }
        director.receive(&told(Phase::Closed, None, floor.clone()), now);
        director.receive(&figures(1, Phase::Closed, Some(1), 10), now);
        let actions = director.take_due(now + STEP * 60);
        assert!(judges(&actions), "{actions:?}");
    }
}

#[test]
fn a_host_who_missed_who_has_the_floor_judges_once_the_reveal_was_refused() {
    let now = Instant::now();
    let mut director = with_closed_round(now);
    director.receive(&figures(1, Phase::Closed, Some(1), 10), now);
    assert_eq!(director.take_due(now + STEP), vec![Action::Reveal]);
    director.refused(Action::Reveal, ErrorCode::WrongPhase, now);
    let actions = director.take_due(now + STEP);
    assert!(judges(&actions), "{actions:?}");
    director.refused(actions[0].clone(), ErrorCode::Unavailable, now);
    assert!(judges(&director.take_due(now + STEP)));
    director.refused(actions[0].clone(), ErrorCode::WrongPhase, now);
    assert_eq!(director.take_due(now + STEP), vec![Action::Reveal]);
}
