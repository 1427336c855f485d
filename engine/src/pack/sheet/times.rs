//! Time limits.

use klaxon_protocol::time::Span;

use super::super::problem::excerpt;
use super::names::Unit;

/// A time limit; none if the cell is empty.
pub(super) fn read_time(cell: &str, unit: Unit) -> Result<Option<Span>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    let unknown = || {
        let (unit, most) = match unit {
            Unit::Milliseconds => ("milliseconds", "500 to 600000"),
            Unit::Seconds => ("seconds", "1 to 600"),
            Unit::Minutes => ("minutes", "1 to 10"),
        };
        format!("the time limit is a whole number of {unit}, {most}, not {}", excerpt(cell))
    };
    let lower = cell.to_lowercase();
    let parts: Vec<&str> = lower.split(':').collect();
    if parts.len() > 1 {
        let parts: Option<Vec<u64>> = parts.iter().map(|part| part.parse::<u32>().ok().map(u64::from)).collect();
        let seconds = match parts.as_deref() {
            Some(&[hours, minutes, seconds]) => hours * 3600 + minutes * 60 + seconds,
            Some(&[minutes, seconds]) => minutes * 60 + seconds,
            _ => return Err(unknown()),
        };
        return u32::try_from(seconds * 1000).map(|span| Some(Span(span))).map_err(|_| unknown());
    }
    let number =
        ["seconds", "secs", "sec", "s"].iter().find_map(|unit| lower.strip_suffix(unit)).unwrap_or(&lower).trim();
    let number: u32 = number.strip_suffix(".0").unwrap_or(number).parse().map_err(|_| unknown())?;
    let milliseconds = match unit {
        Unit::Milliseconds => 1,
        Unit::Seconds => 1000,
        Unit::Minutes => 60_000,
    };
    number.checked_mul(milliseconds).map(|span| Some(Span(span))).ok_or_else(unknown)
}
