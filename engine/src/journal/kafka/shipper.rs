//! The one task that brings the spool to Kafka, each show in order, for as long as it takes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klaxon_protocol::ids::ShowId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Mark;
use super::cursor::{Cursor, Place};
use super::head::{Head, Shipped};
use super::producer::{Delivered, Producer, Refused, Sent, is_the_records_own};
use super::spool::Spool;
use super::topic::Kafka;
use super::waiting::Waiting;
use crate::journal::JournalError;

/// No more is sent while this much is on its way.
const ON_ITS_WAY: usize = 16 << 20;
/// How much of a show is read at once.
const PART: usize = 256 << 10;
/// The pause after a failure, at first and at most.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(2);
/// How long a show waits whose record Kafka does not take.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// How often Redis is told how far Kafka is.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// How often it is looked for shows that other engines play now.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What Redis was told of a show, and whether the show is over.
type Told = (ShowId, Mark, Result<bool, JournalError>);

/// Brings the spool to Kafka.
pub(super) struct Shipper {
    head: Head,
    spool: Arc<Spool>,
    waiting: Arc<Waiting>,
    kafka: Kafka,
    cursors: HashMap<ShowId, Cursor>,
    on_its_way: usize,
    telling: JoinSet<Vec<Told>>,
    tell_at: Instant,
    sweep_at: Instant,
}

impl Shipper {
    pub(super) fn new(head: Head, spool: Arc<Spool>, waiting: Arc<Waiting>, kafka: Kafka) -> Self {
        Self {
            head,
            spool,
            waiting,
            kafka,
            cursors: HashMap::new(),
            on_its_way: 0,
            telling: JoinSet::new(),
            tell_at: Instant::now(),
            sweep_at: Instant::now() + SWEEP_EVERY,
        }
    }

    /// Works until it is aborted.
    pub(super) async fn run(mut self) {
        let mut pause = *BACKOFF.start();
        loop {
            match Producer::open(&self.kafka).await {
                Ok((producer, delivered)) => {
                    pause = *BACKOFF.start();
                    self.ship(&producer, delivered).await;
                    producer.close().await;
                    self.on_its_way = 0;
                    self.cursors.values_mut().for_each(Cursor::go_back);
                }
                Err(error) => {
                    metrics::counter!("klaxon_kafka_errors_total").increment(1);
                    tracing::warn!(%error, "Kafka can't be reached; shows go on, and their journals wait on disk");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(*BACKOFF.end());
        }
    }

    /// Ships until the producer is broken.
    async fn ship(&mut self, producer: &Producer, mut delivered: mpsc::UnboundedReceiver<Delivered>) {
        loop {
            if let Err(error) = self.send_all(producer).await {
                metrics::counter!("klaxon_kafka_errors_total").increment(1);
                tracing::warn!(%error, "a new way to Kafka is made; what it did not confirm is sent again");
                return;
            }
            tokio::select! {
                Some(first) = delivered.recv() => {
                    let mut next = Some(first);
                    while let Some(delivery) = next {
                        if !self.arrived(&delivery) {
                            return;
                        }
                        next = delivered.try_recv().ok();
                    }
                }
                () = self.waiting.wake.notified() => {}
                () = tokio::time::sleep_until(self.next_look().into()) => self.look_after().await,
                Some(told) = self.telling.join_next() => self.told(told.unwrap_or_default()).await,
            }
        }
    }

    /// When something has to be done though nothing happens.
    fn next_look(&self) -> Instant {
        let untold = self.telling.is_empty() && self.cursors.values().any(Cursor::has_to_tell);
        let pauses = self.cursors.values().filter(|cursor| cursor.more).filter_map(|cursor| cursor.paused_until);
        let tell = untold.then_some(self.tell_at);
        pauses.chain(tell).fold(self.sweep_at, Instant::min)
    }

    async fn look_after(&mut self) {
        let now = Instant::now();
        if self.telling.is_empty() && self.tell_at <= now {
            self.tell_at = now + TELL_EVERY;
            self.tell();
        }
        if self.sweep_at <= now {
            self.sweep_at = now + SWEEP_EVERY;
            self.sweep().await;
        }
    }

    /// Sends what is in the spool, as much as may be on its way.
    async fn send_all(&mut self, producer: &Producer) -> Result<(), rdkafka::error::KafkaError> {
        for fresh in self.waiting.take_fresh() {
            let cursor = match self.cursors.remove(&fresh.show) {
                Some(cursor) => cursor,
                None => self.begin(fresh.show).await,
            };
            let cursor = self.cursors.entry(fresh.show).or_insert(cursor);
            cursor.more = true;
            if fresh.over && !cursor.over {
                cursor.over = true;
                cursor.told = None;
            }
        }
        let now = Instant::now();
        let ready: Vec<ShowId> =
            self.cursors.iter().filter(|(_, cursor)| cursor.may_send(now)).map(|(&show, _)| show).collect();
        for show in ready {
            while self.on_its_way < ON_ITS_WAY && self.cursors.get(&show).is_some_and(|cursor| cursor.may_send(now)) {
                match self.send_part(show, producer).await {
                    Ok(()) => {}
                    Err(Refused::Full) => return Ok(()),
                    Err(Refused::Broken(error)) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// A show that was not shipped from here before: it goes on where Redis knows that Kafka has it, if this is the same journal.
    async fn begin(&self, show: ShowId) -> Cursor {
        let Shipped { mark, over } = match self.head.shipped(show).await {
            Ok(shipped) => shipped,
            Err(error) => {
                tracing::warn!(%show, %error, "it can't be seen how far Kafka has this show; it is sent from its start");
                Shipped::default()
            }
        };
        let generation = self.spool.generation(show);
        if let Some(mark) = mark
            && let Ok(Some(at)) = self.spool.find(show, mark).await
        {
            self.waiting.shipped(show, mark.next);
            return Cursor::at(generation, Place { next: mark.next, at, fence: mark.fence }, Some(mark.next), over);
        }
        Cursor::at(generation, Place::START, None, over)
    }

    async fn send_part(&mut self, show: ShowId, producer: &Producer) -> Result<(), Refused> {
        let Some(cursor) = self.cursors.get_mut(&show) else { return Ok(()) };
        // In this order: what is counted here was in the file before.
        let written = self.waiting.written_of(show);
        let read = self.spool.part(show, cursor.sending.at, PART).await;
        let part = match read {
            Ok(part) if part.generation == cursor.generation && self.spool.generation(show) == part.generation => part,
            // Written anew meanwhile, under the reading perhaps: its places are no more what they were.
            read => {
                if let Err(error) = read
                    && self.spool.generation(show) == cursor.generation
                {
                    tracing::error!(%show, %error, "the spool can't be read; it is written anew from Redis");
                    self.repair(show).await;
                }
                self.begin_again(show).await;
                return Ok(());
            }
        };
        if part.records.is_empty() {
            cursor.more = false;
            if cursor.sending.next < written {
                self.repair(show).await;
            }
            self.leave_if_done(show).await;
            return Ok(());
        }
        for (framed, end) in &part.records {
            let (number, fence, turn) = (framed.number, framed.fence, cursor.turn);
            producer.send(framed, Sent { show, number, fence, end: *end, bytes: framed.bytes.len(), turn })?;
            self.on_its_way += framed.bytes.len();
            cursor.sending = Place { next: number + 1, at: *end, fence };
        }
        Ok(())
    }

    /// The show's file was written anew.
    async fn begin_again(&mut self, show: ShowId) {
        let old = self.cursors.remove(&show);
        let mut cursor = self.begin(show).await;
        if let Some(old) = old {
            cursor.turn = old.turn + 1;
            cursor.over |= old.over;
            cursor.paused_until = old.paused_until;
        }
        self.cursors.insert(show, cursor);
    }

    /// The spool lacks what the head has: it could not be written, perhaps because the disk was full.
    async fn repair(&mut self, show: ShowId) {
        let repaired = self.spool.restore(show, &self.head).await;
        match self.spool.mark(show).await {
            Ok(mark) if repaired.is_ok() => self.waiting.is_whole(show, mark.map_or(0, |mark| mark.next)),
            _ => {}
        }
        if let Err(error) = &repaired {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%show, %error, "the spool can't be written; Kafka does not get this show until it can");
        }
        if let Some(cursor) = self.cursors.get_mut(&show) {
            cursor.more = true;
            cursor.paused_until = Some(Instant::now() + *BACKOFF.end());
        }
    }

    /// Notes what became of a record. False if the producer is of no use any more.
    fn arrived(&mut self, Delivered { sent, error }: &Delivered) -> bool {
        self.on_its_way = self.on_its_way.saturating_sub(sent.bytes);
        let Some(cursor) = self.cursors.get_mut(&sent.show) else { return true };
        let Some(error) = error else {
            let before = cursor.sure.next;
            cursor.arrived(sent);
            if cursor.sure.next != before {
                self.waiting.shipped(sent.show, cursor.sure.next);
            }
            return true;
        };
        if sent.turn != cursor.turn {
            return true;
        }
        metrics::counter!("klaxon_kafka_errors_total").increment(1);
        let (show, number) = (sent.show, sent.number);
        if is_the_records_own(error) {
            tracing::error!(%show, number, %error, "Kafka does not take this record; raise the topic's max.message.bytes");
            cursor.go_back();
            cursor.paused_until = Some(Instant::now() + REFUSED_PAUSE);
            return true;
        }
        tracing::warn!(%show, number, %error, "Kafka lost a record on its way; it is sent again");
        false
    }

    /// Tells Redis how far Kafka is, beside all else.
    fn tell(&mut self) {
        let news: Vec<(ShowId, Mark)> = self
            .cursors
            .iter()
            .filter(|(_, cursor)| cursor.has_to_tell())
            .map(|(&show, cursor)| (show, cursor.mark()))
            .collect();
        let head = self.head.clone();
        self.telling.spawn(async move {
            let mut told = Vec::with_capacity(news.len());
            for (show, mark) in news {
                let said = head.note_shipped(show, mark).await;
                let failed = said.is_err();
                told.push((show, mark, said));
                if failed {
                    break;
                }
            }
            told
        });
    }

    async fn told(&mut self, told: Vec<Told>) {
        for (show, mark, said) in told {
            match (said, self.cursors.get_mut(&show)) {
                (Ok(over), Some(cursor)) => {
                    // Who heard meanwhile that the show is over has to tell it again.
                    if over || !cursor.over {
                        cursor.told = Some(mark.next);
                    }
                    cursor.over |= over;
                    self.leave_if_done(show).await;
                }
                (Err(error), _) => {
                    self.tell_at = Instant::now() + *BACKOFF.end();
                    tracing::debug!(%show, %error, "Redis could not be told how far Kafka is");
                }
                (Ok(_), None) => {}
            }
        }
    }

    /// Drops what the spool has of a show that is over, once Kafka has it all.
    async fn leave_if_done(&mut self, show: ShowId) {
        if self.cursors.get(&show).is_some_and(|cursor| cursor.over && cursor.is_idle()) {
            self.drop_from_spool(show).await;
        }
    }

    async fn drop_from_spool(&mut self, show: ShowId) {
        match self.spool.remove(show).await {
            Ok(()) => {
                self.cursors.remove(&show);
                self.waiting.forget(show);
            }
            Err(error) => tracing::warn!(%show, %error, "a show that Kafka has can't be removed from the spool"),
        }
    }

    /// Looks for shows that other engines have played on, or to their end: what the spool has of them is of no use once Kafka has
    /// it too.
    async fn sweep(&mut self) {
        let idle: Vec<(ShowId, Mark)> = self
            .cursors
            .iter()
            .filter(|(_, cursor)| cursor.is_idle() && !cursor.over)
            .map(|(&show, cursor)| (show, cursor.mark()))
            .collect();
        for (show, ours) in idle {
            let Ok(Shipped { over, .. }) = self.head.shipped(show).await else { return };
            let Ok(newest) = self.head.mark(show).await else { return };
            let moved_on = newest.is_some_and(|newest| newest.next > ours.next && newest.fence > ours.fence);
            // Unless it was this engine itself that played it on, just now.
            if (over || moved_on) && self.waiting.written_of(show) <= ours.next {
                self.drop_from_spool(show).await;
            }
        }
    }
}
