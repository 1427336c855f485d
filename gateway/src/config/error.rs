//! Why options can't be used.

use super::file::ConfigFileError;
use super::origins::Origin;
use super::url;
use crate::private_file::PrivateFileError;

/// Why there are no options.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value can't be used.
    #[error("{key}: {:?} (from {origin}) {problem}", url::masked(value))]
    Wrong {
        /// The option without its dashes, which is also its key in the file.
        key: String,
        /// The value.
        value: String,
        /// Where it was given.
        origin: Origin,
        /// What is allowed.
        problem: String,
    },
    /// An option was not given without which the command can do nothing.
    #[error("{key}: must be given, such as --{key} {example}")]
    Missing {
        /// The option.
        key: &'static str,
        /// A value that makes sense.
        example: &'static str,
    },
    /// The private file that an option names can't be used.
    #[error("{key}: (from {origin}) {problem}")]
    Unusable {
        /// The option.
        key: &'static str,
        /// Who named the file.
        origin: Origin,
        /// What is wrong with it.
        problem: PrivateFileError,
    },
    /// The configuration file can't be used.
    #[error(transparent)]
    File(#[from] ConfigFileError),
    /// What was written behind the command makes no sense, or asked for help.
    #[error(transparent)]
    Usage(#[from] clap::Error),
}
