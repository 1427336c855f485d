//! Everything that is wrong with a quiz, told at once: each line begins with the setting's path.

use std::ops::RangeInclusive;

use super::kinds::{
    AfterWrong, BUZZ_WINDOW, Buzzer, By, Fastest, Kind, LARGEST_NUMBER, LARGEST_STAKE, MANY_OF, MOST_DECIMALS,
    MOST_POINTS, MOST_TYPOS, NumberAnswer, NumberScore, ONE_OF, OneRight, PAID_PLACES, SPELLINGS, SeveralRight, TYPED,
    TypedAnswer, WORDS, Wager, Words,
};
use super::prizes::QuizPrizes;
use super::setup::{Late, MOST_ORDERS, MOST_SHRINK, MOST_TIMES, Quiz, QuizQuestion, Survival};
use super::spelling::{Folding, fold};
use crate::games::media::Media;
use crate::games::trivia::{LARGEST_POT, OPEN_FOR, QUESTIONS};
use crate::limits::TEXT_LENGTH;
use crate::text::{self, harmless};

/// How long a unit may be, in characters.
const UNIT: RangeInclusive<usize> = 1..=20;

/// The lines of what is wrong.
struct Problems {
    /// What each line begins with.
    path: String,
    lines: Vec<String>,
}

impl Problems {
    fn add(&mut self, field: &str, problem: impl std::fmt::Display) {
        self.lines.push(format!("{}{field}: {problem}", self.path));
    }

    fn range<T: PartialOrd + std::fmt::Display>(&mut self, field: &str, allowed: RangeInclusive<T>, value: T) {
        if !allowed.contains(&value) {
            self.add(field, format_args!("{} to {}, not {value}", allowed.start(), allowed.end()));
        }
    }

    fn text(&mut self, field: &str, text: &str, length: &RangeInclusive<usize>) {
        if let Some(problem) = text::problem(text, length) {
            self.add(field, problem);
        }
    }

    /// Two settings that do not go together.
    fn apart(&mut self, field: &str, other: impl std::fmt::Display) {
        self.add(field, format_args!("does not go together with {other}"));
    }

    fn choices(&mut self, field: &str, choices: &[String], allowed: RangeInclusive<usize>) {
        self.range(field, allowed.clone(), choices.len());
        // Of far too many choices the first are enough to say what is wrong.
        for (index, choice) in choices.iter().enumerate().take(allowed.end() + 1) {
            self.text(&format!("{field}[{index}]"), choice, &TEXT_LENGTH);
            if choices[..index].contains(choice) {
                self.add(
                    &format!("{field}[{index}]"),
                    format_args!("the choice \"{}\" is there twice", harmless(choice)),
                );
            }
        }
    }

    fn index(&mut self, field: &str, index: u8, choices: usize) {
        if usize::from(index) >= choices {
            self.add(field, format_args!("there is no choice {index}, the last one is {}", choices.saturating_sub(1)));
        }
    }

    fn indexes(&mut self, field: &str, indexes: &[u8], choices: usize) {
        for (at, &index) in indexes.iter().enumerate().take(MANY_OF.end() + 1) {
            self.index(&format!("{field}[{at}]"), index, choices);
            if indexes[..at].contains(&index) {
                self.add(&format!("{field}[{at}]"), format_args!("choice {index} is there twice"));
            }
        }
    }

    fn places(&mut self, field: &str, places: &[u32]) {
        self.range(field, PAID_PLACES, places.len());
        if let Some(points) = places.iter().find(|points| **points > MOST_POINTS) {
            self.add(field, format_args!("each from 0 to {MOST_POINTS}, not {points}"));
        }
        if !places.is_sorted_by(|a, b| a >= b) {
            self.add(field, "a better place never earns less");
        }
    }
}

impl Quiz {
    /// Everything that is wrong with it, each line beginning with the setting's path.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Problems { path: String::new(), lines: Vec::new() };
        self.check_settings(&mut problems);
        self.check_prizes(&mut problems);
        problems.range("questions", QUESTIONS, self.questions.len());
        for (index, question) in self.questions.iter().enumerate() {
            problems.path = format!("questions[{index}].");
            self.check_question(index, question, &mut problems);
        }
        problems.lines
    }

    fn check_settings(&self, problems: &mut Problems) {
        problems.range("open_for", *OPEN_FOR.start()..=*OPEN_FOR.end(), self.open_for);
        problems.range("points", 0..=MOST_POINTS, self.points);
        problems.range("speed", 0..=100, self.speed.unwrap_or(0));
        problems.range("streak", 0..=MOST_POINTS, self.streak.unwrap_or(0));
        problems.range("penalty", 0..=MOST_POINTS, self.penalty);
        problems.range("orders", 1..=MOST_ORDERS, self.orders);
        if self.accuracy_only {
            for (name, given) in [("speed", self.speed.map(u32::from)), ("streak", self.streak)] {
                if given.is_some_and(|given| given > 0) {
                    problems.apart(name, "`accuracy_only`");
                }
            }
        }
        if let Some(Survival { shrink, least }) = self.survival {
            problems.range("survival.shrink", 1..=MOST_SHRINK, shrink);
            problems.range("survival.least", *OPEN_FOR.start()..=*OPEN_FOR.end(), least);
            if least > self.open_for {
                problems.add("survival.least", "no longer than `open_for`, which is the time of the first question");
            }
        }
        if self.below_zero
            && self.penalty == 0
            && self.questions.iter().all(|question| question.penalty.unwrap_or(0) == 0)
        {
            problems.add("below_zero", "needs a `penalty`, of the quiz or of a question");
        }
        let mode = self.mode;
        if mode.eliminates() {
            if self.late == Late::Mean {
                problems.apart("late", "elimination: players can't join after its first question");
            }
        } else {
            for (name, given) in [
                ("all_wrong_all_stay", self.all_wrong_all_stay),
                ("last_question_lives", !self.last_question_lives),
                ("survival", self.survival.is_some()),
            ] {
                if given {
                    problems.add(name, "needs `mode` `elimination` or `both`");
                }
            }
        }
        if !mode.scores() {
            for (name, given) in [
                ("speed", self.speed.is_some_and(|given| given > 0)),
                ("streak", self.streak.is_some_and(|given| given > 0)),
                ("penalty", self.penalty > 0),
                ("accuracy_only", self.accuracy_only),
            ] {
                if given {
                    problems.add(name, "needs `mode` `points` or `both`");
                }
            }
        }
    }

    fn check_prizes(&self, problems: &mut Problems) {
        match &self.prizes {
            None => {}
            Some(QuizPrizes::Survivors { pot, .. }) => {
                problems.range("prizes.pot", 1..=LARGEST_POT, *pot);
                if !self.mode.eliminates() {
                    problems.add("prizes.by", "`survivors` needs `mode` `elimination` or `both`");
                }
            }
            Some(QuizPrizes::Places { amounts }) => {
                problems.range("prizes.amounts", PAID_PLACES, amounts.len());
                if let Some(amount) = amounts.iter().find(|amount| !(1..=LARGEST_POT).contains(*amount)) {
                    problems.add("prizes.amounts", format_args!("each from 1 to {LARGEST_POT}, not {amount}"));
                }
                if !amounts.is_sorted_by(|a, b| a >= b) {
                    problems.add("prizes.amounts", "a better place never wins less");
                }
                if !self.mode.scores() {
                    problems.add("prizes.by", "`places` needs `mode` `points` or `both`");
                }
            }
        }
    }

    fn check_question(&self, index: usize, question: &QuizQuestion, problems: &mut Problems) {
        let QuizQuestion { text, kind, media, category, explanation, open_for, points, times, speed, penalty } =
            question;
        problems.text("text", text, &TEXT_LENGTH);
        for (name, given) in [("category", category), ("explanation", explanation)] {
            if let Some(text) = given {
                problems.text(name, text, &TEXT_LENGTH);
            }
        }
        for problem in media.iter().flat_map(Media::problems) {
            problems.lines.push(format!("{}media.{problem}", problems.path));
        }
        if let Some(time) = *open_for {
            problems.range("open_for", *OPEN_FOR.start()..=*OPEN_FOR.end(), time);
            if self.survival.is_some() && kind.eliminates() {
                problems.apart("open_for", "`survival`, which sets the times");
            }
        }
        problems.range("points", 0..=MOST_POINTS, points.unwrap_or(0));
        problems.range("speed", 0..=100, speed.unwrap_or(0));
        problems.range("penalty", 0..=MOST_POINTS, penalty.unwrap_or(0));
        if let Some(times) = *times {
            problems.range("times", 2..=MOST_TIMES, times);
            if points.is_some() {
                problems.apart("times", "`points`");
            }
            if self.points.saturating_mul(times.into()) > MOST_POINTS {
                problems.add("times", format_args!("the question would be worth more than {MOST_POINTS} points"));
            }
        }
        if speed.is_some_and(|speed| speed > 0) && self.accuracy_only {
            problems.apart("speed", "`accuracy_only`");
        }
        let own = [
            ("points", points.is_some()),
            ("times", times.is_some()),
            ("speed", speed.is_some_and(|speed| speed > 0)),
            ("penalty", penalty.is_some_and(|penalty| penalty > 0)),
        ];
        for (name, given) in own {
            // Not to be among the nearest is not wrong, so it costs nothing.
            let is_place = kind.places().is_some() && (name != "penalty" || matches!(kind, Kind::Number(_)));
            if given && !kind.has_right() {
                problems.apart(name, format_args!("kind `{}`: it has no right answer", kind.name()));
            } else if given && !self.mode.scores() {
                problems.add(name, "needs `mode` `points` or `both`");
            } else if given && is_place {
                problems.apart(name, "`places`, which pay by place");
            }
        }
        if let Kind::Buzzer(_) = kind
            && speed.is_some_and(|speed| speed > 0)
        {
            problems.apart("speed", "kind `buzzer`: only one player answers");
        }
        self.check_kind(index, kind, problems);
    }

    fn check_kind(&self, index: usize, kind: &Kind, problems: &mut Problems) {
        match kind {
            Kind::Choice(OneRight { choices, right }) => {
                problems.choices("choices", choices, ONE_OF);
                problems.index("right", *right, choices.len());
            }
            Kind::Choices(several) => several.check(problems),
            Kind::Number(number) => number.check(problems),
            Kind::Order(order) => problems.choices("items", &order.items, MANY_OF),
            Kind::Text(text) => text.check(problems),
            Kind::Words(Words { each, longest, players }) => {
                problems.range("each", WORDS, *each);
                problems.range("longest", TYPED, *longest);
                problems.range("players", 1..=u32::MAX, *players);
            }
            Kind::Fastest(Fastest { choices, right, places }) => {
                problems.choices("choices", choices, ONE_OF);
                if right.len() != 1 && right.len() != choices.len() {
                    problems.add("right", "names one choice, or all of them in order");
                }
                problems.indexes("right", right, choices.len());
                problems.places("places", places);
            }
            Kind::Buzzer(buzzer) => {
                buzzer.check(problems);
                if self.mode.eliminates() {
                    problems.apart("kind", "elimination: only one player answers a `buzzer`");
                }
            }
            Kind::Poll(_) | Kind::Majority(_) => problems.choices("choices", kind.choices(), ONE_OF),
            Kind::Wager(wager) => self.check_wager(index, wager, problems),
            Kind::Slide(_) => {}
        }
        if kind.pays_shares() && self.mode.eliminates() {
            problems.apart(
                if matches!(kind, Kind::Number(_)) { "score" } else { "by" },
                "elimination: an answer is right or wrong in it",
            );
        }
        if kind.places().is_some() && !self.mode.scores() {
            problems.add(
                if matches!(kind, Kind::Number(_)) { "score.places" } else { "places" },
                "needs `mode` `points` or `both`",
            );
        }
    }

    fn check_wager(&self, index: usize, wager: &Wager, problems: &mut Problems) {
        problems.range("most", 1..=LARGEST_STAKE, wager.most);
        if !self.mode.scores() {
            problems.add("kind", "a `wager` needs `mode` `points` or `both`");
        }
        let Some(next) = self.questions.get(index + 1) else {
            return problems.add("kind", "a `wager` needs a question after it");
        };
        if !next.kind.eliminates() || next.kind.places().is_some() || next.kind.pays_shares() {
            problems.add("kind", "the question after a `wager` is one that every player can get right or wrong, and not in part or by place");
        }
        let pays = [
            ("points", next.points.is_some()),
            ("times", next.times.is_some()),
            ("speed", next.speed.is_some()),
            ("penalty", next.penalty.is_some()),
        ];
        for (name, _) in pays.into_iter().filter(|(_, given)| *given) {
            problems.apart("kind", format_args!("`{name}` of the question after it: that one pays the stakes"));
        }
    }
}

impl SeveralRight {
    fn check(&self, problems: &mut Problems) {
        problems.choices("choices", &self.choices, MANY_OF);
        if self.right.is_empty() {
            problems.add("right", "one choice at least is right");
        }
        problems.indexes("right", &self.right, self.choices.len());
        let Some(weights) = &self.weights else { return };
        if self.by == By::All {
            problems.add("weights", "need `by` `share`");
        }
        if weights.len() != self.choices.len() {
            problems.add(
                "weights",
                format_args!("one for each of the {} choices, not {}", self.choices.len(), weights.len()),
            );
        }
        for (index, &weight) in (0_u8..).zip(weights.iter().take(MANY_OF.end() + 1)) {
            let field = format!("weights[{index}]");
            problems.range(&field, -100..=100, weight);
            if self.right.contains(&index) != (weight > 0) {
                problems.add(&field, "positive for right choices, and for no other");
            }
        }
    }
}

impl NumberAnswer {
    fn check(&self, problems: &mut Problems) {
        problems.range("decimals", 0..=MOST_DECIMALS, self.decimals);
        for (name, number) in [("right", self.right), ("least", self.least), ("most", self.most)] {
            problems.range(name, -LARGEST_NUMBER..=LARGEST_NUMBER, number);
        }
        if !(self.least..=self.most).contains(&self.right) {
            problems
                .add("right", format_args!("`least` to `most`, {} to {}, not {}", self.least, self.most, self.right));
        }
        if let Some(unit) = &self.unit {
            problems.text("unit", unit, &UNIT);
        }
        let largest = LARGEST_NUMBER.unsigned_abs();
        match &self.score {
            NumberScore::Within { off } => problems.range("score.off", 0..=largest, *off),
            NumberScore::Curve { zero } => problems.range("score.zero", 1..=largest, *zero),
            NumberScore::Nearest { places } => problems.places("score.places", places),
        }
    }
}

impl TypedAnswer {
    /// Everything that is wrong with it, each line beginning with the setting's name.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Problems { path: String::new(), lines: Vec::new() };
        self.check(&mut problems);
        problems.lines
    }

    fn check(&self, problems: &mut Problems) {
        problems.range("spellings", SPELLINGS, self.spellings.len());
        problems.range("typos", 0..=MOST_TYPOS, self.typos);
        problems.range("longest", TYPED, self.longest);
        let mut folded: Vec<String> = Vec::new();
        for (index, spelling) in self.spellings.iter().enumerate().take(SPELLINGS.end() + 1) {
            let field = format!("spellings[{index}]");
            problems.text(&field, spelling, &TEXT_LENGTH);
            if spelling.len() > usize::from(self.longest) {
                problems.add(
                    &field,
                    format_args!("has {} bytes, which is more than `longest` ({})", spelling.len(), self.longest),
                );
            }
            let one = fold(spelling, self.folding());
            if one.is_empty() {
                problems.add(&field, "nothing is left of it without marks");
            } else if let Some(other) = folded.iter().position(|other| *other == one) {
                problems.add(&field, format_args!("is the same as spellings[{other}]"));
            }
            folded.push(one);
        }
    }

    /// What makes no difference between an answer and a spelling.
    #[must_use]
    pub const fn folding(&self) -> Folding {
        Folding { case: !self.case, marks: !self.marks }
    }
}

impl Buzzer {
    fn check(&self, problems: &mut Problems) {
        problems.range("window", *BUZZ_WINDOW.start()..=*BUZZ_WINDOW.end(), self.window);
        match (&self.choices, self.right) {
            (Some(choices), Some(right)) => {
                problems.choices("choices", choices, ONE_OF);
                problems.index("right", right, choices.len());
                if self.wrong == AfterWrong::Reopen {
                    problems.apart("wrong", "`choices`: those who buzzed have answered, so it is `next` or `over`");
                }
            }
            (None, None) => {}
            (Some(_), None) => problems.add("right", "is missing: which of the `choices` is right"),
            (None, Some(_)) => problems.add("right", "needs `choices`"),
        }
    }
}

#[cfg(test)]
mod tests;
