//! Ranges of times that several parts of a setup have.

use std::ops::RangeInclusive;

use crate::time::Span;

/// How long a round can be open.
pub const OPEN_FOR: RangeInclusive<Span> = Span(500)..=LONGEST_STEP;
/// The longest step of the script.
pub const LONGEST_STEP: Span = Span(3_600_000);

/// What is wrong with a time, if it is out of its range.
#[must_use]
pub fn out_of_range(name: &str, allowed: RangeInclusive<Span>, time: Span) -> Option<String> {
    let (least, most) = (allowed.start().0, allowed.end().0);
    (!allowed.contains(&time)).then(|| format!("{name}: {least} to {most} (milliseconds), not {}", time.0))
}
