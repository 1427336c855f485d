//! All send queues of a gateway: each message is put into its show's queue by the thread that sends it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{ShowCode, ShowId};
use klaxon_protocol::link::{JoinRequest, Present, ToEngine, ToGateway};
use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::code_cache::CodeCache;
use super::directory::Directory;
use super::gateway_publisher::{GatewayContext, publish};
use super::host_requests::send_requests;
use super::sealed_entry::seal_to_engine;
use super::send_queue::{SendQueue, Totals};
use super::waiting::{Directed, Waiting};
use crate::bus::queue::{count_full, record_length, refusal};
use crate::seal::Stream;

/// Requests to any engine that Redis has not taken. When there is no room a request is refused with `unavailable`.
pub(super) const MAX_REQUESTS: usize = 1_000;
/// Refusals that the gateway has not taken. When there is no room they are dropped: a join is given up by the gateway's own deadline, and
/// a host repeats a command.
pub(super) const MAX_REFUSALS: usize = 100_000;

/// The send queues of a gateway. Clones share them.
#[derive(Clone)]
pub(super) struct GatewayQueues(Arc<Inner>);

struct Inner {
    context: GatewayContext,
    /// Spawns tasks: messages are sent by threads outside of tokio.
    runtime: Handle,
    refusals: mpsc::Sender<ToGateway>,
    /// The uncertainty of this process's clock, in microseconds.
    clock_uncertainty: Arc<AtomicU32>,
    totals: Arc<Totals>,
    state: Mutex<QueuesState>,
}

#[derive(Default)]
pub(super) struct QueuesState {
    shows: HashMap<ShowId, Arc<SendQueue>>,
    pub(super) codes: CodeCache,
    /// Joins by the code that is looked up for them.
    pub(super) joins: Waiting<ShowCode, JoinRequest>,
    /// Joins and hosts' messages by the show that is looked up for them.
    pub(super) directed: Waiting<ShowId, Directed>,
    pub(super) lookups: JoinSet<()>,
    publishers: JoinSet<()>,
    requests: Option<(mpsc::Sender<Vec<u8>>, JoinHandle<()>)>,
    is_closing: bool,
}

impl GatewayQueues {
    pub fn new(context: GatewayContext, refusals: mpsc::Sender<ToGateway>, clock_uncertainty: Arc<AtomicU32>) -> Self {
        let (requests, to_send) = mpsc::channel(MAX_REQUESTS);
        let keys = context.redis.keys().clone();
        let sending = tokio::spawn(send_requests(context.connection.clone(), keys, to_send));
        let state = QueuesState { requests: Some((requests, sending)), ..QueuesState::default() };
        Self(Arc::new(Inner {
            context,
            runtime: Handle::current(),
            refusals,
            clock_uncertainty,
            totals: Arc::default(),
            state: Mutex::new(state),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, QueuesState> {
        self.0.state.lock()
    }

    pub fn send(&self, message: ToEngine) {
        let (show, is_need) = match &message {
            ToEngine::Join(_) => {
                let ToEngine::Join(request) = message else { return };
                return self.join(request);
            }
            ToEngine::Host { .. } => {
                let ToEngine::Host { conn, message } = message else { return };
                return self.host(conn, message);
            }
            ToEngine::Attend { show, .. } => return self.subscribe(*show),
            ToEngine::Answers(batch) => (batch.show, true),
            ToEngine::Resync { show, .. } => (*show, true),
            ToEngine::BarrierPassed { show, .. }
            | ToEngine::Reactions { show, .. }
            | ToEngine::Gone { show, .. }
            | ToEngine::Present(Present { show, .. }) => (*show, false),
            ToEngine::Counts(counts) => (counts.show, false),
            // Nothing to send: the registry tracks whether this gateway is up, and a show's subscribers who receives
            // it.
            ToEngine::Hello { .. } | ToEngine::Bye { .. } | ToEngine::Leave { .. } => return,
        };
        let mut state = self.state();
        let queue = if is_need { Some(self.need(&mut state, show)) } else { state.shows.get(&show).cloned() };
        drop(state);
        if let Some(queue) = queue {
            self.push(&queue, message);
        }
    }

    /// Adds a message to a show's queue. If there is no room it is refused, with a reply if its sender waits for one.
    pub(super) fn push(&self, queue: &SendQueue, mut message: ToEngine) {
        if let ToEngine::Counts(counts) = &mut message {
            counts.clock_uncertainty = counts.clock_uncertainty.max(self.0.clock_uncertainty.load(Relaxed));
        }
        if let Err(message) = queue.push(message) {
            count_full("send");
            self.refuse(message, ErrorCode::Unavailable);
        }
    }

    pub fn subscribe(&self, show: ShowId) {
        self.need(&mut self.state(), show);
    }

    /// The queue of a show, which is marked as needed by this gateway.
    pub(super) fn need(&self, state: &mut QueuesState, show: ShowId) -> Arc<SendQueue> {
        let known = state.shows.get(&show).filter(|queue| queue.need()).cloned();
        let queue = known.unwrap_or_else(|| {
            let keys = self.0.context.redis.seal_keys().clone();
            let queue = Arc::new(SendQueue::new(show, Arc::clone(&self.0.totals), keys));
            queue.need();
            state.shows.insert(show, Arc::clone(&queue));
            while state.publishers.try_join_next().is_some() {}
            state.publishers.spawn_on(publish(self.0.context.clone(), Arc::clone(&queue)), &self.0.runtime);
            queue
        });
        if state.is_closing {
            queue.leave();
        }
        queue
    }

    pub fn retain_subscriptions(&self, shows: &BTreeSet<ShowId>) {
        let mut state = self.state();
        if state.is_closing {
            return;
        }
        state.shows.retain(|_, queue| !queue.is_closed());
        for (show, queue) in &state.shows {
            if shows.contains(show) {
                queue.need();
            } else {
                queue.release_if_unneeded();
            }
        }
    }

    /// Sends a request to any engine.
    pub(super) fn request(&self, request: ToEngine) {
        let bytes = seal_to_engine(self.0.context.redis.seal_keys(), Stream::Requests, std::slice::from_ref(&request));
        if let Some((requests, _)) = &self.state().requests
            && requests.try_send(bytes).is_err()
        {
            count_full("requests");
            self.refuse(request, ErrorCode::Unavailable);
        }
    }

    /// Replies that a message did not reach an engine, if its sender waits for a reply.
    pub(super) fn refuse(&self, message: ToEngine, code: ErrorCode) {
        if let Some(refusal) = refusal(message, code)
            && self.0.refusals.try_send(refusal).is_err()
        {
            count_full("refusals");
        }
    }

    pub(super) fn spawn_lookup(&self, state: &mut QueuesState, lookup: impl Future<Output = ()> + Send + 'static) {
        while state.lookups.try_join_next().is_some() {}
        if !state.is_closing {
            state.lookups.spawn_on(lookup, &self.0.runtime);
        }
    }

    pub(super) fn directory(&self) -> Directory {
        Directory::new(self.0.context.connection.clone(), self.0.context.redis.keys().clone())
    }

    /// Records the lengths of the queues as metrics.
    pub fn record_lengths(&self) {
        let requests = self.state().requests.as_ref().map_or(0, |(requests, _)| MAX_REQUESTS - requests.capacity());
        record_length("send", self.0.totals.messages());
        record_length("answers", self.0.totals.answers());
        record_length("requests", requests);
        record_length("refusals", MAX_REFUSALS - self.0.refusals.capacity());
        record_length("lookups", {
            let state = self.state();
            state.joins.len() + state.directed.len()
        });
    }

    /// Leaves all shows, once Redis has everything that was sent.
    pub async fn close(&self) {
        let (mut publishers, requests) = {
            let mut state = self.state();
            state.is_closing = true;
            state.lookups.abort_all();
            state.shows.values().for_each(|queue| queue.leave());
            (std::mem::take(&mut state.publishers), state.requests.take())
        };
        while publishers.join_next().await.is_some() {}
        if let Some((requests, sending)) = requests {
            drop(requests);
            // The task fails only if it is aborted.
            let _ = sending.await;
        }
    }

    /// Aborts all tasks; what was not sent is dropped.
    pub fn abort(&self) {
        let mut state = self.state();
        state.is_closing = true;
        state.publishers.abort_all();
        state.lookups.abort_all();
        if let Some((_, sending)) = state.requests.take() {
            sending.abort();
        }
    }
}

impl QueuesState {
    pub(super) fn has_ended(&self, show: ShowId) -> bool {
        self.shows.get(&show).is_some_and(|queue| queue.has_ended())
    }

    pub(super) fn is_active(&self, show: ShowId) -> bool {
        self.shows.get(&show).is_some_and(|queue| queue.is_active())
    }

    /// Caches which show has a code. The entries of active shows are kept.
    pub(super) fn remember_code(&mut self, code: ShowCode, show: Option<ShowId>) {
        let shows = &self.shows;
        self.codes.insert(code, show, |show| shows.get(&show).is_some_and(|queue| queue.is_active()));
    }
}
