//! Following all journals in Kafka as they grow, as one of a group whose members share the partitions.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klaxon_protocol::journal::Record;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::scan::record_in;
use super::topic::{Kafka, PATIENCE, log};

/// How long a look for the next record waits.
const POLL: Duration = Duration::from_millis(100);

/// Whoever follows the journals. It is asked on a thread where it may block, one call after the other.
pub trait Follower: Send + 'static {
    /// Takes a partition on, whose first record that can still be read is at `earliest`. Returns where to read from.
    fn begin(&mut self, partition: i32, earliest: i64) -> i64;

    /// Another member of the group has the partition from now on.
    fn give_up(&mut self, partition: i32);

    /// Hears the next record of a partition.
    fn hear(&mut self, partition: i32, offset: i64, record: Record);

    /// Is called between records, and when there are none for a moment.
    fn rest(&mut self);

    /// Nothing more comes.
    fn end(&mut self);
}

/// Has somebody follow the journals, as a member of this group, until `stop` says so. Blocks. A broker that is away is waited for.
///
/// # Errors
/// If the settings make no sense.
pub fn follow(kafka: &Kafka, group: &str, follower: impl Follower, stop: Arc<AtomicBool>) -> Result<(), KafkaError> {
    let mut config = kafka.consuming(group);
    // The topic may be made after us; and a database that is away for an hour takes no partition from us.
    config.set("topic.metadata.refresh.interval.ms", "2000").set("max.poll.interval.ms", "3600000");
    config.set("partition.assignment.strategy", "range").set("session.timeout.ms", "10000");
    let topic = kafka.topic.clone();
    let member = Member { topic, follower: Mutex::new(Box::new(follower)) };
    let consumer: BaseConsumer<Member> = config.create_with_context(member)?;
    consumer.subscribe(&[&kafka.topic])?;
    while !stop.load(Relaxed) {
        match consumer.poll(POLL) {
            Some(Ok(message)) => consumer.context().hear(&message),
            Some(Err(error)) => tracing::debug!(%error, "Kafka can't be followed; trying again"),
            None => {}
        }
        consumer.context().follower().rest();
    }
    consumer.context().follower().end();
    consumer.unsubscribe();
    Ok(())
}

/// A member of the group.
struct Member {
    topic: String,
    follower: Mutex<Box<dyn Follower>>,
}

impl Member {
    fn follower(&self) -> MutexGuard<'_, Box<dyn Follower>> {
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, message: &BorrowedMessage<'_>) {
        let (partition, offset) = (message.partition(), message.offset());
        match record_in(message) {
            Ok(record) => self.follower().hear(partition, offset, record),
            Err(problem) => tracing::error!(partition, offset, problem, "this message is no record, and is left out"),
        }
    }

    /// Where to read each partition from.
    fn begin(&self, consumer: &BaseConsumer<Self>, partitions: &mut TopicPartitionList) -> Result<(), KafkaError> {
        for partition in numbers(partitions) {
            let (earliest, _) = consumer.fetch_watermarks(&self.topic, partition, PATIENCE)?;
            let from = self.follower().begin(partition, earliest);
            tracing::info!(partition, from, "this partition is read here");
            partitions.set_partition_offset(&self.topic, partition, Offset::Offset(from))?;
        }
        consumer.assign(partitions)
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|element| element.partition()).collect()
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka");
    }
}

impl ConsumerContext for Member {
    /// Comes out of a poll, so nobody has the follower.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        if what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            match self.begin(consumer, partitions) {
                Ok(()) => return,
                // Without an assignment the group gives us one again.
                Err(error) => tracing::warn!(%error, "partitions can't be taken on now"),
            }
        } else {
            let mut follower = self.follower();
            numbers(partitions).into_iter().for_each(|partition| follower.give_up(partition));
        }
        if let Err(error) = consumer.unassign() {
            tracing::warn!(%error, "partitions can't be given up");
        }
    }
}
