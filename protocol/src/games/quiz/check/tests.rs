//! Setups with mistakes.

use serde_json::{Value, json};

use super::*;
use crate::player::Body;

fn quiz(json: &Value) -> Quiz {
    Body::of(json).read_known().unwrap_or_else(|problem| panic!("{json}: {problem}"))
}

/// One question of each kind.
fn kinds() -> Vec<Value> {
    vec![
        json!({ "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 1, "times": 2, "explanation": "So it is." }),
        json!({ "text": "?", "kind": "choices", "choices": ["a", "b", "c"], "right": [0, 2], "by": "share", "weights": [2, -1, 1] }),
        json!({ "text": "?", "kind": "number", "right": 314, "decimals": 2, "score": { "by": "nearest", "places": [300, 100] } }),
        json!({ "text": "?", "kind": "number", "right": -5, "unit": "°C", "score": { "by": "curve", "zero": 10 } }),
        json!({ "text": "?", "kind": "order", "items": ["first", "second"] }),
        json!({ "text": "?", "kind": "text", "spellings": ["Nile", "the Nile"], "typos": 1 }),
        json!({ "text": "?", "kind": "poll", "choices": ["a", "b"] }),
        json!({ "text": "?", "kind": "words", "each": 3 }),
        json!({ "text": "?", "kind": "fastest", "choices": ["a", "b"], "right": [1, 0], "places": [500, 300, 0] }),
        json!({ "text": "?", "kind": "buzzer", "wrong": "reopen" }),
        json!({ "text": "?", "kind": "buzzer", "choices": ["a", "b"], "right": 0 }),
        json!({ "text": "?", "kind": "majority", "choices": ["a", "b"], "tie": "none" }),
        json!({ "text": "?", "kind": "wager", "most": 500 }),
        json!({ "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 0 }),
        json!({ "text": "Now to something else.", "kind": "slide" }),
    ]
}

#[test]
fn every_kind_is_read_by_its_names_and_has_no_problem() {
    let quiz = quiz(&json!({ "questions": kinds() }));
    assert_eq!(quiz.problems(), Vec::<String>::new());
    let written: Quiz = Body::of(&quiz).read_known().unwrap();
    assert_eq!(written, quiz);
    let unknown =
        Body::of(&json!({ "questions": [{ "text": "?", "kind": "poll", "choices": ["a", "b"], "right": 0 }] }));
    let told = unknown.read_known::<Quiz>().unwrap_err();
    assert!(told.starts_with("`questions[0].right` is not known"), "{told}");
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_path() {
    let problems = quiz(&json!({
        "speed": 101,
        "questions": [
            { "text": " ", "kind": "choice", "choices": ["a", "a"], "right": 2 },
            { "text": "?", "kind": "number", "right": 7, "least": 8, "most": 9, "score": { "by": "curve", "zero": 0 } },
            { "text": "?", "kind": "fastest", "choices": ["a", "b", "c"], "right": [0, 0], "places": [1, 2] },
            { "text": "?", "kind": "text", "spellings": ["Zürich", "ZURICH", "\u{301}"], "typos": 4 },
            { "text": "?", "kind": "buzzer", "right": 0, "window": 1 },
            { "text": "?", "kind": "wager" },
        ],
    }))
    .problems();
    let begin = [
        "speed: 0 to 100, not 101",
        "questions[0].text: ",
        "questions[0].choices[1]: the choice \"a\" is there twice",
        "questions[0].right: there is no choice 2",
        "questions[1].right: `least` to `most`, 8 to 9, not 7",
        "questions[1].score.zero: 1 to ",
        "questions[2].right: names one choice, or all",
        "questions[2].right[1]: choice 0 is there twice",
        "questions[2].places: a better place",
        "questions[3].typos: 0 to 3, not 4",
        "questions[3].spellings[1]: is the same as spellings[0]",
        "questions[3].spellings[2]: ",
        "questions[4].window: 100 ms to 10 s, not 1 ms",
        "questions[4].right: needs `choices`",
        "questions[5].kind: a `wager` needs a question after it",
    ];
    let told = problems.join("\n");
    for (line, begin) in problems.iter().zip(begin) {
        assert!(line.starts_with(begin), "{begin}\n{told}");
    }
}

#[test]
fn what_does_not_go_together_is_refused_by_its_name() {
    let yes_no = json!({ "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 0 });
    let with = |kind: &str, more: Value| {
        let mut question = json!({ "text": "?", "kind": kind, "choices": ["a", "b"] });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    let share = with("choices", json!({ "right": [0], "by": "share" }));
    let number = |score: Value| json!({ "text": "?", "kind": "number", "right": 1, "score": score });
    for (settings, question, field) in [
        (json!({ "accuracy_only": true, "speed": 10 }), yes_no.clone(), "speed"),
        (json!({ "accuracy_only": true, "streak": 10 }), yes_no.clone(), "streak"),
        (json!({ "survival": { "shrink": 10, "least": 1000 } }), yes_no.clone(), "survival"),
        (json!({ "all_wrong_all_stay": true }), yes_no.clone(), "all_wrong_all_stay"),
        (json!({ "last_question_lives": false }), yes_no.clone(), "last_question_lives"),
        (json!({ "below_zero": true }), yes_no.clone(), "below_zero"),
        (json!({ "prizes": { "by": "survivors", "pot": 5 } }), yes_no.clone(), "prizes.by"),
        (json!({ "mode": "elimination", "prizes": { "by": "places", "amounts": [5] } }), yes_no.clone(), "prizes.by"),
        (json!({ "prizes": { "by": "places", "amounts": [5, 6] } }), yes_no.clone(), "prizes.amounts"),
        (json!({ "prizes": { "by": "places", "amounts": [0] } }), yes_no.clone(), "prizes.amounts"),
        (json!({ "prizes": { "by": "places", "amounts": [] } }), yes_no.clone(), "prizes.amounts"),
        (json!({ "mode": "both", "prizes": { "by": "survivors", "pot": 0 } }), yes_no.clone(), "prizes.pot"),
        (json!({ "mode": "both", "late": "mean" }), yes_no.clone(), "late"),
        (json!({ "mode": "elimination", "penalty": 1 }), yes_no.clone(), "penalty"),
        (json!({ "mode": "elimination", "accuracy_only": true }), yes_no.clone(), "accuracy_only"),
        (json!({ "mode": "both" }), share, "questions[0].by"),
        (json!({ "mode": "both" }), number(json!({ "by": "curve", "zero": 2 })), "questions[0].score"),
        (
            json!({ "mode": "elimination" }),
            number(json!({ "by": "nearest", "places": [1] })),
            "questions[0].score.places",
        ),
        (json!({ "mode": "both" }), json!({ "text": "?", "kind": "buzzer" }), "questions[0].kind"),
        (json!({}), with("poll", json!({ "points": 5 })), "questions[0].points"),
        (json!({}), with("choice", json!({ "right": 0, "points": 5, "times": 2 })), "questions[0].times"),
        (json!({}), with("fastest", json!({ "right": [0], "places": [5], "times": 2 })), "questions[0].times"),
        (json!({}), with("buzzer", json!({ "right": 0, "wrong": "reopen" })), "questions[0].wrong"),
        (json!({}), with("buzzer", json!({ "right": 0, "speed": 5 })), "questions[0].speed"),
        (json!({}), with("choices", json!({ "right": [0], "weights": [1, -1] })), "questions[0].weights"),
        (
            json!({ "mode": "both", "survival": { "shrink": 10, "least": 1000 } }),
            with("choice", json!({ "right": 0, "open_for": 5000 })),
            "questions[0].open_for",
        ),
    ] {
        let mut all = settings;
        all["questions"] = json!([question, yes_no.clone()]);
        let problems = quiz(&all).problems();
        assert_eq!(problems.len(), 1, "{field}: {problems:?}");
        assert!(problems[0].starts_with(&format!("{field}: ")), "{field}: {problems:?}");
    }
    let wager = json!({ "text": "?", "kind": "wager" });
    for next in [json!({ "text": "?", "kind": "slide" }), with("choice", json!({ "right": 0, "points": 5 }))] {
        let problems = quiz(&json!({ "questions": [wager, next] })).problems();
        assert!(problems.len() == 1 && problems[0].starts_with("questions[0].kind: "), "{problems:?}");
    }
}

#[test]
fn survival_shortens_each_question_that_can_be_lost() {
    let quiz = quiz(&json!({
        "mode": "elimination",
        "survival": { "shrink": 10, "least": 7500 },
        "questions": [kinds()[0], kinds()[6], kinds()[4], kinds()[4], kinds()[4]],
    }));
    let times: Vec<u32> = (0..5).map(|index| quiz.time_of(index).0).collect();
    assert_eq!(times, [10_000, 10_000, 9_000, 8_100, 7_500]);
}

const RULE_BOOK: &str = include_str!("../../../../../docs/rules/quiz.md");

#[test]
fn the_setup_of_the_rule_book_can_be_played() {
    let (_, after) = RULE_BOOK.split_once("```json\n").unwrap();
    let (setup, _) = after.split_once("```").unwrap();
    let part: Value = serde_json::from_str(setup).unwrap();
    let shown: crate::games::rundown::Setup = Body::of(&json!({ "parts": [part] })).read_known().unwrap();
    assert_eq!(shown.problems(), Vec::<String>::new());
}

#[test]
fn the_rule_book_has_every_setting_and_kind() {
    let schema = schemars::schema_for!(Quiz).to_value();
    let settings = schema["properties"].as_object().unwrap().keys().filter(|name| *name != "questions");
    let kinds = kinds().into_iter().map(|question| question["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    for name in settings.chain(&kinds) {
        assert!(RULE_BOOK.contains(&format!("\n| `{name}` |")), "{name}");
    }
}
