//! A show that was cut off by a crash, taken up where its journal ends.

use klaxon_protocol::ids::{QuestionId, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::{Phase, ToPlayer};
use tokio::sync::mpsc;

use super::{LINGER, Show, Status, ToShow};
use crate::Ports;
use crate::arbiter::{ArbiterError, Claim};
use crate::archive::ShowResults;
use crate::journal::JournalError;
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
    /// Whether it is this show's journal that is wrong, and nothing else.
    pub const fn is_the_shows_own(&self) -> bool {
        matches!(self, Self::Replay { .. } | Self::Journal(JournalError::Damaged { .. }))
    }
}

/// Rebuilds a show from its records and gives it back the time that passed meanwhile. A show that is long over and in the archive is
/// not rebuilt.
///
/// # Errors
/// If the records don't tell a show, or the arbiter does not give its lease.
pub async fn recover(
    ports: Ports,
    show: ShowId,
    records: &[Record],
    inbox: mpsc::UnboundedReceiver<ToShow>,
) -> Result<Recovered, RecoveryError> {
    let ended = records.last().filter(|last| last.events.iter().any(|event| matches!(event, ToPlayer::End(_))));
    let is_over = ended.is_some_and(|last| ports.clock.now() >= last.at + LINGER);
    if is_over && let Ok(Some(kept)) = ports.archive.show(show).await {
        return Ok(Recovered::Over(Status { phase: Phase::Ended, joined: kept.joined }, None));
    }
    let rebuilt = rebuild(records).map_err(|error| RecoveryError::Replay { show, error })?;
    if is_over {
        let results = rebuilt.game.results(show).map(Box::new);
        return Ok(Recovered::Over(Status::of(&*rebuilt.game), results));
    }
    let refused = |error| RecoveryError::Arbiter { show, error };
    let fence = ports.arbiter.lease(show, rebuilt.fence).await.map_err(refused)?;
    if let Some((question, claims)) = last_claims(records) {
        ports.arbiter.restore(show, fence, question, &claims).await.map_err(refused)?;
    }
    let clock = ports.clock.now();
    if clock < rebuilt.at {
        tracing::warn!(%show, behind = %rebuilt.at.since(clock), "the machine's clock is behind the show's journal");
    }
    let now = rebuilt.at.max(clock);
    let away = now.since(rebuilt.at);
    let mut live = Show::around(ports, inbox, show, fence, rebuilt.game, now);
    live.next_record = rebuilt.records;
    live.status.send_replace(Some(Status::of(&*live.game)));
    if ended.is_some() {
        live.ended_at = Some(rebuilt.at);
        live.archive();
    } else {
        live.apply(Command::Recovered { away });
        live.raise_barrier();
    }
    Ok(Recovered::Live(Box::new(live)))
}

fn rebuild(records: &[Record]) -> Result<Rebuilt, ReplayError> {
    let (first, rest) = records.split_first().ok_or(ReplayError::NoCreate)?;
    rest.iter().try_fold(Rebuilt::begin(first)?, Rebuilt::step)
}

/// The counted answers to the last question.
fn last_claims(records: &[Record]) -> Option<(QuestionId, Vec<Claim>)> {
    let last = records.iter().rev().flat_map(|record| &record.events).find_map(|event| match event {
        ToPlayer::Question(question) => Some(question.question),
        _ => None,
    })?;
    let mut claims = Vec::new();
    for record in records {
        if let Command::Answers { question, answers } = &record.command
            && *question == last
        {
            claims.extend(answers.iter().map(|answer| Claim { seat: answer.seat, choice: answer.choice }));
        }
    }
    Some((last, claims))
}
