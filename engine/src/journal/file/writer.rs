//! The journal's single writing thread: waiting appends are combined into one write and one sync per file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::MAGIC;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::super::JournalError;
use super::show::{ShowFile, ShowLedger, Tail};
use super::{ShowFiles, SyncPolicy, people};

/// A group of appends that has this many bytes takes no further append.
const MAX_GROUP_BYTES: usize = 16 << 20;
/// Of how many shows files are kept open: two each.
const MAX_OPEN_SHOWS: usize = 64;

/// The file operations of the writer. Tests use a disk that fails.
pub(super) trait Disk: Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`, or fails with some of them written.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when the file's content is on disk.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Truncates the file at `end`.
    fn cut(&self, file: &File, end: u64) -> io::Result<()>;
}

/// The operating system's file operations.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn cut(&self, file: &File, end: u64) -> io::Result<()> {
        file.set_len(end)
    }
}

/// A request to the writing thread.
pub(super) enum Request {
    Append(Append),
    /// Removes a show's files.
    Remove(ForShow),
    /// Sets aside what stands apart from a show, which is damaged.
    SetPeopleAside(ForShow),
}

/// A request about one show.
pub(super) struct ForShow {
    pub(super) show: ShowId,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
    /// Its place among the requests that may be under way.
    pub(super) _place: OwnedSemaphorePermit,
}

/// One append; its records are framed already.
pub(super) struct Append {
    pub(super) records: Vec<RecordRange>,
    pub(super) bytes: Vec<u8>,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
    /// Its place among the requests that may be under way.
    pub(super) _place: OwnedSemaphorePermit,
}

/// One record of an append.
pub(super) struct RecordRange {
    pub(super) show: ShowId,
    pub(super) number: u64,
    pub(super) fence: Fence,
    /// The record's range in the append's bytes.
    pub(super) bytes: Range<usize>,
    /// Where in them is what stands apart from it; empty if nothing does.
    pub(super) apart: Range<usize>,
}

/// What a group of appends writes to one file.
struct FileWrite {
    file: Arc<ShowFile>,
    /// The file's tail before this write.
    before: Tail,
    ledger: ShowLedger,
    bytes: Vec<u8>,
    /// What stands apart from these records.
    apart: Vec<u8>,
    offsets: Vec<(u64, u64)>,
    records: u32,
}

/// The open files of a show.
struct OpenFiles {
    records: File,
    /// What stands apart from them; none until something does.
    people: Option<File>,
}

pub(super) struct Writer {
    shows: Arc<ShowFiles>,
    disk: Arc<dyn Disk>,
    policy: SyncPolicy,
    open: HashMap<ShowId, OpenFiles>,
    unsynced: HashSet<ShowId>,
    sync_due: Option<Instant>,
}

impl Writer {
    pub(super) fn new(shows: Arc<ShowFiles>, disk: Arc<dyn Disk>, policy: SyncPolicy) -> Self {
        Self { shows, disk, policy, open: HashMap::new(), unsynced: HashSet::new(), sync_due: None }
    }

    /// Runs until all senders of requests are dropped.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        let mut left = None;
        loop {
            let first = match (left.take(), self.sync_due) {
                (Some(left), _) => Ok(left),
                (None, None) => requests.recv().map_err(RecvTimeoutError::from),
                (None, Some(due)) => requests.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match first {
                Ok(Request::Append(first)) => left = self.write_group(first, requests),
                Ok(Request::Remove(ForShow { show, done, .. })) => drop(done.send(self.closed(show).remove())),
                Ok(Request::SetPeopleAside(ForShow { show, done, .. })) => {
                    drop(done.send(self.closed(show).people.set_aside()));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.sync_due.is_some_and(|due| due <= Instant::now()) {
                self.sync_written();
            }
        }
        self.sync_written();
    }

    /// Writes the waiting appends. Stops at the first request of another kind, and returns it.
    fn write_group(&mut self, first: Append, requests: &Receiver<Request>) -> Option<Request> {
        let mut left = None;
        let mut writes = BTreeMap::new();
        let mut accepted = Vec::new();
        let mut size = 0;
        let mut next = Some(first);
        while let Some(append) = next {
            size += append.bytes.len();
            match self.add(&mut writes, &append) {
                Ok(()) => accepted.push(append),
                Err(error) => drop(append.done.send(Err(error))),
            }
            next = match if size < MAX_GROUP_BYTES { requests.try_recv().ok() } else { None } {
                Some(Request::Append(append)) => Some(append),
                other => {
                    left = other;
                    None
                }
            };
        }
        metrics::histogram!("klaxon_journal_group_records")
            .record(writes.values().map(|write: &FileWrite| f64::from(write.records)).sum::<f64>());
        let failed: HashMap<ShowId, JournalError> =
            writes.into_iter().filter_map(|(show, write)| Some((show, self.write(write).err()?))).collect();
        for append in accepted {
            let failure = append.records.iter().find_map(|record| failed.get(&record.show));
            // The caller of a dropped append does not receive this.
            drop(append.done.send(failure.map_or(Ok(()), |error| Err(error.clone()))));
        }
        left
    }

    /// The show's files, which are not open any more.
    fn closed(&mut self, show: ShowId) -> Arc<ShowFile> {
        self.open.remove(&show);
        self.unsynced.remove(&show);
        self.shows.file(show)
    }

    /// Adds an append to the group's writes. On an error nothing of it is added.
    fn add(&self, writes: &mut BTreeMap<ShowId, FileWrite>, append: &Append) -> Result<(), JournalError> {
        let mut ledgers: BTreeMap<ShowId, ShowLedger> = BTreeMap::new();
        let mut new = Vec::with_capacity(append.records.len());
        for record in &append.records {
            let ledger = match ledgers.entry(record.show) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(unknown) => {
                    let write = match writes.entry(record.show) {
                        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::btree_map::Entry::Vacant(unknown) => {
                            unknown.insert(FileWrite::new(self.shows.file(record.show))?)
                        }
                    };
                    unknown.insert(write.ledger.clone())
                }
            };
            new.push(ledger.take(record.show, record.number, record.fence)?);
        }
        for (show, ledger) in ledgers {
            if let Some(write) = writes.get_mut(&show) {
                write.ledger = ledger;
            }
        }
        for (record, _) in append.records.iter().zip(new).filter(|&(_, new)| new) {
            if let Some(write) = writes.get_mut(&record.show) {
                write.add(record.number, &append.bytes[record.bytes.clone()], &append.bytes[record.apart.clone()]);
            }
        }
        Ok(())
    }

    /// Writes to one file and, depending on the policy, syncs it. After a failure the file is truncated to its last
    /// whole record.
    fn write(&mut self, write: FileWrite) -> Result<(), JournalError> {
        if write.records == 0 {
            return Ok(());
        }
        let show = write.file.show;
        self.open(&write.file).map_err(|error| write.file.failed("opening", &error))?;
        self.write_apart(&write)?;
        let file = &self.open[&show].records;
        let end = write.before.end;
        let clean = if write.before.dirty { self.disk.cut(file, end) } else { Ok(()) };
        let written = clean.and_then(|()| self.disk.write(file, &write.bytes, end)).and_then(|()| match self.policy {
            SyncPolicy::Always => self.disk.sync(file).and_then(|()| self.sync_directory(end)),
            SyncPolicy::Interval(_) => self.sync_directory(end),
            SyncPolicy::Never => Ok(()),
        });
        match written {
            Ok(()) => {
                metrics::counter!("klaxon_journal_bytes_total").increment(write.bytes.len() as u64);
                let after = end + write.bytes.len() as u64;
                write.file.note(|tail| tail.advance(after, write.ledger, write.offsets));
                if let SyncPolicy::Interval(span) = self.policy {
                    self.unsynced.insert(show);
                    self.sync_due.get_or_insert_with(|| Instant::now() + span.to_std());
                }
                Ok(())
            }
            Err(error) => {
                metrics::counter!("klaxon_journal_write_failures_total").increment(1);
                let dirty = self.disk.cut(file, end).is_err();
                write.file.note(|tail| tail.dirty = dirty);
                tracing::error!(%show, %error, "could not write to the journal");
                Err(write.file.failed("writing", &error))
            }
        }
    }

    /// Writes what stands apart from the records, before they are written: one more write and sync a group, however many joined in it.
    fn write_apart(&mut self, write: &FileWrite) -> Result<(), JournalError> {
        if write.apart.is_empty() {
            return Ok(());
        }
        let (show, people) = (write.file.show, &write.file.people);
        let begin = people.end()?;
        let failed = |error: io::Error| people.failed("writing", &error);
        let open = self.open.get_mut(&show).expect("the show's journal is open");
        if open.people.is_none() {
            open.people = Some(open_file(&people.path).map_err(failed)?);
        }
        let file = self.open[&show].people.as_ref().expect("it was just opened");
        let bytes = people::from_the_start(begin, &write.apart);
        let written = self.disk.write(file, &bytes, begin);
        let written = written.and_then(|()| match self.policy {
            SyncPolicy::Always => self.disk.sync(file).and_then(|()| self.sync_directory(begin)),
            SyncPolicy::Interval(_) => self.sync_directory(begin),
            SyncPolicy::Never => Ok(()),
        });
        people.note(written.is_ok().then_some(bytes.len()));
        written.map_err(|error| {
            metrics::counter!("klaxon_journal_write_failures_total").increment(1);
            tracing::error!(%show, %error, "could not write what stands apart from the journal");
            failed(error)
        })
    }

    fn open(&mut self, file: &ShowFile) -> io::Result<()> {
        if self.open.contains_key(&file.show) {
            return Ok(());
        }
        if self.open.len() >= MAX_OPEN_SHOWS {
            self.sync_written();
            self.open.clear();
        }
        self.open.insert(file.show, OpenFiles { records: open_file(&file.path)?, people: None });
        Ok(())
    }

    /// Syncs the directory after a file was created, so that its name survives a power cut too.
    fn sync_directory(&self, end: u64) -> io::Result<()> {
        if end == 0 { sync_directory(&self.shows.directory) } else { Ok(()) }
    }

    fn sync_written(&mut self) {
        self.sync_due = None;
        for show in self.unsynced.drain() {
            let Some(OpenFiles { records, people }) = self.open.get(&show) else { continue };
            let people = people.as_ref().map_or(Ok(()), |people| self.disk.sync(people));
            if let Err(error) = people.and_then(|()| self.disk.sync(records)) {
                metrics::counter!("klaxon_journal_sync_failures_total").increment(1);
                tracing::error!(%show, %error, "could not sync the journal: a power cut would take what was written");
            }
        }
    }
}

impl FileWrite {
    fn new(file: Arc<ShowFile>) -> Result<Self, JournalError> {
        let before = file.tail()?;
        let bytes = if before.end == 0 { MAGIC.to_vec() } else { Vec::new() };
        let (ledger, apart, offsets) = (before.ledger.clone(), Vec::new(), Vec::new());
        Ok(Self { file, ledger, before, bytes, apart, offsets, records: 0 })
    }

    fn add(&mut self, number: u64, bytes: &[u8], apart: &[u8]) {
        self.offsets.push((number, self.before.end + self.bytes.len() as u64));
        self.bytes.extend_from_slice(bytes);
        self.apart.extend_from_slice(apart);
        self.records += 1;
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
