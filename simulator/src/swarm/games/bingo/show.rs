//! The parts of bingo that the swarm plays. Amounts are such that no number of winners divides them, so that remainders are
//! shared, too.

use serde_json::{Value, json};

fn prize(name: &str, pattern: &str, amount: u64) -> Value {
    json!({ "name": name, "pattern": pattern, "amount": amount })
}

/// With 75 balls; `window` is for how long each ball can be called, in ms.
#[must_use]
pub fn bingo75(window: u64) -> Value {
    let plus =
        json!({ "name": "Plus", "pattern": "cells", "masks": [0b00100_00100_11111_00100_00100], "amount": 77_773 });
    json!({
        "part": "bingo", "balls": 75, "tickets": 6,
        "prizes": [
            prize("Line", "line", 10_007), prize("Four corners", "four_corners", 20_011),
            prize("Two lines", "two_lines", 50_021), plus, prize("X", "x", 100_003),
            prize("Frame", "frame", 200_003), prize("Blackout", "blackout", 1_000_003),
        ],
        "settings": {
            "last_ball": "any", "share": "all", "false_call": "ticket", "false_call_limit": 2, "window": window,
        },
    })
}

/// With 90 balls.
#[must_use]
pub fn bingo90(window: u64) -> Value {
    json!({
        "part": "bingo", "balls": 90, "tickets": 6, "public_value": "The closing price of tomorrow",
        "prizes": [
            prize("Early five", "early_five", 10_007), prize("Top line", "top_line", 30_011),
            prize("Middle line", "middle_line", 30_013), prize("Bottom line", "bottom_line", 30_029),
            prize("Corners", "four_corners", 20_011), prize("Full house", "full_house", 1_000_003),
            prize("Second house", "second_house", 300_007), prize("Third house", "third_house", 100_003),
        ],
        "settings": { "last_ball": "required", "share": "all", "false_call": "prize", "window": window },
    })
}

/// With 90 balls, of which a few are enough to win all prizes.
#[must_use]
pub fn tambola(window: u64) -> Value {
    json!({
        "part": "bingo", "balls": 90, "tickets": 6,
        "prizes": [prize("Early five", "early_five", 10_007), prize("Corners", "four_corners", 20_011)],
        "settings": { "last_ball": "required", "share": "all", "false_call": "round", "false_call_limit": 3, "window": window },
    })
}
