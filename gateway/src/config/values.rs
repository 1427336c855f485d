//! How options' values are written, and the errors about wrong ones.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use klaxon_protocol::time::Span;

use crate::transport::Transport;

/// What tokens of players are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// An Ed25519 key pair; the server has the public half.
    EdDsa,
    /// A secret shared with whoever makes the tokens.
    Hs256,
}

/// Whether somebody without a token may play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guests {
    /// Yes.
    Allow,
    /// No.
    Refuse,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// A JSON object a line, for programs.
    Json,
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an IP address with a port, such as 127.0.0.1:4700 or [::]:4700".to_owned())
}

pub(super) fn algorithm(text: &str) -> Result<JwtAlgorithm, String> {
    one_of(text, &[("eddsa", JwtAlgorithm::EdDsa), ("hs256", JwtAlgorithm::Hs256)])
}

pub(super) fn guests(text: &str) -> Result<Guests, String> {
    one_of(text, &[("allow", Guests::Allow), ("refuse", Guests::Refuse)])
}

pub(super) fn transport(text: &str) -> Result<Transport, String> {
    one_of(text, &Transport::ALL.map(|transport| (transport.name(), transport)))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    one_of(text, &[("human", LogFormat::Human), ("json", LogFormat::Json)])
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("must be levels by module, such as `info` or `warn,klaxon_engine=debug`: {error}")),
    }
}

/// One of several words.
pub(crate) fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("must be {}", names.join(" or "))
    })
}

/// A whole number within a range.
pub(crate) fn number<T>(text: &str, range: RangeInclusive<T>) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}

/// A duration of whole milliseconds within a range, such as `500ms`, `1.5s`, `2min` or `1h 30min`.
pub(crate) fn span(text: &str, range: RangeInclusive<Span>) -> Result<Span, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| duration.subsec_nanos().is_multiple_of(1_000_000))
        .and_then(|duration| u32::try_from(duration.as_millis()).ok())
        .map(Span)
        .filter(|span| range.contains(span))
        .ok_or_else(|| {
            format!("must be a duration from {} to {}, such as 500ms, 10s, 2min", range.start(), range.end())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: RangeInclusive<Span> = Span(0)..=Span(3_600_000);

    #[test]
    fn durations_are_written_as_people_write_them() {
        let written = ["500ms", "1.5s", "10s", "10 s", "2min", "2m", "1min 30s", "1h"];
        let millis = [500, 1_500, 10_000, 10_000, 120_000, 120_000, 90_000, 3_600_000];
        for (text, millis) in written.into_iter().zip(millis) {
            assert_eq!(span(text, HOUR), Ok(Span(millis)), "{text}");
        }
        for bad in ["", "10", "s", "-1s", "1.5ms", "10 parsecs", "250us", "2h", "99999999999ms", "1200000h"] {
            assert_eq!(
                span(bad, HOUR).unwrap_err(),
                "must be a duration from 0 s to 3600 s, such as 500ms, 10s, 2min",
                "{bad}"
            );
        }
    }

    #[test]
    fn wrong_numbers_and_words_are_refused_with_what_is_allowed() {
        assert_eq!(number("7", 1..=9), Ok(7));
        assert_eq!(number("70", 1..=9).unwrap_err(), "must be a whole number from 1 to 9");
        assert_eq!(guests("maybe").unwrap_err(), "must be `allow` or `refuse`");
    }
}
