//! What stands apart from a show's journal: who took which seat, so that a person can be forgotten while the journal stays as it is.
//!
//! The journal names a person by the number of the record by which they took their seat. Who that is stands in a [`PersonRecord`] of the same
//! number and fence, in a file of its own. A person record whose journal record was never written means nothing, and one that
//! is missing means that the person is forgotten: the show replays to the same states either way.
//!
//! docs/journal.md has the bytes.

use std::collections::HashMap;
use std::fmt;

use crate::binary::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, impl_borrow_decode};
use crate::ids::{Fence, Name, PlayerId, Seat, ShowId};
use crate::journal::{Command, FrameError, Frames, InFrames, Record};
use crate::origin::Origin;
use crate::player::{Podium, ToPlayer};

/// A part of a journal's record that stands apart from it: it has no bytes there. So two records are equal whatever is known of it, and it
/// is never printed.
#[derive(Clone)]
pub struct Apart<T>(Option<T>);

impl<T> Apart<T> {
    /// It is known.
    pub const fn known(value: T) -> Self {
        Self(Some(value))
    }

    /// It is forgotten, or was not read.
    pub const fn unknown() -> Self {
        Self(None)
    }

    /// It, if it is known.
    pub const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> fmt::Debug for Apart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Apart")
    }
}

impl<T> PartialEq for Apart<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Apart<T> {}

impl<T> Encode for Apart<T> {
    fn encode<E: Encoder>(&self, _: &mut E) -> Result<(), EncodeError> {
        Ok(())
    }
}

impl<T, Context> Decode<Context> for Apart<T> {
    fn decode<D: Decoder<Context = Context>>(_: &mut D) -> Result<Self, DecodeError> {
        Ok(Self::unknown())
    }
}

impl_borrow_decode!(Apart<T>, T);

#[cfg(test)]
impl<T: fmt::Debug + 'static> proptest::arbitrary::Arbitrary for Apart<T> {
    type Parameters = ();
    type Strategy = proptest::strategy::LazyJust<Self, fn() -> Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        proptest::strategy::LazyJust::new(Self::unknown as fn() -> Self)
    }
}

/// Who takes a seat.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Person {
    /// Who: a guest, or the `sub` of an operator's token.
    pub player: PlayerId,
    /// What they are called, already unlike all others.
    pub name: Name,
}

/// From where the player of a seat comes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct PersonOrigin {
    /// Who sits there.
    pub player: PlayerId,
    /// From where they come.
    pub origin: Origin,
}

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
}

impl PersonalData {
    /// Whom it is about.
    #[must_use]
    pub const fn player(&self) -> &PlayerId {
        match self {
            Self::Person(person) => &person.player,
            Self::Origin(origin) => &origin.player,
        }
    }
}

/// The first bytes of a file of person records: `KLXP` and the format's version.
pub const PEOPLE_MAGIC: [u8; 6] = *b"KLXP\x01\x00";

impl InFrames for PersonRecord {
    const MAGIC: [u8; 6] = PEOPLE_MAGIC;
}

/// Reads the bytes of a file of person records, which stand in frames as a journal's records do.
pub type PersonRecords<'a> = Frames<'a, PersonRecord>;

impl Record {
    /// What stands apart from this record, if anything does and is known.
    #[must_use]
    pub fn apart(&self) -> Option<PersonRecord> {
        let data = match &self.command {
            Command::Sit { who, .. } => PersonalData::Person(who.get()?.clone()),
            Command::SeatHasOrigin { from, .. } => PersonalData::Origin(from.get()?.clone()),
            _ => return None,
        };
        Some(PersonRecord { show: self.show, number: self.number, fence: self.fence, data })
    }

    /// Whether anything stands apart from this record, known or not.
    #[must_use]
    pub const fn has_apart(&self) -> bool {
        matches!(self.command, Command::Sit { .. } | Command::SeatHasOrigin { .. })
    }
}

/// Who the persons of a show are, by the records that stand apart.
#[derive(Debug, Default)]
pub struct Register(HashMap<(u64, Fence), PersonalData>);

impl Register {
    /// The register in the bytes of such a file. What a crash left half-written at its end is passed over.
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

    /// Adds a record; one of the same number and fence that came before is replaced.
    pub fn add(&mut self, record: PersonRecord) {
        self.0.insert((record.number, record.fence), record.data);
    }

    /// Puts what stands apart from this record, if it is known, into its place.
    pub fn fill(&mut self, record: &mut Record) {
        if !record.has_apart() {
            return;
        }
        match (&mut record.command, self.0.remove(&(record.number, record.fence))) {
            (Command::Sit { who, .. }, Some(PersonalData::Person(person))) => *who = Apart::known(person),
            (Command::SeatHasOrigin { from, .. }, Some(PersonalData::Origin(origin))) => *from = Apart::known(origin),
            _ => {}
        }
    }
}

/// What the player of a seat is called where nobody is named: in the events of a journal whose names stand apart, and everywhere once
/// the person is forgotten.
#[must_use]
pub fn unnamed(seat: Seat) -> Name {
    Name::of_nobody(seat.index() + 1)
}

/// The id of a player who is forgotten, where one has to be. No other seat of any show has it.
///
/// # Panics
/// Never: it is short enough.
#[must_use]
pub fn forgotten(show: ShowId, seat: Seat) -> PlayerId {
    PlayerId::parse(&format!("forgotten-{show}-{seat}")).expect("two numbers are short enough")
}

/// The event as a journal has it whose names stand apart.
#[must_use]
pub fn without_names(mut event: ToPlayer) -> ToPlayer {
    match &mut event {
        ToPlayer::Standings(standings) => {
            standings.leaders.iter_mut().for_each(|leader| leader.name = unnamed(leader.seat));
        }
        ToPlayer::Podium(podium) => podium.take_names(),
        _ => {}
    }
    event
}

impl Podium {
    /// The podium as a journal has it whose names stand apart.
    #[must_use]
    pub fn without_names(mut self) -> Self {
        self.take_names();
        self
    }

    fn take_names(&mut self) {
        self.places.iter_mut().for_each(|place| place.name = unnamed(place.seat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{MAGIC, Records, frame_record};
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
        // One engine lost the show before its record was written, and the next one wrote its own of that number.
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
