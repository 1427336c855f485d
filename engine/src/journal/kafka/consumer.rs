//! The journals of all shows, one record after another, for one of a group of readers such as `klaxon archive`.
//!
//! The reader decides where to begin in a partition: it keeps what it made of the records together with their offsets, in one
//! transaction. The offsets that it commits to Kafka are for operators to look at only.

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

/// How long a member may be away before others get its partitions, because it is started again or cut off: Kafka's default (KIP-735).
const SESSION_TIMEOUT: Duration = Duration::from_secs(45);

/// What a consumer gives its reader.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// These partitions are this reader's now. No record of them comes before [`JournalConsumer::start`].
    Assigned(Assignment),
    /// They are another reader's from now on.
    Revoked(Vec<Partition>),
    /// A record. It may be a duplicate, or come from an engine that had lost the show: [`JournalReader`](super::JournalReader) judges it.
    Record(Partition, Offset, Box<Record>),
    /// A message that is no record.
    Damaged(Partition, Offset, String),
}

/// Partitions that a reader got in a rebalance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Which.
    pub partitions: Vec<Partition>,
    /// The number of the rebalance.
    rebalance: u64,
}

/// One of a group of readers of the topic, each of which gets some of its partitions.
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

/// The rebalances that the reader has not taken yet. Those that it misses are merged, so it is as large as the topic has partitions.
#[derive(Debug, Default)]
struct Rebalances {
    /// How many there were.
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

    /// What the reader must do next: leave partitions before it gets others.
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
            // Nothing is read yet: the reader starts them when it knows where to begin.
            self.rebalances.lock().assign(partitions);
        } else {
            if let Err(error) = consumer.unassign() {
                tracing::warn!(%error, "partitions could not be left");
            }
            self.rebalances.lock().revoke(partitions);
        }
        self.changed.notify_one();
    }
}

impl JournalConsumer {
    /// Joins the group as `member`, a name that no other member has and that stays when the process is started again: a member that is
    /// back within [`SESSION_TIMEOUT`] causes no rebalance (KIP-345). Kafka need not answer now, but the topic must be there some day.
    ///
    /// # Errors
    /// If the settings make no sense.
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

    /// Waits for what comes next. Nothing is lost if this is dropped.
    ///
    /// # Errors
    /// If Kafka is in trouble; ask again, after a pause.
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

    /// The first record of a partition that can still be read.
    ///
    /// # Errors
    /// If Kafka does not answer; ask again.
    pub async fn earliest(&self, partition: Partition) -> Result<Offset, KafkaError> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask = move || consumer.fetch_watermarks(&topic, partition.0, REQUEST_TIMEOUT);
        match tokio::task::spawn_blocking(ask).await {
            Ok(watermarks) => watermarks.map(|(low, _)| Offset(low)),
            Err(_) => Err(KafkaError::Canceled),
        }
    }

    /// Starts to read what was assigned, each partition from an offset on. Does nothing if there was another rebalance meanwhile.
    ///
    /// # Errors
    /// If an offset makes no sense.
    pub fn start(&self, assignment: &Assignment, at: &[(Partition, Offset)]) -> Result<(), KafkaError> {
        if self.consumer.context().rebalances.lock().count != assignment.rebalance {
            return Ok(());
        }
        self.consumer.assign(&self.list(at)?)
    }

    /// Commits offsets to Kafka, for operators to see.
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
