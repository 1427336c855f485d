//! Which hosts are connected, what each of them watches, and which messages it is sent.

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

/// How many of a host's messages may wait for an engine's answer.
pub const MOST_UNANSWERED: usize = 64;
/// How many hosts may be connected.
pub const MOST_HOSTS: usize = 256;
/// How many shows one host may watch.
const MOST_WATCHED: usize = 256;
/// How many events of a round, and how many alerts, are kept for hosts that begin to watch: more than its rules allow, short of a flood of notices.
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

/// What a host that begins to watch in the middle of a show must know to understand the rest.
#[derive(Default)]
struct Latest {
    figures: Option<Arc<ToHost>>,
    /// The event that began the last round, and those since.
    events: Vec<Arc<ToHost>>,
    /// Alerts that came while no host watched: for the first that does. After a crash no host is connected when the engine
    /// sends the alert about it.
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
    /// What it still has to be sent.
    pub outbox: HostOutbox,
}

impl Hosts {
    /// No hosts yet.
    #[must_use]
    pub fn new(engines: Arc<dyn GatewayEnd>) -> Self {
        Self { engines, next_key: AtomicU64::new(1), state: Mutex::default() }
    }

    /// A host is there. None if there are too many.
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

    /// A host is gone.
    pub fn leave(&self, host: &Host) {
        let mut state = self.state.lock();
        state.hosts.remove(&host.key);
        state.watchers.retain(|_, watchers| {
            watchers.remove(&host.key);
            !watchers.is_empty()
        });
        metrics::gauge!("klaxon_hosts").set(state.hosts.len() as f64);
    }

    /// A message of a host: answered here if it is about this connection, else sent to the engines.
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
        // Under the same lock as what follows them, so that nothing is sent twice or out of order.
        if let Some(latest) = state.latest.get_mut(&show) {
            let undelivered = std::mem::take(&mut latest.undelivered);
            for message in undelivered.iter().chain(&latest.events).chain(&latest.figures) {
                host.outbox.push(Arc::clone(message));
            }
        }
    }

    /// To the host that sent the request.
    fn reply(&self, conn: ConnRef, message: ToHost) {
        if conn.gateway != self.engines.id() {
            return;
        }
        let Some(host) = self.state.lock().hosts.get(&conn.conn).cloned() else { return };
        // Saturating: an engine that answers twice must not give the host more room than it has.
        // What follows an answer gives none either.
        let is_answer = !matches!(message, ToHost::ResumeToken(_));
        let _ = host.unanswered.fetch_update(Ordering::AcqRel, Ordering::Acquire, |unanswered| {
            unanswered.checked_sub(usize::from(is_answer))
        });
        host.outbox.push(Arc::new(message));
    }

    /// To all who watch the show.
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

    /// The show began before its events came to this gateway: hosts that watch it are sent the last round, as it is now.
    fn catch_up(&self, show: ShowId, view: &View) {
        let events = view.message.last_round();
        if events.is_empty() {
            return;
        }
        {
            let state = self.state.lock();
            // Its events came all along, or since another host of this gateway was sent the same.
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

/// Refuses a host's message, under the command's id if it has one.
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
