//! The counted answers to one question: in arrays by seat, and typed texts beside them.

use std::collections::BTreeMap;

use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::ids::{ClaimKey, Seat};
use klaxon_protocol::time::Span;
use xxhash_rust::xxh3::xxh3_64;

use super::judge::cloud::Cloud;
use crate::round::SeatClaim;

/// In `bits`: the seat has no counted answer. No kind takes this value: numbers have 54 bits, and no order has the same item at all places.
const NONE: u64 = u64::MAX;

/// About what a typed answer takes beside its text.
const TEXT_BYTES: usize = 64;

/// An answer's part of the digest.
fn share(seat: Seat, bits: u64, elapsed: u32) -> u64 {
    let mut packed = [0; 16];
    packed[..4].copy_from_slice(&seat.0.to_le_bytes());
    packed[4..8].copy_from_slice(&elapsed.to_le_bytes());
    packed[8..].copy_from_slice(&bits.to_le_bytes());
    xxh3_64(&packed)
}

/// The counted answers to the last question.
#[derive(Default)]
pub struct SeatAnswers {
    /// What each seat claimed; for a typed answer, 1 if it is right, else 0.
    bits: Vec<u64>,
    /// The players' time that had passed, in ms.
    elapsed: Vec<u32>,
    /// How many seats have answered.
    count: u32,
    /// What was typed.
    pub texts: BTreeMap<(Seat, ClaimKey), ClaimText>,
    /// The same as a word cloud.
    pub cloud: Cloud,
    /// A sum of hashes over all answers, so that counting one does not rehash the others, and no order of arrival matters.
    digest: u64,
}

impl SeatAnswers {
    /// Forgets all answers, for the next question.
    pub fn clear(&mut self) {
        let Self { bits, elapsed, .. } = std::mem::take(self);
        // The arrays keep their memory.
        (self.bits, self.elapsed) = (bits, elapsed);
        self.bits.fill(NONE);
    }

    /// The answers, which are forgotten here.
    pub fn take(&mut self) -> Self {
        let seats = self.bits.len();
        // As many seats are likely to answer the next question.
        let next = Self { bits: vec![NONE; seats], elapsed: vec![0; seats], ..Self::default() };
        std::mem::replace(self, next)
    }

    /// How much memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        let texts = self.texts.values().map(|text| TEXT_BYTES + text.as_str().len()).sum::<usize>();
        12 * self.bits.len() + texts
    }

    /// Marks all typed answers again.
    pub fn mark_texts(&mut self, is_right: impl Fn(&str) -> bool) {
        for (&(seat, _), text) in &self.texts {
            let (bits, elapsed) = (&mut self.bits[seat.index()], self.elapsed[seat.index()]);
            self.digest = self.digest.wrapping_sub(share(seat, *bits, elapsed));
            *bits = is_right(text.as_str()).into();
            self.digest = self.digest.wrapping_add(share(seat, *bits, elapsed));
        }
    }

    /// The seat's answer.
    pub fn get(&self, seat: Seat) -> Option<u64> {
        self.bits.get(seat.index()).copied().filter(|&bits| bits != NONE)
    }

    /// When it was read: the players' time that had passed then.
    pub fn elapsed(&self, seat: Seat) -> Span {
        Span(self.elapsed.get(seat.index()).copied().unwrap_or(0))
    }

    /// How many seats have answered.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// All answers, by seat.
    pub fn iter(&self) -> impl Iterator<Item = (Seat, u64, Span)> {
        let all = (0..).map(Seat).zip(self.bits.iter().zip(&self.elapsed));
        all.filter(|(_, (bits, _))| **bits != NONE).map(|(seat, (&bits, &elapsed))| (seat, bits, Span(elapsed)))
    }

    /// Counts an answer.
    pub fn set(&mut self, seat: Seat, bits: u64, elapsed: Span) {
        if seat.index() >= self.bits.len() {
            self.bits.resize(seat.index() + 1, NONE);
            self.elapsed.resize(seat.index() + 1, 0);
        }
        self.count += u32::from(self.bits[seat.index()] == NONE);
        self.bits[seat.index()] = bits;
        self.elapsed[seat.index()] = elapsed.0;
        self.digest = self.digest.wrapping_add(share(seat, bits, elapsed.0));
    }

    /// Keeps what was typed, which `set` counts.
    pub fn set_text(&mut self, seat: Seat, key: ClaimKey, text: ClaimText) {
        let mut hashed = Vec::with_capacity(6 + text.as_str().len());
        hashed.extend_from_slice(&seat.0.to_le_bytes());
        hashed.extend_from_slice(&key.0.to_le_bytes());
        hashed.extend_from_slice(text.as_str().as_bytes());
        self.digest = self.digest.wrapping_add(xxh3_64(&hashed));
        self.texts.insert((seat, key), text);
    }

    /// The value that was claimed.
    pub fn value(&self, seat: Seat, key: ClaimKey) -> Option<ClaimValue> {
        match self.texts.get(&(seat, key)) {
            Some(text) => Some(ClaimValue::Text(text.clone())),
            // Where anything is typed, all answers are.
            None if key == ClaimKey(0) && self.texts.is_empty() => self.get(seat).map(ClaimValue::Bits),
            None => None,
        }
    }

    /// All claims.
    pub fn claims(&self) -> Vec<SeatClaim> {
        if self.texts.is_empty() {
            let claim = |(seat, bits, _)| SeatClaim { seat, key: ClaimKey(0), value: ClaimValue::Bits(bits) };
            return self.iter().map(claim).collect();
        }
        let typed = self.texts.iter();
        typed.map(|(&(seat, key), text)| SeatClaim { seat, key, value: ClaimValue::Text(text.clone()) }).collect()
    }

    /// A number that differs when the answers differ.
    pub const fn digest(&self) -> u64 {
        self.digest
    }
}
