//! Extra time for a seat: docs/rules/rundown.md by examples, and what a player or a host could try.

use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Action;
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

use super::play::{Play, choice, question};

const LATE: Verdict = Verdict::Refused(ErrorCode::TooLate);
const RIGHT: Verdict = Verdict::Accepted(ClaimValue::Bits(0));

/// Seat 0 has half as much time again, and the first question is open.
fn begun(settings: Value, questions: Value) -> Play {
    let mut play = Play::new(settings, questions, 3);
    play.play(json!({ "extra_time": { "seat": 0, "percent": 150 } })).unwrap();
    assert_eq!(play.own(0)["extra_time"], json!(150));
    play.host(Action::Next);
    play
}

#[test]
fn the_example_of_the_rule_book() {
    let mut play = begun(json!({}), json!([choice(), choice()]));
    let opened = play.now;
    let own_time = json!({ "part": 0, "extra_time": 150, "closes_at": opened + Span(15_000) });
    assert_eq!((play.told_alone(0), play.told_alone(1)), (Some(own_time), None));
    assert_eq!(play.event()["closes_at"], json!(opened + Span(10_000)), "for all others");
    assert_eq!(play.own(0)["closes_at"], json!(opened + Span(15_000)), "a reload keeps it");
    play.wait(5_000);
    assert_eq!(play.answer(1, 0), RIGHT);
    play.wait(5_000);
    assert_eq!((play.answer(2, 0), play.game.phase()), (LATE, Phase::Question), "its time is up, and seat 0 has more");
    assert_eq!(play.game.deadline(), Some(opened + Span(15_000)));
    assert_eq!(play.try_host(Action::Pause).unwrap_err().code, ErrorCode::WrongPhase, "the time of all is up");
    play.wait(2_000);
    assert_eq!(play.answer(0, 0), RIGHT);
    assert_eq!(play.game.deadline(), Some(opened + Span(10_000)), "nobody is awaited any more");
    play.finish();
    // 12 s of 15 s are as 8 s of 10 s.
    assert_eq!(play.points(), [600, 750, 0]);
    // Who has answered in time is not awaited, and the round closes for all at its time.
    play.host(Action::Next);
    let opened = play.now;
    play.answer(0, 0);
    assert_eq!(play.game.deadline(), Some(opened + Span(10_000)));
    play.finish();
    play.replay();
}

#[test]
fn extra_time_ends_with_itself_with_a_close_and_with_a_removal() {
    let mut play = begun(json!({}), json!([choice(), choice(), choice()]));
    let opened = play.now;
    play.wait(14_999);
    let claim = |play: &mut Play, at: Millis| {
        let early = play.now.since(at).0;
        play.claim(0, 0, ClaimValue::Bits(0), early)
    };
    play.now = opened + Span(15_000);
    play.apply(Command::Tick).unwrap();
    assert_eq!(play.game.phase(), Phase::Closing);
    assert_eq!(claim(&mut play, opened + Span(15_000)), LATE);
    assert_eq!(claim(&mut play, opened + Span(14_999)), RIGHT, "read in time, while gateways hand in");
    play.tally();
    play.host(Action::Reveal);
    // The host closes earlier: for all, at once.
    play.host(Action::Next);
    play.wait(12_000);
    play.host(Action::Close);
    let closed = play.now;
    play.now = closed + Span(10);
    assert_eq!(claim(&mut play, closed), LATE);
    assert_eq!(claim(&mut play, closed - Span(1)), RIGHT);
    play.tally();
    play.host(Action::Reveal);
    // Nobody waits for a player who was removed.
    play.host(Action::Next);
    let opened = play.now;
    play.host(Action::Remove { seat: klaxon_protocol::ids::Seat(0), ban: false });
    assert_eq!(play.game.deadline(), Some(opened + Span(10_000)));
    play.replay();
}

#[test]
fn a_pause_and_a_change_of_the_time_tell_the_seat_its_own_end_again() {
    let mut play = Play::new(json!({}), json!([choice()]), 2);
    play.play(json!({ "extra_time": { "seat": 0, "percent": 200 } })).unwrap();
    play.host(Action::Next);
    play.wait(4_000);
    play.host(Action::Pause);
    assert_eq!(play.own(0).get("closes_at"), None);
    play.wait(60_000);
    play.host(Action::Resume);
    let ends = play.now + Span(6_000 + 10_000);
    assert_eq!(play.told_alone(0).unwrap()["closes_at"], json!(ends));
    play.wait(15_999);
    assert_eq!(play.answer(0, 0), RIGHT);
    play.finish();
    // 19,999 ms of 20 s: nothing is left of the points for speed.
    assert_eq!(play.points(), [500, 0]);
    play.replay();
}

#[test]
fn where_the_order_decides_the_seat_has_the_time_of_all_and_is_told_so() {
    let fastest = question("fastest", json!({ "choices": ["a", "b"], "right": [0], "places": [500] }));
    let mut play = begun(json!({}), json!([fastest, question("buzzer", json!({}))]));
    let own_time = |play: &Play| json!({ "part": 0, "extra_time": 100, "closes_at": play.now + Span(10_000) });
    assert_eq!(play.told_alone(0), Some(own_time(&play)));
    play.wait(5_000);
    play.answer(1, 0);
    play.answer(0, 0);
    play.finish();
    assert_eq!(play.event()["winners"], json!([0]), "of the same millisecond the lower seat");
    play.host(Action::Next);
    assert_eq!(play.told_alone(0), Some(own_time(&play)));
    play.wait(10_000);
    assert_ne!(play.game.phase(), Phase::Question);
}

#[test]
fn extra_time_is_given_between_rounds_and_within_its_range() {
    let mut play = begun(json!({}), json!([choice()]));
    let refused = |play: &mut Play, seat: u32, percent: u16, code: ErrorCode| {
        let refusal = play.play(json!({ "extra_time": { "seat": seat, "percent": percent } })).unwrap_err();
        assert_eq!(refusal.code, code, "{refusal}");
    };
    refused(&mut play, 1, 150, ErrorCode::WrongPhase);
    play.finish();
    refused(&mut play, 1, 99, ErrorCode::BadArgument);
    refused(&mut play, 1, 301, ErrorCode::BadArgument);
    refused(&mut play, 9, 150, ErrorCode::UnknownSeat);
    play.play(json!({ "extra_time": { "seat": 0, "percent": 100 } })).unwrap();
    assert_eq!(play.own(0).get("extra_time"), None, "taken away");
    play.replay();
}
