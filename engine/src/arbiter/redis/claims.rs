//! Claims and outcomes, as the scripts read and write them.

use std::fmt::Write as _;

use klaxon_protocol::ids::Choice;

use crate::arbiter::{Claim, ClaimOutcome, SEATS};
use crate::redis::scripts::CLAIM_PAGES;

/// Seats whose claims are one string. With fewer, the claims of a large show would be spread over more strings, and each costs a
/// command; with more, one claim of a far seat would make Redis find more memory at once (512 KiB, a third of a millisecond).
const PAGE: u32 = 1 << 20;
const _: () = assert!(SEATS.div_ceil(PAGE) == CLAIM_PAGES, "the scripts delete all pages of a question");
/// How many claims are judged by one call, in a millisecond, while other shows wait. A script's stack takes fewer than 2,000.
const MAX_BATCH: usize = 1_024;

/// Claims that are judged by one call of a script, by page.
#[derive(Debug)]
pub struct ScriptBatch {
    pages: Vec<(u32, String)>,
    /// The index in the arbiter's batch of each claim that the script gets.
    order: Vec<usize>,
}

impl ScriptBatch {
    /// All claims. Without claims it is one empty batch, which makes the question known.
    pub fn of(claims: &[Claim]) -> impl Iterator<Item = Self> {
        let none = claims.is_empty().then(|| Self::new(&[]));
        none.into_iter().chain(claims.chunks(MAX_BATCH).map(Self::new))
    }

    fn new(claims: &[Claim]) -> Self {
        let page_of = |at: usize| claims[at].seat.0 / PAGE;
        let mut order: Vec<usize> = (0..claims.len()).collect();
        // Stable: claims of one seat stay in their order.
        order.sort_by_key(|&at| page_of(at));
        let pages = order.chunk_by(|&one, &next| page_of(one) == page_of(next)).map(|page| {
            let mut text = String::with_capacity(page.len() * 12);
            for &at in page {
                let Claim { seat, choice } = claims[at];
                // A String takes all that is written.
                let _ = write!(text, "#{} {} ", seat.0 % PAGE, 8 + choice.0);
            }
            (page_of(page[0]), text)
        });
        Self { pages: pages.collect(), order }
    }

    /// The pages that have a claim.
    pub fn pages(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().map(|(page, _)| *page)
    }

    /// The claims of each page, as the script takes them.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.pages.iter().map(|(_, text)| &**text)
    }

    /// The outcomes that the script returned, in the order of the claims; none if it returned something else.
    pub fn outcomes(&self, result: &str) -> Option<Vec<ClaimOutcome>> {
        match result {
            "" => return Some(vec![ClaimOutcome::First; self.order.len()]),
            "x" => return Some(vec![ClaimOutcome::TooLate; self.order.len()]),
            _ if result.len() != self.order.len() => return None,
            _ => {}
        }
        let mut outcomes = vec![ClaimOutcome::TooLate; self.order.len()];
        for (&at, outcome) in self.order.iter().zip(result.bytes()) {
            outcomes[at] = match outcome {
                b'+' => ClaimOutcome::First,
                b'-' => ClaimOutcome::TooLate,
                b'0'..=b'7' => ClaimOutcome::Before(Choice(outcome - b'0')),
                _ => return None,
            };
        }
        Some(outcomes)
    }
}
