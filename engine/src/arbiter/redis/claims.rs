//! Claims, as the scripts read them.

use std::fmt::Write as _;

use klaxon_protocol::ids::Choice;

use crate::arbiter::{Claim, ClaimOutcome, SEATS};
use crate::redis::scripts::CLAIM_PAGES;

/// Seats whose claims are one string. With fewer, the claims of a large show would be spread over more strings, and each costs a
/// command; with more, one claim of a far seat would make Redis find more memory at once (512 KiB, a third of a millisecond).
const PAGE: u32 = 1 << 20;
const _: () = assert!(SEATS.div_ceil(PAGE) == CLAIM_PAGES, "the scripts delete all pages of a question");
/// So many claims are judged at once, in a millisecond, while other shows wait. A script's stack takes fewer than 2,000.
const PIECE: usize = 1_024;

/// Claims that are judged at once, by page.
#[derive(Debug)]
pub struct Pieces {
    pages: Vec<(u32, String)>,
    /// Where the claims that the script hears stood in the batch.
    order: Vec<usize>,
}

impl Pieces {
    /// The batch in pieces; one without claims is one piece, for there is a question to make known.
    pub fn of(claims: &[Claim]) -> impl Iterator<Item = Self> {
        let none = claims.is_empty().then(|| Self::new(&[]));
        none.into_iter().chain(claims.chunks(PIECE).map(Self::new))
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

    /// Which pages are touched.
    pub fn pages(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().map(|(page, _)| *page)
    }

    /// What is claimed in each.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.pages.iter().map(|(_, text)| &**text)
    }

    /// What the script said, in the batch's order; none if that makes no sense.
    pub fn outcomes(&self, said: &str) -> Option<Vec<ClaimOutcome>> {
        match said {
            "" => return Some(vec![ClaimOutcome::First; self.order.len()]),
            "x" => return Some(vec![ClaimOutcome::TooLate; self.order.len()]),
            _ if said.len() != self.order.len() => return None,
            _ => {}
        }
        let mut outcomes = vec![ClaimOutcome::TooLate; self.order.len()];
        for (&at, said) in self.order.iter().zip(said.bytes()) {
            outcomes[at] = match said {
                b'+' => ClaimOutcome::First,
                b'-' => ClaimOutcome::TooLate,
                b'0'..=b'7' => ClaimOutcome::Before(Choice(said - b'0')),
                _ => return None,
            };
        }
        Some(outcomes)
    }
}
