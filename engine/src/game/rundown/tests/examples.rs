//! docs/rules/rundown.md by examples.

use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{RoundId, Seat, ShowId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Span;
use serde_json::json;

use super::play::{POT, PRIZE, Play, setup};
use crate::game::{Entry, Game};

const HEADS: u64 = 1;
const TAILS: u64 = 0;

fn void(reason: &str) -> Action {
    Action::Void { reason: reason.into() }
}

fn accepted(value: u64) -> Verdict {
    Verdict::Accepted(ClaimValue::Bits(value))
}

#[test]
fn the_example_of_the_rule_book() {
    // Ann, Ben and Cho are in the lobby. A round of coins, a break, and two more rounds.
    let mut play = Play::new(&["coins 1", "Tea!", "coins 2"], 3);
    play.told.clear();
    play.host(Action::Next);
    assert_eq!(play.event(), json!({ "event": "coins", "part": 0, "rounds": 1 }));
    assert_eq!(play.game.phase(), Phase::Lobby, "no round has begun: Dan can still come");
    assert_eq!(play.join(3), Ok(Entry::New));
    // Round 1 is heads. Ben is the first who says so; Dan is wrong, and out.
    play.flip(&[(1, HEADS), (0, HEADS), (2, HEADS), (3, TAILS)]);
    assert_eq!(play.points(), [10, 10, 10, 0]);
    assert_eq!(play.line(1).winnings, PRIZE);
    assert_eq!(
        play.own(3),
        json!({
            "part": 0, "in_play": false, "lives": 0, "points": 0, "winnings": 0, "called": 0,
        })
    );
    // The part is over: `next` finishes it, and begins the break.
    play.host(Action::Next);
    assert_eq!(play.event(), json!({ "event": "break", "part": 1, "text": "Tea!", "for": 60_000 }));
    play.host(Action::Next);
    // Round 2 is the first of the third part. It is tails, and nobody answers but Ann.
    play.flip(&[(0, TAILS)]);
    assert_eq!((play.round(), play.game.look().playing()), (RoundId(2), 1));
    // The question was wrong: it is void, and Ben and Cho are in play again.
    play.host(void("The coin stood on its edge."));
    assert_eq!(
        play.event(),
        json!({
            "event": "void", "part": 2, "round": 2, "reason": "The coin stood on its edge.",
        })
    );
    assert_eq!((play.points(), play.game.look().playing()), (vec![10, 10, 10, 0], 3));
    play.flip(&[(2, HEADS), (1, HEADS)]);
    assert_eq!(play.refusal(Action::Next).0, ErrorCode::NoMoreQuestions);
    let podium = play.end();
    let places: Vec<_> = podium.places.iter().map(|at| (at.place, at.seat.0, at.score, at.prize)).collect();
    // Ben and Cho have won the same, and Cho was the first in round 3 only.
    assert_eq!(places, [(1, 1, 20, PRIZE), (1, 2, 20, PRIZE), (3, 0, 10, 0), (4, 3, 0, 0)]);
    assert_eq!((podium.winners, podium.paid, podium.rolled_over), (2, 2 * PRIZE, POT - 2 * PRIZE));
    assert_eq!(play.told_alone(1).unwrap(), json!({ "type": "prize", "amount": PRIZE, "currency": "EUR" }));
    assert_eq!(play.told_alone(0), None);
    assert_eq!(
        play.story(),
        [
            "0 coins",
            "0 flip",
            "0 close",
            "0 landed",
            "0 coins_over",
            "1 break",
            "2 coins",
            "2 flip",
            "2 close",
            "2 landed",
            "2 void",
            "2 flip",
            "2 close",
            "2 landed",
            "2 coins_over",
            "podium",
            "end",
        ]
    );
}

#[test]
fn the_archive_has_each_round_with_its_part_and_what_each_seat_has() {
    let mut play = Play::new(&["coins 1", "coins 1"], 2);
    play.host(Action::Next);
    play.flip(&[(0, HEADS)]);
    play.host(Action::Next);
    assert!(play.game.results(ShowId(1)).is_none(), "the show goes on");
    play.flip(&[(0, HEADS)]);
    play.end();
    let results = play.game.results(ShowId(1)).unwrap();
    let rounds: Vec<_> = results.rounds.iter().map(|round| (round.round.0, json!(round.body))).collect();
    assert_eq!(
        rounds,
        [(1, json!({ "part": 0, "right": 1, "winner": 0 })), (2, json!({ "part": 1, "right": 0, "winner": null })),]
    );
    let players: Vec<_> =
        results.players.iter().map(|of| (of.place, of.score, of.prize, of.out_at, of.alive)).collect();
    assert_eq!(players, [(1, 10, PRIZE, Some(RoundId(2)), false), (2, 0, 0, Some(RoundId(1)), false)]);
    assert_eq!((results.summary.pot, results.summary.paid), (POT, PRIZE));
}

#[test]
fn players_keep_what_the_setup_says_from_the_parts_before() {
    let mut show = setup(&["coins 1", "coins 1", "coins 1"]);
    show["lives"] = json!(1);
    show["parts"][1]["keep"] = json!({ "points": false, "out": true });
    show["parts"][2]["keep"] = json!({ "points": true, "lives": false, "out": false });
    let mut play = Play::of(show, 3);
    play.game.ledger.give_lives(Seat(0), 1);
    play.host(Action::Next);
    play.flip(&[(0, HEADS)]);
    assert_eq!((play.points(), play.line(1).lives), (vec![10, 0, 0], 0));
    play.host(Action::Next);
    assert_eq!(play.points(), [0, 0, 0], "all begin the part with no points");
    assert_eq!(play.line(0).winnings, PRIZE, "what was won is won");
    play.flip(&[(0, TAILS)]);
    assert_eq!((play.points(), play.game.look().playing()), (vec![10, 0, 0], 1), "and with their lives");
    play.host(Action::Next);
    assert_eq!((play.points(), play.game.look().playing()), (vec![10, 0, 0], 3), "all play again");
    assert_eq!([0, 1, 2].map(|seat| play.line(seat).lives), [1, 1, 1]);
}

#[test]
fn the_script_runs_the_whole_show() {
    let mut show = setup(&["Welcome.", "coins 2"]);
    show["script"] = json!({ "on": true, "lobby": 5_000, "suspense": 1_000, "between": 3_000 });
    show["parts"][0]["for"] = json!(20_000);
    let mut play = Play::of(show, 2);
    play.wait(4_999);
    assert_eq!(play.game.steps.part, None);
    play.wait(1);
    assert_eq!(play.event()["event"], "break");
    play.wait(20_000);
    assert_eq!(play.event()["event"], "coins");
    play.wait(3_000);
    assert_eq!((play.game.phase(), play.round()), (Phase::Question, RoundId(1)));
    assert_eq!(play.claim(0, HEADS), accepted(HEADS));
    play.wait(10_000);
    assert_eq!(play.game.phase(), Phase::Closed);
    play.wait(1_000);
    assert_eq!(play.game.phase(), Phase::Revealed);
    // A host who takes over keeps the show where it is.
    play.host(Action::Autopilot { on: false });
    play.wait(1_000_000);
    assert_eq!((play.game.phase(), play.round()), (Phase::Revealed, RoundId(1)));
    play.host(Action::Autopilot { on: true });
    play.wait(3_000 + 10_000 + 1_000 + 3_000);
    assert_eq!(play.game.phase(), Phase::Ended);
    assert_eq!(play.game.deadline(), None);
}

#[test]
fn a_round_closes_early_when_its_part_says_so() {
    let mut play = Play::new(&["coins 1"], 2);
    play.host(Action::Next);
    play.host(Action::Next);
    play.wait(500);
    assert_eq!(play.claim(0, HEADS), accepted(HEADS));
    play.wait(500);
    assert_eq!(play.claim(1, HEADS), accepted(HEADS));
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed, "all have answered");
}

#[test]
fn a_pause_takes_no_time_from_players_nor_from_the_script() {
    let mut show = setup(&["coins 1"]);
    show["script"] = json!({ "lobby": 5_000 });
    let mut play = Play::of(show, 2);
    play.host(Action::Autopilot { on: true });
    play.wait(2_000);
    play.host(Action::Pause);
    assert_eq!(play.refusal(Action::Next), (ErrorCode::Paused, "Resume it first.".into()));
    assert_eq!(play.refusal(Action::Pause).0, ErrorCode::Paused);
    play.wait(60_000);
    play.host(Action::Resume);
    play.wait(2_999);
    assert_eq!(play.game.steps.part, None);
    play.wait(1);
    assert_eq!(play.game.steps.part, Some(0));
    play.host(Action::Autopilot { on: false });
    play.host(Action::Next);
    play.wait(4_000);
    play.host(Action::Pause);
    assert_eq!(play.game.snapshot(play.now).left, Some(Span(6_000)));
    assert_eq!(play.claim(0, HEADS), Verdict::Refused(ErrorCode::Paused));
    play.wait(60_000);
    play.host(Action::Resume);
    assert_eq!(play.claim(0, HEADS), accepted(HEADS));
    play.wait(5_999);
    assert_eq!(play.game.phase(), Phase::Question);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn after_an_outage_an_open_round_gets_its_time_back_also_if_it_was_about_to_close_early() {
    let mut play = Play::new(&["coins 1"], 2);
    play.host(Action::Next);
    play.host(Action::Next);
    play.wait(2_000);
    assert_eq!(play.claim(0, HEADS), accepted(HEADS));
    play.crash(30_000);
    let ToPlayer::Resume(resume) = play.told.last().unwrap() else { panic!("{:?}", play.told.last()) };
    assert_eq!((resume.question, resume.opens_at), (Some(RoundId(1)), Some(play.now + Span(3_000))));
    play.wait(3_000);
    // The other was alone in not having answered: no round closes while what was not acknowledged is being sent again.
    assert_eq!(play.claim(1, HEADS), accepted(HEADS));
    play.wait(2_999);
    assert_eq!(play.game.phase(), Phase::Question);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
    // The script's step moves by as long as the engine was away.
    play.host(Action::Autopilot { on: true });
    let step = play.game.deadline().unwrap();
    play.crash(7_000);
    assert_eq!(play.game.deadline(), Some(step + Span(7_000)));
}

#[test]
fn a_round_whose_claims_may_be_missing_is_void() {
    let mut play = Play::new(&["coins 1"], 2);
    play.host(Action::Next);
    play.host(Action::Next);
    play.host(Action::Close);
    let outage = |round| Command::Outage { round: RoundId(round), late: Span(900) };
    assert_eq!(play.apply(&outage(2)).unwrap_err().code, ErrorCode::WrongPhase);
    play.apply(&outage(1)).unwrap();
    assert_eq!((play.game.phase(), play.game.look().playing()), (Phase::Revealed, 2), "nobody is out");
    assert_eq!(play.alerts.last(), Some(&AlertKind::Outage { question: RoundId(1), late: Span(900) }));
    assert_eq!(play.claim(0, HEADS), Verdict::Refused(ErrorCode::Voided));
    assert_eq!(play.refusal(void("Again.")).1, "The last round is void already.");
}

#[test]
fn a_claim_counts_once_in_time_and_by_who_plays() {
    let mut play = Play::new(&["coins 2"], 4);
    play.game.setup.lead = Span(1_000);
    play.host(Action::Next);
    assert_eq!(play.game.round(), None);
    play.host(Action::Next);
    assert_eq!(play.refusal(Action::Close).0, ErrorCode::WrongPhase, "it has not opened");
    assert_eq!(play.claim(0, HEADS), Verdict::Refused(ErrorCode::TooEarly));
    play.host(Action::AdjustTime { by: -9_000 });
    assert_eq!(play.event()["event"], "clock");
    assert_eq!(play.refusal(Action::AdjustTime { by: -900 }).0, ErrorCode::BadArgument);
    play.wait(1_000);
    assert_eq!(play.refusal(Action::AdjustTime { by: 1 }).0, ErrorCode::WrongPhase);
    let (now, round) = (play.now, play.round());
    assert_eq!(play.claim(0, HEADS), accepted(HEADS));
    assert_eq!(play.claim(0, HEADS), accepted(HEADS), "sent again, it gets the same reply");
    assert_eq!(play.claim(0, TAILS), Verdict::AlreadyAnswered(ClaimValue::Bits(HEADS)));
    assert_eq!(play.claim(1, 2), Verdict::Refused(ErrorCode::BadChoice));
    assert_eq!(play.claim_read(now, round, 1, 1, HEADS), Verdict::Refused(ErrorCode::BadChoice), "no such key");
    assert_eq!(play.claim_read(now, RoundId(2), 1, 0, HEADS), Verdict::Refused(ErrorCode::UnknownQuestion));
    assert_eq!(play.claim_read(now, RoundId(0), 1, 0, HEADS), Verdict::Refused(ErrorCode::UnknownQuestion));
    assert_eq!(play.claim(9, HEADS), Verdict::Refused(ErrorCode::NotInPlay), "no such seat");
    play.host(Action::Remove { seat: Seat(3), ban: false });
    assert_eq!(play.claim(3, HEADS), Verdict::Refused(ErrorCode::NotInPlay));
    // Read in time, it counts also while gateways hand in; read late, it does not.
    play.now = now + Span(1_000);
    play.apply(&Command::Tick).unwrap();
    assert_eq!(play.claim_read(now + Span(999), round, 1, 0, HEADS), accepted(HEADS));
    assert_eq!(play.claim_read(now + Span(1_000), round, 2, 0, HEADS), Verdict::Refused(ErrorCode::TooLate));
    play.tally();
    play.host(Action::Reveal);
    play.host(Action::Next);
    play.wait(1_000);
    assert_eq!(play.claim_read(now, RoundId(1), 1, 0, HEADS), Verdict::Refused(ErrorCode::TooLate));
    assert_eq!(play.claim(2, TAILS), Verdict::Refused(ErrorCode::NotInPlay), "out since round 1");
    // A restored arbiter knows what counts.
    assert_eq!(play.claim(1, TAILS), accepted(TAILS));
    assert_eq!(play.game.counted().iter().map(|claim| claim.seat.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_removed_player_who_is_restored_missed_nothing_to_their_advantage() {
    let mut play = Play::new(&["coins 1", "coins 1"], 3);
    let remove = |seat| Action::Remove { seat: Seat(seat), ban: false };
    let restore = |seat| Action::Restore { seat: Seat(seat) };
    play.host(Action::GiveLives { seat: Some(Seat(2)), lives: 1 });
    play.host(Action::Next);
    play.host(Action::Next);
    play.host(remove(1));
    play.host(remove(2));
    assert_eq!(play.dismissed.len(), 2);
    play.host(restore(1));
    assert_eq!(play.claim(1, HEADS), accepted(HEADS), "nothing was settled meanwhile");
    play.host(Action::Close);
    play.tally();
    play.host(Action::Reveal);
    assert_eq!(play.line(2).lives, 1, "who is removed is not judged");
    // Both rounds were revealed without seat 2, in two parts: the first costs the life, the second the place.
    play.host(Action::Next);
    play.flip(&[(1, TAILS)]);
    play.host(restore(2));
    assert_eq!((play.line(2).lives, play.line(2).out), (0, Some(RoundId(2))));
    assert_eq!(play.told_alone(2).unwrap()["body"]["in_play"], json!(false));
    assert_eq!(play.refusal(restore(2)).0, ErrorCode::WrongPhase);
    // The last round is void: also what it cost the restored one.
    play.host(void("A mistake."));
    assert_eq!((play.line(2).lives, play.line(2).out), (0, None));
    // A ban holds, and the player can't come back by another join.
    play.host(Action::Remove { seat: Seat(0), ban: true });
    assert!(play.alerts.contains(&AlertKind::GuestBanned { seat: Seat(0) }));
    assert_eq!(play.join(0), Err(ErrorCode::Banned));
    let podium = play.end();
    assert!(podium.places.iter().all(|place| place.seat != Seat(0)), "the host removed the player");
}

#[test]
fn a_suspended_player_misses_so_many_rounds_and_is_back_by_themselves() {
    let mut play = Play::new(&["coins 2", "Tea!", "coins 2"], 4);
    let suspend =
        |play: &mut Play, seat: u32, rounds: u16| play.play(json!({ "suspend": { "seat": seat, "rounds": rounds } }));
    play.host(Action::GiveLives { seat: Some(Seat(1)), lives: 3 });
    play.host(Action::Next);
    play.flip(&[(0, HEADS), (1, HEADS), (2, HEADS), (3, HEADS)]);
    // Two rounds, of two parts.
    suspend(&mut play, 1, 2).unwrap();
    let out =
        json!({ "part": 0, "suspended": 3, "in_play": false, "lives": 3, "points": 10, "winnings": 0, "called": 1 });
    assert_eq!((play.own(1), play.told_alone(1).unwrap()["body"].clone()), (out.clone(), out));
    assert_eq!((play.game.look().playing(), play.dismissed.len()), (3, 0), "they stay connected");
    for (seat, rounds, code) in [
        (1, 1, ErrorCode::WrongPhase),
        (2, 0, ErrorCode::BadArgument),
        (2, 1001, ErrorCode::BadArgument),
        (9, 1, ErrorCode::UnknownSeat),
    ] {
        assert_eq!(suspend(&mut play, seat, rounds).unwrap_err().code, code, "seat {seat} for {rounds}");
    }
    play.host(Action::Next);
    assert_eq!(play.claim(1, HEADS), Verdict::Refused(ErrorCode::NotInPlay));
    play.claim(0, TAILS);
    play.claim(2, TAILS);
    // While a round is open it is the first of them, and an answer that was counted before does not count.
    assert_eq!(play.claim(3, TAILS), accepted(TAILS));
    suspend(&mut play, 3, 1).unwrap();
    play.wait(10_000);
    play.host(Action::Reveal);
    assert_eq!((play.own(1)["suspended"].clone(), play.line(1).lives), (json!(3), 3), "not judged while they are out");
    // Seat 3 is back, and counts as silent: a suspension is never an advantage.
    assert_eq!((play.own(3).get("suspended"), play.line(3).out), (None, Some(RoundId(2))));
    assert_eq!(suspend(&mut play, 3, 1).unwrap_err().code, ErrorCode::NotInPlay, "out by the rules");
    play.host(Action::Next);
    play.host(Action::Next);
    play.flip(&[(0, HEADS), (2, HEADS)]);
    assert_eq!((play.own(1)["in_play"].clone(), play.line(1).lives), (json!(true), 1), "back, silent in two rounds");
    assert_eq!(play.told_alone(1).unwrap()["body"]["in_play"], json!(true));
    // A void gives back what the last round cost.
    play.host(void("A mistake."));
    assert_eq!(play.line(1).lives, 2);
    play.host(Action::Next);
    assert_eq!(play.claim(1, HEADS), accepted(HEADS));
}

#[test]
fn a_suspension_ends_by_restore_and_becomes_a_removal_by_remove() {
    let mut play = Play::new(&["coins 3"], 3);
    play.host(Action::Next);
    let suspend = json!({ "suspend": { "seat": 1, "rounds": 1000 } });
    play.play(suspend.clone()).unwrap();
    play.host(Action::Restore { seat: Seat(1) });
    assert_eq!(play.line(1).out, None, "no round was settled meanwhile");
    play.play(suspend.clone()).unwrap();
    play.flip(&[(0, HEADS)]);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    assert_eq!(play.play(suspend).unwrap_err().code, ErrorCode::NotInPlay);
    assert_eq!(play.line(1).out, None);
    play.host(Action::Restore { seat: Seat(1) });
    assert_eq!(play.line(1).out, Some(RoundId(1)), "silent since the suspension began");
    assert_eq!(play.refusal(Action::Restore { seat: Seat(1) }).0, ErrorCode::WrongPhase);
    // The end of the show ends it, too: they have their place on the podium, by what they did.
    play.play(json!({ "suspend": { "seat": 0, "rounds": 5 } })).unwrap();
    play.flip(&[]);
    let podium = play.end();
    assert_eq!(play.line(0).out, Some(RoundId(2)));
    assert_eq!(podium.places.len(), 3);
}

#[test]
fn a_restored_player_keeps_of_missed_rounds_what_all_keep_of_them() {
    let mut show = setup(&["coins 1", "coins 1"]);
    show["parts"][1]["keep"] = json!({ "points": false, "lives": false, "out": false });
    let mut play = Play::of(show, 2);
    play.host(Action::Next);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.flip(&[(0, HEADS)]);
    play.host(Action::Next);
    play.host(Action::Restore { seat: Seat(1) });
    assert_eq!(play.line(1).out, None, "all who were out play again in the second part");
    play.flip(&[(0, TAILS)]);
    assert_eq!(play.line(1).out, Some(RoundId(2)));
}

#[test]
fn new_players_come_until_the_end_and_guests_seats_are_given_again_until_the_first_part() {
    let mut play = Play::new(&["coins 1"], 20);
    assert_eq!(play.join(20), Err(ErrorCode::ShowFull));
    assert!(play.game.gives_seats());
    play.host(Action::Remove { seat: Seat(4), ban: false });
    assert_eq!((&play.game as &dyn Game).vacant_seat(), Some(Seat(4)));
    play.host(Action::Next);
    assert!(!play.game.gives_seats(), "a part may count on its players");
    play.host(Action::SetSeats { seats: 21 });
    assert_eq!(play.join(20), Ok(Entry::New));
    play.host(Action::LockLobby { on: true });
    assert_eq!(play.join(21), Err(ErrorCode::LobbyLocked));
    play.host(Action::Next);
    assert_eq!(play.join(20), Ok(Entry::Back(Seat(20))));
    play.host(void("Enough."));
    play.end();
    assert_eq!(play.join(22), Ok(Entry::Watch));
}

#[test]
fn the_host_corrects_points_gives_lives_and_skips_what_is_left_of_a_part() {
    let mut play = Play::new(&["coins 5", "coins 1"], 2);
    let refused = |play: &mut Play, body| {
        let refusal = play.play(body).unwrap_err();
        (refusal.code, refusal.detail)
    };
    assert_eq!(refused(&mut play, json!({ "skip": true })).0, ErrorCode::WrongPhase);
    play.host(Action::Next);
    play.flip(&[(0, HEADS), (1, HEADS)]);
    play.play(json!({ "points": { "seat": 1, "by": -25 } })).unwrap();
    assert_eq!(play.points(), [10, -15]);
    assert_eq!(play.told_alone(1).unwrap()["body"]["points"], json!(-15));
    for (body, says) in [
        (json!({ "points": { "seat": 1, "by": 1_000_000_001 } }), "`points.by`"),
        (json!({ "points": { "seat": 1, "by": 1, "why": "" } }), "`points.why` is not known"),
        (json!({ "points": { "seat": 1, "by": 1 }, "skip": true }), "one action at a time"),
        (json!({ "skip": false }), "it is true, or left out"),
    ] {
        let (code, detail) = refused(&mut play, body);
        assert!(code == ErrorCode::BadArgument && detail.contains(says), "{code:?} {detail}");
    }
    assert_eq!(refused(&mut play, json!({ "points": { "seat": 9, "by": 1 } })).0, ErrorCode::UnknownSeat);
    // What only the part knows.
    assert_eq!(refused(&mut play, json!({ "dance": true })).1, "Coins can `sing`.");
    play.play(json!({ "sing": true })).unwrap();
    assert_eq!(play.event(), json!({ "event": "song", "part": 0 }));
    play.host(Action::GiveLives { seat: None, lives: 2 });
    assert_eq!(play.told_alone(0).unwrap()["body"], json!({ "lives": 2 }));
    assert_eq!(play.refusal(Action::GiveLives { seat: None, lives: 0 }).0, ErrorCode::BadArgument);
    play.play(json!({ "skip": true })).unwrap();
    assert_eq!(play.event(), json!({ "event": "coins_over", "part": 0 }));
    assert_eq!(play.overview()["finished"], json!(true));
    assert_eq!(refused(&mut play, json!({ "skip": true })).0, ErrorCode::WrongPhase, "it is finished");
    assert_eq!(refused(&mut play, json!({ "sing": true })).0, ErrorCode::WrongPhase);
    assert_eq!(play.refusal(void("Too late.")).1, "The last round's part is over: its results stand.");
    play.host(Action::Next);
    assert_eq!(play.event()["part"], json!(1));
}

#[test]
fn an_action_in_the_wrong_phase_is_refused_with_what_to_do() {
    let mut play = Play::new(&["coins 1", "Tea!"], 2);
    assert_eq!(play.refusal(Action::Close).1, "No round has begun yet; this can be done while a round is open.");
    assert_eq!(play.refusal(Action::Reveal).0, ErrorCode::WrongPhase);
    assert_eq!(play.refusal(void("No round.")).0, ErrorCode::WrongPhase);
    assert_eq!(play.refusal(Action::OpenLobby).0, ErrorCode::WrongPhase);
    assert_eq!(play.refusal(Action::Resume).0, ErrorCode::WrongPhase);
    play.host(Action::Next);
    play.host(Action::Next);
    let (code, detail) = play.refusal(Action::End { pay: true });
    assert_eq!(code, ErrorCode::WrongPhase);
    assert!(detail.starts_with("A round is open: close it, or void it; "), "{detail}");
    assert_eq!(play.refusal(Action::Next).0, ErrorCode::WrongPhase);
    // What a part refuses leaves no trace, although it had told an event by then.
    let events = play.told.len();
    assert_eq!(play.refusal(void("No.")).0, ErrorCode::BadArgument);
    assert_eq!((play.told.len(), play.game.phase()), (events, Phase::Question));
    assert_eq!(play.claim(0, HEADS), accepted(HEADS));
    play.wait(10_000);
    play.host(Action::Reveal);
    assert_eq!(
        play.refusal(Action::End { pay: false }).1,
        "Prizes were won, and what was won is won: end the show with `pay`."
    );
    play.host(Action::Next);
    assert_eq!(play.refusal(void("Too late.")).0, ErrorCode::WrongPhase, "the part of the round is over");
    assert!(play.play(json!({ "anything": 1 })).unwrap_err().detail.contains("A break has no actions"));
    play.end();
    for action in [Action::Next, Action::OpenLobby, Action::End { pay: true }, Action::Pause, void("Over.")] {
        assert_eq!(play.refusal(action).0, ErrorCode::ShowEnded);
    }
    // Tokens are still refused if they were stolen.
    play.host(Action::ReissueToken { seat: Seat(0) });
}

#[test]
fn a_command_that_is_sent_again_is_done_once() {
    let mut play = Play::new(&["coins 3"], 2);
    let id = klaxon_protocol::ids::CommandId::parse("again").unwrap();
    let next = Command::Host { id: id.clone(), action: Action::Next };
    play.apply(&next).unwrap();
    let hash = play.game.state_hash();
    play.apply(&next).unwrap();
    assert_eq!(play.game.state_hash(), hash);
    assert_eq!(play.game.was_done(&id, &Action::Next), Ok(true));
    assert_eq!(play.game.was_done(&id, &Action::Close).unwrap_err().code, ErrorCode::IdTaken);
}

#[test]
fn who_comes_in_sees_where_the_show_is_and_nothing_that_is_not_revealed() {
    let mut play = Play::new(&["coins 1", "Tea!"], 2);
    assert_eq!(
        play.overview(),
        json!({
            "parts": ["break", "break"], "part": null, "finished": false, "in_play": 2, "pot": POT, "currency": "EUR",
            "round": null, "now": null, "podium": null, "commitments": [null, null],
        })
    );
    play.host(Action::Next);
    play.host(Action::Next);
    play.claim(0, HEADS);
    let overview = play.overview();
    let (opens, closes) = (play.now.0, play.now.0 + 10_000);
    assert_eq!(overview["round"], json!({ "round": 1, "opens_at": opens, "closes_at": closes }));
    assert_eq!(overview["now"], json!({ "flips": 1 }));
    assert_eq!(play.own(0)["called"], json!(1));
    assert_eq!(play.game.figures(play.now).answers, [0, 1], "for the host only");
    let ToPlayer::GameOwn(spectator) = play.game.own(None) else { panic!("it is `game_own`") };
    assert_eq!(json!(spectator.body), json!({ "part": 0 }));
    assert_eq!(play.game.find("p1", 5).len(), 1);
}
