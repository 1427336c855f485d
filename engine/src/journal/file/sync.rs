//! When the file journal syncs to disk.

use std::fmt;
use std::str::FromStr;

use klaxon_protocol::ids::BadText;
use klaxon_protocol::time::Span;

/// Allowed syncing intervals: 1 ms to 60 s.
const INTERVAL: std::ops::RangeInclusive<Span> = Span(1)..=Span(60_000);

/// When the file journal syncs to disk.
///
/// With every policy, the end of the process, even by `kill -9`, loses nothing for which an append returned: the
/// operating system has it. The policies differ in what a power cut or a crash of the operating system can lose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before each append returns (`fdatasync`, one for all waiting appends): a power cut loses nothing for which an
    /// append returned, provided that the disk honours the sync. The default.
    #[default]
    Always,
    /// At most this long after a write, 1 ms to 60 s: a power cut can lose the acknowledged answers of that time, and a
    /// little more if the disk is slow. A sync that fails is logged and counted, but delays no append.
    Interval(Span),
    /// When the operating system decides, perhaps half a minute later: a power cut can lose that much.
    Never,
}

impl fmt::Display for SyncPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Interval(span) => write!(f, "interval:{}ms", span.0),
            Self::Never => f.write_str("never"),
        }
    }
}

impl FromStr for SyncPolicy {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let interval = |text: &str| {
            let span = Span(text.strip_suffix("ms").unwrap_or(text).trim_end().parse().ok()?);
            INTERVAL.contains(&span).then_some(Self::Interval(span))
        };
        match text {
            "always" => Some(Self::Always),
            "never" => Some(Self::Never),
            _ => text.strip_prefix("interval:").and_then(interval),
        }
        .ok_or_else(|| BadText {
            what: "sync policy",
            problem: format!("must be always, never or interval:1ms to interval:60000ms, not {text:?}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        for policy in
            [SyncPolicy::Always, SyncPolicy::Interval(Span(1)), SyncPolicy::Interval(Span(60_000)), SyncPolicy::Never]
        {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("interval:100".parse(), Ok(SyncPolicy::Interval(Span(100))));
    }

    #[test]
    fn a_wrong_policy_is_told_what_is_allowed() {
        for wrong in
            ["", "Always", "interval", "interval:", "interval:0", "interval:60001", "interval:1s", "interval:-5"]
        {
            let told = wrong.parse::<SyncPolicy>().unwrap_err().to_string();
            assert!(told.contains("always, never or interval:") && told.contains(&format!("{wrong:?}")), "{told}");
        }
    }
}
