//! Forgetting a person in a cluster: tombstones in the topic of what stands apart, and nothing left of them in Redis. The spools are files,
//! and are a matter of [`FileJournal::forget`](crate::journal::FileJournal::forget).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ::redis::AsyncCommands;
use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::register::PersonRecord;
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::people::{PersonKey, person_in, person_in_message};
use super::redis_log::failed;
use super::scan::{ScanError, for_each_message};
use super::topic::{Kafka, log};
use crate::journal::{Forgotten, JournalError};
use crate::redis::Redis;
use crate::seal::SealKeys;

/// How long Kafka may take to acknowledge the tombstones.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many fields Redis is asked for at once, about.
const PAGE: usize = 1000;

/// Whom to forget, and where.
#[derive(Debug, Clone)]
pub struct Forgetting {
    /// Whom.
    pub player: PlayerId,
    /// In which show; in all of them if none.
    pub show: Option<ShowId>,
    /// They open what is sealed.
    pub keys: SealKeys,
}

impl Forgetting {
    /// Whether this is about the player, in a show that is meant.
    ///
    /// # Errors
    /// What can't be opened, and why.
    fn means(&self, person: PersonRecord) -> Result<bool, String> {
        if self.show.is_some_and(|show| show != person.show) {
            return Ok(false);
        }
        let (show, number) = (person.show, person.number);
        match self.keys.open_person(person) {
            Ok(person) => Ok(person.data.player() == Some(&self.player)),
            Err(error) => Err(format!("record {number} of show {show}: {error}")),
        }
    }
}

/// Writes a tombstone for each record about the person in the topic of what stands apart. Returns when Kafka has acknowledged all.
///
/// # Errors
/// [`ScanError`]; it can be done again.
pub async fn forget_in_kafka(kafka: &Kafka, forgetting: &Forgetting) -> Result<Forgotten, ScanError> {
    let (kafka, forgetting) = (kafka.clone(), forgetting.clone());
    match tokio::task::spawn_blocking(move || write_tombstones(&kafka, &forgetting)).await {
        Ok(done) => done,
        Err(_) => Err(KafkaError::Canceled.into()),
    }
}

fn write_tombstones(kafka: &Kafka, forgetting: &Forgetting) -> Result<Forgotten, ScanError> {
    let mut forgotten = Forgotten::default();
    // The partition of each, which may be another than it would be today; and what can't be opened. The last value of a key counts.
    let (mut found, mut unopened) = (BTreeMap::new(), BTreeMap::new());
    for_each_message(kafka, &kafka.people_topic, forgetting.show, |message| {
        let (key, person) = match person_in_message(message) {
            Ok(read) => read,
            Err(problem) => {
                forgotten.unread.push(format!("{}, offset {}: {problem}", kafka.people_topic, message.offset()));
                return Ok(());
            }
        };
        found.remove(&key);
        unopened.remove(&key);
        match person.map_or(Ok(false), |person| forgetting.means(person)) {
            Ok(true) => drop(found.insert(key, message.partition())),
            Ok(false) => {}
            Err(problem) => drop(unopened.insert(key, format!("{}, {problem}", kafka.people_topic))),
        }
        Ok(())
    })?;
    forgotten.unread.extend(unopened.into_values());
    let refused = Refused::default();
    let producer: BaseProducer<Refused> = kafka.producing().create_with_context(refused.clone())?;
    for (key, &partition) in &found {
        let key = key.text();
        let mut record = BaseRecord::<str, [u8]>::to(&kafka.people_topic).key(&key).partition(partition);
        while let Err((error, unsent)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            producer.poll(Duration::from_millis(100));
            record = unsent;
        }
    }
    producer.flush(PATIENCE)?;
    if let Some(error) = refused.0.lock().take() {
        return Err(error.into());
    }
    forgotten.records = found.len();
    forgotten.shows = found.keys().map(|key: &PersonKey| key.show).collect();
    Ok(forgotten)
}

/// The first error by which a tombstone was refused.
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Refused {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }
}

impl ProducerContext for Refused {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0.lock().get_or_insert_with(|| error.clone());
        }
    }
}

/// Takes the person out of what stands apart in Redis from the journals of these shows, and of all shows that are not over.
///
/// # Errors
/// [`JournalError::Unavailable`]; it can be done again.
pub async fn forget_in_redis(
    redis: &Redis,
    shows: &BTreeSet<ShowId>,
    forgetting: &Forgetting,
) -> Result<Forgotten, JournalError> {
    let mut connection = redis.connect().await.map_err(failed)?;
    let open: Vec<String> = connection.smembers(redis.keys().shows()).await.map_err(failed)?;
    let mut shows = shows.clone();
    shows.extend(open.iter().filter_map(|show| show.parse::<ShowId>().ok()));
    shows.extend(forgetting.show);
    shows.retain(|show| forgetting.show.is_none_or(|only| only == *show));
    let mut forgotten = Forgotten::default();
    for show in shows {
        let (key, mut cursor) = (redis.keys().people(show), 0_u64);
        loop {
            let mut scan = ::redis::cmd("HSCAN");
            scan.arg(&key).arg(cursor).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<(String, Vec<u8>)>) =
                scan.query_async(&mut connection).await.map_err(failed)?;
            for (field, bytes) in page {
                match person_in(&bytes).and_then(|person| forgetting.means(person)) {
                    Ok(true) => {
                        let taken: usize = connection.hdel(&key, &field).await.map_err(failed)?;
                        forgotten.records += taken;
                        forgotten.shows.insert(show);
                    }
                    Ok(false) => {}
                    Err(problem) => forgotten.unread.push(format!("Redis, {field} of {key}: {problem}")),
                }
            }
            if next == 0 {
                break;
            }
            cursor = next;
        }
    }
    Ok(forgotten)
}
