//! The kinds of questions, each with what is right and what only that kind has.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claim::ClaimText;
use crate::time::Span;

/// The most points that a question can be worth.
pub const MOST_POINTS: u32 = 100_000;

/// How many choices a question has of which a player takes one.
pub const ONE_OF: RangeInclusive<usize> = 2..=12;
/// How many choices a question has of which a player takes several, and how many places an order has.
pub const MANY_OF: RangeInclusive<usize> = 2..=16;
/// How many places are paid.
pub const PAID_PLACES: RangeInclusive<usize> = 1..=100;
/// How many spellings are accepted.
pub const SPELLINGS: RangeInclusive<usize> = 1..=20;
/// The most typing errors that can be accepted.
pub const MOST_TYPOS: u8 = 3;
/// The most decimals of a number.
pub const MOST_DECIMALS: u8 = 6;
/// The largest number, without its decimal point: what JavaScript can count.
pub const LARGEST_NUMBER: i64 = (1 << 53) - 1;
/// How many words a player gives for a word cloud.
pub const WORDS: RangeInclusive<u8> = 1..=5;
/// How long a typed answer or word may be, in bytes of UTF-8.
pub const TYPED: RangeInclusive<u16> = 1..=ClaimText::LONGEST as u16;
/// How long others can still buzz after the first.
pub const BUZZ_WINDOW: RangeInclusive<Span> = Span(100)..=Span(10_000);
/// The largest stake.
pub const LARGEST_STAKE: u32 = 1_000_000_000;

/// A kind of question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// One choice is right.
    Choice(OneRight),
    /// Several choices are right, and players take several.
    Choices(SeveralRight),
    /// A number.
    Number(NumberAnswer),
    /// Items to be put in order.
    Order(RightOrder),
    /// A typed answer.
    Text(TypedAnswer),
    /// Choices of which none is right.
    Poll(Poll),
    /// Words for a word cloud.
    Words(Words),
    /// The first players with the right answer are paid by place.
    Fastest(Fastest),
    /// The first player to buzz may answer.
    Buzzer(Buzzer),
    /// The choice that most players take is right.
    Majority(Majority),
    /// Players stake points on the question that follows.
    Wager(Wager),
    /// A text to read, without an answer.
    Slide(Slide),
}

/// Choices, one of which is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OneRight {
    /// 2 to 12 choices, no two alike.
    pub choices: Vec<String>,
    /// Which of them is right, from 0.
    pub right: u8,
}

/// Choices, several of which are right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeveralRight {
    /// 2 to 16 choices, no two alike.
    pub choices: Vec<String>,
    /// Which of them are right, from 0.
    pub right: Vec<u8>,
    /// Whether all have to be right, or the points are paid in part.
    #[serde(default)]
    pub by: By,
    /// With `by: share`: what each choice adds to the share, in the order of the choices; 1 for each right choice and -1 for each wrong one if
    /// left out. From -100 to 100, positive for right choices only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<i8>>,
}

/// Whether an answer that is right in part earns anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// No: all has to be right.
    #[default]
    All,
    /// Yes: the share that is right.
    Share,
}

/// A number. It is written without its decimal point: with two decimals, 3.14 is 314.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberAnswer {
    /// The right number.
    pub right: i64,
    /// How many decimals the numbers have: 0 to 6.
    #[serde(default)]
    #[schemars(range(max = MOST_DECIMALS))]
    pub decimals: u8,
    /// Such as "km".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The smallest number that can be said.
    #[serde(default = "smallest")]
    pub least: i64,
    /// The largest number that can be said.
    #[serde(default = "largest")]
    pub most: i64,
    /// Who is right.
    pub score: NumberScore,
}

/// Which numbers are paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum NumberScore {
    /// Those that are off by no more than this are right.
    Within {
        /// By how much an answer may be off, from 0.
        off: u64,
    },
    /// The nearer, the more: an answer that is off by `zero` or more earns nothing.
    Curve {
        /// From how far off an answer is wrong, from 1.
        zero: u64,
    },
    /// The nearest are right, and are paid by place; of equally near ones the earlier.
    Nearest {
        /// The points of the first, second, ... place.
        #[schemars(inner(range(max = MOST_POINTS)))]
        places: Vec<u32>,
    },
}

/// Items to be put in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RightOrder {
    /// 2 to 16 items in the right order, no two alike.
    pub items: Vec<String>,
    /// Whether all have to be at their places, or the points are paid by the share of those that are.
    #[serde(default)]
    pub by: By,
}

/// A typed answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypedAnswer {
    /// 1 to 20 spellings that are right. The first one is shown at the reveal.
    pub spellings: Vec<String>,
    /// Whether upper and lower case differ.
    #[serde(default)]
    pub case: bool,
    /// Whether accents and other marks matter.
    #[serde(default)]
    pub marks: bool,
    /// How many typing errors are accepted: 0 to 3, and never more than one for each four characters of the spelling.
    #[serde(default)]
    #[schemars(range(max = MOST_TYPOS))]
    pub typos: u8,
    /// How long an answer may be, in bytes of UTF-8: 1 to 256.
    #[serde(default = "usual_typed")]
    #[schemars(extend("minimum" = TYPED.start(), "maximum" = TYPED.end()))]
    pub longest: u16,
}

/// Choices without a right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Poll {
    /// 2 to 12 choices, no two alike.
    pub choices: Vec<String>,
}

/// Words for a word cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// How many words each player can give: 1 to 5.
    #[serde(default = "usual_words")]
    #[schemars(extend("minimum" = WORDS.start(), "maximum" = WORDS.end()))]
    pub each: u8,
    /// How long a word may be, in bytes of UTF-8: 1 to 256.
    #[serde(default = "usual_word")]
    #[schemars(extend("minimum" = TYPED.start(), "maximum" = TYPED.end()))]
    pub longest: u16,
    /// How many players have to give a word before it is shown: from 1.
    #[serde(default = "usual_players")]
    #[schemars(range(min = 1))]
    pub players: u32,
}

/// A race for the right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fastest {
    /// 2 to 12 choices, no two alike.
    pub choices: Vec<String>,
    /// The right choice; or all of them in the right order, which players then put in order.
    pub right: Vec<u8>,
    /// The points of the first, second, ... place.
    #[schemars(inner(range(max = MOST_POINTS)))]
    pub places: Vec<u32>,
}

/// A question for the first player to buzz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Buzzer {
    /// 2 to 12 choices, if buzzing means to choose one. Without choices the host judges what the player says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// Which of the choices is right, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<u8>,
    /// How long others can still buzz after the first buzz was counted, in ms: 100 ms to 10 s. Who was first is decided after that, by when
    /// the buzzes were read.
    #[serde(default = "usual_window")]
    #[schemars(extend("minimum" = BUZZ_WINDOW.start(), "maximum" = BUZZ_WINDOW.end()))]
    pub window: Span,
    /// What happens when the player who answers is wrong.
    #[serde(default)]
    pub wrong: AfterWrong,
}

/// What happens after a wrong answer to a buzzer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterWrong {
    /// The next of those who buzzed may answer.
    #[default]
    Next,
    /// All who have not been wrong in this question can buzz anew.
    Reopen,
    /// The question is over.
    Over,
}

/// Choices of which the most frequent is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Majority {
    /// 2 to 12 choices, no two alike.
    pub choices: Vec<String>,
    /// What happens if several choices are the most frequent.
    #[serde(default)]
    pub tie: Tie,
}

/// What happens if several choices are the most frequent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// All of them are right.
    #[default]
    All,
    /// None of them is right.
    None,
}

/// A stake on the question that follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wager {
    /// How players stake.
    #[serde(default)]
    pub stake: Stake,
    /// The most that can be staked, in points; a player can never stake more points than they have.
    #[serde(default = "largest_stake")]
    #[schemars(range(min = 1, max = LARGEST_STAKE))]
    pub most: u32,
}

/// How players stake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stake {
    /// As many points as they like, from 0.
    #[default]
    Points,
    /// Double (1) or quit (0): all their points, up to `most`, or none.
    DoubleOrQuit,
}

/// A text to read: the question's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slide {}

impl Kind {
    /// Its name, as in the setup.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Choice(_) => "choice",
            Self::Choices(_) => "choices",
            Self::Number(_) => "number",
            Self::Order(_) => "order",
            Self::Text(_) => "text",
            Self::Poll(_) => "poll",
            Self::Words(_) => "words",
            Self::Fastest(_) => "fastest",
            Self::Buzzer(_) => "buzzer",
            Self::Majority(_) => "majority",
            Self::Wager(_) => "wager",
            Self::Slide(_) => "slide",
        }
    }

    /// Whether answers are right or wrong.
    #[must_use]
    pub const fn has_right(&self) -> bool {
        !matches!(self, Self::Poll(_) | Self::Words(_) | Self::Wager(_) | Self::Slide(_))
    }

    /// Whether all players can answer and be right or wrong, so that elimination is possible.
    #[must_use]
    pub const fn eliminates(&self) -> bool {
        self.has_right() && !matches!(self, Self::Buzzer(_))
    }

    /// Whether an answer can be right in part.
    #[must_use]
    pub const fn pays_shares(&self) -> bool {
        match self {
            Self::Choices(SeveralRight { by, .. }) | Self::Order(RightOrder { by, .. }) => matches!(by, By::Share),
            Self::Number(NumberAnswer { score, .. }) => matches!(score, NumberScore::Curve { .. }),
            _ => false,
        }
    }

    /// The points by place, if they are paid so.
    #[must_use]
    pub fn places(&self) -> Option<&[u32]> {
        match self {
            Self::Fastest(Fastest { places, .. })
            | Self::Number(NumberAnswer { score: NumberScore::Nearest { places }, .. }) => Some(places),
            _ => None,
        }
    }

    /// Its choices, or the items to be put in order, as in the setup.
    #[must_use]
    pub fn choices(&self) -> &[String] {
        match self {
            Self::Choice(OneRight { choices, .. })
            | Self::Choices(SeveralRight { choices, .. })
            | Self::Order(RightOrder { items: choices, .. })
            | Self::Poll(Poll { choices })
            | Self::Fastest(Fastest { choices, .. })
            | Self::Buzzer(Buzzer { choices: Some(choices), .. })
            | Self::Majority(Majority { choices, .. }) => choices,
            _ => &[],
        }
    }
}

impl Fastest {
    /// Whether players put all choices in order, in place of choosing one.
    #[must_use]
    pub const fn is_order(&self) -> bool {
        self.right.len() > 1
    }
}

const fn smallest() -> i64 {
    -LARGEST_NUMBER
}

const fn largest() -> i64 {
    LARGEST_NUMBER
}

const fn usual_typed() -> u16 {
    64
}

const fn usual_word() -> u16 {
    32
}

const fn usual_words() -> u8 {
    1
}

const fn usual_players() -> u32 {
    1
}

const fn usual_window() -> Span {
    Span(1_000)
}

const fn largest_stake() -> u32 {
    LARGEST_STAKE
}
