//! The queue of what gateways sent about a show.
//!
//! It holds [`INBOX`] messages at most. When it is full the engine's router does not wait, or one slow show would hold up all others:
//! - Requests, and reports that are repeated or made up for (joins, hosts, snapshots, figures, who is there), are refused while fewer than
//!   [`RESERVED`] places are left. Somebody who waits for a reply gets `unavailable`.
//! - Answers, barriers, and gateways that come and go take those last places. What finds none is dropped; if it was answers, the round
//!   is voided, as if a gateway had dropped them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use klaxon_protocol::link::ToEngine;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::bus::Received;

/// How many messages wait for a show at most: 60 MB of joins.
const INBOX: usize = 1 << 18;
/// How many of these places are kept for answers, barriers and gateways. A message holds up to 512 answers.
const RESERVED: usize = 1 << 16;

/// Why a message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotQueued {
    /// Nobody plays the show here any more.
    Closed,
    /// There is no place for it.
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

    /// Whether nobody reads the inbox any more.
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
    /// Waits for messages and appends up to `limit` of them to `into`. Returns how many; 0 when no more can come.
    pub async fn receive(&mut self, into: &mut Vec<Received>, limit: usize) -> usize {
        self.queue.recv_many(into, limit).await
    }

    /// The next message, if one is there.
    pub fn try_receive(&mut self) -> Option<Received> {
        self.queue.try_recv().ok()
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Takes no more messages; those that wait can still be received.
    pub fn close(&mut self) {
        self.queue.close();
    }

    /// Whether answers were dropped since the last round began.
    pub fn lost_answers(&self) -> bool {
        self.lost_answers.load(Relaxed)
    }

    /// A round begins: what was dropped before it was to another.
    pub fn forget_lost_answers(&self) {
        self.lost_answers.store(false, Relaxed);
    }
}

/// Whether the loss of a message would cost more than a refused request or a late figure.
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

/// What the metric calls a message.
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
