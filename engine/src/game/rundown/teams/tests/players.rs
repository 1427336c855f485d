//! Buzzers, places and elimination with teams; players without a device.

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Seat, ShowId};
use klaxon_protocol::player::Body;
use serde_json::{Value, json};

use super::{accepted, choice, coins, quiz, quiz_show, show, teams};
use crate::game::rundown::tests::play::Play;
use crate::game::{Entry, Game};

fn buzzer(wrong: &str) -> Value {
    json!({ "text": "?", "kind": "buzzer", "wrong": wrong })
}

/// The next question is a buzzer, at which these seats buzz 10 ms apart.
fn buzz(play: &mut Play, seats: &[u32]) {
    play.host(Action::Next);
    for &seat in seats {
        play.wait(10);
        assert_eq!(play.claim(seat, 0), accepted(0), "seat {seat}");
    }
    play.wait(10_000);
}

#[test]
fn a_team_that_was_wrong_is_locked_until_the_question_is_over() {
    // Seats 0 and 3 are Reds, 1 and 4 Blues, 2 and 5 Greens.
    let mut play = quiz_show(teams("even", json!({})), json!([buzzer("reopen"), buzzer("over")]), 6);
    play.host(Action::Next);
    buzz(&mut play, &[3, 0, 1]);
    assert_eq!(play.event()["order"], json!([3, 1]));
    play.play(json!({ "judge": "wrong" })).unwrap();
    assert_eq!(play.claim(0, 0), Verdict::Refused(ErrorCode::NotInPlay), "another Red has been wrong");
    play.wait(10);
    assert_eq!((play.claim(5, 0), play.claim(4, 0)), (accepted(0), accepted(0)));
    play.wait(10_000);
    assert_eq!(play.event()["order"], json!([4, 5]), "of the same millisecond the lower seat");
    play.play(json!({ "judge": "right" })).unwrap();
    assert_eq!(play.points(), [0, 0, 0, 0, 1000, 0], "the points are the member's");
    assert_eq!(play.leaders(), [(1, 1, 1000), (2, 0, 0), (2, 2, 0)]);
    buzz(&mut play, &[0]);
    assert_eq!(play.event()["seat"], 0, "in the next question all can buzz");
    play.replay();
}

#[test]
fn who_is_in_no_team_buzzes_alone() {
    let mut play = quiz_show(teams("host", json!({})), json!([buzzer("next")]), 3);
    play.play(json!({ "team": { "seat": 2, "team": 1 } })).unwrap();
    play.host(Action::Next);
    buzz(&mut play, &[0, 1, 2]);
    assert_eq!(play.event()["order"], json!([0, 1, 2]));
    play.play(json!({ "judge": "wrong" })).unwrap();
    assert_eq!(play.event()["seat"], 1);
}

#[test]
fn choices_at_a_buzzer_are_judged_by_the_first_of_each_team() {
    let question = json!({ "text": "?", "kind": "buzzer", "choices": ["yes", "no"], "right": 0, "wrong": "next" });
    let mut play = quiz_show(teams("even", json!({})), json!([question]), 5);
    // Seat 0 is wrong, and so its team: that seat 3 was right does not matter.
    play.ask(&[(0, 1), (3, 0), (1, 0), (2, 0)]);
    assert_eq!(play.points(), [0, 1000, 0, 0, 0]);
}

#[test]
fn the_places_of_a_race_are_one_a_team() {
    let race = json!({ "text": "?", "kind": "fastest", "choices": ["a", "b"], "right": [0], "places": [500, 300] });
    let near = json!({ "text": "?", "kind": "number", "right": 10, "score": { "by": "nearest", "places": [50, 30] } });
    let mut play = quiz_show(teams("even", json!({})), json!([race, near]), 6);
    play.ask(&[(2, 1), (3, 0), (0, 0), (1, 0), (4, 0)]);
    assert_eq!(play.event()["winners"], json!([3, 1]));
    assert_eq!(play.points(), [0, 300, 0, 500, 0, 0]);
    assert_eq!(play.event()["right_answers"], 4, "the others are right, too");
    play.ask(&[(0, 20), (3, 20), (5, 40)]);
    assert_eq!(play.event()["winners"], json!([0, 5]));
    assert_eq!(play.points(), [50, 300, 0, 500, 0, 30]);
}

#[test]
fn a_team_is_out_when_all_its_members_are_and_keeps_its_points() {
    let parts = json!([quiz(json!([choice(), choice()]), json!({ "mode": "both" }))]);
    let mut play = Play::of(show(teams("even", json!({})), parts), 4);
    play.ask(&[(0, 0), (1, 0), (2, 0), (3, 1)]);
    assert_eq!(play.leaders(), [(1, 0, 1000), (1, 1, 1000), (1, 2, 1000)]);
    assert_eq!(play.game.look().playing(), 3);
    play.ask(&[(0, 0), (1, 1)]);
    assert_eq!(play.game.look().playing(), 1);
    assert_eq!(play.leaders(), [(1, 0, 2000), (2, 1, 1000), (2, 2, 1000)]);
    let out: Vec<bool> =
        play.event()["teams"].as_array().unwrap().iter().map(|team| team["out"] == json!(true)).collect();
    assert_eq!((out, &play.own(1)["team"]["out"]), (vec![false, true, true], &json!(true)));
    play.host(Action::Void { reason: "It was wrong.".into() });
    assert_eq!(play.leaders(), [(1, 0, 1000), (1, 1, 1000), (1, 2, 1000)]);
    assert_eq!(super::ranks(&play.event()["teams"]), play.leaders(), "and that is told");
    play.replay();
}

#[test]
fn a_player_without_a_device_has_a_seat_and_points_by_the_host() {
    let mut play = quiz_show(teams("even", json!({ "score": "mean" })), json!([choice(), choice()]), 2);
    play.play(json!({ "player": {} })).unwrap();
    assert_eq!(play.event(), json!({ "event": "player", "part": 0, "seat": 2, "team": 2 }));
    play.play(json!({ "player": { "team": 1 } })).unwrap();
    let people = &play.game.people;
    let names: Vec<_> = (0..4).map(|seat| people.roster.name(Seat(seat)).unwrap().to_string()).collect();
    assert_eq!(names, ["P0", "P1", "Player 3", "Player 4"]);
    assert!(!people.is_for_guests(Seat(2)), "a full show gives the seat to nobody else");
    assert_eq!(play.join(4), Ok(Entry::New), "the next seat is the next player's");
    play.ask(&[(0, 0), (1, 0)]);
    assert_eq!(play.leaders(), [(1, 0, 500), (1, 1, 500), (3, 2, 0)], "they count in the mean");
    play.play(json!({ "points": { "seat": 3, "by": 1000 } })).unwrap();
    assert_eq!(play.leaders(), [(1, 1, 1000), (2, 0, 500), (3, 2, 0)]);
    play.host(Action::Next);
    let add = Body::of(&json!({ "player": {} }));
    assert_eq!(play.refusal(Action::Play { body: add.clone() }).0, ErrorCode::WrongPhase, "a round is open");
    play.wait(10_000);
    play.host(Action::Reveal);
    play.host(Action::LockLobby { on: true });
    assert_eq!(play.refusal(Action::Play { body: add.clone() }).0, ErrorCode::LobbyLocked);
    play.host(Action::LockLobby { on: false });
    for body in [json!({ "player": { "team": 3 } }), json!({ "player": {}, "skip": true }), json!({ "player": 3 })] {
        assert_eq!(play.refusal(Action::Play { body: Body::of(&body) }).0, ErrorCode::BadArgument);
    }
    while play.game.ledger.seats() < 20 {
        play.host(Action::Play { body: add.clone() });
    }
    assert_eq!(play.refusal(Action::Play { body: add }).0, ErrorCode::ShowFull);
    play.end();
    play.replay();
}

#[test]
fn no_new_player_comes_into_a_part_that_takes_none() {
    let parts = json!([quiz(json!([choice(), choice()]), json!({ "mode": "both" }))]);
    let mut play = Play::of(show(teams("even", json!({})), parts), 2);
    play.ask(&[(0, 0), (1, 0)]);
    let add = Body::of(&json!({ "player": {} }));
    assert_eq!(play.refusal(Action::Play { body: add }).0, ErrorCode::WrongPhase);
}

#[test]
fn winnings_are_the_member_s_and_decide_between_teams_of_equal_scores() {
    let mut play = coins(teams("even", json!({})), &["coins 1"], 3);
    play.ask(&[(1, 1), (0, 1)]);
    assert_eq!(play.leaders(), [(1, 1, 10), (2, 0, 10), (3, 2, 0)]);
    play.end();
    let places = play.overview()["teams"]["places"].clone();
    assert_eq!(places[0], json!({ "place": 1, "team": 1, "score": 10, "winnings": 100, "members": 1 }));
    assert_eq!((&places[1]["place"], &places[1]["winnings"]), (&json!(2), &json!(0)));
    let results = play.game.results(ShowId(1)).unwrap();
    let teams = &results.rounds[0];
    assert_eq!(
        (teams.round.0, &teams.body.0["team_of"], &teams.body.0["teams"]["places"]),
        (0, &json!([0, 1, 2]), &places)
    );
}
