//! Data that is kept apart from a show's journal: who took which seat. A person can be forgotten by deleting it, while
//! the journal does not change.
//!
//! The journal identifies a person by the number of the record by which they took their seat. A
//! [`PersonRecord`](crate::register::PersonRecord) with the same number and fence, in a file of its own, contains who
//! it is. A person record without its journal record is ignored. A missing person record means that the person is
//! forgotten. The show replays to the same states in both cases.
//!
//! docs/journal.md has the bytes.

use std::fmt;

use crate::binary::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, impl_borrow_decode};
use crate::ids::{Name, PlayerId, Seat, ShowId};
use crate::origin::Origin;

/// A part of a journal's record that is kept apart from it: it takes no bytes in the journal. Two records are therefore
/// equal whether or not it is known, and it is never printed.
#[derive(Clone)]
pub struct Apart<T>(Option<T>);

impl<T> Apart<T> {
    /// A part that is known.
    pub const fn known(value: T) -> Self {
        Self(Some(value))
    }

    /// A part that is forgotten, or was not read.
    pub const fn unknown() -> Self {
        Self(None)
    }

    /// The value, if it is known.
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

/// The name that replaces a player's name: in the events of a journal whose names are kept apart, and everywhere once
/// the person is forgotten.
#[must_use]
pub fn unnamed(seat: Seat) -> Name {
    Name::of_nobody(seat.index() + 1)
}

/// The id that replaces a forgotten player's id where one is required. It is different for each seat of each show.
///
/// # Panics
/// Never: the id is short enough.
#[must_use]
pub fn forgotten(show: ShowId, seat: Seat) -> PlayerId {
    PlayerId::parse(&format!("forgotten-{show}-{seat}")).expect("two numbers are short enough")
}
