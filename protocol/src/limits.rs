//! Limits of every show, whatever the game.

use std::ops::RangeInclusive;

use crate::time::Span;

/// How many players a show may have.
pub const SEATS: RangeInclusive<u32> = 1..=10_000_000;
/// How many players a show may have by default.
pub const USUAL_SEATS: u32 = 1_000_000;
/// How long to wait for gateways at the close of a round.
pub const BARRIER: RangeInclusive<Span> = Span(10)..=Span(10_000);
/// How long to wait for gateways by default.
pub const USUAL_BARRIER: Span = Span(500);
/// The length of a title, a text in a pack, or a host's notice, in characters.
pub const TEXT_LENGTH: RangeInclusive<usize> = 1..=500;
