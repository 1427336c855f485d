//! Which shows there are, and by which codes players find them.

use std::time::Duration;

use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::player::Phase;
use redis::{ErrorKind, RedisError, RedisResult, pipe};

use super::entry::{decode, encode};
use super::{KEEP_CODE, millis};
use crate::bus::Entered;
use crate::redis::scripts::{DIRECTORY_DELETE, DIRECTORY_TAKE};
use crate::redis::{Connection, Keys};

/// A show has so long to be listed after its code was entered; then its engine died, and the code is free again.
const GRACE: Duration = Duration::from_secs(10);
/// Gateways have so long to read what a show said that is over.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// Something stands in Redis that no Klaxon of this version writes.
fn not_ours(key: &str, problem: impl std::fmt::Display) -> RedisError {
    (ErrorKind::UnexpectedReturnType, "what stands in Redis is not ours", format!("{key}: {problem}")).into()
}

/// The shows that are known on the bus.
#[derive(Clone)]
pub(super) struct Directory {
    connection: Connection,
    keys: Keys,
}

impl Directory {
    pub fn new(connection: Connection, keys: Keys) -> Self {
        Self { connection, keys }
    }

    /// Makes a new show known under its code.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn enter(
        &mut self,
        show: ShowId,
        code: &ShowCode,
        create: &CommandId,
        made_of: u64,
    ) -> RedisResult<Entered> {
        let key = self.keys.created(create);
        let mine = format!("{show} {made_of}");
        let (held, _) = self.set(&key, &mine, None).await?;
        let made_before =
            held.split_once(' ').and_then(|(show, of)| Some((show.parse().ok()?, of.parse::<u64>().ok()?)));
        let (before, before_of) = made_before.ok_or_else(|| not_ours(&key, "is no show's id with a hash"))?;
        if before != show {
            match self.line(before).await? {
                Some(_) if before_of != made_of => return Ok(Entered::IdTaken),
                Some(line) => return Ok(Entered::Before(before, line.code)),
                // Its engine died before it began.
                None => self.set(&key, &mine, Some(&held)).await?,
            };
        }
        let key = self.keys.code(code);
        let (holder, age) = self.take(&key, show, Some(before)).await?;
        if holder == show {
            return Ok(Entered::New);
        }
        let is_free = match self.line(holder).await? {
            Some(line) => line.phase == Phase::Ended || line.code != *code,
            None => age > GRACE,
        };
        if is_free && self.take(&key, show, Some(holder)).await?.0 == show {
            return Ok(Entered::New);
        }
        Ok(Entered::CodeTaken)
    }

    /// Takes a key for a show, also from `from`. Who has it now, and since when.
    async fn take(&mut self, key: &str, show: ShowId, from: Option<ShowId>) -> RedisResult<(ShowId, Duration)> {
        let from = from.map(|show| show.to_string());
        let (holder, age) = self.set(key, &show.to_string(), from.as_deref()).await?;
        Ok((holder.parse().map_err(|_| not_ours(key, "is no show's id"))?, age))
    }

    /// Gives a key this value, unless it has another than `from`. What it has now, and since when.
    async fn set(&mut self, key: &str, value: &str, from: Option<&str>) -> RedisResult<(String, Duration)> {
        let keep = millis(KEEP_CODE);
        let arguments = [value, from.unwrap_or(value), &keep.to_string()];
        let (held, left): (String, i64) = DIRECTORY_TAKE.run(&self.connection, &[key], &arguments).await?;
        // A key without an end has -1: it is as old as can be.
        let left = u64::try_from(left).unwrap_or(0);
        Ok((held, Duration::from_millis(keep.saturating_sub(left))))
    }

    /// The show as it was last listed.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn line(&mut self, show: ShowId) -> RedisResult<Option<ShowLine>> {
        let line: Option<Vec<u8>> =
            redis::cmd("HGET").arg(self.keys.lines()).arg(show.0).query_async(&mut self.connection).await?;
        line.map(|line| decode(&line).map_err(|problem| not_ours(&self.keys.lines(), problem))).transpose()
    }

    /// All shows as they were last listed.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn lines(&mut self) -> RedisResult<Vec<ShowLine>> {
        let lines: Vec<Vec<u8>> = redis::cmd("HVALS").arg(self.keys.lines()).query_async(&mut self.connection).await?;
        // One that can't be read hides no other from a host's list.
        let readable = lines.iter().filter_map(|line| match decode(line) {
            Ok(line) => Some(line),
            Err(problem) => {
                tracing::error!(%problem, "a show's line in the directory can't be read");
                None
            }
        });
        Ok(readable.collect())
    }

    /// Lists a show, and keeps its code for it.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn list(&mut self, line: &ShowLine) -> RedisResult<()> {
        let mut list = redis::cmd("HSET");
        list.arg(self.keys.lines()).arg(line.show.0).arg(encode(line));
        list.query_async::<()>(&mut self.connection).await?;
        let key = self.keys.code(&line.code);
        self.take(&key, line.show, None).await.map(drop)
    }

    /// Which show has this code, if it is one that is known, and whether it has ended: another may have the code in a moment.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn show(&mut self, code: &ShowCode) -> RedisResult<Option<(ShowId, bool)>> {
        let key = self.keys.code(code);
        let (holder, left): (Option<String>, i64) =
            pipe().get(&key).pttl(&key).query_async(&mut self.connection).await?;
        let Some(show) = holder.and_then(|holder| holder.parse().ok()) else { return Ok(None) };
        let is_new = i64::try_from(millis(KEEP_CODE - GRACE)).is_ok_and(|old| left > old);
        Ok(match self.line(show).await? {
            Some(line) => Some((show, line.phase == Phase::Ended)),
            None => is_new.then_some((show, false)),
        })
    }

    /// A show is over: nothing is kept of it.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn strike(&mut self, show: ShowId, code: Option<&ShowCode>) -> RedisResult<()> {
        let keys = &self.keys;
        let mut free = pipe();
        free.del(keys.said(show)).ignore().del(keys.to_show(show)).ignore().del(keys.audience(show)).ignore();
        free.pexpire(keys.to_all(show), i64::try_from(millis(LAST_WORDS)).unwrap_or(i64::MAX)).ignore();
        free.query_async::<()>(&mut self.connection).await?;
        let mut strike = redis::cmd("HDEL");
        strike.arg(keys.lines()).arg(show.0).query_async::<()>(&mut self.connection).await?;
        if let Some(code) = code {
            DIRECTORY_DELETE.run::<()>(&self.connection, &[keys.code(code)], &[show.0]).await?;
        }
        Ok(())
    }
}
