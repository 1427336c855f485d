//! Journals read for the archive: records in, batches out. No I/O.
//!
//! A journal comes in the order in which its bus kept it, which need not be the order in which it was written: a record may come
//! twice, early, or from an engine that had lost its lease. The reader plays each show again by the numbers and fences of its
//! records, and only what replays gets into a batch. A show that does not is set aside and stops no other.
//!
//! To begin again after a crash, the reader needs what the archive has of the shows that go on ([`ArchiveReader::assign`]): their
//! records are played again from the first, and of those whose content is written nothing is told again.
//!
//! A show that is sealed with a key that this reader does not have counts as one that goes on, so it is read from its first record by the
//! next start with the key.

#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Command, Record};

use super::sql::{ArchivedAnswer, JournalBatch, JournalState, Offset, Partition, Progress};
use crate::game::Games;
use crate::replay::Rebuilt;
use crate::seal::{RecordOpener, SealError, SealKeys};

/// How many records of a show may wait for one that is missing.
const MOST_EARLY: usize = 1024;

/// What became of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Played.
    pub played: u64,
    /// Dropped: read before, or of a show that is not read any more.
    pub duplicates: u64,
    /// Dropped: written by an engine that had lost the show.
    pub zombies: u64,
    /// Shows that were set aside.
    pub set_aside: u64,
}

/// Reads the journals in the partitions of one topic.
pub struct ArchiveReader {
    games: Games,
    keys: SealKeys,
    shows: HashMap<ShowId, ShowReading>,
    partitions: HashMap<Partition, Offset>,
    counts: Counts,
    told: UnsavedBatch,
}

/// A show whose journal is being read, or was.
struct ShowReading {
    progress: Progress,
    /// None before the first record, and when nothing is to come.
    show: Option<Rebuilt>,
    opener: RecordOpener,
    /// The key of its records is missing here.
    has_no_key: bool,
    /// Records that came before one that they follow, by number.
    early: BTreeMap<u64, Record>,
}

/// What is to be written, beside how far the shows of `shows` were read.
#[derive(Default)]
struct UnsavedBatch {
    batch: JournalBatch,
    shows: BTreeSet<ShowId>,
    partitions: BTreeSet<Partition>,
}

impl ArchiveReader {
    /// A reader of this topic that has no partition yet, and opens sealed records with these keys.
    #[must_use]
    pub fn new(topic: &str, games: Games, keys: SealKeys) -> Self {
        let batch = JournalBatch { topic: topic.to_owned(), ..JournalBatch::default() };
        Self {
            games,
            keys,
            shows: HashMap::new(),
            partitions: HashMap::new(),
            counts: Counts::default(),
            told: UnsavedBatch { batch, ..UnsavedBatch::default() },
        }
    }

    /// Takes a partition on: where the archive says it goes on, and its shows that go on. Returns where to read from; nothing
    /// before `earliest` can be read any more, so a show that began there is set aside.
    pub fn assign(
        &mut self,
        partition: Partition,
        goes_on: Option<Offset>,
        shows: impl IntoIterator<Item = Progress>,
        earliest: Offset,
    ) -> Offset {
        let next = goes_on.unwrap_or(earliest).max(earliest);
        self.partitions.insert(partition, next);
        let mut from = next;
        for progress in shows {
            self.remember(progress);
            if progress.first < earliest {
                self.set_aside(progress.show, "its first records are not kept any more");
            } else {
                from = from.min(progress.first);
            }
        }
        from
    }

    /// Gives a partition up, and all that is not in a batch that was taken out: another reader goes on from what is written.
    pub fn revoke(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
        self.told.partitions.remove(&partition);
        let shows = &mut self.shows;
        let batch = &mut self.told.batch;
        self.told.shows.retain(|show| shows.get(show).is_some_and(|reading| reading.progress.partition != partition));
        shows.retain(|_, reading| reading.progress.partition != partition);
        batch.answers.retain(|answer| shows.contains_key(&answer.show));
        batch.results.retain(|results| shows.contains_key(&results.summary.show));
    }

    /// Whether the show is known. One that is not may be in the archive: then [`Self::remember`] what it says.
    #[must_use]
    pub fn knows(&self, show: ShowId) -> bool {
        self.shows.contains_key(&show)
    }

    /// Goes on with a show as the archive has it.
    pub fn remember(&mut self, progress: Progress) {
        self.shows.insert(progress.show, ShowReading::of(progress));
    }

    /// Takes the next record of a partition.
    pub fn take(&mut self, partition: Partition, offset: Offset, record: Record) {
        let after = Offset(offset.0 + 1);
        let next = self.partitions.entry(partition).or_insert(after);
        if after > *next {
            *next = after;
        }
        self.told.partitions.insert(partition);
        let show = record.show;
        let reading = match self.shows.entry(show) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let state = JournalState::GoesOn;
                let progress = Progress { show, partition, first: offset, next: 0, fence: Fence(0), state };
                new.insert(ShowReading::of(progress))
            }
        };
        if reading.progress.state != JournalState::GoesOn {
            self.counts.duplicates += 1;
            return;
        }
        self.told.shows.insert(show);
        let told = &mut self.told.batch;
        if let Err(problem) = reading.take(&self.games, &self.keys, record, &mut self.counts, told) {
            self.set_aside(show, problem);
        }
    }

    /// How many answers and results the next batch has.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.told.batch.answers.len()
            + self.told.batch.results.iter().map(|results| results.players.len()).sum::<usize>()
    }

    /// All that was told since the last batch. It must be written before the next one is.
    pub fn batch(&mut self) -> JournalBatch {
        let topic = self.told.batch.topic.clone();
        let told = std::mem::take(&mut self.told);
        self.told.batch.topic = topic;
        let progress = told.shows.iter().filter_map(|show| self.shows.get(show)).map(|reading| reading.progress);
        let offsets =
            told.partitions.iter().filter_map(|&partition| Some((partition, *self.partitions.get(&partition)?)));
        JournalBatch { progress: progress.collect(), offsets: offsets.collect(), ..told.batch }
    }

    /// What became of the records so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Reads this show no further; what it told stays.
    pub fn set_aside(&mut self, show: ShowId, problem: impl Display) {
        let Some(reading) = self.shows.get_mut(&show) else { return };
        tracing::error!(%show, %problem, "the show's journal is set aside: its results are not in the archive");
        metrics::counter!("klaxon_archive_shows_set_aside_total").increment(1);
        self.counts.set_aside += 1;
        self.told.shows.insert(show);
        reading.end(JournalState::SetAside);
    }
}

impl ShowReading {
    fn of(progress: Progress) -> Self {
        Self { progress, show: None, opener: RecordOpener::default(), has_no_key: false, early: BTreeMap::new() }
    }

    /// Plays the record, and all that waited for it.
    ///
    /// # Errors
    /// Why the journal does not tell a show.
    fn take(
        &mut self,
        games: &Games,
        keys: &SealKeys,
        record: Record,
        counts: &mut Counts,
        batch: &mut JournalBatch,
    ) -> Result<(), String> {
        if self.has_no_key {
            return Ok(());
        }
        let wanted = self.wanted();
        if record.number < wanted {
            counts.duplicates += 1;
            return Ok(());
        }
        if record.number > wanted {
            return self.hold(record, counts);
        }
        self.open_and_play(games, keys, record, counts, batch)?;
        while let Some(record) = self.early.remove(&self.wanted()) {
            self.open_and_play(games, keys, record, counts, batch)?;
        }
        Ok(())
    }

    /// The number of the record that comes next.
    fn wanted(&self) -> u64 {
        self.show.as_ref().map_or(0, |show| show.records)
    }

    /// Keeps a record until those before it have come.
    fn hold(&mut self, record: Record, counts: &mut Counts) -> Result<(), String> {
        match self.early.get(&record.number) {
            // Of two engines' records the later lease's is true.
            Some(held) if held.fence > record.fence => counts.zombies += 1,
            Some(held) if held.fence == record.fence => counts.duplicates += 1,
            held => {
                counts.zombies += u64::from(held.is_some());
                self.early.insert(record.number, record);
            }
        }
        if self.early.len() > MOST_EARLY {
            return Err(format!("record {} is missing, and {MOST_EARLY} after it have come", self.wanted()));
        }
        Ok(())
    }

    fn open_and_play(
        &mut self,
        games: &Games,
        keys: &SealKeys,
        record: Record,
        counts: &mut Counts,
        batch: &mut JournalBatch,
    ) -> Result<(), String> {
        // Before it is opened: what an engine of before the key wrote too late is not sealed.
        if self.show.as_ref().is_some_and(|show| record.fence < show.fence) {
            counts.zombies += 1;
            return Ok(());
        }
        let show = record.show;
        match self.opener.open(keys, record) {
            Ok(record) => self.play(games, &record, counts, batch),
            Err(problem @ SealError::NoKey { .. }) => {
                tracing::error!(%show, %problem, "the show's journal can't be read: its results are not in the archive yet");
                metrics::counter!("klaxon_archive_shows_without_key_total").increment(1);
                self.has_no_key = true;
                self.show = None;
                self.early.clear();
                Ok(())
            }
            Err(problem) => Err(problem.to_string()),
        }
    }

    fn play(
        &mut self,
        games: &Games,
        record: &Record,
        counts: &mut Counts,
        batch: &mut JournalBatch,
    ) -> Result<(), String> {
        let show = match self.show.take() {
            None => Rebuilt::begin(games, record),
            Some(show) => show.step(record),
        };
        let show = show.map_err(|error| error.to_string())?;
        counts.played += 1;
        if record.number >= self.progress.next {
            self.progress.next = record.number + 1;
            self.progress.fence = record.fence;
            if let Command::Answers { question, answers } = &record.command {
                batch.answers.extend(answers.iter().map(|answer| ArchivedAnswer {
                    show: record.show,
                    question: *question,
                    seat: answer.seat,
                    choice: answer.choice,
                    read_at: answer.at,
                }));
            }
        }
        match show.game.results(record.show) {
            Some(results) => {
                batch.results.push(results);
                self.end(JournalState::Over);
            }
            None => self.show = Some(show),
        }
        Ok(())
    }

    /// Nothing more is read, so nothing of it need be remembered but that.
    fn end(&mut self, state: JournalState) {
        self.progress.state = state;
        self.show = None;
        self.early = BTreeMap::new();
    }
}
