//! The task that uploads the spool to Kafka: each show in order, with retries.

mod forgotten;
mod repair;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::frame_record;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ShowProgress;
use super::backlog::Backlog;
use super::cursor::{Cursor, PeopleCursor, SpoolPosition};
use super::people::PersonKey;
use super::producer::{Delivery, NotSent, Producer, Sent, SentPerson, SentRecord, is_about_the_record};
use super::redis_log::{RedisLog, Uploaded};
use super::spool::{Spool, SpoolPart, SpooledRecord};
use super::topic::Kafka;
use crate::journal::JournalError;

/// Limit of bytes that are sent and not acknowledged; the rest stays in the spool.
const MAX_IN_FLIGHT: usize = 16 << 20;
/// How many bytes of a show are read at once.
const READ_SIZE: usize = 256 << 10;
/// The pause after a failure, at first and at most.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(2);
/// How long a show's upload pauses after Kafka refused one of its records.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// How often the progress is reported to Redis.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);
/// Interval of the search for shows that other engines play now.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// A progress that was reported to Redis, and Redis' reply: whether the show is over.
type Report = (ShowId, ShowProgress, Result<bool, JournalError>);

/// Uploads the spool to Kafka.
pub(super) struct Uploader {
    redis_log: RedisLog,
    spool: Arc<Spool>,
    backlog: Arc<Backlog>,
    kafka: Kafka,
    /// The shows that were in the spool when it was opened.
    found: Vec<ShowId>,
    cursors: HashMap<ShowId, Cursor>,
    /// Bytes that are sent and not acknowledged.
    in_flight: usize,
    /// The report to Redis in progress; at most one.
    reporting: JoinSet<Vec<Report>>,
    report_at: Instant,
    sweep_at: Instant,
}

impl Uploader {
    /// `found`: the shows that were in the spool when it was opened.
    pub(super) fn new(
        redis_log: RedisLog,
        spool: Arc<Spool>,
        backlog: Arc<Backlog>,
        kafka: Kafka,
        found: Vec<ShowId>,
    ) -> Self {
        Self {
            redis_log,
            spool,
            backlog,
            kafka,
            found,
            cursors: HashMap::new(),
            in_flight: 0,
            reporting: JoinSet::new(),
            report_at: Instant::now(),
            sweep_at: Instant::now() + SWEEP_INTERVAL,
        }
    }

    /// Runs until the task is aborted.
    pub(super) async fn run(mut self) {
        let mut pause = *BACKOFF.start();
        let mut is_checked = false;
        loop {
            match Producer::open(&self.kafka).await {
                Ok((producer, deliveries)) => {
                    if !is_checked {
                        self.check_people_topic().await;
                        is_checked = true;
                    }
                    pause = *BACKOFF.start();
                    self.upload_until_broken(&producer, deliveries).await;
                    producer.close().await;
                    self.in_flight = 0;
                    self.count_in_flight();
                    self.cursors.values_mut().for_each(Cursor::resend);
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

    /// Warns of a topic of what stands apart that was not made by an engine of this version.
    async fn check_people_topic(&self) {
        let topic = &self.kafka.people_topic;
        match self.kafka.people_topic_problems().await {
            Ok(problems) if problems.is_empty() => {}
            Ok(problems) => {
                let problems = problems.join("; ");
                tracing::warn!(
                    topic,
                    problems,
                    "the topic of what stands apart from journals has other settings than it should"
                );
            }
            Err(error) => tracing::debug!(topic, %error, "the settings of the topic can't be read"),
        }
    }

    async fn upload_until_broken(&mut self, producer: &Producer, mut deliveries: mpsc::Receiver<Delivery>) {
        loop {
            let sent = self.send_all(producer).await;
            self.count_in_flight();
            if let Err(error) = sent {
                metrics::counter!("klaxon_kafka_errors_total").increment(1);
                tracing::warn!(%error, "a new producer is made; what Kafka did not acknowledge is sent again");
                return;
            }
            tokio::select! {
                Some(first) = deliveries.recv() => {
                    let mut next = Some(first);
                    while let Some(delivery) = next {
                        if !self.process_delivery(&delivery) {
                            return;
                        }
                        next = deliveries.try_recv().ok();
                    }
                }
                () = self.backlog.changed() => {}
                () = tokio::time::sleep_until(self.next_due()) => self.do_what_is_due().await,
                Some(reports) = self.reporting.join_next() => match reports {
                    Ok(reports) => self.process_reports(reports).await,
                    // The runtime is shutting down.
                    Err(stopped) if stopped.is_cancelled() => return,
                    Err(panicked) => panic!("reporting to Redis does not panic: {panicked}"),
                },
            }
        }
    }

    /// The next time at which there is work even without an event.
    fn next_due(&self) -> Instant {
        let unreported = self.reporting.is_empty() && self.cursors.values().any(Cursor::has_to_report);
        let pauses = self.cursors.values().filter(|cursor| cursor.more).filter_map(|cursor| cursor.paused_until);
        let report = unreported.then_some(self.report_at);
        pauses.chain(report).fold(self.sweep_at, Instant::min)
    }

    async fn do_what_is_due(&mut self) {
        let now = Instant::now();
        if self.reporting.is_empty() && self.report_at <= now {
            self.report_at = now + REPORT_INTERVAL;
            self.report();
        }
        if self.sweep_at <= now {
            self.sweep_at = now + SWEEP_INTERVAL;
            self.sweep().await;
        }
    }

    /// Sends from the spool until [`MAX_IN_FLIGHT`] is reached.
    async fn send_all(&mut self, producer: &Producer) -> Result<(), rdkafka::error::KafkaError> {
        for changed in self.backlog.take_changed() {
            let cursor = match self.cursors.remove(&changed.show) {
                Some(cursor) => cursor,
                None => self.cursor_for(changed.show).await,
            };
            let cursor = self.cursors.entry(changed.show).or_insert(cursor);
            cursor.more = true;
            if changed.over && !cursor.over {
                cursor.over = true;
                cursor.reported = None;
            }
        }
        let now = Instant::now();
        let ready: Vec<ShowId> =
            self.cursors.iter().filter(|(_, cursor)| cursor.may_send(now)).map(|(&show, _)| show).collect();
        for show in ready {
            while self.in_flight < MAX_IN_FLIGHT && self.cursors.get(&show).is_some_and(|cursor| cursor.may_send(now)) {
                match self.send_part(show, producer).await {
                    Ok(()) => {}
                    Err(NotSent::Full) => return Ok(()),
                    Err(NotSent::Broken(error)) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// A cursor for a show that this uploader has not uploaded before. It begins after the progress that Redis has, if
    /// the file contains that record, else at the file's start.
    async fn cursor_for(&self, show: ShowId) -> Cursor {
        let Uploaded { progress, over } = match self.redis_log.uploaded(show).await {
            Ok(uploaded) => uploaded,
            Err(error) => {
                tracing::warn!(%show, %error, "no upload progress can be read; uploading from the show's start");
                Uploaded::default()
            }
        };
        let generation = self.spool.generation(show);
        if let Some(progress) = progress
            && let Ok(Some(at)) = self.spool.find(show, progress).await
        {
            self.backlog.uploaded(show, progress.next);
            let position = SpoolPosition { next: progress.next, at, fence: progress.fence };
            let mut cursor = Cursor::at(generation, position, Some(progress.next), over);
            // Of the records that Kafka has it has the persons, too. If they can't be found, all are sent again.
            cursor.people = PeopleCursor::at(self.spool.find_people(show, progress.next).await.unwrap_or(0));
            return cursor;
        }
        let mut cursor = Cursor::at(generation, SpoolPosition::START, None, over);
        if progress.is_none() && !self.found.contains(&show) {
            // It was begun, or taken over from Redis, since this process started: nobody in its file is forgotten.
            cursor.forgotten = Some(HashSet::new());
        }
        cursor
    }

    async fn send_part(&mut self, show: ShowId, producer: &Producer) -> Result<(), NotSent> {
        let Some(cursor) = self.cursors.get_mut(&show) else { return Ok(()) };
        // Read before the file, so that the file has at least this many records.
        let written = self.backlog.written_records(show);
        let read = self.spool.part(show, cursor.next.at, READ_SIZE).await;
        let part = match read {
            Ok(part) if part.generation == cursor.generation && self.spool.generation(show) == part.generation => part,
            // The file was rewritten, perhaps during the read, so its positions have changed.
            read => {
                if let Err(error) = read
                    && self.spool.generation(show) == cursor.generation
                {
                    tracing::error!(%show, %error, "the spool can't be read; it is rewritten from Redis");
                    self.repair(show).await;
                }
                self.restart(show).await;
                return Ok(());
            }
        };
        if part.records.is_empty() {
            cursor.more = false;
            if cursor.next.next < written {
                self.repair(show).await;
            }
            self.remove_if_done(show).await;
            return Ok(());
        }
        let is_free = |record: &&SpooledRecord, people: &PeopleCursor| !record.has_apart || people.covers(record.end);
        let first = part.records.first().filter(|first| !is_free(first, &cursor.people));
        if first.is_some() && !self.send_people(show, producer, &part).await? {
            return Ok(());
        }
        let Some(cursor) = self.cursors.get_mut(&show) else { return Ok(()) };
        for record in part.records.iter().take_while(|record| is_free(record, &cursor.people)) {
            let &SpooledRecord { number, fence, end, .. } = record;
            let (bytes, attempt) = (record.bytes.len(), cursor.attempt);
            producer.send(&record.bytes, SentRecord { show, number, fence, end, bytes, attempt })?;
            self.in_flight += bytes;
            cursor.next = SpoolPosition { next: number + 1, at: end, fence };
            cursor.failed_repairs = 0;
        }
        Ok(())
    }

    /// Sends what stands apart from the records of this part. Returns whether Kafka has it, so that they may be sent.
    async fn send_people(&mut self, show: ShowId, producer: &Producer, part: &SpoolPart) -> Result<bool, NotSent> {
        if !self.knows_forgotten(show).await {
            return Ok(false);
        }
        let Some(cursor) = self.cursors.get_mut(&show) else { return Ok(false) };
        let Some(forgotten) = &cursor.forgotten else { return Ok(false) };
        loop {
            // It was written before the records of the part, which is read already: so all of it is in the file.
            let read = self.spool.people_part(show, cursor.people.next).await;
            let people = match read {
                Ok(people) if self.spool.generation(show) == cursor.generation => people,
                Ok(_) => return Ok(false),
                Err(error) => {
                    if self.spool.generation(show) == cursor.generation {
                        self.repair_people(show, &error).await;
                    }
                    return Ok(false);
                }
            };
            if people.is_empty() {
                if let Some(last) = part.records.last() {
                    cursor.people.cover(last.end);
                }
                return Ok(!cursor.people.is_awaited());
            }
            for (person, end) in people {
                if self.in_flight >= MAX_IN_FLIGHT {
                    return Ok(false);
                }
                let mut framed = Vec::new();
                if !forgotten.contains(&(person.number, person.fence)) {
                    frame_record(&person, &mut framed).expect("a person record is small");
                }
                let (number, start, bytes) = (person.number, cursor.people.next, framed.len());
                let sent = SentPerson { show, number, start, end, bytes, attempt: cursor.attempt };
                // Of a person who is forgotten the tombstone is sent again.
                producer.send_person(PersonKey::of(&person), Some(&*framed).filter(|bytes| !bytes.is_empty()), sent)?;
                self.in_flight += bytes;
                cursor.people.next = end;
            }
        }
    }

    /// Restarts a show's upload after its file was rewritten.
    async fn restart(&mut self, show: ShowId) {
        let old = self.cursors.remove(&show);
        let mut cursor = self.cursor_for(show).await;
        if let Some(old) = old {
            cursor.attempt = old.attempt + 1;
            cursor.over |= old.over;
            cursor.failed_repairs = old.failed_repairs;
            cursor.paused_until = old.paused_until;
        }
        self.cursors.insert(show, cursor);
    }

    fn count_in_flight(&self) {
        metrics::gauge!("klaxon_kafka_in_flight_bytes").set(self.in_flight as f64);
    }

    /// Processes the result of sending a record. Returns false if a new producer is needed.
    fn process_delivery(&mut self, Delivery { sent, error }: &Delivery) -> bool {
        self.in_flight = self.in_flight.checked_sub(sent.bytes()).expect("a record that was sent is delivered once");
        self.count_in_flight();
        let (show, number, attempt) = match sent {
            Sent::Record(SentRecord { show, number, attempt, .. }) => (*show, *number, *attempt),
            Sent::Person(SentPerson { show, number, attempt, .. }) => (*show, *number, *attempt),
        };
        let Some(cursor) = self.cursors.get_mut(&show) else { return true };
        let Some(error) = error else {
            match sent {
                Sent::Person(sent) => cursor.acknowledge_person(sent),
                Sent::Record(sent) => {
                    let before = cursor.acknowledged.next;
                    cursor.acknowledge(sent);
                    if cursor.acknowledged.next != before {
                        self.backlog.uploaded(show, cursor.acknowledged.next);
                    }
                }
            }
            return true;
        };
        if attempt != cursor.attempt {
            return true;
        }
        metrics::counter!("klaxon_kafka_errors_total").increment(1);
        if is_about_the_record(error) {
            tracing::error!(%show, number, %error, "Kafka refuses this record; raise the topic's max.message.bytes");
            cursor.resend();
            cursor.paused_until = Some(Instant::now() + REFUSED_PAUSE);
            return true;
        }
        tracing::warn!(%show, number, %error, "a record was not acknowledged; it is sent again");
        false
    }

    /// Reports the progress to Redis, in a task of its own.
    fn report(&mut self) {
        let unreported: Vec<(ShowId, ShowProgress)> = self
            .cursors
            .iter()
            .filter(|(_, cursor)| cursor.has_to_report())
            .map(|(&show, cursor)| (show, cursor.progress()))
            .collect();
        let redis_log = self.redis_log.clone();
        self.reporting.spawn(async move {
            let mut reports = Vec::with_capacity(unreported.len());
            for (show, progress) in unreported {
                let reported = redis_log.report_uploaded(show, progress).await;
                let failed = reported.is_err();
                reports.push((show, progress, reported));
                if failed {
                    break;
                }
            }
            reports
        });
    }

    async fn process_reports(&mut self, reports: Vec<Report>) {
        for (show, progress, reported) in reports {
            match (reported, self.cursors.get_mut(&show)) {
                (Ok(over), Some(cursor)) => {
                    // If the show ended after this report was sent, its progress has to be reported again.
                    if over || !cursor.over {
                        cursor.reported = Some(progress.next);
                    }
                    cursor.over |= over;
                    self.remove_if_done(show).await;
                }
                (Err(error), _) => {
                    self.report_at = Instant::now() + *BACKOFF.end();
                    tracing::debug!(%show, %error, "the progress could not be reported to Redis");
                }
                (Ok(_), None) => {}
            }
        }
    }

    /// Removes a finished show from the spool once Kafka has all of it.
    async fn remove_if_done(&mut self, show: ShowId) {
        if self.cursors.get(&show).is_some_and(|cursor| cursor.over && cursor.is_done()) {
            self.remove_from_spool(show).await;
        }
    }

    async fn remove_from_spool(&mut self, show: ShowId) {
        match self.spool.remove(show).await {
            Ok(()) => {
                self.cursors.remove(&show);
                self.backlog.forget(show);
            }
            Err(error) => tracing::warn!(%show, %error, "a show that Kafka has can't be removed from the spool"),
        }
    }

    /// Removes shows from the spool that other engines have continued or ended, once Kafka has what the spool has.
    async fn sweep(&mut self) {
        let idle: Vec<(ShowId, ShowProgress)> = self
            .cursors
            .iter()
            .filter(|(_, cursor)| cursor.is_done() && !cursor.over)
            .map(|(&show, cursor)| (show, cursor.progress()))
            .collect();
        for (show, ours) in idle {
            let Ok(Uploaded { over, .. }) = self.redis_log.uploaded(show).await else { return };
            let Ok(newest) = self.redis_log.progress(show).await else { return };
            let moved_on = newest.is_some_and(|newest| newest.next > ours.next && newest.fence > ours.fence);
            // This engine itself may have continued the show in the meantime.
            if (over || moved_on) && self.backlog.written_records(show) <= ours.next {
                self.remove_from_spool(show).await;
            }
        }
    }
}
