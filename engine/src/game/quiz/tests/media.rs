//! Questions with pictures, and the preload before them.

use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown::Setup;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Phase;
use serde_json::{Value, json};

use super::play::{Play, choice};

const YES: Verdict = Verdict::Accepted(ClaimValue::Bits(0));

fn picture(digit: char) -> Value {
    let name: String = [digit; 64].iter().collect();
    json!({ "url": format!("https://cdn.example.org/{name}.png"), "type": "image/png", "bytes": 1000 })
}

fn question(digit: char) -> Value {
    let mut question = choice();
    question["media"] = picture(digit);
    question
}

fn setup(preload: Value) -> Value {
    let mut first = json!({ "part": "preload" });
    first.as_object_mut().unwrap().extend(preload.as_object().unwrap().clone());
    let quiz = |digits: &str| json!({ "part": "quiz", "shuffle": false, "questions": digits.chars().map(question).collect::<Vec<_>>() });
    json!({ "parts": [first, quiz("c"), quiz("acb"), { "part": "preload" }, quiz("d")], "lead": 0 })
}

#[test]
fn clients_load_what_is_shown_until_the_next_preload_in_an_order_that_tells_nothing() {
    let mut play = Play::of(setup(json!({})), 2);
    let media: Vec<Value> = "abc".chars().map(picture).collect();
    assert_eq!(play.event(), &json!({ "event": "preload", "part": 0, "percent": 0, "media": media }));
    assert_eq!(play.view(), json!({ "percent": 0, "media": media }), "who joins later loads it, too");
    assert_eq!(play.own(0).get("loaded"), None);
    // Nothing is waited for: the quiz begins, and its question names its picture.
    play.host(Action::Next);
    play.host(Action::Next);
    assert_eq!((&play.event()["event"], &play.event()["media"]), (&json!("question"), &picture('c')));
    play.replay();
}

#[test]
fn a_show_waits_until_enough_have_loaded() {
    let mut play = Play::of(setup(json!({ "percent": 60, "within": 5_000 })), 5);
    play.host(Action::Next);
    assert_eq!(play.event()["event"], "load");
    play.wait(1_000);
    assert_eq!((play.answer(0, 0), play.answer(1, 0)), (YES, YES));
    assert_eq!((play.own(1)["loaded"].clone(), play.own(2)["loaded"].clone()), (json!(true), json!(false)));
    assert_eq!(play.answer(1, 0), YES, "sent again, it is still one");
    play.wait(1_000);
    assert_eq!(play.game.phase(), Phase::Question, "two of five are not 60 %");
    assert_eq!(play.answer(4, 0), YES);
    play.wait(1);
    assert_eq!(play.event(), &json!({ "event": "loaded", "part": 0, "round": 1, "loaded": 3 }));
    assert_eq!(play.points(), [0; 5]);
    play.host(Action::Next);
    assert_eq!(play.game.figures(play.now).total, 1 + 1 + 3 + 1);
    play.replay();
}

#[test]
fn no_player_can_hold_a_show_up_for_longer_than_its_limit() {
    let mut play = Play::of(setup(json!({ "percent": 100, "within": 5_000 })), 2);
    play.host(Action::Next);
    assert_eq!(play.answer(0, 0), YES);
    assert_eq!(play.answer(1, 1), Verdict::Refused(ErrorCode::BadChoice));
    play.wait(4_999);
    assert_eq!(play.game.phase(), Phase::Question);
    play.wait(1);
    assert_eq!(play.event()["loaded"], 1);
}

#[test]
fn only_those_who_play_are_waited_for() {
    let mut play = Play::of(setup(json!({ "percent": 100 })), 2);
    play.host(Action::Next);
    assert_eq!(play.answer(0, 0), YES);
    play.wait(10);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.wait(0);
    assert_eq!(play.event()["loaded"], 1);
}

#[test]
fn the_host_ends_the_wait_or_voids_it() {
    for action in [Action::Close, Action::Void { reason: "Enough.".into() }] {
        let mut play = Play::of(setup(json!({ "percent": 100 })), 2);
        play.host(Action::Next);
        play.wait(1);
        play.host(action);
        play.tally();
        assert_eq!(play.game.phase(), Phase::Revealed);
        play.host(Action::Next);
        play.replay();
    }
}

#[test]
fn what_can_not_be_loaded_is_refused_by_its_path() {
    let problems = |setup: Value| serde_json::from_value::<Setup>(setup).unwrap().problems();
    let mut wrong = setup(json!({ "percent": 101, "within": 1 }));
    wrong["parts"][1]["questions"][0]["media"]["url"] = json!("https://cdn.example.org/eiffel-tower.png");
    wrong["parts"][2]["questions"][1]["media"]["bytes"] = json!(0);
    wrong["parts"][4]["questions"][0].as_object_mut().unwrap().remove("media");
    let told = problems(wrong);
    let begin = [
        "parts[0].percent: ",
        "parts[0].within: ",
        "parts[1].questions[0].media.url: ",
        "parts[2].questions[1].media.bytes: ",
        "parts[3]: no part after it",
    ];
    assert_eq!(told.len(), begin.len(), "{told:?}");
    for (told, begin) in told.iter().zip(begin) {
        assert!(told.starts_with(begin), "{told}");
    }
    let many: Vec<Value> = (0..101)
        .map(|number| {
            let mut question = choice();
            question["media"] =
                json!({ "url": format!("https://cdn.example.org/{number:064x}.png"), "type": "image/png", "bytes": 1 });
            question
        })
        .collect();
    let told = problems(json!({ "parts": [{ "part": "preload" }, { "part": "quiz", "questions": many }] }));
    assert!(told.len() == 1 && told[0].contains("101 files are too much"), "{told:?}");
}
