//! A question as the book has it: what is sent of it, and what can be claimed.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{
    AnswerKind, Asked, Choices, Kind, Quiz, QuizQuestion, Right, Stake, is_order, number_of_bits,
};
use klaxon_protocol::ids::ClaimKey;
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Span;

/// A question that was asked, or a slide.
#[derive(Debug, Clone)]
pub(in crate::audit) struct QuestionBook {
    /// Its index in the quiz.
    pub index: usize,
    pub question: QuizQuestion,
    /// As it must be sent.
    pub asked: Asked,
    /// Which choice of the setup is at each place.
    pub places: Vec<u8>,
}

/// How right answers are paid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pay {
    pub points: u32,
    pub speed: u8,
    pub streak: u32,
    pub penalty: u32,
}

impl Pay {
    pub fn of(quiz: &Quiz, question: &QuizQuestion) -> Self {
        let unless_accuracy = |usual: u32| if quiz.accuracy_only { 0 } else { usual };
        let speed = question.speed.or(quiz.speed);
        Self {
            points: question.points.unwrap_or_else(|| quiz.points * u32::from(question.times.unwrap_or(1))),
            speed: speed.unwrap_or(if quiz.accuracy_only { 0 } else { 50 }),
            streak: quiz.streak.unwrap_or_else(|| unless_accuracy(100)),
            penalty: question.penalty.unwrap_or(quiz.penalty),
        }
    }
}

/// For how long a question is open.
pub(super) fn open_for(quiz: &Quiz, index: usize) -> Span {
    let question = &quiz.questions[index];
    match quiz.survival {
        Some(survival) if question.kind.eliminates() => {
            let mut time = u64::from(quiz.open_for.0);
            for _ in quiz.questions[..index].iter().filter(|question| question.kind.eliminates()) {
                time -= (time * u64::from(survival.shrink)).div_ceil(100);
            }
            Span(u32::try_from(time).unwrap_or(u32::MAX)).max(survival.least)
        }
        _ => question.open_for.unwrap_or(quiz.open_for),
    }
}

/// The choices that were sent, if there are any.
fn choices_sent(answer: &AnswerKind) -> &[String] {
    match answer {
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

impl QuestionBook {
    /// The question with this index. Its order, which nobody can know, is taken from the event.
    pub fn of(quiz: &Quiz, index: usize, is_staked: bool, told: Option<&Body>) -> Self {
        let question = quiz.questions[index].clone();
        let told: Option<Asked> = told.and_then(|body| body.read().ok());
        let listed = question.kind.choices();
        let unmixed: Vec<u8> = (0..=u8::MAX).take(listed.len()).collect();
        let is_mixed = quiz.shuffle || matches!(question.kind, Kind::Order(_));
        let sent = told.as_ref().map(|told| choices_sent(&told.answer)).unwrap_or_default();
        let place = |choice: &String| listed.iter().position(|other| other == choice);
        let places = sent.iter().filter_map(|choice| u8::try_from(place(choice)?).ok());
        let mut places: Vec<u8> = places.collect();
        if !is_mixed || !is_permutation(&places, listed.len()) {
            places.clone_from(&unmixed);
        }
        let mut orders = Vec::new();
        if quiz.orders > 1 && !listed.is_empty() {
            let sent = told.map(|told| told.orders).unwrap_or_default();
            orders = (0..usize::from(quiz.orders))
                .map(|number| {
                    let order = sent.get(number).filter(|order| is_permutation(order, listed.len()));
                    order.unwrap_or(&unmixed).clone()
                })
                .collect();
        }
        let choices = places.iter().map(|&choice| listed[usize::from(choice)].clone()).collect();
        let pay = Pay::of(quiz, &question);
        let pays = quiz.mode.scores() && question.kind.has_right() && question.kind.places().is_none() && !is_staked;
        let whole = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let asked = Asked {
            number: whole(index + 1),
            total: whole(quiz.questions.len()),
            text: question.text.clone(),
            answer: answer(quiz, index, choices),
            media: question.media.clone(),
            category: question.category.clone(),
            points: if pays { pay.points } else { 0 },
            places: question.kind.places().unwrap_or_default().to_vec(),
            orders,
        };
        Self { index, question, asked, places }
    }

    /// At which place a choice of the setup is.
    pub fn place_of(&self, choice: u8) -> u8 {
        let place = self.places.iter().position(|&other| other == choice);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }

    /// The choice of the setup at this place.
    pub fn choice_at(&self, place: u64) -> Option<u8> {
        self.places.get(usize::try_from(place).ok()?).copied()
    }

    pub fn is_slide(&self) -> bool {
        matches!(self.question.kind, Kind::Slide(_))
    }

    pub fn is_wager(&self) -> bool {
        matches!(self.question.kind, Kind::Wager(_))
    }

    /// Whether choices are put in order.
    pub fn is_order(&self) -> bool {
        match &self.question.kind {
            Kind::Order(_) => true,
            Kind::Fastest(fastest) => fastest.right.len() > 1,
            _ => false,
        }
    }

    /// How many choices are counted.
    pub fn counted_choices(&self) -> usize {
        if self.is_order() { 0 } else { self.places.len() }
    }

    /// Whether a seat with these points can claim this.
    pub fn takes(&self, key: ClaimKey, value: &ClaimValue, points: i64) -> bool {
        let keys = if let Kind::Words(words) = &self.question.kind { u16::from(words.each) } else { 1 };
        if key.0 >= keys {
            return false;
        }
        let count = self.places.len() as u64;
        match (&self.question.kind, value) {
            (Kind::Text(of), ClaimValue::Text(text)) => text.as_str().len() <= usize::from(of.longest),
            (Kind::Words(of), ClaimValue::Text(text)) => text.as_str().len() <= usize::from(of.longest),
            (Kind::Text(_) | Kind::Words(_) | Kind::Slide(_), ClaimValue::Bits(_)) | (_, ClaimValue::Text(_)) => false,
            (_, ClaimValue::Bits(bits)) if self.is_order() => is_order(*bits, u32::try_from(count).unwrap_or(u32::MAX)),
            (Kind::Choices(_), ClaimValue::Bits(bits)) => *bits > 0 && *bits < 1 << count,
            (Kind::Number(of), ClaimValue::Bits(bits)) => (of.least..=of.most).contains(&number_of_bits(*bits)),
            (Kind::Wager(of), ClaimValue::Bits(bits)) => match of.stake {
                Stake::Points => i128::from(*bits) <= i128::from(points.max(0)).min(of.most.into()),
                Stake::DoubleOrQuit => *bits < 2,
            },
            (Kind::Buzzer(_), ClaimValue::Bits(bits)) => *bits < count.max(1),
            (_, ClaimValue::Bits(bits)) => *bits < count,
        }
    }

    /// What is told at the reveal as right, if that follows from the question alone.
    pub fn right(&self) -> Option<Right> {
        let places = |choices: &[u8]| choices.iter().map(|&choice| self.place_of(choice)).collect::<Vec<u8>>();
        match &self.question.kind {
            Kind::Choice(of) => Some(Right::Choices(places(&[of.right]))),
            Kind::Choices(of) => {
                let mut right = places(&of.right);
                right.sort_unstable();
                Some(Right::Choices(right))
            }
            Kind::Number(of) => Some(Right::Number(of.right)),
            Kind::Order(of) => {
                let in_order: Vec<u8> = (0..=u8::MAX).take(of.items.len()).collect();
                Some(Right::Order(places(&in_order)))
            }
            Kind::Text(of) => Some(Right::Spellings(of.spellings.clone())),
            Kind::Fastest(of) if of.right.len() > 1 => Some(Right::Order(places(&of.right))),
            Kind::Fastest(of) => Some(Right::Choices(places(&of.right))),
            Kind::Buzzer(of) => of.right.map(|right| Right::Choices(places(&[right]))),
            Kind::Poll(_) | Kind::Words(_) | Kind::Majority(_) | Kind::Wager(_) | Kind::Slide(_) => None,
        }
    }
}

fn is_permutation(order: &[u8], count: usize) -> bool {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    sorted.len() == count && sorted.iter().enumerate().all(|(index, &item)| usize::from(item) == index)
}

/// How it is answered.
fn answer(quiz: &Quiz, index: usize, choices: Vec<String>) -> AnswerKind {
    match &quiz.questions[index].kind {
        Kind::Choice(_) => AnswerKind::Choice(Choices { choices }),
        Kind::Choices(_) => AnswerKind::Choices(Choices { choices }),
        Kind::Number(of) => {
            AnswerKind::Number { decimals: of.decimals, unit: of.unit.clone(), least: of.least, most: of.most }
        }
        Kind::Order(_) => AnswerKind::Order { items: choices },
        Kind::Text(of) => AnswerKind::Text { longest: of.longest },
        Kind::Poll(_) => AnswerKind::Poll(Choices { choices }),
        Kind::Words(of) => AnswerKind::Words { each: of.each, longest: of.longest },
        Kind::Fastest(of) => AnswerKind::Fastest { choices, order: of.right.len() > 1 },
        Kind::Buzzer(of) => AnswerKind::Buzzer { choices: of.choices.is_some().then_some(choices) },
        Kind::Majority(_) => AnswerKind::Majority(Choices { choices }),
        Kind::Wager(of) => AnswerKind::Wager { stake: of.stake, most: of.most },
        Kind::Slide(_) => AnswerKind::Slide { lasts: open_for(quiz, index) },
    }
}
