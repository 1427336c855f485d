//! Which shows there are, and by which codes players find them.

use std::sync::LazyLock;
use std::time::Duration;

use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::player::Phase;
use redis::{RedisResult, pipe};

use super::entry::{decode, encode};
use super::{KEEP_CODE, millis};
use crate::bus::Entered;
use crate::redis::{Connection, Keys, Script};

/// A show has so long to be listed after its code was entered; then its engine died, and the code is free again.
const GRACE: Duration = Duration::from_secs(10);
/// Gateways have so long to read what a show said that is over.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// Sets a key unless another show has it. KEYS: the key. ARGV: the show, the show that may have had it, for how many milliseconds.
/// Answers with who has it and for how many milliseconds yet.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local holder = redis.call('GET', KEYS[1])
         if not holder or holder == ARGV[1] or holder == ARGV[2] then
           redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
           return {ARGV[1], ARGV[3]}
         end
         return {holder, tostring(redis.call('PTTL', KEYS[1]))}",
    )
});

/// Deletes a key if it names this show.
static DELETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0")
});

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
    pub async fn enter(&mut self, show: ShowId, code: &ShowCode, create: &CommandId) -> RedisResult<Entered> {
        let key = self.keys.created(create);
        let (before, _) = self.take(&key, show, None).await?;
        if before != show {
            if let Some(line) = self.line(before).await? {
                return Ok(Entered::Before(before, line.code));
            }
            // Its engine died before it began.
            self.take(&key, show, Some(before)).await?;
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
        let keep = millis(KEEP_CODE);
        let arguments = [show.0, from.unwrap_or(show).0, keep];
        let (holder, left): (String, i64) = TAKE.run(&self.connection, &[key], &arguments).await?;
        let left = u64::try_from(left).unwrap_or(0);
        Ok((holder.parse().unwrap_or(show), Duration::from_millis(keep.saturating_sub(left))))
    }

    /// The show as it was last listed.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn line(&mut self, show: ShowId) -> RedisResult<Option<ShowLine>> {
        let line: Option<Vec<u8>> =
            redis::cmd("HGET").arg(self.keys.lines()).arg(show.0).query_async(&mut self.connection).await?;
        Ok(line.and_then(|line| decode(&line).ok()))
    }

    /// All shows as they were last listed.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn lines(&mut self) -> RedisResult<Vec<ShowLine>> {
        let lines: Vec<Vec<u8>> = redis::cmd("HVALS").arg(self.keys.lines()).query_async(&mut self.connection).await?;
        Ok(lines.iter().filter_map(|line| decode(line).ok()).collect())
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

    /// Which show has this code, if it is one that goes on.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn show(&mut self, code: &ShowCode) -> RedisResult<Option<ShowId>> {
        let key = self.keys.code(code);
        let (holder, left): (Option<String>, i64) =
            pipe().get(&key).pttl(&key).query_async(&mut self.connection).await?;
        let Some(show) = holder.and_then(|holder| holder.parse().ok()) else { return Ok(None) };
        let is_new = i64::try_from(millis(KEEP_CODE - GRACE)).is_ok_and(|old| left > old);
        Ok((is_new || self.line(show).await?.is_some()).then_some(show))
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
            DELETE.run::<(), _, _>(&self.connection, &[keys.code(code)], &[show.0]).await?;
        }
        Ok(())
    }
}
