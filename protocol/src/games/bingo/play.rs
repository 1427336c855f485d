//! What hosts of bingo can do with `play`, and what they are sent for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::BingoOwn;
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
}

/// The fields of the body.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Fields {
    close_dealing: Option<bool>,
    public_value: Option<String>,
    card: Option<Seat>,
}

impl BingoPlay {
    /// Reads the body of a `play`.
    ///
    /// # Errors
    /// What is wrong with it, and what there is.
    pub fn read(body: &Body) -> Result<Self, String> {
        let Fields { close_dealing, public_value, card } = body.read_known()?;
        match (close_dealing, public_value, card) {
            (Some(true), None, None) => Ok(Self::CloseDealing),
            (None, Some(value), None) => Ok(Self::PublicValue(value)),
            (None, None, Some(seat)) => Ok(Self::Card(seat)),
            _ => Err("Bingo has one of `close_dealing: true`, `public_value: \"...\"` or `card: SEAT`.".into()),
        }
    }
}

/// The answer to `{"card":SEAT}`, for hosts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Whose tickets.
    pub card: Seat,
    /// The tickets, and what happened with them.
    pub own: BingoOwn,
    /// For each ticket: its numbers that are drawn, in the order in which they were drawn.
    pub drawn: Vec<Vec<u8>>,
    /// For each ticket: the prizes whose patterns are complete on it, gone or not.
    pub complete: Vec<Vec<u8>>,
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
        for wrong in [json!({}), json!({ "close_dealing": false }), json!({ "close_dealing": true, "card": 1 })] {
            assert!(read(wrong).unwrap_err().contains("one of `close_dealing: true`"));
        }
        assert!(read(json!({ "draw": 5 })).unwrap_err().starts_with("`draw` is not known"));
    }
}
