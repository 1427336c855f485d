//! The results of a show on their way to the archive: beside the show, never in its path.

use std::sync::Arc;

use klaxon_protocol::time::Span;

use crate::archive::{Archive, ArchiveError, ShowResults};

/// The pause before the archive is asked again, at first and at most.
const RETRY: std::ops::RangeInclusive<Span> = Span(100)..=Span(60_000);

/// Stores the results unless the archive has them; asks until it takes them or says that it never will.
pub async fn store(archive: Arc<dyn Archive>, results: ShowResults) {
    let show = results.summary.show;
    let mut wait = *RETRY.start();
    loop {
        let stored = match archive.show(show).await {
            Ok(Some(_)) => return,
            Ok(None) => archive.store(&results).await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(()) => return tracing::info!(%show, "the results are in the archive"),
            Err(error @ ArchiveError::BadResults { .. }) => {
                return tracing::error!(%show, %error, "the archive does not take these results");
            }
            Err(error) => tracing::warn!(%show, %error, "the archive does not answer; asking again"),
        }
        tokio::time::sleep(wait.to_std()).await;
        wait = (wait + wait).min(*RETRY.end());
    }
}
