//! The directory: the shows of all engines, and the codes that players type to find them.

use std::time::Duration;

use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::player::Phase;
use redis::{ErrorKind, RedisError, RedisResult, pipe};

use super::entry::{decode, encode};
use super::{CODE_RETENTION, millis};
use crate::bus::ShowRegistration;
use crate::redis::scripts::{DIRECTORY_DELETE, DIRECTORY_TAKE};
use crate::redis::{Connection, Keys};

/// A show that is not listed this long after its code was registered has lost its engine, and the code is free again.
const GRACE: Duration = Duration::from_secs(10);
/// Gateways can read the events of a show that is over for this long.
const EVENTS_OF_ENDED: Duration = Duration::from_secs(60);

/// The error for a value that no Klaxon of this version writes to this key.
fn not_ours(key: &str, problem: impl std::fmt::Display) -> RedisError {
    (ErrorKind::UnexpectedReturnType, "a value in Redis is not ours", format!("{key}: {problem}")).into()
}

/// The directory of all engines' shows.
#[derive(Clone)]
pub(super) struct Directory {
    connection: Connection,
    keys: Keys,
}

impl Directory {
    pub fn new(connection: Connection, keys: Keys) -> Self {
        Self { connection, keys }
    }

    /// Gives a code to a new show.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn register(
        &mut self,
        show: ShowId,
        code: &ShowCode,
        create: &CommandId,
        made_of: u64,
    ) -> RedisResult<ShowRegistration> {
        let key = self.keys.created(create);
        let mine = format!("{show} {made_of}");
        let (held, _) = self.set(&key, &mine, None).await?;
        let made_before =
            held.split_once(' ').and_then(|(show, of)| Some((show.parse().ok()?, of.parse::<u64>().ok()?)));
        let (before, before_of) = made_before.ok_or_else(|| not_ours(&key, "is no show's id with a hash"))?;
        if before != show {
            match self.line(before).await? {
                Some(_) if before_of != made_of => return Ok(ShowRegistration::IdTaken),
                Some(line) => return Ok(ShowRegistration::Existing(before, line.code)),
                // The engine that registered the code died before the show began.
                None => self.set(&key, &mine, Some(&held)).await?,
            };
        }
        let key = self.keys.code(code);
        let (holder, age) = self.take(&key, show, Some(before)).await?;
        if holder == show {
            return Ok(ShowRegistration::New);
        }
        let is_free = match self.line(holder).await? {
            Some(line) => line.phase == Phase::Ended || line.code != *code,
            None => age > GRACE,
        };
        if is_free && self.take(&key, show, Some(holder)).await?.0 == show {
            return Ok(ShowRegistration::New);
        }
        Ok(ShowRegistration::CodeTaken)
    }

    /// Takes a key for a show, unless a show other than `from` has it. Returns the show that has it now, and for how
    /// long.
    async fn take(&mut self, key: &str, show: ShowId, from: Option<ShowId>) -> RedisResult<(ShowId, Duration)> {
        let from = from.map(|show| show.to_string());
        let (holder, age) = self.set(key, &show.to_string(), from.as_deref()).await?;
        Ok((holder.parse().map_err(|_| not_ours(key, "is no show's id"))?, age))
    }

    /// Sets a key to `value`, unless its value is neither `value` nor `from`. Returns its value now, and the value's
    /// age.
    async fn set(&mut self, key: &str, value: &str, from: Option<&str>) -> RedisResult<(String, Duration)> {
        let keep = millis(CODE_RETENTION);
        let arguments = [value, from.unwrap_or(value), &keep.to_string()];
        let (held, left): (String, i64) = DIRECTORY_TAKE.run(&self.connection, &[key], &arguments).await?;
        // A key that does not expire has -1: its age counts as the largest.
        let left = u64::try_from(left).unwrap_or(0);
        Ok((held, Duration::from_millis(keep.saturating_sub(left))))
    }

    /// The show as it was last listed.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn line(&mut self, show: ShowId) -> RedisResult<Option<ShowLine>> {
        let line: Option<Vec<u8>> =
            redis::cmd("HGET").arg(self.keys.directory()).arg(show.0).query_async(&mut self.connection).await?;
        line.map(|line| decode(&line).map_err(|problem| not_ours(&self.keys.directory(), problem))).transpose()
    }

    /// All shows as they were last listed.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn lines(&mut self) -> RedisResult<Vec<ShowLine>> {
        let lines: Vec<Vec<u8>> =
            redis::cmd("HVALS").arg(self.keys.directory()).query_async(&mut self.connection).await?;
        // A line that can't be decoded must not hide the other shows from a host.
        let readable = lines.iter().filter_map(|line| match decode(line) {
            Ok(line) => Some(line),
            Err(problem) => {
                tracing::error!(%problem, "a show's line in the directory can't be read");
                None
            }
        });
        Ok(readable.collect())
    }

    /// Writes a show's line, and keeps the show's code from expiring.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn list(&mut self, line: &ShowLine) -> RedisResult<()> {
        let mut list = redis::cmd("HSET");
        list.arg(self.keys.directory()).arg(line.show.0).arg(encode(line));
        list.query_async::<()>(&mut self.connection).await?;
        let key = self.keys.code(&line.code);
        self.take(&key, line.show, None).await.map(drop)
    }

    /// The show that has this code, and whether it has ended: another show can take the code of an ended one at any
    /// time.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn show(&mut self, code: &ShowCode) -> RedisResult<Option<(ShowId, bool)>> {
        let key = self.keys.code(code);
        let (holder, left): (Option<String>, i64) =
            pipe().get(&key).pttl(&key).query_async(&mut self.connection).await?;
        let Some(show) = holder.and_then(|holder| holder.parse().ok()) else { return Ok(None) };
        let is_new = i64::try_from(millis(CODE_RETENTION - GRACE)).is_ok_and(|old| left > old);
        Ok(match self.line(show).await? {
            Some(line) => Some((show, line.phase == Phase::Ended)),
            None => is_new.then_some((show, false)),
        })
    }

    /// Deletes the keys of a show that is over.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn remove(&mut self, show: ShowId, code: Option<&ShowCode>) -> RedisResult<()> {
        let keys = &self.keys;
        let mut delete = pipe();
        delete.del(keys.progress(show)).ignore().del(keys.input(show)).ignore().del(keys.subscribers(show)).ignore();
        delete.pexpire(keys.events(show), i64::try_from(millis(EVENTS_OF_ENDED)).unwrap_or(i64::MAX)).ignore();
        delete.query_async::<()>(&mut self.connection).await?;
        let mut unlist = redis::cmd("HDEL");
        unlist.arg(keys.directory()).arg(show.0).query_async::<()>(&mut self.connection).await?;
        if let Some(code) = code {
            DIRECTORY_DELETE.run::<()>(&self.connection, &[keys.code(code)], &[show.0]).await?;
        }
        Ok(())
    }
}
