//! The settings of docs/rules/quiz.md by examples.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Span;
use serde_json::{Value, json};

use super::play::{Play, choice, question};
use crate::game::Entry;

#[test]
fn elimination_takes_a_life_or_the_place_and_a_void_gives_it_back() {
    let mut play = Play::with_lives(json!({ "mode": "elimination" }), json!([choice(), choice(), choice()]), 3, 1);
    play.ask(&[(0, 0), (1, 1)]);
    assert_eq!(play.in_play(), [true; 3]);
    assert_eq!(play.join(3), Ok(Entry::Watch), "too late: the first question is closed");
    play.ask(&[(0, 0), (1, 1)]);
    assert_eq!(play.in_play(), [true, false, false]);
    play.void();
    assert_eq!((play.in_play(), play.own(1)["lives"].clone()), (vec![true; 3], json!(0)));
    play.ask(&[]);
    assert_eq!((play.in_play(), play.own(0)["lives"].clone()), (vec![true, false, false], json!(0)));
    play.replay();
}

#[test]
fn lives_can_be_kept_out_of_the_last_question() {
    let settings = json!({ "mode": "elimination", "last_question_lives": false });
    let mut play = Play::with_lives(settings, json!([choice(), choice()]), 2, 1);
    play.ask(&[(0, 0)]);
    play.ask(&[(1, 0)]);
    assert_eq!((play.in_play(), play.own(0)["lives"].clone()), (vec![false, true], json!(1)));
    play.void();
    assert_eq!((play.in_play(), play.own(0)["lives"].clone()), (vec![true; 2], json!(1)));
}

#[test]
fn when_all_are_wrong_all_can_stay() {
    let settings = json!({ "mode": "elimination", "all_wrong_all_stay": true });
    let mut play = Play::new(settings, json!([choice(), choice()]), 2);
    play.ask(&[(0, 1)]);
    assert_eq!((play.in_play(), play.event()["all_stay"].clone()), (vec![true; 2], json!(true)));
    play.ask(&[(0, 0)]);
    assert_eq!(play.in_play(), [true, false]);
}

#[test]
fn with_nobody_left_the_quiz_is_over() {
    let mut play = Play::new(json!({ "mode": "elimination" }), json!([choice(), choice()]), 2);
    play.ask(&[]);
    assert_eq!(play.try_host(Action::Next).unwrap_err().code, ErrorCode::NoMoreQuestions);
    play.void();
    play.host(Action::Next);
    assert_eq!(play.game.phase(), Phase::Question);
}

#[test]
fn a_question_closes_once_all_have_answered() {
    let mut play = Play::new(json!({ "close_when_all": true }), json!([choice(), choice()]), 2);
    play.host(Action::Next);
    play.answer(0, 0);
    play.wait(1_000);
    assert_eq!(play.join(2), Ok(Entry::New));
    play.answer(1, 0);
    play.wait(1_000);
    assert_eq!(play.game.phase(), Phase::Question, "the newcomer is awaited, too");
    play.answer(2, 0);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
    play.finish();
    play.replay();
}

#[test]
fn who_comes_late_gets_nothing_or_the_mean_and_never_a_clock_of_their_own() {
    for (late, points) in [("nothing", 0), ("mean", 500)] {
        let settings = json!({ "late": late, "accuracy_only": true });
        let mut play = Play::new(settings, json!([choice(), choice()]), 2);
        play.ask(&[(0, 0)]);
        assert_eq!(play.join(2), Ok(Entry::New));
        assert_eq!(play.points(), [1000, 0, points]);
        play.host(Action::Next);
        play.wait(600_000);
        // Came when the time was up: the question does not count for them.
        assert_eq!(play.join(3), Ok(Entry::New));
        play.host(Action::Reveal);
        assert_eq!(play.own(3)["result"]["outcome"], json!("watched"));
        play.replay();
    }
}

#[test]
fn points_of_a_question_its_own_doubled_or_none() {
    let with = |more: Value| {
        let mut question = choice();
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    let questions =
        json!([with(json!({ "points": 70 })), with(json!({ "times": 2 })), with(json!({ "points": 0 })), choice()]);
    let mut play = Play::new(json!({ "streak": 10, "speed": 0 }), questions, 1);
    let mut gained = Vec::new();
    for answer in [0, 0, 1, 0] {
        play.ask(&[(0, answer)]);
        gained.push(play.own(0)["result"]["gained"].as_i64().unwrap());
    }
    assert_eq!(gained, [70, 2010, 0, 1020], "a question without points leaves the streak as it is");
}

#[test]
fn choices_are_mixed_and_shown_in_several_orders() {
    let fields = json!({ "choices": ["a", "b", "c", "d", "e", "f"], "right": 0 });
    let mut play = Play::new(json!({ "shuffle": true, "orders": 3 }), json!([question("choice", fields)]), 1);
    play.host(Action::Next);
    let (choices, orders) = (play.event()["choices"].as_array().unwrap().clone(), play.event()["orders"].clone());
    let orders: Vec<Vec<u8>> = serde_json::from_value(orders).unwrap();
    assert_eq!(orders.len(), 3);
    for order in &orders {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
    }
    let right = choices.iter().position(|choice| choice == "a").unwrap();
    play.answer(0, right as u64);
    play.finish();
    assert_eq!(play.event()["right"], json!({ "choices": [right] }));
    assert_eq!(play.points(), [1000]);
}

#[test]
fn a_leaderboard_can_be_hidden() {
    let mut play = Play::new(json!({ "leaderboard": false }), json!([choice()]), 2);
    play.ask(&[(0, 0)]);
    assert_eq!((play.event().get("leaders"), play.told_alone(0).unwrap()["result"].get("rank")), (None, None));
}

#[test]
fn a_removal_is_never_an_advantage() {
    let mut play =
        Play::new(json!({ "mode": "both", "accuracy_only": true }), json!([choice(), choice(), choice()]), 3);
    play.ask(&[(0, 0), (1, 0), (2, 0)]);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.ask(&[(0, 0), (2, 0)]);
    play.host(Action::Restore { seat: Seat(1) });
    assert_eq!(play.in_play(), [true, false, true], "silent in the question that they missed");
    play.void();
    assert_eq!((play.in_play(), play.points()), (vec![true; 3], vec![1000; 3]));
    play.replay();
}

#[test]
fn an_outage_voids_the_question_and_costs_nobody_anything() {
    let mut play = Play::new(json!({ "mode": "elimination" }), json!([choice(), choice()]), 2);
    play.host(Action::Next);
    play.answer(0, 0);
    play.host(Action::Close);
    let round = play.game.closing().unwrap();
    play.apply(Command::Outage { round, late: Span(9_000) }).unwrap();
    assert_eq!(
        (play.game.phase(), play.in_play(), play.view()["voided"].clone()),
        (Phase::Revealed, vec![true; 2], json!(true))
    );
    play.replay();
}
