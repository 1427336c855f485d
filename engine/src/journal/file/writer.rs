//! The journal's one writing thread: all appends that wait become one write and one sync a file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::MAGIC;
use tokio::sync::oneshot;

use super::super::JournalError;
use super::show::{Ledger, ShowFile, Tail};
use super::{Shows, SyncPolicy};

/// No append joins a group that has this many bytes.
const GROUP_BYTES: usize = 16 << 20;
/// How many files are kept open.
const OPEN_FILES: usize = 64;

/// What the writer does to files; tests put a failing disk here.
pub(super) trait Disk: Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`, or fails with some of them written.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when the file's content is kept.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Cuts the file at `end`.
    fn cut(&self, file: &File, end: u64) -> io::Result<()>;
}

/// The real one.
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

/// What the writing thread is asked to do.
pub(super) enum Order {
    Append(Append),
    Remove(Remove),
}

/// A show's file is to go.
pub(super) struct Remove {
    pub(super) show: ShowId,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
}

/// One append: its records, framed already.
pub(super) struct Append {
    pub(super) records: Vec<Framed>,
    pub(super) bytes: Vec<u8>,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
}

/// One record of an append.
pub(super) struct Framed {
    pub(super) show: ShowId,
    pub(super) number: u64,
    pub(super) fence: Fence,
    /// Where it is in the append's bytes.
    pub(super) bytes: Range<usize>,
}

/// What a group writes to one show's file.
struct Plan {
    file: Arc<ShowFile>,
    /// The file before the group.
    before: Tail,
    ledger: Ledger,
    bytes: Vec<u8>,
    marks: Vec<(u64, u64)>,
    records: u32,
}

pub(super) struct Writer {
    shows: Arc<Shows>,
    disk: Arc<dyn Disk>,
    policy: SyncPolicy,
    open: HashMap<ShowId, File>,
    unsynced: HashSet<ShowId>,
    sync_due: Option<Instant>,
}

impl Writer {
    pub(super) fn new(shows: Arc<Shows>, disk: Arc<dyn Disk>, policy: SyncPolicy) -> Self {
        Self { shows, disk, policy, open: HashMap::new(), unsynced: HashSet::new(), sync_due: None }
    }

    /// Works until nobody can append any more.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        let mut left = None;
        loop {
            let first = match (left.take(), self.sync_due) {
                (Some(left), _) => Ok(left),
                (None, None) => orders.recv().map_err(RecvTimeoutError::from),
                (None, Some(due)) => orders.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match first {
                Ok(Order::Append(first)) => left = self.write_group(first, orders),
                Ok(Order::Remove(Remove { show, done })) => drop(done.send(self.remove(show))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.sync_due.is_some_and(|due| due <= Instant::now()) {
                self.sync_written();
            }
        }
        self.sync_written();
    }

    /// Writes what waits, up to the next order that is no append, which is left.
    fn write_group(&mut self, first: Append, orders: &Receiver<Order>) -> Option<Order> {
        let mut left = None;
        let mut plans = BTreeMap::new();
        let mut accepted = Vec::new();
        let mut size = 0;
        let mut next = Some(first);
        while let Some(append) = next {
            size += append.bytes.len();
            match self.plan(&mut plans, &append) {
                Ok(()) => accepted.push(append),
                Err(error) => drop(append.done.send(Err(error))),
            }
            next = match if size < GROUP_BYTES { orders.try_recv().ok() } else { None } {
                Some(Order::Append(append)) => Some(append),
                other => {
                    left = other;
                    None
                }
            };
        }
        metrics::histogram!("klaxon_journal_group_records")
            .record(plans.values().map(|plan| f64::from(plan.records)).sum::<f64>());
        let failed: HashMap<ShowId, JournalError> =
            plans.into_iter().filter_map(|(show, plan)| Some((show, self.write(plan).err()?))).collect();
        for append in accepted {
            let failure = append.records.iter().find_map(|record| failed.get(&record.show));
            // Whoever dropped the append does not want to know.
            drop(append.done.send(failure.map_or(Ok(()), |error| Err(error.clone()))));
        }
        left
    }

    fn remove(&mut self, show: ShowId) -> Result<(), JournalError> {
        self.open.remove(&show);
        self.unsynced.remove(&show);
        self.shows.file(show).remove()
    }

    /// Adds an append to the group's plans, or none of it.
    fn plan(&self, plans: &mut BTreeMap<ShowId, Plan>, append: &Append) -> Result<(), JournalError> {
        let mut ledgers: BTreeMap<ShowId, Ledger> = BTreeMap::new();
        let mut new = Vec::with_capacity(append.records.len());
        for record in &append.records {
            let ledger = match ledgers.entry(record.show) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(unknown) => {
                    let plan = match plans.entry(record.show) {
                        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::btree_map::Entry::Vacant(unknown) => {
                            unknown.insert(Plan::new(self.shows.file(record.show))?)
                        }
                    };
                    unknown.insert(plan.ledger.clone())
                }
            };
            new.push(ledger.take(record.show, record.number, record.fence)?);
        }
        for (show, ledger) in ledgers {
            if let Some(plan) = plans.get_mut(&show) {
                plan.ledger = ledger;
            }
        }
        for (record, _) in append.records.iter().zip(new).filter(|&(_, new)| new) {
            if let Some(plan) = plans.get_mut(&record.show) {
                plan.add(record.number, &append.bytes[record.bytes.clone()]);
            }
        }
        Ok(())
    }

    /// Writes a plan and, if that is the policy, syncs. What failed is cut off again, so that the file ends with a whole record.
    fn write(&mut self, plan: Plan) -> Result<(), JournalError> {
        if plan.records == 0 {
            return Ok(());
        }
        let show = plan.file.show;
        self.open(&plan.file).map_err(|error| plan.file.failed("opening", &error))?;
        let file = &self.open[&show];
        let end = plan.before.end;
        let clean = if plan.before.dirty { self.disk.cut(file, end) } else { Ok(()) };
        let written = clean.and_then(|()| self.disk.write(file, &plan.bytes, end)).and_then(|()| match self.policy {
            SyncPolicy::Always => self.disk.sync(file).and_then(|()| self.sync_directory(end)),
            SyncPolicy::Interval(_) => self.sync_directory(end),
            SyncPolicy::Never => Ok(()),
        });
        match written {
            Ok(()) => {
                metrics::counter!("klaxon_journal_bytes_total").increment(plan.bytes.len() as u64);
                let after = end + plan.bytes.len() as u64;
                plan.file.note(|tail| tail.advance(after, plan.ledger, plan.marks));
                if let SyncPolicy::Interval(span) = self.policy {
                    self.unsynced.insert(show);
                    self.sync_due.get_or_insert_with(|| Instant::now() + span.to_std());
                }
                Ok(())
            }
            Err(error) => {
                metrics::counter!("klaxon_journal_write_failures_total").increment(1);
                let dirty = self.disk.cut(file, end).is_err();
                plan.file.note(|tail| tail.dirty = dirty);
                tracing::error!(%show, %error, "could not write to the journal");
                Err(plan.file.failed("writing", &error))
            }
        }
    }

    fn open(&mut self, file: &ShowFile) -> io::Result<()> {
        if self.open.contains_key(&file.show) {
            return Ok(());
        }
        if self.open.len() >= OPEN_FILES {
            self.sync_written();
            self.open.clear();
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file.path)?;
        self.open.insert(file.show, opened);
        Ok(())
    }

    /// Keeps a new file's name, as its content.
    fn sync_directory(&self, end: u64) -> io::Result<()> {
        if end == 0 { sync_directory(&self.shows.directory) } else { Ok(()) }
    }

    fn sync_written(&mut self) {
        self.sync_due = None;
        for show in self.unsynced.drain() {
            if let Some(file) = self.open.get(&show)
                && let Err(error) = self.disk.sync(file)
            {
                metrics::counter!("klaxon_journal_sync_failures_total").increment(1);
                tracing::error!(%show, %error, "could not sync the journal: a power cut would take what was written");
            }
        }
    }
}

impl Plan {
    fn new(file: Arc<ShowFile>) -> Result<Self, JournalError> {
        let before = file.tail()?;
        let bytes = if before.end == 0 { MAGIC.to_vec() } else { Vec::new() };
        Ok(Self { file, ledger: before.ledger.clone(), before, bytes, marks: Vec::new(), records: 0 })
    }

    fn add(&mut self, number: u64, bytes: &[u8]) {
        self.marks.push((number, self.before.end + self.bytes.len() as u64));
        self.bytes.extend_from_slice(bytes);
        self.records += 1;
    }
}

pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
