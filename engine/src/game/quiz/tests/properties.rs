//! What holds for all shows.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{number_to_bits, order_to_bits};
use klaxon_protocol::host::Action;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::play::Play;

const PLAYERS: u32 = 6;

fn questions() -> Value {
    json!([
        { "text": "?", "kind": "choice", "choices": ["a", "b", "c"], "right": 1 },
        { "text": "?", "kind": "choices", "choices": ["a", "b", "c"], "right": [0, 2], "by": "share" },
        { "text": "?", "kind": "number", "right": 2, "score": { "by": "nearest", "places": [400, 200] } },
        { "text": "?", "kind": "number", "right": 2, "score": { "by": "curve", "zero": 3 } },
        { "text": "?", "kind": "fastest", "choices": ["a", "b", "c"], "right": [1], "places": [300, 100] },
        { "text": "?", "kind": "order", "items": ["a", "b", "c"], "by": "share" },
        { "text": "?", "kind": "majority", "choices": ["a", "b", "c"] },
        { "text": "?", "kind": "buzzer", "choices": ["a", "b", "c"], "right": 1 },
        { "text": "?", "kind": "wager", "stake": "double_or_quit" },
        { "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 1 },
    ])
}

/// A value that can be claimed in the question with this index.
fn value(index: usize, pick: u64) -> u64 {
    match index {
        1 => pick % 7 + 1,
        2 | 3 => number_to_bits((pick % 9).cast_signed() - 2),
        5 => order_to_bits(&[[0, 1, 2], [2, 1, 0], [1, 0, 2]][usize::try_from(pick % 3).unwrap()]),
        8 | 9 => pick % 2,
        _ => pick % 3,
    }
}

/// What a seat picks, and how long ago that was read; none for silence.
type Pick = (u32, Option<(u64, u32)>);

/// For each question what the seats pick, in the order of arrival.
fn answers() -> impl Strategy<Value = Vec<Vec<Pick>>> {
    let one = proptest::option::weighted(0.8, (0u64..100, 0u32..5));
    let of_all = proptest::collection::vec(one, PLAYERS as usize);
    let in_some_order = of_all.prop_map(|all| (0..).zip(all).collect::<Vec<_>>()).prop_shuffle();
    proptest::collection::vec(in_some_order, 10)
}

fn settings() -> impl Strategy<Value = Value> {
    (0u8..=100, 0u32..200, 0u32..500, any::<bool>()).prop_map(|(speed, streak, penalty, below_zero)| {
        json!({ "speed": speed, "streak": streak, "penalty": penalty, "below_zero": below_zero && penalty > 0 })
    })
}

/// Plays a question for each of these answers, which arrive in this order or sorted by seat. Returns the points after each.
fn played(settings: &Value, answers: &[Vec<Pick>], sorted: bool) -> (Play, Vec<Vec<i64>>) {
    let mut play = Play::new(settings.clone(), questions(), PLAYERS);
    let mut points = Vec::new();
    for (index, of_all) in answers.iter().enumerate() {
        play.host(Action::Next);
        play.wait(10);
        let mut of_all = of_all.clone();
        if sorted {
            of_all.sort_unstable();
        }
        for (seat, answer) in of_all {
            if let Some((pick, early)) = answer {
                play.claim(seat, 0, ClaimValue::Bits(value(index, pick)), early);
            }
        }
        play.finish();
        points.push(play.points());
    }
    (play, points)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_arrival_changes_nothing_and_a_replay_is_the_same(settings in settings(), answers in answers()) {
        let (play, points) = played(&settings, &answers, false);
        let (sorted, same) = played(&settings, &answers, true);
        prop_assert_eq!(points, same);
        prop_assert_eq!(&play.told, &sorted.told);
        prop_assert_eq!(play.game.state_hash(), sorted.game.state_hash());
        play.replay();
    }

    #[test]
    fn what_is_gained_sums_to_the_points_and_is_within_what_was_declared(settings in settings(), answers in answers()) {
        let (_, points) = played(&settings, &answers, false);
        let penalty = settings["penalty"].as_i64().unwrap();
        let mut before = vec![0; PLAYERS as usize];
        for (index, after) in points.iter().enumerate() {
            for (before, after) in before.iter().zip(after) {
                let most = match index {
                    8 => 0,
                    9 => (*before).max(0),
                    _ => 1000 + 5 * settings["streak"].as_i64().unwrap(),
                };
                let cost = if index == 9 { (*before).max(0) } else { penalty };
                prop_assert!((-cost..=most).contains(&(after - before)), "question {index}: {before} {after}");
                prop_assert!(*after >= 0 || settings["below_zero"] == json!(true));
            }
            before.clone_from(after);
        }
    }

    #[test]
    fn a_void_takes_back_all_that_a_reveal_did(settings in settings(), answers in answers(), asked in 0usize..10) {
        let (mut play, points) = played(&settings, &answers[..=asked], false);
        let before = asked.checked_sub(1).map_or_else(|| vec![0; PLAYERS as usize], |last| points[last].clone());
        play.void();
        prop_assert_eq!(play.points(), before);
        play.replay();
    }
}
