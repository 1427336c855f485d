//! The end of a show: storing its results in the archive, and how long the show can still be viewed.

use std::sync::Arc;

use klaxon_protocol::time::{Millis, Span};
use tokio::task::JoinSet;

use crate::archive::{Archive, ArchiveError, ShowResults};

/// How long an ended show can still be viewed.
pub(super) const LINGER: Span = Span(10 * 60 * 1000);
/// The pause before the archive is asked again, at first and at most.
const RETRY_PAUSE: std::ops::RangeInclusive<Span> = Span(100)..=Span(60_000);

/// Whether and when a show ended.
#[derive(Default)]
pub(super) struct Ending {
    at: Option<Millis>,
    /// The task that stores the results; at most one, as a show ends once.
    archiving: JoinSet<()>,
}

impl Ending {
    /// Sets the time of the end, and starts to store the results if there is an archive.
    pub fn end(&mut self, at: Millis, archive: Option<Arc<dyn Archive>>, results: Option<ShowResults>) {
        assert!(self.at.is_none(), "a show ends once");
        self.at = Some(at);
        if let (Some(archive), Some(results)) = (archive, results) {
            self.archiving.spawn(store(archive, results));
        }
    }

    pub const fn has_ended(&self) -> bool {
        self.at.is_some()
    }

    /// Until when the ended show can be viewed; none if it has not ended.
    pub fn lingers_until(&self) -> Option<Millis> {
        self.at.map(|at| at + LINGER)
    }

    /// Whether it has ended and can no longer be viewed.
    pub fn is_over(&self, now: Millis) -> bool {
        self.lingers_until().is_some_and(|until| now >= until)
    }

    /// Returns when the archive has the results.
    pub async fn archived(&mut self) {
        while self.archiving.join_next().await.is_some() {}
    }
}

/// Stores the results unless the archive has them. Retries until the archive stores them or refuses them for good. Runs
/// in a task of its own, so that no show waits for the archive.
pub async fn store(archive: Arc<dyn Archive>, results: ShowResults) {
    let show = results.summary.show;
    let mut pause = *RETRY_PAUSE.start();
    loop {
        let stored = match archive.show(show).await {
            Ok(Some(_)) => return,
            Ok(None) => archive.store(&results).await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(()) => return tracing::info!(%show, "the results are in the archive"),
            Err(error @ ArchiveError::BadResults { .. }) => {
                return tracing::error!(%show, %error, "the archive refuses these results");
            }
            Err(error) => tracing::warn!(%show, %error, "the archive does not answer; trying again"),
        }
        tokio::time::sleep(pause.to_std()).await;
        pause = (pause + pause).min(*RETRY_PAUSE.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_ended_show_can_be_looked_at_for_a_while_and_is_over_then() {
        let (mut ending, end) = (Ending::default(), Millis(1_000));
        assert!(!ending.has_ended() && !ending.is_over(Millis(u64::MAX)));
        ending.end(end, None, None);
        assert!(ending.has_ended());
        assert_eq!(ending.lingers_until(), Some(end + LINGER));
        assert!(!ending.is_over(end + (LINGER - Span(1))) && ending.is_over(end + LINGER));
        ending.archived().await;
    }

    #[test]
    #[should_panic(expected = "ends once")]
    fn a_second_end_is_a_fault() {
        let mut ending = Ending::default();
        ending.end(Millis(1), None, None);
        ending.end(Millis(2), None, None);
    }
}
