//! How players come to their teams.

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Name, PlayerId, RoundId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Span;
use serde_json::{Value, json};

use super::super::super::tests::play::{Play, begun};
use super::{accepted, choice, coins, quiz, quiz_show, show, teams};
use crate::game::{Entry, Game};

const fn refused(code: ErrorCode) -> Verdict {
    Verdict::Refused(code)
}

#[test]
fn the_first_claim_of_each_key_stands_and_the_last_key_is_the_team() {
    let mut play = quiz_show(teams("choice", json!({})), json!([choice()]), 2);
    assert_eq!(play.choose(0, 1, 2), refused(ErrorCode::BadChoice), "key 0 comes first");
    assert_eq!(play.choose(0, 0, 3), refused(ErrorCode::BadChoice), "there are three teams");
    assert_eq!(play.choose(0, 0, 2), accepted(2));
    assert_eq!(play.choose(0, 0, 2), accepted(2), "sent again, it gets the same reply");
    assert_eq!(play.choose(0, 0, 1), Verdict::AlreadyAnswered(ClaimValue::Bits(2)));
    for key in 1..8 {
        assert_eq!(play.choose(0, key, u64::from(key % 3)), accepted(u64::from(key % 3)));
    }
    assert_eq!(play.choose(0, 8, 0), refused(ErrorCode::BadChoice), "eight times are enough");
    assert_eq!(play.own(0)["choice"], Value::Null);
    assert_eq!(play.teams(), [Some(1), None]);
    // What the arbiter needs to decide the same after it lost its memory.
    assert_eq!((play.game.round().map(|round| round.id), play.game.counted().len()), (Some(RoundId(0)), 8));
    assert_eq!(play.choose(9, 0, 0), refused(ErrorCode::NotInPlay), "no such seat");
    play.host(Action::Remove { seat: Seat(1), ban: false });
    assert_eq!(play.choose(1, 0, 0), refused(ErrorCode::NotInPlay));
    play.replay();
}

#[test]
fn a_choice_is_possible_until_the_first_round_opens() {
    let mut play = quiz_show(teams("choice", json!({})), json!([choice(), choice()]), 4);
    assert_eq!(play.overview()["teams"]["choice"], 0);
    play.host(Action::Next);
    assert_eq!(play.choose(0, 0, 1), accepted(1), "the part has begun, and no round");
    assert_eq!(play.choose(1, 0, 1), accepted(1));
    play.host(Action::Next);
    assert_eq!(play.choose(0, 0, 1), refused(ErrorCode::TooLate));
    assert_eq!(play.choose(0, 1, 0), refused(ErrorCode::TooLate));
    assert_eq!(play.overview()["teams"].get("choice"), None);
    assert_eq!(play.own(0)["choice"], Value::Null);
    // Those who have not chosen are put into the smallest teams; so is who comes later.
    assert_eq!(play.teams(), [Some(1), Some(1), Some(0), Some(2)]);
    assert_eq!((play.told_alone(0), play.told_alone(2).is_some()), (None, true));
    assert_eq!(play.join(4), Ok(Entry::New));
    assert_eq!(play.teams()[4], Some(0));
    assert_eq!(play.overview()["teams"]["members"], json!([2, 2, 1]));
    assert_eq!(play.round(), RoundId(1), "the rounds of the show count from 1 as ever");
    play.replay();
}

#[test]
fn a_full_team_takes_the_first_by_time_and_then_by_seat() {
    let mut play = quiz_show(teams("choice", json!({ "largest": 2 })), json!([choice()]), 6);
    play.wait(1_000);
    let at = |early: u32| play.now - Span(early);
    let (first, second, third) = (at(30), at(20), at(10));
    let choose = |play: &mut Play, seat, at| play.claim_read(at, RoundId(0), seat, 0, 0);
    // Seat 0 was read last of these three, and reached the show first.
    assert_eq!(choose(&mut play, 0, third), accepted(0));
    assert_eq!(choose(&mut play, 1, second), accepted(0));
    assert_eq!(choose(&mut play, 2, first), accepted(0), "it was read before the others");
    assert_eq!(choose(&mut play, 3, third), refused(ErrorCode::BadChoice), "the team is full, and this is later");
    assert_eq!(play.choose(3, 0, 1), accepted(1), "the key is not used up by that");
    assert_eq!(play.refusal(Action::Play { body: set(4, Some(0)) }).0, ErrorCode::BadArgument, "for the host as well");
    play.host(Action::Next);
    play.host(Action::Next);
    assert_eq!(play.teams(), [Some(2), Some(0), Some(0), Some(1), Some(1), Some(2)]);
    // All teams are full: who comes now plays alone.
    assert_eq!(play.join(6), Ok(Entry::New));
    assert_eq!(play.teams()[6], None);
    play.replay();
}

fn set(seat: u32, team: Option<u16>) -> Body {
    Body::of(&json!({ "team": { "seat": seat, "team": team } }))
}

#[test]
fn a_seat_that_is_given_to_another_player_goes_on_with_the_next_key() {
    for (by, kept) in [("choice", None), ("host", None), ("even", Some(1))] {
        let setup = show(teams(by, json!({})), json!([quiz(json!([choice()]), json!({}))]));
        let mut play = Play::begun(begun(setup, 2), 2);
        match by {
            "choice" => assert_eq!(play.choose(1, 0, 2), accepted(2)),
            "host" => play.host(Action::Play { body: set(1, Some(2)) }),
            _ => {}
        }
        let seat = Seat(1);
        let player = PlayerId::parse(&format!("{}9", PlayerId::GUEST)).unwrap();
        let who = Apart::known(Person { player, name: Name::parse("P9").unwrap() });
        play.apply(&Command::Sit { seat, guest: true, who }).unwrap();
        assert_eq!(play.teams()[1], kept, "{by}");
        if by == "choice" {
            assert_eq!(play.own(1)["choice"]["key"], 1, "the arbiter keeps the earlier player's claim");
            assert_eq!(play.choose(1, 1, 0), accepted(0));
        }
        play.replay();
    }
}

#[test]
fn players_are_dealt_to_the_smallest_team_as_they_sit() {
    let mut play = coins(teams("even", json!({})), &["coins 2"], 7);
    assert_eq!(play.teams(), [0, 1, 2, 0, 1, 2, 0].map(Some));
    assert_eq!(play.choose(0, 0, 1), refused(ErrorCode::UnknownQuestion), "there is nothing to choose");
    // Nobody is moved when somebody leaves.
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.host(Action::Remove { seat: Seat(4), ban: false });
    assert_eq!(play.join(7), Ok(Entry::New));
    assert_eq!(play.teams(), [0, 1, 2, 0, 1, 2, 0, 1].map(Some));
    play.replay();
}

#[test]
fn the_host_puts_players_into_teams_between_rounds() {
    let mut play = coins(teams("host", json!({})), &["coins 2"], 3);
    assert_eq!(play.teams(), [None; 3]);
    play.host(Action::Play { body: set(0, Some(2)) });
    assert_eq!(play.event(), json!({ "event": "team", "part": 0, "seat": 0, "team": 2 }));
    assert_eq!(play.told_alone(0).unwrap()["body"]["team"]["team"], 2);
    for (body, code) in [
        (set(0, Some(2)), ErrorCode::WrongPhase),
        (set(0, Some(3)), ErrorCode::BadArgument),
        (set(9, Some(0)), ErrorCode::UnknownSeat),
        (set(1, None), ErrorCode::WrongPhase),
    ] {
        assert_eq!(play.refusal(Action::Play { body }).0, code);
    }
    play.host(Action::Next);
    play.host(Action::Next);
    assert_eq!(play.refusal(Action::Play { body: set(1, Some(2)) }).0, ErrorCode::WrongPhase, "a round is open");
    play.claim(0, 1);
    play.wait(10_000);
    play.host(Action::Reveal);
    assert_eq!(play.leaders(), [(1, 2, 10)]);
    // Points go with their player.
    play.host(Action::Play { body: set(0, Some(1)) });
    assert_eq!(
        (play.leaders(), play.event()["teams"].clone()),
        (vec![(1, 1, 10)], play.overview()["teams"]["leaders"].clone())
    );
    play.host(Action::Play { body: set(0, None) });
    assert_eq!((play.teams(), play.leaders()), (vec![None; 3], vec![]));
    play.replay();
}

#[test]
fn a_show_without_teams_knows_none() {
    let mut play = Play::new(&["coins 1"], 2);
    assert_eq!(play.refusal(Action::Play { body: set(0, Some(0)) }).0, ErrorCode::BadArgument);
    let player = |team: Value| Body::of(&json!({ "player": { "team": team } }));
    assert_eq!(play.refusal(Action::Play { body: player(json!(0)) }).0, ErrorCode::BadArgument);
    assert_eq!(play.choose(0, 0, 0), refused(ErrorCode::UnknownQuestion));
    assert_eq!(play.overview().get("teams"), None);
    assert_eq!((play.own(0).get("team"), play.own(0).get("choice")), (None, None));
    play.host(Action::Play { body: player(Value::Null) });
    assert_eq!(play.game.ledger.seats(), 3, "players without a device need no teams");
    play.replay();
}
