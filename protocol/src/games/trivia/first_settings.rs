//! The settings as they stand in bytes without names: in bincode's `create`, and in journals whose first command is `Create` or `Begin`.

use super::settings::{Autopilot, Mode, NobodyLeft, PrizeRule, Settings};
use crate::binary::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, impl_borrow_decode};
use crate::time::Span;

/// The settings that there were before settings stood under names. Neither this nor what is in it ever changes: nothing in the bytes
/// tells how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct FirstSettings {
    /// Elimination, points, or both.
    pub mode: Mode,
    /// Extra lives that each player starts with, 0 to 99; they count in elimination only.
    pub lives: u8,
    /// How long a question is open, unless the pack says otherwise: 500 ms to 10 min.
    pub open_for: Span,
    /// From the moment a question is sent until it opens, so that it is on every phone by then: 0 to 60 s.
    pub lead: Span,
    /// The longest wait at a close for gateways that have not handed in what they read in time: 10 ms to 10 s.
    pub barrier: Span,
    /// Mix each question's choices (by the show's recorded seed).
    pub shuffle: bool,
    /// What is won, in minor units of `currency` (cents), 0 to 2^53 - 1.
    pub pot: u64,
    /// ISO 4217 code of the pot, three capital letters.
    pub currency: String,
    /// Who wins how much of the pot. In mode `points` the default is a podium with the weights 50, 30 and 20.
    pub prize: PrizeRule,
    /// What happens to the pot when an elimination leaves nobody.
    pub nobody_left: NobodyLeft,
    /// The show's timed script, used while the autopilot is on.
    pub autopilot: Autopilot,
    /// How many players may have a seat, 1 to 10 million.
    pub seats: u32,
}

impl From<FirstSettings> for Settings {
    fn from(first: FirstSettings) -> Self {
        let FirstSettings { mode, lives, open_for, lead, barrier, shuffle, .. } = first;
        let FirstSettings { pot, currency, prize, nobody_left, autopilot, seats, .. } = first;
        Self {
            mode,
            lives,
            open_for,
            lead,
            barrier,
            shuffle,
            pot,
            currency,
            prize,
            nobody_left,
            autopilot,
            seats,
            ..Self::default()
        }
    }
}

impl Settings {
    /// These settings without names; none if one that came later is not at its default.
    #[must_use]
    pub fn first(&self) -> Option<FirstSettings> {
        let Self { mode, lives, open_for, lead, barrier, shuffle, pot, nobody_left, seats, .. } = *self;
        let (currency, prize, autopilot) = (self.currency.clone(), self.prize.clone(), self.autopilot.clone());
        let first = FirstSettings {
            mode,
            lives,
            open_for,
            lead,
            barrier,
            shuffle,
            pot,
            currency,
            prize,
            nobody_left,
            autopilot,
            seats,
        };
        (Self::from(first.clone()) == *self).then_some(first)
    }
}

impl Encode for Settings {
    /// # Errors
    /// If a later setting is not at its default: nothing is left out unsaid.
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let none =
            "bincode's `create` has the first settings only: FromHost::encodable says the others by `create_game`";
        self.first().ok_or(EncodeError::Other(none))?.encode(encoder)
    }
}

impl<Context> Decode<Context> for Settings {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        FirstSettings::decode(decoder).map(Self::from)
    }
}
impl_borrow_decode!(Settings);

#[cfg(test)]
impl proptest::arbitrary::Arbitrary for Settings {
    type Parameters = ();
    type Strategy = proptest::strategy::BoxedStrategy<Self>;

    /// Settings that both codecs have.
    fn arbitrary_with((): ()) -> Self::Strategy {
        use proptest::strategy::Strategy as _;
        proptest::arbitrary::any::<FirstSettings>().prop_map(Self::from).boxed()
    }
}
