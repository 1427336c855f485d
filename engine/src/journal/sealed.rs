//! A journal whose records are sealed with the service's key when they are written, and opened when they are read.

use std::sync::Arc;

use async_trait::async_trait;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;

use super::{Journal, JournalError, Restored};
use crate::seal::{RecordOpener, SealError, SealKeys, open_records};

/// Wraps another journal with sealing. Without a key it changes nothing, and refuses sealed records. Records from
/// before a key was set are read unchanged.
pub struct SealedJournal<J> {
    journal: Arc<J>,
    keys: SealKeys,
}

impl<J: Journal> SealedJournal<J> {
    /// Wraps a journal; the first of these keys seals.
    #[must_use]
    pub const fn new(journal: Arc<J>, keys: SealKeys) -> Self {
        Self { journal, keys }
    }
}

fn refused(show: ShowId, number: u64, error: &SealError) -> JournalError {
    match error {
        SealError::NoKey { .. } => JournalError::NoKey { show, number, problem: error.to_string() },
        SealError::Changed { .. } | SealError::NotSealed { .. } => {
            JournalError::Damaged { show, offset: number, problem: format!("{error} (record {number})") }
        }
    }
}

#[async_trait]
impl<J: Journal> Journal for SealedJournal<J> {
    /// What stands apart from a sealed record is sealed by itself, and kept as the other's would be.
    fn keeps_apart(&self) -> bool {
        self.journal.keeps_apart()
    }

    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        if self.keys.is_empty() {
            return self.journal.append(records).await;
        }
        let sealed: Vec<Record> = records.iter().map(|record| self.keys.seal_record(record)).collect();
        self.journal.append(&sealed).await
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        let Some(first) = self.journal.first(show).await? else { return Ok(None) };
        let number = first.number;
        let opened = RecordOpener::default().open(&self.keys, first);
        opened.map(Some).map_err(|error| refused(show, number, &error))
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        let Restored { records, cut } = self.journal.read(show).await?;
        let records = open_records(&self.keys, records).map_err(|(number, error)| refused(show, number, &error))?;
        Ok(Restored { records, cut })
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        self.journal.shows().await
    }

    async fn retire(&self, show: ShowId, fence: Fence) -> Result<(), JournalError> {
        self.journal.retire(show, fence).await
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        let records = self.journal.tail(show, last).await?;
        open_records(&self.keys, records).map_err(|(number, error)| refused(show, number, &error))
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::journal::{Command, MAGIC, Records};
    use tempfile::TempDir;

    use super::super::contract::{journal_contract, records};
    use super::super::{FileJournal, SyncPolicy};
    use super::*;

    const SHOW: ShowId = ShowId(77);

    fn keys() -> SealKeys {
        SealKeys::of_secrets(&["6a1e94c05bd27f38e6097c1b4fa8d253"])
    }

    async fn new_journal() -> (SealedJournal<FileJournal>, TempDir) {
        let directory = TempDir::new().unwrap();
        let journal = FileJournal::open(directory.path(), SyncPolicy::Always).await.unwrap();
        (SealedJournal::new(Arc::new(journal), keys()), directory)
    }

    journal_contract!(new_journal().await);

    #[tokio::test]
    async fn whoever_rewrites_what_is_kept_makes_no_other_show_of_it() {
        let (journal, directory) = new_journal().await;
        journal.append(&records(SHOW, 0..6, 1)).await.unwrap();
        let inner = Arc::clone(&journal.journal);
        let sealed = inner.read(SHOW).await.unwrap().records;
        let plain = records(SHOW, 0..6, 1);
        assert!(sealed.iter().all(|record| matches!(record.command, Command::Sealed { .. }) && record.state == 0));

        let mut swapped = sealed.clone();
        swapped[2].command = sealed[3].command.clone();
        swapped[3].command = sealed[2].command.clone();
        let mut replaced = sealed.clone();
        replaced[4] = plain[4].clone();
        let mut retold = sealed.clone();
        retold[5].events.clear();
        retold[1].events.clear();
        for (rewritten, number) in [(swapped, 2), (replaced, 4), (retold, 1)] {
            let other = TempDir::new().unwrap();
            let file = Arc::new(FileJournal::open(other.path(), SyncPolicy::Never).await.unwrap());
            file.append(&rewritten).await.unwrap();
            let read = SealedJournal::new(file, keys()).read(SHOW).await;
            assert!(matches!(read, Err(JournalError::Damaged { offset, .. }) if offset == number), "{read:?}");
        }
        // What is cut off at the end is not missed: the seal is on each record, not on the journal.
        let other = TempDir::new().unwrap();
        let file = Arc::new(FileJournal::open(other.path(), SyncPolicy::Never).await.unwrap());
        file.append(&sealed[..3]).await.unwrap();
        assert_eq!(SealedJournal::new(file, keys()).read(SHOW).await.unwrap().records, plain[..3]);
        drop(directory);
    }

    #[tokio::test]
    async fn an_append_that_is_made_again_writes_the_same_bytes() {
        let (journal, directory) = new_journal().await;
        let all = records(SHOW, 0..3, 1);
        journal.append(&all).await.unwrap();
        journal.append(&all).await.unwrap();
        let bytes = std::fs::read(directory.path().join(format!("{SHOW}.klxj"))).unwrap();
        let sealed: Vec<Record> = all.iter().map(|record| keys().seal_record(record)).collect();
        assert!(bytes.starts_with(&MAGIC));
        let read: Vec<Record> = Records::new(&bytes).unwrap().map(|item| item.unwrap().1).collect();
        assert_eq!(read, sealed);
    }

    #[tokio::test]
    async fn without_the_key_nothing_is_read_and_nothing_is_lost() {
        let (journal, _directory) = new_journal().await;
        journal.append(&records(SHOW, 0..3, 1)).await.unwrap();
        let keyless = SealedJournal::new(Arc::clone(&journal.journal), SealKeys::default());
        let refused = [
            keyless.read(SHOW).await.map(|_| ()),
            keyless.first(SHOW).await.map(|_| ()),
            keyless.tail(SHOW, 1).await.map(|_| ()),
        ];
        for refused in refused {
            assert!(matches!(refused, Err(JournalError::NoKey { show: SHOW, .. })), "{refused:?}");
        }
        assert_eq!(keyless.shows().await.unwrap(), [SHOW]);
        assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..3, 1));
    }
}
