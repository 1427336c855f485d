//! The rules one by one.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Span;
use serde_json::{Value, json};

use super::super::{Seed, TicketKind, order};
use super::table::{Table, bodies, event, told};
use crate::game::Effect;

fn early_five(settings: &Value) -> Value {
    json!({ "balls": 90, "prizes": [
        { "name": "Early five", "pattern": "early_five", "amount": 100 },
        { "name": "House", "pattern": "full_house", "amount": 1000 },
        { "name": "Second house", "pattern": "second_house", "amount": 500 },
    ], "settings": settings })
}

/// Draws and settles until this ticket of the seat has five numbers, and leaves that ball open.
fn until_five(table: &mut Table, seat: u32) -> u8 {
    let numbers: Vec<u8> = table.tickets(seat).remove(0).concat();
    loop {
        let ball = table.draw();
        let drawn: Vec<u8> = serde_json::from_value(table.view()["drawn"].clone()).unwrap();
        if drawn.iter().filter(|ball| numbers.contains(ball)).count() == 5 {
            return ball;
        }
        table.settle();
    }
}

#[test]
fn tickets_are_dealt_at_the_beginning_and_to_all_who_sit_before_the_close() {
    let mut table = Table::new(early_five(&json!({})), 2, 1);
    let commitment = super::super::state::hex(&Seed([1; 32]).commitment());
    assert_eq!(table.snapshot()["commitments"], json!([commitment]), "it binds before anybody has a ticket");
    let effects = table.next();
    let dealing = event(&effects, "dealing");
    assert_eq!(dealing["commitment"], commitment);
    assert_eq!(told(&effects, 1).unwrap()["tickets"], table.own(1)["tickets"]);
    table.sit(2);
    assert_eq!(table.own(2)["tickets"].as_array().unwrap().len(), 1);
    let effects = table.next();
    assert_eq!(event(&effects, "dealt")["seats"], 3, "the first ball closes the dealing");
    assert_eq!(event(&effects, "ball")["number_of_ball"], 1);
    table.sit(3);
    assert_eq!(table.own(3).get("tickets"), None);
    assert_eq!(table.call(3, 0, 0), Err(ErrorCode::NotInPlay));
    assert_eq!(table.play(&json!({ "close_dealing": true })).unwrap_err().code, ErrorCode::WrongPhase);
    table.check_replay();
}

#[test]
fn a_suspended_player_calls_nothing_and_keeps_the_tickets() {
    let mut table = Table::new(early_five(&json!({})), 2, 1);
    table.next();
    until_five(&mut table, 1);
    let tickets = table.tickets(1);
    table.play(&json!({ "suspend": { "seat": 1, "rounds": 2 } })).unwrap();
    assert_eq!(table.call(1, 0, 0), Err(ErrorCode::NotInPlay));
    table.settle();
    table.draw();
    assert_eq!((table.call(1, 0, 0), table.tickets(1)), (Err(ErrorCode::NotInPlay), tickets));
    table.settle();
    assert_eq!(table.own(1)["in_play"], true, "back by themselves after two balls");
    table.draw();
    let late = table.call(1, 0, 0);
    assert!(late.is_ok() || late == Err(ErrorCode::TooLate), "judged as any other: {late:?}");
    table.check_replay();
}

#[test]
fn tickets_for_many_are_dealt_step_by_step_and_no_ball_is_drawn_before_all_have_theirs() {
    let part = json!({ "balls": 90, "tickets": 6, "prizes": [{ "name": "House", "pattern": "full_house" }] });
    let mut table = Table::new(part, 1700, 1);
    let effects = table.next();
    assert!(told(&effects, 1665).is_some() && told(&effects, 1666).is_none());
    let refusal = table.host(Action::Next).unwrap_err();
    assert!(refusal.detail.contains("1666 of 1700 seats"), "{refusal}");
    table.sit(1700);
    assert_eq!(table.own(1700).get("tickets"), None);
    table.now = table.game.deadline().unwrap();
    let effects = table.apply(Command::Tick).unwrap();
    assert!(told(&effects, 1665).is_none() && told(&effects, 1666).is_some() && told(&effects, 1700).is_some());
    assert_eq!(table.game.deadline(), None);
    let effects = table.next();
    assert_eq!(event(&effects, "dealt")["tickets"], 1701 * 6);
    table.check_replay();
}

#[test]
fn balls_follow_from_seed_roster_and_public_value_and_wait_for_it() {
    let mut part = early_five(&json!({}));
    part["public_value"] = "The closing price of tomorrow".into();
    let mut table = Table::new(part, 3, 9);
    table.next();
    assert_eq!(table.play(&json!({ "public_value": "41.23" })).unwrap_err().code, ErrorCode::WrongPhase);
    let dealt = event(&table.next(), "dealt");
    let refusal = table.host(Action::Next).unwrap_err();
    assert!(refusal.detail.contains("public value is awaited"), "{refusal}");
    let told = event(&table.play(&json!({ "public_value": "41.23" })).unwrap(), "public_value");
    assert_eq!(told["value"], "41.23");
    assert_eq!(table.play(&json!({ "public_value": "41.24" })).unwrap_err().code, ErrorCode::WrongPhase);
    let mut roster = super::super::RosterHasher::default();
    // The lobby was opened in the first millisecond, and one sat in each of the next.
    (0..3).for_each(|seat| roster.add(seat, 1_800_000_000_002 + u64::from(seat), 1));
    let roster = roster.hash();
    assert_eq!(dealt["roster"], super::super::state::hex(&roster.0));
    let balls = order(TicketKind::Balls90, &Seed([9; 32]), roster, Some("41.23"));
    for ball in &balls[..3] {
        assert_eq!(table.draw(), *ball);
        table.settle();
    }
    table.check_replay();
}

#[test]
fn a_ball_that_is_taken_back_takes_prizes_and_bars_with_it_and_comes_again() {
    let mut table = Table::new(early_five(&json!({ "false_call": "ticket" })), 3, 4);
    table.next();
    table.next();
    table.settle();
    let ball = until_five(&mut table, 0);
    table.call(0, 0, 0).unwrap();
    table.call(1, 0, 1).unwrap();
    let settled = table.settle();
    assert_eq!(told(&settled, 1).unwrap()["barred"]["tickets"], json!([0]));
    assert_eq!((&table.own(0)["winnings"], &table.own(0)["won"][0]["share"]), (&json!(100), &json!(100)));
    assert_eq!(table.view()["won"][0]["winners"], json!([{ "seat": 0, "ticket": 0 }]));
    let figures = table.game.figures(table.now).answers;
    assert_eq!((figures.len(), &figures[..3]), (9, &[0, 0, 0][..]), "a prize that is gone is near to nobody");
    let effects = table.host(Action::Void { reason: "It was read wrongly.".into() }).unwrap();
    assert_eq!(told(&effects, 1).unwrap().get("barred"), None);
    assert_eq!((&table.own(0)["winnings"], table.own(0).get("won")), (&json!(0), None));
    assert_eq!(table.own(1)["false_calls"], 0);
    assert_eq!(table.view()["won"], json!([]));
    assert_eq!(table.host(Action::Void { reason: "Again.".into() }).unwrap_err().code, ErrorCode::WrongPhase);
    assert_eq!(table.draw(), ball);
    table.call(0, 0, 0).unwrap();
    table.settle();
    assert_eq!(table.own(0)["winnings"], 100);
    table.check_replay();
}

#[test]
fn a_ball_whose_calls_may_be_missing_is_drawn_again() {
    let mut table = Table::new(early_five(&json!({})), 3, 4);
    table.next();
    let ball = table.draw();
    table.now = table.game.deadline().unwrap();
    table.apply(Command::Tick).unwrap();
    let round = table.round();
    let effects = table.apply(Command::Outage { round, late: Span(900) }).unwrap();
    assert_eq!(event(&effects, "void")["round"], json!(round));
    assert_eq!(table.draw(), ball);
    table.check_replay();
}

#[test]
fn a_false_call_costs_what_the_setting_says_from_the_next_ball_on() {
    for (setting, refused) in [
        ("none", [false; 4]),
        ("prize", [true, false, false, false]),
        ("ticket", [true, true, false, false]),
        ("round", [true; 4]),
    ] {
        let mut part = early_five(&json!({ "false_call": setting }));
        part["tickets"] = 2.into();
        let mut table = Table::new(part, 2, 5);
        table.next();
        table.next();
        table.call(0, 0, 0).unwrap();
        table.call(0, 0, 1).unwrap();
        table.call(0, 1, 0).unwrap();
        table.settle();
        assert_eq!(table.own(0)["false_calls"], 3);
        let mut table = Table::new(table_part(setting), 2, 5);
        table.next();
        table.next();
        table.call(0, 0, 0).unwrap();
        assert_eq!(event(&table.settle(), "settled")["false_calls"], 1);
        table.next();
        let calls = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(ticket, prize)| table.call(0, ticket, prize));
        assert_eq!(calls.map(|call| call == Err(ErrorCode::NotInPlay)), refused, "{setting}");
        assert_eq!(table.call(1, 0, 0), Ok(()), "another seat is not affected");
        table.check_replay();
    }
}

fn table_part(false_call: &str) -> Value {
    let mut part = early_five(&json!({ "false_call": false_call }));
    part["tickets"] = 2.into();
    part
}

#[test]
fn some_false_calls_are_free_if_the_setting_says_so() {
    let mut table = Table::new(early_five(&json!({ "false_call": "round", "false_call_limit": 2 })), 2, 5);
    table.next();
    for free in [true, false] {
        table.next();
        table.call(0, 0, 0).unwrap();
        table.settle();
        assert_eq!(table.own(0).get("barred").is_none(), free);
    }
}

#[test]
fn what_there_is_not_can_t_be_called() {
    let mut table = Table::new(early_five(&json!({})), 1, 5);
    table.next();
    table.next();
    assert_eq!(table.call(0, 1, 0), Err(ErrorCode::BadChoice));
    assert_eq!(table.call(0, 0, 3), Err(ErrorCode::BadChoice));
    assert_eq!(table.call(0, 0, 2), Err(ErrorCode::TooEarly), "the full house comes before the second");
    table.host(Action::Remove { seat: Seat(0), ban: false }).unwrap();
    assert_eq!(table.call(0, 0, 0), Err(ErrorCode::NotInPlay));
}

#[test]
fn who_comes_back_has_tickets_balls_prizes_and_calls() {
    let mut table = Table::new(early_five(&json!({})), 2, 6);
    table.next();
    until_five(&mut table, 1);
    table.call(1, 0, 0).unwrap();
    let own = table.own(1);
    assert_eq!((own["tickets"].as_array().unwrap().len(), &own["calls"]), (1, &json!([0])));
    assert_eq!(table.view()["dealing"]["prizes"][0]["name"], "Early five");
    assert!(table.view()["drawn"].as_array().unwrap().len() >= 5);
}

#[test]
fn the_server_calls_for_players_if_the_setting_says_so() {
    let mut table = Table::new(early_five(&json!({ "call": "auto", "daub": "auto" })), 4, 7);
    table.next();
    let settled = loop {
        table.next();
        let settled = event(&table.settle(), "settled");
        if settled["won"] != json!([]) {
            break settled;
        }
    };
    let winner = u32::try_from(settled["won"][0]["winners"][0]["seat"].as_u64().unwrap()).unwrap();
    assert!(table.own(winner)["winnings"].as_u64().unwrap() > 0);
    table.check_replay();
}

#[test]
fn all_balls_of_a_game_that_nobody_calls_end_it_and_the_seed_is_told() {
    let mut table = Table::new(early_five(&json!({})), 2, 8);
    table.next();
    for _ in 0..90 {
        table.next();
        table.settle();
    }
    assert_eq!(table.host(Action::Next).unwrap_err().code, ErrorCode::NoMoreQuestions);
    let effects = table.host(Action::End { pay: true }).unwrap();
    let opened = event(&effects, "opened");
    assert_eq!((&opened["seed"], &opened["drawn"]), (&"08".repeat(32).into(), &90.into()));
    assert_eq!(table.game.phase(), Phase::Ended);
    table.check_replay();
}

#[test]
fn a_host_who_ends_early_tells_the_seed_too() {
    let mut table = Table::new(early_five(&json!({})), 2, 8);
    table.next();
    let effects = table.play(&json!({ "skip": true })).unwrap();
    assert_eq!(event(&effects, "opened")["roster"], Value::Null);
}

#[test]
fn a_card_is_shown_to_hosts_alone_and_so_is_who_is_near() {
    let mut table = Table::new(early_five(&json!({})), 2, 6);
    table.next();
    until_five(&mut table, 1);
    let effects = table.play(&json!({ "card": 1 })).unwrap();
    assert_eq!(bodies(&effects).count(), 0);
    let [Effect::Alert(AlertKind::Game { body })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(body.0["own"]["tickets"], table.own(1)["tickets"]);
    assert_eq!((body.0["drawn"][0].as_array().unwrap().len(), &body.0["complete"][0]), (5, &json!([0])));
    assert!(table.game.figures(table.now).answers[0] >= 1, "this ticket is complete");
    assert_eq!(table.play(&json!({ "card": 9 })).unwrap_err().code, ErrorCode::UnknownSeat);
}

#[test]
fn a_least_share_is_paid_beyond_the_prize() {
    let part = json!({ "balls": 75, "tickets": 6, "settings": { "min_share": 60, "call": "auto" }, "prizes": [
        { "name": "Any", "pattern": "cells", "masks": [1, 2, 4, 8, 16], "amount": 100 },
    ]});
    let mut table = Table::new(part, 30, 3);
    table.next();
    let won = loop {
        table.next();
        let settled = event(&table.settle(), "settled");
        if settled["won"] != json!([]) {
            break settled["won"][0].clone();
        }
    };
    let count = won["count"].as_u64().unwrap();
    assert!(count >= 2 && won["share"] == 60, "{won}");
    let effects = table.host(Action::End { pay: true }).unwrap();
    let podium = effects.iter().find_map(|effect| match effect {
        Effect::Tell(klaxon_protocol::player::ToPlayer::Podium(podium), _) => Some(podium),
        _ => None,
    });
    let podium = podium.unwrap();
    assert_eq!((podium.pot, podium.paid, podium.rolled_over), (60 * count, 60 * count, 0));
}
