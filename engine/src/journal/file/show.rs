//! One show's file: its content, and the end of its whole records.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{FrameError, MAGIC, Record, Records, framed_length};

use super::super::{Cut, JournalError, Restored};
use super::people::{self, PeopleFile};

/// The offset of one record in this many is kept.
const RECORDS_PER_OFFSET: u64 = 16;
/// The first bytes of a record from which its length can be read.
const MAX_LENGTH_PREFIX: usize = 16;
/// How many offsets are kept: enough for a tail of 1000 records.
const MAX_OFFSETS: usize = 64;

/// One show's file. Only the writing thread writes to it; any thread may read up to its end.
#[derive(Debug)]
pub(super) struct ShowFile {
    pub(super) show: ShowId,
    pub(super) path: PathBuf,
    /// None until the file was read once.
    tail: Mutex<Option<Tail>>,
    /// What stands apart from its records.
    pub(super) people: PeopleFile,
}

/// What must be known about a file before appending to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    /// The offset of the end of its whole records, in bytes.
    pub(super) end: u64,
    pub(super) ledger: ShowLedger,
    /// Whether a failed write may have left bytes after `end`.
    pub(super) dirty: bool,
    offsets: OffsetIndex,
}

/// The record numbers that are written, and their fences.
#[derive(Debug, Clone, Default)]
pub(super) struct ShowLedger {
    next: u64,
    /// Each fence with the first record number under it; both increase.
    fences: Vec<(u64, Fence)>,
}

/// The offsets of some of the last records: (number, offset).
#[derive(Debug, Clone, Default)]
pub(super) struct OffsetIndex(VecDeque<(u64, u64)>);

impl ShowLedger {
    /// Adds a record. Returns false if it is written already.
    pub(super) fn take(&mut self, show: ShowId, number: u64, fence: Fence) -> Result<bool, JournalError> {
        let newest = self.fences.last().map_or(Fence(0), |&(_, fence)| fence);
        let runs = self.fences.partition_point(|&(first, _)| first <= number);
        if number < self.next
            && let Some(&(_, by)) = self.fences[..runs].last()
            && by == fence
        {
            return Ok(false);
        }
        if fence < newest {
            return Err(JournalError::Fenced { show, newest, found: fence });
        }
        match number.cmp(&self.next) {
            std::cmp::Ordering::Less => {
                let by = self.fences[..runs].last().map_or(Fence(0), |&(_, fence)| fence);
                Err(JournalError::Taken { show, number, by })
            }
            std::cmp::Ordering::Greater => Err(JournalError::Gap { show, expected: self.next, found: number }),
            std::cmp::Ordering::Equal => {
                if fence > newest || self.fences.is_empty() {
                    self.fences.push((number, fence));
                }
                self.next += 1;
                Ok(true)
            }
        }
    }
}

impl OffsetIndex {
    pub(super) fn add(&mut self, number: u64, offset: u64) {
        if number.is_multiple_of(RECORDS_PER_OFFSET) {
            if self.0.len() == MAX_OFFSETS {
                self.0.pop_front();
            }
            self.0.push_back((number, offset));
        }
    }

    /// An offset from which reading finds record `number`.
    fn offset_before(&self, number: u64) -> u64 {
        let behind = self.0.partition_point(|&(marked, _)| marked <= number);
        behind.checked_sub(1).map_or(MAGIC.len() as u64, |index| self.0[index].1)
    }
}

impl Tail {
    /// Updates this after a write: the file now ends at `end`.
    pub(super) fn advance(&mut self, end: u64, ledger: ShowLedger, offsets: impl IntoIterator<Item = (u64, u64)>) {
        self.end = end;
        self.ledger = ledger;
        self.dirty = false;
        for (number, offset) in offsets {
            self.offsets.add(number, offset);
        }
    }
}

impl ShowFile {
    pub(super) fn new(show: ShowId, path: PathBuf) -> Self {
        let people = PeopleFile::new(show, path.with_extension(people::EXTENSION));
        Self { show, path, tail: Mutex::new(None), people }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tail>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file's tail; reads the file if that has not been done.
    pub(super) fn tail(&self) -> Result<Tail, JournalError> {
        let mut known = self.lock();
        match &*known {
            Some(tail) => Ok(tail.clone()),
            None => {
                let (tail, _) = self.load()?;
                Ok(known.insert(tail).clone())
            }
        }
    }

    /// Updates the tail after the writing thread changed the file.
    pub(super) fn note(&self, change: impl FnOnce(&mut Tail)) {
        if let Some(tail) = &mut *self.lock() {
            change(tail);
        }
    }

    /// All records, with what stands apart from them; the first read of a file cuts off its torn end.
    pub(super) fn read(&self) -> Result<Restored, JournalError> {
        let mut restored = self.read_records()?;
        // Read later, so it has whatever these records had when they were written.
        if restored.records.iter().any(Record::has_apart) {
            let mut people = self.people.read()?;
            restored.records.iter_mut().for_each(|record| people.fill(record));
        }
        Ok(restored)
    }

    fn read_records(&self) -> Result<Restored, JournalError> {
        let end = {
            let mut known = self.lock();
            match &*known {
                Some(tail) => tail.end,
                None => {
                    let (tail, restored) = self.load()?;
                    *known = Some(tail);
                    return Ok(restored);
                }
            }
        };
        if end == 0 {
            return Ok(Restored { records: Vec::new(), cut: None });
        }
        let bytes = self.bytes(0, end).map_err(|error| self.failed("reading", &error))?;
        let (_, records, torn) = self.scan(&bytes)?;
        match torn {
            None => Ok(Restored { records, cut: None }),
            Some(offset) => Err(self.damaged(offset, "it was whole when it was written")),
        }
    }

    /// The first record, read from disk; nothing is cut off.
    pub(super) fn first(&self) -> Result<Option<Record>, JournalError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("reading", &error)),
        };
        match Records::new(&bytes).and_then(|mut records| records.next().transpose()) {
            Ok(first) => Ok(first.map(|(_, record)| record)),
            Err(FrameError::Torn { .. }) => Ok(None),
            Err(FrameError::Damaged { offset, problem }) => Err(self.damaged(offset as u64, problem)),
            Err(error @ FrameError::NotAJournal) => Err(self.damaged(0, &error.to_string())),
        }
    }

    /// The last records.
    pub(super) fn last(&self, last: usize) -> Result<Vec<Record>, JournalError> {
        let tail = self.tail()?;
        if tail.end == 0 || last == 0 {
            return Ok(Vec::new());
        }
        let first = tail.ledger.next.saturating_sub(last as u64);
        let start = tail.offsets.offset_before(first);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.bytes(start, tail.end).map_err(|error| self.failed("reading", &error))?);
        let damaged = |error: FrameError| match error {
            FrameError::NotAJournal => self.damaged(0, &error.to_string()),
            FrameError::Torn { offset } | FrameError::Damaged { offset, .. } => {
                self.damaged(start + (offset - MAGIC.len()) as u64, "it was whole when it was written")
            }
        };
        let mut records = Vec::new();
        for item in Records::new(&bytes).map_err(damaged)? {
            let (_, record) = item.map_err(damaged)?;
            if record.number >= first {
                records.push(record);
            }
        }
        Ok(records)
    }

    /// Framed records from `start` on, about `most` bytes but at least one record, and where they end.
    pub(super) fn part(&self, start: u64, most: usize) -> Result<(Vec<u8>, u64), JournalError> {
        let end = self.tail()?.end;
        let start = start.max(MAGIC.len() as u64);
        if start >= end {
            return Ok((Vec::new(), start));
        }
        let failed = |error| self.failed("reading", &error);
        let mut bytes = self.bytes(start, end.min(start + most.max(MAX_LENGTH_PREFIX) as u64)).map_err(failed)?;
        if let Some(first) = framed_length(&bytes)
            && first > bytes.len()
        {
            bytes = self.bytes(start, end.min(start + first as u64)).map_err(failed)?;
        }
        let mut whole = 0;
        while let Some(length) = framed_length(&bytes[whole..]).filter(|length| whole + length <= bytes.len()) {
            whole += length;
        }
        if whole == 0 {
            return Err(self.damaged(start, "no record begins here"));
        }
        bytes.truncate(whole);
        Ok((bytes, start + whole as u64))
    }

    /// Removes the file, and what stands apart from it.
    pub(super) fn remove(&self) -> Result<(), JournalError> {
        self.people.remove()?;
        let mut known = self.lock();
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("removing", &error)),
            _ => {
                *known = Some(Tail::default());
                Ok(())
            }
        }
    }

    /// Reads the whole file for the first time and cuts off an incomplete last record. A damaged file stays as it is.
    fn load(&self) -> Result<(Tail, Restored), JournalError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(self.failed("reading", &error)),
        };
        let (tail, records, torn) = self.scan(&bytes)?;
        let cut = torn.map(|offset| Cut { offset, bytes: bytes.len() as u64 - offset });
        if let Some(cut) = cut {
            self.cut(cut.offset).map_err(|error| self.failed("cutting the torn end of", &error))?;
            tracing::warn!(show = %self.show, offset = cut.offset, bytes = cut.bytes, "cut a torn end off the journal");
        }
        Ok((tail, Restored { records, cut }))
    }

    fn cut(&self, end: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(end)?;
        file.sync_all()
    }

    /// The records in a file's bytes, the resulting tail, and the offset of an incomplete last record.
    fn scan(&self, bytes: &[u8]) -> Result<(Tail, Vec<Record>, Option<u64>), JournalError> {
        let mut tail = Tail::default();
        let mut all = Vec::new();
        let mut records = match Records::new(bytes) {
            Ok(records) => records,
            Err(FrameError::Torn { offset }) => return Ok((tail, all, Some(offset as u64))),
            Err(error) => return Err(self.damaged(0, &error.to_string())),
        };
        while let Some(item) = records.next() {
            let (offset, record) = match item {
                Ok(read) => read,
                Err(FrameError::Torn { offset }) => {
                    tail.end = offset as u64;
                    return Ok((tail, all, Some(offset as u64)));
                }
                Err(FrameError::Damaged { offset, problem }) => return Err(self.damaged(offset as u64, problem)),
                Err(error @ FrameError::NotAJournal) => return Err(self.damaged(0, &error.to_string())),
            };
            let offset = offset as u64;
            if record.show != self.show {
                return Err(self.damaged(offset, &format!("a record of show {} stands here", record.show)));
            }
            match tail.ledger.take(record.show, record.number, record.fence) {
                Ok(true) => {}
                Ok(false) => return Err(self.damaged(offset, &format!("number {} stands here again", record.number))),
                Err(error) => return Err(self.damaged(offset, &error.to_string())),
            }
            tail.offsets.add(record.number, offset);
            tail.end = records.offset() as u64;
            all.push(record);
        }
        tail.end = records.offset() as u64;
        Ok((tail, all, None))
    }

    fn bytes(&self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        let length = end.checked_sub(start).expect("a part of a file begins before its end");
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        File::open(&self.path)?.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }

    fn damaged(&self, offset: u64, problem: &str) -> JournalError {
        let problem = format!("{problem} ({})", self.path.display());
        JournalError::Damaged { show: self.show, offset, problem }
    }

    pub(super) fn failed(&self, doing: &str, error: &io::Error) -> JournalError {
        JournalError::Unavailable(format!("{doing} {}: {error}", self.path.display()))
    }
}
