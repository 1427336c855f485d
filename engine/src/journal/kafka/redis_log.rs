//! Each show's journal in Redis, until the show is over. An append returns when Redis has its records, where they
//! survive a crash of the engine.
//!
//! One stream per show; a record's id is its number plus 1. One script checks a whole append (the lease's fence, the
//! numbers) and writes it, so that an engine that was paused can't write a record after it has lost the lease. What stands apart
//! from the records is written by the same call, to a hash beside the stream, from which it can be taken away.

use std::borrow::Cow;

use ::redis::streams::{StreamId, StreamRangeReply};
use ::redis::{AsyncCommands, RedisError, Value};
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{MAGIC, Record, RecordTooLarge, Records, frame_record};

use super::ShowProgress;
use super::people::{PersonKey, person_in};
use crate::journal::JournalError;
use crate::redis::scripts::{JOURNAL_APPEND, JOURNAL_RETIRE, JOURNAL_SHIPPED, ScriptError};
use crate::redis::{Connection, Redis};

/// How many records are read at once.
const READ_PAGE: usize = 512;
/// How long the stream of a show that is over stays while Kafka is away, in seconds.
const ENDED_SHOW_EXPIRY: u32 = 24 * 3600;
/// How long the progress of an upload is kept, in seconds.
const PROGRESS_EXPIRY: u32 = 7 * 24 * 3600;

/// One record in its frame.
pub(super) struct Framed {
    pub(super) number: u64,
    pub(super) fence: Fence,
    pub(super) bytes: Vec<u8>,
    /// What stands apart from it, in a frame too; empty if nothing does.
    pub(super) person: Vec<u8>,
}

impl Framed {
    pub(super) fn of(record: &Record) -> Result<Self, JournalError> {
        let &Record { show, number, fence, .. } = record;
        let bad = |error: RecordTooLarge| JournalError::BadRecord { show, number, problem: error.to_string() };
        let (mut bytes, mut person) = (Vec::new(), Vec::new());
        frame_record(record, &mut bytes).map_err(bad)?;
        if let Some(apart) = record.apart() {
            frame_record(&apart, &mut person).map_err(bad)?;
        }
        Ok(Self { number, fence, bytes, person })
    }
}

/// The mode of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendMode {
    Append,
    /// Only checks whether the append would be accepted.
    Check,
    /// Writes records again that Redis has lost, under their original fences.
    Refill,
}

/// A show's upload to Kafka, as reported to Redis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Uploaded {
    /// None if nothing has been reported.
    pub(super) progress: Option<ShowProgress>,
    /// Whether the show is over.
    pub(super) over: bool,
}

/// The streams of all shows.
#[derive(Clone)]
pub(super) struct RedisLog {
    redis: Redis,
    connection: Connection,
}

impl RedisLog {
    pub(super) async fn open(redis: Redis) -> Result<Self, RedisError> {
        Ok(Self { connection: redis.connect().await?, redis })
    }

    /// Writes records, all or none, as engine `by`.
    pub(super) async fn append(
        &self,
        show: ShowId,
        how: AppendMode,
        by: Fence,
        records: &[Framed],
    ) -> Result<(), JournalError> {
        let keys = self.redis.keys();
        let how = match how {
            AppendMode::Append => "append",
            AppendMode::Check => "check",
            AppendMode::Refill => "refill",
        };
        let mut arguments: Vec<Cow<'_, [u8]>> = vec![how.as_bytes().into(), by.to_string().into_bytes().into()];
        for record in records {
            arguments.push(record.number.to_string().into_bytes().into());
            arguments.push(record.fence.to_string().into_bytes().into());
            arguments.push(record.bytes.as_slice().into());
            arguments.push(record.person.as_slice().into());
        }
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| &**argument).collect();
        let keys = [keys.lease(show), keys.journal(show), keys.people(show)];
        JOURNAL_APPEND.run(&self.connection, &keys, &arguments).await.map_err(|error| refused(show, by, error))
    }

    /// Marks the show as over: its stream is deleted when Kafka has it, or after a day.
    pub(super) async fn retire(&self, show: ShowId, by: Fence) -> Result<(), JournalError> {
        let keys = self.redis.keys();
        let keys = [keys.lease(show), keys.journal(show), keys.shipped(show), keys.people(show)];
        let arguments = [by.0, u64::from(ENDED_SHOW_EXPIRY), u64::from(PROGRESS_EXPIRY)];
        JOURNAL_RETIRE.run(&self.connection, &keys, &arguments).await.map_err(|error| refused(show, by, error))
    }

    /// Reports that Kafka has the show up to `progress`. Returns whether the show is over.
    pub(super) async fn report_uploaded(&self, show: ShowId, progress: ShowProgress) -> Result<bool, JournalError> {
        let keys = self.redis.keys();
        let keys = [keys.shipped(show), keys.journal(show), keys.people(show)];
        let arguments = [progress.next, progress.fence.0, u64::from(PROGRESS_EXPIRY)];
        JOURNAL_SHIPPED
            .run(&self.connection, &keys, &arguments)
            .await
            .map_err(|error| refused(show, progress.fence, error))
    }

    /// How far the show is uploaded.
    pub(super) async fn uploaded(&self, show: ShowId) -> Result<Uploaded, JournalError> {
        let key = self.redis.keys().shipped(show);
        let fields = &["next", "fence", "over"];
        let (next, fence, over): (Option<u64>, Option<u64>, Option<u8>) =
            self.connection.clone().hmget(key, fields).await.map_err(failed)?;
        let progress = next.zip(fence).map(|(next, fence)| ShowProgress { next, fence: Fence(fence) });
        Ok(Uploaded { progress, over: over.is_some() })
    }

    /// Whether an engine holds the show's lease now.
    pub(super) async fn is_played(&self, show: ShowId) -> Result<bool, JournalError> {
        let mut connection = self.connection.clone();
        let until: Option<u64> = connection.hget(self.redis.keys().lease(show), "until").await.map_err(failed)?;
        let Some(until) = until else { return Ok(false) };
        let (seconds, micros): (u64, u64) = ::redis::cmd("TIME").query_async(&mut connection).await.map_err(failed)?;
        Ok(seconds * 1000 + micros / 1000 < until)
    }

    /// All records of a show, with what stands apart from them; empty if there is no stream.
    pub(super) async fn read(&self, show: ShowId) -> Result<Vec<Record>, JournalError> {
        let mut connection = self.connection.clone();
        let key = self.redis.keys().journal(show);
        let mut records = Vec::new();
        loop {
            let start = format!("{}-0", records.len() + 1);
            let page: StreamRangeReply = connection.xrange_count(&key, start, "+", READ_PAGE).await.map_err(failed)?;
            let full = page.ids.len() == READ_PAGE;
            let first = records.len();
            decode(show, first as u64, &page.ids, &mut records)?;
            self.read_people(show, &mut records[first..]).await?;
            if !full {
                return Ok(records);
            }
        }
    }

    /// Puts what stands apart from these records into its place.
    async fn read_people(&self, show: ShowId, records: &mut [Record]) -> Result<(), JournalError> {
        let records: Vec<&mut Record> = records.iter_mut().filter(|record| record.has_apart()).collect();
        if records.is_empty() {
            return Ok(());
        }
        let mut command = ::redis::cmd("HMGET");
        command.arg(self.redis.keys().people(show));
        for record in &records {
            command.arg(PersonKey { show, number: record.number, fence: record.fence }.field());
        }
        let found: Vec<Option<Vec<u8>>> = command.query_async(&mut self.connection.clone()).await.map_err(failed)?;
        for (record, bytes) in records.into_iter().zip(found) {
            let Some(bytes) = bytes else { continue };
            let damaged = |problem: String| {
                let problem = format!("{problem} (what stands apart from record {}, in Redis)", record.number);
                JournalError::Damaged { show, offset: record.number, problem }
            };
            let person = person_in(&bytes).map_err(damaged)?;
            if (person.show, person.number, person.fence) != (show, record.number, record.fence) {
                return Err(damaged("it belongs to another record".into()));
            }
            record.command.put_apart(person.data);
        }
        Ok(())
    }

    /// The last records of a show, in order.
    pub(super) async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        let mut connection = self.connection.clone();
        // At most `last`, which always fits.
        let count = i64::try_from(last).unwrap_or(i64::MAX);
        let key = self.redis.keys().journal(show);
        let mut page: StreamRangeReply = connection.xrevrange_count(key, "+", "-", count).await.map_err(failed)?;
        page.ids.reverse();
        let mut records = Vec::with_capacity(page.ids.len());
        if let Some(entry) = page.ids.first() {
            let problem = || format!("a record has the id {} (in Redis)", entry.id);
            let first =
                number_of(entry).ok_or_else(|| JournalError::Damaged { show, offset: 0, problem: problem() })?;
            decode(show, first, &page.ids, &mut records)?;
        }
        Ok(records)
    }

    /// The first record of a show.
    pub(super) async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        let key = self.redis.keys().journal(show);
        let page: StreamRangeReply = self.connection.clone().xrange_count(key, "-", "+", 1).await.map_err(failed)?;
        let mut records = Vec::new();
        decode(show, 0, &page.ids, &mut records)?;
        Ok(records.pop())
    }

    /// How much of the show is in Redis.
    pub(super) async fn progress(&self, show: ShowId) -> Result<Option<ShowProgress>, JournalError> {
        let last = self.tail(show, 1).await?;
        Ok(last.last().map(|record| ShowProgress { next: record.number + 1, fence: record.fence }))
    }

    /// The shows that are not over and have a stream.
    pub(super) async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        let mut connection = self.connection.clone();
        let all: Vec<String> = connection.smembers(self.redis.keys().shows()).await.map_err(failed)?;
        let mut shows = Vec::new();
        for show in all.iter().filter_map(|id| id.parse().ok()) {
            if connection.exists(self.redis.keys().journal(show)).await.map_err(failed)? {
                shows.push(show);
            }
        }
        Ok(shows)
    }
}

/// A script's refusal as the error for an engine with this token.
fn refused(show: ShowId, by: Fence, error: ScriptError) -> JournalError {
    match error {
        ScriptError::Fenced { newest, found } if newest > by || found.is_some() => {
            JournalError::Fenced { show, newest, found: found.unwrap_or(by) }
        }
        ScriptError::Fenced { .. } | ScriptError::NoLease => JournalError::NoLease { show },
        ScriptError::Gap { expected, found } => JournalError::Gap { show, expected, found },
        ScriptError::Taken { number, by } => JournalError::Taken { show, number, by },
        error => JournalError::Unavailable(format!("Redis: {error}")),
    }
}

pub(super) fn failed(error: RedisError) -> JournalError {
    JournalError::Unavailable(format!("Redis: {error}"))
}

fn number_of(entry: &StreamId) -> Option<u64> {
    entry.id.split('-').next()?.parse::<u64>().ok()?.checked_sub(1)
}

/// Reads a stream's entries, the first of which must be record `first`.
fn decode(show: ShowId, first: u64, entries: &[StreamId], into: &mut Vec<Record>) -> Result<(), JournalError> {
    let mut bytes = MAGIC.to_vec();
    for entry in entries {
        if let Some(Value::BulkString(framed)) = entry.map.get("r") {
            bytes.extend_from_slice(framed);
        }
    }
    let damaged = |number: u64, problem: String| {
        let problem = format!("{problem} (record {number} of its stream in Redis)");
        JournalError::Damaged { show, offset: number, problem }
    };
    let mut next = first;
    for item in Records::new(&bytes).map_err(|error| damaged(first, error.to_string()))? {
        let (_, record) = item.map_err(|error| damaged(next, error.to_string()))?;
        if (record.show, record.number) != (show, next) {
            return Err(damaged(next, format!("record {} of show {} stands here", record.number, record.show)));
        }
        into.push(record);
        next += 1;
    }
    if next - first != entries.len() as u64 {
        return Err(damaged(next, "an entry without a record".into()));
    }
    Ok(())
}
