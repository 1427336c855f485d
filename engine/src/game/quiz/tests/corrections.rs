//! The host accepts another answer: docs/rules/quiz.md by examples, what holds for all shows, and what a host could try.

use klaxon_protocol::claim::{ClaimText, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::quiz::{number_to_bits, order_to_bits, set_to_bits};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Seat, ShowId};
use klaxon_protocol::player::Phase;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::play::{Play, choice, question};

fn accept(play: &mut Play, body: Value) {
    play.play(json!({ "accept": body })).unwrap_or_else(|refusal| panic!("{body}: {refusal}"));
    play.replay();
}

fn two_choices(right: u8) -> Value {
    question("choice", json!({ "choices": ["a", "b"], "right": right }))
}

#[test]
fn the_example_of_the_rule_book() {
    let mut play = Play::new(json!({ "penalty": 200 }), json!([two_choices(0), two_choices(0), two_choices(0)]), 3);
    // Ann (seat 0) says the first choice, Ben (1) the second, Cho (2) nothing; then all are right, in the same millisecond.
    play.ask(&[(0, 0), (1, 1)]);
    play.ask(&[(0, 0), (1, 0), (2, 0)]);
    assert_eq!(play.points(), [2100, 1000, 1000]);
    accept(&mut play, json!({ "question": 1, "choices": [1] }));
    // Ben's answer is right: 1000 points, and 100 more for the next one.
    assert_eq!(play.points(), [2100, 2100, 1000]);
    assert_eq!(
        *play.event(),
        json!({
            "event": "corrected", "part": 0, "number": 1, "round": 1, "right": { "choices": [0] }, "also": [{ "choices": [1] }],
            "counts": [1, 1], "answered": 2, "right_answers": 2, "in_play": 3, "changed": 2,
            "leaders": [
                { "rank": 1, "seat": 0, "points": 2100 }, { "rank": 1, "seat": 1, "points": 2100 },
                { "rank": 3, "seat": 2, "points": 1000 },
            ],
        })
    );
    let told = json!({
        "part": 0, "result": { "round": 1, "outcome": "right", "gained": 1000, "rank": 1 },
        "in_play": true, "lives": 0, "points": 2100, "winnings": 0,
    });
    assert_eq!(play.told_alone(1), Some(told));
    assert_eq!(play.told_alone(2).unwrap()["result"]["rank"], json!(3), "one more is before Cho");
    assert_eq!(play.told_alone(0), None, "for Ann nothing changed");
    // It was the only right one, after all: Ann's answer is wrong, and no streak comes from it.
    accept(&mut play, json!({ "question": 1, "choices": [1], "only": true }));
    assert_eq!(play.points(), [1000, 2100, 1000]);
    play.ask(&[(1, 0)]);
    assert_eq!(play.points(), [1000, 2100 + 1200, 1000], "Ben's third right answer in a row");
    // Only the last question can be void, and what was accepted before it stays so.
    play.void();
    assert_eq!(play.points(), [1000, 2100, 1000]);
    play.replay();
    play.host(Action::End { pay: true });
    let rounds = play.game.results(ShowId(1)).unwrap().rounds;
    assert_eq!(rounds[0].body.0["reveal"]["right"], json!({ "choices": [1] }));
}

/// The points after all of these players' answers, with this accepted at the end.
fn corrected(settings: Value, asked: Value, answers: &[(u32, u64)], body: Value) -> Vec<i64> {
    let mut play = Play::new(settings, json!([asked]), u32::try_from(answers.len()).unwrap());
    play.ask(answers);
    accept(&mut play, body);
    play.points()
}

#[test]
fn each_kind_with_a_right_answer_can_have_another_one() {
    let exact = || json!({ "accuracy_only": true });
    let several = |by: &str| question("choices", json!({ "choices": ["a", "b", "c"], "right": [0], "by": by }));
    let said = [(0, set_to_bits(&[0])), (1, set_to_bits(&[1, 2])), (2, set_to_bits(&[1]))];
    assert_eq!(corrected(exact(), several("all"), &said, json!({ "choices": [2, 1] })), [1000, 1000, 0]);
    assert_eq!(corrected(exact(), several("share"), &said, json!({ "choices": [2, 1] })), [1000, 1000, 500]);
    let number = |score: Value| question("number", json!({ "right": 10, "score": score }));
    let said = [(0, number_to_bits(10)), (1, number_to_bits(20)), (2, number_to_bits(25))];
    let twenty = || json!({ "number": 20 });
    assert_eq!(corrected(exact(), number(json!({ "by": "within", "off": 5 })), &said, twenty()), [1000; 3]);
    assert_eq!(corrected(exact(), number(json!({ "by": "curve", "zero": 10 })), &said, twenty()), [1000, 1000, 500]);
    let nearest = number(json!({ "by": "nearest", "places": [500, 300] }));
    let only = json!({ "number": 25, "only": true });
    assert_eq!(corrected(json!({}), nearest.clone(), &said, only), [0, 300, 500]);
    assert_eq!(
        corrected(json!({}), nearest, &said, twenty()),
        [500, 300, 0],
        "both are right; of the same millisecond the lower seat"
    );
    let order = |by: &str| question("order", json!({ "items": ["a", "b", "c"], "by": by }));
    let said = [[0, 1, 2], [0, 2, 1], [1, 0, 2]].map(|order| order_to_bits(&order));
    let said: Vec<(u32, u64)> = (0..).zip(said).collect();
    let points = corrected(exact(), order("all"), &said, json!({ "order": [1, 0, 2], "only": true }));
    assert_eq!(points, [0, 0, 1000]);
    let points = corrected(exact(), order("share"), &said, json!({ "order": [0, 2, 1], "only": true }));
    assert_eq!(points, [333, 1000, 0]);
    let fastest = question("fastest", json!({ "choices": ["a", "b"], "right": [0], "places": [500, 300] }));
    assert_eq!(corrected(json!({}), fastest, &[(0, 1), (1, 0), (2, 1)], json!({ "choices": [1] })), [500, 300, 0]);
    let fastest = question("fastest", json!({ "choices": ["a", "b"], "right": [0, 1], "places": [500] }));
    let said = [(0, order_to_bits(&[1, 0])), (1, order_to_bits(&[0, 1]))];
    assert_eq!(corrected(json!({}), fastest, &said, json!({ "order": [1, 0], "only": true })), [500, 0]);
    let buzzer = question("buzzer", json!({ "choices": ["a", "b"], "right": 0 }));
    let settings = json!({ "penalty": 100, "below_zero": true });
    assert_eq!(corrected(settings, buzzer, &[(0, 1), (1, 0)], json!({ "choices": [1] })), [1000, 0]);
}

#[test]
fn another_spelling_is_compared_with_what_was_typed() {
    let river = question("text", json!({ "spellings": ["Nile"] }));
    let mut play = Play::new(json!({ "accuracy_only": true }), json!([river, choice()]), 3);
    play.host(Action::Next);
    for (seat, text) in [(0, "nile"), (1, "an-nil"), (2, "Congo")] {
        play.type_in(seat, 0, text);
    }
    play.finish();
    // Also when the answers to the next question are in.
    play.ask(&[(2, 0)]);
    assert_eq!(play.points(), [1000, 0, 1000]);
    accept(&mut play, json!({ "question": 1, "spellings": ["AN-NIL", "Nile"] }));
    assert_eq!(play.event()["also"], json!([{ "spellings": ["AN-NIL"] }]), "Nile was right already");
    assert_eq!(play.points(), [1000, 1000, 1000]);
    accept(&mut play, json!({ "question": 1, "spellings": ["Congo"], "only": true }));
    assert_eq!(play.points(), [0, 0, 2000]);
}

#[test]
fn who_is_put_back_in_play_is_neither_right_nor_wrong_in_the_questions_between() {
    let questions = json!([choice(), choice(), choice(), choice()]);
    let mut play = Play::new(json!({ "mode": "both" }), questions, 4);
    play.ask(&[(0, 0), (1, 1), (2, 0), (3, 0)]);
    play.host(Action::Next);
    assert_eq!(play.answer(1, 0), Verdict::Refused(ErrorCode::NotInPlay));
    for (seat, choice) in [(0, 0), (2, 1), (3, 0)] {
        play.answer(seat, choice);
    }
    play.finish();
    assert_eq!(play.in_play(), [true, false, false, true]);
    accept(&mut play, json!({ "question": 1, "choices": [1] }));
    // Seat 1 was right, and could not answer the second question; seat 2 was wrong in it.
    assert_eq!(play.in_play(), [true, true, false, true]);
    assert_eq!(play.told_alone(1).unwrap()["in_play"], json!(true));
    assert_eq!(play.own(1)["result"]["outcome"], json!("watched"));
    assert_eq!((play.points(), play.event()["in_play"].clone()), (vec![2100, 1000, 1000, 2100], json!(3)));
    // Its streak is what it was: the first question was right, and the second was none.
    play.ask(&[(0, 0), (1, 0), (3, 0)]);
    assert_eq!(play.points(), [2100 + 1200, 2100, 1000, 2100 + 1200]);
    // With the second choice only, seats 0, 2 and 3 were out from the first question on, and what they answered since does not count.
    accept(&mut play, json!({ "question": 1, "choices": [1], "only": true }));
    assert_eq!((play.in_play(), play.points()), (vec![false, true, false, false], vec![0, 2100, 0, 0]));
    assert_eq!(play.view()["reveal"]["in_play"], json!(1));
}

#[test]
fn lives_are_lost_and_kept_as_if_it_had_been_right_from_the_start() {
    let questions = json!([choice(), choice(), choice()]);
    let mut play = Play::with_lives(json!({ "mode": "elimination" }), questions, 3, 1);
    play.ask(&[(0, 1), (1, 0), (2, 1)]);
    play.host(Action::Remove { seat: Seat(2), ban: false });
    play.host(Action::GiveLives { seat: None, lives: 1 });
    play.ask(&[(0, 1), (1, 0)]);
    play.host(Action::Restore { seat: Seat(2) });
    let lives = |play: &Play| [0, 1, 2].map(|seat| play.own(seat)["lives"].clone());
    assert_eq!((lives(&play), play.in_play()), ([json!(0), json!(2), json!(0)], vec![true, true, false]));
    accept(&mut play, json!({ "question": 1, "choices": [1] }));
    // Seat 2 got no life with the others, and was silent in the second question.
    assert_eq!((lives(&play), play.in_play()), ([json!(1), json!(2), json!(0)], vec![true, true, true]));
    play.void();
    assert_eq!((lives(&play), play.in_play()), ([json!(2), json!(2), json!(1)], vec![true; 3]));
}

#[test]
fn stakes_follow_the_points_from_which_they_were_taken() {
    let wager = || question("wager", json!({}));
    let questions = json!([two_choices(0), wager(), two_choices(0)]);
    let mut play = Play::new(json!({ "accuracy_only": true, "penalty": 400 }), questions, 2);
    play.ask(&[(0, 0), (1, 0)]);
    play.ask(&[(0, 1000), (1, 300)]);
    accept(&mut play, json!({ "question": 1, "choices": [1] }));
    assert_eq!([0, 1].map(|seat| play.own(seat)["stake"].clone()), [json!(1000), json!(300)], "nothing changed");
    accept(&mut play, json!({ "question": 1, "choices": [1], "only": true }));
    assert_eq!(play.points(), [0, 0]);
    assert_eq!(
        [0, 1].map(|seat| play.own(seat)["stake"].clone()),
        [json!(0), json!(0)],
        "nobody stakes what they do not have"
    );
    assert_eq!(play.told_alone(0).unwrap()["stake"], json!(0));
    play.ask(&[(0, 0), (1, 1)]);
    accept(&mut play, json!({ "question": 1, "choices": [0], "only": true }));
    assert_eq!(play.points(), [2000, 700], "the stakes are again what was said");
}

#[test]
fn an_answer_is_accepted_while_its_question_counts_and_its_answers_are_kept() {
    let buzzer = question("buzzer", json!({ "window": 100 }));
    let poll = question("poll", json!({ "choices": ["a", "b"] }));
    let majority = question("majority", json!({ "choices": ["a", "b"] }));
    let weights = json!({ "choices": ["a", "b"], "right": [0], "by": "share", "weights": [5, -5] });
    let questions = json!([
        choice(),
        poll,
        majority,
        buzzer,
        question("choices", weights),
        question("text", json!({ "spellings": ["a"] })),
        choice()
    ]);
    let mut play = Play::new(json!({}), questions, 2);
    let refused = |play: &mut Play, body: Value, code: ErrorCode, told: &str| {
        let refusal = play.play(json!({ "accept": body })).unwrap_err();
        assert!(refusal.code == code && refusal.detail.contains(told), "{body}: {refusal}");
    };
    let (bad, wrong) = (ErrorCode::BadArgument, ErrorCode::WrongPhase);
    refused(&mut play, json!({ "choices": [1] }), wrong, "between a reveal and the next");
    play.host(Action::Next);
    play.answer(0, 0);
    refused(&mut play, json!({ "question": 1, "choices": [1] }), wrong, "between a reveal and the next");
    play.wait(600_000);
    assert_eq!(play.game.phase(), Phase::Closed);
    refused(&mut play, json!({ "choices": [1] }), wrong, "between a reveal and the next");
    play.finish();
    refused(&mut play, json!({ "choices": [0] }), bad, "right already");
    refused(&mut play, json!({ "choices": [0], "only": true }), bad, "right already");
    refused(&mut play, json!({ "choices": [2] }), bad, "from 0 to 1");
    refused(&mut play, json!({ "choices": [] }), bad, "from 0 to 1");
    refused(&mut play, json!({ "choices": [1, 1] }), bad, "each once");
    refused(&mut play, json!({ "number": 1 }), bad, "needs `choices`");
    refused(&mut play, json!({ "choices": [1], "number": 1 }), bad, "needs `choices`, and nothing else");
    refused(&mut play, json!({}), bad, "needs `choices`");
    refused(&mut play, json!({ "question": 2, "choices": [1] }), wrong, "No such question");
    refused(&mut play, json!({ "coices": [1] }), bad, "`accept.coices` is not known");
    play.ask(&[]);
    refused(&mut play, json!({ "choices": [1] }), bad, "has no right answer");
    play.ask(&[]);
    refused(&mut play, json!({ "choices": [1] }), bad, "the most frequent choice");
    play.host(Action::Next);
    play.answer(0, 0);
    play.wait(100);
    play.play(json!({ "judge": "right" })).unwrap();
    refused(&mut play, json!({ "choices": [0] }), bad, "the host judged");
    play.ask(&[]);
    refused(&mut play, json!({ "choices": [1] }), bad, "`weights` of its own");
    play.ask(&[]);
    let long = "a".repeat(65);
    refused(&mut play, json!({ "spellings": [long] }), bad, "accept.spellings[0]");
    refused(&mut play, json!({ "spellings": ["A"] }), bad, "right already");
    for spelling in 0..19 {
        accept(&mut play, json!({ "spellings": [format!("{spelling}")] }));
    }
    refused(&mut play, json!({ "spellings": ["b"] }), bad, "20 right answers at most");
    let many: Vec<String> = ('b'..='v').map(String::from).collect();
    refused(&mut play, json!({ "spellings": many, "only": true }), bad, "1 to 20, not 21");
    accept(&mut play, json!({ "spellings": many[1..], "only": true }));
    refused(&mut play, json!({ "spellings": ["a"] }), bad, "20 right answers at most, not 21");
    play.void();
    refused(&mut play, json!({ "question": 6, "spellings": ["b"] }), wrong, "is void");
    // The last one that counts.
    refused(&mut play, json!({ "choices": [1] }), bad, "`weights` of its own");
    play.play(json!({ "skip": true })).unwrap();
    let refusal = play.play(json!({ "accept": { "question": 1, "choices": [1] } })).unwrap_err();
    assert_eq!(refusal.code, wrong, "the part is over");
}

#[test]
fn only_so_many_answers_are_kept_and_what_followed_from_the_others_stays() {
    let questions: Vec<Value> = (0..4).map(|_| choice()).collect();
    let mut play = Play::new(json!({ "penalty": 100 }), json!(questions), 250);
    for _ in 0..4 {
        play.ask(&[(0, 0), (1, 1), (249, 0)]);
    }
    for number in [1, 2] {
        let refusal = play.play(json!({ "accept": { "question": number, "choices": [1] } })).unwrap_err();
        assert!(refusal.detail.contains("not kept any more"), "{refusal}");
    }
    accept(&mut play, json!({ "question": 3, "choices": [1] }));
    accept(&mut play, json!({ "question": 4, "choices": [1], "only": true }));
    let of = |seat: usize| play.points()[seat];
    assert_eq!([of(0), of(1), of(249)], [1000 + 1100 + 1200 - 100, 1000 + 1100, 1000 + 1100 + 1200 - 100]);
}

const PLAYERS: u32 = 5;

/// A question's setup with its right answer, or with the one that is accepted later; what is accepted then; and a value for each number.
type Sample = (fn(bool) -> Value, fn(bool) -> Value, fn(u64) -> ClaimValue);

fn bits(pick: u64) -> ClaimValue {
    ClaimValue::Bits(pick % 3)
}

const fn either(first: bool, one: u8, other: u8) -> u8 {
    if first { one } else { other }
}

fn of_choices(kind: &str, right: Value, more: Value) -> Value {
    let mut asked = question(kind, json!({ "choices": ["a", "b", "c"], "right": right }));
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked
}

const SAMPLES: [Sample; 9] = [
    (
        |first| of_choices("choice", json!(either(first, 0, 1)), json!({})),
        |first| json!({ "choices": [either(first, 0, 1)] }),
        bits,
    ),
    (
        |first| {
            question(
                "number",
                json!({ "right": either(first, 0, 4), "score": { "by": "nearest", "places": [400, 200] } }),
            )
        },
        |first| json!({ "number": either(first, 0, 4) }),
        |pick| ClaimValue::Bits(number_to_bits((pick % 7).cast_signed())),
    ),
    (
        |first| of_choices("fastest", json!([either(first, 0, 1)]), json!({ "places": [300, 100] })),
        |first| json!({ "choices": [either(first, 0, 1)] }),
        bits,
    ),
    (
        |first| question("text", json!({ "spellings": [if first { "a" } else { "b" }] })),
        |first| json!({ "spellings": [if first { "a" } else { "b" }] }),
        |pick| ClaimValue::Text(ClaimText::parse(["a", "b", "c"][usize::try_from(pick % 3).unwrap()]).unwrap()),
    ),
    (|_| question("majority", json!({ "choices": ["a", "b", "c"] })), |_| json!({}), bits),
    (|_| question("poll", json!({ "choices": ["a", "b", "c"] })), |_| json!({}), bits),
    (
        |_| question("wager", json!({ "stake": "double_or_quit", "most": 700 })),
        |_| json!({}),
        |pick| ClaimValue::Bits(pick % 2),
    ),
    (
        |first| of_choices("choice", json!(either(first, 2, 1)), json!({})),
        |first| json!({ "choices": [either(first, 2, 1)] }),
        bits,
    ),
    (
        |first| of_choices("choice", json!(either(first, 2, 0)), json!({})),
        |first| json!({ "choices": [either(first, 2, 0)] }),
        bits,
    ),
];

/// What the host does between two questions.
#[derive(Debug, Clone)]
enum Between {
    Points(u32, i32),
    Lives(Option<u32>),
    Remove(u32),
    Restore(u32),
    Join,
    Void,
}

/// For each question what the seats pick, none for silence, how long ago that was read, and what the host does after it.
type Story = Vec<(Vec<Option<(u64, u32)>>, Vec<Between>)>;

fn story() -> impl Strategy<Value = Story> {
    let seat = || 0..PLAYERS;
    let between = prop_oneof![
        3 => (seat(), -600..600).prop_map(|(seat, by)| Between::Points(seat, by)),
        2 => proptest::option::of(seat()).prop_map(Between::Lives),
        2 => seat().prop_map(Between::Remove),
        3 => seat().prop_map(Between::Restore),
        2 => Just(Between::Join),
        1 => Just(Between::Void),
    ];
    let picks = proptest::collection::vec(proptest::option::weighted(0.8, (0u64..100, 0u32..5)), 12);
    proptest::collection::vec((picks, proptest::collection::vec(between, 0..3)), SAMPLES.len())
}

/// Plays the story, with the first right answers or with others in the question that is corrected later.
fn told(settings: &Value, lives: u8, story: &Story, other: Option<usize>) -> Play {
    let questions: Vec<Value> = SAMPLES.iter().enumerate().map(|(at, sample)| sample.0(Some(at) != other)).collect();
    let mut play = Play::with_lives(settings.clone(), json!(questions), PLAYERS, lives);
    let mut player = PLAYERS;
    for (index, (picks, between)) in story.iter().enumerate() {
        if play.game.phase() == Phase::Revealed && play.try_host(Action::Next).is_err()
            || index == 0 && play.try_host(Action::Next).is_err()
        {
            break;
        }
        play.wait(10);
        for (seat, pick) in (0..player).zip(picks) {
            if let Some((pick, early)) = pick {
                play.claim(seat, 0, SAMPLES[index].2(*pick), *early);
            }
        }
        play.finish();
        for step in between {
            let _ = match step {
                Between::Points(seat, by) => play.play(json!({ "points": { "seat": seat, "by": by } })),
                Between::Lives(seat) => play.try_host(Action::GiveLives { seat: seat.map(Seat), lives: 1 }),
                Between::Remove(seat) => play.try_host(Action::Remove { seat: Seat(*seat), ban: false }),
                Between::Restore(seat) => play.try_host(Action::Restore { seat: Seat(*seat) }),
                Between::Void => play.try_host(Action::Void { reason: "No.".into() }),
                Between::Join => {
                    player += u32::from(player < 12 && play.join(player) == Ok(crate::game::Entry::New));
                    Ok(())
                }
            };
        }
    }
    play
}

fn all(play: &Play) -> Value {
    let seats = play.game.people().roster.seated();
    json!([(0..seats).map(|seat| play.own(seat)).collect::<Vec<_>>(), play.view()])
}

fn without_also(mut seen: Value) -> Value {
    if let Some(reveal) = seen[1].get_mut("reveal").and_then(Value::as_object_mut) {
        reveal.remove("also");
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_accepted_later_gives_the_same_show_as_if_it_had_been_right_from_the_start(
        penalty in 0u32..500, below_zero: bool, late: bool, story in story(), at in 0..SAMPLES.len(),
    ) {
        let settings = json!({
            "penalty": penalty, "below_zero": below_zero && penalty > 0, "late": if late { "mean" } else { "nothing" },
        });
        let mut play = told(&settings, 0, &story, None);
        let from_start = told(&settings, 0, &story, Some(at));
        let mut body = SAMPLES[at].1(false);
        body["question"] = json!(at + 1);
        body["only"] = json!(true);
        let done = play.play(json!({ "accept": body }));
        prop_assume!(done.is_ok());
        play.replay();
        prop_assert_eq!(all(&play), all(&from_start));
        // Also what follows.
        let void = |mut play: Play| {
            let _ = play.try_host(Action::Void { reason: "No.".into() });
            play.join(100).unwrap();
            all(&play)
        };
        let corrected = void(play);
        prop_assert_eq!(corrected, void(from_start));
    }

    #[test]
    fn to_accept_another_answer_and_take_that_back_changes_nothing(
        mode in prop_oneof![Just("points"), Just("both")], lives in 0u8..2, stay: bool, last: bool, only: bool,
        story in story(), at in 0..SAMPLES.len(),
    ) {
        let settings = match mode {
            "points" => json!({ "penalty": 300, "late": "mean" }),
            _ => json!({ "mode": mode, "all_wrong_all_stay": stay, "last_question_lives": last }),
        };
        let mut play = told(&settings, lives, &story, None);
        let before = all(&play);
        let body = |first: bool, only: bool| {
            let mut body = SAMPLES[at].1(first);
            body["question"] = json!(at + 1);
            body["only"] = json!(only);
            json!({ "accept": body })
        };
        prop_assume!(play.play(body(false, only)).is_ok());
        play.play(body(true, true)).unwrap();
        play.replay();
        prop_assert_eq!(without_also(all(&play)), before);
    }
}
