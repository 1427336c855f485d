//! The processes of the service under test. `standalone` and `cluster` are the two kinds.

use std::io;
use std::path::{Path, PathBuf};

use klaxon_servers::ServerError;

use crate::evidence::Victim;

/// Why an operation on the service's processes failed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A server could not be started or stopped.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A file could not be read.
    #[error("{path}: {error}")]
    File {
        /// The file's path.
        path: PathBuf,
        /// The error of the operation.
        error: io::Error,
    },
    /// There is no such process, or the swarm did not start it.
    #[error("there is no {0:?} of ours to kill or stop")]
    NotOurs(Victim),
    /// No journal contains the show.
    #[error("no journal in {0} holds the show")]
    NoJournal(PathBuf),
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(io::Error) -> ServiceError + '_ {
    move |error| ServiceError::File { path: path.to_owned(), error }
}
