//! Behaviour that is allowed for a server, and that the audit must not report.

use std::time::Duration;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Answer, AnswerReply, QuestionId, Settings};
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_simulator::audit::{AuditOptions, audit};
use klaxon_simulator::evidence::{Evidence, Micros};
use proptest::prelude::*;

use crate::show::{Line, RIGHT, Show, WRONG};
use crate::{judge, server_killed, told};

fn open() -> Show {
    let mut show = Show::new(Settings { pot: 100, ..Settings::default() });
    for _ in 0..4 {
        show.join();
    }
    show.ask();
    show
}

#[track_caller]
fn assert_clean(mut show: Show) {
    show.close();
    show.reveal();
    show.end();
    let audit = judge(&show);
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn an_answer_that_counted_and_whose_reply_was_lost_with_the_connection() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.answer(0, RIGHT);
    show.connections[0].lines.pop();
    show.hang_up(0);
    show.wait(300);
    show.come_back(0);
    assert_clean(show);
}

#[test]
fn an_answer_that_was_sent_and_died_with_the_connection() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.send(0, FromPlayer::Answer(Answer { question: QuestionId(1), choice: RIGHT }));
    show.hang_up(0);
    show.wait(300);
    show.come_back(0);
    assert_clean(show);
}

#[test]
fn one_player_on_two_devices() {
    let mut show = open();
    show.come_back(0);
    show.answer(0, RIGHT);
    show.send(0, FromPlayer::Answer(Answer { question: QuestionId(1), choice: WRONG }));
    let reply = AnswerReply::new(QuestionId(1), &Verdict::AlreadyAnswered(RIGHT.into()));
    show.wait(2);
    show.receive(0, ToPlayer::AnswerReply(reply));
    assert_clean(show);
}

#[test]
fn a_pause_stops_the_clock_and_a_resume_moves_the_close() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.pause();
    show.wait(60_000);
    show.refused(2, RIGHT, ErrorCode::Paused);
    show.resume();
    show.wait(3000);
    show.answer(2, RIGHT);
    show.come_back(3);
    show.answer(3, RIGHT);
    assert_clean(show);
}

#[test]
fn a_voided_question_and_the_next() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.void();
    show.refused(2, RIGHT, ErrorCode::Voided);
    show.ask();
    show.answer(1, RIGHT);
    show.answer(2, RIGHT);
    assert_clean(show);
}

#[test]
fn a_question_that_is_closed_early_and_an_answer_after_that() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.wait(1500);
    show.close_early();
    show.refused(2, RIGHT, ErrorCode::TooLate);
    show.reveal();
    show.ask();
    show.answer(1, RIGHT);
    assert_clean(show);
}

#[test]
fn a_question_that_gets_more_time_before_it_opens() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.close();
    show.reveal();
    show.ask();
    show.now -= 400;
    show.adjust(10_000);
    show.wait(12_000);
    show.answer(1, RIGHT);
    show.come_back(1);
    assert_clean(show);
}

#[test]
fn a_show_that_ends_in_the_middle_of_a_question() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.close();
    show.reveal();
    show.ask();
    show.answer(1, RIGHT);
    show.end();
    let audit = judge(&show);
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn a_server_that_is_killed_and_gives_the_question_its_time_again() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.send(0, FromPlayer::Answer(Answer { question: QuestionId(1), choice: RIGHT }));
    show.wait(500);
    let kill = Micros(show.now * 1000);
    show.kill(800);
    for seat in 0..4 {
        show.come_back(seat);
    }
    // By the times announced before the kill the question is not over, but it has not opened again yet.
    show.refused(2, RIGHT, ErrorCode::Paused);
    show.wait(4000);
    show.answer(0, RIGHT);
    show.answer(2, RIGHT);
    show.answer(1, RIGHT);
    show.close();
    show.reveal();
    show.end();
    let options = AuditOptions { faults: vec![server_killed(kill, 1)], ..AuditOptions::default() };
    let audit = audit(&show.evidence(), &options);
    assert!(audit.clean(), "{:#?}", told(&audit));
    assert_eq!(audit.findings.len(), 10);
}

#[test]
fn an_answer_with_a_stolen_token_on_a_connection_that_never_read_its_welcome() {
    let mut show = open();
    let thief = show.come_back(1);
    show.answer(1, RIGHT);
    let thief = &mut show.connections[thief];
    (thief.player, thief.honest) = (77, false);
    thief.lines.retain(|(_, line)| matches!(line, Line::Sent(_)));
    let Line::Sent(FromPlayer::Join(join)) = &mut thief.lines[0].1 else { panic!("a connection begins with a join") };
    join.resume = Some("r1".into());
    show.come_back(1);
    show.answer(1, RIGHT);
    show.answer(1, WRONG);
    assert_clean(show);
}

#[test]
fn an_answer_before_the_welcome_is_answered_by_an_error_and_sent_again() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.hang_up(0);
    let back = show.come_back(0);
    let (joined, _) = show.connections[back].lines[0];
    let hasty = FromPlayer::Answer(Answer { question: QuestionId(1), choice: RIGHT });
    let refusal = ToPlayer::Error(ErrorMessage::from(ErrorCode::NotJoined));
    show.connections[back].lines.splice(1..1, [(joined, Line::Sent(hasty)), (joined, Line::Received(refusal))]);
    show.wait(3000);
    show.answer(0, RIGHT);
    show.close();
    show.reveal();
    show.end();
    let options = AuditOptions { reply_limit: Duration::from_secs(2), ..AuditOptions::default() };
    let audit = audit(&show.evidence(), &options);
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn a_player_whose_show_was_taken_with_a_stolen_token_does_not_see_the_end() {
    let mut show = open();
    show.answer(1, RIGHT);
    let kill = Micros(show.now * 1000);
    show.kill(500);
    for seat in 0..4 {
        show.come_back(seat);
    }
    let thief = show.come_back(2);
    (show.connections[thief].player, show.connections[thief].honest) = (77, false);
    show.wait(4000);
    show.close();
    show.reveal();
    show.end();
    let options = AuditOptions { faults: vec![server_killed(kill, 1)], ..AuditOptions::default() };
    let audit = audit(&show.evidence(), &options);
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn an_answer_in_the_last_moment_may_be_late() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.wait(4897);
    show.refused(2, RIGHT, ErrorCode::TooLate);
    assert_clean(show);
}

#[test]
fn a_seat_that_is_not_of_the_swarm() {
    let mut show = open();
    show.answer(1, RIGHT);
    show.answer(2, RIGHT);
    show.close();
    show.reveal();
    show.end();
    show.connections.retain(|connection| connection.player != 2);
    let audit = judge(&show);
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn a_cheat_at_anothers_seat_shares_its_one_answer() {
    let mut show = open();
    show.answer(1, RIGHT);
    let cheat = show.come_back(1);
    show.connections[cheat].player = 77;
    show.connections[cheat].honest = false;
    show.answer(1, WRONG);
    assert_clean(show);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The audit does not panic for any bytes: frames and a journal that were cut and changed.
    #[test]
    fn the_audit_survives_any_evidence(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..40),
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
        journal in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut show = Show::played();
        for (connection, line, byte) in changes {
            let script = connection.get_mut(&mut show.connections);
            let codec = script.codec;
            let (_, line) = line.get_mut(&mut script.lines);
            let (received, mut bytes) = match &*line {
                Line::Sent(message) => (false, codec.encode(message)),
                Line::Received(message) => (true, codec.encode(message)),
                Line::SentBytes(bytes) => (false, bytes.clone()),
                Line::ReceivedBytes(bytes) => (true, bytes.clone()),
            };
            let place = usize::from(byte) % bytes.len().max(1);
            if let Some(changed) = bytes.get_mut(place) {
                *changed = byte;
            }
            *line = if received { Line::ReceivedBytes(bytes) } else { Line::SentBytes(bytes) };
        }
        for (script, bytes) in show.connections.iter_mut().zip(noise) {
            script.lines.insert(2, (script.lines[1].0, Line::ReceivedBytes(bytes)));
        }
        let mut evidence: Evidence = show.evidence();
        for (place, byte) in journal {
            *place.get_mut(&mut evidence.journal) = byte;
        }
        let length = cut.index(evidence.journal.len() + 1);
        for kept in [evidence.journal.len(), length] {
            evidence.journal.truncate(kept);
            let audit = audit(&evidence, &AuditOptions::default());
            prop_assert_eq!(audit.findings.len(), 10);
        }
    }

    /// The audit does not panic for any messages of the protocol, with any numbers, in any order.
    #[test]
    fn the_audit_survives_any_numbers(numbers in prop::collection::vec(any::<u64>(), 200)) {
        let mut show = Show::played();
        let mut numbers = numbers.into_iter().cycle();
        let mut odd = |number: &mut u64| {
            let next = numbers.next().unwrap_or(0);
            if next % 5 == 0 {
                *number = if next % 2 == 0 { u64::MAX } else { next };
            }
        };
        show.change_received(|_, message| match message {
            ToPlayer::Question(question) => {
                odd(&mut question.seq.0);
                odd(&mut question.closes_at.0);
            }
            ToPlayer::Snapshot(snapshot) => odd(&mut snapshot.seq.0),
            ToPlayer::Podium(podium) => {
                odd(&mut podium.paid);
                odd(&mut podium.pot);
                odd(&mut podium.rolled_over);
            }
            ToPlayer::Prize(prize) => odd(&mut prize.amount),
            ToPlayer::Close(close) => odd(&mut close.at.0),
            _ => {}
        });
        for record in &mut show.records {
            odd(&mut record.number);
            odd(&mut record.at.0);
            for event in &mut record.events {
                match event {
                    ToPlayer::Question(question) => odd(&mut question.opens_at.0),
                    ToPlayer::Close(close) => odd(&mut close.at.0),
                    ToPlayer::End(end) => odd(&mut end.seq.0),
                    ToPlayer::Podium(podium) => {
                        odd(&mut podium.paid);
                        podium.places.iter_mut().for_each(|place| odd(&mut place.prize));
                    }
                    _ => {}
                }
            }
        }
        for script in &mut show.connections {
            script.lines.iter_mut().for_each(|(at, _)| odd(&mut at.0));
        }
        prop_assert_eq!(judge(&show).findings.len(), 10);
    }
}
