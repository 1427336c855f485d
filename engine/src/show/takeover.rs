//! Takeover of a show: it is rebuilt from its journal, and continues where the journal ends.

use std::sync::Arc;

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Span;

use super::audience::Audience;
use super::ending::LINGER;
use super::inbox::ShowInbox;
use super::{Show, Status};
use crate::Ports;
use crate::arbiter::{ArbiterError, Lease};
use crate::archive::ShowResults;
use crate::bus::BusError;
use crate::compute::compute;
use crate::game::{Effect, Games};
use crate::journal::JournalError;
use crate::leases::{HeldLease, HeldLeases};
use crate::replay::{Rebuilt, ReplayError};

/// The result of a takeover.
pub enum TakenOver {
    /// A show to continue.
    Live(Box<Show>),
    /// A show that is over and can no longer be viewed, with its results unless the archive has them.
    Over(Status, Option<Box<ShowResults>>),
}

/// Why a show could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// Its journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its journal can't be replayed.
    #[error("show {show}: {error}")]
    Replay {
        /// Which show.
        show: ShowId,
        /// What is wrong.
        error: ReplayError,
    },
    /// The bus refused to hand the show over, or is unavailable.
    #[error("show {show}: {error}")]
    Bus {
        /// Which show.
        show: ShowId,
        /// Why not.
        error: BusError,
    },
    /// The arbiter refused the lease.
    #[error("show {show}: {error}")]
    Arbiter {
        /// Which show.
        show: ShowId,
        /// Why.
        error: ArbiterError,
    },
}

impl TakeoverError {
    /// Whether another engine plays the show.
    pub const fn is_taken(&self) -> bool {
        matches!(
            self,
            Self::Arbiter { error: ArbiterError::Held | ArbiterError::Fenced { .. }, .. }
                | Self::Bus { error: BusError::Fenced, .. }
        )
    }

    /// Whether the cause is this show's journal, which is invalid or can't be read here.
    pub const fn is_in_the_journal(&self) -> bool {
        matches!(self, Self::Replay { .. } | Self::Journal(JournalError::Damaged { .. } | JournalError::NoKey { .. }))
    }

    /// Whether its journal can be played, by a process that has the key or is of a newer version.
    pub const fn is_for_another_engine(&self) -> bool {
        matches!(
            self,
            Self::Journal(JournalError::NoKey { .. })
                | Self::Replay { error: ReplayError::Refused { number: 0, .. }, .. }
        )
    }
}

/// Rebuilds a show from its records. If no player could answer in the meantime, an open round gets the lost time back.
/// A show that can no longer be viewed is not rebuilt if the archive has it.
///
/// # Errors
/// If the records are not those of a show, or the arbiter does not give its lease.
pub async fn take_over(
    ports: Ports,
    show: ShowId,
    records: Vec<Record>,
    inbox: ShowInbox,
    held: &HeldLeases,
) -> Result<TakenOver, TakeoverError> {
    if let Some(over) = long_over(&ports, show, &records).await? {
        return Ok(over);
    }
    // Before the lease is asked for: an engine of a newer version may know of the show what this one does not.
    if let Some(first) = records.first() {
        Rebuilt::begin(&ports.games, first).map_err(|error| TakeoverError::Replay { show, error })?;
    }
    let newest = |records: &[Record]| records.last().map_or(Fence(0), |last| last.fence);
    let leased = ports.arbiter.lease(show, newest(&records)).await;
    let Lease { fence, idle } = leased.map_err(|error| TakeoverError::Arbiter { show, error })?;
    // The lease is renewed from here on: rebuilding a long show takes a while.
    let lease = HeldLease::new(fence);
    held.insert(show, Arc::clone(&lease));
    let bus = Arc::clone(&ports.bus);
    let taken_over = continue_under(lease, idle, ports, show, records, inbox).await;
    if taken_over.is_err() {
        held.remove(&show);
        bus.release(show, false);
    }
    taken_over
}

/// Continues a show under this lease. `idle`: how long no engine held the show, as far as the arbiter knows.
async fn continue_under(
    lease: Arc<HeldLease>,
    idle: Option<Span>,
    ports: Ports,
    show: ShowId,
    mut records: Vec<Record>,
    inbox: ShowInbox,
) -> Result<TakenOver, TakeoverError> {
    let fence = lease.fence();
    // The previous engine may have written until the lease was taken.
    let last = ports.journal.tail(show, 1).await?;
    if last.last() != records.last() {
        records = ports.journal.read(show).await?.records;
    }
    let takeover = ports.bus.take_over(show, fence).await.map_err(|error| TakeoverError::Bus { show, error })?;
    let published = takeover.published;
    let games = ports.games.clone();
    let rebuilt = compute(move || rebuild(&games, &records, published)).await;
    let (rebuilt, unpublished) = rebuilt
        .map_err(|error| JournalError::Unavailable(format!("the show could not be rebuilt: {error}")))?
        .map_err(|error| TakeoverError::Replay { show, error })?;
    let clock = ports.clock.now();
    if clock < rebuilt.at {
        tracing::warn!(%show, behind = %rebuilt.at.since(clock), "the machine's clock is behind the show's journal");
    }
    let now = rebuilt.at.max(clock);
    let away = now.since(rebuilt.at);
    let away = idle.map_or(away, |idle| idle.min(away));
    let audience = Audience::of(takeover.gateways);
    let mut live = Show::new(ports, inbox, show, lease, rebuilt.game, now, audience, rebuilt.records);
    live.status.send_replace(Some(Status::of(&*live.game)));
    live.ports.bus.update_directory(live.line());
    if let Some(round) = live.game.round() {
        let restored = live.ports.arbiter.restore(show, fence, round, &live.game.counted()).await;
        restored.map_err(|error| TakeoverError::Arbiter { show, error })?;
    }
    if live.game.phase() == Phase::Ended {
        live.end(rebuilt.at);
    }
    let missed_a_clock =
        unpublished.iter().any(|effect| matches!(effect, Effect::Tell(event, _) if event.sets_a_clock()));
    let could_not_answer = published.is_none() || live.audience.is_empty() || missed_a_clock;
    for effect in unpublished {
        live.send_effect(effect);
    }
    if !live.ending.has_ended() {
        live.resume(away, could_not_answer);
    }
    Ok(TakenOver::Live(Box::new(live)))
}

/// The result for a show that ended so long ago that it can no longer be viewed; none for all others.
async fn long_over(ports: &Ports, show: ShowId, records: &[Record]) -> Result<Option<TakenOver>, TakeoverError> {
    if ports.bus.is_distributed() {
        // Its lease and streams have to be freed, which only a live show does.
        return Ok(None);
    }
    let ended = records.last().filter(|last| last.events.iter().any(|event| matches!(event, ToPlayer::End(_))));
    if ended.is_none_or(|last| ports.clock.now() < last.at + LINGER) {
        return Ok(None);
    }
    if let Some(archive) = &ports.archive
        && let Ok(Some(kept)) = archive.show(show).await
    {
        let status = Status { phase: Phase::Ended, joined: kept.joined };
        return Ok(Some(TakenOver::Over(status, None)));
    }
    let (rebuilt, _) = rebuild(&ports.games, records, None).map_err(|error| TakeoverError::Replay { show, error })?;
    let results = rebuilt.game.results(show).map(Box::new);
    Ok(Some(TakenOver::Over(Status::of(&*rebuilt.game), results)))
}

/// Rebuilds the show from all its records. Also returns the effects of the records after the first `published`, or none
/// if that number is unknown.
fn rebuild(games: &Games, records: &[Record], published: Option<u64>) -> Result<(Rebuilt, Vec<Effect>), ReplayError> {
    let (first, rest) = records.split_first().ok_or(ReplayError::NoCreate)?;
    let mut rebuilt = Rebuilt::begin(games, first)?;
    let mut unpublished = Vec::new();
    for record in rest {
        rebuilt = rebuilt.step(record)?;
        if published.is_some_and(|published| record.number >= published) {
            unpublished.append(&mut rebuilt.effects);
        }
    }
    Ok((rebuilt, unpublished))
}

impl Show {
    /// Continues where another engine stopped. If players could not answer in the meantime, an open round gets the lost
    /// time back; otherwise gateways kept reading answers, and no player lost time.
    fn resume(&mut self, away: Span, could_not_answer: bool) {
        if could_not_answer {
            self.apply(Command::Recovered { away });
        } else {
            self.alert(AlertKind::Recovered { away, closes_at: None });
        }
        self.raise_barrier();
        // Only the previous engine knew which guests had disconnected.
        if self.game.phase() == Phase::Lobby && self.game.people().is_full() {
            self.take_census();
        }
    }
}
