//! Journals read for the archive: records in, batches out. No I/O.
//!
//! A partition keeps records in the order in which they arrived, which need not be the order in which they were
//! written: a record may be a duplicate, early, or from an engine that had lost its lease. The reader replays each show
//! by the numbers and fences of its records, and only what replays correctly gets into a batch. A show that does not is
//! set aside; other shows are not affected.
//!
//! To restart after a crash, the reader needs the progress of the unfinished shows from the archive
//! ([`ArchiveReader::assign`]): their records are replayed from the first one, without repeating what is already
//! written.
//!
//! A show that is sealed with a key that this reader lacks stays unfinished in the archive, so the next start that has
//! the key reads it from its first record.

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

/// Early records of a show that are kept while an earlier one is missing. With more, the show is set aside.
const MOST_EARLY: usize = 1024;

/// Records by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Played.
    pub played: u64,
    /// Dropped: read before, or of a show that is not read any more.
    pub duplicates: u64,
    /// Dropped: written by an engine that had lost the show's lease.
    pub stale: u64,
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
    /// None before the first record, and when no more records are expected.
    show: Option<Rebuilt>,
    opener: RecordOpener,
    /// The key of its records is missing here.
    has_no_key: bool,
    /// Early records, whose predecessors are missing, by number.
    early: BTreeMap<u64, Record>,
}

/// What the next batch will contain. The progress to be written is that of the shows in `shows`.
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

    /// Begins to read a partition, with the archive's offset and unfinished shows. Returns the offset to read from.
    /// Records before `earliest` are no longer in Kafka, so a show that began before it is set aside.
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

    /// Stops reading a partition, and drops what is in no batch yet: the next reader continues from what is written.
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

    /// Whether the show is known. If not, the archive may have its progress: pass that to [`Self::remember`].
    #[must_use]
    pub fn knows(&self, show: ShowId) -> bool {
        self.shows.contains_key(&show)
    }

    /// Continues a show from its progress in the archive.
    pub fn remember(&mut self, progress: Progress) {
        self.shows.insert(progress.show, ShowReading::of(progress));
    }

    /// Whether something stands apart from this record that is not known, and the record is one that is still to be played.
    #[must_use]
    pub fn lacks_person(&self, record: &Record) -> bool {
        let is_wanted = self.shows.get(&record.show).is_none_or(|reading| {
            reading.progress.state == JournalState::GoesOn && !reading.has_no_key && record.number >= reading.wanted()
        });
        if !is_wanted || !record.has_apart() {
            return false;
        }
        let opened = RecordOpener::default().open(&self.keys, record.clone());
        opened.is_ok_and(|record| record.has_apart() && record.apart().is_none())
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

    /// Everything that was read since the last batch. It must be written before the next batch is.
    pub fn batch(&mut self) -> JournalBatch {
        let topic = self.told.batch.topic.clone();
        let told = std::mem::take(&mut self.told);
        self.told.batch.topic = topic;
        let progress = told.shows.iter().filter_map(|show| self.shows.get(show)).map(|reading| reading.progress);
        let offsets =
            told.partitions.iter().filter_map(|&partition| Some((partition, *self.partitions.get(&partition)?)));
        JournalBatch { progress: progress.collect(), offsets: offsets.collect(), ..told.batch }
    }

    /// How many records had each outcome so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Stops reading this show; what was read of it is kept.
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

    /// Replays the record, and the early records that follow it.
    ///
    /// # Errors
    /// Why the journal can't be replayed.
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

    /// The number of the next record to replay.
    fn wanted(&self) -> u64 {
        self.show.as_ref().map_or(0, |show| show.records)
    }

    /// Keeps an early record until its predecessors have arrived.
    fn hold(&mut self, record: Record, counts: &mut Counts) -> Result<(), String> {
        match self.early.get(&record.number) {
            // If two engines wrote this number, the record of the later lease is valid.
            Some(held) if held.fence > record.fence => counts.stale += 1,
            Some(held) if held.fence == record.fence => counts.duplicates += 1,
            held => {
                counts.stale += u64::from(held.is_some());
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
        // Checked before the record is opened: a late record of an engine that had no key yet is not sealed.
        if self.show.as_ref().is_some_and(|show| record.fence < show.fence) {
            counts.stale += 1;
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
