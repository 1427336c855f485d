//! A question as it is asked: its choices in the mixed order, what can be answered, and what is right by that order.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{
    Accepted, AnswerKind, Asked, By, Choices, Fastest, Kind, NumberScore, Quiz, Right, Stake, Tie, is_order,
    number_of_bits, order_to_bits, set_to_bits,
};
use klaxon_protocol::ids::ClaimKey;

use super::judge::wager;
use super::mixing::{order, place_of, unmixed};
use crate::round::{ClaimSpace, ClaimValues};

/// A question as it is asked.
pub struct QuestionSheet {
    /// As it is sent to players.
    pub asked: Asked,
    pub values: Values,
    /// Each of them makes an answer right; several only after a correction.
    pub rules: Vec<Rule>,
    /// As it is told at the reveal; none if that is not known before, or never.
    pub right: Option<Right>,
    /// What else is right, after a correction.
    pub also: Vec<Right>,
    /// How many choices there are to count: none where they are put in order.
    pub choices: usize,
}

/// What can be answered.
pub enum Values {
    /// The number of a choice, below this.
    One(u64),
    /// A set of so many choices, not empty.
    Set(u32),
    /// An order of so many items.
    Order(u32),
    /// A number.
    Number { least: i64, most: i64 },
    /// As many texts, each of so many bytes at most.
    Texts { each: u16, longest: usize },
    /// A stake.
    Stake { how: Stake, most: u32 },
}

/// What is right.
#[derive(Clone)]
pub enum Rule {
    /// This value, and no other.
    Exact(u64),
    /// A set of choices, each with its weight, by share.
    Weights(Vec<i8>),
    /// This order, by the share of right places.
    Places { right: u64, items: u32 },
    /// This number, or one that is off by this at most.
    Within { right: i64, off: u64 },
    /// The nearer to this number, the more.
    Curve { right: i64, zero: u64 },
    /// The numbers nearest to this one.
    Nearest(i64),
    /// This value, and the first places are paid.
    Race(u64),
    /// A typed answer.
    Spelling(Accepted),
    /// The most frequent choice.
    Majority(Tie),
    /// This choice by the first who buzzes or, without one, what the host judges.
    Buzzer(Option<u64>),
    /// Nothing is right or wrong.
    Free,
}

/// Whether one of the rules accepts this typed answer.
pub fn accepts(rules: &[Rule], text: &str) -> bool {
    rules.iter().any(|rule| matches!(rule, Rule::Spelling(accepted) if accepted.accepts(text)))
}

impl Values {
    /// The claims that are possible.
    pub fn space(&self) -> ClaimSpace {
        match *self {
            Self::One(choices) => ClaimSpace::one_below(choices),
            Self::Set(choices) => ClaimSpace::one_below(1 << choices),
            Self::Texts { each, .. } => ClaimSpace { keys: each, values: ClaimValues::Any },
            Self::Order(_) | Self::Number { .. } | Self::Stake { .. } => {
                ClaimSpace { keys: 1, values: ClaimValues::Any }
            }
        }
    }

    /// Whether a claim in that space can be made by a seat with these points.
    pub fn take(&self, value: &ClaimValue, points: i64) -> bool {
        match (self, value) {
            (Self::Texts { longest, .. }, ClaimValue::Text(text)) => text.as_str().len() <= *longest,
            (Self::One(choices), ClaimValue::Bits(bits)) => bits < choices,
            (Self::Set(choices), ClaimValue::Bits(bits)) => *bits != 0 && bits >> choices == 0,
            (Self::Order(items), ClaimValue::Bits(bits)) => is_order(*bits, *items),
            (Self::Number { least, most }, ClaimValue::Bits(bits)) => (*least..=*most).contains(&number_of_bits(*bits)),
            (Self::Stake { how, most }, ClaimValue::Bits(bits)) => wager::stake(*how, *most, points, *bits).is_some(),
            (Self::Texts { .. }, ClaimValue::Bits(_)) | (_, ClaimValue::Text(_)) => false,
        }
    }

    /// Changes the counts of the choices that an answer takes.
    pub fn count_choices(&self, counts: &mut [u32], bits: u64, change: impl Fn(&mut u32)) {
        match self {
            Self::One(_) => change(&mut counts[usize::try_from(bits).expect("it is below the number of choices")]),
            Self::Set(_) => {
                let chosen = counts.iter_mut().enumerate().filter(|(choice, _)| bits >> choice & 1 == 1);
                chosen.for_each(|(_, count)| change(count));
            }
            _ => {}
        }
    }

    /// The keys of the claims.
    pub fn keys(&self) -> impl Iterator<Item = ClaimKey> + use<> {
        (0..self.space().keys).map(ClaimKey)
    }
}

impl QuestionSheet {
    /// The question with this index, mixed by the seed.
    pub fn new(quiz: &Quiz, index: usize, seed: &[u8; 32]) -> Self {
        let (question, number) =
            (&quiz.questions[index], u16::try_from(index).expect("a quiz has 500 questions at most"));
        let listed = question.kind.choices();
        let is_mixed = quiz.shuffle || matches!(question.kind, Kind::Order(_));
        let places = if is_mixed { order(seed, number, 0, listed.len()) } else { unmixed(listed.len()) };
        let choices: Vec<String> = places.iter().map(|&choice| listed[usize::from(choice)].clone()).collect();
        let orders = if quiz.orders > 1 && !choices.is_empty() {
            (1..=quiz.orders).map(|number_of_order| order(seed, number, number_of_order, choices.len())).collect()
        } else {
            Vec::new()
        };
        let (count, scoring) = (choices.len(), quiz.scoring(question));
        let pays_points = quiz.mode.scores() && question.kind.has_right() && question.kind.places().is_none();
        let (answer, values, rule, right) = parts(quiz, index, &places, choices);
        Self {
            asked: Asked {
                number: number + 1,
                total: u16::try_from(quiz.questions.len()).expect("a quiz has 500 questions at most"),
                text: question.text.clone(),
                answer,
                media: question.media.clone(),
                category: question.category.clone(),
                points: if pays_points { scoring.points } else { 0 },
                places: question.kind.places().map(<[u32]>::to_vec).unwrap_or_default(),
                orders,
            },
            choices: if matches!(values, Values::Order(_)) { 0 } else { count },
            values,
            rules: vec![rule],
            right,
            also: Vec::new(),
        }
    }
}

/// How it is answered, and what is right, given what is at each place.
fn parts(quiz: &Quiz, index: usize, places: &[u8], choices: Vec<String>) -> (AnswerKind, Values, Rule, Option<Right>) {
    let count = u32::try_from(places.len()).expect("a question has 16 choices at most");
    let one = Values::One(count.into());
    let moved = |choices: &[u8]| -> Vec<u8> { choices.iter().map(|&choice| place_of(places, choice)).collect() };
    match &quiz.questions[index].kind {
        Kind::Choice(of) => {
            let right = place_of(places, of.right);
            (AnswerKind::Choice(Choices { choices }), one, Rule::Exact(right.into()), Some(Right::Choices(vec![right])))
        }
        Kind::Choices(of) => {
            let mut right = moved(&of.right);
            right.sort_unstable();
            let rule = match of.by {
                By::All => Rule::Exact(set_to_bits(&right)),
                By::Share => {
                    let plain = |choice: &u8| if of.right.contains(choice) { 1 } else { -1 };
                    let weight = |choice: &u8| {
                        of.weights.as_ref().map_or_else(|| plain(choice), |weights| weights[usize::from(*choice)])
                    };
                    Rule::Weights(places.iter().map(weight).collect())
                }
            };
            (AnswerKind::Choices(Choices { choices }), Values::Set(count), rule, Some(Right::Choices(right)))
        }
        Kind::Number(of) => {
            let right = of.right;
            let rule = match of.score {
                NumberScore::Within { off } => Rule::Within { right, off },
                NumberScore::Curve { zero } => Rule::Curve { right, zero },
                NumberScore::Nearest { .. } => Rule::Nearest(right),
            };
            let (decimals, unit, least, most) = (of.decimals, of.unit.clone(), of.least, of.most);
            (
                AnswerKind::Number { decimals, unit, least, most },
                Values::Number { least, most },
                rule,
                Some(Right::Number(right)),
            )
        }
        Kind::Order(of) => {
            // The items of the setup are in the right order.
            let in_order = moved(&unmixed(places.len()));
            let right = order_to_bits(&in_order);
            let rule = match of.by {
                By::All => Rule::Exact(right),
                By::Share => Rule::Places { right, items: count },
            };
            (AnswerKind::Order { items: choices }, Values::Order(count), rule, Some(Right::Order(in_order)))
        }
        Kind::Text(of) => {
            let accepted = Accepted::new(&of.spellings, of.folding(), of.typos);
            let values = Values::Texts { each: 1, longest: of.longest.into() };
            (
                AnswerKind::Text { longest: of.longest },
                values,
                Rule::Spelling(accepted),
                Some(Right::Spellings(of.spellings.clone())),
            )
        }
        Kind::Poll(_) => (AnswerKind::Poll(Choices { choices }), one, Rule::Free, None),
        Kind::Words(of) => {
            let values = Values::Texts { each: of.each.into(), longest: of.longest.into() };
            (AnswerKind::Words { each: of.each, longest: of.longest }, values, Rule::Free, None)
        }
        Kind::Fastest(of) => fastest(of, &moved(&of.right), choices),
        Kind::Buzzer(of) => {
            let right = of.right.map(|right| place_of(places, right));
            let values = Values::One(u64::from(count).max(1));
            let told = right.map(|right| Right::Choices(vec![right]));
            (
                AnswerKind::Buzzer { choices: of.choices.is_some().then_some(choices) },
                values,
                Rule::Buzzer(right.map(u64::from)),
                told,
            )
        }
        Kind::Majority(of) => (AnswerKind::Majority(Choices { choices }), one, Rule::Majority(of.tie), None),
        Kind::Wager(of) => {
            let (stake, most) = (of.stake, of.most);
            (AnswerKind::Wager { stake, most }, Values::Stake { how: stake, most }, Rule::Free, None)
        }
        Kind::Slide(_) => (AnswerKind::Slide { lasts: quiz.time_of(index) }, Values::One(0), Rule::Free, None),
    }
}

fn fastest(of: &Fastest, right: &[u8], choices: Vec<String>) -> (AnswerKind, Values, Rule, Option<Right>) {
    let count = u32::try_from(choices.len()).expect("a question has 12 choices at most");
    let answer = AnswerKind::Fastest { choices, order: of.is_order() };
    if of.is_order() {
        let told = Right::Order(right.to_vec());
        return (answer, Values::Order(count), Rule::Race(order_to_bits(right)), Some(told));
    }
    let told = Right::Choices(right.to_vec());
    (answer, Values::One(count.into()), Rule::Race(u64::from(right[0])), Some(told))
}
