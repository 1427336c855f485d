//! Prizes of a quiz, and a podium after it: docs/rules/quiz.md and docs/rules/rundown.md by examples, and what holds for all shows.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Phase;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::play::{Play, choice};

fn survivors(pot: u64, nobody_left: &str) -> Value {
    json!({ "mode": "elimination", "prizes": { "by": "survivors", "pot": pot, "nobody_left": nobody_left } })
}

fn places(amounts: &[u64]) -> Value {
    json!({ "prizes": { "by": "places", "amounts": amounts } })
}

fn end(play: &mut Play) -> Value {
    play.host(Action::End { pay: true });
    play.replay();
    play.told.iter().rfind(|message| message["type"] == "podium").unwrap().clone()
}

/// The amounts that the seats have won.
fn winnings(play: &Play) -> Vec<u64> {
    let seats = play.game.people().roster.seated();
    (0..seats).map(|seat| play.own(seat)["winnings"].as_u64().unwrap()).collect()
}

#[test]
fn those_who_survive_share_the_pot_to_the_last_unit_and_the_podium_has_it() {
    let mut play = Play::new(survivors(1000, "rollover"), json!([choice()]), 5);
    assert_eq!(
        *play.event(),
        json!({ "event": "quiz", "part": 0, "prizes": { "by": "survivors", "pot": 1000, "nobody_left": "rollover" } })
    );
    play.ask(&[(0, 1), (1, 0), (2, 0), (3, 0), (4, 0)]);
    // Who is removed wins nothing.
    play.host(Action::Remove { seat: Seat(2), ban: false });
    play.play(json!({ "skip": true })).unwrap();
    assert_eq!(
        *play.event(),
        json!({
            "event": "prizes", "part": 0, "pot": 1000, "paid": 1000, "count": 3, "winners": [
                { "place": 1, "seat": 1, "amount": 334 }, { "place": 1, "seat": 3, "amount": 333 },
                { "place": 1, "seat": 4, "amount": 333 },
            ],
        })
    );
    let told = json!({
        "part": 0, "prize": { "place": 1, "amount": 334 }, "in_play": true, "lives": 0, "points": 0, "winnings": 334,
    });
    assert_eq!((play.told_alone(1), play.told_alone(0)), (Some(told), None));
    assert_eq!(winnings(&play), [0, 334, 0, 333, 333]);
    let refusal = play.try_host(Action::End { pay: false }).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::BadArgument, "what was won is won");
    let podium = end(&mut play);
    assert_eq!((&podium["pot"], &podium["paid"], &podium["rolled_over"]), (&json!(1000), &json!(1000), &json!(0)));
    assert_eq!(podium["places"][0]["prize"], json!(334));
}

#[test]
fn places_win_their_amounts_and_equals_share_those_of_the_places_they_take() {
    let mut play = Play::new(places(&[500, 301, 200, 100]), json!([choice()]), 5);
    play.host(Action::Next);
    play.answer(3, 0);
    play.wait(5_000);
    for seat in [1, 2] {
        play.answer(seat, 0);
    }
    play.finish();
    let podium = end(&mut play);
    assert_eq!(winnings(&play), [0, 251, 250, 500, 0], "without points nobody wins, and the fourth place is left over");
    assert_eq!((&podium["paid"], &podium["rolled_over"]), (&json!(1001), &json!(100)));
}

#[test]
fn with_nobody_left_the_last_to_leave_share_or_nobody_wins() {
    let of = |nobody_left: &str| {
        let mut play = Play::new(survivors(101, nobody_left), json!([choice(), choice()]), 4);
        play.ask(&[(0, 1), (1, 0), (2, 0), (3, 0)]);
        play.host(Action::Remove { seat: Seat(3), ban: false });
        play.ask(&[(1, 1), (2, 1)]);
        end(&mut play);
        winnings(&play)
    };
    assert_eq!(of("last_standing"), [0, 51, 50, 0]);
    assert_eq!(of("rollover"), [0; 4]);
}

#[test]
fn nothing_is_paid_before_a_question_counts_or_if_the_host_ends_without() {
    let begin = || Play::new(survivors(100, "rollover"), json!([choice(), choice()]), 2);
    let mut play = begin();
    play.ask(&[(0, 0)]);
    play.void();
    play.play(json!({ "skip": true })).unwrap();
    assert_eq!((play.event()["paid"].clone(), winnings(&play)), (json!(0), vec![0, 0]));
    let mut play = begin();
    play.ask(&[(0, 0)]);
    play.host(Action::End { pay: false });
    assert_eq!((play.event()["paid"].clone(), winnings(&play)), (json!(0), vec![0, 0]));
    play.replay();
    let mut play = begin();
    play.ask(&[(0, 0)]);
    // A correction before the end decides who wins.
    play.play(json!({ "accept": { "choices": [1], "only": true } })).unwrap();
    play.play(json!({ "accept": { "choices": [0], "only": true } })).unwrap();
    end(&mut play);
    assert_eq!(winnings(&play), [100, 0]);
}

#[test]
fn a_podium_in_the_middle_tells_who_leads_and_each_player_their_place() {
    let quiz = |prizes: Value| json!({ "part": "quiz", "shuffle": false, "questions": [choice()], "prizes": prizes });
    let parts = json!([
        quiz(json!({ "by": "places", "amounts": [70] })),
        { "part": "podium", "for": 9_000, "text": "So far:" },
        { "part": "podium", "by": "winnings", "places": 1 },
        quiz(Value::Null),
    ]);
    let mut play = Play::of(json!({ "parts": parts, "lead": 0 }), 4);
    play.ask(&[(1, 0), (2, 0)]);
    play.host(Action::Remove { seat: Seat(3), ban: false });
    play.host(Action::Next);
    let leaders = json!([
        { "place": 1, "seat": 1, "points": 1000, "winnings": 35 }, { "place": 1, "seat": 2, "points": 1000, "winnings": 35 },
    ]);
    let shown = json!({ "by": "points", "text": "So far:", "for": 9_000, "leaders": leaders });
    let mut event = shown.clone();
    (event["event"], event["part"]) = (json!("leaders"), json!(1));
    assert_eq!((play.event().clone(), play.view()), (event, shown), "who joins now sees the same");
    assert_eq!(play.told_alone(0), Some(json!({ "part": 1, "place": 3 })));
    assert_eq!([1, 3].map(|seat| play.own(seat).get("place").cloned()), [Some(json!(1)), None]);
    play.join(4).unwrap();
    assert_eq!(play.own(4).get("place"), None, "it shows what was");
    play.host(Action::Autopilot { on: true });
    play.wait(9_000);
    assert_eq!(play.event()["leaders"], json!([{ "place": 1, "seat": 1, "points": 1000, "winnings": 35 }]));
    assert!(play.play(json!({ "dance": 1 })).unwrap_err().detail.contains("A podium has no actions"));
    play.wait(20_000);
    assert_eq!(play.game.phase(), Phase::Revealed);
    play.replay();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_paid_and_what_rolls_over_is_the_pot_and_more_points_never_win_less(
        answers in proptest::collection::vec(proptest::option::of((0u64..2, 0u32..10_000)), 1..12),
        by_places: bool, last_standing: bool, mut amounts in proptest::collection::vec(1u64..1_000, 1..8),
    ) {
        amounts.sort_unstable_by(|a, b| b.cmp(a));
        let pot = if by_places { amounts.iter().sum() } else { amounts[0] };
        let settings = if by_places {
            places(&amounts)
        } else {
            survivors(pot, if last_standing { "last_standing" } else { "rollover" })
        };
        let mut play = Play::new(settings, json!([choice()]), u32::try_from(answers.len()).unwrap());
        play.host(Action::Next);
        play.wait(9_999);
        for (seat, answer) in (0..).zip(&answers) {
            if let Some((bits, early)) = answer {
                play.claim(seat, 0, klaxon_protocol::claim::ClaimValue::Bits(*bits), *early);
            }
        }
        play.finish();
        let points = play.points();
        let podium = end(&mut play);
        let won = winnings(&play);
        let paid: u64 = won.iter().sum();
        prop_assert_eq!(&podium["paid"], &json!(paid));
        prop_assert_eq!(paid + podium["rolled_over"].as_u64().unwrap(), pot);
        prop_assert!(paid == 0 || by_places || paid == pot);
        for (one, points_of_one) in won.iter().zip(&points) {
            for (other, points_of_other) in won.iter().zip(&points) {
                prop_assert!(points_of_one <= points_of_other || one >= other);
                prop_assert!(points_of_one != points_of_other || !by_places || one.abs_diff(*other) <= 1);
            }
        }
    }
}
