//! Void: a question that takes nothing from anybody.

use super::*;

#[test]
fn a_voided_question_takes_nothing_from_anybody() {
    for mode in [Mode::Elimination, Mode::Both] {
        let mut play = Play::new(Settings { mode, lives: 1, ..settings() }, 3, 4);
        play.round(&[(0, RIGHT), (1, RIGHT), (2, WRONG), (3, RIGHT)]);
        let before = [0, 1, 2, 3].map(|seat| play.game.you(Some(Seat(seat))));
        play.round(&[(0, RIGHT), (1, WRONG), (2, WRONG)]);
        void(&mut play);
        let after = [0, 1, 2, 3].map(|seat| play.game.you(Some(Seat(seat))));
        let kept = |you: klaxon_protocol::games::trivia::You| (you.alive, you.lives, you.score, you.rank);
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
fn a_question_can_be_voided_from_when_it_is_sent_until_the_next_is() {
    let steps: [&[Action]; 6] = [
        &[],
        &[Action::Pause],
        &[Action::Close],
        &[Action::Close, Action::Pause],
        &[Action::Pause, Action::Resume],
        &[Action::Message { text: "Oh.".into() }],
    ];
    for steps in steps {
        let mut play = Play::new(Settings { mode: Mode::Both, ..settings() }, 2, 2);
        play.ask();
        play.answer(0, WRONG);
        steps.iter().for_each(|step| play.host(step.clone()));
        void(&mut play);
        assert_eq!((play.game.phase(), play.game.closing()), (Phase::Revealed, None), "{steps:?}");
        assert_eq!(play.alive(), [0, 1], "{steps:?}");
        assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::Voided), "{steps:?}");
        let question = play.question();
        assert!(play.apply(&Command::Tally { round: question, silent: vec![] }).is_err(), "{steps:?}");
        if play.try_host(Action::Resume).is_ok() {
            assert_eq!(play.game.deadline(), None, "{steps:?}: the void ended the question's time");
        }
        play.round(&[(0, RIGHT), (1, RIGHT)]);
        assert_eq!((play.score(0), play.score(1)), (1000, 1000), "{steps:?}");
    }
}

#[test]
fn a_void_gives_streaks_back() {
    let mut play = Play::new(points(), 3, 2);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    play.round(&[(0, WRONG), (1, RIGHT)]);
    void(&mut play);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    assert_eq!((play.result(0).gained, play.result(1).gained), (1100, 1100));
}

#[test]
fn a_void_after_a_removal_in_the_open_question_brings_nobody_back() {
    for revealed in [false, true] {
        let mut play = Play::new(Settings { mode: Mode::Both, lives: 1, ..settings() }, 2, 3);
        play.ask();
        play.answer(0, RIGHT);
        play.answer(1, WRONG);
        play.host(Action::Remove { seat: Seat(0), ban: false });
        play.host(Action::Remove { seat: Seat(1), ban: true });
        if revealed {
            play.close_and_reveal();
            assert_eq!(play.result(0).outcome, Outcome::Watched);
        }
        void(&mut play);
        assert_eq!(play.alive(), [2]);
        assert_eq!([0, 1, 2].map(|seat| play.game.you(Some(Seat(seat))).lives), [1, 1, 1]);
        assert_eq!([0, 1, 2].map(|seat| play.score(seat)), [0, 0, 0]);
    }
}

#[test]
fn a_void_of_the_question_that_left_nobody_lets_the_show_go_on() {
    let mut play = Play::new(settings(), 2, 2);
    play.round(&[]);
    assert_eq!(play.try_host(Action::Next), Err(ErrorCode::WrongPhase));
    void(&mut play);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    assert_eq!(play.alive(), [0, 1]);
}

#[test]
fn after_a_void_of_the_first_question_who_comes_later_still_watches() {
    let mut play = Play::new(settings(), 2, 1);
    play.ask();
    void(&mut play);
    assert_eq!(play.join(7), Ok(Entry::Watch));
}

#[test]
fn a_reveal_with_nobody_left_to_judge_changes_nobody() {
    let mut play = Play::new(settings(), 2, 1);
    play.ask();
    play.host(Action::Remove { seat: Seat(0), ban: false });
    play.close_and_reveal();
    assert_eq!(play.game.snapshot(play.now).reveal.map(|reveal| (reveal.silent, reveal.alive)), Some((0, 0)));
    void(&mut play);
    assert_eq!(play.alive(), Vec::<u32>::new());
}

#[test]
fn lives_that_were_given_after_the_reveal_stay_given() {
    let mut play = Play::new(Settings { lives: 1, ..settings() }, 2, 2);
    play.round(&[(0, RIGHT)]);
    play.host(Action::GiveLives { seat: None, lives: 2 });
    void(&mut play);
    assert_eq!([0, 1].map(|seat| play.game.you(Some(Seat(seat))).lives), [3, 3]);
}
