//! The log on standard error, for people or for programs. It contains text of others (ids, names, errors of clients),
//! so the fields of all events are escaped: they can't control a terminal or forge a line, whichever code logs them.

use std::io::{self, IsTerminal, Write};

use klaxon_protocol::text::{Harmless, harmless_json};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::{FormatFields, MakeWriter, format};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is invalid.
    #[error("log-filter: {filter:?} {problem}")]
    Filter {
        /// The message.
        filter: String,
        /// What is wrong with it.
        problem: tracing_subscriber::filter::ParseError,
    },
    /// The process has a log already.
    #[error("this process logs already")]
    Started,
}

/// Starts the process's log.
///
/// # Errors
/// If the filter is invalid, or if there is a log already.
pub fn start(log: LogFormat, filter: &str) -> Result<(), LogError> {
    let parsed =
        EnvFilter::try_new(filter).map_err(|problem| LogError::Filter { filter: filter.to_owned(), problem })?;
    let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    subscriber(log, parsed, coloured, io::stderr).try_init().map_err(|_| LogError::Started)
}

fn subscriber<W>(log: LogFormat, filter: EnvFilter, coloured: bool, out: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured);
    match log {
        LogFormat::Human => Box::new(lines.compact().fmt_fields(fields()).with_writer(out).finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_writer(HarmlessJson(out)).finish()),
    }
}

/// Formats an event's fields for people.
fn fields() -> impl for<'a> FormatFields<'a> + Send + Sync + 'static {
    let field = format::debug_fn(|out, field, value| {
        let value = format!("{value:?}");
        match (field.name(), out.has_ansi_escapes()) {
            ("message", _) => write!(out, "{}", Harmless(&value)),
            (name, true) => write!(out, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{}", Harmless(&value)),
            (name, false) => write!(out, "{name}={}", Harmless(&value)),
        }
    });
    field.delimited(" ")
}

/// Makes writers of JSON that can't control a terminal.
struct HarmlessJson<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for HarmlessJson<W> {
    type Writer = HarmlessJsonWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        HarmlessJsonWriter(self.0.make_writer())
    }
}

struct HarmlessJsonWriter<W>(W);

impl<W: Write> Write for HarmlessJsonWriter<W> {
    /// An event is written with one call, so no character is split between calls.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(harmless_json(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use klaxon_protocol::ids::PlayerId;
    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const HOSTILE: &str = "a\u{1b}]0;x\u{7}\r\n2026 ERROR forged\u{202e}b\u{9b}31m\u{2028}\u{ad}é";

    /// What is logged of foreign text, however it is logged.
    fn logged(log: LogFormat, coloured: bool) -> String {
        let page = Page::default();
        let out = page.clone();
        let subscriber = subscriber(log, EnvFilter::new("info"), coloured, move || out.clone());
        tracing::subscriber::with_default(subscriber, || {
            let player = PlayerId::parse(HOSTILE).unwrap();
            let error = io::Error::other(HOSTILE);
            tracing::info!(%player, ?player, text = HOSTILE, %error, error = &error as &dyn std::error::Error, "said: {HOSTILE}");
            tracing::info!(HOSTILE);
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn acts(c: char) -> bool {
        c != '\n' && c.is_control() || matches!(c, '\u{ad}' | '\u{202e}' | '\u{2028}')
    }

    #[test]
    fn no_field_acts_on_a_terminal_or_forges_a_line() {
        let text = logged(LogFormat::Human, false);
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert_eq!(text.chars().find(|&c| acts(c)), None, "{text:?}");
        assert!(text.contains("\\r\\n2026 ERROR forged") && text.contains('é'), "{text:?}");
        // Of escape sequences there are only those of our colours.
        let coloured = logged(LogFormat::Human, true);
        assert_eq!(coloured.lines().count(), 2);
        assert!(coloured.split('\u{1b}').skip(1).all(|rest| rest.starts_with('[')), "{coloured:?}");
        assert_eq!(coloured.chars().find(|&c| c != '\u{1b}' && acts(c)), None, "{coloured:?}");
    }

    #[test]
    fn json_has_the_same_fields_and_acts_on_nothing() {
        let text = logged(LogFormat::Json, false);
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert_eq!(text.chars().find(|&c| acts(c)), None, "{text:?}");
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["text"], HOSTILE);
    }
}
