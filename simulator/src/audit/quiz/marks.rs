//! What each answer is: right, right in part, or wrong; and who is paid by place.

use std::collections::BTreeMap;

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{By, Kind, NumberScore, SeveralRight, Tie, item_at, number_of_bits};
use klaxon_protocol::ids::{ClaimKey, Seat};

use super::question::QuestionBook;
use super::spelling::{SpellingRules, is_accepted};

/// A seat's counted answer to a question.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerBook {
    /// By key: what was claimed.
    pub values: BTreeMap<ClaimKey, ClaimValue>,
    /// The players' time that had passed at the first of them, in ms.
    pub elapsed: u64,
}

/// All counted answers.
pub(super) type AnswersBySeat = BTreeMap<Seat, AnswerBook>;

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Silent,
    Wrong,
    /// So many ten-thousandths of it are right.
    Part(u32),
    Right,
    /// It is right, and paid by this place, from 1.
    Place(usize),
}

impl Mark {
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::Place(_))
    }

    /// This part of the whole, in ten-thousandths rounded down.
    fn share(part: u64, whole: u64) -> Self {
        match u32::try_from(u128::from(part) * 10_000 / u128::from(whole.max(1))) {
            Ok(0) => Self::Wrong,
            Ok(share) if share < 10_000 => Self::Part(share),
            _ => Self::Right,
        }
    }

    const fn right_if(right: bool) -> Self {
        if right { Self::Right } else { Self::Wrong }
    }
}

/// The marks of all who play.
#[derive(Debug, Clone, Default)]
pub(super) struct MarkBook {
    pub marks: BTreeMap<Seat, Mark>,
    /// Those who are paid by place, best first.
    pub winners: Vec<Seat>,
    /// The most frequent choices, if these are right.
    pub frequent: Option<Vec<u8>>,
}

impl MarkBook {
    /// The marks of these seats' answers. `counts` are all counted answers by choice.
    pub fn of(asked: &QuestionBook, answers: &AnswersBySeat, counts: &[u32], playing: &[Seat]) -> Self {
        let frequent = if let Kind::Majority(of) = &asked.question.kind { Some(most(counts, of.tie)) } else { None };
        let mut best: Vec<(u64, u64, Seat)> = Vec::new();
        let mut marks = BTreeMap::new();
        for &seat in playing {
            let answer = answers.get(&seat);
            let Some((answer, value)) = answer.and_then(|answer| Some((answer, answer.values.get(&ClaimKey(0))?)))
            else {
                marks.insert(seat, Mark::Silent);
                continue;
            };
            let mark = match &frequent {
                Some(frequent) => {
                    let is_frequent = |bits: &u64| frequent.iter().any(|&choice| u64::from(choice) == *bits);
                    Mark::right_if(matches!(value, ClaimValue::Bits(bits) if is_frequent(bits)))
                }
                None => mark(asked, value),
            };
            match (&asked.question.kind, value) {
                (Kind::Fastest(_), _) if mark == Mark::Right => best.push((0, answer.elapsed, seat)),
                (Kind::Number(number), ClaimValue::Bits(bits))
                    if matches!(number.score, NumberScore::Nearest { .. }) =>
                {
                    best.push((number.right.abs_diff(number_of_bits(*bits)), answer.elapsed, seat));
                }
                _ => {}
            }
            marks.insert(seat, mark);
        }
        best.sort_unstable();
        let paid = asked.question.kind.places().map_or(0, <[u32]>::len);
        let winners: Vec<Seat> = best.into_iter().take(paid).map(|(_, _, seat)| seat).collect();
        for (place, &seat) in (1..).zip(&winners) {
            marks.insert(seat, Mark::Place(place));
        }
        Self { marks, winners, frequent }
    }

    pub fn any_right(&self) -> bool {
        self.marks.values().any(|mark| mark.is_right())
    }
}

/// What an answer is by itself.
fn mark(asked: &QuestionBook, value: &ClaimValue) -> Mark {
    let bits = match value {
        ClaimValue::Bits(bits) => *bits,
        ClaimValue::Text(text) => {
            let Kind::Text(of) = &asked.question.kind else { return Mark::Wrong };
            let alike = SpellingRules { case: !of.case, marks: !of.marks };
            return Mark::right_if(is_accepted(text.as_str(), &of.spellings, alike, of.typos));
        }
    };
    match &asked.question.kind {
        Kind::Choice(of) => Mark::right_if(asked.choice_at(bits) == Some(of.right)),
        Kind::Choices(of) => several(asked, of, bits),
        Kind::Number(of) => {
            let off = of.right.abs_diff(number_of_bits(bits));
            match of.score {
                NumberScore::Within { off: allowed } => Mark::right_if(off <= allowed),
                NumberScore::Curve { .. } if off == 0 => Mark::Right,
                NumberScore::Curve { zero } => {
                    let left = u128::from(zero.saturating_sub(off));
                    Mark::share(u64::try_from(left * 50 / u128::from(zero.max(1))).unwrap_or(0), 50)
                }
                // Only who has a place is right.
                NumberScore::Nearest { .. } => Mark::Wrong,
            }
        }
        Kind::Order(of) => {
            let said = |place: usize| item_at(bits, u32::try_from(place).unwrap_or(u32::MAX));
            let item_said = |place: usize| asked.places.get(usize::from(said(place))).copied();
            let right = (0..of.items.len()).filter(|&place| item_said(place).map(usize::from) == Some(place)).count();
            match of.by {
                By::All => Mark::right_if(right == of.items.len()),
                By::Share => Mark::share(right as u64, of.items.len() as u64),
            }
        }
        Kind::Fastest(of) if of.right.len() > 1 => {
            let said = |place: u32| asked.places.get(usize::from(item_at(bits, place))).copied();
            Mark::right_if((0..).zip(&of.right).all(|(place, &right)| said(place) == Some(right)))
        }
        Kind::Fastest(of) => Mark::right_if(asked.choice_at(bits) == of.right.first().copied()),
        Kind::Buzzer(of) => Mark::right_if(of.right.is_some() && asked.choice_at(bits) == of.right),
        Kind::Text(_) | Kind::Poll(_) | Kind::Words(_) | Kind::Majority(_) | Kind::Wager(_) | Kind::Slide(_) => {
            Mark::Wrong
        }
    }
}

/// Whether this buzz with a choice is right.
pub(super) fn is_right_buzz(asked: &QuestionBook, answer: Option<&AnswerBook>) -> bool {
    let value = answer.and_then(|answer| answer.values.get(&ClaimKey(0)));
    value.is_some_and(|value| mark(asked, value) == Mark::Right)
}

/// Several choices: all the right ones and no other, or by weights.
fn several(asked: &QuestionBook, of: &SeveralRight, bits: u64) -> Mark {
    let chosen = (0..64).filter(|place| bits >> place & 1 == 1).filter_map(|place| asked.choice_at(place));
    let chosen: Vec<u8> = chosen.collect();
    let is_right = |choice: &u8| of.right.contains(choice);
    if of.by == By::All {
        return Mark::right_if(chosen.iter().all(is_right) && chosen.len() == of.right.len());
    }
    let weight = |choice: u8| match &of.weights {
        Some(weights) => weights.get(usize::from(choice)).copied().unwrap_or_default().into(),
        None if is_right(&choice) => 1,
        None => -1,
    };
    let sum: i64 = chosen.iter().map(|&choice| weight(choice)).sum();
    let all = (0..).take(of.choices.len()).map(weight).filter(|&weight| weight > 0);
    let mark = Mark::share(u64::try_from(sum).unwrap_or(0), all.sum::<i64>().unsigned_abs());
    // A wrong choice that costs nothing does not make an answer right.
    if mark == Mark::Right && chosen.iter().any(|&choice| weight(choice) <= 0) { Mark::Part(9_999) } else { mark }
}

/// The most frequent choices, if there are answers.
fn most(counts: &[u32], tie: Tie) -> Vec<u8> {
    let Some(&highest) = counts.iter().max().filter(|&&highest| highest > 0) else { return Vec::new() };
    let first: Vec<u8> = (0..).zip(counts).filter(|&(_, &count)| count == highest).map(|(choice, _)| choice).collect();
    if tie == Tie::None && first.len() > 1 { Vec::new() } else { first }
}
