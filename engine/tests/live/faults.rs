//! A journal and a bus that fail when they are told to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use klaxon_engine::bus::{BusError, EngineEnd, LocalEngineEnd, Publication, Received, ShowRegistration, Takeover};
use klaxon_engine::journal::{Journal, JournalError, Restored};
use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::journal::Record;
use klaxon_protocol::link::ToGateway;
use tokio::sync::watch;
use tokio::time::Instant;

/// A journal whose appends fail while they are told to.
pub struct FaultyJournal {
    journal: Box<dyn Journal>,
    keeps_apart: bool,
    fault: Mutex<Option<JournalError>>,
    refused: watch::Sender<u32>,
}

impl FaultyJournal {
    pub fn around(journal: impl Journal) -> Self {
        let keeps_apart = journal.keeps_apart();
        Self { journal: Box::new(journal), keeps_apart, fault: Mutex::default(), refused: watch::Sender::new(0) }
    }

    /// The journal of an engine of before the third edition of the rules: its new shows name players in it.
    pub fn of_before(journal: impl Journal) -> Self {
        Self { keeps_apart: false, ..Self::around(journal) }
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
    fn keeps_apart(&self) -> bool {
        self.keeps_apart
    }

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

/// The bus inside one process, of one show. From the first time that its queue is full it acts as one between processes: a takeover
/// learns how much was published.
pub struct FaultyBus {
    end: LocalEngineEnd,
    is_full: AtomicBool,
    was_full: AtomicBool,
    /// All that follows from this many records is published.
    records: AtomicU64,
}

impl FaultyBus {
    pub fn around(end: LocalEngineEnd) -> Self {
        Self { end, is_full: AtomicBool::default(), was_full: AtomicBool::default(), records: AtomicU64::default() }
    }

    /// Takes nothing more until the show is taken over again.
    pub fn fill(&self) {
        self.is_full.store(true, Relaxed);
        self.was_full.store(true, Relaxed);
    }
}

#[async_trait]
impl EngineEnd for FaultyBus {
    fn publish(&self, publication: Publication) -> Result<(), BusError> {
        if self.is_full.load(Relaxed) {
            return Err(BusError::Full);
        }
        self.records.store(publication.records, Relaxed);
        self.end.publish(publication)
    }

    fn reply_to_gateway(&self, to: GatewayId, message: ToGateway) {
        self.end.reply_to_gateway(to, message);
    }

    async fn receive(&self, into: &mut Vec<Received>) -> bool {
        self.end.receive(into).await
    }

    async fn take_over(&self, show: ShowId, fence: Fence) -> Result<Takeover, BusError> {
        let takeover = self.end.take_over(show, fence).await?;
        self.is_full.store(false, Relaxed);
        let published = self.is_distributed().then(|| self.records.load(Relaxed));
        Ok(Takeover { published, ..takeover })
    }

    fn release(&self, show: ShowId, is_over: bool) {
        self.end.release(show, is_over);
    }

    async fn register_show(
        &self,
        show: ShowId,
        code: &ShowCode,
        create: &CommandId,
        made_of: u64,
    ) -> Result<ShowRegistration, BusError> {
        self.end.register_show(show, code, create, made_of).await
    }

    fn update_directory(&self, line: ShowLine) {
        self.end.update_directory(line);
    }

    async fn list_shows(&self) -> Result<Option<Vec<ShowLine>>, BusError> {
        self.end.list_shows().await
    }

    fn last_failure(&self, show: ShowId) -> Option<Instant> {
        self.end.last_failure(show)
    }

    fn is_distributed(&self) -> bool {
        self.was_full.load(Relaxed)
    }
}
