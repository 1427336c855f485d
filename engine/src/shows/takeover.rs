//! Shows that this engine takes over from their journals: at its start, or because the engine that played them is gone.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::ToEngine;
use tokio::sync::watch;
use tokio::task::JoinError;

use super::{Shows, log_panic};
use crate::Ports;
use crate::arbiter::TERM;
use crate::bus::Received;
use crate::leases::HeldLeases;
use crate::replay::ReplayError;
use crate::show::{self, NotQueued, Show, ShowInbox, Status, TakenOver, TakeoverError, inbox, take_over};

/// A show that was read from its journal.
pub(super) struct CompletedTakeover {
    /// The first command of its journal.
    begin: Command,
    taken_over: TakenOver,
}

impl Shows {
    /// Starts the takeover of a show in a task of its own, unless the show is played here or being taken over.
    pub(super) fn begin_takeover(&mut self, id: ShowId) {
        if !self.is_here(id) {
            self.begin_takeover_after(Duration::ZERO, id);
        }
    }

    /// Starts the takeover of a show that may have no engine, after the time in which any lease would have expired.
    pub(super) fn begin_takeover_later(&mut self, id: ShowId) {
        if !self.being_taken_over.contains_key(&id) {
            self.begin_takeover_after(TERM.to_std() * 2, id);
        }
    }

    fn begin_takeover_after(&mut self, pause: Duration, id: ShowId) {
        let (sender, inbox) = inbox();
        self.being_taken_over.insert(id, sender);
        self.count_takeovers();
        let (ports, leases) = (self.ports.clone(), HeldLeases::clone(&self.leases));
        let journal_reads = Arc::clone(&self.journal_reads);
        self.takeovers.spawn(async move {
            tokio::time::sleep(pause).await;
            let _place = journal_reads.acquire().await.expect("nobody closes it");
            (id, read_and_take_over(ports, id, inbox, &leases).await)
        });
    }

    fn count_takeovers(&self) {
        metrics::gauge!("klaxon_shows_being_taken_over").set(self.being_taken_over.len() as f64);
    }

    /// Handles the end of a takeover's task while shows are running.
    pub(super) async fn takeover_done(
        &mut self,
        done: Result<(ShowId, Result<Option<CompletedTakeover>, TakeoverError>), JoinError>,
    ) {
        match done {
            Ok((id, takeover)) => {
                if let Err(error) = self.finish_takeover(id, takeover).await {
                    tracing::warn!(show = %id, %error, "the show could not be taken over; it is tried again");
                }
            }
            Err(error) => log_panic(&error),
        }
    }

    /// Starts a show that was taken over.
    ///
    /// # Errors
    /// If it could not be taken over, for a reason other than its own journal.
    pub(super) async fn finish_takeover(
        &mut self,
        id: ShowId,
        takeover: Result<Option<CompletedTakeover>, TakeoverError>,
    ) -> Result<(), TakeoverError> {
        let Some(inbox) = self.being_taken_over.remove(&id) else { return Ok(()) };
        self.count_takeovers();
        let CompletedTakeover { begin, taken_over } = match takeover {
            Ok(Some(takeover)) => takeover,
            Ok(None) => return Ok(()),
            Err(error) if error.is_taken() => {
                tracing::debug!(show = %id, "another engine took the show over first");
                return Ok(());
            }
            Err(error) if error.is_in_the_journal() => {
                self.set_aside(id, &error).await;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let begun = begin.begun().expect("what is taken over began");
        let status = match taken_over {
            TakenOver::Live(show) => {
                tracing::info!(show = %id, code = %begun.code(), "the show is taken over");
                self.play(id, *show)
            }
            TakenOver::Over(status, results) => {
                if let (Some(archive), Some(results)) = (self.ports.archive.clone(), results) {
                    self.running.spawn(async move {
                        show::store(archive, *results).await;
                        None
                    });
                }
                watch::channel(Some(status)).1
            }
        };
        self.add(id, begun, inbox, status);
        Ok(())
    }

    /// Starts a show's task. The lease is renewed until the task ends.
    pub(super) fn play(&mut self, id: ShowId, show: Show) -> watch::Receiver<Option<Status>> {
        let status = show.status();
        let (leases, lease) = (self.leases.clone(), show.lease());
        leases.insert(id, Arc::clone(&lease));
        self.running.spawn(async move {
            let has_no_engine = show.run().await;
            // If this engine has taken the show over again in the meantime, the newer lease stays.
            leases.remove_if(&id, |_, newest| Arc::ptr_eq(newest, &lease));
            has_no_engine.then_some(id)
        });
        status
    }

    /// Sets a show aside whose journal is damaged, or can't be read here.
    async fn set_aside(&mut self, id: ShowId, why: &TakeoverError) {
        self.set_aside.insert(id);
        let first = self.ports.journal.first(id).await.ok().flatten().map(|record| record.command);
        let (mut code, mut title) = (None, None);
        if let Some(begun) = first.as_ref().and_then(Command::begun) {
            code = Some(begun.code().to_string());
            title = Some(begun.title().to_owned());
            self.created.insert(begun.id().clone(), id);
            if self.is_free(begun.code()) {
                self.by_code.insert(begun.code().clone(), id);
            }
        }
        metrics::gauge!("klaxon_shows_set_aside").set(self.set_aside.len() as f64);
        if why.is_for_another_engine() {
            tracing::error!(
                show = %id, error = %why,
                "this show is SET ASIDE here: an engine that has the key, or is of a newer version, can play it"
            );
            return;
        }
        tracing::error!(
            show = %id, code, title, error = %why,
            "this show is SET ASIDE: nobody can join or host it, and its journal is left as it is. Put back a whole copy of the \
             journal, cut it off where it is damaged, or move it away; then start the server again"
        );
    }

    /// Whether the show is played here, or being taken over.
    pub(super) fn is_here(&self, show: ShowId) -> bool {
        self.by_id.get(&show).is_some_and(|known| !known.is_gone()) || self.being_taken_over.contains_key(&show)
    }

    /// Puts a message into a show's inbox.
    ///
    /// # Errors
    /// If the inbox is full, or the show is neither played here nor being taken over.
    pub(super) fn deliver(&self, show: ShowId, message: Received) -> Result<(), NotQueued> {
        match self.by_id.get(&show) {
            Some(known) if !known.is_gone() => known.inbox.send(message),
            _ => self.being_taken_over.get(&show).ok_or(NotQueued::Closed)?.send(message),
        }
    }

    /// Puts a message into every show's inbox.
    pub(super) fn deliver_to_all(&self, message: &ToEngine) {
        for inbox in self.by_id.values().map(|known| &known.inbox).chain(self.being_taken_over.values()) {
            // A closed inbox needs no message, and a full one has counted the loss.
            let _ = inbox.send(message.clone().into());
        }
    }
}

async fn read_and_take_over(
    ports: Ports,
    id: ShowId,
    inbox: ShowInbox,
    leases: &HeldLeases,
) -> Result<Option<CompletedTakeover>, TakeoverError> {
    let restored = ports.journal.read(id).await?;
    if let Some(cut) = restored.cut {
        tracing::warn!(show = %id, ?cut, "the journal's last record was cut short by a crash and is cut off");
    }
    let begin = match restored.records.first().map(|record| &record.command) {
        None => {
            tracing::warn!(show = %id, "an empty journal: the show was cut off before it began");
            forget(&ports, id).await;
            return Ok(None);
        }
        Some(begin) if begin.begun().is_some() => begin.clone(),
        Some(_) => return Err(TakeoverError::Replay { show: id, error: ReplayError::NoCreate }),
    };
    let taken_over = take_over(ports, id, restored.records, inbox, leases).await?;
    Ok(Some(CompletedTakeover { begin, taken_over }))
}

/// Removes a show that never began from the arbiter, which would list it as free forever.
async fn forget(ports: &Ports, id: ShowId) {
    if ports.bus.is_distributed()
        && let Ok(lease) = ports.arbiter.lease(id, Fence(0)).await
        && let Err(error) = ports.arbiter.forget(id, lease.fence).await
    {
        tracing::warn!(show = %id, %error, "a show that never began could not be forgotten");
    }
}
