//! What hosts of bingo can do with `play`, and what they are sent for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{BingoOwn, Won};
use crate::ids::Seat;
use crate::player::Body;

/// The body of a `play`: one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BingoPlay {
    /// Closes the dealing: `{"close_dealing":true}`.
    CloseDealing,
    /// The public value: `{"public_value":"..."}`.
    PublicValue(String),
    /// Asks for the tickets of a seat: `{"card":7}`.
    Card(Seat),
    /// Asks for how many tickets are near a prize: `{"near":true}`.
    Near,
}

/// The fields of the body.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Fields {
    close_dealing: Option<bool>,
    public_value: Option<String>,
    card: Option<Seat>,
    near: Option<bool>,
}

impl BingoPlay {
    /// Reads the body of a `play`.
    ///
    /// # Errors
    /// What is wrong with it, and what there is.
    pub fn read(body: &Body) -> Result<Self, String> {
        let Fields { close_dealing, public_value, card, near } = body.read_known()?;
        match (close_dealing, public_value, card, near) {
            (Some(true), None, None, None) => Ok(Self::CloseDealing),
            (None, Some(value), None, None) => Ok(Self::PublicValue(value)),
            (None, None, Some(seat), None) => Ok(Self::Card(seat)),
            (None, None, None, Some(true)) => Ok(Self::Near),
            _ => {
                Err("Bingo has one of `close_dealing: true`, `public_value: \"...\"`, `card: SEAT`, `near: true`."
                    .into())
            }
        }
    }
}

/// How near tickets are to a prize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NearPrize {
    /// The prize's index.
    pub prize: u8,
    /// How many tickets have the pattern, and could win it if they were called in time.
    pub complete: u32,
    /// How many need one more number.
    pub one_to_go: u32,
    /// How many need two more.
    pub two_to_go: u32,
}

/// The answer to `{"near":true}`, for hosts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Near {
    /// The part's index in the show.
    pub part: u16,
    /// For each prize that is not gone.
    pub near: Vec<NearPrize>,
}

/// The answer to `{"card":SEAT}`, for hosts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Whose tickets.
    pub seat: Seat,
    /// The tickets, and what happened with them.
    pub own: BingoOwn,
    /// For each ticket: which of its numbers are drawn.
    pub drawn: Vec<Vec<u8>>,
    /// For each ticket: the prizes whose patterns are complete on it, gone or not.
    pub complete: Vec<Vec<u8>>,
    /// What the seat has won.
    pub won: Vec<Won>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_play_is_one_thing() {
        let read = |json| BingoPlay::read(&Body::of(&json));
        assert_eq!(read(json!({ "close_dealing": true })), Ok(BingoPlay::CloseDealing));
        assert_eq!(read(json!({ "public_value": "41,23" })), Ok(BingoPlay::PublicValue("41,23".into())));
        assert_eq!(read(json!({ "card": 7 })), Ok(BingoPlay::Card(Seat(7))));
        assert_eq!(read(json!({ "near": true })), Ok(BingoPlay::Near));
        for wrong in [json!({}), json!({ "near": false }), json!({ "near": true, "card": 1 })] {
            assert!(read(wrong).unwrap_err().contains("one of `close_dealing: true`"));
        }
        assert!(read(json!({ "draw": 5 })).unwrap_err().starts_with("`draw` is not known"));
    }
}
