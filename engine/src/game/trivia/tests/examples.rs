use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{Choice, CommandId, GatewayId, QuestionId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{Outcome, Phase, ToPlayer, Verdict};
use klaxon_protocol::settings::{Autopilot, Mode, NobodyLeft, PrizeRule, Settings};
use klaxon_protocol::time::Span;

use super::play::{Play, RIGHT, WRONG, settings};
use crate::game::{Entry, Game};

fn points() -> Settings {
    Settings { mode: Mode::Points, prize: PrizeRule::Podium { weights: vec![50, 30, 20] }, ..settings() }
}

fn void(play: &mut Play) {
    play.host(Action::Void { reason: "A typo.".into() });
}

#[test]
fn the_wrong_and_the_silent_are_out() {
    let mut play = Play::new(settings(), 3, 3);
    play.round(&[(0, RIGHT), (1, WRONG)]);
    assert_eq!(play.alive(), [0]);
    assert_eq!(
        [0, 1, 2].map(|seat| (play.result(seat).outcome, play.result(seat).alive)),
        [(Outcome::Right, true), (Outcome::Wrong, false), (Outcome::Silent, false)]
    );
}

#[test]
fn an_extra_life_is_lost_before_the_seat() {
    let mut play = Play::new(Settings { lives: 1, ..settings() }, 3, 2);
    play.round(&[(0, RIGHT), (1, WRONG)]);
    assert_eq!((play.result(1).alive, play.result(1).lives), (true, 0));
    play.round(&[(0, RIGHT)]);
    assert_eq!(play.alive(), [0]);
}

#[test]
fn the_first_answer_counts_and_a_retry_gets_the_same_reply() {
    let mut play = Play::new(settings(), 2, 1);
    play.ask();
    assert_eq!(play.answer(0, WRONG), Verdict::Accepted(Choice(WRONG)));
    assert_eq!(play.answer(0, WRONG), Verdict::Accepted(Choice(WRONG)));
    assert_eq!(play.answer(0, RIGHT), Verdict::AlreadyAnswered(Choice(WRONG)));
    assert_eq!(play.game.tallies(play.now).answers, [1, 0, 0]);
    play.close_and_reveal();
    assert_eq!(play.answer(0, WRONG), Verdict::Accepted(Choice(WRONG)), "after the close too");
}

#[test]
fn an_answer_counts_only_while_its_question_is_open() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 2, 3);
    assert_eq!(play.answer_to(QuestionId(1), 0, RIGHT), Verdict::Refused(ErrorCode::UnknownQuestion));
    play.ask();
    assert_eq!(play.answer(0, RIGHT), Verdict::Refused(ErrorCode::TooEarly));
    play.wait(500);
    assert_eq!(play.answer(0, 3), Verdict::Refused(ErrorCode::BadChoice));
    assert_eq!(play.answer(9, RIGHT), Verdict::Refused(ErrorCode::NotInPlay));
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT)));
    play.wait(10_000);
    assert_eq!(play.game.phase(), Phase::Closed);
    assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::TooLate));
    play.host(Action::Reveal);
    play.ask();
    assert_eq!(play.answer_to(QuestionId(1), 0, RIGHT), Verdict::Refused(ErrorCode::TooLate));
}

#[test]
fn who_is_out_can_not_answer() {
    let mut play = Play::new(settings(), 2, 2);
    play.round(&[(0, RIGHT)]);
    play.ask();
    assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::NotInPlay));
}

#[test]
fn in_elimination_one_can_come_in_until_the_first_question_closes() {
    let mut play = Play::new(settings(), 2, 1);
    play.ask();
    assert_eq!(play.join(7), Ok(Entry::New));
    play.close_and_reveal();
    assert_eq!(play.join(8), Ok(Entry::Watch));
    assert_eq!(play.join(7), Ok(Entry::Back(Seat(1))), "but everybody can come back");
}

#[test]
fn with_points_one_can_come_in_until_the_end() {
    let mut play = Play::new(points(), 2, 1);
    play.round(&[(0, RIGHT)]);
    assert_eq!(play.join(8), Ok(Entry::New));
    play.round(&[(1, RIGHT)]);
    assert!(play.score(1) >= 500);
    play.end();
    assert_eq!(play.join(9), Ok(Entry::Watch));
}

#[test]
fn the_faster_and_the_longer_in_a_row_the_more_points() {
    let mut play = Play::new(points(), 3, 2);
    play.ask();
    play.answer(0, RIGHT);
    play.wait(5_000);
    play.answer(1, RIGHT);
    play.close_and_reveal();
    assert_eq!((play.result(0).gained, play.result(1).gained), (1000, 750));
    assert_eq!((play.result(0).rank, play.result(1).rank), (1, 2));
    play.round(&[(0, RIGHT), (1, WRONG)]);
    assert_eq!((play.result(0).gained, play.result(1).gained), (1100, 0), "a hundred for the streak");
    assert!(play.alive().contains(&1), "nobody leaves");
    let leads = play.told.iter().rev().find_map(|event| match event {
        ToPlayer::Standings(standings) => Some(standings.leaders.iter().map(|leader| leader.score).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(leads, Some(vec![2100, 750]));
}

#[test]
fn nobody_hears_more_before_the_reveal_than_they_sent() {
    let mut play = Play::new(Settings { mode: Mode::Both, ..settings() }, 2, 2);
    play.ask();
    let before = [0, 1].map(|seat| play.game.you(Some(Seat(seat))));
    play.answer(0, RIGHT);
    play.answer(1, WRONG);
    play.wait(10_000);
    assert_eq!(play.game.phase(), Phase::Closed);
    for (seat, before) in (0..).zip(before) {
        let you = play.game.you(Some(Seat(seat)));
        assert_eq!(
            (you.alive, you.lives, you.score, you.rank),
            (before.alive, before.lives, before.score, before.rank)
        );
    }
    assert_eq!(play.game.snapshot(play.now).reveal, None);
}

#[test]
fn a_voided_question_takes_nothing_from_anybody() {
    for mode in [Mode::Elimination, Mode::Both] {
        let mut play = Play::new(Settings { mode, lives: 1, ..settings() }, 3, 4);
        play.round(&[(0, RIGHT), (1, RIGHT), (2, WRONG), (3, RIGHT)]);
        let before = [0, 1, 2, 3].map(|seat| play.game.you(Some(Seat(seat))));
        play.round(&[(0, RIGHT), (1, WRONG), (2, WRONG)]);
        void(&mut play);
        let after = [0, 1, 2, 3].map(|seat| play.game.you(Some(Seat(seat))));
        let kept = |you: klaxon_protocol::player::You| (you.alive, you.lives, you.score, you.rank);
        assert_eq!(before.map(kept), after.map(kept));
        for seat in 0..4 {
            assert_eq!(play.told_you(seat), after[seat as usize], "the void tells everybody where they stand");
        }
        assert_eq!(play.try_host(Action::Void { reason: "Again.".into() }), Err(ErrorCode::WrongPhase));
        play.ask();
    }
}

#[test]
fn a_question_can_be_voided_while_it_runs() {
    let mut play = Play::new(settings(), 2, 2);
    play.ask();
    play.answer(0, WRONG);
    void(&mut play);
    assert_eq!(play.alive(), [0, 1]);
    assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::Voided));
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    assert_eq!(play.try_host(Action::Next), Err(ErrorCode::NoMoreQuestions));
}

#[test]
fn a_void_does_not_bring_back_whom_the_host_removed() {
    let mut play = Play::new(settings(), 2, 3);
    play.round(&[(0, RIGHT)]);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    void(&mut play);
    assert_eq!(play.alive(), [0, 2]);
}

#[test]
fn survivors_split_the_pot() {
    let mut play = Play::new(Settings { pot: 100, ..settings() }, 1, 4);
    play.round(&[(0, RIGHT), (1, RIGHT), (2, RIGHT)]);
    let podium = play.end();
    assert_eq!((podium.winners, podium.paid, podium.rolled_over), (3, 100, 0));
    assert_eq!(play.prizes(), [34, 33, 33, 0]);
}

#[test]
fn nobody_left_rolls_over_or_pays_the_last_as_the_host_set() {
    for (nobody_left, prizes) in [(NobodyLeft::Rollover, [0, 0, 0]), (NobodyLeft::LastStanding, [50, 50, 0])] {
        let mut play = Play::new(Settings { pot: 100, nobody_left, ..settings() }, 3, 3);
        play.round(&[(0, RIGHT), (1, RIGHT)]);
        play.round(&[]);
        assert_eq!(play.try_host(Action::Next), Err(ErrorCode::WrongPhase), "nobody could answer it");
        let podium = play.end();
        assert_eq!(play.prizes(), prizes);
        assert_eq!(podium.paid + podium.rolled_over, 100);
    }
}

#[test]
fn the_podium_goes_by_points_then_by_speed_and_equals_share() {
    let mut play = Play::new(Settings { pot: 1000, ..points() }, 2, 4);
    play.ask();
    play.answer(0, RIGHT);
    play.wait(10);
    play.answer(1, RIGHT);
    play.answer(2, RIGHT);
    play.close_and_reveal();
    assert_eq!((play.score(1), play.score(2)), (990, 990));
    let podium = play.end();
    assert_eq!(podium.places.iter().map(|place| place.place).collect::<Vec<_>>(), [1, 2, 2, 4]);
    assert_eq!(play.prizes(), [500, 250, 250, 0], "without a point there is no prize");
}

#[test]
fn an_unrevealed_question_does_not_count_at_the_end() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 2, 2);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    play.ask();
    play.answer(0, WRONG);
    play.end();
    assert_eq!(play.prizes(), [5, 5]);
}

#[test]
fn an_end_without_pay_keeps_the_pot() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 1, 1);
    play.host(Action::End { pay: false });
    assert_eq!((play.podium().paid, play.podium().rolled_over), (0, 10));
}

#[test]
fn the_removed_win_nothing_and_the_banned_stay_out() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 1, 3);
    play.host(Action::Remove { seat: Seat(0), ban: false });
    play.host(Action::Remove { seat: Seat(1), ban: true });
    assert_eq!(play.dismissed, [(Seat(0), ErrorCode::Removed), (Seat(1), ErrorCode::Banned)]);
    assert_eq!(play.join(0), Ok(Entry::Back(Seat(0))));
    assert_eq!(play.join(1), Err(ErrorCode::Banned));
    play.ask();
    assert_eq!(play.answer(0, RIGHT), Verdict::Refused(ErrorCode::NotInPlay));
    play.answer(2, RIGHT);
    play.close_and_reveal();
    play.end();
    assert_eq!(play.prizes(), [0, 0, 10]);
}

#[test]
fn a_pause_stops_the_question_and_gives_its_time_back() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 1, 2);
    play.ask();
    play.wait(4_500);
    play.host(Action::Pause);
    assert_eq!(play.answer(0, RIGHT), Verdict::Refused(ErrorCode::Paused));
    play.wait(60_000);
    assert_eq!(play.game.phase(), Phase::Question);
    play.host(Action::Resume);
    assert_eq!(play.answer(0, RIGHT), Verdict::Refused(ErrorCode::Paused), "it opens again after the lead");
    play.wait(500);
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT)));
    play.wait(5_999);
    assert_eq!(play.answer(1, RIGHT), Verdict::Accepted(Choice(RIGHT)));
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn the_clock_can_be_changed_only_before_it_opens() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 1, 1);
    play.ask();
    assert_eq!(play.try_host(Action::AdjustTime { by: -9_900 }), Err(ErrorCode::BadArgument));
    play.host(Action::AdjustTime { by: 5_000 });
    play.wait(15_499);
    assert_eq!(play.game.phase(), Phase::Question);
    assert_eq!(play.try_host(Action::AdjustTime { by: 5_000 }), Err(ErrorCode::WrongPhase));
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn the_autopilot_plays_the_whole_show() {
    let autopilot = Autopilot { on: true, lobby: Span(3_000), suspense: Span(1_000), pause: Span(2_000) };
    let mut play = Play::new(Settings { pot: 7, autopilot, ..settings() }, 2, 1);
    play.wait(3_000);
    assert_eq!((play.game.phase(), play.question()), (Phase::Question, QuestionId(1)));
    play.answer(0, RIGHT);
    play.wait(10_000);
    assert_eq!(play.game.phase(), Phase::Closed);
    play.wait(1_000);
    assert_eq!(play.game.phase(), Phase::Revealed);
    play.wait(2_000);
    assert_eq!(play.question(), QuestionId(2));
    play.answer(0, RIGHT);
    play.wait(13_000);
    assert_eq!(play.game.phase(), Phase::Ended);
    assert_eq!(play.prizes(), [7]);
}

#[test]
fn a_pause_stops_the_autopilot_too() {
    let autopilot = Autopilot { on: true, lobby: Span(3_000), ..Autopilot::default() };
    let mut play = Play::new(Settings { autopilot, ..settings() }, 2, 1);
    play.wait(2_000);
    play.host(Action::Pause);
    play.wait(60_000);
    play.host(Action::Resume);
    play.wait(999);
    assert_eq!(play.game.phase(), Phase::Lobby);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Question);
}

#[test]
fn a_host_can_take_over_from_the_autopilot_and_give_it_back() {
    let autopilot = Autopilot { on: true, ..Autopilot::default() };
    let mut play = Play::new(Settings { autopilot, ..settings() }, 2, 1);
    play.host(Action::Autopilot { on: false });
    play.wait(600_000);
    assert_eq!(play.game.phase(), Phase::Lobby);
    play.host(Action::Autopilot { on: true });
    play.wait(30_000);
    assert_eq!(play.game.phase(), Phase::Question);
}

#[test]
fn a_question_that_ran_while_the_engine_was_away_opens_again_for_the_time_that_was_left() {
    let mut play = Play::new(settings(), 1, 2);
    play.ask();
    play.wait(4_000);
    play.answer(0, RIGHT);
    play.now = play.now + Span(30_000);
    play.apply(&Command::Recovered { away: Span(30_000) }).unwrap();
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT)), "what was acknowledged still counts");
    assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::Paused));
    play.wait(3_000);
    assert_eq!(play.answer(1, RIGHT), Verdict::Accepted(Choice(RIGHT)));
    assert!(matches!(play.alerts[..], [AlertKind::Recovered { away: Span(30_000), closes_at: Some(_) }]));
    play.wait(5_998);
    assert_eq!(play.game.phase(), Phase::Question);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn the_host_hears_of_gateways_that_did_not_hand_in() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.host(Action::Close);
    let (question, silent) = (QuestionId(1), vec![GatewayId(3)]);
    play.apply(&Command::Tally { question, silent: silent.clone() }).unwrap();
    assert_eq!(play.alerts, [AlertKind::SilentGateways { question, gateways: silent }]);
    assert!(play.apply(&Command::Tally { question, silent: vec![] }).is_err(), "it is tallied once");
}

#[test]
fn a_command_sent_twice_is_done_once() {
    let mut play = Play::new(settings(), 3, 1);
    let next = Command::Host { id: CommandId::parse("n").unwrap(), action: Action::Next };
    play.apply(&next).unwrap();
    play.apply(&next).unwrap();
    assert_eq!(play.question(), QuestionId(1));
}

#[test]
fn steps_out_of_order_are_refused_and_change_nothing() {
    let mut play = Play::new(settings(), 2, 1);
    let hash = play.game.state_hash();
    for action in [
        Action::OpenLobby,
        Action::Close,
        Action::Reveal,
        Action::Resume,
        Action::Void { reason: "x".into() },
        Action::AdjustTime { by: 1 },
    ] {
        assert_eq!(play.try_host(action), Err(ErrorCode::WrongPhase));
    }
    for action in [Action::Message { text: String::new() }, Action::GiveLives { seat: None, lives: 0 }] {
        assert_eq!(play.try_host(action), Err(ErrorCode::BadArgument));
    }
    assert_eq!(play.try_host(Action::Remove { seat: Seat(9), ban: true }), Err(ErrorCode::UnknownSeat));
    assert_eq!(play.game.state_hash(), hash);
}

#[test]
fn lives_are_given_to_one_or_to_all_in_play() {
    let mut play = Play::new(settings(), 2, 3);
    play.host(Action::GiveLives { seat: Some(Seat(0)), lives: 2 });
    play.host(Action::GiveLives { seat: None, lives: 1 });
    assert_eq!([0, 1, 2].map(|seat| play.game.you(Some(Seat(seat))).lives), [3, 1, 1]);
    play.round(&[]);
    assert_eq!(play.alive(), [0, 1, 2]);
}
