//! A show that was cut off by a crash, taken up where its journal ends.

use std::sync::Arc;

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Span;
use tokio::sync::mpsc;

use super::{LINGER, Reached, Show, Status};
use crate::Ports;
use crate::arbiter::{ArbiterError, Lease};
use crate::archive::ShowResults;
use crate::bus::BusError;
use crate::game::Effect;
use crate::journal::JournalError;
use crate::leases::{Held, HeldLease};
use crate::replay::{Rebuilt, ReplayError};

/// What a journal gave.
pub enum Recovered {
    /// A show to go on with.
    Live(Box<Show>),
    /// A show that is over and was looked at for long enough, and its results if the archive is not known to have them.
    Over(Status, Option<Box<ShowResults>>),
}

/// Why a show could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// Its journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its journal does not tell a show.
    #[error("show {show}: {error}")]
    Replay {
        /// Which show.
        show: ShowId,
        /// What is wrong.
        error: ReplayError,
    },
    /// The bus does not hand over what was said about it.
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
        /// What it said.
        error: ArbiterError,
    },
}

impl RecoveryError {
    /// Whether another engine plays the show.
    pub const fn is_taken(&self) -> bool {
        matches!(
            self,
            Self::Arbiter { error: ArbiterError::Held | ArbiterError::Fenced { .. }, .. }
                | Self::Bus { error: BusError::Fenced, .. }
        )
    }

    /// Whether it is this show's journal that is wrong, and nothing else.
    pub const fn is_the_shows_own(&self) -> bool {
        matches!(self, Self::Replay { .. } | Self::Journal(JournalError::Damaged { .. }))
    }
}

/// Rebuilds a show from its records. One that nobody heard meanwhile is given back the time that passed. A show that is long over
/// and in the archive is not rebuilt.
///
/// # Errors
/// If the records don't tell a show, or the arbiter does not give its lease.
pub async fn recover(
    ports: Ports,
    show: ShowId,
    records: Vec<Record>,
    inbox: mpsc::UnboundedReceiver<Reached>,
    held: &Held,
) -> Result<Recovered, RecoveryError> {
    if let Some(over) = long_over(&ports, show, &records).await? {
        return Ok(over);
    }
    let newest = |records: &[Record]| records.last().map_or(Fence(0), |last| last.fence);
    let leased = ports.arbiter.lease(show, newest(&records)).await;
    let Lease { fence, idle } = leased.map_err(|error| RecoveryError::Arbiter { show, error })?;
    // From here on it is renewed: a long show takes a while to be read.
    let lease = HeldLease::new(fence);
    held.insert(show, Arc::clone(&lease));
    let bus = Arc::clone(&ports.bus);
    let recovered = take_up(ports, show, records, inbox, lease, idle).await;
    if recovered.is_err() {
        held.remove(&show);
        // Nobody plays it here, so nobody may hear or say anything.
        bus.release(show, false);
    }
    recovered
}

/// Goes on with a show whose lease is ours.
async fn take_up(
    ports: Ports,
    show: ShowId,
    mut records: Vec<Record>,
    inbox: mpsc::UnboundedReceiver<Reached>,
    lease: Arc<HeldLease>,
    idle: Option<Span>,
) -> Result<Recovered, RecoveryError> {
    let fence = lease.fence();
    // Whoever had the show before may have written until now.
    let last = ports.journal.tail(show, 1).await?;
    if last.last() != records.last() {
        records = ports.journal.read(show).await?.records;
    }
    let takeover = ports.bus.take_over(show, fence).await.map_err(|error| RecoveryError::Bus { show, error })?;
    let said = takeover.published.unwrap_or(u64::MAX);
    // Not on a thread that others need.
    let rebuilt = tokio::task::spawn_blocking(move || rebuild(&records, said)).await;
    let (rebuilt, unsaid) = rebuilt
        .map_err(|error| JournalError::Unavailable(format!("the show could not be rebuilt: {error}")))?
        .map_err(|error| RecoveryError::Replay { show, error })?;
    let clock = ports.clock.now();
    if clock < rebuilt.at {
        tracing::warn!(%show, behind = %rebuilt.at.since(clock), "the machine's clock is behind the show's journal");
    }
    let now = rebuilt.at.max(clock);
    let away = now.since(rebuilt.at);
    let away = idle.map_or(away, |idle| idle.min(away));
    let mut live = Show::around(ports, inbox, show, fence, rebuilt.game, now);
    live.lease = lease;
    live.next_record = rebuilt.records;
    live.gateways = takeover.gateways;
    live.status.send_replace(Some(Status::of(&*live.game)));
    live.ports.bus.update_directory(live.line());
    if let Some((question, claims)) = live.claims() {
        let restored = live.ports.arbiter.restore(show, fence, question, &claims).await;
        restored.map_err(|error| RecoveryError::Arbiter { show, error })?;
    }
    if live.game.phase() == Phase::Ended {
        live.ended_at = Some(rebuilt.at);
        live.archive();
    }
    let unheard = live.gateways.is_empty() || unsaid.iter().any(sets_a_clock);
    for effect in unsaid {
        live.send_effect(effect);
    }
    if live.ended_at.is_none() {
        live.go_on(away, takeover.published.is_none() || unheard);
    }
    Ok(Recovered::Live(Box::new(live)))
}

/// A show that ended so long ago that nobody looks at it any more.
async fn long_over(ports: &Ports, show: ShowId, records: &[Record]) -> Result<Option<Recovered>, RecoveryError> {
    if ports.bus.is_distributed() {
        // It has a lease and more that must be freed.
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
        return Ok(Some(Recovered::Over(status, None)));
    }
    let (rebuilt, _) = rebuild(records, u64::MAX).map_err(|error| RecoveryError::Replay { show, error })?;
    let results = rebuilt.game.results(show).map(Box::new);
    Ok(Some(Recovered::Over(Status::of(&*rebuilt.game), results)))
}

/// The show after all its records, and what came of those from number `said` on.
fn rebuild(records: &[Record], said: u64) -> Result<(Rebuilt, Vec<Effect>), ReplayError> {
    let (first, rest) = records.split_first().ok_or(ReplayError::NoCreate)?;
    let mut rebuilt = Rebuilt::begin(first)?;
    let mut unsaid = Vec::new();
    for record in rest {
        rebuilt = rebuilt.step(record)?;
        if record.number >= said {
            unsaid.append(&mut rebuilt.effects);
        }
    }
    Ok((rebuilt, unsaid))
}

/// Whether players who did not hear this don't know how long they have.
fn sets_a_clock(effect: &Effect) -> bool {
    matches!(effect, Effect::Tell(ToPlayer::Question(_) | ToPlayer::Clock(_) | ToPlayer::Resume(_), _))
}

impl Show {
    /// Goes on where another engine stopped. If nobody could answer meanwhile, an open question gets its time again; else gateways
    /// went on reading answers, and nothing was lost by waiting for this engine.
    fn go_on(&mut self, away: Span, nobody_heard: bool) {
        if nobody_heard {
            self.apply(Command::Recovered { away });
        } else {
            self.alert(AlertKind::Recovered { away, closes_at: None });
        }
        self.raise_barrier();
        // Nothing is known of who is gone.
        if self.game.phase() == Phase::Lobby && self.game.is_full() {
            self.ask_who_is_there();
        }
    }
}
