//! What stands apart from a show's journal: who took which seat, so that a person can be forgotten while the journal stays as it is.
//!
//! The journal names a person by the number of the record by which they took their seat. Who that is stands in a [`PersonRecord`](crate::register::PersonRecord) of the same
//! number and fence, in a file of its own. A person record whose journal record was never written means nothing, and one that
//! is missing means that the person is forgotten: the show replays to the same states either way.
//!
//! docs/journal.md has the bytes.

use std::fmt;

use crate::binary::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, impl_borrow_decode};
use crate::ids::{Name, PlayerId, Seat, ShowId};
use crate::origin::Origin;

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
