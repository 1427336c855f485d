//! Forgetting a person: all that stands apart from the journals about them is taken out of its files, so that no byte of it is left there.
//!
//! A file is written anew beside itself, synced, and put into its own place; then what was there is overwritten with zeros. So a crash leaves
//! the old file or the new one. Whether the disk overwrites in the same place is its own affair: a disk that moves what is written, a
//! snapshot or a backup may keep the old bytes.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::journal::{Command, FrameError, Record, frame_record};
use klaxon_protocol::register::{PEOPLE_MAGIC, PersonRecords};

use super::super::JournalError;
use super::people::{self, PeopleFile};
use super::show::ShowFile;
use super::writer::sync_directory;
use super::{EXTENSION, FileJournal, ShowFiles, blocking};
use crate::seal::{SealError, SealKeys, open_records};

/// The end of the name of a file that is being written anew.
const REWRITTEN: &str = "klxp-new";
/// How much is overwritten at once.
const ZEROS: [u8; 4096] = [0; 4096];

/// What was forgotten of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The shows in which they were.
    pub shows: BTreeSet<ShowId>,
    /// How many records about them were taken out.
    pub records: usize,
    /// The shows whose journals themselves name them, as those of the first two editions of the rules do: they are as they were.
    pub named_in: BTreeSet<ShowId>,
    /// Files that can't be read, and so may name them.
    pub unread: Vec<String>,
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records of them taken out, of {}", self.records, listed_shows(&self.shows))
    }
}

/// These shows, in words.
#[must_use]
pub fn listed_shows<'s>(shows: impl IntoIterator<Item = &'s ShowId>) -> String {
    let shows: Vec<String> = shows.into_iter().map(ToString::to_string).collect();
    match &shows[..] {
        [] => "no show".to_owned(),
        [show] => format!("show {show}"),
        shows => format!("shows {}", shows.join(", ")),
    }
}

impl FileJournal {
    /// Takes a person out of what stands apart from the journals, of this show or of all, and closes the journal: whoever plays these shows
    /// must read them again. What is sealed is opened with these keys.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`]: it can be done again.
    pub async fn forget(
        self,
        player: &PlayerId,
        show: Option<ShowId>,
        keys: &SealKeys,
    ) -> Result<Forgotten, JournalError> {
        let (player, keys) = (player.clone(), keys.clone());
        blocking(move || {
            let shows = Arc::clone(&self.shows);
            // Its thread closes the files.
            drop(self);
            shows.forget(&player, show, &keys)
        })
        .await
    }
}

impl ShowFiles {
    fn forget(&self, player: &PlayerId, only: Option<ShowId>, keys: &SealKeys) -> Result<Forgotten, JournalError> {
        let failed = |error: io::Error| JournalError::Unavailable(format!("{}: {error}", self.directory.display()));
        let mut forgotten = Forgotten::default();
        for (show, kind) in self.kinds().map_err(failed)? {
            if only.is_some_and(|only| only != show) {
                continue;
            }
            let file = self.file(show);
            let done = match kind {
                Kind::Records => names(&file, player, keys).map(|names| {
                    if names {
                        forgotten.named_in.insert(show);
                    }
                }),
                Kind::People => file.people.forget(player, keys).map(|records| {
                    if records > 0 {
                        forgotten.records += records;
                        forgotten.shows.insert(show);
                    }
                }),
                Kind::SetAside => {
                    let aside = file.people.path.with_extension(people::SET_ASIDE);
                    forgotten.unread.push(format!("{}: it was set aside as damaged; delete it", aside.display()));
                    Ok(())
                }
                // Left by a crash in the middle of it.
                Kind::Rewritten => erase(&file.people.path.with_extension(REWRITTEN)).map_err(failed),
            };
            match done {
                Err(JournalError::Damaged { problem, .. } | JournalError::NoKey { problem, .. }) => {
                    forgotten.unread.push(problem)
                }
                done => done?,
            }
        }
        sync_directory(&self.directory).map_err(failed)?;
        Ok(forgotten)
    }

    /// The shows' files in the directory.
    fn kinds(&self) -> io::Result<BTreeSet<(ShowId, Kind)>> {
        let mut kinds = BTreeSet::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let Some((id, extension)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
            let kind = match extension {
                EXTENSION => Kind::Records,
                people::EXTENSION => Kind::People,
                REWRITTEN => Kind::Rewritten,
                people::SET_ASIDE => Kind::SetAside,
                _ => continue,
            };
            if let Ok(show) = id.parse() {
                kinds.insert((show, kind));
            }
        }
        Ok(kinds)
    }
}

/// What a file of a show holds, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Rewritten,
    SetAside,
    Records,
    People,
}

/// Whether the journal itself names the player.
fn names(file: &ShowFile, player: &PlayerId, keys: &SealKeys) -> Result<bool, JournalError> {
    let named = |record: &Record| match &record.command {
        Command::Join { player: named, .. } | Command::Reseat { player: named, .. } => named == player,
        _ => false,
    };
    let records = open_records(keys, file.read()?.records);
    let records = records.map_err(|(number, error)| unopened(file.show, &file.path, number, &error))?;
    Ok(records.iter().any(named))
}

fn unopened(show: ShowId, path: &Path, number: u64, error: &SealError) -> JournalError {
    JournalError::NoKey { show, number, problem: format!("{}, record {number}: {error}", path.display()) }
}

impl PeopleFile {
    /// Takes what is kept of the player out of the file. Returns how many records that were.
    fn forget(&self, player: &PlayerId, keys: &SealKeys) -> Result<usize, JournalError> {
        let bytes = self.bytes()?;
        let (mut kept, mut taken) = (PEOPLE_MAGIC.to_vec(), 0);
        let records = match PersonRecords::new(&bytes) {
            Err(FrameError::Torn { .. }) => return Ok(0),
            records => records.map_err(|error| self.damaged(&error))?,
        };
        let mut torn = false;
        for item in records {
            match item {
                Ok((_, record)) => {
                    let opened = keys.open_person(record.clone());
                    let opened = opened.map_err(|error| unopened(self.show, &self.path, record.number, &error))?;
                    if opened.data.player() == Some(player) {
                        taken += 1;
                    } else {
                        frame_record(&record, &mut kept)
                            .map_err(|error| JournalError::Unavailable(format!("{}: {error}", self.path.display())))?;
                    }
                }
                // It was acknowledged to nobody, and may be of anybody.
                Err(FrameError::Torn { .. }) => torn = true,
                Err(error) => return Err(self.damaged(&error)),
            }
        }
        if taken > 0 || torn {
            self.rewrite(&kept).map_err(|error| self.failed("rewriting", &error))?;
        }
        Ok(taken)
    }

    fn rewrite(&self, kept: &[u8]) -> io::Result<()> {
        let new = self.path.with_extension(REWRITTEN);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(kept)?;
        file.sync_all()?;
        let old = OpenOptions::new().write(true).open(&self.path)?;
        std::fs::rename(&new, &self.path)?;
        self.rewritten();
        if let Some(directory) = self.path.parent() {
            sync_directory(directory)?;
        }
        overwrite(&old)
    }
}

/// Overwrites a file with zeros, and removes it.
fn erase(path: &Path) -> io::Result<()> {
    overwrite(&OpenOptions::new().write(true).open(path)?)?;
    std::fs::remove_file(path)
}

fn overwrite(file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut at = 0;
    while at < length {
        let part = usize::try_from(length - at).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        file.write_all_at(&ZEROS[..part], at)?;
        at += part as u64;
    }
    file.sync_all()
}
