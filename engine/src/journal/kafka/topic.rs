//! The topic of all journals: brokers and settings, its creation, and the partition of each show.

use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

/// How long a broker may take to answer.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest time between two warnings about errors.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// The largest message, in bytes: the largest framed record, and room for what Kafka adds.
const LARGEST_MESSAGE: u32 = klaxon_protocol::journal::LARGEST_RECORD + 65_536;

/// How long Kafka may keep what a tombstone took out of the topic of what stands apart, in milliseconds: a day.
const COMPACTION_LAG: &str = "86400000";

const CLEANUP_POLICY: &str = "cleanup.policy";
const DELETE_RETENTION: &str = "delete.retention.ms";
/// Kafka's default of [`DELETE_RETENTION`]: a day.
const DEFAULT_TOMBSTONES_KEPT: u64 = 24 * 3600 * 1000;
/// How long a tombstone stays in the topic of what stands apart, in milliseconds: ten years. A spool that is uploaded late must find it.
const TOMBSTONES_KEPT: u64 = 10 * 365 * 24 * 3600 * 1000;

/// How to reach Kafka, and the topics of the journals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// The brokers' addresses, separated by commas, such as `127.0.0.1:9092`.
    pub brokers: String,
    /// The topic of all journals.
    pub topic: String,
    /// The topic of what stands apart from them.
    pub people_topic: String,
    /// Partitions of each topic if it has to be created. The number must not change while shows are played.
    pub partitions: u16,
    /// Replicas of each partition if the topic has to be created.
    pub replication: u16,
    /// Further settings of librdkafka, each a name and a value.
    pub settings: Vec<(String, String)>,
}

impl Kafka {
    /// A topic of 8 partitions with one replica, and one with the same name and `.people` behind it.
    #[must_use]
    pub fn new(brokers: &str, topic: &str) -> Self {
        let (brokers, topic, people_topic) = (brokers.to_owned(), topic.to_owned(), format!("{topic}.people"));
        Self { brokers, topic, people_topic, partitions: 8, replication: 1, settings: Vec::new() }
    }

    /// With another topic for what stands apart, if one is named.
    #[must_use]
    pub fn with_people_topic(self, people_topic: Option<&str>) -> Self {
        let people_topic = people_topic.map_or(self.people_topic, str::to_owned);
        Self { people_topic, ..self }
    }

    /// The settings of every client.
    pub(super) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("client.id", "klaxon");
        config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "1000");
        config.set("socket.keepalive.enable", "true");
        for (name, value) in &self.settings {
            config.set(name, value);
        }
        config.set_log_level(RDKafkaLogLevel::Warning);
        config
    }

    /// The settings of a producer. Messages have no timeout: one that timed out would only be sent again from the
    /// spool.
    pub(super) fn producing(&self) -> ClientConfig {
        let mut config = self.config();
        config.set("enable.idempotence", "true").set("acks", "all").set("message.timeout.ms", "0");
        config.set("message.max.bytes", LARGEST_MESSAGE.to_string());
        config.set("linger.ms", "5").set("retry.backoff.ms", "100").set("retry.backoff.max.ms", "1000");
        // A broker that lost the topic is given up soon, so that the topic is created again.
        config.set("topic.metadata.propagation.max.ms", "2000").set("topic.metadata.refresh.interval.ms", "5000");
        config.set("request.timeout.ms", "10000").set("socket.timeout.ms", "15000");
        config
    }

    /// The settings of a consumer.
    pub(super) fn consuming(&self, group: &str) -> ClientConfig {
        let mut config = self.config();
        config.set("group.id", group).set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        // No transactions are used here, so there are no uncommitted messages.
        config.set("auto.offset.reset", "earliest").set("isolation.level", "read_uncommitted");
        config.set("fetch.message.max.bytes", "8388608").set("receive.message.max.bytes", "167772160");
        config.set("fetch.wait.max.ms", "100").set("fetch.error.backoff.ms", "100");
        config
    }

    fn admin(&self) -> Result<(AdminClient<Quiet>, AdminOptions), KafkaError> {
        let mut config = self.config();
        config.set("socket.timeout.ms", REQUEST_TIMEOUT.as_millis().to_string());
        let options =
            AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT)).request_timeout(Some(REQUEST_TIMEOUT));
        Ok((config.create_with_context(Quiet)?, options))
    }

    /// What is wrong with the settings of the topic of what stands apart, which may have been made by others.
    pub(super) async fn people_topic_problems(&self) -> Result<Vec<String>, KafkaError> {
        let (client, options) = self.admin()?;
        let asked = [ResourceSpecifier::Topic(&self.people_topic)];
        let told = client.describe_configs(&asked, &options).await?.pop();
        let told = told.unwrap_or(Err(RDKafkaErrorCode::UnknownTopic)).map_err(KafkaError::AdminOp)?;
        let value = |name: &str| told.get(name).and_then(|entry| entry.value.as_deref());
        Ok(problems(value(CLEANUP_POLICY), value(DELETE_RETENTION)))
    }

    /// Makes the topics if they are not there.
    pub(super) async fn make_topics(&self) -> Result<(), KafkaError> {
        let (client, options) = self.admin()?;
        let (partitions, replicas) = (i32::from(self.partitions), i32::from(self.replication));
        let replication = || TopicReplication::Fixed(replicas);
        let (largest, tombstones_kept) = (LARGEST_MESSAGE.to_string(), TOMBSTONES_KEPT.to_string());
        let journals = NewTopic::new(&self.topic, partitions, replication())
            .set("max.message.bytes", &largest)
            .set("retention.ms", "-1");
        let people = NewTopic::new(&self.people_topic, partitions, replication())
            .set(CLEANUP_POLICY, "compact")
            .set("max.compaction.lag.ms", COMPACTION_LAG)
            .set("segment.ms", COMPACTION_LAG)
            .set(DELETE_RETENTION, &tombstones_kept);
        for made in client.create_topics([&journals, &people], &options).await? {
            match made {
                Ok(name) => tracing::info!(topic = name, "a topic of the journals was created"),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(KafkaError::AdminOp(code)),
            }
        }
        Ok(())
    }
}

/// What is wrong with these settings of the topic of what stands apart. A setting that is not known has Kafka's default.
fn problems(policy: Option<&str>, tombstones_kept: Option<&str>) -> Vec<String> {
    let policies: Vec<&str> = policy.unwrap_or("delete").split(',').map(str::trim).collect();
    let mut problems = Vec::new();
    if !policies.contains(&"compact") {
        problems.push("without cleanup.policy=compact the data of people who are forgotten stay in it".to_owned());
    }
    if policies.contains(&"delete") {
        problems.push("with delete in its cleanup.policy it loses everybody's name after its retention.ms".to_owned());
    }
    let kept = tombstones_kept.map_or(Some(DEFAULT_TOMBSTONES_KEPT), |kept| kept.parse().ok());
    if kept.is_none_or(|kept| kept < TOMBSTONES_KEPT) {
        let problem = "with delete.retention.ms below {} a spool that is uploaded later than that may name who was forgotten again";
        problems.push(problem.replace("{}", &TOMBSTONES_KEPT.to_string()));
    }
    problems
}

/// The partition of a show's journal.
pub(super) fn partition_of(show: ShowId, partitions: i32) -> i32 {
    let count = u64::try_from(partitions).expect("a topic has no negative number of partitions");
    assert!(count > 0, "a topic has a partition");
    i32::try_from(xxh3_64(show.to_string().as_bytes()) % count).expect("a partition's number is below their count")
}

/// How many partitions the topic has. Blocks.
pub(super) fn count_partitions<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    patience: Duration,
) -> Result<i32, KafkaError> {
    let metadata = client.fetch_metadata(Some(topic), patience)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    match found.map(|found| (found.error(), found.partitions().len())) {
        Some((None, count @ 1..)) => Ok(i32::try_from(count).expect("Kafka numbers partitions by 32 bits")),
        Some((Some(error), _)) if RDKafkaErrorCode::from(error) != RDKafkaErrorCode::UnknownTopicOrPartition => {
            Err(KafkaError::MetadataFetch(error.into()))
        }
        _ => Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic)),
    }
}

/// A client context that logs no errors, as they are returned to the caller.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka");
    }
}

impl ConsumerContext for Quiet {}

/// Counts a client's error, and logs it if none was logged within [`LOG_INTERVAL`]: librdkafka repeats errors several
/// times a second.
pub(super) fn log_error(error: &KafkaError, reason: &str, consequence: &str) {
    static LOGGED: Mutex<Option<Instant>> = Mutex::new(None);
    metrics::counter!("klaxon_kafka_errors_total").increment(1);
    let mut logged = LOGGED.lock();
    if logged.is_none_or(|logged| logged.elapsed() > LOG_INTERVAL) {
        *logged = Some(Instant::now());
        tracing::warn!(%error, reason, "Kafka is in trouble; {consequence}");
    } else {
        tracing::debug!(%error, reason, "Kafka is in trouble");
    }
}

/// Forwards a line of librdkafka's log at debug level; an unavailable broker is reported by [`log_error`].
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    tracing::debug!(?level, facility, message, "librdkafka");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_engines_made_has_no_problem_and_each_other_one_is_told_of_its_own() {
        let kept = TOMBSTONES_KEPT.to_string();
        let told = |policy, kept: Option<&str>| problems(policy, kept).join("; ");
        assert_eq!(told(Some("compact"), Some(&kept)), "");
        let (not_compacted, deleted) = (told(Some(""), Some(&kept)), told(Some("delete, compact"), Some(&kept)));
        assert!(
            not_compacted.contains("cleanup.policy=compact") && !not_compacted.contains("retention"),
            "{not_compacted}"
        );
        assert!(deleted.contains("retention.ms") && !deleted.contains("cleanup.policy=compact"), "{deleted}");
        assert!(told(Some("compact"), None).contains("delete.retention.ms below 315360000000"));
        assert_eq!(problems(None, None).len(), 3, "Kafka's defaults");
        assert_eq!(problems(Some("delete"), Some("forever")).len(), 3);
    }
}
