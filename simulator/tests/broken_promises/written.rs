//! Every break, in a scripted show.

use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::FromPlayer;
use klaxon_simulator::audit::{AuditOptions, audit};
use klaxon_simulator::evidence::{Direction, Micros};
use serde_json::Value;

use crate::breaker::{Break, Breaker};
use crate::show::{Line, Script, Show};
use crate::told;

/// The whole show in JSON, with a break between the server and the connections that `victims` selects.
fn broken(what: Break, victims: impl Fn(usize) -> bool) -> Show {
    let mut show = Show::played();
    for connection in &mut show.connections {
        connection.codec = Codec::Json;
    }
    let chosen = (0..show.connections.len()).filter(|&index| victims(index));
    for index in chosen.collect::<Vec<_>>() {
        let lost = break_script(&mut show.connections[index], what);
        forget(&mut show, index, &lost);
    }
    show
}

/// Runs a connection through the breaker; returns the messages that the server did not receive.
fn break_script(script: &mut Script, what: Break) -> Vec<FromPlayer> {
    let mut breaker = Breaker::new(what);
    let mut lost = Vec::new();
    let mut lines = Vec::new();
    for (at, line) in std::mem::take(&mut script.lines) {
        let (direction, message) = match &line {
            Line::Sent(message) => (Direction::Sent, serde_json::to_value(message).unwrap()),
            Line::Received(message) => (Direction::Received, serde_json::to_value(message).unwrap()),
            Line::SentBytes(_) | Line::ReceivedBytes(_) => panic!("a played show has messages only"),
        };
        let replied = |lost: &[FromPlayer]| lost.iter().any(|sent| is_reply_to(&message, sent));
        if direction == Direction::Received && replied(&lost) {
            continue;
        }
        let outs = breaker.pass(direction, message);
        if let Line::Sent(sent) = line {
            lines.push((at, Line::Sent(sent.clone())));
            if !outs.iter().any(|out| out.direction == Direction::Sent) {
                lost.push(sent);
            }
        }
        for out in outs.iter().filter(|out| out.direction == Direction::Received) {
            let at = Micros(at.0 + u64::try_from(out.after.as_micros()).unwrap());
            lines.push((at, Line::ReceivedBytes(out.bytes())));
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    script.lines = lines;
    lost
}

/// Whether the server would not have sent `message` without receiving `sent`.
fn is_reply_to(message: &Value, sent: &FromPlayer) -> bool {
    let FromPlayer::Answer(answer) = sent else { return false };
    message["type"] == "answer_reply" && message["question"] == answer.question.0
}

/// Removes the effects of messages that the server did not receive.
fn forget(show: &mut Show, connection: usize, lost: &[FromPlayer]) {
    let seat = show.connections[connection].player;
    for sent in lost {
        let FromPlayer::Answer(answer) = sent else { continue };
        for record in &mut show.records {
            if let Command::Answers { question, answers } = &mut record.command {
                answers.retain(|counted| (*question, counted.seat.0) != (answer.question, seat));
            }
        }
    }
}

#[test]
fn every_break_is_found_as_what_it_is() {
    let options = AuditOptions { reply_limit: Duration::from_millis(500), ..AuditOptions::default() };
    for what in Break::ALL {
        for victims in [|_| true, |index| index >= 2] {
            let audit = audit(&broken(what, victims).evidence(), &options);
            assert!(audit.broken().contains(&what.promise()), "{what:?}: {:#?}", told(&audit));
        }
    }
}

#[test]
fn a_show_in_json_without_a_break_is_clean() {
    let show = broken(Break::DropsAnEvent, |_| false);
    let audit = audit(&show.evidence(), &AuditOptions::default());
    assert!(audit.clean(), "{:#?}", told(&audit));
}
