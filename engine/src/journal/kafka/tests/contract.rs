//! The contract of every journal, of one whose shows have leases as they need them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;
use tokio::sync::Mutex;

use super::house::{House, lease};
use crate::journal::contract::journal_contract;
use crate::journal::kafka::KafkaJournal;
use crate::journal::{Journal, JournalError, Restored};
use crate::redis::Redis;

/// Before each append it has the arbiter's part done: whoever writes holds the lease, if its fence is large enough.
struct Leased {
    journal: KafkaJournal,
    way: Redis,
    leases: Mutex<BTreeMap<ShowId, Fence>>,
}

async fn leased() -> (Leased, House) {
    let house = House::new().await;
    let journal = house.journal(0).await;
    (Leased { journal, way: house.way.clone(), leases: Mutex::default() }, house)
}

#[async_trait]
impl Journal for Leased {
    fn keeps_apart(&self) -> bool {
        self.journal.keeps_apart()
    }

    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut leases = self.leases.lock().await;
        let before = leases.clone();
        for record in records {
            let held = leases.entry(record.show).or_insert(Fence(0));
            if *held < record.fence {
                *held = record.fence;
                lease(&self.way, record.show, record.fence).await;
            }
        }
        let done = self.journal.append(records).await;
        if done.is_err() {
            for (&show, &fence) in &before {
                lease(&self.way, show, fence).await;
            }
            *leases = before;
        }
        done
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

journal_contract!(leased().await);
