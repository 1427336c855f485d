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
use super::scan::{Messages, ScanError, for_each_message};
use super::topic::{Kafka, REQUEST_TIMEOUT, count_partitions, log, partition_of};
use crate::journal::{Forgotten, JournalError};
use crate::redis::Redis;
use crate::seal::SealKeys;

/// How long Kafka may take to acknowledge the tombstones.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many fields Redis is asked for at once, about.
const PAGE: usize = 1000;

/// Why somebody could not be forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// In Kafka.
    #[error(transparent)]
    Kafka(#[from] ScanError),
    /// In Redis.
    #[error(transparent)]
    Redis(#[from] JournalError),
}

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

/// What was forgotten of a person in a cluster.
#[derive(Debug, Default)]
pub struct ForgottenInCluster {
    /// In the topic of what stands apart, if a Kafka was named.
    pub kafka: Forgotten,
    /// In Redis, if one was named.
    pub redis: Forgotten,
    /// How many of the records in Redis Kafka did not have yet. It has their tombstones now, so an engine that starts later or takes the
    /// show over does not upload them; one that has the show already may, over the tombstones.
    pub not_uploaded: usize,
}

/// Forgets a person in these servers: a tombstone in Kafka for each record about them there and in Redis, and nothing of them in Redis, in
/// the shows that are not over and those of which Kafka has such a record. Returns when Kafka has acknowledged all.
///
/// # Errors
/// [`ForgetError`]; it can be done again.
pub async fn forget_in_cluster(
    kafka: Option<&Kafka>,
    redis: Option<&Redis>,
    forgetting: &Forgetting,
) -> Result<ForgottenInCluster, ForgetError> {
    let mut forgotten = ForgottenInCluster::default();
    let mut in_redis = FoundInRedis::default();
    if let Some(redis) = redis {
        in_redis.search(redis, &open_shows(redis, forgetting).await?, forgetting).await?;
    }
    if let Some(kafka) = kafka {
        let sought = (forgetting.clone(), in_redis.found.clone());
        let FoundInKafka { live, seen, unread } = blocking(kafka, &sought, FoundInKafka::search).await?;
        let mut not_uploaded: BTreeSet<PersonKey> = in_redis.found.difference(&seen).copied().collect();
        let searched = in_redis.found.clone();
        let shows: BTreeSet<ShowId> = live.keys().map(|key| key.show).collect();
        if let Some(redis) = redis {
            // Of a show that is over Redis tells nothing without its id.
            in_redis.search(redis, &shows, forgetting).await?;
        }
        let found_later = in_redis.found.difference(&searched);
        not_uploaded.extend(found_later.filter(|key| !live.contains_key(key)));
        forgotten.not_uploaded = not_uploaded.len();
        forgotten.kafka = Forgotten { records: live.len(), shows, unread, ..Forgotten::default() };
        // Before they are taken out of Redis: after a crash in between they are still found there.
        blocking(kafka, &(live, not_uploaded), write_tombstones).await?;
    }
    if let Some(redis) = redis {
        forgotten.redis = in_redis.remove(redis).await?;
    }
    Ok(forgotten)
}

async fn blocking<A: Clone + Send + 'static, T: Send + 'static>(
    kafka: &Kafka,
    argument: &A,
    work: impl FnOnce(&Kafka, &A) -> Result<T, ScanError> + Send + 'static,
) -> Result<T, ScanError> {
    let (kafka, argument) = (kafka.clone(), argument.clone());
    let working = tokio::task::spawn_blocking(move || work(&kafka, &argument));
    working.await.unwrap_or_else(|_| Err(KafkaError::Canceled.into()))
}

/// The records about a person in the topic of what stands apart.
#[derive(Default)]
struct FoundInKafka {
    /// Those that are not forgotten, with the partition of each, which may be another than it would be today.
    live: BTreeMap<PersonKey, i32>,
    /// All keys in the topic that Redis has records of the person of.
    seen: BTreeSet<PersonKey>,
    unread: Vec<String>,
}

impl FoundInKafka {
    fn search(kafka: &Kafka, (forgetting, in_redis): &(Forgetting, BTreeSet<PersonKey>)) -> Result<Self, ScanError> {
        let mut found = Self::default();
        // What can't be opened. The last value of a key counts.
        let mut unopened = BTreeMap::new();
        let messages = forgetting.show.map_or(Messages::All, Messages::OfShow);
        for_each_message(kafka, &kafka.people_topic, messages, |message| {
            let (key, person) = match person_in_message(message) {
                Ok(read) => read,
                Err(problem) => {
                    found.unread.push(format!("{}, offset {}: {problem}", kafka.people_topic, message.offset()));
                    return Ok(());
                }
            };
            if in_redis.contains(&key) {
                found.seen.insert(key);
            }
            found.live.remove(&key);
            unopened.remove(&key);
            match person.map_or(Ok(false), |person| forgetting.means(person)) {
                Ok(true) => drop(found.live.insert(key, message.partition())),
                Ok(false) => {}
                Err(problem) => drop(unopened.insert(key, format!("{}, {problem}", kafka.people_topic))),
            }
            Ok(())
        })?;
        found.unread.extend(unopened.into_values());
        Ok(found)
    }
}

/// Writes tombstones: of these keys in their partitions, and of those in the partitions in which they will be.
fn write_tombstones(
    kafka: &Kafka,
    (live, not_uploaded): &(BTreeMap<PersonKey, i32>, BTreeSet<PersonKey>),
) -> Result<(), ScanError> {
    if live.is_empty() && not_uploaded.is_empty() {
        return Ok(());
    }
    let refused = Refused::default();
    let producer: BaseProducer<Refused> = kafka.producing().create_with_context(refused.clone())?;
    let partitions = count_partitions(producer.client(), &kafka.people_topic, REQUEST_TIMEOUT)?;
    let expected = not_uploaded.iter().map(|&key| (key, partition_of(key.show, partitions)));
    for (key, partition) in live.iter().map(|(&key, &partition)| (key, partition)).chain(expected) {
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
    refused.0.lock().take().map_or(Ok(()), |error| Err(error.into()))
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

/// The shows that are not over, of those that are meant, and the one that is meant.
async fn open_shows(redis: &Redis, forgetting: &Forgetting) -> Result<BTreeSet<ShowId>, JournalError> {
    let mut connection = redis.connect().await.map_err(failed)?;
    let open: Vec<String> = connection.smembers(redis.keys().shows()).await.map_err(failed)?;
    let open = open.iter().filter_map(|show| show.parse::<ShowId>().ok());
    Ok(open.filter(|show| forgetting.show.is_none_or(|only| only == *show)).chain(forgetting.show).collect())
}

/// The records about a person that stand apart from the journals in Redis.
#[derive(Default)]
struct FoundInRedis {
    searched: BTreeSet<ShowId>,
    found: BTreeSet<PersonKey>,
    unread: Vec<String>,
}

impl FoundInRedis {
    /// Looks at those of these shows that were not looked at before.
    async fn search(
        &mut self,
        redis: &Redis,
        shows: &BTreeSet<ShowId>,
        forgetting: &Forgetting,
    ) -> Result<(), JournalError> {
        let mut connection = redis.connect().await.map_err(failed)?;
        for &show in shows {
            if !self.searched.insert(show) {
                continue;
            }
            let (key, mut cursor) = (redis.keys().people(show), 0_u64);
            loop {
                let mut scan = ::redis::cmd("HSCAN");
                scan.arg(&key).arg(cursor).arg("COUNT").arg(PAGE);
                let (next, page): (u64, Vec<(String, Vec<u8>)>) =
                    scan.query_async(&mut connection).await.map_err(failed)?;
                for (field, bytes) in page {
                    let person = person_in(&bytes).and_then(|person| {
                        let key = PersonKey::of(&person);
                        Ok(forgetting.means(person)?.then_some(key))
                    });
                    match person {
                        Ok(person) => self.found.extend(person),
                        Err(problem) => self.unread.push(format!("Redis, {field} of {key}: {problem}")),
                    }
                }
                if next == 0 {
                    break;
                }
                cursor = next;
            }
        }
        Ok(())
    }

    /// Takes out what was found.
    async fn remove(self, redis: &Redis) -> Result<Forgotten, JournalError> {
        let mut connection = redis.connect().await.map_err(failed)?;
        let mut forgotten = Forgotten { unread: self.unread, ..Forgotten::default() };
        for key in self.found {
            let taken: usize = connection.hdel(redis.keys().people(key.show), key.field()).await.map_err(failed)?;
            forgotten.records += taken;
            forgotten.shows.insert(key.show);
        }
        Ok(forgotten)
    }
}
