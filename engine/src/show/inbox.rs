//! A show's inbox: the queue of messages from gateways.
//!
//! It holds [`INBOX`] messages at most. When it is full the router does not wait, as one slow show would delay all
//! others:
//! - Requests and reports that are repeated or can be done without (joins, hosts, snapshots, figures, attendance) are
//!   refused while at most [`RESERVED`] places are free. A sender that waits for a reply gets `unavailable`.
//! - Answers, barriers, and gateways that connect or disconnect may use the reserved places. If none is free the
//!   message is dropped; if it had answers, the round is voided, as for answers dropped by a gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use klaxon_protocol::link::ToEngine;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::bus::Received;

/// Messages in a show's inbox at most: 60 MB if all are joins.
const INBOX: usize = 1 << 18;
/// Places reserved for answers, barriers and gateways. A message holds up to 512 answers.
const RESERVED: usize = 1 << 16;

/// Why a message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotQueued {
    /// The show is no longer played here.
    Closed,
    /// The inbox has no room for it.
    Full,
}

/// The router's end of a show's inbox.
#[derive(Debug, Clone)]
pub struct InboxSender {
    queue: mpsc::Sender<Received>,
    lost_answers: Arc<AtomicBool>,
}

/// The show's end of its inbox.
#[derive(Debug)]
pub struct ShowInbox {
    queue: mpsc::Receiver<Received>,
    lost_answers: Arc<AtomicBool>,
}

/// The inbox of one show.
pub fn inbox() -> (InboxSender, ShowInbox) {
    let (sender, receiver) = mpsc::channel(INBOX);
    let lost_answers = Arc::<AtomicBool>::default();
    (
        InboxSender { queue: sender, lost_answers: Arc::clone(&lost_answers) },
        ShowInbox { queue: receiver, lost_answers },
    )
}

impl InboxSender {
    /// Queues a message, without waiting.
    ///
    /// # Errors
    /// Why it is not queued.
    pub fn send(&self, message: Received) -> Result<(), NotQueued> {
        if self.queue.capacity() <= RESERVED && !self.queue.is_closed() && !may_use_the_reserve(&message.message) {
            return Err(self.full(&message.message));
        }
        self.queue.try_send(message).map_err(|error| match error {
            TrySendError::Closed(_) => NotQueued::Closed,
            TrySendError::Full(message) => self.full(&message.message),
        })
    }

    /// Whether the receiver is closed.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    fn full(&self, message: &ToEngine) -> NotQueued {
        metrics::counter!("klaxon_show_inbox_full_total", "message" => kind(message)).increment(1);
        if matches!(message, ToEngine::Answers(_)) {
            self.lost_answers.store(true, Relaxed);
        }
        NotQueued::Full
    }
}

impl ShowInbox {
    /// Waits for messages and appends up to `limit` of them to `into`. Returns their number; 0 if the inbox is closed
    /// and empty.
    pub async fn receive(&mut self, into: &mut Vec<Received>, limit: usize) -> usize {
        self.queue.recv_many(into, limit).await
    }

    /// The next message that is queued, if any.
    pub fn try_receive(&mut self) -> Option<Received> {
        self.queue.try_recv().ok()
    }

    /// How many messages are queued.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Closes the inbox for new messages; queued ones can still be received.
    pub fn close(&mut self) {
        self.queue.close();
    }

    /// Whether answers were dropped since the last round began.
    pub fn lost_answers(&self) -> bool {
        self.lost_answers.load(Relaxed)
    }

    /// Called when a round begins: answers dropped before were to an earlier round.
    pub fn forget_lost_answers(&self) {
        self.lost_answers.store(false, Relaxed);
    }
}

/// Whether losing the message would cost more than a refused request or an outdated figure.
const fn may_use_the_reserve(message: &ToEngine) -> bool {
    match message {
        ToEngine::Answers(_)
        | ToEngine::BarrierPassed { .. }
        | ToEngine::Hello { .. }
        | ToEngine::Bye { .. }
        | ToEngine::Attend { .. }
        | ToEngine::Leave { .. } => true,
        ToEngine::Join(_)
        | ToEngine::Host { .. }
        | ToEngine::Resync { .. }
        | ToEngine::Reactions { .. }
        | ToEngine::Counts(_)
        | ToEngine::Gone { .. }
        | ToEngine::Present(_) => false,
    }
}

/// The message's label in the metric.
const fn kind(message: &ToEngine) -> &'static str {
    match message {
        ToEngine::Answers(_) => "answers",
        ToEngine::BarrierPassed { .. } => "barrier",
        ToEngine::Hello { .. } | ToEngine::Bye { .. } | ToEngine::Attend { .. } | ToEngine::Leave { .. } => "gateway",
        ToEngine::Join(_) => "join",
        ToEngine::Host { .. } => "host",
        ToEngine::Resync { .. } => "resync",
        ToEngine::Reactions { .. } | ToEngine::Counts(_) => "figures",
        ToEngine::Gone { .. } | ToEngine::Present(_) => "presence",
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::{ConnRef, GatewayId, RoundId, ShowId};
    use klaxon_protocol::link::AnswerBatch;

    use super::*;

    const GATEWAY: GatewayId = GatewayId(1);
    const SHOW: ShowId = ShowId(1);

    fn resync() -> Received {
        ToEngine::Resync { conn: ConnRef { gateway: GATEWAY, conn: 1 }, show: SHOW, seat: None }.into()
    }

    fn answers() -> Received {
        ToEngine::Answers(AnswerBatch { gateway: GATEWAY, show: SHOW, answers: Vec::new() }).into()
    }

    fn barrier_passed() -> Received {
        ToEngine::BarrierPassed { gateway: GATEWAY, show: SHOW, round: RoundId(1) }.into()
    }

    #[tokio::test]
    async fn a_flood_of_requests_leaves_room_for_answers_and_a_flood_of_answers_is_known_to_have_lost_some() {
        let (sender, mut inbox) = inbox();
        let taken = (0..2 * INBOX).filter(|_| sender.send(resync()) == Ok(())).count();
        assert_eq!(taken, INBOX - RESERVED);
        assert_eq!(sender.send(barrier_passed()), Ok(()));
        let taken = (0..2 * RESERVED).filter(|_| sender.send(answers()) == Ok(())).count();
        assert_eq!((taken, inbox.len()), (RESERVED - 1, INBOX));
        assert!(inbox.lost_answers());
        inbox.forget_lost_answers();
        assert_eq!(sender.send(barrier_passed()), Err(NotQueued::Full));
        assert!(!inbox.lost_answers(), "a barrier is no answer");
        let mut received = Vec::new();
        assert_eq!(inbox.receive(&mut received, RESERVED + 1).await, RESERVED + 1);
        assert_eq!(sender.send(resync()), Ok(()), "there is room again");
    }

    #[test]
    fn nothing_is_queued_for_a_show_that_is_gone_and_what_was_queued_before_is_still_received() {
        let (sender, mut inbox) = inbox();
        assert_eq!(sender.send(answers()), Ok(()));
        inbox.close();
        assert!(sender.is_closed());
        assert_eq!(sender.send(answers()), Err(NotQueued::Closed));
        assert_eq!(sender.send(resync()), Err(NotQueued::Closed));
        assert_eq!(inbox.try_receive(), Some(answers()));
        assert_eq!(inbox.try_receive(), None);
        assert!(!inbox.lost_answers());
    }
}
