//! The service that is played on, as its processes: of which kind they are is `standalone` or `cluster`.

use std::io;
use std::path::{Path, PathBuf};

use klaxon_servers::ServerError;

use crate::evidence::Victim;

/// What went wrong with the service's processes.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// One of the servers has a problem.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A file could not be read.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is no such process, or it is not ours.
    #[error("there is no {0:?} of ours to kill or stop")]
    NotOurs(Victim),
    /// There is no journal of the show.
    #[error("no journal in {0} holds the show")]
    NoJournal(PathBuf),
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(io::Error) -> ServiceError + '_ {
    move |error| ServiceError::File { path: path.to_owned(), error }
}
