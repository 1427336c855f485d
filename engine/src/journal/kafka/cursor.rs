//! How far one show is uploaded from the spool to Kafka.

use std::collections::HashSet;

use klaxon_protocol::ids::Fence;
use tokio::time::Instant;

use super::ShowProgress;
use super::producer::{SentPerson, SentRecord};

/// A position in a show's file in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpoolPosition {
    /// The number of the next record.
    pub(super) next: u64,
    /// The offset of that record in the file, in bytes.
    pub(super) at: u64,
    /// The fence of the record before it.
    pub(super) fence: Fence,
}

impl SpoolPosition {
    /// The start of a file.
    pub(super) const START: Self = Self { next: 0, at: 0, fence: Fence(0) };
}

/// How far what stands apart from a show's records is uploaded. A record goes to Kafka after its person was acknowledged, so all that was
/// written when a part of the journal's file was read is sent and awaited before that part is.
#[derive(Debug)]
pub(super) struct PeopleCursor {
    /// The offset in the file at which sending goes on, in bytes.
    pub(super) next: u64,
    /// The offset up to which Kafka has all of it.
    pub(super) acknowledged: u64,
    /// Of the journal's records before this offset in their file ...
    covered: u64,
    /// ... the persons stand before this offset in theirs.
    until: u64,
}

impl PeopleCursor {
    /// Kafka has all before this offset.
    pub(super) const fn at(offset: u64) -> Self {
        Self { next: offset, acknowledged: offset, covered: 0, until: 0 }
    }

    /// The persons of all records before this offset in their file are sent.
    pub(super) const fn cover(&mut self, records: u64) {
        self.covered = records;
        self.until = self.next;
    }

    /// Whether the persons of the records up to here are sent.
    pub(super) const fn covers(&self, records: u64) -> bool {
        records <= self.covered
    }

    /// Whether persons are to be acknowledged before more records are sent.
    pub(super) const fn is_awaited(&self) -> bool {
        self.acknowledged < self.until
    }
}

/// The state of one show's upload.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The generation of the file, see `spool::SpoolPart`, for which the positions are valid.
    pub(super) generation: u64,
    /// How often records were sent again. Deliveries of an earlier attempt are ignored.
    pub(super) attempt: u64,
    /// The position of the next record to send.
    pub(super) next: SpoolPosition,
    /// The position up to which Kafka has all records.
    pub(super) acknowledged: SpoolPosition,
    /// The progress that was last reported to Redis, as a number of records.
    pub(super) reported: Option<u64>,
    /// Whether the show is over.
    pub(super) over: bool,
    /// Whether the file may have more records.
    pub(super) more: bool,
    /// What stands apart from the show's records.
    pub(super) people: PeopleCursor,
    /// The numbers and fences of the records whose persons were forgotten before they were sent from here; none until that was looked up.
    pub(super) forgotten: Option<HashSet<(u64, Fence)>>,
    /// How often the files could not be repaired since something was last sent from them.
    pub(super) failed_repairs: u32,
    /// Nothing is sent before this time.
    pub(super) paused_until: Option<Instant>,
}

impl Cursor {
    pub(super) const fn at(generation: u64, position: SpoolPosition, reported: Option<u64>, over: bool) -> Self {
        Self {
            generation,
            attempt: 0,
            next: position,
            acknowledged: position,
            reported,
            over,
            more: true,
            people: PeopleCursor::at(0),
            forgotten: None,
            failed_repairs: 0,
            paused_until: None,
        }
    }

    /// Restarts at the first record that Kafka did not acknowledge.
    pub(super) const fn resend(&mut self) {
        self.attempt += 1;
        self.next = self.acknowledged;
        self.people = PeopleCursor::at(self.people.acknowledged);
        self.more = true;
    }

    /// Processes Kafka's acknowledgement of a record.
    pub(super) const fn acknowledge(&mut self, sent: &SentRecord) {
        if sent.attempt == self.attempt && sent.number == self.acknowledged.next {
            self.acknowledged = SpoolPosition { next: sent.number + 1, at: sent.end, fence: sent.fence };
        }
    }

    /// Processes Kafka's acknowledgement of a person record.
    pub(super) const fn acknowledge_person(&mut self, sent: &SentPerson) {
        if sent.attempt == self.attempt && sent.start == self.people.acknowledged {
            self.people.acknowledged = sent.end;
        }
    }

    pub(super) const fn progress(&self) -> ShowProgress {
        ShowProgress { next: self.acknowledged.next, fence: self.acknowledged.fence }
    }

    /// Whether the progress has not been reported to Redis yet.
    pub(super) fn has_to_report(&self) -> bool {
        self.acknowledged.next > 0 && self.reported != Some(self.acknowledged.next)
    }

    /// Whether Kafka has everything in the file, and Redis has the progress.
    pub(super) fn is_done(&self) -> bool {
        !self.more && self.next.next == self.acknowledged.next && !self.has_to_report()
    }

    pub(super) fn may_send(&self, now: Instant) -> bool {
        self.more && !self.people.is_awaited() && self.paused_until.is_none_or(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::ShowId;

    use super::*;

    fn sent(number: u64, attempt: u64) -> SentRecord {
        SentRecord { show: ShowId(1), number, fence: Fence(1), end: (number + 1) * 10, bytes: 10, attempt }
    }

    #[test]
    fn only_the_next_record_of_the_newest_attempt_is_progress() {
        let mut cursor = Cursor::at(0, SpoolPosition::START, None, false);
        cursor.acknowledge(&sent(1, 0));
        assert_eq!(cursor.progress().next, 0, "record 0 is not acknowledged yet");
        cursor.acknowledge(&sent(0, 0));
        assert_eq!((cursor.progress().next, cursor.has_to_report()), (1, true));
        cursor.next = SpoolPosition { next: 3, at: 30, fence: Fence(1) };
        cursor.resend();
        assert_eq!(cursor.next, SpoolPosition { next: 1, at: 10, fence: Fence(1) });
        cursor.acknowledge(&sent(1, 0));
        assert_eq!(cursor.progress().next, 1, "that attempt is given up");
        cursor.acknowledge(&sent(1, 1));
        assert_eq!(cursor.progress().next, 2);
    }

    #[test]
    fn records_wait_for_their_persons_and_in_a_new_attempt_again() {
        let mut cursor = Cursor::at(0, SpoolPosition::START, None, false);
        let person =
            |attempt, start| SentPerson { show: ShowId(1), number: 1, start, end: start + 5, bytes: 5, attempt };
        cursor.people.next = 10;
        cursor.people.cover(30);
        assert!(cursor.people.covers(30) && !cursor.people.covers(31) && !cursor.may_send(Instant::now()));
        cursor.acknowledge_person(&person(0, 5));
        cursor.acknowledge_person(&person(0, 0));
        assert!(!cursor.may_send(Instant::now()), "the second one was not acknowledged in its turn");
        cursor.resend();
        assert!(cursor.may_send(Instant::now()) && !cursor.people.covers(30) && cursor.people.next == 5);
        cursor.people.next = 10;
        cursor.people.cover(30);
        cursor.acknowledge_person(&person(0, 5));
        assert!(!cursor.may_send(Instant::now()), "that attempt is given up");
        cursor.acknowledge_person(&person(1, 5));
        assert!(cursor.may_send(Instant::now()));
    }

    #[test]
    fn it_is_done_when_all_is_acknowledged_and_reported() {
        let mut cursor = Cursor::at(0, SpoolPosition { next: 2, at: 20, fence: Fence(1) }, Some(2), false);
        assert!(!cursor.is_done(), "there may be more in the file");
        cursor.more = false;
        assert!(cursor.is_done());
        cursor.reported = None;
        assert!(!cursor.is_done());
    }
}
