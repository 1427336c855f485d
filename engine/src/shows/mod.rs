//! All shows of this engine: which there are, and what of the bus goes to which.

mod creating;
mod routing;
mod taking;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::journal::CreateShow;
use klaxon_protocol::player::Phase;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use self::taking::TakenUp;
use crate::Ports;
use crate::journal::JournalError;
use crate::leases::{self, Held, LeaseNews};
use crate::show::{Reached, RecoveryError, Status, ToShow};

/// How many messages are taken from the bus at once.
const TAKE: usize = 1024;
/// So many journals are read at once.
const READ_AT_ONCE: usize = 4;

/// The shows of one engine.
pub struct Shows {
    ports: Ports,
    by_id: HashMap<ShowId, Known>,
    /// Shows that are being taken up; what reaches them meanwhile waits for them here.
    arriving: HashMap<ShowId, mpsc::UnboundedSender<Reached>>,
    /// Shows whose journal can't be read or does not tell a show: nothing is done in them until an operator has looked.
    set_aside: HashSet<ShowId>,
    /// A code stays with its show until another show takes it.
    by_code: HashMap<ShowCode, ShowId>,
    /// Which show a host's create made, so that sending it again makes no second.
    created: HashMap<CommandId, ShowId>,
    /// The leases of the shows that run.
    held: Held,
    /// The shows, and what goes to the archive. One that ends may leave a show that nobody has.
    running: JoinSet<Option<ShowId>>,
    /// Shows on their way from their journals.
    taking: JoinSet<(ShowId, Result<Option<TakenUp>, RecoveryError>)>,
    /// So many of them are read at once.
    turns: Arc<Semaphore>,
    /// Shows in the journal that were not looked at yet.
    unseen: Vec<ShowId>,
}

/// A show that this engine knows.
struct Known {
    code: ShowCode,
    title: String,
    /// A hash of its pack and settings: a create that is sent again has the same.
    made_of: u64,
    /// Closed when the show is gone.
    inbox: mpsc::UnboundedSender<Reached>,
    /// As the journal has it; none if nothing of the show is written yet.
    status: watch::Receiver<Option<Status>>,
}

/// Why an engine could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be listed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A show can't be taken up, and it is not the show's own journal that is wrong.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
}

impl Shows {
    /// Takes up every show that the journal holds and no other engine plays. One whose journal is damaged or does not tell a show
    /// is set aside, and does not keep the others down: it is logged and counted, its file is left as it is, and whoever asks for
    /// it hears `unavailable`.
    ///
    /// # Errors
    /// If the journal or the arbiter does not answer.
    pub async fn open(ports: Ports) -> Result<Self, StartError> {
        let mut shows = Self {
            ports: ports.clone(),
            by_id: HashMap::new(),
            arriving: HashMap::new(),
            set_aside: HashSet::new(),
            by_code: HashMap::new(),
            created: HashMap::new(),
            held: Held::default(),
            running: JoinSet::new(),
            taking: JoinSet::new(),
            turns: Arc::new(Semaphore::new(READ_AT_ONCE)),
            unseen: ports.journal.shows().await?,
        };
        if !ports.bus.is_distributed() {
            // Nobody speaks before all are there. None begins before that, or its time would run while nobody can come.
            let mut all = Vec::new();
            for id in std::mem::take(&mut shows.unseen) {
                shows.begin_to_take_up(id);
                all.extend(shows.taking.join_next().await.and_then(Result::ok));
            }
            for (id, taken) in all {
                shows.take_in(id, taken).await?;
            }
        }
        metrics::gauge!("klaxon_shows_set_aside").set(shows.set_aside.len() as f64);
        Ok(shows)
    }

    fn know(
        &mut self,
        id: ShowId,
        create: &CreateShow,
        inbox: mpsc::UnboundedSender<Reached>,
        status: watch::Receiver<Option<Status>>,
    ) {
        let (code, title) = (create.code.clone(), create.pack.title.clone());
        let known = Known { code, title, made_of: creating::made_of(&create.pack, &create.settings), inbox, status };
        // Of several shows that had a code one after another, the one that goes on has it, or one that can still be looked at.
        let holder = self.by_code.get(&create.code).and_then(|holder| self.by_id.get(holder));
        if holder.is_none_or(|holder| holder.is_gone() || (holder.has_ended() && !known.is_gone())) {
            self.by_code.insert(create.code.clone(), id);
        }
        self.created.insert(create.id.clone(), id);
        self.by_id.insert(id, known);
    }

    /// Serves the bus until nobody can say anything any more, then lets every show write what it has.
    pub async fn run(mut self) {
        let (mut news, keeper) = leases::keep(Arc::clone(&self.ports.arbiter), Held::clone(&self.held));
        for id in std::mem::take(&mut self.unseen) {
            self.begin_to_take_up(id);
        }
        let bus = self.ports.bus.clone();
        let mut taken = Vec::with_capacity(TAKE);
        loop {
            tokio::select! {
                more = bus.receive(&mut taken) => {
                    for heard in taken.drain(..) {
                        self.route(heard).await;
                    }
                    if !more {
                        break;
                    }
                }
                Some(news) = news.recv() => self.hear_of_a_lease(news),
                Some(done) = self.taking.join_next() => self.taken(done).await,
                Some(done) = self.running.join_next() => self.done(done),
            }
        }
        self.by_id.clear();
        self.arriving.clear();
        self.taking.shutdown().await;
        while let Some(done) = self.running.join_next().await {
            self.done(done);
        }
        keeper.abort();
    }

    /// A show ended, or what goes to the archive is there.
    fn done(&mut self, done: Result<Option<ShowId>, JoinError>) {
        match done {
            Ok(None) => {}
            Ok(Some(orphan)) => self.take_up_later(orphan),
            Err(error) => report(&error),
        }
    }

    fn hear_of_a_lease(&mut self, news: LeaseNews) {
        match news {
            LeaseNews::Taken(show, fence) => drop(self.tell(show, ToShow::LeaseTaken(fence))),
            LeaseNews::Forgotten(show, fence) => {
                if let Some(known) = self.by_id.get(&show) {
                    known.tell(ToShow::LeaseForgotten(fence).into());
                }
            }
            LeaseNews::Free(show) => {
                if !self.set_aside.contains(&show) {
                    self.begin_to_take_up(show);
                }
            }
        }
    }
}

impl Known {
    /// False if the show is gone.
    fn tell(&self, message: Reached) -> bool {
        self.inbox.send(message).is_ok()
    }

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

/// A task that panicked leaves its show standing still: the operator must hear of it.
fn report(error: &JoinError) {
    tracing::error!(%error, "a show broke off; its journal is whole, and a new start takes it up again");
}
