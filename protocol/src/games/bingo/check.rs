//! What is wrong with a setup, all at once.

use std::ops::RangeInclusive;

use super::pattern::{FREE_CELL, Pattern};
use super::settings::{
    BingoPrize, BingoSettings, BingoSetup, CallBy, FALSE_CALL_LIMIT, FalseCall, LARGEST_AMOUNT, MASKS, MIN_SHARE, PACE,
    PRIZE_NAME, PRIZES, ShareBy, TICKETS_EACH, WINDOW,
};
use crate::limits::TEXT_LENGTH;
use crate::text::{self, harmless};

impl BingoSetup {
    /// Everything that is wrong, each line naming the field and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut wrong = |problem: String| problems.push(problem);
        check_range(&mut wrong, "tickets", TICKETS_EACH, self.tickets);
        if !PRIZES.contains(&self.prizes.len()) {
            wrong(format!("prizes: {} to {}, not {}", PRIZES.start(), PRIZES.end(), self.prizes.len()));
        }
        for (index, prize) in self.prizes.iter().enumerate() {
            self.check_prize(index, prize, &mut |problem| wrong(format!("prizes[{index}].{problem}")));
        }
        if self.pot().is_none_or(|pot| pot > LARGEST_AMOUNT) {
            wrong(format!("prizes: all amounts together are {LARGEST_AMOUNT} at most"));
        }
        if let Some(problem) = self.public_value.as_deref().and_then(|words| text::problem(words, &TEXT_LENGTH)) {
            wrong(format!("public_value {problem}"));
        }
        self.settings.check(&mut |problem| wrong(format!("settings.{problem}")));
        problems
    }

    /// What all prizes come to, in minor units; none if that is more than a number can hold.
    #[must_use]
    pub fn pot(&self) -> Option<u64> {
        self.prizes.iter().try_fold(0_u64, |sum, prize| sum.checked_add(prize.amount))
    }

    fn check_prize(&self, index: usize, prize: &BingoPrize, wrong: &mut dyn FnMut(String)) {
        let BingoPrize { name, pattern, amount, .. } = prize;
        let word = serde_json::to_string(pattern).unwrap_or_default();
        if let Some(problem) = text::problem(name, &PRIZE_NAME) {
            wrong(format!("name {problem}"));
        }
        if self.prizes[..index].iter().any(|other| other.name == *name) {
            wrong(format!("name: another prize is called \"{}\"", harmless(name)));
        }
        if !pattern.is_for(self.balls) {
            wrong(format!("pattern: {word} is no pattern with {} balls", self.balls.count()));
        } else {
            self.check_masks(prize, &word, wrong);
        }
        let before = &self.prizes[..index];
        if let Some(first) = pattern.after()
            && !before.iter().any(|other| other.pattern == first)
        {
            let first = serde_json::to_string(&first).unwrap_or_default();
            wrong(format!("pattern: {word} needs {first} among the prizes before it"));
        }
        if pattern.is_house() && before.iter().any(|other| other.pattern == *pattern) {
            wrong(format!("pattern: {word} is the pattern of a prize before it"));
        }
        check_range(wrong, "amount", 0..=LARGEST_AMOUNT, *amount);
        if self.settings.min_share > *amount {
            wrong(format!("amount: {amount} is less than `settings.min_share`, which is {}", self.settings.min_share));
        }
    }

    fn check_masks(&self, BingoPrize { pattern, masks, .. }: &BingoPrize, word: &str, wrong: &mut dyn FnMut(String)) {
        let Some(all) = pattern.own_mask(self.balls) else {
            if !masks.is_empty() {
                wrong(format!("masks: {word} has none of its own"));
            }
            return;
        };
        if !MASKS.contains(&masks.len()) {
            wrong(format!("masks: {} to {}, not {}", MASKS.start(), MASKS.end(), masks.len()));
        }
        let free = if *pattern == Pattern::Cells && self.balls.cells() == 25 { FREE_CELL } else { 0 };
        for (index, mask) in masks.iter().enumerate().take(*MASKS.end()) {
            if mask & !all != 0 {
                wrong(format!("masks[{index}]: {} bits at most, {mask} has more", all.count_ones()));
            } else if mask & !free == 0 {
                wrong(format!("masks[{index}]: {mask} asks for no number"));
            }
        }
    }
}

impl BingoSettings {
    fn check(&self, wrong: &mut dyn FnMut(String)) {
        check_range(wrong, "false_call_limit", FALSE_CALL_LIMIT, self.false_call_limit);
        check_range(wrong, "min_share", MIN_SHARE, self.min_share);
        check_range(wrong, "pace", PACE.start().0..=PACE.end().0, self.pace.0);
        check_range(wrong, "window", WINDOW.start().0..=WINDOW.end().0, self.window.0);
        if self.share == ShareBy::First && self.call == CallBy::Auto {
            wrong(
                "share: `first` goes by the times of players' calls, and with `call: auto` there are none".to_owned(),
            );
        }
        if self.share == ShareBy::First && self.min_share > 0 {
            wrong("min_share: with `share: first` nothing is shared".to_owned());
        }
        if self.false_call != FalseCall::None && self.call == CallBy::Auto {
            wrong("false_call: with `call: auto` there are no false calls".to_owned());
        }
        if self.false_call == FalseCall::None && self.false_call_limit != Self::default().false_call_limit {
            wrong("false_call_limit: with `false_call: none` no false call costs anything".to_owned());
        }
    }
}

fn check_range<T: PartialOrd + std::fmt::Display>(
    wrong: &mut (impl FnMut(String) + ?Sized),
    name: &str,
    allowed: RangeInclusive<T>,
    value: T,
) {
    if !allowed.contains(&value) {
        wrong(format!("{name}: {} to {}, not {value}", allowed.start(), allowed.end()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::player::Body;

    fn read(json: &Value) -> Result<BingoSetup, String> {
        Body::of(json).read_known()
    }

    fn problems(json: &Value) -> Vec<String> {
        read(json).unwrap().problems()
    }

    #[test]
    fn an_evening_of_each_kind_can_be_played() {
        let american = json!({ "balls": 75, "prizes": [
            { "name": "Line", "pattern": "line", "amount": 1000 },
            { "name": "Two lines", "pattern": "two_lines", "amount": 2000 },
            { "name": "Plus", "pattern": "cells", "masks": [0b00100_00100_11111_00100_00100], "amount": 3000 },
            { "name": "Blackout", "pattern": "blackout", "amount": 10000 },
        ]});
        let indian = json!({ "balls": 90, "tickets": 6, "public_value": "Tomorrow's closing price", "prizes": [
            { "name": "Early five", "pattern": "early_five" },
            { "name": "Corners", "pattern": "four_corners" },
            { "name": "Pyramid", "pattern": "numbers", "masks": [0b11111_01110_00100] },
            { "name": "House", "pattern": "full_house" },
            { "name": "Second house", "pattern": "second_house" },
            { "name": "Third house", "pattern": "third_house" },
        ], "settings": { "last_ball": "any", "false_call": "ticket", "false_call_limit": 3 }});
        for setup in [american, indian] {
            assert_eq!(problems(&setup), Vec::<String>::new());
            let read = read(&setup).unwrap();
            assert_eq!(serde_json::from_value::<BingoSetup>(serde_json::to_value(&read).unwrap()).unwrap(), read);
        }
    }

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_not_known_is_refused_by_name() {
        let setup = read(&json!({ "balls": 75, "prizes": [{ "name": "Line", "pattern": "line" }] })).unwrap();
        assert_eq!((setup.tickets, setup.prizes[0].amount, &setup.settings), (1, 0, &BingoSettings::default()));
        let told = |json: Value| read(&json).unwrap_err();
        let unknown = told(json!({ "balls": 75, "prizes": [{ "name": "Line", "pattern": "line", "colour": 1 }] }));
        assert!(unknown.starts_with("`prizes[0].colour` is not known"), "{unknown}");
        let balls = told(json!({ "balls": 80, "prizes": [] }));
        assert!(balls.contains("75 or 90, not 80"), "{balls}");
        let pattern = told(json!({ "balls": 75, "prizes": [{ "name": "Line", "pattern": "knight" }] }));
        assert!(pattern.starts_with("`prizes[0].pattern`: expected one of \"line\", \"two_lines\""), "{pattern}");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let most = LARGEST_AMOUNT;
        let setup = json!({ "balls": 75, "tickets": 7, "public_value": " ", "prizes": [
            { "name": "A", "pattern": "early_five", "amount": most },
            { "name": "A", "pattern": "line", "masks": [1], "amount": most },
            { "name": "", "pattern": "cells", "amount": 1 },
            { "name": "B", "pattern": "cells", "masks": [1 << 25, 1 << 12], "amount": 100 },
        ], "settings": { "call": "auto", "share": "first", "false_call": "round", "false_call_limit": 0, "min_share": 2, "window": 499, "pace": 3_600_001 }});
        let told = problems(&setup);
        let expected = [
            "tickets: 1 to 6, not 7",
            "prizes[0].pattern: \"early_five\" is no pattern with 75 balls",
            "prizes[1].name: another prize is called \"A\"",
            "prizes[1].masks: \"line\" has none of its own",
            "prizes[2].name has 1 to 60 characters, this one has 0",
            "prizes[2].masks: 1 to 100, not 0",
            "prizes[2].amount: 1 is less than `settings.min_share`, which is 2",
            "prizes[3].masks[0]: 25 bits at most, 33554432 has more",
            "prizes[3].masks[1]: 4096 asks for no number",
            "prizes: all amounts together are 9007199254740991 at most",
            "public_value has 1 to 500 characters, at least one of which can be seen; this one is blank",
            "settings.false_call_limit: 1 to 100, not 0",
            "settings.pace: 0 to 3600000, not 3600001",
            "settings.window: 500 to 600000, not 499",
            "settings.share: `first` goes by the times of players' calls, and with `call: auto` there are none",
            "settings.min_share: with `share: first` nothing is shared",
            "settings.false_call: with `call: auto` there are no false calls",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn houses_follow_each_other() {
        let setup = json!({ "balls": 90, "prizes": [
            { "name": "2", "pattern": "second_house" },
            { "name": "1", "pattern": "full_house" },
            { "name": "1 again", "pattern": "full_house" },
            { "name": "3", "pattern": "third_house" },
        ]});
        assert_eq!(
            problems(&setup),
            [
                "prizes[0].pattern: \"second_house\" needs \"full_house\" among the prizes before it",
                "prizes[2].pattern: \"full_house\" is the pattern of a prize before it",
            ]
        );
        let frame = json!({ "balls": 90, "prizes": [{ "name": "F", "pattern": "frame" }] });
        assert_eq!(problems(&frame), ["prizes[0].pattern: \"frame\" is no pattern with 90 balls"]);
    }
}
