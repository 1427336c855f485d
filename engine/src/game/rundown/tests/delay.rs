//! Shows beside a video stream.

use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Phase;
use serde_json::{Value, json};

use super::play::{Play, setup};
use crate::game::Game;

/// A show whose stream is five seconds behind.
fn behind(parts: &[&str], players: u32) -> Play {
    let mut setup = setup(parts);
    setup["stream_delay"] = json!(5_000);
    Play::of(setup, players)
}

fn message(text: &str) -> Action {
    Action::Message { text: text.into() }
}

fn begin_round(play: &mut Play) {
    play.host(Action::Next);
    play.wait(1_000);
    play.host(Action::Next);
    play.wait(5_000);
}

#[test]
fn players_see_a_round_when_the_stream_comes_to_it_and_are_judged_by_that() {
    let mut play = behind(&["coins 1"], 2);
    play.told.clear();
    play.host(Action::Next);
    play.wait(1_000);
    play.host(Action::Next);
    play.wait(3_999);
    assert_eq!((play.story(), play.game.round()), (vec![], None), "the stream is behind");
    play.wait(1);
    assert_eq!(play.story(), ["0 coins"]);
    play.wait(1_000);
    assert_eq!(play.game.phase(), Phase::Question);
    assert_eq!(play.claim(0, 1), Verdict::Accepted(ClaimValue::Bits(1)), "it counts from here on");
    // The host closes it, which players see five seconds later: until then claims count.
    play.host(Action::Close);
    play.wait(4_999);
    assert_eq!(play.claim(1, 1), Verdict::Accepted(ClaimValue::Bits(1)));
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn what_can_not_be_done_any_more_when_its_time_comes_is_told_to_the_host() {
    let mut play = behind(&["coins 1"], 1);
    begin_round(&mut play);
    play.host(Action::Reveal);
    play.host(message("Hello!"));
    play.wait(5_000);
    let [AlertKind::Game { body }] = &play.alerts[..] else { panic!("{:?}", play.alerts) };
    assert_eq!(
        (&body.0["event"], &body.0["action"], &body.0["code"]),
        (&json!("not_done"), &json!("reveal"), &json!("wrong_phase"))
    );
    assert_eq!(play.story().last().map(String::as_str), Some("notice"), "what came after it is done");
}

#[test]
fn what_mends_something_is_done_at_once() {
    let mut play = behind(&["coins 1"], 2);
    begin_round(&mut play);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    assert_eq!(play.overview()["in_play"], 1);
    play.host(Action::Void { reason: "A wrong coin.".into() });
    assert_eq!(play.game.phase(), Phase::Revealed);
}

#[test]
fn a_host_takes_back_what_waits() {
    let mut play = behind(&["coins 1"], 1);
    play.told.clear();
    play.host(Action::Next);
    play.play(json!({ "take_back": true })).unwrap();
    play.wait(60_000);
    assert_eq!(play.story(), Vec::<String>::new());
    let refusal = play.play(json!({ "take_back": true })).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::BadArgument);
}

#[test]
fn a_paused_show_goes_on_with_what_waits_after_it_is_resumed() {
    let mut play = behind(&["coins 1"], 1);
    play.host(message("One"));
    play.host(Action::Pause);
    play.wait(60_000);
    assert_eq!(play.story().last().map(String::as_str), Some("pause"));
    play.host(Action::Resume);
    play.wait(0);
    assert_eq!(play.story()[1..], ["pause", "resume", "notice"]);
}

#[test]
fn a_host_can_not_fill_the_memory_with_what_waits() {
    let mut play = behind(&["coins 1"], 1);
    (0..100).for_each(|_| play.host(message("Hello!")));
    assert_eq!(play.refusal(message("Hello!")).0, ErrorCode::Unavailable);
    play.host(Action::Pause);
    play.play(json!({ "take_back": true })).unwrap();
    play.host(Action::Resume);
    play.host(message("Hello!"));
}

#[test]
fn the_end_comes_with_the_stream_and_drops_what_waits_after_it() {
    let mut play = behind(&["coins 1"], 1);
    play.host(Action::End { pay: true });
    play.host(message("Is anybody there?"));
    play.wait(4_999);
    assert_eq!(play.game.phase(), Phase::Lobby);
    play.wait(1);
    assert_eq!((play.game.phase(), play.game.deadline(), play.alerts.len()), (Phase::Ended, None, 0));
}

#[test]
fn a_script_and_a_stream_do_not_go_together() {
    let mut play = behind(&["coins 1"], 1);
    assert_eq!(play.refusal(Action::Autopilot { on: true }).0, ErrorCode::BadArgument);
    play.host(Action::Autopilot { on: false });
    let problems = |setup: Value| {
        let setup: klaxon_protocol::games::rundown::Setup = serde_json::from_value(setup).unwrap();
        setup.problems().join("; ")
    };
    let mut both = setup(&["Tea!"]);
    both["stream_delay"] = json!(1);
    assert_eq!(problems(both.clone()), "");
    both["script"] = json!({ "on": true });
    assert!(problems(both.clone()).starts_with("script.on: "));
    both["stream_delay"] = json!(120_001);
    assert!(problems(both).contains("stream_delay: 0 to 120000 (milliseconds)"));
}
