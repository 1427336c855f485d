//! Shows that this engine takes up from their journals: at its start, or because the engine that played them is gone.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Command, CreateShow};
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::{Shows, report};
use crate::Ports;
use crate::arbiter::TERM;
use crate::leases::Held;
use crate::replay::ReplayError;
use crate::show::{self, Reached, Recovered, RecoveryError, Show, ToShow, recover};

/// A show from its journal.
pub(super) struct TakenUp {
    create: Box<CreateShow>,
    recovered: Recovered,
}

impl Shows {
    /// Reads a show's journal beside whatever else is done, unless the show is here already or on its way.
    pub(super) fn begin_to_take_up(&mut self, id: ShowId) {
        if self.is_here(id) {
            return;
        }
        let (inbox, messages) = mpsc::unbounded_channel();
        self.arriving.insert(id, inbox);
        self.take_up_after(Duration::ZERO, id, messages);
    }

    /// A show that may have no engine is taken up if, after a lease's term, none has it.
    pub(super) fn take_up_later(&mut self, id: ShowId) {
        if self.arriving.contains_key(&id) {
            return;
        }
        let (inbox, messages) = mpsc::unbounded_channel();
        self.arriving.insert(id, inbox);
        self.take_up_after(TERM.to_std() * 2, id, messages);
    }

    fn take_up_after(&mut self, wait: Duration, id: ShowId, messages: mpsc::UnboundedReceiver<Reached>) {
        let (ports, held, turns) = (self.ports.clone(), Held::clone(&self.held), Arc::clone(&self.turns));
        self.taking.spawn(async move {
            tokio::time::sleep(wait).await;
            // Never closed.
            let _turn = turns.acquire().await;
            (id, take_up(ports, id, messages, &held).await)
        });
    }

    /// A show came from its journal while others run.
    pub(super) async fn taken(&mut self, done: Result<(ShowId, Result<Option<TakenUp>, RecoveryError>), JoinError>) {
        match done {
            Ok((id, taken)) => {
                if let Err(error) = self.take_in(id, taken).await {
                    tracing::warn!(%error, "a show could not be taken up; it is tried again");
                }
            }
            Err(error) => report(&error),
        }
    }

    /// Plays a show that came from its journal.
    ///
    /// # Errors
    /// If it could not be taken up, through no fault of its own.
    pub(super) async fn take_in(
        &mut self,
        id: ShowId,
        taken: Result<Option<TakenUp>, RecoveryError>,
    ) -> Result<(), RecoveryError> {
        let Some(inbox) = self.arriving.remove(&id) else { return Ok(()) };
        let TakenUp { create, recovered } = match taken {
            Ok(Some(taken)) => taken,
            Ok(None) => return Ok(()),
            Err(error) if error.is_taken() => {
                tracing::debug!(show = %id, "another engine was faster");
                return Ok(());
            }
            Err(error) if error.is_the_shows_own() => {
                self.set_aside(id, &error).await;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let status = match recovered {
            Recovered::Live(show) => {
                tracing::info!(show = %id, code = %create.code, "the show is taken up");
                self.play(id, *show)
            }
            Recovered::Over(status, results) => {
                if let (Some(archive), Some(results)) = (self.ports.archive.clone(), results) {
                    self.running.spawn(async move {
                        show::store(archive, *results).await;
                        None
                    });
                }
                tokio::sync::watch::channel(Some(status)).1
            }
        };
        self.know(id, &create, inbox, status);
        Ok(())
    }

    /// Lets a show run, its lease renewed until it is done.
    pub(super) fn play(&mut self, id: ShowId, show: Show) -> tokio::sync::watch::Receiver<Option<show::Status>> {
        let status = show.status();
        let (held, lease) = (self.held.clone(), show.lease());
        held.insert(id, Arc::clone(&lease));
        self.running.spawn(async move {
            let is_orphan = show.run().await;
            // This engine may have taken the show up again meanwhile.
            held.remove_if(&id, |_, newest| Arc::ptr_eq(newest, &lease));
            is_orphan.then_some(id)
        });
        status
    }

    /// Leaves a show alone that could not be taken up.
    async fn set_aside(&mut self, id: ShowId, why: &RecoveryError) {
        self.set_aside.insert(id);
        let first = self.ports.journal.first(id).await.ok().flatten().map(|record| record.command);
        let (mut code, mut title) = (None, None);
        if let Some((_, create)) = first.as_ref().and_then(Command::begun) {
            code = Some(create.code.to_string());
            title = Some(create.pack.title.clone());
            self.created.insert(create.id.clone(), id);
            if self.is_free(&create.code) {
                self.by_code.insert(create.code.clone(), id);
            }
        }
        tracing::error!(
            show = %id, code, title, error = %why,
            "this show is SET ASIDE: nobody can join or host it, and its journal is left as it is. Put back a whole copy of the \
             journal, cut it off where it is damaged, or move it away; then start the server again"
        );
        metrics::gauge!("klaxon_shows_set_aside").set(self.set_aside.len() as f64);
    }

    /// Whether the show is played here, or on its way.
    pub(super) fn is_here(&self, show: ShowId) -> bool {
        self.by_id.get(&show).is_some_and(|known| !known.is_gone()) || self.arriving.contains_key(&show)
    }

    /// What waits for the show's inbox, if the show is here or on its way.
    pub(super) fn tell(&self, show: ShowId, message: impl Into<Reached>) -> bool {
        let message = message.into();
        match self.by_id.get(&show) {
            Some(known) if !known.is_gone() => known.tell(message),
            _ => self.arriving.get(&show).is_some_and(|inbox| inbox.send(message).is_ok()),
        }
    }

    /// The same, for all shows.
    pub(super) fn tell_all(&self, message: impl Fn() -> ToShow) {
        for inbox in self.by_id.values().map(|known| &known.inbox).chain(self.arriving.values()) {
            // A show that is gone needs to hear nothing.
            let _ = inbox.send(message().into());
        }
    }
}

async fn take_up(
    ports: Ports,
    id: ShowId,
    messages: mpsc::UnboundedReceiver<Reached>,
    held: &Held,
) -> Result<Option<TakenUp>, RecoveryError> {
    let restored = ports.journal.read(id).await?;
    if let Some(cut) = restored.cut {
        tracing::warn!(show = %id, ?cut, "the journal's last record was cut short by a crash and is cut off");
    }
    let create = match restored.records.first().map(|record| record.command.begun()) {
        None => {
            tracing::warn!(show = %id, "an empty journal: the show was cut off before it began");
            forget(&ports, id).await;
            return Ok(None);
        }
        Some(Some((_, create))) => Box::new(create.clone()),
        Some(None) => return Err(RecoveryError::Replay { show: id, error: ReplayError::NoCreate }),
    };
    let recovered = recover(ports, id, restored.records, messages, held).await?;
    Ok(Some(TakenUp { create, recovered }))
}

/// A show that never began shall not be offered to engines again and again.
async fn forget(ports: &Ports, id: ShowId) {
    if ports.bus.is_distributed()
        && let Ok(lease) = ports.arbiter.lease(id, Fence(0)).await
        && let Err(error) = ports.arbiter.forget(id, lease.fence).await
    {
        tracing::warn!(show = %id, %error, "a show that never began could not be forgotten");
    }
}
