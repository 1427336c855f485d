//! The connected hosts, the shows that each of them watches, and the messages that each is sent.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::{Alert, FromHost, HostEvent, ToHost};
use klaxon_protocol::ids::{ConnRef, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway, View};
use klaxon_protocol::player::{Phase, Pong, ToPlayer};
use parking_lot::Mutex;

use super::outbox::HostOutbox;
use crate::link::{Clock, GatewayEnd, HostSink};

/// Messages of a host that may wait for an engine's reply.
pub const MOST_UNANSWERED: usize = 64;
/// Hosts that may be connected at one time.
pub const MOST_HOSTS: usize = 256;
/// Shows that one host may watch at one time.
const MOST_WATCHED: usize = 256;
/// Events of a round, and alerts, that are kept for hosts that begin to watch. The rules of a round produce fewer
/// events, unless a host sends very many notices.
const MOST_KEPT: usize = 32;

/// All hosts of this gateway.
pub struct Hosts {
    engines: Arc<dyn GatewayEnd>,
    next_key: AtomicU64,
    state: Mutex<HostsState>,
}

#[derive(Default)]
struct HostsState {
    hosts: HashMap<u64, Arc<Host>>,
    watchers: HashMap<ShowId, BTreeSet<u64>>,
    latest: HashMap<ShowId, Latest>,
}

/// What a host that begins to watch during a show is sent first.
#[derive(Default)]
struct Latest {
    figures: Option<Arc<ToHost>>,
    /// The event that began the last round, and the events after it.
    events: Vec<Arc<ToHost>>,
    /// Alerts that arrived while no host watched, for the first one that does: after a crash no host is connected yet
    /// when the engine sends the alert about it.
    undelivered: VecDeque<Arc<ToHost>>,
}

impl Latest {
    fn has_round(&self) -> bool {
        self.events.first().is_some_and(
            |first| matches!(&**first, ToHost::Event(HostEvent { event, .. }) if event.begins_round().is_some() || matches!(**event, ToPlayer::GameSnapshot(_))),
        )
    }
}

/// One connected host.
pub struct Host {
    key: u64,
    unanswered: AtomicUsize,
    /// Messages that wait to be sent to it.
    pub outbox: HostOutbox,
}

impl Hosts {
    /// No hosts yet.
    #[must_use]
    pub fn new(engines: Arc<dyn GatewayEnd>) -> Self {
        Self { engines, next_key: AtomicU64::new(1), state: Mutex::default() }
    }

    /// Registers a host that connected. None if there are [`MOST_HOSTS`] already.
    #[must_use]
    pub fn arrive(&self) -> Option<Arc<Host>> {
        let mut state = self.state.lock();
        if state.hosts.len() >= MOST_HOSTS {
            return None;
        }
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        let host = Arc::new(Host { key, unanswered: AtomicUsize::new(0), outbox: HostOutbox::default() });
        state.hosts.insert(key, Arc::clone(&host));
        metrics::gauge!("klaxon_hosts").set(state.hosts.len() as f64);
        Some(host)
    }

    /// Removes a host that disconnected.
    pub fn leave(&self, host: &Host) {
        let mut state = self.state.lock();
        state.hosts.remove(&host.key);
        state.watchers.retain(|_, watchers| {
            watchers.remove(&host.key);
            !watchers.is_empty()
        });
        metrics::gauge!("klaxon_hosts").set(state.hosts.len() as f64);
    }

    /// Processes a host's message: answers it here if it concerns the connection itself, else sends it to the engines.
    pub fn receive_from(&self, host: &Host, message: FromHost) {
        metrics::counter!("klaxon_host_messages_total").increment(1);
        match message {
            FromHost::Ping(ping) => {
                let pong = Pong { sent: ping.sent, now: Clock::of_process().now() };
                host.outbox.push(Arc::new(ToHost::Pong(pong)));
            }
            FromHost::Watch(watched) => self.watch(host, watched.show),
            FromHost::Unwatch(watched) => {
                let mut state = self.state.lock();
                if let Some(watchers) = state.watchers.get_mut(&watched.show) {
                    watchers.remove(&host.key);
                    if watchers.is_empty() {
                        state.watchers.remove(&watched.show);
                    }
                }
            }
            FromHost::Create(_)
            | FromHost::CreateGame(_)
            | FromHost::Command(_)
            | FromHost::Shows
            | FromHost::FindPlayers(_)
            | FromHost::JournalTail(_) => self.forward(host, message),
        }
    }

    fn forward(&self, host: &Host, message: FromHost) {
        let room_left = host.unanswered.fetch_update(Ordering::AcqRel, Ordering::Acquire, |unanswered| {
            (unanswered < MOST_UNANSWERED).then_some(unanswered + 1)
        });
        if room_left.is_err() {
            let detail = format!("{MOST_UNANSWERED} messages of this connection wait for their answers.");
            refuse(host, &Refusal::because(ErrorCode::RateLimited, detail), &message);
            return;
        }
        let conn = ConnRef { gateway: self.engines.id(), conn: host.key };
        self.engines.send(ToEngine::Host { conn, message: message.encodable() });
    }

    fn watch(&self, host: &Host, show: ShowId) {
        let mut state = self.state.lock();
        let watched = state.watchers.values().filter(|watchers| watchers.contains(&host.key)).count();
        if watched >= MOST_WATCHED {
            drop(state);
            let detail = format!("A connection watches at most {MOST_WATCHED} shows.");
            host.outbox.push(Arc::new(ToHost::Error((&Refusal::because(ErrorCode::RateLimited, detail)).into())));
            return;
        }
        state.watchers.entry(show).or_default().insert(host.key);
        self.engines.subscribe(show);
        // Sent under the same lock as later messages, so that none is duplicated or out of order.
        if let Some(latest) = state.latest.get_mut(&show) {
            let undelivered = std::mem::take(&mut latest.undelivered);
            for message in undelivered.iter().chain(&latest.events).chain(&latest.figures) {
                host.outbox.push(Arc::clone(message));
            }
        }
    }

    /// Sends a message to the host that sent the request.
    fn reply(&self, conn: ConnRef, message: ToHost) {
        if conn.gateway != self.engines.id() {
            return;
        }
        let Some(host) = self.state.lock().hosts.get(&conn.conn).cloned() else { return };
        // Saturating: an engine that replies twice must not raise the host's limit. A resume token follows a reply and
        // is not counted as one.
        let is_answer = !matches!(message, ToHost::ResumeToken(_));
        let _ = host.unanswered.fetch_update(Ordering::AcqRel, Ordering::Acquire, |unanswered| {
            unanswered.checked_sub(usize::from(is_answer))
        });
        host.outbox.push(Arc::new(message));
    }

    /// Sends a message to all hosts that watch the show.
    fn send_to_watchers(&self, show: ShowId, message: ToHost) {
        let message = Arc::new(message);
        let mut state = self.state.lock();
        state.keep(show, &message);
        for key in state.watchers.get(&show).into_iter().flatten() {
            if let Some(host) = state.hosts.get(key) {
                host.outbox.push(Arc::clone(&message));
            }
        }
    }

    /// Called when this gateway has subscribed to a running show: sends the last round, as it is now, to the hosts that
    /// watch it.
    fn catch_up(&self, show: ShowId, view: &View) {
        let events = view.message.last_round();
        if events.is_empty() {
            return;
        }
        {
            let state = self.state.lock();
            // The round's events are known already: they arrived normally, or another host of this gateway was caught
            // up before.
            if state.latest.get(&show).is_some_and(Latest::has_round) {
                return;
            }
        }
        for event in events {
            self.send_to_watchers(show, ToHost::Event(HostEvent { show, event: Box::new(event) }));
        }
    }
}

impl HostsState {
    fn keep(&mut self, show: ShowId, message: &Arc<ToHost>) {
        match &**message {
            ToHost::Figures(figures) if figures.phase == Phase::Ended => {
                self.latest.remove(&show);
            }
            ToHost::Figures(_) => self.latest.entry(show).or_default().figures = Some(Arc::clone(message)),
            ToHost::Event(HostEvent { event, .. }) => match &**event {
                ToPlayer::End(_) => {
                    self.latest.remove(&show);
                }
                event if event.begins_round().is_some() || matches!(event, ToPlayer::GameSnapshot(_)) => {
                    self.latest.entry(show).or_default().events = vec![Arc::clone(message)]
                }
                event if event.seq().is_some() => {
                    let events = &mut self.latest.entry(show).or_default().events;
                    if events.len() < MOST_KEPT {
                        events.push(Arc::clone(message));
                    }
                }
                _ => {}
            },
            ToHost::Alert(_) if !self.watchers.contains_key(&show) => {
                let undelivered = &mut self.latest.entry(show).or_default().undelivered;
                if undelivered.len() == MOST_KEPT {
                    undelivered.pop_front();
                }
                undelivered.push_back(Arc::clone(message));
            }
            _ => {}
        }
    }
}

impl HostSink for Hosts {
    fn receive(&self, message: ToGateway) {
        match message {
            ToGateway::Host { conn, message } => self.reply(conn, message),
            ToGateway::Figures(figures) => self.send_to_watchers(figures.show, ToHost::Figures(figures)),
            ToGateway::Alert { show, at, alert } => {
                self.send_to_watchers(show, ToHost::Alert(Alert { show, at, alert }))
            }
            ToGateway::Broadcast(broadcast) => {
                let event = HostEvent { show: broadcast.show, event: Box::new(broadcast.message) };
                self.send_to_watchers(event.show, ToHost::Event(event));
            }
            ToGateway::Running { show, view } => self.catch_up(show, &view),
            ToGateway::Seated(_)
            | ToGateway::Resynced(_)
            | ToGateway::JoinRefused { .. }
            | ToGateway::Replies(_)
            | ToGateway::Barrier { .. }
            | ToGateway::Moved { .. }
            | ToGateway::Own { .. }
            | ToGateway::Said { .. }
            | ToGateway::Reissued(_)
            | ToGateway::Census { .. }
            | ToGateway::Dismiss { .. } => {}
        }
    }

    fn watched(&self) -> BTreeSet<ShowId> {
        self.state.lock().watchers.keys().copied().collect()
    }

    fn forget_all_but(&self, shows: &BTreeSet<ShowId>) {
        self.state.lock().latest.retain(|show, _| shows.contains(show));
    }
}

/// Refuses a host's message. The refusal has the command's id if the message has one.
fn refuse(host: &Host, refusal: &Refusal, message: &FromHost) {
    use klaxon_protocol::host::Refused;
    let error = refusal.into();
    let refused = match message {
        FromHost::Create(create) => ToHost::Refused(Refused { id: create.id.clone(), error }),
        FromHost::CreateGame(create) => ToHost::Refused(Refused { id: create.id.clone(), error }),
        FromHost::Command(command) => ToHost::Refused(Refused { id: command.id.clone(), error }),
        _ => ToHost::Error(error),
    };
    host.outbox.push(Arc::new(refused));
}
