//! A gateway's send queue for one show: pending messages, and entries that the show's engine has not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::link::{GatewayCounts, ToEngine};
use klaxon_protocol::player::Emoji;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::sealed_entry::seal_to_engine;
use super::version::{IS_NEXT, next_entry, split};
use crate::bus::StreamPosition;
use crate::bus::queue::DroppedAnswers;
use crate::seal::{SealKeys, Stream};

/// Answers in all send queues of a gateway. When there is no room for a batch it is dropped and counted, and its round is voided.
pub(super) const MAX_ANSWERS: usize = 1_000_000;
/// Limit of messages in all send queues of a gateway; a batch of answers is one message. At the limit joins and hosts'
/// commands are refused with `unavailable`, answers are dropped as above, and all other messages are dropped: requests
/// for snapshots are repeated by their senders, departures are found by a census, and a gateway whose barrier message
/// is dropped counts as silent.
pub(super) const MAX_MESSAGES: usize = 500_000;

/// A show that published something within this time is treated as running, whatever the directory lists.
const ACTIVE: Duration = Duration::from_secs(5);
/// A show of which Redis has had no progress for this long is over: a running engine would have published to a Redis
/// that lost its data.
const UNKNOWN: Duration = Duration::from_secs(3 * 60);
/// An unneeded subscription ends after this time, if no message waits to be sent or acknowledged.
const UNNEEDED: Duration = Duration::from_secs(30);
/// An unneeded subscription ends after this time even if messages wait.
const ABANDONED: Duration = Duration::from_secs(5 * 60);

/// The totals over all send queues of a gateway.
#[derive(Debug, Default)]
pub(super) struct Totals {
    messages: AtomicUsize,
    answers: AtomicUsize,
}

impl Totals {
    pub fn messages(&self) -> usize {
        self.messages.load(Relaxed)
    }

    pub fn answers(&self) -> usize {
        self.answers.load(Relaxed)
    }

    fn have_room_for(&self, size: Size) -> bool {
        self.messages() + size.messages <= MAX_MESSAGES && self.answers() + size.answers <= MAX_ANSWERS
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    messages: usize,
    answers: usize,
}

impl Size {
    fn of(message: &ToEngine) -> Self {
        Self { messages: 1, answers: if let ToEngine::Answers(batch) = message { batch.answers.len() } else { 0 } }
    }
}

/// The send queue of one show.
pub(super) struct SendQueue {
    pub show: ShowId,
    totals: Arc<Totals>,
    seal_keys: SealKeys,
    changed: Notify,
    state: Mutex<SendState>,
}

#[derive(Default)]
struct SendState {
    /// Messages that are in no entry yet.
    pending: Vec<ToEngine>,
    /// Entries in order. Those that Redis does not have are at the end.
    unacknowledged: VecDeque<SentEntry>,
    /// The size of `pending` and `unacknowledged` together.
    size: Size,
    /// The newest counts, and whether they have to be sent; newer counts replace older ones.
    counts: Option<GatewayCounts>,
    counts_due: bool,
    /// The sums of the emojis that have to be sent.
    reactions: [u32; Emoji::ALL.len()],
    dropped: DroppedAnswers,
    needed_at: Option<Instant>,
    /// The gateway leaves the show once Redis has everything in this queue.
    is_leaving: bool,
    /// The gateway has left the show: messages that are pushed now are dropped.
    is_closed: bool,
    /// When the show last published something.
    active_at: Option<Instant>,
    acknowledged: StreamPosition,
    /// The position up to which the gateway's own event stream was read.
    read: StreamPosition,
    has_ended: bool,
    /// Since when Redis has no progress of the show.
    unknown_since: Option<Instant>,
}

/// An entry, and its position once Redis has it.
struct SentEntry {
    bytes: Arc<[u8]>,
    size: Size,
    position: Option<StreamPosition>,
}

impl SentEntry {
    fn new(keys: &SealKeys, show: ShowId, messages: &[ToEngine]) -> Self {
        let size = messages.iter().map(Size::of).fold(Size::default(), |sum, size| Size {
            messages: sum.messages + size.messages,
            answers: sum.answers + size.answers,
        });
        Self { bytes: seal_to_engine(keys, Stream::Input(show), messages).into(), size, position: None }
    }

    fn of_nothing(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), size: Size::default(), position: None }
    }
}

/// The state in Redis of the show and of this gateway's subscription to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subscription {
    /// The gateway was not among the show's subscribers.
    pub was_missing: bool,
    pub acknowledged: StreamPosition,
    /// The last entry that the show published.
    pub last: StreamPosition,
    /// Redis has the newest entry that this gateway sent.
    pub has_newest: bool,
}

impl SendQueue {
    pub fn new(show: ShowId, totals: Arc<Totals>, seal_keys: SealKeys) -> Self {
        Self { show, totals, seal_keys, changed: Notify::new(), state: Mutex::default() }
    }

    /// Waits until something was pushed, or the gateway has to leave the show.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Marks the show as needed by this gateway. Returns false if the queue is closed.
    pub fn need(&self) -> bool {
        let mut state = self.state.lock();
        state.needed_at = Some(Instant::now());
        state.is_leaving = false;
        !state.is_closed
    }

    /// Called when no connection here needs the show: lets the gateway leave it after [`UNNEEDED`] or [`ABANDONED`].
    pub fn release_if_unneeded(&self) {
        let mut state = self.state.lock();
        let unneeded = state.needed_at.map_or(Duration::MAX, |at| at.elapsed());
        let is_empty = state.size.messages == 0;
        state.is_leaving |= (unneeded > UNNEEDED && is_empty) || unneeded > ABANDONED;
        self.changed.notify_one();
    }

    /// Lets the gateway leave the show as soon as Redis has everything in this queue.
    pub fn leave(&self) {
        self.state.lock().is_leaving = true;
        self.changed.notify_one();
    }

    /// Adds a message. Without room the message is returned as the error; a batch of answers is also counted as
    /// dropped.
    pub fn push(&self, message: ToEngine) -> Result<(), ToEngine> {
        let mut state = self.state.lock();
        if let ToEngine::Answers(batch) = &message {
            state.dropped.track_round(batch);
        }
        match message {
            _ if state.is_closed => return Ok(()),
            ToEngine::Counts(counts) => (state.counts, state.counts_due) = (Some(counts), true),
            ToEngine::Reactions { counts, .. } => {
                for (sum, count) in state.reactions.iter_mut().zip(counts) {
                    *sum = sum.saturating_add(count);
                }
            }
            message if !self.totals.have_room_for(Size::of(&message)) => {
                if let ToEngine::Answers(batch) = &message {
                    state.dropped.count_dropped(batch);
                }
                return Err(message);
            }
            message => {
                if matches!(message, ToEngine::BarrierPassed { .. }) {
                    // The engine has to receive the count of dropped answers before it tallies.
                    state.counts_due |= state.dropped.count() > 0;
                    if let Some(counts) = state.due_counts() {
                        self.add(&mut state, counts);
                    }
                }
                self.add(&mut state, message);
            }
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Adds a message in front of all others, even if there is no room.
    pub fn push_first(&self, message: ToEngine) {
        let mut state = self.state.lock();
        self.resize(&mut state, Size::of(&message), Size::default());
        state.pending.insert(0, message);
    }

    fn add(&self, state: &mut SendState, message: ToEngine) {
        self.resize(state, Size::of(&message), Size::default());
        state.pending.push(message);
    }

    fn resize(&self, state: &mut SendState, more: Size, less: Size) {
        state.size.messages = state.size.messages + more.messages - less.messages;
        state.size.answers = state.size.answers + more.answers - less.answers;
        self.totals.messages.fetch_add(more.messages, Relaxed);
        self.totals.answers.fetch_add(more.answers, Relaxed);
        self.totals.messages.fetch_sub(less.messages, Relaxed);
        self.totals.answers.fetch_sub(less.answers, Relaxed);
    }

    /// The entries that Redis does not have yet, in order. Pending messages become one entry, or one for each version
    /// of the link among them.
    pub fn unsent(&self) -> Vec<Arc<[u8]>> {
        let mut state = self.state.lock();
        if let Some(counts) = state.due_counts() {
            self.add(&mut state, counts);
        }
        if state.reactions.iter().any(|&count| count > 0) {
            let counts = std::mem::take(&mut state.reactions);
            self.add(&mut state, ToEngine::Reactions { show: self.show, counts });
        }
        let messages = std::mem::take(&mut state.pending);
        if !messages.is_empty() {
            // Encoding a large batch takes long, so the lock is released for other senders.
            drop(state);
            let entry = |messages: &Vec<ToEngine>| SentEntry::new(&self.seal_keys, self.show, messages);
            let entries: Vec<SentEntry> = split(messages).iter().map(entry).collect();
            state = self.state.lock();
            state.unacknowledged.extend(entries);
            if IS_NEXT {
                state.unacknowledged.push_back(SentEntry::of_nothing(next_entry()));
            }
        }
        let unsent = state.unacknowledged.iter().filter(|entry| entry.position.is_none());
        unsent.map(|entry| Arc::clone(&entry.bytes)).collect()
    }

    /// Stores the positions of the first unsent entries, which Redis has now.
    pub fn sent(&self, positions: Vec<StreamPosition>) {
        let mut state = self.state.lock();
        let unsent = state.unacknowledged.iter_mut().filter(|entry| entry.position.is_none());
        for (entry, position) in unsent.zip(positions) {
            entry.position = Some(position);
        }
        self.forget(&mut state);
    }

    /// The show published something, with its input acknowledged up to `acknowledged`. This gateway's own event stream
    /// was read up to `read`.
    pub fn acknowledge(&self, acknowledged: StreamPosition, read: StreamPosition) {
        let mut state = self.state.lock();
        state.active_at = Some(Instant::now());
        state.acknowledged = state.acknowledged.max(acknowledged);
        state.read = read;
        self.forget(&mut state);
    }

    /// Compares the state in Redis with what was sent. Returns true if Redis lost entries: then all unacknowledged ones
    /// are sent again.
    pub fn check(&self, subscription: Subscription) -> bool {
        let mut state = self.state.lock();
        let is_known = subscription.last != StreamPosition::default() || state.is_active();
        state.unknown_since = if is_known { None } else { state.unknown_since.or_else(|| Some(Instant::now())) };
        if state.unknown_since.is_some_and(|since| since.elapsed() > UNKNOWN) {
            let size = state.size;
            self.resize(&mut state, Size::default(), size);
            state.pending.clear();
            state.unacknowledged.clear();
            state.is_leaving = true;
        }
        let newest = state.newest();
        let is_lost = newest.is_some_and(|newest| newest > subscription.acknowledged && !subscription.has_newest);
        if is_lost {
            state.acknowledged = subscription.acknowledged;
            state.unacknowledged.iter_mut().for_each(|entry| entry.position = None);
        } else {
            state.acknowledged = state.acknowledged.max(subscription.acknowledged);
            self.forget(&mut state);
        }
        is_lost
    }

    fn forget(&self, state: &mut SendState) {
        let acknowledged = state.acknowledged;
        let is_acknowledged = |entry: &mut SentEntry| entry.position.is_some_and(|position| position <= acknowledged);
        while let Some(entry) = state.unacknowledged.pop_front_if(is_acknowledged) {
            self.resize(state, Size::default(), entry.size);
        }
    }

    /// The newest entry that Redis is known to have, and the position up to which the gateway's own event stream was
    /// read.
    pub fn positions(&self) -> (Option<StreamPosition>, StreamPosition) {
        let state = self.state.lock();
        (state.newest(), state.read)
    }

    /// Whether the gateway has to leave the show, and Redis has everything in this queue.
    pub fn can_leave(&self) -> bool {
        let state = self.state.lock();
        state.is_leaving
            && state.pending.is_empty()
            && state.unacknowledged.iter().all(|entry| entry.position.is_some())
    }

    /// Closes the queue, unless the show is needed again.
    pub fn close(&self) -> bool {
        let mut state = self.state.lock();
        state.is_closed = state.is_leaving && state.pending.is_empty();
        if state.is_closed {
            let size = state.size;
            self.resize(&mut state, Size::default(), size);
        }
        state.is_closed
    }

    pub fn is_closed(&self) -> bool {
        self.state.lock().is_closed
    }

    /// Whether the show published something within [`ACTIVE`].
    pub fn is_active(&self) -> bool {
        self.state.lock().is_active()
    }

    /// Notes that the show published its end.
    pub fn set_ended(&self) {
        self.state.lock().has_ended = true;
    }

    pub fn has_ended(&self) -> bool {
        self.state.lock().has_ended
    }
}

impl SendState {
    fn is_active(&self) -> bool {
        self.active_at.is_some_and(|at| at.elapsed() < ACTIVE)
    }

    fn newest(&self) -> Option<StreamPosition> {
        self.unacknowledged.iter().filter_map(|entry| entry.position).next_back()
    }

    /// The newest counts, if they have to be sent.
    fn due_counts(&mut self) -> Option<ToEngine> {
        let counts = self.counts.filter(|_| std::mem::take(&mut self.counts_due))?;
        let dropped = counts.dropped.saturating_add(self.dropped.count());
        Some(ToEngine::Counts(GatewayCounts { dropped, ..counts }))
    }
}

#[cfg(test)]
mod tests;
