//! docs/rules/quiz.md by examples.

use klaxon_protocol::claim::{ClaimText, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::quiz::{number_to_bits, order_to_bits, set_to_bits};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Span;
use serde_json::{Value, json};

use super::play::{Play, choice, question};

fn refused(code: ErrorCode) -> Verdict {
    Verdict::Refused(code)
}

#[test]
fn the_example_of_the_rule_book() {
    let mut play = Play::new(
        json!({ "penalty": 200 }),
        json!([
            { "text": "Which planet is the largest?", "kind": "choice", "choices": ["Jupiter", "Mars"], "right": 0,
              "explanation": "It weighs more than twice all others." },
            { "text": "When was the Eiffel Tower opened?", "kind": "number", "right": 1889,
              "score": { "by": "nearest", "places": [500, 300] } },
            { "text": "How much do you stake?", "kind": "wager" },
            { "text": "Which river flows through Cairo?", "kind": "text", "spellings": ["Nile", "the Nile"], "typos": 1 },
        ]),
        3,
    );
    // Ann (seat 0) is right after half of the time, Ben (1) is wrong, Cho (2) says nothing.
    play.host(Action::Next);
    assert_eq!(
        *play.event(),
        json!({
            "event": "question", "part": 0, "number": 1, "total": 4, "text": "Which planet is the largest?", "kind": "choice",
            "choices": ["Jupiter", "Mars"], "points": 1000, "round": 1, "opens_at": 1_000_000, "closes_at": 1_010_000,
        })
    );
    play.answer(1, 1);
    play.wait(5_000);
    play.answer(0, 0);
    play.finish();
    assert_eq!(
        *play.event(),
        json!({
            "event": "reveal", "part": 0, "number": 1, "round": 1, "right": { "choices": [0] }, "counts": [1, 1], "answered": 2,
            "right_answers": 1, "in_play": 3, "explanation": "It weighs more than twice all others.",
            "leaders": [
                { "rank": 1, "seat": 0, "points": 750 }, { "rank": 2, "seat": 1, "points": 0 }, { "rank": 2, "seat": 2, "points": 0 },
            ],
        })
    );
    assert_eq!(
        play.told_alone(1),
        Some(json!({
            "part": 0, "result": { "round": 1, "outcome": "wrong", "gained": 0, "rank": 2 },
            "in_play": true, "lives": 0, "points": 0, "winnings": 0,
        })),
        "a penalty takes no more than there is"
    );
    // Cho is 1 off, Ann 11, and Ben says nothing.
    play.ask(&[(0, number_to_bits(1900)), (2, number_to_bits(1890))]);
    assert_eq!(play.points(), [750 + 300, 0, 500]);
    play.void();
    play.replay();
    assert_eq!(play.points(), [750, 0, 0]);
    // Ann stakes 700, Ben has nothing to stake.
    play.host(Action::Next);
    assert_eq!(play.answer(1, 1), refused(ErrorCode::BadChoice));
    assert_eq!(play.answer(0, 700), Verdict::Accepted(ClaimValue::Bits(700)));
    play.finish();
    assert_eq!(play.own(0)["stake"], json!(700));
    // Her one typing error is accepted.
    play.host(Action::Next);
    play.type_in(0, 0, " the NIEL");
    play.type_in(1, 0, "nil");
    play.finish();
    assert_eq!(play.event()["right"], json!({ "spellings": ["Nile", "the Nile"] }));
    assert_eq!(play.points(), [1450, 0, 0]);
    play.host(Action::End { pay: true });
    play.replay();
}

#[test]
fn several_choices_pay_all_or_by_share() {
    let of = |by: &str| {
        let fields = json!({ "choices": ["a", "b", "c", "d"], "right": [0, 2], "by": by });
        let mut play = Play::new(json!({ "accuracy_only": true }), json!([question("choices", fields)]), 4);
        play.ask(&[(0, set_to_bits(&[0, 2])), (1, set_to_bits(&[0])), (2, set_to_bits(&[0, 1, 2, 3]))]);
        assert_eq!(play.event()["counts"], json!([3, 1, 2, 1]));
        assert_eq!(play.event()["right"], json!({ "choices": [0, 2] }));
        play.points()
    };
    assert_eq!(of("all"), [1000, 0, 0, 0]);
    assert_eq!(of("share"), [1000, 500, 0, 0]);
}

#[test]
fn a_number_is_paid_by_a_curve_or_within_a_margin_and_has_decimals_and_a_sign() {
    let of = |score: Value| {
        let fields = json!({ "right": -314, "decimals": 2, "unit": "m", "score": score });
        let mut play = Play::new(json!({ "accuracy_only": true }), json!([question("number", fields)]), 3);
        play.ask(&[(0, number_to_bits(-314)), (1, number_to_bits(-264)), (2, number_to_bits(314))]);
        play.points()
    };
    assert_eq!(of(json!({ "by": "curve", "zero": 100 })), [1000, 500, 0]);
    assert_eq!(of(json!({ "by": "within", "off": 50 })), [1000, 1000, 0]);
    assert_eq!(of(json!({ "by": "within", "off": 49 })), [1000, 0, 0]);
}

#[test]
fn an_order_is_mixed_even_if_choices_are_not_and_is_paid_by_its_places() {
    let fields = json!({ "items": ["1st", "2nd", "3rd", "4th", "5th"], "by": "share" });
    let mut play = Play::new(json!({ "accuracy_only": true }), json!([question("order", fields)]), 3);
    play.host(Action::Next);
    let items = play.event()["items"].as_array().unwrap().clone();
    let place = |item: &str| u8::try_from(items.iter().position(|other| other == item).unwrap()).unwrap();
    let right = ["1st", "2nd", "3rd", "4th", "5th"].map(place);
    assert_ne!(right, [0, 1, 2, 3, 4], "the order of the setup would be the answer");
    let mut swapped = right;
    swapped.swap(0, 1);
    play.answer(0, order_to_bits(&right));
    play.answer(1, order_to_bits(&swapped));
    assert_eq!(
        play.answer(2, order_to_bits(&[0, 0, 1, 2, 3])),
        refused(ErrorCode::BadChoice),
        "no item is there twice"
    );
    play.finish();
    assert_eq!((play.event()["right"].clone(), play.event().get("counts")), (json!({ "order": right }), None));
    assert_eq!(play.points(), [1000, 600, 0]);
}

#[test]
fn a_poll_has_no_right_answer_and_costs_nobody_anything() {
    let poll = question("poll", json!({ "choices": ["tea", "coffee"] }));
    let mut play = Play::new(json!({ "mode": "both" }), json!([choice(), poll, choice()]), 3);
    play.ask(&[(0, 0), (1, 0), (2, 0)]);
    play.ask(&[(0, 1), (1, 1)]);
    assert_eq!(play.event()["counts"], json!([0, 2]));
    assert_eq!(play.event().get("right"), None);
    assert_eq!(play.in_play(), [true; 3]);
    assert_eq!(play.own(0)["result"]["outcome"], json!("counted"));
    // It leaves streaks as they are.
    play.ask(&[(0, 0), (1, 0)]);
    assert_eq!((play.points(), play.in_play()), (vec![2100, 2100, 1000], vec![true, true, false]));
}

#[test]
fn the_first_of_the_fastest_are_paid_by_place() {
    let fields = json!({ "choices": ["a", "b", "c"], "right": [2, 0, 1], "places": [500, 300] });
    let mut play = Play::new(json!({}), json!([question("fastest", fields)]), 4);
    play.host(Action::Next);
    play.wait(100);
    let right = ClaimValue::Bits(order_to_bits(&[2, 0, 1]));
    // Seat 3 reaches the show last, and was read first of those who are right.
    play.claim(1, 0, ClaimValue::Bits(order_to_bits(&[0, 1, 2])), 60);
    play.claim(0, 0, right.clone(), 20);
    play.claim(2, 0, right.clone(), 20);
    play.claim(3, 0, right, 50);
    play.finish();
    assert_eq!((play.event()["winners"].clone(), play.points()), (json!([3, 0]), vec![300, 0, 0, 500]));
    assert_eq!(play.own(3)["result"]["place"], json!(1));
    assert_eq!(play.own(2)["result"]["outcome"], json!("right"), "right, and too late for a place");
}

#[test]
fn a_buzzer_closes_after_its_window_and_the_first_to_be_read_has_the_floor() {
    let buzzer = question("buzzer", json!({ "window": 500 }));
    let mut play = Play::new(json!({ "penalty": 100, "below_zero": true }), json!([buzzer]), 4);
    play.host(Action::Next);
    play.wait(1_000);
    assert_eq!(play.answer(2, 0), Verdict::Accepted(ClaimValue::Bits(0)));
    play.wait(200);
    // Was read before seat 2's, and arrived later.
    play.claim(1, 0, ClaimValue::Bits(0), 300);
    assert_eq!(play.game.deadline().unwrap(), play.now - Span(300) + Span(500));
    play.wait(1_000);
    assert_eq!((play.game.phase(), play.game.deadline()), (Phase::Closed, None), "a script waits for the host");
    let floor =
        json!({ "event": "floor", "part": 0, "number": 1, "round": 1, "seat": 1, "order": [1, 2], "buzzed": 2 });
    assert_eq!(*play.event(), floor);
    assert_eq!(play.view()["floor"]["seat"], json!(1), "a reload keeps it");
    assert_eq!(play.own(2)["answered"], json!([{ "key": 0, "value": 0 }]));
    assert_eq!(play.try_host(Action::Reveal).unwrap_err().code, ErrorCode::WrongPhase);
    play.play(json!({ "judge": "wrong" })).unwrap();
    assert_eq!(play.event()["seat"], json!(2), "the next of those who buzzed");
    play.play(json!({ "judge": "right" })).unwrap();
    assert_eq!((play.event()["winners"].clone(), play.points()), (json!([2]), vec![0, -100, 1000, 0]));
    assert_eq!(play.play(json!({ "judge": "right" })).unwrap_err().code, ErrorCode::WrongPhase);
    play.void();
    assert_eq!(play.points(), [0; 4]);
    play.replay();
}

#[test]
fn a_buzzer_opens_again_for_all_who_were_not_wrong() {
    let buzzer = question("buzzer", json!({ "wrong": "reopen", "window": 100 }));
    let mut play = Play::new(json!({ "penalty": 100, "below_zero": true }), json!([buzzer]), 3);
    play.host(Action::Next);
    play.answer(0, 0);
    play.wait(100);
    play.play(json!({ "judge": "wrong" })).unwrap();
    assert_eq!((play.round(), play.game.phase()), (RoundId(2), Phase::Question));
    assert_eq!(play.answer(0, 0), refused(ErrorCode::NotInPlay), "locked out for this question");
    play.answer(1, 0);
    play.wait(100);
    play.play(json!({ "judge": "right" })).unwrap();
    assert_eq!(play.points(), [-100, 1000, 0]);
    play.replay();
}

#[test]
fn a_buzz_can_be_a_choice() {
    let fields = json!({ "choices": ["a", "b"], "right": 1 });
    let mut play = Play::new(json!({}), json!([question("buzzer", fields)]), 4);
    play.host(Action::Next);
    for (seat, choice) in [(2, 0), (0, 1), (1, 1)] {
        play.wait(10);
        play.answer(seat, choice);
    }
    play.finish();
    assert_eq!((play.event()["winners"].clone(), play.points()), (json!([0]), vec![1000, 0, 0, 0]));
    assert_eq!(
        ["wrong", "counted", "silent"].map(|outcome| json!(outcome)),
        [2, 1, 3].map(|seat| play.own(seat)["result"]["outcome"].clone())
    );
}

#[test]
fn the_majority_is_right() {
    let of = |tie: &str, answers: &[(u32, u64)]| {
        let fields = json!({ "choices": ["a", "b", "c"], "tie": tie });
        let mut play = Play::new(json!({ "accuracy_only": true }), json!([question("majority", fields)]), 4);
        play.ask(answers);
        (play.event()["right"].clone(), play.points())
    };
    assert_eq!(of("all", &[(0, 1), (1, 1), (2, 0)]), (json!({ "choices": [1] }), vec![1000, 1000, 0, 0]));
    assert_eq!(of("all", &[(0, 1), (1, 1), (2, 0), (3, 0)]).1, [1000; 4]);
    assert_eq!(of("none", &[(0, 1), (1, 1), (2, 0), (3, 0)]).1, [0; 4]);
}

#[test]
fn double_or_quit_doubles_or_takes_all() {
    let wager = question("wager", json!({ "stake": "double_or_quit", "most": 1500 }));
    let mut play = Play::new(json!({ "accuracy_only": true }), json!([choice(), wager, choice()]), 3);
    play.ask(&[(0, 0), (1, 0), (2, 0)]);
    play.ask(&[(0, 1), (1, 1)]);
    play.ask(&[(0, 0), (1, 1), (2, 0)]);
    assert_eq!(play.points(), [2000, 0, 1000], "who stakes nothing wins nothing");
    play.void();
    assert_eq!(play.points(), [1000; 3], "what was staked is given back");
}

#[test]
fn a_word_cloud_is_told_at_the_reveal_and_the_host_can_take_words_out() {
    let mut play = Play::new(json!({}), json!([question("words", json!({ "each": 2, "longest": 10 }))]), 3);
    play.host(Action::Next);
    for (seat, key, word) in [(0, 0, "Joy"), (0, 1, "joy"), (1, 0, "JOY"), (1, 1, "rude"), (2, 0, "Hope")] {
        assert!(matches!(play.type_in(seat, key, word), Verdict::Accepted(_)));
    }
    assert_eq!(play.type_in(2, 1, "far too long"), refused(ErrorCode::BadChoice));
    let text = |word| ClaimValue::Text(ClaimText::parse(word).unwrap());
    assert_eq!(play.type_in(2, 0, "Fear"), Verdict::AlreadyAnswered(text("Hope")));
    assert_eq!(play.view().get("reveal"), None, "no word is told before");
    play.play(json!({ "hide": "RUDE" })).unwrap();
    play.finish();
    assert_eq!(play.event()["words"], json!([{ "word": "JOY", "players": 2 }, { "word": "Hope", "players": 1 }]));
    assert_eq!(play.event()["answered"], json!(3));
    play.play(json!({ "hide": "joy" })).unwrap();
    assert_eq!(*play.event(), json!({ "event": "words", "part": 0, "words": [{ "word": "Hope", "players": 1 }] }));
    assert_eq!(play.view()["reveal"]["words"], play.event()["words"]);
    play.replay();
}

#[test]
fn a_slide_is_shown_between_questions_and_the_script_waits_for_it() {
    let slide = json!({ "text": "Now to something else.", "kind": "slide", "open_for": 7_000 });
    let mut play = Play::new(json!({}), json!([slide, choice()]), 1);
    play.host(Action::Next);
    assert_eq!((&play.event()["kind"], &play.event()["for"]), (&json!("slide"), &json!(7_000)));
    assert_eq!(
        (play.game.phase(), play.view()["question"]["text"].clone()),
        (Phase::Lobby, json!("Now to something else."))
    );
    play.host(Action::Autopilot { on: true });
    assert_eq!(play.game.deadline(), Some(play.now + Span(7_000)));
    play.wait(7_000);
    assert_eq!((play.game.phase(), play.round()), (Phase::Question, RoundId(1)));
}
