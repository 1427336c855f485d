//! The course of a show, led by a host or by the script.

use super::*;

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
fn a_command_sent_twice_is_done_once() {
    let mut play = Play::new(settings(), 3, 1);
    let next = Command::Host { id: CommandId::parse("n").unwrap(), action: Action::Next };
    play.apply(&next).unwrap();
    play.apply(&next).unwrap();
    assert_eq!(play.question(), QuestionId(1));
}

#[test]
fn a_command_under_another_ones_id_is_refused_and_not_taken_for_a_repetition() {
    let id = |text| CommandId::parse(text).unwrap();
    let mut play = Play::new(settings(), 3, 1);
    play.apply(&Command::Host { id: id("n"), action: Action::Next }).unwrap();
    let hash = play.game.state_hash();
    for (used, action) in [
        ("n", Action::Close),
        ("n", Action::Message { text: "Next".into() }),
        // The show's create had an id too.
        ("create", Action::Pause),
    ] {
        assert_eq!(play.game.was_done(&id(used), &action).unwrap_err().code, ErrorCode::IdTaken);
        let refusal = play.apply(&Command::Host { id: id(used), action }).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::IdTaken);
        assert_eq!(play.game.state_hash(), hash);
    }
    assert_eq!(play.game.was_done(&id("n"), &Action::Next), Ok(true));
    // What was refused has no id yet.
    let refused = Command::Host { id: id("r"), action: Action::Reveal };
    assert_eq!(play.apply(&refused).unwrap_err().code, ErrorCode::WrongPhase);
    assert_eq!(play.game.was_done(&id("r"), &Action::Pause), Ok(false));

    let mut old = Play::by(RulesVersion::FIRST, settings(), 3, 1);
    old.apply(&Command::Host { id: id("n"), action: Action::Next }).unwrap();
    assert_eq!(old.game.was_done(&id("n"), &Action::Close), Ok(true), "old shows go on as they began");
}

#[test]
fn a_refusal_says_in_plain_words_where_the_show_is_and_when_the_step_can_be_done() {
    let mut play = Play::new(settings(), 1, 1);
    let refusal = |play: &mut Play, action| {
        let id = CommandId::parse("x").unwrap();
        play.apply(&Command::Host { id, action }).unwrap_err().detail
    };
    assert_eq!(
        refusal(&mut play, Action::Reveal),
        "The show is in the lobby; this can be done once a question is closed."
    );
    play.ask();
    assert_eq!(
        refusal(&mut play, Action::Next),
        "A question is out; this can be done in the lobby, or after a reveal or a void."
    );
    play.close_and_reveal();
    play.end();
    for action in [Action::OpenLobby, Action::Next, Action::Close, Action::Reveal, Action::Pause] {
        let told = refusal(&mut play, action);
        assert!(told.starts_with("The show is over; "), "{told}");
        for name in ["Created", "Lobby", "Closing", "Revealed", "Ended", "["] {
            assert!(!told.contains(name), "{told}");
        }
    }
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
fn an_unrevealed_question_does_not_count_at_the_end() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 2, 2);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    play.ask();
    play.answer(0, WRONG);
    play.end();
    assert_eq!(play.prizes(), [5, 5]);
}

#[test]
fn when_nobody_is_in_play_the_script_ends_the_show() {
    let autopilot = Autopilot { on: true, ..Autopilot::default() };
    let mut play = Play::new(Settings { autopilot, ..settings() }, 3, 1);
    play.wait(30_000 + 10_000 + 2_000);
    assert_eq!((play.game.phase(), play.alive()), (Phase::Revealed, vec![]));
    play.wait(8_000);
    assert_eq!(play.game.phase(), Phase::Ended);
}

#[test]
fn a_lobby_that_the_host_emptied_does_not_stop_the_script() {
    let autopilot = Autopilot { on: true, ..Autopilot::default() };
    let mut play = Play::new(Settings { autopilot, ..settings() }, 2, 1);
    play.host(Action::Remove { seat: Seat(0), ban: false });
    play.wait(30_000);
    assert_eq!(play.game.phase(), Phase::Question);
    assert_eq!(play.join(1), Ok(Entry::New), "for others can still come in");
}

#[test]
fn a_show_that_nobody_joined_can_be_played_through() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 2, 0);
    play.round(&[]);
    play.round(&[]);
    let podium = play.end();
    assert_eq!((podium.winners, podium.rolled_over), (0, 10));
}

#[test]
fn after_a_void_the_script_goes_on_and_after_that_of_the_last_question_it_ends() {
    let autopilot = Autopilot { on: true, ..Autopilot::default() };
    let mut play = Play::new(Settings { pot: 7, autopilot, ..settings() }, 2, 1);
    play.wait(30_000);
    void(&mut play);
    play.wait(8_000);
    assert_eq!((play.game.phase(), play.question()), (Phase::Question, QuestionId(2)));
    play.wait(12_000);
    assert_eq!((play.game.phase(), play.alive()), (Phase::Revealed, vec![]));
    void(&mut play);
    play.wait(8_000);
    assert_eq!((play.game.phase(), play.prizes()), (Phase::Ended, vec![7]));
}

#[test]
fn in_a_pause_the_script_can_be_taken_over_and_given_back() {
    let autopilot = Autopilot { on: true, ..Autopilot::default() };
    let mut play = Play::new(Settings { autopilot, ..settings() }, 2, 1);
    play.host(Action::Pause);
    play.host(Action::Autopilot { on: false });
    play.host(Action::Resume);
    play.wait(600_000);
    assert_eq!(play.game.phase(), Phase::Lobby);
    play.host(Action::Pause);
    play.host(Action::Autopilot { on: true });
    play.wait(600_000);
    assert_eq!(play.game.phase(), Phase::Lobby);
    play.host(Action::Resume);
    play.wait(30_000);
    assert_eq!(play.game.phase(), Phase::Question);
}

#[test]
fn a_show_can_be_ended_at_any_time() {
    let steps: [&[Action]; 6] = [
        &[],
        &[Action::Next],
        &[Action::Next, Action::Pause],
        &[Action::Next, Action::Close],
        &[Action::Next, Action::Close, Action::Pause],
        &[Action::Next, Action::Void { reason: "A typo.".into() }],
    ];
    for steps in steps {
        let mut play = Play::new(Settings { pot: 10, ..settings() }, 2, 1);
        steps.iter().for_each(|step| play.host(step.clone()));
        let podium = play.end();
        assert_eq!((podium.paid, play.prizes()), (10, vec![10]), "{steps:?}");
        assert_eq!((play.game.deadline(), play.game.closing()), (None, None), "{steps:?}");
        assert!(matches!(play.answer_to(QuestionId(1), 0, WRONG), Verdict::Refused(_)), "{steps:?}");
        for action in [Action::End { pay: true }, Action::Resume, Action::Autopilot { on: true }] {
            assert_eq!(play.try_host(action), Err(ErrorCode::ShowEnded), "{steps:?}");
        }
    }
}
