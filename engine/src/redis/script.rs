//! Scripts that Redis runs.

use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, ToRedisArgs};

use super::Connection;

/// A script in Lua: all it does to a show is done at once. Redis knows it by its hash, and is told its text when it doesn't.
#[derive(Debug, Clone)]
pub struct Script {
    text: String,
    hash: String,
}

impl Script {
    /// The script with this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let hash = ::redis::Script::new(text).get_hash().to_owned();
        Self { text: text.to_owned(), hash }
    }

    /// Runs it with these `KEYS`, which share a hash tag, and these `ARGV`. What the script refuses is an error with a code of
    /// the script's own.
    ///
    /// # Errors
    /// What Redis or the script says; after anything but a refusal the outcome is unknown.
    pub async fn call<T: FromRedisValue>(
        &self,
        connection: &Connection,
        keys: &[&str],
        arguments: &[&str],
    ) -> RedisResult<T> {
        self.run(connection, keys, arguments).await
    }

    /// The same with keys and arguments of any kind.
    ///
    /// # Errors
    /// As for [`Self::call`].
    pub async fn run<T: FromRedisValue, K: ToRedisArgs, A: ToRedisArgs>(
        &self,
        connection: &Connection,
        keys: &[K],
        arguments: &[A],
    ) -> RedisResult<T> {
        let mut connection = connection.clone();
        let by_hash = command("EVALSHA", &self.hash, keys, arguments).query_async(&mut connection).await;
        match by_hash {
            // A Redis that was started again, or another node of the cluster.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                command("EVAL", &self.text, keys, arguments).query_async(&mut connection).await
            }
            outcome => outcome,
        }
    }
}

fn command<K: ToRedisArgs, A: ToRedisArgs>(word: &str, script: &str, keys: &[K], arguments: &[A]) -> Cmd {
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
