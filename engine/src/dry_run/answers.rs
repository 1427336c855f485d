//! What simulated players answer: they know the right answer or not, each in proportion to a skill of their own.

use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::games::quiz::{
    AnswerKind, Asked, Choices, Kind, QuizQuestion, Stake, number_to_bits, order_to_bits, set_to_bits,
};
use klaxon_protocol::ids::ClaimKey;

use super::dice::Dice;

/// What is typed by those who do not know.
const WRONG_TEXT: &str = "no idea";
/// What is given for word clouds.
const WORDS: [&str; 6] = ["yes", "no", "maybe", "fun", "great", "more"];

/// How often a player says nothing, in percent.
const SILENT: u64 = 4;
/// How often those buzz who know the answer, and those who do not, in percent.
const BUZZES: (u64, u64) = (90, 15);

/// A player who is asked.
pub(super) struct Answerer {
    /// How often they know the answer, in percent.
    pub skill: u64,
    /// The points that they have.
    pub points: i64,
}

/// What the player claims; nothing of who is silent.
pub(super) fn answers(
    dice: &mut Dice,
    player: &Answerer,
    question: &QuizQuestion,
    asked: &Asked,
) -> Vec<(ClaimKey, ClaimValue)> {
    let (silent, knows) = (dice.chance(SILENT), dice.chance(player.skill));
    if silent {
        return Vec::new();
    }
    let one = |value: u64| vec![(ClaimKey(0), ClaimValue::Bits(value))];
    match (&question.kind, &asked.answer) {
        (Kind::Choice(known), AnswerKind::Choice(Choices { choices })) => {
            one(choice(dice, knows, &known.choices, known.right, choices))
        }
        (Kind::Choices(known), AnswerKind::Choices(Choices { choices })) => {
            let is_right =
                |text: &String| known.right.iter().any(|&right| known.choices.get(usize::from(right)) == Some(text));
            let taken = (0..).zip(choices).filter(|(_, text)| is_right(text) ^ (!knows && dice.chance(30)));
            let mut taken: Vec<u8> = taken.map(|(place, _)| place).collect();
            if taken.is_empty() {
                taken.push(u8::try_from(dice.place(choices.len())).unwrap_or(0));
            }
            one(set_to_bits(&taken))
        }
        (Kind::Number(known), AnswerKind::Number { least, most, .. }) => {
            let off = if knows { 0 } else { dice.below(known.right.unsigned_abs() / 5 + 10).cast_signed() };
            let guess = if dice.chance(50) { known.right.saturating_add(off) } else { known.right.saturating_sub(off) };
            one(number_to_bits(guess.clamp(*least, *most)))
        }
        (Kind::Order(known), AnswerKind::Order { items }) => one(order(dice, knows, &known.items, items)),
        (Kind::Text(known), AnswerKind::Text { longest }) => {
            let spelling = known.spellings.get(dice.place(known.spellings.len())).filter(|_| knows);
            text(spelling.map_or(WRONG_TEXT, String::as_str), *longest)
                .map(|value| (ClaimKey(0), value))
                .into_iter()
                .collect()
        }
        (Kind::Poll(_), AnswerKind::Poll(Choices { choices }))
        | (Kind::Majority(_), AnswerKind::Majority(Choices { choices })) => {
            // The first ones are taken more often, so that there is a majority.
            one(dice.place(choices.len()).min(dice.place(choices.len())) as u64)
        }
        (Kind::Words(_), AnswerKind::Words { each, longest }) => {
            let mut word = |key| Some((ClaimKey(key), text(WORDS[dice.place(WORDS.len())], *longest)?));
            (0..u16::from(*each)).filter_map(&mut word).collect()
        }
        (Kind::Fastest(known), AnswerKind::Fastest { choices, order: true }) => {
            let right: Vec<String> =
                known.right.iter().filter_map(|&choice| known.choices.get(usize::from(choice)).cloned()).collect();
            one(order(dice, knows, &right, choices))
        }
        (Kind::Fastest(known), AnswerKind::Fastest { choices, order: false }) => {
            one(choice(dice, knows, &known.choices, known.right.first().copied().unwrap_or(0), choices))
        }
        (Kind::Buzzer(known), AnswerKind::Buzzer { choices }) => {
            if !dice.chance(if knows { BUZZES.0 } else { BUZZES.1 }) {
                return Vec::new();
            }
            match (&known.choices, known.right, choices) {
                (Some(listed), Some(right), Some(choices)) => one(choice(dice, knows, listed, right, choices)),
                _ => one(0),
            }
        }
        (Kind::Wager(_), AnswerKind::Wager { stake: Stake::DoubleOrQuit, .. }) => one(dice.below(2)),
        (Kind::Wager(_), AnswerKind::Wager { most, .. }) => {
            let most = u64::try_from(player.points).unwrap_or(0).min(u64::from(*most));
            one(dice.below(most / 2 + 1))
        }
        // A slide, or a kind that is asked in another way than it stands in the setup: there is no answer.
        _ => Vec::new(),
    }
}

/// Where the right one of the listed choices is among those that are shown, or another place.
fn choice(dice: &mut Dice, knows: bool, listed: &[String], right: u8, shown: &[String]) -> u64 {
    let right = listed.get(usize::from(right));
    let place = shown.iter().position(|text| Some(text) == right).unwrap_or(0);
    let other = (place + 1 + dice.place(shown.len() - 1)) % shown.len();
    (if knows { place } else { other }) as u64
}

/// The right order of the items that are shown, or one with two of them changed.
fn order(dice: &mut Dice, knows: bool, right: &[String], shown: &[String]) -> u64 {
    let place_of =
        |text: &String| shown.iter().position(|other| other == text).and_then(|place| u8::try_from(place).ok());
    let mut places: Vec<u8> = right.iter().filter_map(place_of).collect();
    if !knows && places.len() > 1 {
        let first = dice.place(places.len() - 1);
        places.swap(first, first + 1);
    }
    order_to_bits(&places)
}

/// As much of the text as is allowed, in bytes.
fn text(text: &str, longest: u16) -> Option<ClaimValue> {
    let end =
        text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end <= usize::from(longest)).last()?;
    ClaimText::parse(&text[..end]).ok().map(ClaimValue::Text)
}
