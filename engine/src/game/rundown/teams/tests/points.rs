//! Scores of teams, and what is told of them.

use klaxon_protocol::games::rundown::Setup;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Body, ToPlayer};
use serde_json::{Value, json};

use super::{choice, coins, quiz, quiz_show, show, teams};
use crate::game::Entry;
use crate::game::rundown::tests::play::Play;

fn give(play: &mut Play, points: &[(u32, i64)]) {
    for &(seat, by) in points {
        play.play(json!({ "points": { "seat": seat, "by": by } })).unwrap();
    }
}

#[test]
fn means_are_compared_exactly_and_told_rounded_down() {
    // Reds 0, 3, 6; Blues 1, 4; Greens 2, 5.
    let mut play = coins(teams("even", json!({ "score": "mean" })), &["coins 1"], 7);
    give(&mut play, &[(0, 1), (3, 1), (1, 1), (2, -1)]);
    // 2/3, 1/2 and -1/2: told as 0, 0 and -1.
    assert_eq!(play.leaders(), [(1, 0, 0), (2, 1, 0), (3, 2, -1)]);
    give(&mut play, &[(6, 1), (4, 1)]);
    assert_eq!(play.leaders(), [(1, 0, 1), (1, 1, 1), (3, 2, -1)], "3/3 and 2/2 are equal");
    assert_eq!((play.team_of(2), play.team_of(4)), ((2, -1, Some(3)), (1, 1, Some(1))));
}

#[test]
fn the_mean_is_of_those_who_were_there_when_the_first_round_opened() {
    let mut play = quiz_show(teams("host", json!({ "score": "mean" })), json!([choice()]), 2);
    play.play(json!({ "team": { "seat": 0, "team": 0 } })).unwrap();
    play.host(Action::Next);
    play.ask(&[(0, 0)]);
    for (seat, team) in [(2, 0), (3, 1)] {
        assert_eq!(play.join(seat), Ok(Entry::New));
        play.play(json!({ "team": { "seat": seat, "team": team } })).unwrap();
    }
    give(&mut play, &[(2, 50), (3, 5000)]);
    assert_eq!(play.leaders(), [(1, 0, 1000)], "nobody counts for the Blues: they have no rank");
    assert_eq!(play.team_of(3), (1, 0, None));
    play.play(json!({ "team": { "seat": 1, "team": 1 } })).unwrap();
    assert_eq!(play.leaders(), [(1, 0, 1000), (2, 1, 0)]);
}

#[test]
fn the_best_members_count_and_missing_ones_are_nothing() {
    let mut play = coins(teams("even", json!({ "score": { "best": 2 } })), &["coins 1"], 7);
    give(&mut play, &[(0, 5), (3, 7), (6, 9), (1, 100), (2, -3), (5, -4)]);
    assert_eq!(play.leaders(), [(1, 1, 100), (2, 0, 16), (3, 2, -7)]);
    give(&mut play, &[(0, 3)]);
    assert_eq!(play.leaders()[1], (2, 0, 17));
}

#[test]
fn a_removed_member_does_not_count_until_restored() {
    for score in [json!("sum"), json!("mean"), json!({ "best": 1 })] {
        let mut play = coins(teams("even", json!({ "score": score })), &["coins 1"], 6);
        give(&mut play, &[(0, 10), (3, 10), (1, 12)]);
        let before = play.leaders();
        play.host(Action::Remove { seat: Seat(1), ban: false });
        assert_eq!(play.leaders().last().unwrap().2, 0, "{before:?}");
        play.host(Action::Restore { seat: Seat(1) });
        assert_eq!(play.leaders(), before);
        // A team without a member who counts has no place.
        play.host(Action::Remove { seat: Seat(0), ban: false });
        play.host(Action::Remove { seat: Seat(3), ban: true });
        assert!(play.leaders().iter().all(|&(_, team, _)| team != 0));
        assert_eq!(play.end().places.len(), 4);
        assert_eq!(play.event()["places"].as_array().unwrap().len(), 2);
        play.replay();
    }
}

#[test]
fn leaders_are_told_when_they_changed() {
    let mut play = quiz_show(teams("even", json!({})), json!([choice(), choice(), choice()]), 3);
    play.ask(&[]);
    assert_eq!(play.event().get("teams"), None, "nobody has any points");
    play.ask(&[(1, 0)]);
    assert_eq!(super::ranks(&play.event()["teams"]), [(1, 1, 1000), (2, 0, 0), (2, 2, 0)]);
    play.ask(&[(1, 1)]);
    assert_eq!(play.event().get("teams"), None);
    // Points of the host are told with the next event.
    give(&mut play, &[(0, 2000)]);
    assert_eq!(play.told_alone(0).unwrap()["body"]["team"], json!({ "team": 0, "score": 2000, "rank": 1 }));
    play.host(Action::Void { reason: "It was wrong.".into() });
    assert_eq!(super::ranks(&play.event()["teams"]), [(1, 0, 2000), (2, 1, 1000), (3, 2, 0)]);
}

#[test]
fn of_more_than_ten_teams_the_others_are_told_alone() {
    let names: Vec<String> = (0..12).map(|team| format!("Team {team}")).collect();
    let mut play = coins(json!({ "by": "even", "names": names }), &["coins 1"], 13);
    let calls: Vec<_> = (0..13).map(|seat| (seat, u64::from(seat != 11))).collect();
    play.ask(&calls);
    let leaders = super::ranks(&play.event()["teams"]);
    assert_eq!((leaders.len(), leaders[0], leaders[9].0), (10, (1, 0, 20), 2));
    assert_eq!(play.told_alone(10).unwrap()["body"], json!({ "team": { "team": 10, "score": 10, "rank": 2 } }));
    assert_eq!(
        play.told_alone(11).unwrap()["body"],
        json!({ "team": { "team": 11, "score": 0, "rank": 12, "out": true } })
    );
    assert_eq!(play.told_alone(0), None);
}

#[test]
fn a_quiz_that_hides_its_leaders_hides_leading_teams() {
    let hidden = quiz(json!([choice()]), json!({ "leaderboard": false }));
    let mut play = Play::of(show(teams("even", json!({})), json!([hidden, { "part": "break", "text": "Tea!" }])), 3);
    play.ask(&[(1, 0)]);
    assert_eq!((play.event().get("teams"), play.leaders()), (None, vec![]));
    assert_eq!(play.team_of(1), (1, 1000, None));
    play.host(Action::Next);
    assert_eq!(super::ranks(&play.event()["teams"]), [(1, 1, 1000), (2, 0, 0), (2, 2, 0)]);
}

#[test]
fn a_part_that_keeps_no_points_begins_with_teams_without_points() {
    let mut setup = super::play::setup(&["coins 1", "coins 1"]);
    setup["teams"] = teams("even", json!({}));
    setup["parts"][1]["keep"] = json!({ "points": false });
    let mut play = Play::of(setup, 3);
    play.ask(&[(0, 1)]);
    play.host(Action::Next);
    assert_eq!((play.leaders()[0].2, play.teams()), (0, [0, 1, 2].map(Some).to_vec()));
    let scores: Vec<i64> = super::ranks(&play.event()["teams"]).iter().map(|leader| leader.2).collect();
    assert_eq!(scores, [0, 0, 0], "which is told");
}

#[test]
fn what_joins_while_scores_change_is_told_with_the_next_step() {
    let late = quiz(json!([choice(), choice()]), json!({ "late": "mean" }));
    let mut play = Play::of(show(teams("even", json!({ "score": "mean" })), json!([late])), 3);
    play.ask(&[(0, 0), (1, 0), (2, 0)]);
    assert_eq!(play.join(3), Ok(Entry::New));
    assert_eq!(play.points()[3], 1000);
    assert_eq!(play.team_of(3), (0, 1000, Some(1)));
    play.replay();
}

fn problems(teams: Value, parts: Value) -> Vec<String> {
    let setup: Setup = Body::of(&json!({ "parts": parts, "teams": teams })).read_known().unwrap();
    setup.problems()
}

#[test]
fn everything_wrong_with_teams_is_told_at_once() {
    let tea = json!([{ "part": "break", "text": "Tea!" }]);
    let wrong =
        json!({ "by": "even", "names": ["Reds", "", "REDS", "B\u{202e}"], "largest": 0, "score": { "best": 101 } });
    let told = problems(wrong, tea.clone()).join("\n");
    for line in ["teams.names[1]: has 1 to 40", "teams.names[2]: \"REDS\" looks like", "teams.names[3]: must not hold"]
    {
        assert!(told.contains(line), "{line} in {told}");
    }
    assert!(
        told.contains("teams.largest: 1 to 10000000, not 0") && told.contains("teams.score.best: 1 to 100, not 101")
    );
    assert_eq!(problems(json!({ "by": "host", "names": ["Reds"] }), tea.clone()), ["teams.names: 2 to 1000, not 1"]);
    let many: Vec<String> = (0..1001).map(|team| format!("Team {team}")).collect();
    assert_eq!(problems(json!({ "by": "host", "names": many }), tea.clone()), ["teams.names: 2 to 1000, not 1001"]);
    assert_eq!(problems(json!({ "by": "host", "names": many[1..] }), tea), Vec::<String>::new());
}

#[test]
fn what_teams_can_t_play_is_refused_by_name() {
    let refused = |score: &str, more: Value, question: Value| {
        problems(teams("even", json!({ "score": score })), json!([quiz(json!([question]), more)])).join("\n")
    };
    let near = || json!({ "text": "?", "kind": "number", "right": 1, "score": { "by": "nearest", "places": [5] } });
    let elimination = json!({ "part": "quiz", "mode": "elimination", "questions": [choice()] });
    let told = problems(teams("even", json!({})), json!([elimination])).join("\n");
    assert!(told.starts_with("parts[0].mode: teams are ranked by points"), "{told}");
    assert!(refused("sum", json!({ "late": "mean" }), choice()).starts_with("parts[0].late: `mean` would give"));
    assert_eq!(refused("mean", json!({ "late": "mean" }), choice()), "");
    assert!(refused("sum", json!({ "mode": "both" }), near()).starts_with("parts[0].questions[0].score: `nearest`"));
    assert_eq!(refused("sum", json!({}), near()), "");
    assert_eq!(refused("sum", json!({ "mode": "both" }), choice()), "");
}

#[test]
fn the_snapshot_has_the_teams_as_they_were_set_up() {
    let play = coins(teams("choice", json!({ "largest": 9 })), &["coins 1"], 2);
    let ToPlayer::GameSnapshot(_) = crate::game::Game::view(&play.game, play.now).message else { panic!("a snapshot") };
    assert_eq!(
        play.overview()["teams"],
        json!({
            "by": "choice", "names": ["Reds", "Blues", "Greens"], "score": "sum", "largest": 9, "members": [0, 0, 0],
            "choice": 0,
        })
    );
}
