//! What can be said to a question of each kind: what is right, what is not, and what can't be said.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{
    AnswerKind, Asked, Choices, Kind, QuizQuestion, Stake, number_to_bits, order_to_bits, set_to_bits,
};
use klaxon_protocol::ids::ClaimKey;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

use super::typing::{blank, too_long, typed, word};

/// A question as a player sees it.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'q> {
    /// As it was sent.
    pub asked: &'q Asked,
    /// With what is right; none if the player joined a show that is not the swarm's.
    pub known: Option<&'q QuizQuestion>,
    /// The player's points.
    pub points: i64,
}

/// The place of each of these texts among the choices.
fn places<'t>(choices: &[String], texts: impl IntoIterator<Item = &'t String>) -> Vec<u8> {
    let place = |text| choices.iter().position(|choice| choice == text).and_then(|place| u8::try_from(place).ok());
    texts.into_iter().filter_map(place).collect()
}

/// The right choices, or the items in the right order.
fn right_texts(kind: &Kind) -> Vec<&String> {
    let choices = kind.choices();
    let at = |places: &[u8]| places.iter().filter_map(|&place| choices.get(usize::from(place))).collect();
    match kind {
        Kind::Choice(of) => at(&[of.right]),
        Kind::Choices(of) => at(&of.right),
        Kind::Fastest(of) => at(&of.right),
        Kind::Buzzer(of) => at(of.right.as_slice()),
        Kind::Order(of) => of.items.iter().collect(),
        _ => Vec::new(),
    }
}

fn bits(number: usize) -> ClaimValue {
    ClaimValue::Bits(number as u64)
}

impl Sight<'_> {
    /// How many keys the claims of a player have.
    pub const fn keys(&self) -> u16 {
        match self.asked.answer {
            AnswerKind::Words { each, .. } => each as u16,
            _ => 1,
        }
    }

    /// Whether it is about being first.
    pub const fn is_race(&self) -> bool {
        matches!(self.asked.answer, AnswerKind::Buzzer { .. } | AnswerKind::Fastest { .. })
    }

    fn choices(&self) -> &[String] {
        match &self.asked.answer {
            AnswerKind::Choice(Choices { choices })
            | AnswerKind::Choices(Choices { choices })
            | AnswerKind::Poll(Choices { choices })
            | AnswerKind::Majority(Choices { choices })
            | AnswerKind::Order { items: choices }
            | AnswerKind::Fastest { choices, .. }
            | AnswerKind::Buzzer { choices: Some(choices) } => choices,
            _ => &[],
        }
    }

    /// What is right, or nearly so; none if nothing is.
    pub fn right(&self, rng: &mut impl Rng) -> Option<ClaimValue> {
        let kind = &self.known?.kind;
        let places = places(self.choices(), right_texts(kind));
        match (&self.asked.answer, kind) {
            (AnswerKind::Order { .. } | AnswerKind::Fastest { order: true, .. }, _) => {
                Some(ClaimValue::Bits(order_to_bits(&places)))
            }
            (AnswerKind::Choices(_), _) => Some(ClaimValue::Bits(set_to_bits(&places))),
            (AnswerKind::Number { .. }, Kind::Number(number)) => {
                // Half of those who know it say it exactly; the others are off by little, and many say the same.
                let off = if rng.random_bool(0.5) { 0 } else { rng.random_range(-9..=9) * rng.random_range(1..=3) };
                let said = number.right.saturating_add(off).clamp(number.least, number.most);
                Some(ClaimValue::Bits(number_to_bits(said)))
            }
            (AnswerKind::Text { .. }, Kind::Text(text)) => {
                text.spellings.choose(rng).map(|spelling| typed(rng, spelling))
            }
            _ => places.first().map(|&place| ClaimValue::Bits(place.into())),
        }
    }

    /// Anything that can be said.
    pub fn any(&self, rng: &mut impl Rng) -> ClaimValue {
        let count = self.choices().len();
        match &self.asked.answer {
            AnswerKind::Choice(_)
            | AnswerKind::Poll(_)
            | AnswerKind::Majority(_)
            | AnswerKind::Buzzer { choices: Some(_) }
            | AnswerKind::Fastest { order: false, .. } => bits(rng.random_range(0..count.max(1))),
            AnswerKind::Choices(_) => bits(rng.random_range(1..(1_usize << count.min(16)).max(2))),
            AnswerKind::Order { .. } | AnswerKind::Fastest { order: true, .. } => {
                let mut items: Vec<u8> = (0..u8::try_from(count).unwrap_or(u8::MAX)).collect();
                items.shuffle(rng);
                ClaimValue::Bits(order_to_bits(&items))
            }
            AnswerKind::Number { least, most, .. } => {
                ClaimValue::Bits(number_to_bits(rng.random_range(*least..=(*most).max(*least))))
            }
            AnswerKind::Text { .. } | AnswerKind::Words { .. } => word(rng),
            AnswerKind::Wager { stake: Stake::DoubleOrQuit, .. } => bits(rng.random_range(0..2)),
            AnswerKind::Wager { stake: Stake::Points, most } => {
                let most = u64::try_from(self.points).unwrap_or(0).min((*most).into());
                ClaimValue::Bits(match rng.random_range(0..4) {
                    0 => most,
                    1 => 0,
                    _ => rng.random_range(0..=most),
                })
            }
            AnswerKind::Buzzer { choices: None } | AnswerKind::Slide { .. } => ClaimValue::Bits(0),
        }
    }

    /// What a client that is written wrongly says: out of range, in another form, under another key, or by another encoding,
    /// which can happen to be possible. Those who cheat also send blank texts, which are no claims.
    pub fn slip(&self, rng: &mut impl Rng, cheats: bool) -> (ClaimKey, ClaimValue) {
        let key = match rng.random_range(0..5) {
            0 => ClaimKey(self.keys() + rng.random_range(0..3)),
            _ => ClaimKey(0),
        };
        if rng.random_bool(0.2) {
            let other_form = match self.any(rng) {
                ClaimValue::Bits(_) => word(rng),
                ClaimValue::Text(_) => ClaimValue::Bits(rng.random_range(0..3)),
            };
            return (key, other_form);
        }
        let count = self.choices().len();
        let value = match &self.asked.answer {
            AnswerKind::Choice(_)
            | AnswerKind::Poll(_)
            | AnswerKind::Majority(_)
            | AnswerKind::Buzzer { .. }
            | AnswerKind::Fastest { order: false, .. } => match rng.random_range(0..3) {
                0 => bits(count.max(1)),
                1 => ClaimValue::Bits(u64::MAX),
                // As a set.
                _ => bits(1 << rng.random_range(0..count.max(1))),
            },
            AnswerKind::Choices(_) => match rng.random_range(0..3) {
                0 => ClaimValue::Bits(0),
                1 => bits(1 << count),
                // As the number of a choice.
                _ => bits(rng.random_range(0..count.max(1))),
            },
            AnswerKind::Order { .. } | AnswerKind::Fastest { .. } => {
                let mut items: Vec<u8> = (0..u8::try_from(count).unwrap_or(u8::MAX)).collect();
                match rng.random_range(0..3) {
                    // Blank.
                    0 => items.clear(),
                    // One twice.
                    1 => items.iter_mut().take(1).for_each(|item| *item = 1),
                    // One too many.
                    _ => items.push(1),
                }
                ClaimValue::Bits(order_to_bits(&items))
            }
            AnswerKind::Number { decimals, most, .. } => {
                let right = match self.known.map(|known| &known.kind) {
                    Some(Kind::Number(number)) => number.right,
                    _ => *most,
                };
                match rng.random_range(0..4) {
                    // Not zig-zag.
                    0 => ClaimValue::Bits(right.unsigned_abs()),
                    1 => ClaimValue::Bits(right.cast_unsigned()),
                    // Without the decimals, or in another unit.
                    2 => ClaimValue::Bits(number_to_bits(right / 10_i64.pow((*decimals).into()))),
                    _ => ClaimValue::Bits(number_to_bits(right.saturating_mul(1000))),
                }
            }
            AnswerKind::Text { .. } | AnswerKind::Words { .. } if cheats && rng.random_bool(0.5) => blank(),
            AnswerKind::Text { longest } | AnswerKind::Words { longest, .. } => too_long(*longest),
            AnswerKind::Wager { .. } => {
                // More than the player has, or may stake.
                let has = u64::try_from(self.points).unwrap_or(0);
                ClaimValue::Bits(has + rng.random_range(1..1_000))
            }
            AnswerKind::Slide { .. } => ClaimValue::Bits(0),
        };
        (key, value)
    }
}
