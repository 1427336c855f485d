//! The configuration file: TOML, with the long options' names as keys.

use std::path::{Path, PathBuf};

use super::url;
use crate::private_file::{self, PrivateFileError};

/// A configuration file's keys and values, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Key and value, the value as one would write it behind the option.
    pub values: Vec<(String, String)>,
}

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It can't be read, or others could change it, or read the passwords in it.
    #[error(transparent)]
    Unusable(#[from] PrivateFileError),
    /// It is no TOML.
    #[error("{}: {problem}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        problem: Box<toml::de::Error>,
    },
    /// Some keys or values can't be used.
    #[error("{}:\n{}", path.display(), problems.join("\n"))]
    Content {
        /// Which file.
        path: PathBuf,
        /// A line each.
        problems: Vec<String>,
    },
}

impl ConfigFile {
    /// Reads the file; only `known` keys may stand in it.
    ///
    /// # Errors
    /// If it can't be used ([`private_file::read_configuration`]), is no TOML, or holds unknown keys or values that are no text, number or truth value; all of them.
    pub fn read(path: &Path, known: &[&str]) -> Result<Self, ConfigFileError> {
        let text = private_file::read_configuration(path, holds_password)?;
        Self::parse(&text, path.to_owned(), known)
    }

    fn parse(text: &str, path: PathBuf, known: &[&str]) -> Result<Self, ConfigFileError> {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(problem) => return Err(ConfigFileError::Syntax { path, problem: Box::new(problem) }),
        };
        let mut values = Vec::new();
        let mut problems = Vec::new();
        for (key, value) in table {
            if !known.contains(&key.as_str()) {
                problems.push(match nearest(&key, known) {
                    Some(near) => format!("  there is no key `{key}`; did you mean `{near}`?"),
                    None => format!("  there is no key `{key}`; known are: {}", known.join(", ")),
                });
                continue;
            }
            match value {
                toml::Value::String(text) => values.push((key, text)),
                toml::Value::Integer(number) => values.push((key, number.to_string())),
                toml::Value::Boolean(truth) => values.push((key, truth.to_string())),
                other => problems.push(format!("  `{key}` is {}; it must be a text or a number", a(other.type_str()))),
            }
        }
        if problems.is_empty() { Ok(Self { values }) } else { Err(ConfigFileError::Content { path, problems }) }
    }
}

/// Whether a password stands in a URL somewhere, be it behind a `#`, in a file that is no TOML, or written with escapes.
fn holds_password(text: &str) -> bool {
    let shows = |text: &str| url::masked(text) != text;
    let values = text.parse::<toml::Table>().unwrap_or_default();
    text.lines().any(shows) || values.values().filter_map(toml::Value::as_str).any(shows)
}

fn a(kind: &str) -> String {
    if kind.starts_with(['a', 'i']) { format!("an {kind}") } else { format!("a {kind}") }
}

/// The known key that needs the fewest changes to become this one, if it is near enough to be meant.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = known.iter().map(|candidate| (strsim::levenshtein(key, candidate), *candidate)).min()?;
    (near.0 <= 2.max(key.len() / 3)).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["listen", "max-connections", "heartbeat"];

    fn parse(text: &str) -> Result<ConfigFile, ConfigFileError> {
        ConfigFile::parse(text, "klaxon.toml".into(), KNOWN)
    }

    #[test]
    fn texts_and_numbers_become_what_one_would_write_behind_the_option() {
        let file = parse("max-connections = 5\nheartbeat = \"10s\"\n").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(file.values, [pair("heartbeat", "10s"), pair("max-connections", "5")]);
    }

    #[test]
    fn all_wrong_keys_are_named_with_the_nearest_known_one() {
        let message = parse("max_conections = 1\nzebra = 2\nlisten = [1]\n").unwrap_err().to_string();
        assert!(message.contains("no key `max_conections`; did you mean `max-connections`?"), "{message}");
        assert!(message.contains("no key `zebra`; known are: listen, max-connections, heartbeat"), "{message}");
        assert!(message.contains("`listen` is an array"), "{message}");
    }

    #[test]
    fn broken_toml_is_refused_with_its_line() {
        let message = parse("listen = \n").unwrap_err().to_string();
        assert!(message.starts_with("klaxon.toml: ") && message.contains("line 1"), "{message}");
    }

    #[test]
    fn a_password_is_found_wherever_it_stands() {
        for text in [
            "redis = \"redis://:hush@a:1\"",
            "listen = \"127.0.0.1:1\"\n#redis = 'redis://me:hush@a:1,redis://b:2'\n",
            "redis = \"\"\"\nredis://:hush@a:1\"\"\"",
            "database = \"postgres:\\u002f/me:hush@db/k\"",
            "database = \"postgres://me@db/k?password=hush\"",
            "redis = redis://:hush@a:1",
        ] {
            assert!(holds_password(text), "{text}");
        }
        for text in [
            "redis = \"redis://me@a:1\"",
            "listen = \"127.0.0.1:1\" # me:you@there",
            "",
            "public-url = \"wss://g:1/play\"",
        ] {
            assert!(!holds_password(text), "{text}");
        }
    }
}
