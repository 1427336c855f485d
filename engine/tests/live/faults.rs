//! A journal that fails when it is told to.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use klaxon_engine::journal::{Journal, JournalError, Restored};
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;
use tokio::sync::watch;

/// A journal whose appends fail while they are told to.
pub struct FaultyJournal {
    journal: Box<dyn Journal>,
    fault: Mutex<Option<JournalError>>,
    refused: watch::Sender<u32>,
}

impl FaultyJournal {
    pub fn around(journal: impl Journal) -> Self {
        Self { journal: Box::new(journal), fault: Mutex::default(), refused: watch::Sender::new(0) }
    }

    /// Lets every append fail like this from now on, or none any more.
    pub fn fail(&self, fault: Option<JournalError>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Waits until so many appends failed in all.
    pub async fn refused(&self, appends: u32) {
        self.refused.subscribe().wait_for(|&refused| refused >= appends).await.unwrap();
    }
}

#[async_trait]
impl Journal for FaultyJournal {
    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(fault) = fault {
            self.refused.send_modify(|refused| *refused += 1);
            return Err(fault);
        }
        self.journal.append(records).await
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        self.journal.first(show).await
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        self.journal.read(show).await
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        self.journal.shows().await
    }

    async fn retire(&self, show: ShowId, fence: Fence) -> Result<(), JournalError> {
        self.journal.retire(show, fence).await
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        self.journal.tail(show, last).await
    }
}
