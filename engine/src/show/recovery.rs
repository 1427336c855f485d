//! A show that was cut off by a crash, taken up where its journal ends.

use klaxon_protocol::ids::{QuestionId, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::{Phase, ToPlayer};
use tokio::sync::{mpsc, watch};

use super::{LINGER, Show, Status, ToShow, archiving};
use crate::Ports;
use crate::arbiter::{ArbiterError, Claim};
use crate::replay::{Rebuilt, ReplayError};

/// What a journal gave.
pub enum Recovered {
    /// A show to go on with.
    Live(Box<Show>),
    /// A show that is over and was looked at for long enough: how it ended.
    Over(watch::Receiver<Status>),
}

/// Why a show could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
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

/// Rebuilds a show from its records and gives it back the time that passed meanwhile.
///
/// # Errors
/// If the records don't tell a show, or the arbiter does not give its lease.
pub async fn recover(
    ports: Ports,
    show: ShowId,
    records: &[Record],
    inbox: mpsc::UnboundedReceiver<ToShow>,
) -> Result<Recovered, RecoveryError> {
    let replayed = |error| RecoveryError::Replay { show, error };
    let (first, rest) = records.split_first().ok_or(replayed(ReplayError::NoCreate))?;
    let mut rebuilt = Rebuilt::begin(first).map_err(replayed)?;
    for record in rest {
        rebuilt = rebuilt.step(record).map_err(replayed)?;
    }
    let now = rebuilt.at.max(ports.clock.now());
    let ended = rebuilt.game.phase() == Phase::Ended;
    if ended {
        tokio::spawn(archiving::store(ports.clone(), show, rebuilt.game.results(show)));
    }
    if ended && now >= rebuilt.at + LINGER {
        return Ok(Recovered::Over(watch::channel(Status::of(&*rebuilt.game)).1));
    }
    let refused = |error| RecoveryError::Arbiter { show, error };
    let fence = ports.arbiter.lease(show, rebuilt.fence).await.map_err(refused)?;
    if let Some((question, claims)) = last_claims(records) {
        ports.arbiter.restore(show, fence, question, &claims).await.map_err(refused)?;
    }
    let away = now.since(rebuilt.at);
    let mut live = Show::around(ports, inbox, show, fence, rebuilt.game, now);
    live.next_record = rebuilt.records;
    if ended {
        live.ended_at = Some(rebuilt.at);
    } else {
        live.apply(Command::Recovered { away });
        live.raise_barrier();
    }
    Ok(Recovered::Live(Box::new(live)))
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
