//! Promises 3 and 4: nothing is revealed before the close, and the server's clock decides.

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{
    Answer, AnswerReply, Choice, Outcome, PlayerResult, QuestionId, Reveal, Settings, You,
};
use klaxon_protocol::ids::Seq;
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{FromPlayer, Standings, ToPlayer};
use klaxon_protocol::time::Millis;
use klaxon_simulator::evidence::Micros;
use serde_json::{Value, json};

use crate::show::{Line, OPEN_FOR, RIGHT, Show, WRONG};
use crate::{assert_broken, judge};

/// A show of four players whose first question is open.
fn open() -> Show {
    let mut show = Show::new(Settings::default());
    for _ in 0..4 {
        show.join();
    }
    show.ask();
    show
}

/// Closes and reveals the question, and ends the show.
fn over(mut show: Show) -> Show {
    show.close();
    show.reveal();
    show.end();
    show
}

/// Applies `change` to the JSON messages that were received on one connection; it returns whether it changed one.
fn change_json(show: &mut Show, connection: usize, change: impl Fn(&mut Value) -> bool) {
    assert_eq!(show.connections[connection].codec, Codec::Json);
    for (_, line) in &mut show.connections[connection].lines {
        if let Line::Received(message) = line {
            let mut value = serde_json::to_value(message).unwrap();
            if change(&mut value) {
                *line = Line::ReceivedBytes(serde_json::to_vec(&value).unwrap());
            }
        }
    }
}

#[test]
fn a_reveal_before_the_close_is_found() {
    let mut show = open();
    let reveal = Reveal {
        seq: Seq(3),
        at: Millis(show.now),
        question: QuestionId(1),
        right: RIGHT,
        counts: vec![0, 0, 0],
        silent: 0,
        alive: 4,
    };
    show.answer(0, RIGHT);
    show.receive(2, ToPlayer::Reveal(reveal));
    assert_broken(&judge(&over(show)), 3, "the right choice was told before the question closed");
}

#[test]
fn a_result_before_the_close_is_found() {
    let mut show = open();
    let question = QuestionId(1);
    let outcome = Outcome::Right;
    show.answer(0, RIGHT);
    let result = PlayerResult { question, outcome, alive: true, lives: 0, gained: 0, score: 0, rank: 0 };
    show.receive(0, ToPlayer::Result(result));
    assert_broken(&judge(&over(show)), 3, "the player's result was told before the question closed");
}

#[test]
fn standings_before_the_close_are_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.receive(1, ToPlayer::Standings(Standings { question: QuestionId(1), leaders: vec![] }));
    assert_broken(&judge(&over(show)), 3, "the standings was told before the question closed");
}

#[test]
fn a_snapshot_that_knows_too_much_is_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.come_back(1);
    show.answer(1, RIGHT);
    let mut show = over(show);
    let mut reveal = None;
    show.change_received(|_, message| {
        if let ToPlayer::Reveal(received) = message {
            reveal = Some(received.clone());
        }
    });
    show.change_received(|connection, message| {
        if let (ToPlayer::Snapshot(snapshot), 4) = (message, connection) {
            snapshot.reveal.clone_from(&reveal);
        }
    });
    assert_broken(&judge(&show), 3, "in a snapshot");
}

#[test]
fn a_state_that_changes_while_the_question_is_open_is_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.answer(1, RIGHT);
    show.close();
    show.reveal();
    show.ask();
    show.answer(0, RIGHT);
    let you = You { alive: true, lives: 0, score: 500, rank: 1, answered: Some(RIGHT), prize: None };
    show.receive(0, ToPlayer::You(you));
    assert_broken(&judge(&over(show)), 3, "the player's state was told before the question closed");
}

#[test]
fn a_question_that_carries_its_right_choice_is_found() {
    let mut show = Show::played();
    change_json(&mut show, 0, |message| {
        let question = message["type"] == "question";
        if question {
            message["right"] = json!(1);
        }
        question
    });
    assert_broken(&judge(&show), 3, "more than the protocol knows");
}

#[test]
fn replies_that_differ_between_players_who_did_the_same_are_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::AnswerReply(reply), 3) = (message, connection) {
            reply.message = Some("Well done.".into());
        }
    });
    assert_broken(&judge(&show), 3, "not the one that all get");
}

#[test]
fn replies_that_tell_one_choice_from_another_are_found() {
    let mut show = Show::played();
    show.change_received(|_, message| {
        if let ToPlayer::AnswerReply(reply) = message
            && reply.choice == Some(RIGHT)
        {
            reply.message = Some("Well done.".into());
        }
    });
    assert_broken(&judge(&show), 3, "not the one that all get");
}

#[test]
fn a_frame_that_cannot_be_read_is_found() {
    let mut show = Show::played();
    let at = Micros(show.now * 1000);
    show.connections[1].lines.push((at, Line::ReceivedBytes(b"{\"type\":\"right_choice\"}".to_vec())));
    assert_broken(&judge(&show), 3, "can't be read");
}

#[test]
fn a_late_answer_that_is_accepted_is_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.close();
    show.answer(1, RIGHT);
    let audit = judge(&over(show));
    assert_broken(&audit, 4, "sent after the close, and accepted");
    assert_broken(&audit, 4, "when the question was not open");
}

#[test]
fn an_answer_on_time_that_is_refused_as_late_is_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.refused(1, RIGHT, ErrorCode::TooLate);
    assert_broken(&judge(&over(show)), 4, "refused as too_late");
}

#[test]
fn an_answer_to_an_open_question_that_is_refused_as_early_is_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.refused(1, RIGHT, ErrorCode::TooEarly);
    assert_broken(&judge(&over(show)), 4, "refused as too_early");
}

#[test]
fn an_answer_on_time_without_a_reply_is_found() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.send(1, FromPlayer::Answer(Answer { question: QuestionId(1), choice: RIGHT }));
    let audit = judge(&over(show));
    assert_broken(&audit, 4, "never answered");
    assert_broken(&audit, 8, "had no reply");
}

#[test]
fn a_stamp_before_the_sending_or_after_the_reply_is_found() {
    for (shift, words) in [(-40, "sent no earlier than"), (40, "acknowledged before")] {
        let mut show = Show::played();
        for record in &mut show.records {
            if let Command::Answers { answers, .. } = &mut record.command {
                answers[0].at.0 = answers[0].at.0.saturating_add_signed(shift);
            }
        }
        assert_broken(&judge(&show), 4, words);
    }
}

#[test]
fn an_answer_that_nobody_sent_is_found() {
    let mut show = Show::played();
    for record in &mut show.records {
        if let Command::Answers { question: QuestionId(3), answers } = &mut record.command {
            answers[0].choice = Choice(0);
        }
    }
    assert_broken(&judge(&show), 4, "nobody at this seat sent it");
}

#[test]
fn a_snapshot_with_other_times_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::Snapshot(snapshot), 7) = (message, connection) {
            snapshot.question.as_mut().unwrap().closes_at.0 += OPEN_FOR;
        }
    });
    assert_broken(&judge(&show), 4, "other times");
}

#[test]
fn a_retry_after_the_close_may_be_told_again_that_it_counts() {
    let mut show = open();
    show.answer(0, RIGHT);
    show.answer(1, WRONG);
    show.close();
    show.answer(0, RIGHT);
    let reply = AnswerReply::new(QuestionId(1), &Verdict::AlreadyAnswered(WRONG.into()));
    show.send(1, FromPlayer::Answer(Answer { question: QuestionId(1), choice: RIGHT }));
    show.receive(1, ToPlayer::AnswerReply(reply));
    show.reveal();
    show.end();
    let audit = judge(&show);
    assert!(audit.clean(), "{:#?}", crate::told(&audit));
    assert_eq!(audit.broken(), Vec::<u8>::new());
}
