//! The mark of each seat's answer to a question that is being revealed.

use klaxon_protocol::games::quiz::number_of_bits;
use klaxon_protocol::ids::Seat;

use super::answers::SeatAnswers;
use super::judge::{Mark, Share, choices, majority, number, order, race};
use super::sheet::Rule;
use crate::game::rundown::Teams;

/// What is right among the answers of all.
pub struct Marks<'q> {
    /// Each of them makes an answer right.
    rules: &'q [Rule],
    /// The most frequent choices, if these are right, as bits.
    frequent: u64,
    /// Those who are paid by place, best first.
    best: Vec<Seat>,
    /// The same by seat, each with its place from 1.
    placed: Vec<(Seat, u32)>,
}

impl<'q> Marks<'q> {
    /// Of these answers, of the seats that play; `places` is how many are paid by place, with teams one of each.
    pub fn new(
        rules: &'q [Rule],
        answers: &SeatAnswers,
        counts: &[u32],
        places: usize,
        teams: Option<&Teams>,
        plays: impl Fn(Seat) -> bool,
    ) -> Self {
        let playing = answers.iter().filter(|(seat, _, _)| plays(*seat));
        let nearest = rules.iter().filter_map(|rule| if let Rule::Nearest(right) = rule { Some(*right) } else { None });
        let races = rules.iter().filter_map(|rule| if let Rule::Race(right) = rule { Some(*right) } else { None });
        let (nearest, races): (Vec<i64>, Vec<u64>) = (nearest.collect(), races.collect());
        let best = match rules {
            [Rule::Nearest(_), ..] => {
                let said = playing.map(|(seat, bits, elapsed)| (seat, number_of_bits(bits), elapsed));
                number::nearest(&nearest, places, teams, said)
            }
            [Rule::Race(_), ..] => race::first(&races, places, teams, playing),
            _ => Vec::new(),
        };
        let frequent = if let [Rule::Majority(tie), ..] = rules { majority::right(counts, *tie) } else { 0 };
        let mut placed: Vec<(Seat, u32)> = best.iter().copied().zip(1..).collect();
        placed.sort_unstable();
        Self { rules, frequent, best, placed }
    }

    /// The mark of this seat, with this answer.
    pub fn of(&self, seat: Seat, answer: Option<u64>) -> Mark {
        let Some(bits) = answer else { return Mark::Silent };
        if let Some(place) = self.place(seat) {
            return Mark::Placed(place);
        }
        Mark::of(self.rules.iter().map(|rule| self.share(rule, bits)).max().unwrap_or(Share::NONE))
    }

    /// The share of an answer that is right by this rule.
    fn share(&self, rule: &Rule, bits: u64) -> Share {
        match rule {
            Rule::Exact(right) | Rule::Race(right) => Share::all_if(bits == *right),
            Rule::Weights(weights) => choices::by_weights(weights, bits),
            Rule::Places { right, items } => order::by_places(*right, *items, bits),
            Rule::Within { right, off } => Share::all_if(right.abs_diff(number_of_bits(bits)) <= *off),
            Rule::Curve { right, zero } => number::by_curve(*right, *zero, number_of_bits(bits)),
            Rule::Spelling(_) => Share::all_if(bits == 1),
            Rule::Majority(_) => Share::all_if(self.frequent >> bits & 1 == 1),
            Rule::Nearest(_) | Rule::Buzzer(_) | Rule::Free => Share::NONE,
        }
    }

    /// The place of this seat among those who are paid by place, from 1.
    fn place(&self, seat: Seat) -> Option<u32> {
        let at = self.placed.binary_search_by_key(&seat, |&(seat, _)| seat).ok()?;
        Some(self.placed[at].1)
    }

    /// Those who are paid by place, best first.
    pub fn best(&self) -> &[Seat] {
        &self.best
    }

    /// The most frequent choices, if these are right.
    pub fn frequent(&self) -> Option<Vec<u8>> {
        let is_frequent = |choice: &u8| self.frequent >> choice & 1 == 1;
        matches!(self.rules, [Rule::Majority(_), ..]).then(|| (0..64).filter(is_frequent).collect())
    }
}
