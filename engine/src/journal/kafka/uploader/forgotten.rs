//! Who was forgotten while their persons waited in the spool.

use klaxon_protocol::ids::ShowId;
use tokio::time::Instant;

use super::super::people_reader::CLOCKS_DIFFER;
use super::super::scan::forgotten_in;
use super::{BACKOFF, Uploader};

impl Uploader {
    /// Whether it is known who was forgotten of the show. It is looked up in Kafka for a show that was in the spool, or partly uploaded,
    /// before: somebody may have been forgotten since its file was written.
    pub(super) async fn knows_forgotten(&mut self, show: ShowId) -> bool {
        if self.cursors.get(&show).is_some_and(|cursor| cursor.forgotten.is_some()) {
            return true;
        }
        let begun = self.spool.begun_at(show).await.ok().flatten().map_or(0, |begun| begun.0);
        let found = forgotten_in(&self.kafka, show, begun.saturating_sub(CLOCKS_DIFFER)).await;
        let Some(cursor) = self.cursors.get_mut(&show) else { return false };
        match found {
            Ok(forgotten) => {
                if !forgotten.is_empty() {
                    tracing::info!(%show, records = forgotten.len(), "what the spool has of persons who are forgotten is not uploaded");
                }
                cursor.forgotten = Some(forgotten);
                true
            }
            Err(error) => {
                metrics::counter!("klaxon_kafka_errors_total").increment(1);
                tracing::warn!(%show, %error, "it can't be looked up who is forgotten; the show's upload waits for that");
                cursor.paused_until = Some(Instant::now() + *BACKOFF.end());
                false
            }
        }
    }
}
