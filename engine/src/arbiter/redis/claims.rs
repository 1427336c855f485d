//! Claims and outcomes, as the scripts read and write them.

use std::fmt::Write as _;

use ::redis::Value;
use klaxon_protocol::claim::{ClaimText, ClaimValue};

use crate::arbiter::{ClaimOutcome, Dense, Layout};
use crate::redis::scripts::{self, CLAIM_PAGES, Script};
use crate::round::{ClaimSpace, SEATS, SeatClaim};

/// Seats per Redis key of claims. Fewer would spread a large show over more keys, each of which costs a command. More
/// would let a single claim of a high seat make Redis allocate a larger string at once: at trivia's four bits per claim
/// a page is 512 KiB, which takes a third of a millisecond.
const PAGE: u32 = 1 << 20;
const _: () = assert!(SEATS.div_ceil(PAGE) == CLAIM_PAGES, "the scripts delete all pages of a round");
/// Claims that one script call judges at most: about a millisecond, in which Redis serves nothing else. Lua's stack
/// limits it to fewer than 2,000.
const MAX_BATCH: usize = 1_024;

/// Claims that are judged by one call of a script, by page.
#[derive(Debug)]
pub struct ScriptBatch {
    layout: Layout,
    pages: Vec<u32>,
    /// What the script gets behind the fence and the round.
    arguments: Vec<Vec<u8>>,
    /// For each claim that the script receives, its index in the caller's batch.
    order: Vec<usize>,
}

impl ScriptBatch {
    /// All claims. Without claims it is one empty batch, which makes the round known.
    pub fn of(space: ClaimSpace, claims: &[SeatClaim]) -> impl Iterator<Item = Self> {
        let layout = Layout::of(space);
        let none = claims.is_empty().then(|| Self::new(layout, &[]));
        none.into_iter().chain(claims.chunks(MAX_BATCH).map(move |claims| Self::new(layout, claims)))
    }

    fn new(layout: Layout, claims: &[SeatClaim]) -> Self {
        let page_of = |at: usize| claims[at].seat.0 / PAGE;
        let mut order: Vec<usize> = (0..claims.len()).collect();
        // Stable: claims of one seat stay in their order.
        order.sort_by_key(|&at| page_of(at));
        let mut arguments = match layout {
            Layout::Dense(Dense { bits, .. }) => {
                vec![format!("u{bits}").into_bytes(), (1u32 << (bits - 1)).to_string().into_bytes()]
            }
            Layout::Sparse => Vec::new(),
        };
        let mut pages = Vec::new();
        for page in order.chunk_by(|&one, &next| page_of(one) == page_of(next)) {
            pages.push(page_of(page[0]));
            let claims = page.iter().map(|&at| &claims[at]);
            match layout {
                Layout::Dense(dense) => arguments.push(dense_text(dense, claims)),
                Layout::Sparse => {
                    arguments.push(page.len().to_string().into_bytes());
                    arguments.extend(claims.flat_map(|claim| [field(claim), written(&claim.value)]));
                }
            }
        }
        Self { layout, pages, arguments, order }
    }

    /// The script that judges these claims.
    pub fn judge(&self) -> &'static Script {
        match self.layout {
            Layout::Dense(_) => &scripts::CLAIMS_JUDGE,
            Layout::Sparse => &scripts::CLAIMS_JUDGE_ANY,
        }
    }

    /// The script that restores these claims.
    pub fn restore(&self) -> &'static Script {
        match self.layout {
            Layout::Dense(_) => &scripts::CLAIMS_RESTORE,
            Layout::Sparse => &scripts::CLAIMS_RESTORE_ANY,
        }
    }

    /// The pages that have a claim.
    pub fn pages(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().copied()
    }

    /// What the script gets behind the fence and the round.
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        self.arguments.iter().map(|argument| &**argument)
    }

    /// The outcomes that the script returned, in the order of the claims; none if it returned something else.
    pub fn outcomes(&self, result: &Value) -> Option<Vec<ClaimOutcome>> {
        let mut outcomes = vec![ClaimOutcome::TooLate; self.order.len()];
        match (self.layout, result) {
            (Layout::Dense(_), Value::BulkString(bytes)) if bytes.is_empty() => outcomes.fill(ClaimOutcome::First),
            (Layout::Dense(_), Value::BulkString(bytes)) if bytes == b"x" => {}
            (Layout::Dense(_), Value::BulkString(bytes)) if bytes.len() == self.order.len() => {
                for (&at, &byte) in self.order.iter().zip(bytes) {
                    outcomes[at] = match byte {
                        b'+' => ClaimOutcome::First,
                        b'-' => ClaimOutcome::TooLate,
                        128.. => ClaimOutcome::Before(ClaimValue::Bits(u64::from(byte - 128))),
                        _ => return None,
                    };
                }
            }
            // The round is too old.
            (Layout::Sparse, Value::Array(items)) if items.is_empty() => {}
            (Layout::Sparse, Value::Array(items)) if items.len() == self.order.len() => {
                for (&at, item) in self.order.iter().zip(items) {
                    outcomes[at] = match item {
                        Value::Int(1) => ClaimOutcome::First,
                        Value::Int(0) => ClaimOutcome::TooLate,
                        Value::BulkString(bytes) => ClaimOutcome::Before(read(bytes)?),
                        _ => return None,
                    };
                }
            }
            _ => return None,
        }
        Some(outcomes)
    }
}

fn dense_text<'c>(dense: Dense, claims: impl Iterator<Item = &'c SeatClaim>) -> Vec<u8> {
    let mut text = String::with_capacity(claims.size_hint().0 * 12);
    for claim in claims {
        let first = claim.seat.0 / PAGE * PAGE;
        // A String takes all that is written.
        let _ = write!(text, "#{} {} ", dense.place(claim, first), dense.code(&claim.value));
    }
    text.into_bytes()
}

fn field(claim: &SeatClaim) -> Vec<u8> {
    format!("{}:{}", claim.seat, claim.key).into_bytes()
}

/// A value in a hash: `=` and a number, or `"` and a text.
fn written(value: &ClaimValue) -> Vec<u8> {
    match value {
        ClaimValue::Bits(bits) => format!("={bits}").into_bytes(),
        ClaimValue::Text(text) => [b"\"", text.as_str().as_bytes()].concat(),
    }
}

fn read(bytes: &[u8]) -> Option<ClaimValue> {
    let (kind, value) = bytes.split_first()?;
    let value = std::str::from_utf8(value).ok()?;
    match kind {
        b'=' => value.parse().ok().map(ClaimValue::Bits),
        b'"' => ClaimText::kept(value).ok().map(ClaimValue::Text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written_also_a_text_that_only_another_version_takes() {
        let texts = ["red", "=5", "\"", " ", "a\u{202e}b"].map(|text| ClaimValue::Text(ClaimText::kept(text).unwrap()));
        for value in texts.into_iter().chain([0, u64::MAX].map(ClaimValue::Bits)) {
            assert_eq!(read(&written(&value)), Some(value));
        }
        for bad in [&b""[..], b"5", b"=", b"=-1", b"\"", b"\"a\n", b"\"\xff"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
