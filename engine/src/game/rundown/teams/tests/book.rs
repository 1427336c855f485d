//! The example of docs/rules/teams.md, played.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Action;
use serde_json::{Value, json};

use super::super::super::tests::play::Play;
use super::{accepted, ranks};

const BOOK: &str = include_str!("../../../../../../docs/rules/teams.md");

#[test]
fn the_example_of_the_rule_book() {
    let (_, rest) = BOOK.split_once("```json\n").expect("the page begins with a setup");
    let mut setup: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
    setup["parts"][0]["seed"] = json!("07".repeat(32));
    // 1. Ann (seat 0), Ben (1), Cho (2) and Dan (3) are in the lobby.
    let mut play = Play::of(setup, 4);
    assert_eq!(play.own(0)["choice"], json!({ "round": 0, "key": 0 }));
    assert_eq!(play.choose(0, 0, 0), accepted(0));
    assert_eq!(play.choose(1, 0, 0), accepted(0));
    assert_eq!(play.choose(2, 0, 0), accepted(0));
    assert_eq!(play.own(2)["choice"], json!({ "round": 0, "key": 1 }));
    assert_eq!(play.choose(2, 1, 1), accepted(1), "Cho changes her mind");
    assert_eq!(play.teams(), [Some(0), Some(0), Some(1), None]);
    // 2. The first question opens: Dan, who has not chosen, is a Blue, as they are fewer. All but Ben are right.
    play.host(Action::Next);
    play.host(Action::Next);
    assert_eq!(play.told_alone(3).unwrap()["body"], json!({ "team": { "team": 1, "score": 0 } }));
    assert_eq!(play.choose(3, 0, 0), klaxon_protocol::claim::Verdict::Refused(ErrorCode::TooLate));
    for (seat, value) in [(0, 0), (1, 1), (2, 0), (3, 0)] {
        assert_eq!(play.claim(seat, value), accepted(value));
    }
    play.wait(10_000);
    play.host(Action::Reveal);
    assert_eq!(play.points(), [1000, 0, 1000, 1000]);
    assert_eq!(ranks(&play.event()["teams"]), [(1, 1, 1000), (2, 0, 500)]);
    // 3. Eve (4) and Fay (5) come: to the first of the two teams, which have two members each, and to the other.
    assert_eq!((play.join(4), play.join(5)), (Ok(crate::game::Entry::New), Ok(crate::game::Entry::New)));
    assert_eq!((play.team_of(4), play.team_of(5)), ((0, 500, Some(2)), (1, 1000, Some(1))));
    // 4. Buzzes: Ben, Ann, Fay, Dan.
    play.host(Action::Next);
    for seat in [1, 0, 5, 3] {
        play.wait(10);
        assert_eq!(play.claim(seat, 0), accepted(0));
    }
    play.wait(10_000);
    assert_eq!((&play.event()["seat"], &play.event()["order"]), (&json!(1), &json!([1, 5])), "one buzz a team");
    play.play(json!({ "judge": "wrong" })).unwrap();
    assert_eq!(play.event()["seat"], 5, "not Ann: her team was wrong");
    play.play(json!({ "judge": "right" })).unwrap();
    assert_eq!(play.points(), [1000, 0, 1000, 1000, 0, 1000]);
    assert_eq!(play.event().get("teams"), None, "Fay came too late to count in the mean: nothing has changed");
    // 5. Gil has no phone. The host puts him into the Reds, and gives him points.
    play.play(json!({ "player": { "team": 0 } })).unwrap();
    assert_eq!(play.event(), json!({ "event": "player", "part": 0, "seat": 6, "team": 0 }));
    play.play(json!({ "points": { "seat": 6, "by": 700 } })).unwrap();
    play.host(Action::End { pay: true });
    assert_eq!(
        play.event(),
        json!({ "event": "teams", "part": 0, "places": [
            { "place": 1, "team": 1, "score": 1000, "winnings": 0, "members": 3 },
            { "place": 2, "team": 0, "score": 500, "winnings": 0, "members": 4 },
        ] })
    );
    assert_eq!(play.overview()["teams"]["places"], play.event()["places"]);
    play.replay();
}
