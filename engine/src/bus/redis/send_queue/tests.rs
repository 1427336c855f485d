//! What a full send queue drops, and when it gives its room back.

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::Latency;
use klaxon_protocol::ids::{RoundId, Seat, SeatRef};
use klaxon_protocol::link::{AnswerBatch, StampedAnswer};
use klaxon_protocol::time::Millis;

use super::*;
use crate::bus::contract::{ANN, SHOW, claim, join, numbered};
use crate::bus::queue::refusal;
use crate::bus::redis::entry::decode_to_engine;

fn queue(totals: &Arc<Totals>) -> SendQueue {
    SendQueue::new(SHOW, Arc::clone(totals), SealKeys::default())
}

fn answers(round: u16, count: usize) -> ToEngine {
    let (conn, number, by) = (1, 1, SeatRef::first(Seat(0)));
    let answer = StampedAnswer { conn, number, by, form: ClaimForm::Claim, claim: claim(round), at: Millis(0) };
    ToEngine::Answers(AnswerBatch { gateway: ANN, show: SHOW, answers: vec![answer; count] })
}

fn counts() -> ToEngine {
    let (gateway, show, latency) = (ANN, SHOW, Latency::default());
    let (connected, shed, clock_uncertainty, dropped) = (1, 0, 0, 0);
    ToEngine::Counts(GatewayCounts { gateway, show, connected, shed, latency, clock_uncertainty, dropped })
}

fn passed(round: u16) -> ToEngine {
    ToEngine::BarrierPassed { gateway: ANN, show: SHOW, round: RoundId(round) }
}

fn sent(queue: &SendQueue) -> Vec<ToEngine> {
    queue.unsent().iter().flat_map(|entry| decode_to_engine(entry).unwrap()).collect()
}

fn dropped(message: &ToEngine) -> u32 {
    if let ToEngine::Counts(counts) = message { counts.dropped } else { panic!("{message:?}") }
}

#[test]
fn answers_without_room_are_dropped_and_reported_before_the_barrier_of_their_question() {
    let totals = Arc::default();
    let queue = queue(&totals);
    assert!(queue.push(answers(1, MAX_ANSWERS - 1)).is_ok());
    assert!(queue.push(counts()).is_ok());
    assert!(queue.push(answers(1, 2)).is_err());
    assert!(queue.push(answers(1, 1)).is_ok(), "there is room for these");
    assert!(queue.push(passed(1)).is_ok());
    assert!(queue.push(answers(1, 3)).is_err());
    assert!(queue.push(passed(1)).is_ok());
    let messages = sent(&queue);
    assert_eq!(messages.len(), 6, "two batches, and the counts before each barrier message");
    assert_eq!([dropped(&messages[2]), dropped(&messages[4])], [2, 5]);
    assert_eq!(totals.answers(), MAX_ANSWERS);

    queue.sent(vec![StreamPosition(1, 0)]);
    queue.acknowledge(StreamPosition(1, 0), StreamPosition::default());
    assert_eq!((totals.answers(), totals.messages()), (0, 0));
    assert!(queue.push(answers(2, 1)).is_ok());
    assert!(queue.push(counts()).is_ok());
    assert_eq!(dropped(&sent(&queue)[1]), 0, "those of the round before are no longer of interest");
}

#[test]
fn messages_without_room_are_given_back_to_be_refused_whichever_show_took_the_room() {
    let totals = Arc::default();
    let (full, other) = (queue(&totals), queue(&totals));
    (0..MAX_MESSAGES).for_each(|number| assert!(full.push(numbered(number as u32)).is_ok()));
    let refused = other.push(join(1)).unwrap_err();
    assert!(refusal(refused, ErrorCode::Unavailable).is_some());
    assert!(other.push(passed(1)).is_err());
    // These take no room: only the newest counts are kept, and emojis are summed up.
    let reactions = ToEngine::Reactions { show: SHOW, counts: [1; Emoji::ALL.len()] };
    for message in [counts(), counts(), reactions.clone(), reactions] {
        assert!(other.push(message).is_ok());
    }
    let messages = sent(&other);
    let summed_up = ToEngine::Reactions { show: SHOW, counts: [2; Emoji::ALL.len()] };
    assert_eq!(messages, [counts(), summed_up]);
}

#[test]
fn a_queue_that_is_closed_frees_its_room_and_takes_nothing() {
    let totals = Arc::default();
    let queue = queue(&totals);
    assert!(queue.push(numbered(1)).is_ok());
    queue.leave();
    assert!(!queue.can_leave() && !queue.close(), "it is not sent");
    assert_eq!(sent(&queue), [numbered(1)]);
    queue.sent(vec![StreamPosition(1, 0)]);
    assert!(queue.can_leave() && queue.close());
    assert!(queue.push(numbered(2)).is_ok());
    assert_eq!((totals.messages(), sent(&queue), queue.need()), (0, Vec::new(), false));
}
