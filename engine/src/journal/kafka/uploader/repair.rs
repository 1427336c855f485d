//! Files of the spool that can't be read, or lack what Redis has.

use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use tokio::time::Instant;

use super::{BACKOFF, Uploader};
use crate::journal::JournalError;

/// The longest pause of a show's upload after a repair of its files.
const LONGEST_REPAIR_PAUSE: Duration = Duration::from_secs(60);

impl Uploader {
    /// Rewrites a show's file that lacks records that Redis has: writing it failed before, perhaps because the disk was
    /// full.
    pub(super) async fn repair(&mut self, show: ShowId) {
        let repaired = self.spool.restore(show, &self.redis_log).await;
        match self.spool.progress(show).await {
            Ok(progress) if repaired.is_ok() => {
                self.backlog.is_whole(show, progress.map_or(0, |progress| progress.next))
            }
            _ => {}
        }
        if let Err(error) = &repaired {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%show, %error, "the spool can't be written; Kafka does not get this show until it can");
        }
        self.pause_repairs(show);
    }

    /// Pauses a show's upload after a repair, for longer each time until something is sent again.
    fn pause_repairs(&mut self, show: ShowId) {
        if let Some(cursor) = self.cursors.get_mut(&show) {
            cursor.paused_until = Some(Instant::now() + pause_after(cursor.failed_repairs));
            cursor.failed_repairs += 1;
            cursor.more = true;
        }
    }

    /// Rewrites what stands apart from a show, which can't be read, from Redis. If Redis no longer has the show, what is damaged is set
    /// aside, and the show is uploaded without it: those players have no names, but the show has its results.
    pub(super) async fn repair_people(&mut self, show: ShowId, error: &JournalError) {
        tracing::error!(%show, %error, "what stands apart can't be read in the spool; it is rewritten from Redis");
        let restored = self.spool.restore(show, &self.redis_log).await;
        let repaired = match (restored, error) {
            (Ok(false), JournalError::Damaged { .. }) => self.spool.set_people_aside(show).await.map(|aside| {
                let file = aside.display();
                tracing::error!(%show, %file, "Redis does not have this show: the damaged file is set aside, and the players in it have no names");
            }),
            (restored, _) => restored.map(drop),
        };
        if let Err(error) = repaired {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%show, %error, "the spool can't be repaired; Kafka does not get this show until it can");
        }
        self.pause_repairs(show);
    }
}

/// The pause after a repair that follows so many others.
fn pause_after(failed_repairs: u32) -> Duration {
    let doubled = BACKOFF.end().saturating_mul(2_u32.saturating_pow(failed_repairs));
    doubled.min(LONGEST_REPAIR_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_stays_damaged_is_tried_and_logged_about_once_a_minute_in_the_end() {
        let pauses: Vec<u64> = [0, 1, 2, 3, 4, 5, 100, u32::MAX].map(|failed| pause_after(failed).as_secs()).into();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
