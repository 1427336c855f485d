//! What stands apart from one show's records, in a file beside the journal's: `SHOW.klxp` holds [`PEOPLE_MAGIC`] and then person records,
//! framed as the journal's are.
//!
//! A person record is written before the record that it belongs to. If a crash parts the two, it belongs to no record, and is passed over;
//! an append that is made again writes it once more. So the file has as many records as people took seats and addresses were banned, and
//! a few more for each crash; some 60 bytes each with short ids and names, 230 at most. It grows by no join that gives no seat.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::FrameError;
use klaxon_protocol::register::{PEOPLE_MAGIC, PersonRecord, PersonRecords, Register};

use super::super::JournalError;

/// The end of the file's name.
pub(super) const EXTENSION: &str = "klxp";

/// The end of the name of a file that was damaged and is no longer read.
pub(super) const SET_ASIDE: &str = "klxp-damaged";

/// More bytes than any framed person record has.
const LARGEST_PERSON: usize = 4096;

/// The file. Only the writing thread writes to it.
#[derive(Debug)]
pub(super) struct PeopleFile {
    pub(super) show: ShowId,
    pub(super) path: PathBuf,
    /// Where its whole records end, in bytes; none if that has to be found out.
    end: Mutex<Option<u64>>,
}

impl PeopleFile {
    pub(super) const fn new(show: ShowId, path: PathBuf) -> Self {
        Self { show, path, end: Mutex::new(None) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the next record is written. The first call reads the whole file, and so does the first one after a write that
    /// failed; what such a write, or a crash, left half-written is cut off.
    pub(super) fn end(&self) -> Result<u64, JournalError> {
        let mut known = self.lock();
        if let Some(end) = *known {
            return Ok(end);
        }
        let bytes = self.bytes()?;
        let end = self.whole(&bytes)?;
        if end < bytes.len() as u64 {
            let file = OpenOptions::new().write(true).open(&self.path);
            let cut = file.and_then(|file: File| file.set_len(end).and_then(|()| file.sync_all()));
            cut.map_err(|error| self.failed("cutting the torn end of", &error))?;
            tracing::warn!(show = %self.show, offset = end, "cut a torn end off what stands apart from the journal");
        }
        *known = Some(end);
        Ok(end)
    }

    /// After a write: how many bytes were written, if all were.
    pub(super) fn note(&self, written: Option<usize>) {
        let mut known = self.lock();
        *known = known.zip(written).map(|(end, bytes)| end + bytes as u64);
    }

    /// Who is who in the show, as far as it is kept.
    pub(super) fn read(&self) -> Result<Register, JournalError> {
        Register::read(&self.bytes()?).map_err(|error| self.damaged(&error))
    }

    /// The whole file; nothing if there is none.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, JournalError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.failed("reading", &error)),
        }
    }

    /// Where the whole records in these bytes end.
    fn whole(&self, bytes: &[u8]) -> Result<u64, JournalError> {
        let torn = |error| match error {
            FrameError::Torn { offset } => Ok(offset as u64),
            error => Err(self.damaged(&error)),
        };
        let mut records = match PersonRecords::new(bytes) {
            Ok(records) => records,
            Err(error) => return torn(error),
        };
        for item in records.by_ref() {
            if let Err(error) = item {
                return torn(error);
            }
        }
        Ok(records.offset() as u64)
    }

    /// Person records from byte `start` on, each with its end: about `most` bytes of them. Empty if there are no more.
    pub(super) fn part(&self, start: u64, most: usize) -> Result<Vec<(PersonRecord, u64)>, JournalError> {
        let (start, end) = (start.max(PEOPLE_MAGIC.len() as u64), self.end()?);
        if start >= end {
            return Ok(Vec::new());
        }
        let length = usize::try_from(end - start).map_or(most, |left| left.min(most.max(LARGEST_PERSON)));
        let mut bytes = PEOPLE_MAGIC.to_vec();
        bytes.resize(PEOPLE_MAGIC.len() + length, 0);
        let file = File::open(&self.path);
        file.and_then(|file| file.read_exact_at(&mut bytes[PEOPLE_MAGIC.len()..], start))
            .map_err(|error| self.failed("reading", &error))?;
        let mut records = PersonRecords::new(&bytes).map_err(|error| self.damaged(&error))?;
        let mut part = Vec::new();
        while let Some(item) = records.next() {
            match item {
                Ok((_, record)) => part.push((record, start + (records.offset() - PEOPLE_MAGIC.len()) as u64)),
                Err(FrameError::Torn { .. }) => break,
                Err(error) => return Err(self.damaged(&error)),
            }
        }
        Ok(part)
    }

    /// Removes the file.
    pub(super) fn remove(&self) -> Result<(), JournalError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("removing", &error)),
            _ => {
                *self.lock() = None;
                Ok(())
            }
        }
    }

    /// Renames the file, which is damaged, and writes what stands before the damage to a new one.
    pub(super) fn set_aside(&self) -> Result<(), JournalError> {
        let aside = self.path.with_extension(SET_ASIDE);
        if aside.exists() {
            let problem = format!("{} was set aside before: move it away", aside.display());
            return Err(JournalError::Unavailable(problem));
        }
        let mut bytes = self.bytes()?;
        let whole = PersonRecords::new(&bytes).map_or(0, |mut records| {
            while let Some(Ok(_)) = records.next() {}
            records.offset()
        });
        bytes.truncate(whole);
        std::fs::rename(&self.path, &aside).map_err(|error| self.failed("setting aside", &error))?;
        *self.lock() = None;
        let mut file = OpenOptions::new();
        let file = file.write(true).create_new(true).mode(0o600).open(&self.path);
        file.and_then(|mut file| file.write_all(&bytes)).map_err(|error| self.failed("writing", &error))
    }

    /// The file was rewritten.
    pub(super) fn rewritten(&self) {
        *self.lock() = None;
    }

    pub(super) fn damaged(&self, error: &FrameError) -> JournalError {
        let offset = match error {
            FrameError::Torn { offset } | FrameError::Damaged { offset, .. } => *offset as u64,
            FrameError::NotAJournal => 0,
        };
        let problem = match error {
            FrameError::NotAJournal => "it does not begin with KLXP".to_owned(),
            error => error.to_string(),
        };
        JournalError::Damaged { show: self.show, offset, problem: format!("{problem} ({})", self.path.display()) }
    }

    pub(super) fn failed(&self, doing: &str, error: &io::Error) -> JournalError {
        JournalError::Unavailable(format!("{doing} {}: {error}", self.path.display()))
    }
}

/// Framed records as they are written at `begin`: behind the magic, if that is the file's start.
pub(super) fn from_the_start(begin: u64, framed: &[u8]) -> Vec<u8> {
    let magic: &[u8] = if begin == 0 { &PEOPLE_MAGIC } else { &[] };
    [magic, framed].concat()
}
