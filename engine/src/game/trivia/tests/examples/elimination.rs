//! Elimination, lives, and who gets in.

use super::*;

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
fn lives_are_given_to_one_or_to_all_in_play() {
    let mut play = Play::new(settings(), 2, 3);
    play.host(Action::GiveLives { seat: Some(Seat(0)), lives: 2 });
    play.host(Action::GiveLives { seat: None, lives: 1 });
    assert_eq!([0, 1, 2].map(|seat| play.game.you(Some(Seat(seat))).lives), [3, 1, 1]);
    play.round(&[]);
    assert_eq!(play.alive(), [0, 1, 2]);
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
fn who_comes_in_during_the_first_question_must_answer_it() {
    let mut play = Play::new(settings(), 2, 1);
    play.ask();
    assert_eq!(play.join(1), Ok(Entry::New));
    play.answer(0, RIGHT);
    play.close_and_reveal();
    assert_eq!(play.alive(), [0]);
}

#[test]
fn a_full_show_has_no_seat_for_more_but_can_be_watched() {
    let mut play = Play::new(Settings { seats: 2, ..settings() }, 2, 2);
    assert_eq!(play.join(7), Err(ErrorCode::ShowFull));
    assert_eq!(play.join(1), Ok(Entry::Back(Seat(1))));
    let spectator = PlayerId::parse("somebody").unwrap();
    assert_eq!(play.game.entry(&spectator, Role::Spectator), Ok(Entry::Watch));
    play.round(&[(0, RIGHT)]);
    assert_eq!(play.join(7), Ok(Entry::Watch), "later they could only watch anyway");
}

#[test]
fn nobody_has_more_than_99_lives() {
    let mut play = Play::new(Settings { lives: 98, ..settings() }, 2, 2);
    play.host(Action::GiveLives { seat: None, lives: 99 });
    assert_eq!(play.game.you(Some(Seat(0))).lives, 99);
    assert_eq!(play.try_host(Action::GiveLives { seat: None, lives: 100 }), Err(ErrorCode::BadArgument));
    play.round(&[(1, RIGHT)]);
    play.host(Action::GiveLives { seat: Some(Seat(0)), lives: 1 });
    void(&mut play);
    assert_eq!([0, 1].map(|seat| play.game.you(Some(Seat(seat))).lives), [99, 99], "nor after a void");
}

#[test]
fn lives_are_given_only_to_who_is_in_play() {
    let mut play = Play::new(settings(), 2, 2);
    play.round(&[(0, RIGHT)]);
    assert_eq!(play.try_host(Action::GiveLives { seat: Some(Seat(1)), lives: 1 }), Err(ErrorCode::NotInPlay));
    assert_eq!(play.try_host(Action::GiveLives { seat: Some(Seat(2)), lives: 1 }), Err(ErrorCode::UnknownSeat));
}

#[test]
fn who_is_given_lives_is_told_at_once_and_nobody_else() {
    for rules in [RulesVersion::FIRST, RulesVersion::NEWEST] {
        let mut play = Play::by(rules, settings(), 3, 4);
        play.round(&[(0, RIGHT), (1, RIGHT), (2, RIGHT)]);
        play.ask();
        play.answer(1, RIGHT);
        let events = play.told.len();
        play.host(Action::GiveLives { seat: Some(Seat(1)), lives: 2 });
        assert_eq!([0, 1, 2, 3].map(|seat| play.was_told(seat)), [false, true, false, false]);
        let you = play.told_you(1);
        assert_eq!((you.lives, you.answered), (2, Some(Choice(RIGHT))));
        assert_eq!(you, play.game.you(Some(Seat(1))));

        play.host(Action::GiveLives { seat: None, lives: 1 });
        assert_eq!([0, 1, 2, 3].map(|seat| play.was_told(seat)), [true, true, true, false], "who is out gets none");
        assert_eq!([0, 1, 2].map(|seat| play.told_you(seat).lives), [1, 3, 1]);
        assert_eq!(play.told.len(), events, "the journal's events are what they always were");
    }
}

#[test]
fn in_elimination_who_comes_while_a_later_question_is_open_watches() {
    let mut play = Play::new(settings(), 2, 1);
    play.round(&[(0, RIGHT)]);
    play.ask();
    assert_eq!(play.join(1), Ok(Entry::Watch));
}
