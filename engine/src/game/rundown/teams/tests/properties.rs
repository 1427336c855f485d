//! What holds for all shows with teams.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::journal::{Command, CountedClaim};
use klaxon_protocol::time::Span;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::tests::play::Play;
use super::coins;

const PLAYERS: u32 = 9;

/// What happens before a round, and in it.
#[derive(Debug, Clone)]
enum Step {
    /// A seat chooses a team, read so long ago.
    Choose(u32, u64, u32),
    /// A round with these calls.
    Flip(Vec<Option<u64>>),
    Void,
    Join,
    Add(Option<u16>),
    Move(u32, Option<u16>),
    Points(u32, i32),
    Remove(u32),
    Restore(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seat = || 0..PLAYERS + 2;
    let team = || proptest::option::of(0..3u16);
    let step = prop_oneof![
        4 => (seat(), 0..3u64, 0..20u32).prop_map(|(seat, team, early)| Step::Choose(seat, team, early)),
        3 => proptest::collection::vec(proptest::option::of(0..2u64), PLAYERS as usize).prop_map(Step::Flip),
        1 => Just(Step::Void),
        2 => Just(Step::Join),
        1 => team().prop_map(Step::Add),
        2 => (seat(), team()).prop_map(|(seat, team)| Step::Move(seat, team)),
        2 => (seat(), -50..50).prop_map(|(seat, by)| Step::Points(seat, by)),
        1 => seat().prop_map(Step::Remove),
        1 => seat().prop_map(Step::Restore),
    ];
    proptest::collection::vec(step, 0..25)
}

fn any_teams() -> impl Strategy<Value = Value> {
    let by = prop_oneof![2 => Just("choice"), 1 => Just("even"), 1 => Just("host")];
    let score = prop_oneof![Just(json!("sum")), Just(json!("mean")), Just(json!({ "best": 2 }))];
    (by, score, proptest::option::of(3..6u32)).prop_map(|(by, score, largest)| {
        json!({ "by": by, "names": ["Reds", "Blues", "Greens"], "score": score, "largest": largest })
    })
}

/// What the host and the players try; what can't be done now is refused.
fn play_step(play: &mut Play, step: &Step, joined: &mut u32) {
    match step {
        Step::Choose(seat, team, early) => {
            let key = play.game.teams.as_ref().unwrap().next_choice(Seat(*seat)).map_or(0, |key| key.0);
            play.claim_read(play.now - Span(*early), RoundId(0), *seat, key, *team);
        }
        Step::Flip(calls) => {
            if play.try_host(Action::Next).is_ok() && play.game.course.phase.is_open() {
                for (seat, call) in (0..).zip(calls) {
                    if let Some(call) = call {
                        play.claim(seat, *call);
                    }
                }
                play.wait(10_000);
                play.host(Action::Reveal);
            }
        }
        Step::Void => _ = play.try_host(Action::Void { reason: "Wrong.".into() }),
        Step::Join => {
            *joined += 1;
            _ = play.join(*joined);
        }
        Step::Add(team) => _ = play.play(json!({ "player": { "team": team } })),
        Step::Move(seat, team) => _ = play.play(json!({ "team": { "seat": seat, "team": team } })),
        Step::Points(seat, by) => _ = play.play(json!({ "points": { "seat": seat, "by": by } })),
        Step::Remove(seat) => _ = play.try_host(Action::Remove { seat: Seat(*seat), ban: false }),
        Step::Restore(seat) => _ = play.try_host(Action::Restore { seat: Seat(*seat) }),
    }
}

fn played(teams: &Value, steps: &[Step]) -> Play {
    let mut play = coins(teams.clone(), &["coins 2", "Tea!", "coins 9"], PLAYERS - 2);
    let mut joined = PLAYERS;
    steps.iter().for_each(|step| play_step(&mut play, step, &mut joined));
    play
}

/// The places by the book, computed from what each seat has: rank, team, score rounded down, winnings, members.
fn places_by_the_book(play: &Play, score: &Value, early: u32) -> Vec<(usize, usize, i64, u64, usize)> {
    let teams = play.teams();
    let teams = &teams;
    let seats = |team: usize| {
        let is_in = move |seat: &u32| teams[*seat as usize] == Some(team as u64);
        (0..play.game.ledger.seats())
            .filter(is_in)
            .filter(|&seat| !play.game.people.removed.contains(Seat(seat)))
            .collect::<Vec<u32>>()
    };
    let mut scored = Vec::new();
    for team in 0..3 {
        let members = seats(team);
        let counted: Vec<u32> = members.iter().copied().filter(|&seat| score != "mean" || seat < early).collect();
        if counted.is_empty() {
            continue;
        }
        let mut points: Vec<i64> = counted.iter().map(|&seat| play.line(seat).points).collect();
        points.sort_unstable_by(|a, b| b.cmp(a));
        let most = score["best"].as_u64().map_or(points.len(), |best| best as usize);
        let sum: i64 = points.iter().take(most).sum();
        let over = if score == "mean" { points.len() as i64 } else { 1 };
        let winnings: u64 = members.iter().map(|&seat| play.line(seat).winnings).sum();
        // Over a common denominator of all numbers of members up to 20.
        scored.push((
            -sum * (232_792_560 / over),
            -(winnings as i64),
            team,
            sum.div_euclid(over),
            winnings,
            members.len(),
        ));
    }
    scored.sort_unstable();
    let rank =
        |at: usize| scored.iter().position(|other| (other.0, other.1) == (scored[at].0, scored[at].1)).unwrap() + 1;
    (0..scored.len()).map(|at| (rank(at), scored[at].2, scored[at].3, scored[at].4, scored[at].5)).collect()
}

proptest! {
    #[test]
    fn the_places_are_those_of_the_book_and_a_replay_is_the_same(teams in any_teams(), steps in steps()) {
        let mut play = played(&teams, &steps);
        let early = play.game.teams.as_ref().unwrap().early.unwrap_or(u32::MAX);
        let by_the_book = places_by_the_book(&play, &teams["score"], early);
        play.end();
        let event = play.event();
        let number = |place: &Value, name: &str| place[name].as_i64().unwrap();
        let places: Vec<_> = event["places"].as_array().unwrap().iter().map(|place| (
            number(place, "place") as usize, number(place, "team") as usize, number(place, "score"),
            number(place, "winnings") as u64, number(place, "members") as usize,
        )).collect();
        prop_assert_eq!(places, by_the_book);
        play.replay();
    }

    #[test]
    fn the_sums_of_the_teams_are_the_points_of_all_who_are_in_one(steps in steps()) {
        let mut play = played(&json!({ "by": "choice", "names": ["Reds", "Blues", "Greens"] }), &steps);
        let counts = |seat: &u32| !play.game.people.removed.contains(Seat(*seat));
        let points: i64 = play.teams().iter().zip(0..).filter(|(team, seat)| team.is_some() && counts(seat))
            .map(|(_, seat)| play.line(seat).points).sum();
        play.end();
        let places = play.event()["places"].as_array().unwrap().clone();
        prop_assert_eq!(places.iter().map(|place| place["score"].as_i64().unwrap()).sum::<i64>(), points);
    }

    #[test]
    fn teams_are_dealt_evenly_and_none_is_larger_than_it_may(teams in any_teams(), steps in steps()) {
        let play = played(&teams, &steps);
        let state = play.game.teams.as_ref().unwrap();
        let of = play.teams();
        let sizes: Vec<u32> = (0..3).map(|team| of.iter().filter(|of| **of == Some(team)).count() as u32).collect();
        prop_assert_eq!(&sizes, &state.sizes);
        if let Some(largest) = teams["largest"].as_u64() {
            let may_be_over = state.is_choosing();
            prop_assert!(may_be_over || sizes.iter().all(|size| u64::from(*size) <= largest));
        }
        let is_moved = steps.iter().any(|step| matches!(step, Step::Move(..) | Step::Add(Some(_))));
        if teams["by"] == "even" && !is_moved {
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn a_void_takes_back_what_the_round_brought(teams in any_teams(), steps in steps(), calls in proptest::collection::vec(0..2u64, PLAYERS as usize)) {
        let mut play = played(&teams, &steps);
        play.host(Action::Next);
        if !play.game.course.phase.is_open() && play.try_host(Action::Next).is_err() {
            return Ok(());
        }
        prop_assume!(play.game.course.phase.is_open());
        play.game.rank_teams();
        let before = play.leaders();
        for (seat, call) in (0..).zip(&calls) {
            play.claim(seat, *call);
        }
        play.wait(10_000);
        play.host(Action::Reveal);
        play.host(Action::Void { reason: "Wrong.".into() });
        prop_assert_eq!(play.leaders(), before);
        play.replay();
    }

    #[test]
    fn the_order_of_arrival_decides_nothing(
        choices in proptest::collection::vec((0..3u64, 0..6u32), PLAYERS as usize),
        order in Just((0..PLAYERS).collect::<Vec<u32>>()).prop_shuffle(),
    ) {
        // All were told that their choice counts, since they were read before anybody knew that a team is full.
        let outcome = |order: &[u32]| {
            let teams = json!({ "by": "choice", "names": ["Reds", "Blues", "Greens"], "largest": 4 });
            let mut play = coins(teams, &["coins 1"], PLAYERS);
            play.wait(100);
            let claim = |&seat: &u32| {
                let (team, early) = choices[seat as usize];
                CountedClaim {
                    seat: Seat(seat), key: ClaimKey(0), value: ClaimValue::Bits(team), at: play.now - Span(early),
                }
            };
            let claims = order.iter().map(claim).collect();
            play.apply(&Command::Claims { round: RoundId(0), claims }).unwrap();
            play.host(Action::Next);
            play.host(Action::Next);
            play.teams()
        };
        let sorted: Vec<u32> = (0..PLAYERS).collect();
        prop_assert_eq!(outcome(&sorted), outcome(&order));
    }
}
