//! Who the players of a show are: the records that are kept apart from its journal, in a file of their own.

use std::collections::{HashMap, HashSet};

use crate::apart::{Apart, Person, PersonOrigin};
use crate::binary::{Decode, Encode};
use crate::ids::{Fence, PlayerId, ShowId};
use crate::journal::{Command, FrameError, Frames, InFrames, MAGIC, Record, RecordTooLarge, Sealed, frame_record};

/// What stands apart from one record of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct PersonRecord {
    /// Which show.
    pub show: ShowId,
    /// The number of the journal's record.
    pub number: u64,
    /// The fence of the journal's record.
    pub fence: Fence,
    /// What.
    pub data: PersonalData,
}

/// What is kept of a person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum PersonalData {
    /// Of [`Command::Sit`]: who sits there.
    Person(Person),
    /// Of [`Command::SeatHasOrigin`]: from where they come.
    Origin(PersonOrigin),
    /// Of [`Command::Sealed`]: one of the others, which can be read with the service's key only.
    Sealed(Sealed),
}

impl PersonalData {
    /// The player that the data belongs to; unknown while the data is sealed.
    #[must_use]
    pub const fn player(&self) -> Option<&PlayerId> {
        match self {
            Self::Person(person) => Some(&person.player),
            Self::Origin(origin) => Some(&origin.player),
            Self::Sealed(_) => None,
        }
    }
}

impl Command {
    /// Puts what stands apart from the command into its place, if it belongs to such a command.
    pub fn put_apart(&mut self, data: PersonalData) {
        match (self, data) {
            (Self::Sit { who, .. }, PersonalData::Person(known)) => *who = Apart::known(known),
            (Self::SeatHasOrigin { from, .. }, PersonalData::Origin(known)) => *from = Apart::known(known),
            (Self::Sealed { person, .. }, PersonalData::Sealed(known)) => *person = Apart::known(known),
            _ => {}
        }
    }
}

/// The first bytes of a file of person records: `KLXP` and the format's version.
pub const PEOPLE_MAGIC: [u8; 6] = *b"KLXP\x01\x00";

impl InFrames for PersonRecord {
    const MAGIC: [u8; 6] = PEOPLE_MAGIC;
}

/// Reads the bytes of a file of person records, which has the same frames as a journal.
pub type PersonRecords<'a> = Frames<'a, PersonRecord>;

impl Record {
    /// The person record that belongs to this record, if it has one and the person is known.
    #[must_use]
    pub fn apart(&self) -> Option<PersonRecord> {
        let data = match &self.command {
            Command::Sit { who, .. } => PersonalData::Person(who.get()?.clone()),
            Command::SeatHasOrigin { from, .. } => PersonalData::Origin(from.get()?.clone()),
            Command::Sealed { person, .. } => PersonalData::Sealed(person.get()?.clone()),
            _ => return None,
        };
        Some(PersonRecord { show: self.show, number: self.number, fence: self.fence, data })
    }

    /// Whether a person record may belong to this record, known or not. A sealed record always may.
    #[must_use]
    pub const fn has_apart(&self) -> bool {
        matches!(self.command, Command::Sit { .. } | Command::SeatHasOrigin { .. } | Command::Sealed { .. })
    }
}

/// The bytes of a journal's file, and of the file beside it with what stands apart from these records, as far as it is known.
///
/// # Errors
/// If a record is too large.
pub fn as_files(records: &[Record]) -> Result<(Vec<u8>, Vec<u8>), RecordTooLarge> {
    let (mut journal, mut people) = (MAGIC.to_vec(), PEOPLE_MAGIC.to_vec());
    for record in records {
        frame_record(record, &mut journal)?;
        if let Some(person) = record.apart() {
            frame_record(&person, &mut people)?;
        }
    }
    Ok((journal, people))
}

/// Who the persons of a show are, by the records that stand apart.
#[derive(Debug, Default)]
pub struct Register {
    /// By the number and the fence of the journal's record.
    people: HashMap<(u64, Fence), PersonalData>,
    forgotten: HashSet<(u64, Fence)>,
}

impl Register {
    /// Reads a file of person records. A record at its end that a crash left incomplete is skipped.
    ///
    /// # Errors
    /// [`FrameError::NotAJournal`], [`FrameError::Damaged`].
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut register = Self::default();
        let records = match PersonRecords::new(bytes) {
            Err(FrameError::Torn { .. }) => return Ok(register),
            records => records?,
        };
        for item in records {
            match item {
                Ok((_, record)) => register.add(record),
                Err(FrameError::Torn { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(register)
    }

    /// Adds a record, unless its person is forgotten; it replaces an earlier one with the same number and fence.
    pub fn add(&mut self, record: PersonRecord) {
        let key = (record.number, record.fence);
        if !self.forgotten.contains(&key) {
            self.people.insert(key, record.data);
        }
    }

    /// Fills in the person of this record, if it is known.
    pub fn fill(&mut self, record: &mut Record) {
        if !record.has_apart() {
            return;
        }
        if let Some(data) = self.people.remove(&(record.number, record.fence)) {
            record.command.put_apart(data);
        }
    }

    /// Takes out what stands apart from the record of this number and fence. It stays forgotten: no other record ever has this number and
    /// fence, so what is added for them later is the same person, sent again by a process that did not know.
    pub fn forget(&mut self, number: u64, fence: Fence) {
        self.people.remove(&(number, fence));
        self.forgotten.insert((number, fence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Name, Seat};
    use crate::journal::Records;
    use crate::time::Millis;

    fn sit(number: u64, fence: u64, who: &str) -> Record {
        let person = Person { player: PlayerId::parse(who).unwrap(), name: Name::parse(who).unwrap() };
        let command = Command::Sit { seat: Seat(0), guest: false, who: Apart::known(person) };
        let (show, fence) = (ShowId(7), Fence(fence));
        Record { show, number, fence, at: Millis(1), command, events: vec![], state: 1 }
    }

    fn who(record: &Record) -> Option<&str> {
        match &record.command {
            Command::Sit { who, .. } => who.get().map(|person| person.name.as_str()),
            _ => None,
        }
    }

    fn reread(record: &Record) -> Record {
        let mut bytes = MAGIC.to_vec();
        frame_record(record, &mut bytes).unwrap();
        assert!(!bytes.windows(3).any(|part| part == b"Ann" || part == b"Bob"));
        Records::new(&bytes).unwrap().next().unwrap().unwrap().1
    }

    #[test]
    fn a_record_has_no_byte_of_what_stands_apart_and_gets_it_back_from_the_register() {
        let record = sit(3, 1, "Ann");
        let mut back = reread(&record);
        assert_eq!((&back, who(&back)), (&record, None));
        assert!(!format!("{record:?}").contains("Ann"));
        let mut bytes = PEOPLE_MAGIC.to_vec();
        frame_record(&record.apart().unwrap(), &mut bytes).unwrap();
        for torn in [0, 1, 20] {
            let mut whole = bytes.clone();
            whole.extend_from_slice(&bytes[6..6 + torn]);
            Register::read(&whole).unwrap().fill(&mut back);
            assert_eq!(who(&back), Some("Ann"));
        }
    }

    #[test]
    fn a_person_whose_record_was_never_written_is_not_taken_for_another() {
        let mut register = Register::default();
        // The first engine lost the show before its journal record was written; the next engine wrote its own with that
        // number.
        for record in [sit(3, 1, "Bob"), sit(3, 2, "Ann"), sit(4, 1, "Bob")] {
            register.add(record.apart().unwrap());
        }
        let mut back = reread(&sit(3, 2, "Ann"));
        register.fill(&mut back);
        assert_eq!(who(&back), Some("Ann"));
        let mut other = reread(&sit(4, 2, "Ann"));
        register.fill(&mut other);
        assert_eq!(who(&other), None);
    }

    #[test]
    fn who_is_forgotten_stays_so_when_their_record_is_sent_again() {
        let (mut register, ann) = (Register::default(), sit(3, 1, "Ann"));
        for _ in 0..2 {
            register.add(ann.apart().unwrap());
            register.forget(3, Fence(1));
        }
        register.add(ann.apart().unwrap());
        register.add(sit(3, 2, "Bob").apart().unwrap());
        let (mut back, mut other) = (reread(&ann), reread(&sit(3, 2, "Bob")));
        register.fill(&mut back);
        register.fill(&mut other);
        assert_eq!((who(&back), who(&other)), (None, Some("Bob")));
    }

    #[test]
    fn damage_is_told_from_a_torn_end() {
        let mut bytes = PEOPLE_MAGIC.to_vec();
        for number in 0..3 {
            frame_record(&sit(number, 1, "Ann").apart().unwrap(), &mut bytes).unwrap();
        }
        bytes[20] ^= 1;
        assert!(matches!(Register::read(&bytes), Err(FrameError::Damaged { offset: 6, .. })));
        assert!(matches!(Register::read(&MAGIC), Err(FrameError::NotAJournal)));
        assert!(Register::read(&PEOPLE_MAGIC[..3]).is_ok());
    }
}
