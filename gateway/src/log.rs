//! The log: to standard error, for people or for programs.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter makes no sense.
    #[error("log-filter: {filter:?} {problem}")]
    Filter {
        /// What was said.
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
/// If the filter makes no sense, or if there is a log already.
pub fn start(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let parsed =
        EnvFilter::try_new(filter).map_err(|problem| LogError::Filter { filter: filter.to_owned(), problem })?;
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|said| said.is_empty());
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr).with_ansi(coloured);
    let started = match format {
        LogFormat::Human => lines.compact().finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|_| LogError::Started)
}
