//! The journals of all shows, one record after another, for one of a group of readers such as `klaxon archive`.
//!
//! The reader chooses the offset at which to begin in a partition: it stores offsets and what it made of the records in
//! one transaction. Offsets are committed to Kafka for monitoring only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::journal::Record;
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::Notify;

use super::scan::record_in;
use super::topic::{Kafka, REQUEST_TIMEOUT, log, log_error};
use crate::journal::{Offset, Partition};

/// How long a member may be gone, restarting or cut off, before others get its partitions: Kafka's default (KIP-735).
const SESSION_TIMEOUT: Duration = Duration::from_secs(45);

/// An event for the reader.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// These partitions are now assigned to this reader. None of their records is read before
    /// [`JournalConsumer::start`].
    Assigned(Assignment),
    /// These partitions are no longer assigned to this reader.
    Revoked(Vec<Partition>),
    /// A record. It may be a duplicate, or of an engine that had lost the show's lease: see
    /// [`JournalReader`](super::JournalReader).
    Record(Partition, Offset, Box<Record>),
    /// A message that can't be decoded as a record.
    Damaged(Partition, Offset, String),
}

/// Partitions that a rebalance assigned to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The partitions' numbers.
    pub partitions: Vec<Partition>,
    /// The number of the rebalance.
    rebalance: u64,
}

/// A member of a group of readers of the topic, to each of which some partitions are assigned.
pub struct JournalConsumer {
    consumer: Arc<StreamConsumer<Group>>,
    topic: String,
}

/// The rebalances of this member of the group.
#[derive(Default)]
struct Group {
    rebalances: Mutex<Rebalances>,
    changed: Notify,
}

/// The rebalances that the reader has not taken yet. Later ones are merged in, so the size is bounded by the number of
/// partitions.
#[derive(Debug, Default)]
struct Rebalances {
    /// How many rebalances there were.
    count: u64,
    revoked: BTreeSet<Partition>,
    assigned: Option<Assignment>,
}

impl Rebalances {
    fn assign(&mut self, partitions: Vec<Partition>) {
        self.count += 1;
        self.assigned = Some(Assignment { partitions, rebalance: self.count });
    }

    fn revoke(&mut self, partitions: Vec<Partition>) {
        self.count += 1;
        self.assigned = None;
        self.revoked.extend(partitions);
    }

    /// The next event for the reader: revoked partitions come before assigned ones.
    fn take(&mut self) -> Option<ConsumerEvent> {
        if !self.revoked.is_empty() {
            let revoked = std::mem::take(&mut self.revoked);
            return Some(ConsumerEvent::Revoked(revoked.into_iter().collect()));
        }
        self.assigned.take().map(ConsumerEvent::Assigned)
    }
}

impl Group {}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason, "reading goes on when it is back");
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let behind: i64 = partitions.map(|partition| partition.consumer_lag.max(0)).sum();
        metrics::gauge!("klaxon_archive_behind_records").set(behind as f64);
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions = list.elements().iter().map(|element| Partition(element.partition())).collect();
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // Nothing is read until the reader has determined the offsets and calls `start`.
            self.rebalances.lock().assign(partitions);
        } else {
            if let Err(error) = consumer.unassign() {
                tracing::warn!(%error, "partitions could not be unassigned");
            }
            self.rebalances.lock().revoke(partitions);
        }
        self.changed.notify_one();
    }
}

impl JournalConsumer {
    /// Joins the group as `member`, a name that is unique in the group and stays the same across restarts: a member
    /// that returns within [`SESSION_TIMEOUT`] causes no rebalance (KIP-345). Neither Kafka nor the topic has to be
    /// available yet.
    ///
    /// # Errors
    /// If the settings are invalid.
    pub fn open(kafka: &Kafka, group: &str, member: &str) -> Result<Self, KafkaError> {
        let mut config = kafka.consuming(group);
        config.set("partition.assignment.strategy", "range");
        config.set("session.timeout.ms", SESSION_TIMEOUT.as_millis().to_string());
        config.set("heartbeat.interval.ms", "2000").set("statistics.interval.ms", "5000");
        config.set("topic.metadata.refresh.interval.ms", "5000").set("group.instance.id", member);
        let consumer: StreamConsumer<Group> = config.create_with_context(Group::default())?;
        consumer.subscribe(&[&kafka.topic])?;
        Ok(Self { consumer: Arc::new(consumer), topic: kafka.topic.clone() })
    }

    /// Waits for the next event. Cancel safe: dropping the future loses no event.
    ///
    /// # Errors
    /// If Kafka reports an error; call it again after a pause.
    pub async fn next(&mut self) -> Result<ConsumerEvent, KafkaError> {
        let group = self.consumer.context();
        let message = loop {
            let rebalanced = group.rebalances.lock().take();
            if let Some(event) = rebalanced {
                return Ok(event);
            }
            tokio::select! {
                biased;
                () = group.changed.notified() => {}
                message = self.consumer.recv() => break message?,
            }
        };
        let (partition, offset) = (Partition(message.partition()), Offset(message.offset()));
        Ok(match record_in(&message) {
            Ok(record) => ConsumerEvent::Record(partition, offset, Box::new(record)),
            Err(problem) => ConsumerEvent::Damaged(partition, offset, problem),
        })
    }

    /// The offset of the first record of a partition that Kafka still has.
    ///
    /// # Errors
    /// If Kafka does not answer; the call can be repeated.
    pub async fn earliest(&self, partition: Partition) -> Result<Offset, KafkaError> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask = move || consumer.fetch_watermarks(&topic, partition.0, REQUEST_TIMEOUT);
        match tokio::task::spawn_blocking(ask).await {
            Ok(watermarks) => watermarks.map(|(low, _)| Offset(low)),
            Err(_) => Err(KafkaError::Canceled),
        }
    }

    /// Starts to read the assigned partitions, each from an offset. Has no effect if there was another rebalance in
    /// between.
    ///
    /// # Errors
    /// If an offset is invalid.
    pub fn start(&self, assignment: &Assignment, at: &[(Partition, Offset)]) -> Result<(), KafkaError> {
        if self.consumer.context().rebalances.lock().count != assignment.rebalance {
            return Ok(());
        }
        self.consumer.assign(&self.list(at)?)
    }

    /// Commits offsets to Kafka, for monitoring.
    ///
    /// # Errors
    /// If they can't be committed; nothing depends on it.
    pub fn commit(&self, next: &[(Partition, Offset)]) -> Result<(), KafkaError> {
        self.consumer.commit(&self.list(next)?, CommitMode::Async)
    }

    fn list(&self, offsets: &[(Partition, Offset)]) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(&self.topic, partition.0, KafkaOffset::Offset(offset.0))?;
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebalances_that_the_reader_misses_are_merged() {
        let mut rebalances = Rebalances::default();
        let all: Vec<Partition> = (0..8).map(Partition).collect();
        for _ in 0..10_000 {
            rebalances.assign(all.clone());
            rebalances.revoke(all.clone());
        }
        rebalances.assign(vec![Partition(3)]);
        assert!(matches!(rebalances.take(), Some(ConsumerEvent::Revoked(revoked)) if revoked == all));
        let Some(ConsumerEvent::Assigned(assignment)) = rebalances.take() else { panic!("one was assigned since") };
        assert_eq!((assignment.partitions, assignment.rebalance), (vec![Partition(3)], rebalances.count));
        assert!(rebalances.take().is_none());
    }

    #[test]
    fn an_assignment_that_is_revoked_before_the_reader_takes_it_is_not_given() {
        let mut rebalances = Rebalances::default();
        rebalances.assign(vec![Partition(1)]);
        rebalances.revoke(vec![Partition(1)]);
        assert!(matches!(rebalances.take(), Some(ConsumerEvent::Revoked(_))));
        assert!(rebalances.take().is_none());
    }
}
