//! Promises 1 and 2: at most one counted answer, and an acknowledged one is never lost.

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{AnswerReply, Choice, Outcome, QuestionId};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::{Command, CountedAnswer};
use klaxon_protocol::player::ToPlayer;

use crate::show::{RIGHT, Show, WRONG};
use crate::{assert_broken, judge};

/// Changes the answers that the journal counted.
fn change_counted(show: &mut Show, change: impl Fn(QuestionId, &mut Vec<CountedAnswer>)) {
    for record in &mut show.records {
        if let Command::Answers { question, answers } = &mut record.command {
            change(*question, answers);
        }
    }
}

#[test]
fn an_answer_counted_twice_in_the_journal_is_found() {
    let mut show = Show::played();
    change_counted(&mut show, |_, answers| {
        if answers[0].seat == Seat(3) {
            answers.push(answers[0]);
        }
    });
    assert_broken(&judge(&show), 1, "counts this seat's answer 2 times");
}

#[test]
fn two_choices_counted_over_two_records_are_found() {
    let mut show = Show::played();
    let mut again =
        show.records.iter().find(|record| matches!(record.command, Command::Answers { .. })).cloned().unwrap();
    if let Command::Answers { answers, .. } = &mut again.command {
        answers[0].choice = WRONG;
    }
    show.record(again.command, vec![]);
    assert_broken(&judge(&show), 1, "counts this seat's answer 2 times");
}

#[test]
fn a_reveal_with_one_answer_too_many_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::Reveal(reveal), true) = (message, connection == 4) {
            reveal.counts[0] += 1;
        }
    });
    assert_broken(&judge(&show), 1, "the reveal's counts are");
}

#[test]
fn a_reveal_that_is_wrong_everywhere_alike_is_found() {
    let mut show = Show::played();
    let double = |message: &mut ToPlayer| {
        if let ToPlayer::Reveal(reveal) = message {
            reveal.counts[RIGHT.index()] += 1;
        }
    };
    show.change_received(|_, message| double(message));
    show.records.iter_mut().flat_map(|record| &mut record.events).for_each(double);
    let audit = judge(&show);
    assert_broken(&audit, 1, "the reveal's counts are");
    assert_broken(&audit, 1, "were in play");
}

#[test]
fn a_reveal_with_fewer_answers_than_were_acknowledged_is_found() {
    let mut show = Show::played();
    show.change_received(|_, message| {
        if let ToPlayer::Reveal(reveal) = message {
            reveal.counts[RIGHT.index()] -= 1;
        }
    });
    assert_broken(&judge(&show), 1, "players were told that choice 1 counts");
}

#[test]
fn another_choice_acknowledged_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::AnswerReply(reply), 3) = (message, connection)
            && reply.accepted
        {
            *reply = AnswerReply::new(reply.question, &Verdict::Accepted(Choice(0).into()));
        }
    });
    assert_broken(&judge(&show), 1, "choice 0 is said to count, and was not sent");
}

#[test]
fn already_answered_with_a_choice_that_did_not_count_is_found() {
    let mut show = Show::played();
    show.change_received(|_, message| {
        if let ToPlayer::AnswerReply(reply) = message
            && reply.code == Some(ErrorCode::AlreadyAnswered)
        {
            reply.choice = Some(WRONG);
        }
    });
    assert_broken(&judge(&show), 1, "the journal counted 1");
}

#[test]
fn an_answer_of_a_spectator_that_counts_is_found() {
    let mut show = Show::played();
    let reply = AnswerReply::new(QuestionId(3), &Verdict::Accepted(RIGHT.into()));
    show.receive(6, ToPlayer::AnswerReply(reply));
    assert_broken(&judge(&show), 1, "without a seat");
}

#[test]
fn a_second_reply_to_one_answer_is_found() {
    let mut show = Show::played();
    let reply = AnswerReply::new(QuestionId(2), &Verdict::Accepted(RIGHT.into()));
    show.receive(1, ToPlayer::AnswerReply(reply));
    assert_broken(&judge(&show), 10, "1 answers were sent, and this is reply 2");
}

#[test]
fn two_honest_players_at_one_seat_are_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::Welcome(welcome), 5) = (message, connection) {
            welcome.seat = Some(Seat(4));
        }
    });
    assert_broken(&judge(&show), 1, "two honest players");
}

#[test]
fn an_acknowledged_answer_that_is_not_in_the_journal_is_found() {
    let mut show = Show::played();
    change_counted(&mut show, |question, answers| {
        answers.retain(|answer| (question, answer.seat) != (QuestionId(2), Seat(1)));
    });
    let audit = judge(&show);
    assert_broken(&audit, 2, "acknowledged, and not in the journal");
    assert_broken(&audit, 2, "told of choice 1, the journal has none");
    assert_broken(&audit, 2, "the journal counted no answer");
}

#[test]
fn an_acknowledged_answer_that_became_another_is_found() {
    let mut show = Show::played();
    change_counted(&mut show, |_, answers| {
        answers.iter_mut().filter(|answer| answer.seat == Seat(0)).for_each(|answer| answer.choice = WRONG);
    });
    assert_broken(&judge(&show), 2, "the journal has choice 2");
}

#[test]
fn a_refusal_turned_into_an_acknowledgement_is_found() {
    let mut show = Show::played();
    show.change_received(|_, message| {
        if let ToPlayer::AnswerReply(reply) = message
            && reply.code == Some(ErrorCode::NotInPlay)
        {
            *reply = AnswerReply::new(reply.question, &Verdict::Accepted(RIGHT.into()));
        }
    });
    assert_broken(&judge(&show), 2, "acknowledged, and not in the journal");
}

#[test]
fn a_player_who_comes_back_and_is_not_told_of_the_answer_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::You(you), 7) = (message, connection) {
            you.answered = None;
        }
    });
    assert_broken(&judge(&show), 2, "is forgotten");
}

#[test]
fn a_right_answer_called_wrong_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::Result(result), 0) = (message, connection) {
            result.outcome = Outcome::Wrong;
        }
    });
    assert_broken(&judge(&show), 2, "Wrong, and the journal counted choice 1 where 1 is right");
}
