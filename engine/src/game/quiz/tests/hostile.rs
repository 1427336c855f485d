//! What players and hosts could try.

use klaxon_protocol::claim::{ClaimText, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::quiz::number_to_bits;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Phase;
use serde_json::{Value, json};

use super::play::Play;

/// One question of each kind whose answer must not be told before its reveal, with a word that only its answer has.
fn with_secrets() -> Value {
    json!([
        { "text": "?", "kind": "text", "spellings": ["secret"], "explanation": "secret" },
        { "text": "?", "kind": "number", "right": 987_654, "score": { "by": "within", "off": 987_654 }, "explanation": "secret" },
        { "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 1, "explanation": "secret" },
        { "text": "?", "kind": "choices", "choices": ["a", "b"], "right": [1], "by": "share", "weights": [-77, 77], "explanation": "secret" },
        { "text": "?", "kind": "fastest", "choices": ["a", "b"], "right": [1, 0], "places": [5], "explanation": "secret" },
        { "text": "?", "kind": "buzzer", "choices": ["a", "b"], "right": 1, "explanation": "secret" },
    ])
}

#[test]
fn no_answer_is_told_before_its_reveal() {
    let questions = with_secrets();
    let count = questions.as_array().unwrap().len();
    let mut play = Play::new(json!({}), questions, 2);
    for _ in 0..count {
        play.told.clear();
        play.host(Action::Next);
        play.answer(0, 1);
        play.answer(1, 0);
        play.wait(600_000);
        assert_eq!(play.game.phase(), Phase::Closed);
        let told = format!("{} {} {} {}", json!(play.told), play.view(), play.own(0), play.own(1));
        for secret in ["secret", "987654", "right", "weights", "77"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        play.host(Action::Reveal);
        assert!(play.event().to_string().contains("secret"));
    }
}

#[test]
fn a_claim_that_no_client_would_send_is_refused() {
    let questions = json!([
        { "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 1 },
        { "text": "?", "kind": "choices", "choices": ["a", "b"], "right": [1] },
        { "text": "?", "kind": "number", "right": 5, "least": 0, "most": 10, "score": { "by": "within", "off": 0 } },
        { "text": "?", "kind": "order", "items": ["a", "b"] },
        { "text": "?", "kind": "text", "spellings": ["a"], "longest": 3 },
        { "text": "?", "kind": "wager" },
        { "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 1 },
    ]);
    let mut play = Play::new(json!({}), questions, 1);
    let text = |text| ClaimValue::Text(ClaimText::parse(text).unwrap());
    let bits = ClaimValue::Bits;
    for wrong in [
        vec![bits(2), bits(u64::MAX), text("a")],
        vec![bits(0), bits(4), text("a")],
        vec![bits(number_to_bits(-1)), bits(number_to_bits(11)), bits(u64::MAX), text("5")],
        vec![bits(0), bits(0x11), bits(0x110), text("ab")],
        vec![bits(1), text("abcd")],
        vec![bits(1), bits(u64::MAX), text("0")],
    ] {
        play.host(Action::Next);
        for value in wrong {
            assert_eq!(play.claim(0, 0, value.clone(), 0), Verdict::Refused(ErrorCode::BadChoice), "{value}");
        }
        assert_eq!(play.claim(0, 1, bits(0), 0), Verdict::Refused(ErrorCode::BadChoice), "there is one key");
        play.finish();
    }
}

#[test]
fn a_claim_before_the_opening_or_after_the_close_does_not_count() {
    let questions = json!([{ "text": "?", "kind": "buzzer", "window": 1000 }]);
    let mut play = Play::new(json!({}), questions, 2);
    play.host(Action::Next);
    assert_eq!(
        play.claim(0, 0, ClaimValue::Bits(0), 1),
        Verdict::Refused(ErrorCode::TooEarly),
        "no buzz before the question"
    );
    play.wait(10);
    play.answer(1, 0);
    play.wait(1_000);
    assert_eq!(play.answer(0, 0), Verdict::Refused(ErrorCode::TooLate));
    assert_eq!(play.event()["order"], json!([1]));
}

#[test]
fn a_removed_player_loses_the_floor_to_the_next() {
    let questions = json!([{ "text": "?", "kind": "buzzer" }]);
    let mut play = Play::new(json!({}), questions, 3);
    play.host(Action::Next);
    for seat in 0..3 {
        play.wait(1);
        play.answer(seat, 0);
    }
    play.wait(1_000);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.play(json!({ "judge": "wrong" })).unwrap();
    assert_eq!(play.event()["seat"], json!(2));
}

#[test]
fn a_host_action_that_there_is_not_is_refused_by_its_name() {
    let questions = json!([{ "text": "?", "kind": "poll", "choices": ["a", "b"] }]);
    let mut play = Play::new(json!({}), questions, 1);
    for (body, told) in [
        (json!({ "jugde": "right" }), "`jugde` is not known"),
        (json!({}), "a quiz has `accept`, `judge` and `hide`"),
        (json!({ "judge": "right", "hide": "a" }), "a quiz has `accept`"),
        (json!({ "judge": "right" }), "Nobody has the floor"),
        (json!({ "hide": "a" }), "The last question is no word cloud"),
    ] {
        let refusal = play.play(body).unwrap_err();
        assert!(refusal.detail.starts_with(told), "{refusal}");
    }
}
