//! The journals of all shows, one record after another, for one of a group of readers such as `klaxon archive`.
//!
//! Where to begin in a partition is for the reader to say: what it did with the records is kept with how far it came, in one
//! transaction. What it commits to Kafka is for operators to look at only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use klaxon_protocol::journal::Record;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::mpsc;

use super::scan::record_in;
use super::topic::{Kafka, PATIENCE, in_trouble, log};
use crate::journal::{Offset, Partition};

/// How long a member may be away, restarted or cut off, before others get its partitions: Kafka's own default (KIP-735).
const ABSENCE: Duration = Duration::from_secs(45);

/// What a reader of journals hears.
#[derive(Debug)]
pub enum FromKafka {
    /// These partitions are this reader's now. Nothing comes of them before [`JournalConsumer::begin`].
    Assigned(Assignment),
    /// They are another's from now on.
    Revoked(Vec<Partition>),
    /// A record, perhaps once more, or of an engine that had lost the show: [`JournalReader`](super::JournalReader) tells.
    Record(Partition, Offset, Box<Record>),
    /// A message that is no record.
    Damaged(Partition, Offset, String),
}

/// Partitions that a reader was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Which.
    pub partitions: Vec<Partition>,
    /// Which rebalance it was.
    turn: u64,
}

/// One of a group of readers of the topic, each of which gets some of its partitions.
pub struct JournalConsumer {
    consumer: Arc<StreamConsumer<Group>>,
    topic: String,
    news: mpsc::UnboundedReceiver<FromKafka>,
}

/// Hears which partitions are this reader's.
struct Group {
    tell: mpsc::UnboundedSender<FromKafka>,
    turn: AtomicU64,
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        in_trouble(&error, reason, "reading goes on when it is back");
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let behind: i64 = partitions.map(|partition| partition.consumer_lag.max(0)).sum();
        metrics::gauge!("klaxon_archive_behind_records").set(behind as f64);
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let turn = self.turn.fetch_add(1, SeqCst) + 1;
        let partitions = list.elements().iter().map(|element| Partition(element.partition())).collect();
        let news = if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // The reader assigns them when it knows where to begin.
            FromKafka::Assigned(Assignment { partitions, turn })
        } else {
            if let Err(error) = consumer.unassign() {
                tracing::warn!(%error, "partitions could not be left");
            }
            FromKafka::Revoked(partitions)
        };
        // Who reads no more needs no news.
        let _ = self.tell.send(news);
    }
}

impl JournalConsumer {
    /// Joins the group as `member`, a name that no other member has and that stays when the process is started again: then nobody
    /// waits until the killed one is given up (KIP-345), if it is back within [`ABSENCE`]. Kafka need not answer now, but the topic must
    /// be there some day.
    ///
    /// # Errors
    /// If the settings make no sense.
    pub fn open(kafka: &Kafka, group: &str, member: &str) -> Result<Self, KafkaError> {
        let (tell, news) = mpsc::unbounded_channel();
        let mut config = kafka.consuming(group);
        config.set("partition.assignment.strategy", "range");
        config.set("session.timeout.ms", ABSENCE.as_millis().to_string());
        config.set("heartbeat.interval.ms", "2000").set("statistics.interval.ms", "5000");
        config.set("topic.metadata.refresh.interval.ms", "5000").set("group.instance.id", member);
        let consumer: StreamConsumer<Group> = config.create_with_context(Group { tell, turn: AtomicU64::new(0) })?;
        consumer.subscribe(&[&kafka.topic])?;
        Ok(Self { consumer: Arc::new(consumer), topic: kafka.topic.clone(), news })
    }

    /// Waits for what comes next. Nothing is lost if this is dropped.
    ///
    /// # Errors
    /// If Kafka is in trouble; ask again, after a pause.
    pub async fn next(&mut self) -> Result<FromKafka, KafkaError> {
        let message = tokio::select! {
            biased;
            Some(news) = self.news.recv() => return Ok(news),
            message = self.consumer.recv() => message?,
        };
        let (partition, offset) = (Partition(message.partition()), Offset(message.offset()));
        Ok(match record_in(&message) {
            Ok(record) => FromKafka::Record(partition, offset, Box::new(record)),
            Err(problem) => FromKafka::Damaged(partition, offset, problem),
        })
    }

    /// The first record of a partition that can still be read.
    ///
    /// # Errors
    /// If Kafka does not say it; ask again.
    pub async fn earliest(&self, partition: Partition) -> Result<Offset, KafkaError> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let ask = move || consumer.fetch_watermarks(&topic, partition.0, PATIENCE);
        match tokio::task::spawn_blocking(ask).await {
            Ok(said) => said.map(|(low, _)| Offset(low)),
            Err(_) => Err(KafkaError::Canceled),
        }
    }

    /// Reads what was assigned, each partition from an offset on. Does nothing if it was taken away meanwhile.
    ///
    /// # Errors
    /// If an offset makes no sense.
    pub fn begin(&self, assignment: &Assignment, at: &[(Partition, Offset)]) -> Result<(), KafkaError> {
        if self.consumer.context().turn.load(SeqCst) != assignment.turn {
            return Ok(());
        }
        self.consumer.assign(&self.list(at)?)
    }

    /// Tells Kafka how far this reader is, for operators to see.
    ///
    /// # Errors
    /// If Kafka can't be told; nothing depends on it.
    pub fn note(&self, next: &[(Partition, Offset)]) -> Result<(), KafkaError> {
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
