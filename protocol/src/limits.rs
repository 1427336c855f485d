//! Limits of every show, whatever is played.

use std::ops::RangeInclusive;

use crate::time::Span;

/// How many players a show may have.
pub const SEATS: RangeInclusive<u32> = 1..=10_000_000;
/// How many it may have if its host does not say.
pub const USUAL_SEATS: u32 = 1_000_000;
/// How long gateways may be waited for at the close of a round.
pub const BARRIER: RangeInclusive<Span> = Span(10)..=Span(10_000);
/// How long they are if the host does not say.
pub const USUAL_BARRIER: Span = Span(500);
/// How many characters a title, a text of a pack, or a host's words to everybody may have.
pub const TEXT_LENGTH: RangeInclusive<usize> = 1..=500;
