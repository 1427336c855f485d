//! An answer: which one counts, and why another does not.

use super::*;

#[test]
fn the_first_answer_counts_and_a_retry_gets_the_same_reply() {
    let mut play = Play::new(settings(), 2, 1);
    play.ask();
    assert_eq!(play.answer(0, WRONG), Verdict::Accepted(Choice(WRONG).into()));
    assert_eq!(play.answer(0, WRONG), Verdict::Accepted(Choice(WRONG).into()));
    assert_eq!(play.answer(0, RIGHT), Verdict::AlreadyAnswered(Choice(WRONG).into()));
    assert_eq!(play.game.figures(play.now).answers, [1, 0, 0]);
    play.close_and_reveal();
    assert_eq!(play.answer(0, WRONG), Verdict::Accepted(Choice(WRONG).into()), "after the close too");
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
    assert_eq!(play.answer(0, RIGHT), Verdict::Accepted(Choice(RIGHT).into()));
    play.wait(10_000);
    assert_eq!(play.game.phase(), Phase::Closed);
    assert_eq!(play.answer(1, RIGHT), Verdict::Refused(ErrorCode::TooLate));
    play.host(Action::Reveal);
    play.ask();
    assert_eq!(play.answer_to(QuestionId(1), 0, RIGHT), Verdict::Refused(ErrorCode::TooLate));
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
fn an_answer_to_any_voided_question_is_told_that_it_was_voided() {
    let mut play = Play::new(settings(), 4, 2);
    play.ask();
    void(&mut play);
    assert_eq!(play.answer(0, RIGHT), Verdict::Refused(ErrorCode::Voided));
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    play.ask();
    let late = |play: &mut Play, question| play.answer_to(QuestionId(question), 0, RIGHT);
    assert_eq!(late(&mut play, 1), Verdict::Refused(ErrorCode::Voided), "voided before the last");
    assert_eq!(late(&mut play, 2), Verdict::Refused(ErrorCode::TooLate), "that one counted");
    assert_eq!(late(&mut play, 4), Verdict::Refused(ErrorCode::UnknownQuestion));
    assert_eq!(late(&mut play, 0), Verdict::Refused(ErrorCode::UnknownQuestion));
}
