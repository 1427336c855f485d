//! Which violations a fault of a process excuses, and which not.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{QuestionId, Settings};
use klaxon_protocol::player::ToPlayer;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::evidence::{Disturbance, Evidence, GatewayNumber, Harm, Micros, Victim};

use crate::show::{RIGHT, Show};
use crate::{assert_broken, told};

/// Four players, one of whom has answered the first question.
fn open() -> Show {
    let mut show = Show::new(Settings { pot: 100, ..Settings::default() });
    for _ in 0..4 {
        show.join();
    }
    show.ask();
    show.answer(1, RIGHT);
    show
}

/// Continues the show after the first question's answers.
fn play_on(show: &mut Show) {
    show.close();
    show.reveal();
    show.ask();
    show.answer(1, RIGHT);
    show.close();
    show.reveal();
    show.end();
}

fn fault(victim: Victim, harm: Harm, from: u64, until: u64) -> Disturbance {
    let (from, until) = (Micros(from * 1000), Micros(until * 1000));
    Disturbance { question: QuestionId(1), victim, process: "it".into(), harm, from, until }
}

fn judge_with(evidence: &Evidence, fault: Disturbance) -> Audit {
    audit(evidence, &AuditOptions { faults: vec![fault], ..AuditOptions::default() })
}

/// A show with an answer that was sent long before the close, and refused as too late.
fn held_up() -> (Show, u64) {
    let mut show = open();
    let sent = show.now;
    show.refused(2, RIGHT, ErrorCode::TooLate);
    // The refusal is received after the close, as if the answer had been read then.
    let lines = &mut show.connections[2].lines;
    lines.last_mut().unwrap().0 = Micros((sent + 4950) * 1000);
    play_on(&mut show);
    show.connections[2].lines.sort_by_key(|(at, _)| *at);
    (show, sent)
}

#[test]
fn what_waited_before_a_gateway_that_stood_still_may_be_late() {
    let (show, sent) = held_up();
    let audit = judge_with(&show.evidence(), fault(Victim::Gateway(0), Harm::Paused, sent, sent + 5000));
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn what_another_gateway_read_in_time_may_not_be_late_nor_what_was_sent_when_it_ran_again() {
    let (show, sent) = held_up();
    let elsewhere = judge_with(&show.evidence(), fault(Victim::Gateway(1), Harm::Paused, sent, sent + 5000));
    assert_broken(&elsewhere, 4, "refused as too_late");
    let redis = judge_with(&show.evidence(), fault(Victim::Redis, Harm::Paused, sent, sent + 5000));
    assert_broken(&redis, 4, "refused as too_late");
    let before = judge_with(&show.evidence(), fault(Victim::Gateway(0), Harm::Paused, sent - 5000, sent - 1));
    assert_broken(&before, 4, "refused as too_late");
}

/// A show with a reply that is received 6 s after its answer.
fn slow_reply() -> (Show, u64) {
    let mut show = open();
    let sent = show.now;
    show.answer(2, RIGHT);
    let index = show.connection_of(2);
    let reply = show.connections[index].lines.pop().unwrap();
    show.close();
    show.wait(1500);
    show.connections[index].lines.push((Micros(show.now * 1000), reply.1));
    show.reveal();
    show.ask();
    show.answer(1, RIGHT);
    show.answer(2, RIGHT);
    show.close();
    show.reveal();
    show.end();
    (show, sent)
}

#[test]
fn a_reply_may_wait_for_the_end_of_a_fault_and_for_nothing_else() {
    let (show, sent) = slow_reply();
    let audit = judge_with(&show.evidence(), fault(Victim::OwningEngine, Harm::Killed, sent + 1, sent + 3000));
    assert!(audit.clean(), "{:#?}", told(&audit));
    let over = judge_with(&show.evidence(), fault(Victim::OwningEngine, Harm::Killed, sent - 3000, sent - 1));
    assert_broken(&over, 8, "the reply to choice 1 took");
}

#[test]
fn only_those_whose_gateway_was_killed_must_come_back() {
    let mut show = open();
    let kill = show.now;
    play_on(&mut show);
    let mut evidence = show.evidence();
    let engine = judge_with(&evidence, fault(Victim::OwningEngine, Harm::Killed, kill, kill + 10));
    assert!(engine.clean(), "{:#?}", told(&engine));
    evidence.connections[3].gateway = GatewayNumber(1);
    let gateway = judge_with(&evidence, fault(Victim::Gateway(1), Harm::Killed, kill, kill + 10));
    assert_broken(&gateway, 9, "did not come back");
    assert!(
        gateway.findings[8].violations.iter().all(|violation| violation.player == Some(3)),
        "{:#?}",
        told(&gateway)
    );
}

#[test]
fn who_had_moved_to_another_gateway_before_need_not_come_back() {
    let mut show = open();
    show.hang_up(3);
    show.come_back(3);
    show.wait(100);
    let kill = show.now;
    play_on(&mut show);
    let mut evidence = show.evidence();
    evidence.connections[3].gateway = GatewayNumber(1);
    let audit = judge_with(&evidence, fault(Victim::Gateway(1), Harm::Killed, kill, kill + 10));
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn who_was_displaced_by_a_stolen_token_and_came_back_later_misses_what_came_in_between() {
    for displaced in [true, false] {
        let mut show = open();
        let kill = show.now;
        if displaced {
            show.receive(3, ToPlayer::Error(ErrorMessage::from(ErrorCode::Displaced)));
        }
        show.hang_up(3);
        for _ in 0..2 {
            show.close();
            show.reveal();
            show.ask();
        }
        show.come_back(3);
        show.close();
        show.reveal();
        show.end();
        let audit = judge_with(&show.evidence(), fault(Victim::Broker, Harm::Killed, kill, kill + 10));
        let missed = told(&audit).iter().any(|line| line.contains("did not receive the next question"));
        assert_eq!(missed, !displaced, "{:#?}", told(&audit));
    }
}

#[test]
fn a_player_who_does_not_hear_the_next_question_after_a_fault_is_found() {
    let mut show = open();
    let kill = show.now;
    play_on(&mut show);
    show.lose(|connection, message| {
        connection == 2 && matches!(message, ToPlayer::Question(question) if question.question == QuestionId(2))
    });
    let audit = judge_with(&show.evidence(), fault(Victim::Broker, Harm::Killed, kill, kill + 10));
    assert_broken(&audit, 9, "did not receive the next question");
}
