//! What a gateway says, on its way to the engines: one task sorts it by show, and never waits for Redis itself.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::{AnswerBatch, JoinRequest, Present, ToEngine, ToGateway};
use redis::RedisError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::attending::Reader;
use super::directory::Directory;
use super::lookup::{Codes, Waiting};
use super::orders::Order;
use super::show_out::{self, Attended, ShowOut};
use super::{Task, pause, requests};
use crate::bus::Place;
use crate::redis::{Connection, Redis};

/// So many answers wait for the engines at most; those behind them are dropped.
const MOST_ANSWERS: usize = 1_000_000;
/// How often it is seen whether Redis still knows what it was told.
const LOOK: Duration = Duration::from_millis(1000);
/// A show that nobody here needs is heard for so long yet.
const UNNEEDED: Duration = Duration::from_secs(30);
/// What a show that nobody needs has not dealt with by then is given up.
const GIVEN_UP: Duration = Duration::from_secs(5 * 60);
/// So many orders are taken at once.
const TAKE: usize = 1024;

/// Where the sender's messages come from and go to.
pub(super) struct Ends {
    pub redis: Redis,
    pub connection: Connection,
    pub gateway: GatewayId,
    pub orders: mpsc::UnboundedSender<Order>,
    /// To the gateway, from shows that it hears.
    pub said: mpsc::Sender<Vec<ToGateway>>,
    /// To the gateway, from here.
    pub refused: mpsc::UnboundedSender<ToGateway>,
    /// How wrong this process's clock may be.
    pub uncertainty: Arc<AtomicU32>,
}

/// Sorts what the gateway says.
pub(super) struct Sender {
    pub(super) ends: Ends,
    pub(super) directory: Directory,
    pub(super) shows: HashMap<ShowId, ShowOut>,
    pub(super) codes: Codes,
    pub(super) joining: Waiting<ShowCode, JoinRequest>,
    /// Who comes back to another show than the one that has the code now, which is named beside the request.
    pub(super) resuming: Waiting<ShowId, (Option<ShowId>, JoinRequest)>,
    pub(super) commanding: Waiting<ShowId, (ConnRef, FromHost)>,
    pub(super) requests: VecDeque<Arc<[u8]>>,
    is_asking: bool,
    failures: u32,
    /// Answers that wait for Redis or engines.
    answers: usize,
    closing: Option<oneshot::Sender<()>>,
}

impl Sender {
    pub fn new(ends: Ends) -> Self {
        Self {
            directory: Directory::new(ends.connection.clone(), ends.redis.keys().clone()),
            ends,
            shows: HashMap::new(),
            codes: Codes::default(),
            joining: Waiting::default(),
            resuming: Waiting::default(),
            commanding: Waiting::default(),
            requests: VecDeque::new(),
            is_asking: false,
            failures: 0,
            answers: 0,
            closing: None,
        }
    }

    /// Does what it is told to, until it is closed.
    pub async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(TAKE);
        let mut touched = BTreeSet::new();
        loop {
            tokio::select! {
                _ = orders.recv_many(&mut taken, TAKE) => {
                    taken.drain(..).for_each(|order| touched.extend(self.take(order)));
                }
                _ = looks.tick() => touched.extend(self.look()),
            }
            // All that was told at once goes at once.
            while let Some(show) = touched.pop_first() {
                self.go_on(show);
            }
            self.ask();
            if self.closing.is_some() && self.shows.is_empty() && self.requests.is_empty() {
                self.closing.take().map(|closed| closed.send(()));
                return;
            }
        }
    }

    /// The show that this is about, if there is more to do for it.
    fn take(&mut self, order: Order) -> Option<ShowId> {
        match order {
            Order::Send(message) => return self.send(message),
            Order::Attend(show) => {
                self.need(show);
                return Some(show);
            }
            Order::AttendOnly(shows) => self.attend_only(&shows),
            Order::Found(code, show) => return self.found(code, show),
            Order::Listed(show, is_listed) => return self.listed(show, is_listed),
            Order::Resumed(show, is_listed) => return self.resumed(show, is_listed),
            Order::Looked(show, attended) => {
                self.looked(show, attended);
                return Some(show);
            }
            Order::Sent(show, ids) => {
                self.sent(show, ids);
                return Some(show);
            }
            Order::Heard(show, heard, read) => self.with(show, |out| {
                out.hears(heard);
                out.read = read;
            }),
            Order::Ended(show) => self.with(show, |out| out.has_ended = true),
            Order::Left(show, has_left) => {
                self.left(show, has_left);
                return Some(show);
            }
            Order::Asked(is_done) => {
                self.is_asking = false;
                if is_done {
                    self.requests.pop_front();
                }
                self.failures = if is_done { 0 } else { self.failures + 1 };
            }
            Order::Close(closed) => {
                self.closing = Some(closed);
                self.shows.values_mut().for_each(|out| out.is_leaving = true);
                let shows: Vec<ShowId> = self.shows.keys().copied().collect();
                shows.into_iter().for_each(|show| self.go_on(show));
            }
        }
        None
    }

    fn send(&mut self, message: ToEngine) -> Option<ShowId> {
        let show = match &message {
            ToEngine::Join(_) => {
                let ToEngine::Join(request) = message else { return None };
                return self.join(request);
            }
            ToEngine::Host { .. } => {
                let ToEngine::Host { conn, message } = message else { return None };
                self.host(conn, message);
                return None;
            }
            ToEngine::Answers(batch) => {
                let show = batch.show;
                if !self.takes(batch) {
                    return None;
                }
                self.need(show);
                show
            }
            ToEngine::Resync { show, .. } => {
                self.need(*show);
                *show
            }
            ToEngine::Attend { show, .. } => {
                self.need(*show);
                return Some(*show);
            }
            ToEngine::BarrierPassed { show, .. }
            | ToEngine::Reactions { show, .. }
            | ToEngine::Gone { show, .. }
            | ToEngine::Present(Present { show, .. }) => *show,
            ToEngine::Counts(counts) => counts.show,
            // Whether this gateway is up is seen by the registry, and what it hears by what it attends.
            ToEngine::Hello { .. } | ToEngine::Bye { .. } | ToEngine::Leave { .. } => return None,
        };
        let uncertainty = self.ends.uncertainty.load(std::sync::atomic::Ordering::Relaxed);
        self.with(show, |out| {
            let mut message = message;
            if let ToEngine::Counts(counts) = &mut message {
                counts.dropped = counts.dropped.saturating_add(out.dropped());
                counts.clock_uncertainty = counts.clock_uncertainty.max(uncertainty);
            }
            out.push(message);
        });
        Some(show)
    }

    /// Whether there is room for these answers. If there is none they are counted, and the question is voided.
    fn takes(&mut self, batch: &AnswerBatch) -> bool {
        let is_full = self.answers + batch.answers.len() > MOST_ANSWERS;
        let out = self.shows.entry(batch.show).or_insert_with(ShowOut::new);
        let Some(question) = batch.answers.iter().map(|answer| answer.question).max() else { return false };
        out.new_question(question);
        if is_full {
            let count = u32::try_from(batch.answers.len()).unwrap_or(u32::MAX);
            out.drop_answers(question, count);
            metrics::counter!("klaxon_answers_dropped_total").increment(u64::from(count));
        }
        !is_full
    }

    /// Changes what is to be said about a show that this gateway has something to do with.
    pub(super) fn with(&mut self, show: ShowId, change: impl FnOnce(&mut ShowOut)) {
        if let Some(out) = self.shows.get_mut(&show) {
            let before = out.answers();
            change(out);
            self.answers = self.answers + out.answers() - before;
        }
    }

    pub(super) fn need(&mut self, show: ShowId) {
        let out = self.shows.entry(show).or_insert_with(ShowOut::new);
        out.needed = Instant::now();
        out.is_leaving = self.closing.is_some();
    }

    fn attend_only(&mut self, shows: &BTreeSet<ShowId>) {
        for (_, out) in self.shows.iter_mut().filter(|(show, _)| !shows.contains(show)) {
            let unneeded = out.needed.elapsed();
            out.is_leaving |= (unneeded > UNNEEDED && out.is_idle()) || unneeded > GIVEN_UP;
        }
        for show in shows {
            self.with(*show, |out| out.needed = Instant::now());
        }
    }

    /// All shows: it is seen whether Redis still knows what it was told of them.
    fn look(&mut self) -> Vec<ShowId> {
        let shows = &self.shows;
        self.codes.forget(|show| shows.get(&show).is_some_and(ShowOut::is_heard));
        let gone: Vec<ShowId> = shows.iter().filter(|(_, out)| out.is_gone()).map(|(show, _)| *show).collect();
        for show in gone {
            self.with(show, ShowOut::give_up);
        }
        self.shows.values_mut().for_each(|out| out.must_look = true);
        self.shows.keys().copied().collect()
    }

    /// Does the next thing for a show.
    fn go_on(&mut self, show: ShowId) {
        let Some(out) = self.shows.get_mut(&show).filter(|out| !out.is_busy) else { return };
        let ends = &self.ends;
        let (mut connection, keys, orders) = (ends.connection.clone(), ends.redis.keys().clone(), ends.orders.clone());
        let (about, failures) = ((show, ends.gateway), out.failures);
        out.is_busy = true;
        if out.is_leaving && out.is_sent() {
            out.reader = None;
            tokio::spawn(async move {
                let left = show_out::leave(&mut connection, &keys, about).await;
                let _ = orders.send(Order::Left(show, done(left, failures).await.is_some()));
            });
        } else if out.reader.is_none() || out.must_look {
            let (newest, read) = (out.newest(), out.read);
            tokio::spawn(async move {
                let attended = show_out::attend(&connection, &keys, about, newest, read).await;
                let _ = orders.send(Order::Looked(show, done(attended, failures).await));
            });
        } else {
            let entries = out.unsent();
            if entries.is_empty() {
                out.is_busy = false;
                return;
            }
            tokio::spawn(async move {
                let sent = show_out::send(&mut connection, &keys, show, &entries).await;
                let _ = orders.send(Order::Sent(show, done(sent, failures).await));
            });
        }
    }

    fn looked(&mut self, show: ShowId, attended: Option<Attended>) {
        let (redis, gateway) = (self.ends.redis.clone(), self.ends.gateway);
        let (said, orders) = (self.ends.said.clone(), self.ends.orders.clone());
        self.with(show, |out| {
            out.is_busy = false;
            let Some(attended) = attended else {
                out.failures += 1;
                return;
            };
            (out.failures, out.must_look) = (0, false);
            if out.looked(attended) {
                tracing::warn!(%show, "Redis lost what was said about a show; it is said again");
                metrics::counter!("klaxon_bus_said_again_total").increment(1);
            }
            let is_new = out.reader.is_none();
            if is_new {
                let reader = Reader::new(redis, (show, gateway), attended.last, said, orders);
                out.reader = Some(Task::spawn(reader.run()));
            }
            if is_new || attended.was_missing {
                out.queue.insert(0, ToEngine::Attend { gateway, show });
            }
        });
    }

    fn sent(&mut self, show: ShowId, ids: Option<Vec<Place>>) {
        self.with(show, |out| {
            out.is_busy = false;
            match ids {
                Some(ids) => {
                    out.failures = 0;
                    out.sent(ids);
                }
                None => {
                    out.failures += 1;
                    // It may have lost its memory meanwhile.
                    out.must_look = true;
                }
            }
        });
    }

    fn left(&mut self, show: ShowId, has_left: bool) {
        let is_closing = self.closing.is_some();
        self.with(show, |out| {
            out.is_busy = false;
            out.failures = if has_left { 0 } else { out.failures + 1 };
        });
        let is_gone = |out: &mut ShowOut| has_left && (is_closing || (out.is_leaving && out.queue.is_empty()));
        if self.shows.get_mut(&show).is_some_and(is_gone)
            && let Some(out) = self.shows.remove(&show)
        {
            self.answers -= out.answers();
        }
    }

    /// Makes the next request.
    fn ask(&mut self) {
        if self.is_asking {
            return;
        }
        let Some(request) = self.requests.front().cloned() else { return };
        self.is_asking = true;
        let ends = &self.ends;
        let (mut connection, keys, orders) = (ends.connection.clone(), ends.redis.keys().clone(), ends.orders.clone());
        let failures = self.failures;
        tokio::spawn(async move {
            let asked = requests::ask(&mut connection, &keys, &request).await;
            let _ = orders.send(Order::Asked(done(asked, failures).await.is_some()));
        });
    }
}

/// What came of it. After a failure it is waited for a while.
async fn done<T>(outcome: Result<T, RedisError>, mut failures: u32) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            wait(&mut failures, "the bus does not take what this gateway says", &error).await;
            None
        }
    }
}

pub(super) async fn wait(failures: &mut u32, what: &str, error: &RedisError) {
    tracing::debug!(%error, "{what}; trying again");
    metrics::counter!("klaxon_bus_failures_total", "what" => "send").increment(1);
    sleep(pause(*failures)).await;
    *failures += 1;
}
