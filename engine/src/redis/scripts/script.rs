//! A script, and how it is run.

use ::redis::{Cmd, ErrorKind, FromRedisValue, ServerErrorKind, ToRedisArgs};

use super::ScriptError;
use crate::redis::Connection;

/// A Lua script, which runs atomically. It is called by its hash, and loaded into a Redis that does not have it yet.
#[derive(Debug, Clone)]
pub struct Script {
    text: String,
    hash: String,
}

impl Script {
    pub(super) fn new(text: &str) -> Self {
        let hash = ::redis::Script::new(text).get_hash().to_owned();
        Self { text: text.to_owned(), hash }
    }

    /// The SHA-1 of its text, by which Redis identifies it.
    #[cfg(test)]
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// Runs it with these `KEYS`, which share a hash tag, and these `ARGV`.
    ///
    /// # Errors
    /// What the script refuses, or an error of Redis; after [`ScriptError::Redis`] the outcome is unknown.
    pub async fn run<T: FromRedisValue>(
        &self,
        connection: &Connection,
        keys: &[impl ToRedisArgs],
        arguments: &[impl ToRedisArgs],
    ) -> Result<T, ScriptError> {
        let mut connection = connection.clone();
        let by_hash = command("EVALSHA", &self.hash, keys, arguments).query_async(&mut connection).await;
        let outcome = match by_hash {
            // Redis was restarted, or this is another node of the cluster.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                command("EVAL", &self.text, keys, arguments).query_async(&mut connection).await
            }
            outcome => outcome,
        };
        outcome.map_err(ScriptError::from)
    }
}

fn command(word: &str, script: &str, keys: &[impl ToRedisArgs], arguments: &[impl ToRedisArgs]) -> Cmd {
    let mut command = ::redis::cmd(word);
    command.arg(script).arg(keys.len());
    for key in keys {
        command.arg(key);
    }
    for argument in arguments {
        command.arg(argument);
    }
    command
}
