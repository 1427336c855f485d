//! The journal on disk: a directory with one file per show, `SHOW.klxj`, written by a single thread.
//!
//! A file is [`MAGIC`] followed by records, framed as in [`klaxon_protocol::journal`]. If a file's last record is
//! incomplete, it is cut off when the file is first read. A file with any other damage is refused and never written to.
//! (A power cut during a write of several records can leave such damage at the very end, in records for which no append
//! returned; whether to cut the file there is up to the operator.)
//!
//! What stands apart from records is in a second file a show, `SHOW.klxp`, framed alike ([`people`]). It is written, and synced,
//! before the records that it belongs to, and rewritten without a person when somebody is to be forgotten ([`forget`]).

mod forget;
mod people;
mod show;
mod sync;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{MAGIC, Record, RecordTooLarge, frame_record};
use klaxon_protocol::register::PersonRecord;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::{Journal, JournalError, Restored};
pub use forget::{Forgotten, listed_shows};
use show::ShowFile;
pub use sync::SyncPolicy;
use writer::{Append, Disk, ForShow, RealDisk, RecordRange, Request, Writer, sync_directory};

/// The extension of a show's file.
const EXTENSION: &str = "klxj";

/// Why a journal's directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open, or another journal of this process.
    #[error("the journal {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// It can't be created or written to.
    #[error("the journal {} can't be opened: {error}", directory.display())]
    Failed {
        /// Which directory.
        directory: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Requests to the writing thread at one time. At the limit a show waits before its next request. A show has one
/// request at a time, so this is how many shows can write concurrently.
const MAX_REQUESTS: usize = 1024;

/// The journal on disk. Dropping it waits until what was appended is written.
pub struct FileJournal {
    shows: Arc<ShowFiles>,
    /// None only while it is being dropped.
    requests: Option<Sender<Request>>,
    /// Limits the requests; a request keeps its permit until the writing thread is done with it.
    places: Arc<Semaphore>,
    writer: Option<JoinHandle<()>>,
}

/// The files, by show.
pub(super) struct ShowFiles {
    directory: PathBuf,
    files: Mutex<HashMap<ShowId, Arc<ShowFile>>>,
    /// Held until the last user of the directory is gone.
    _lock: File,
}

impl ShowFiles {
    fn file(&self, show: ShowId) -> Arc<ShowFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let path = || self.directory.join(format!("{show}.{EXTENSION}"));
        Arc::clone(files.entry(show).or_insert_with(|| Arc::new(ShowFile::new(show, path()))))
    }

    /// The shows whose file holds more than [`MAGIC`].
    fn list(&self) -> io::Result<Vec<ShowId>> {
        let mut shows = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.'));
            if let Some(id) = id
                && let Ok(show) = id.parse::<ShowId>()
                && show.to_string() == id
                && entry.metadata()?.len() > MAGIC.len() as u64
            {
                shows.push(show);
            }
        }
        shows.sort_unstable();
        Ok(shows)
    }
}

impl FileJournal {
    /// Opens the journal in `directory`, which is made if it is not there (mode 700; files have mode 600), and locks it
    /// until the journal is dropped.
    ///
    /// # Errors
    /// If another process has it open, or it can't be made or written to.
    pub async fn open(directory: &Path, policy: SyncPolicy) -> Result<Self, OpenError> {
        let made = directory.to_owned();
        let opening = tokio::task::spawn_blocking(move || Self::open_on(made, policy, Arc::new(RealDisk)));
        opening.await.unwrap_or_else(|error| {
            Err(OpenError::Failed { directory: directory.to_owned(), error: io::Error::other(error) })
        })
    }

    fn open_on(directory: PathBuf, policy: SyncPolicy, disk: Arc<dyn Disk>) -> Result<Self, OpenError> {
        let lock = lock(&directory).map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(directory.clone()),
            TryLockError::Error(error) => OpenError::Failed { directory: directory.clone(), error },
        })?;
        let shows = Arc::new(ShowFiles { directory: directory.clone(), files: Mutex::default(), _lock: lock });
        let (requests, waiting) = channel();
        let writer = Writer::new(Arc::clone(&shows), disk, policy);
        let writer = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(&waiting))
            .map_err(|error| OpenError::Failed { directory, error })?;
        let places = Arc::new(Semaphore::new(MAX_REQUESTS));
        Ok(Self { shows, requests: Some(requests), places, writer: Some(writer) })
    }

    /// As the trait's `append`, but without recording the append's duration as a metric.
    pub(super) async fn write(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        let mut framed = Vec::with_capacity(records.len());
        for record in records {
            let start = bytes.len();
            let Record { show, number, fence, .. } = *record;
            let bad = |error: RecordTooLarge| JournalError::BadRecord { show, number, problem: error.to_string() };
            frame_record(record, &mut bytes).map_err(bad)?;
            let end = bytes.len();
            if let Some(apart) = record.apart() {
                frame_record(&apart, &mut bytes).map_err(bad)?;
            }
            framed.push(RecordRange { show, number, fence, bytes: start..end, apart: end..bytes.len() });
        }
        let request = |done, place| Request::Append(Append { records: framed, bytes, done, _place: place });
        self.request(request).await
    }

    /// Sends a request to the writing thread, which processes it after all earlier ones, and waits for the result.
    async fn request(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<(), JournalError>>, OwnedSemaphorePermit) -> Request,
    ) -> Result<(), JournalError> {
        let stopped = || JournalError::Unavailable("its writing thread has stopped".into());
        let place = Arc::clone(&self.places).acquire_owned().await.expect("nobody closes it");
        self.count_requests();
        let (done, answer) = oneshot::channel();
        self.requests.as_ref().ok_or_else(stopped)?.send(request(done, place)).map_err(|_| stopped())?;
        let answer = answer.await;
        self.count_requests();
        answer.unwrap_or_else(|_| Err(stopped()))
    }

    fn count_requests(&self) {
        metrics::gauge!("klaxon_journal_requests").set((MAX_REQUESTS - self.places.available_permits()) as f64);
    }

    /// Removes a show's file, even if it is damaged. The show is empty then.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    pub(super) async fn remove(&self, show: ShowId) -> Result<(), JournalError> {
        self.request(|done, place| Request::Remove(ForShow { show, done, _place: place })).await
    }

    /// Renames a damaged file of what stands apart from a show's journal, and goes on with what stands before the damage. Returns the
    /// damaged file's new name.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`], also if a file of the show was set aside before and is still there.
    pub(super) async fn set_people_aside(&self, show: ShowId) -> Result<PathBuf, JournalError> {
        self.request(|done, place| Request::SetPeopleAside(ForShow { show, done, _place: place })).await?;
        Ok(self.shows.file(show).people.path.with_extension(people::SET_ASIDE))
    }

    /// Whole framed records from byte `start` of a show's file on: about `most` bytes of them, but at least one record.
    /// Returns them with the offset of their end. Empty if there are no more.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    pub(super) async fn part(&self, show: ShowId, start: u64, most: usize) -> Result<(Vec<u8>, u64), JournalError> {
        self.on_file(show, move |file| file.part(start, most)).await
    }

    /// Person records from byte `start` of what stands apart from a show's journal on, each with its end: about `most` bytes of them.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    pub(super) async fn people_part(
        &self,
        show: ShowId,
        start: u64,
        most: usize,
    ) -> Result<Vec<(PersonRecord, u64)>, JournalError> {
        self.on_file(show, move |file| file.people.part(start, most)).await
    }

    /// Runs `work` on a show's file on a thread where blocking is allowed.
    async fn on_file<T: Send + 'static>(
        &self,
        show: ShowId,
        work: impl FnOnce(&ShowFile) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let file = self.shows.file(show);
        blocking(move || work(&file)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(JournalError::Unavailable(error.to_string())),
    }
}

/// Makes the directory and takes its lock.
fn lock(directory: &Path) -> Result<File, TryLockError> {
    if !directory.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(TryLockError::Error)?;
        if let Some(parent) = directory.canonicalize().map_err(TryLockError::Error)?.parent() {
            sync_directory(parent).map_err(TryLockError::Error)?;
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let lock = options.open(directory.join("lock")).map_err(TryLockError::Error)?;
    lock.try_lock()?;
    Ok(lock)
}

#[async_trait]
impl Journal for FileJournal {
    fn keeps_apart(&self) -> bool {
        true
    }

    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let since = Instant::now();
        let result = self.write(records).await;
        metrics::histogram!("klaxon_journal_append_seconds").record(since.elapsed());
        result
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        self.on_file(show, ShowFile::first).await
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        self.on_file(show, ShowFile::read).await
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        let shows = Arc::clone(&self.shows);
        let list = move || {
            let failed = |error| format!("listing {}: {error}", shows.directory.display());
            shows.list().map_err(|error| JournalError::Unavailable(failed(error)))
        };
        blocking(list).await
    }

    /// Nothing to free: the file is the only copy, and it is kept.
    async fn retire(&self, _show: ShowId, _fence: Fence) -> Result<(), JournalError> {
        Ok(())
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        self.on_file(show, move |file| file.last(last)).await
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            // If the writer panicked, there is nothing left to wait for.
            drop(writer.join());
        }
    }
}
