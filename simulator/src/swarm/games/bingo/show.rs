//! The shows of bingo that the swarm plays.

use std::time::Duration;

use klaxon_protocol::player::Body;
use serde_json::{Value, json};

use crate::swarm::games::Game;

/// A show of bingo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BingoShow {
    /// With 75 balls: sleepers may call late, false calls cost the ticket.
    Of75,
    /// With 90 balls, by strips: the last ball must complete the pattern, and the balls depend on a public value.
    Of90,
}

/// The game of a show for this many seats: how long each ball can be called, and from the ball until then.
#[must_use]
pub fn show(which: BingoShow, seats: u32, window: Duration, lead: Duration) -> Game {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    // Amounts that no number of winners divides, so that remainders are shared, too.
    let prize = |name: &str, pattern: &str, amount: u64| json!({ "name": name, "pattern": pattern, "amount": amount });
    let (balls, part) = match which {
        BingoShow::Of75 => {
            let plus = json!({ "name": "Plus", "pattern": "cells", "masks": [0b00100_00100_11111_00100_00100], "amount": 77_773 });
            let part = json!({
                "part": "bingo", "balls": 75, "tickets": 6,
                "prizes": [
                    prize("Line", "line", 10_007), prize("Four corners", "four_corners", 20_011),
                    prize("Two lines", "two_lines", 50_021), plus, prize("X", "x", 100_003),
                    prize("Frame", "frame", 200_003), prize("Blackout", "blackout", 1_000_003),
                ],
                "settings": {
                    "last_ball": "any", "share": "all", "false_call": "ticket", "false_call_limit": 2,
                    "window": millis(window),
                },
            });
            (75, part)
        }
        BingoShow::Of90 => {
            let part = json!({
                "part": "bingo", "balls": 90, "tickets": 6, "public_value": "The closing price of tomorrow",
                "prizes": [
                    prize("Early five", "early_five", 10_007), prize("Top line", "top_line", 30_011),
                    prize("Middle line", "middle_line", 30_013), prize("Bottom line", "bottom_line", 30_029),
                    prize("Corners", "four_corners", 20_011), prize("Full house", "full_house", 1_000_003),
                    prize("Second house", "second_house", 300_007), prize("Third house", "third_house", 100_003),
                ],
                "settings": {
                    "last_ball": "required", "share": "all", "false_call": "prize", "window": millis(window),
                },
            });
            (90, part)
        }
    };
    let setup: Value = json!({ "parts": [part], "lead": millis(lead), "currency": "EUR" });
    Game::Rundown { title: format!("Bingo with {balls} balls"), setup: Body::of(&setup), rounds: balls, seats }
}
