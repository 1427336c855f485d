//! What the bus's queues have in common: metrics, and what is done with a message for which there is no room.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{FromHost, Refused, ToHost};
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::link::{AnswerBatch, ToEngine, ToGateway};

/// Publishes how many entries a queue holds.
#[expect(clippy::cast_precision_loss, reason = "a metric")]
pub(super) fn record_length(queue: &'static str, length: usize) {
    metrics::gauge!("klaxon_bus_queue_length", "queue" => queue).set(length as f64);
}

/// Counts that a queue was full.
pub(super) fn count_full(queue: &'static str) {
    metrics::counter!("klaxon_bus_queue_full_total", "queue" => queue).increment(1);
}

/// Sends to a queue whose sender waits for room. False if it has no receiver.
#[cfg(feature = "cluster")]
pub(super) async fn send_waiting<T>(sender: &tokio::sync::mpsc::Sender<T>, queue: &'static str, value: T) -> bool {
    use tokio::sync::mpsc::error::TrySendError;
    match sender.try_send(value) {
        Ok(()) => true,
        Err(TrySendError::Closed(_)) => false,
        Err(TrySendError::Full(value)) => {
            count_full(queue);
            sender.send(value).await.is_ok()
        }
    }
}

/// The reply to a message that does not reach an engine, if its sender waits for one.
pub(super) fn refusal(message: ToEngine, code: ErrorCode) -> Option<ToGateway> {
    let error = ErrorMessage::from(code);
    match message {
        ToEngine::Join(request) => Some(ToGateway::JoinRefused { conn: request.conn, error }),
        ToEngine::Host { conn, message } => {
            let message = match message {
                FromHost::Create(create) => ToHost::Refused(Refused { id: create.id, error }),
                FromHost::CreateGame(create) => ToHost::Refused(Refused { id: create.id, error }),
                FromHost::Command(command) => ToHost::Refused(Refused { id: command.id, error }),
                _ => ToHost::Error(error),
            };
            Some(ToGateway::Host { conn, message })
        }
        _ => None,
    }
}

/// How many answers to a show's last round were dropped. The engine voids a round of which any were.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DroppedAnswers(Option<(RoundId, u32)>);

impl DroppedAnswers {
    /// Notes a batch that is queued. Counts of earlier rounds are reset.
    pub fn track_round(&mut self, batch: &AnswerBatch) {
        if let Some(round) = newest_round(batch) {
            self.0.take_if(|(of, _)| *of < round);
        }
    }

    /// Counts the answers of a batch that is dropped.
    pub fn count_dropped(&mut self, batch: &AnswerBatch) {
        let Some(round) = newest_round(batch) else { return };
        let count = u32::try_from(batch.answers.len()).unwrap_or(u32::MAX);
        self.0 = Some((round, self.count().saturating_add(count)));
        metrics::counter!("klaxon_answers_dropped_total").increment(u64::from(count));
    }

    /// How many answers to the last round were dropped.
    pub fn count(self) -> u32 {
        self.0.map_or(0, |(_, count)| count)
    }
}

fn newest_round(batch: &AnswerBatch) -> Option<RoundId> {
    batch.answers.iter().map(|answer| answer.claim.round).max()
}
