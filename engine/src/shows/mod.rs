//! All shows of this engine, and the routing of messages to them.

mod creating;
mod routing;
mod takeover;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::journal::Begun;
use klaxon_protocol::player::Phase;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};

use self::takeover::CompletedTakeover;
use crate::Ports;
use crate::journal::JournalError;
use crate::leases::{self, HeldLeases};
use crate::show::{InboxSender, Status, TakeoverError};

/// Journals that are read concurrently. Other takeovers wait, each with an inbox; their number is bounded by the shows
/// in the journal, and `klaxon_shows_being_taken_over` counts them.
const MAX_JOURNALS_READ: usize = 4;

/// The shows of one engine.
pub struct Shows {
    ports: Ports,
    by_id: HashMap<ShowId, KnownShow>,
    /// Shows that are being taken over, with the inboxes in which their messages wait.
    being_taken_over: HashMap<ShowId, InboxSender>,
    /// Shows whose journal can't be read or replayed: they are not played until an operator has fixed that.
    set_aside: HashSet<ShowId>,
    /// The show of each code, which keeps the code until another show takes it.
    by_code: HashMap<ShowCode, ShowId>,
    /// The show that each create command made, so that repeating the command makes no second one.
    created: HashMap<CommandId, ShowId>,
    /// The leases of the running shows.
    leases: HeldLeases,
    /// The tasks of running shows, and of results that are stored in the archive. A task returns the id of a show that
    /// it may have left without an engine.
    running: JoinSet<Option<ShowId>>,
    takeovers: JoinSet<(ShowId, Result<Option<CompletedTakeover>, TakeoverError>)>,
    /// Limits the journals that are read concurrently.
    journal_reads: Arc<Semaphore>,
    /// Shows in the journal whose takeover has not begun.
    unread: Vec<ShowId>,
}

/// A show that this engine knows.
struct KnownShow {
    code: ShowCode,
    title: String,
    /// A hash of its content: a repeated create command has the same.
    made_of: u64,
    /// Closed when the show is no longer played here.
    inbox: InboxSender,
    /// The status as of the journal; none until the first record is written.
    status: watch::Receiver<Option<Status>>,
}

/// Why an engine could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be listed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A show can't be taken over, for a reason other than its own journal.
    #[error(transparent)]
    Takeover(#[from] TakeoverError),
}

impl Shows {
    /// Takes over every show that is in the journal and that no other engine plays. A show whose journal is damaged or
    /// can't be replayed is set aside and does not affect the others: it is logged and counted, its file stays as it
    /// is, and joins and commands for it are refused with `unavailable`.
    ///
    /// # Errors
    /// If the journal or the arbiter does not answer.
    pub async fn open(ports: Ports) -> Result<Self, StartError> {
        let mut shows = Self {
            ports: ports.clone(),
            by_id: HashMap::new(),
            being_taken_over: HashMap::new(),
            set_aside: HashSet::new(),
            by_code: HashMap::new(),
            created: HashMap::new(),
            leases: HeldLeases::default(),
            running: JoinSet::new(),
            takeovers: JoinSet::new(),
            journal_reads: Arc::new(Semaphore::new(MAX_JOURNALS_READ)),
            unread: ports.journal.shows().await?,
        };
        if !ports.bus.is_distributed() {
            // No show begins before all are read: its time would pass while players can't join.
            let mut all = Vec::new();
            for id in std::mem::take(&mut shows.unread) {
                shows.begin_takeover(id);
                all.extend(shows.takeovers.join_next().await.and_then(Result::ok));
            }
            for (id, takeover) in all {
                shows.finish_takeover(id, takeover).await?;
            }
        }
        metrics::gauge!("klaxon_shows_set_aside").set(shows.set_aside.len() as f64);
        Ok(shows)
    }

    /// Adds a show that is played here.
    fn add(&mut self, id: ShowId, begun: Begun<'_>, inbox: InboxSender, status: watch::Receiver<Option<Status>>) {
        let (code, title) = (begun.code().clone(), begun.title().to_owned());
        let made_of = creating::made_of(&self.ports.games, begun);
        let known = KnownShow { code: code.clone(), title, made_of, inbox, status };
        // If several shows had a code one after another, a running one has precedence, then one that can still be
        // viewed.
        let holder = self.by_code.get(&code).and_then(|holder| self.by_id.get(holder));
        if holder.is_none_or(|holder| holder.is_gone() || (holder.has_ended() && !known.is_gone())) {
            self.by_code.insert(code, id);
        }
        self.created.insert(begun.id().clone(), id);
        self.by_id.insert(id, known);
    }

    /// Serves the bus until it is closed, then waits until every show has written its records.
    pub async fn run(mut self) {
        let (mut free, renewing) =
            leases::keep_renewed(Arc::clone(&self.ports.arbiter), HeldLeases::clone(&self.leases));
        for id in std::mem::take(&mut self.unread) {
            self.begin_takeover(id);
        }
        let bus = self.ports.bus.clone();
        let mut received = Vec::new();
        loop {
            tokio::select! {
                more = bus.receive(&mut received) => {
                    for message in received.drain(..) {
                        self.route(message).await;
                    }
                    if !more {
                        break;
                    }
                }
                Ok(()) = free.changed() => {
                    let free = free.borrow_and_update().clone();
                    for show in free.into_iter().filter(|show| !self.set_aside.contains(show)).collect::<Vec<_>>() {
                        self.begin_takeover(show);
                    }
                }
                Some(done) = self.takeovers.join_next() => self.takeover_done(done).await,
                Some(done) = self.running.join_next() => self.show_done(done),
            }
        }
        self.by_id.clear();
        self.being_taken_over.clear();
        self.takeovers.shutdown().await;
        while let Some(done) = self.running.join_next().await {
            self.show_done(done);
        }
        renewing.abort();
    }

    /// Handles the end of a show's task, or of storing results in the archive.
    fn show_done(&mut self, done: Result<Option<ShowId>, JoinError>) {
        match done {
            Ok(None) => {}
            Ok(Some(without_engine)) => self.begin_takeover_later(without_engine),
            Err(error) => log_panic(&error),
        }
    }
}

impl KnownShow {
    fn is_gone(&self) -> bool {
        self.inbox.is_closed()
    }

    fn status(&self) -> Option<Status> {
        *self.status.borrow()
    }

    fn has_ended(&self) -> bool {
        self.status().is_some_and(|status| status.phase == Phase::Ended)
    }
}

/// Logs that a show's task panicked. The show stops until the next start.
fn log_panic(error: &JoinError) {
    tracing::error!(%error, "a show's task panicked; its journal is intact, and the next start takes the show over");
}
