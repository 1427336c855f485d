//! A question's time: the lead, the clock, pauses, crashes, the close.

use super::*;

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
fn nothing_is_done_before_it_is_due_and_what_is_overdue_is_done() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 1, 1);
    play.ask();
    play.apply(&Command::Tick).unwrap();
    assert_eq!(play.game.phase(), Phase::Question, "its time is not up");
    play.now = play.now + Span(60_000);
    play.apply(&Command::Tick).unwrap();
    assert_eq!(play.game.phase(), Phase::Closing, "it was up long ago");
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
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.wait(5_999);
    assert_eq!(play.answer(1, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
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
fn a_question_that_ran_while_the_engine_was_away_opens_again_for_the_time_that_was_left() {
    let mut play = Play::new(settings(), 1, 2);
    play.ask();
    play.wait(4_000);
    play.answer(0, RIGHT);
    play.now = play.now + Span(30_000);
    play.apply(&Command::Recovered { away: Span(30_000) }).unwrap();
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()), "what was acknowledged still counts");
    assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::Paused));
    play.wait(3_000);
    assert_eq!(play.answer(1, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
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
    play.apply(&Command::Tally { round: question, silent: silent.clone() }).unwrap();
    assert_eq!(play.alerts, [AlertKind::SilentGateways { question, gateways: silent }]);
    assert!(play.apply(&Command::Tally { round: question, silent: vec![] }).is_err(), "it is tallied once");
}

#[test]
fn a_question_whose_answers_may_be_stuck_is_void_and_nobody_is_out_for_it() {
    let mut play = Play::new(settings(), 2, 2);
    play.ask();
    play.answer(0, RIGHT);
    play.host(Action::Close);
    let (question, late) = (QuestionId(1), Span(5_000));
    let wrong = Command::Outage { round: QuestionId(2), late };
    assert!(play.apply(&wrong).is_err(), "another question");
    play.apply(&Command::Outage { round: question, late }).unwrap();
    assert_eq!(play.alerts, [AlertKind::Outage { question, late }]);
    assert!(matches!(play.told.last(), Some(ToPlayer::Void(void)) if void.question == question && void.alive == 2));
    assert_eq!(play.game.phase(), Phase::Revealed, "the show goes on");
    assert!(play.apply(&Command::Outage { round: question, late }).is_err(), "it is void once");
}

#[test]
fn a_question_carries_when_it_opens_and_when_it_closes() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 1, 1);
    play.ask();
    let Some(ToPlayer::Question(question)) = play.told.last() else { panic!("{:?}", play.told) };
    assert_eq!((question.opens_at, question.closes_at), (play.now + Span(500), play.now + Span(10_500)));
}

#[test]
fn the_clock_stays_between_half_a_second_and_ten_minutes() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 1, 1);
    play.ask();
    for (by, fine) in [(-9_501, false), (-9_500, true), (599_501, false), (599_500, true), (i32::MAX, false)] {
        let done = play.try_host(Action::AdjustTime { by });
        assert_eq!(done, if fine { Ok(()) } else { Err(ErrorCode::BadArgument) }, "{by}");
    }
    play.wait(499);
    play.host(Action::AdjustTime { by: -1 });
    play.now = play.now + Span(1);
    assert_eq!(play.try_host(Action::AdjustTime { by: -1 }), Err(ErrorCode::WrongPhase), "it is open");
}

#[test]
fn what_was_read_before_a_pause_counts() {
    let mut play = Play::new(settings(), 1, 2);
    play.ask();
    play.wait(4_000);
    play.host(Action::Pause);
    let (paused, question) = (play.now, play.question());
    play.wait(1_000);
    assert_eq!(play.answer_read(paused, question, 0, RIGHT), Verdict::Refused(ErrorCode::Paused));
    assert_eq!(play.answer_read(paused - Span(1), question, 0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.host(Action::Resume);
    assert_eq!(play.answer_read(paused - Span(1), question, 1, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
}

#[test]
fn a_pause_at_the_very_close_comes_too_late() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.now = play.now + Span(10_000);
    assert_eq!(play.try_host(Action::Pause), Err(ErrorCode::WrongPhase));
    play.wait(0);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn a_pause_while_gateways_hand_in_holds_up_no_answer() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.wait(1_000);
    let (read, question) = (play.now - Span(1), play.question());
    play.host(Action::Close);
    play.host(Action::Pause);
    assert_eq!(play.answer_read(read, question, 0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.tally();
    play.host(Action::Reveal);
    assert_eq!(play.try_host(Action::Next), Err(ErrorCode::Paused));
    assert_eq!(play.alive(), [0]);
}

#[test]
fn an_early_close_ends_the_time_at_once() {
    let mut play = Play::new(settings(), 1, 2);
    play.ask();
    play.wait(1_000);
    play.host(Action::Close);
    let question = play.question();
    assert_eq!(play.answer_read(play.now - Span(1), question, 0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    assert_eq!(play.answer_read(play.now, question, 1, RIGHT), Verdict::Refused(ErrorCode::TooLate));
}

#[test]
fn a_question_whose_time_ran_out_while_the_engine_was_away_opens_for_three_seconds() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.now = play.now + Span(10_000);
    play.crash(60_000);
    play.wait(3_000);
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.wait(2_999);
    assert_eq!(play.game.phase(), Phase::Question);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn a_crash_opens_no_question_earlier() {
    let mut play = Play::new(Settings { lead: Span(60_000), ..settings() }, 1, 1);
    play.ask();
    let opens = play.now + Span(60_000);
    play.wait(1_000);
    play.crash(1_000);
    let question = play.game.snapshot(play.now).question.unwrap();
    assert_eq!((question.opens_at, question.closes_at), (opens, opens + Span(10_000)));
}

#[test]
fn a_second_crash_takes_nothing_more() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.wait(4_000);
    play.crash(10_000);
    play.wait(1_000);
    play.crash(10_000);
    play.wait(3_000);
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.wait(5_998);
    assert_eq!(play.game.phase(), Phase::Question, "6 s were left, less the moment of the crash");
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn a_crash_in_a_pause_leaves_the_pause() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.wait(4_000);
    play.host(Action::Pause);
    play.crash(60_000);
    assert!(matches!(play.alerts[..], [AlertKind::Recovered { closes_at: None, .. }]));
    play.wait(60_000);
    play.host(Action::Resume);
    play.wait(5_999);
    assert_eq!(play.game.phase(), Phase::Question);
    play.wait(1);
    assert_eq!(play.game.phase(), Phase::Closed);
}

#[test]
fn a_crash_puts_the_scripts_next_step_off() {
    let autopilot = Autopilot { on: true, ..Autopilot::default() };
    let mut play = Play::new(Settings { autopilot, ..settings() }, 2, 1);
    for (wait, phase) in [(30_000, Phase::Question), (2_000, Phase::Revealed), (8_000, Phase::Question)] {
        play.wait(wait - 1_000);
        play.crash(60_000);
        play.wait(999);
        assert_ne!(play.game.phase(), phase);
        play.wait(1);
        assert_eq!(play.game.phase(), phase);
        if phase == Phase::Question {
            play.answer(0, RIGHT);
            play.wait(10_000);
        }
    }
}

#[test]
fn a_crash_while_gateways_hand_in_does_not_end_the_wait() {
    let mut play = Play::new(settings(), 1, 1);
    play.ask();
    play.wait(1_000);
    let (read, question) = (play.now - Span(1), play.question());
    play.host(Action::Close);
    play.crash(5_000);
    assert_eq!(play.game.closing(), Some(question));
    assert_eq!(play.answer_read(read, question, 0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
}

#[test]
fn a_question_that_has_not_opened_cannot_be_closed_and_puts_nobody_out() {
    let mut play = Play::new(Settings { lead: Span(500), lives: 0, ..settings() }, 2, 2);
    play.host(Action::Next);
    for waited in [0, 1, 498] {
        play.wait(waited);
        assert_eq!(play.try_host(Action::Close), Err(ErrorCode::WrongPhase));
    }
    play.wait(1);
    play.answer(0, RIGHT);
    play.wait(1_000);
    play.answer(1, RIGHT);
    play.host(Action::Pause);
    play.host(Action::Resume);
    // It was open: the host may close it before it opens again.
    play.host(Action::Close);
    play.tally();
    play.host(Action::Reveal);
    assert!(play.game.you(Some(Seat(0))).alive && play.game.you(Some(Seat(1))).alive);
}

#[test]
fn by_the_first_edition_of_the_rules_it_could() {
    let mut play = Play::by(RulesVersion::FIRST, Settings { lead: Span(500), ..settings() }, 2, 2);
    play.host(Action::Next);
    play.host(Action::Close);
    assert_eq!(play.game.phase(), Phase::Closing);
}

#[test]
fn who_comes_in_during_a_pause_is_told_what_is_left_and_not_when_it_began() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 2, 2);
    assert_eq!(play.game.snapshot(play.now).pause(), None);
    play.host(Action::Pause);
    assert_eq!(play.game.snapshot(play.now).pause().unwrap().left, None, "no question runs in the lobby");
    play.host(Action::Resume);
    // Stopped before it opens, in the middle, a second time, and in the last moment.
    let mut left = 10_000;
    play.ask();
    for ran in [0, 4_000, 1_000, 4_999] {
        play.wait(if ran == 0 { 100 } else { 500 + ran });
        left -= ran;
        play.host(Action::Pause);
        for later in [0, 1, 90_000] {
            play.wait(later);
            let snapshot = play.game.snapshot(play.now);
            assert_eq!(snapshot.pause().unwrap().left, Some(Span(left)));
            assert_eq!(snapshot.question.unwrap().closes_at, play.now + Span(left));
        }
        play.host(Action::Resume);
        let snapshot = play.game.snapshot(play.now);
        assert_eq!((snapshot.pause(), snapshot.question.unwrap().closes_at), (None, play.now + Span(500 + left)));
    }
    play.wait(501);
    assert_eq!(play.game.phase(), Phase::Closed);
    play.host(Action::Pause);
    assert_eq!(play.game.snapshot(play.now).pause().unwrap().left, None, "its time is over");
}
