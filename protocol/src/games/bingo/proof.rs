//! The proof file of a part of bingo: from what its tickets and its balls followed. It is public when the part is over.
//!
//! A proof file may come from anybody. Reading one takes memory for what it can rightly hold and no more: all arrays and texts in it have
//! limits. The tickets, which are most of a file, can be left out or read one seat at a time: [`BingoProof`] is generic over them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, IgnoredAny, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pattern::Balls;
use crate::limits::SEATS;

/// The version of the format.
const VERSION: u8 = 1;
/// Most seats in a roster.
const MOST_SEATS: usize = *SEATS.end() as usize;
/// Most tickets of a seat, rows of a ticket and cells of a row.
const MOST_TICKETS: usize = 6;
const MOST_ROWS: usize = 5;
const MOST_CELLS: usize = 9;
/// Most balls.
const MOST_BALLS: usize = 90;

/// 32 bytes, written as 64 hex digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytes32(pub [u8; 32]);

impl fmt::Display for Bytes32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Bytes32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes32({self})")
    }
}

impl std::str::FromStr for Bytes32 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "64 hex digits in lower case";
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(WANTED),
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| WANTED)?;
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(digits[0])? << 4 | digit(digits[1])?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Bytes32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|wanted| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
    }
}

impl JsonSchema for Bytes32 {
    fn schema_name() -> Cow<'static, str> {
        "Bytes32".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "32 bytes in hex.", "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

/// A list of at most `MOST` elements. A longer one is refused where it becomes too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AtMost<T, const MOST: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Elements<T, MOST> {
            type Value = AtMost<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while list.len() < MOST {
                    let Some(element) = elements.next_element()? else { return Ok(AtMost(list)) };
                    list.push(element);
                }
                match elements.next_element::<IgnoredAny>()? {
                    Some(_) => Err(A::Error::invalid_length(MOST + 1, &self)),
                    None => Ok(AtMost(list)),
                }
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

impl<T: JsonSchema, const MOST: usize> JsonSchema for AtMost<T, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("AtMost{MOST}Of{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": generator.subschema_for::<T>(), "maxItems": MOST })
    }
}

/// A number that is the same in all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofVersion;

impl Serialize for ProofVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(VERSION)
    }
}

impl<'de> Deserialize<'de> for ProofVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            1 => Ok(Self),
            other => {
                Err(D::Error::custom(format!("this is version {other} of proof files, and only {VERSION} is known")))
            }
        }
    }
}

impl JsonSchema for ProofVersion {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ProofVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": VERSION })
    }
}

/// Of which game a proof file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofGame {
    /// Bingo.
    Bingo,
}

/// A seat with tickets: its number, when it was taken in milliseconds since 1970, and how many tickets it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(expecting = "[seat, time, tickets]")]
pub struct ProofSeat(pub u32, pub u64, pub u8);

/// A ticket as rows of cells. A free or blank cell is 0.
pub type TicketRows = AtMost<AtMost<u8, MOST_CELLS>, MOST_ROWS>;

/// The tickets of a seat.
pub type SeatTickets = AtMost<TicketRows, MOST_TICKETS>;

/// From what the tickets and the balls of a part of bingo followed. docs/rules/bingo.md tells how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BingoProof<T = BTreeMap<u32, SeatTickets>> {
    /// The version of this format.
    pub klaxon_proof: ProofVersion,
    /// Which game.
    pub game: ProofGame,
    /// How many balls there are, 75 or 90.
    pub balls: Balls,
    /// How many tickets each seat has, 1 to 6. Six with 90 balls are a strip.
    #[schemars(range(min = 1, max = 6))]
    pub tickets_each: u8,
    /// The SHA-256 of the seed, which players were sent before the first ticket.
    pub commitment: Bytes32,
    /// The seed.
    pub seed: Bytes32,
    /// All seats that were dealt tickets, by their numbers.
    pub roster: AtMost<ProofSeat, MOST_SEATS>,
    /// The hash of the roster, which players were sent before the first ball.
    pub roster_hash: Bytes32,
    /// The public value, if one was announced.
    pub public_value: Option<String>,
    /// All balls in the order in which they come.
    pub order: AtMost<u8, MOST_BALLS>,
    /// How many of them were drawn.
    pub drawn: u8,
    /// The tickets as they were dealt, of all seats or of some of them, by the seats' numbers in ascending order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tickets: Option<T>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn valid() -> Value {
        let zeros = "0".repeat(64);
        json!({
            "klaxon_proof": 1, "game": "bingo", "balls": 75, "tickets_each": 1, "commitment": zeros, "seed": zeros,
            "roster": [[0, 1000, 1], [7, 1001, 1]], "roster_hash": zeros, "public_value": null, "order": [1, 2], "drawn": 1,
            "tickets": { "0": [[[1, 2]]], "7": [[[3, 0]]] },
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut proof = valid();
        proof[field] = value;
        proof
    }

    #[test]
    fn a_proof_is_written_as_it_is_read() {
        let without_tickets = {
            let mut proof = valid();
            proof.as_object_mut().unwrap().remove("tickets");
            proof
        };
        for json in [valid(), without_tickets, with("public_value", json!("DAX 24,123.45"))] {
            let proof: BingoProof = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&proof).unwrap(), json);
        }
    }

    #[test]
    fn what_is_no_proof_is_refused_by_name() {
        let upper = "A".repeat(64);
        for (field, value, told) in [
            ("klaxon_proof", json!(2), "version 2"),
            ("game", json!("chess"), "unknown variant `chess`"),
            ("balls", json!(80), "75 or 90, not 80"),
            ("balls", json!(-75), "integer `-75`"),
            ("tickets_each", json!(1.5), "floating point `1.5`"),
            ("tickets_each", json!("1"), "string \"1\""),
            ("seed", json!("00"), "64 hex digits"),
            ("seed", json!(upper), "64 hex digits"),
            ("commitment", json!("é".repeat(32)), "64 hex digits"),
            ("roster", json!([[0, 1000]]), "invalid length 2"),
            ("roster", json!([[0, 1000, 1, 1]]), "trailing"),
            ("roster", json!([[0, 1000, 256]]), "256"),
            ("roster", json!({}), "map"),
            ("order", json!(vec![1; 91]), "a list of at most 90"),
            ("tickets", json!({ "0": vec![json!([]); 7] }), "a list of at most 6"),
            ("tickets", json!({ "0": [vec![json!([]); 6]] }), "a list of at most 5"),
            ("tickets", json!({ "0": [[vec![0; 10]]] }), "a list of at most 9"),
            ("tickets", json!({ "a": [] }), "a"),
            ("extra", json!(0), "unknown field `extra`"),
        ] {
            let text = with(field, value.clone()).to_string();
            let error = serde_json::from_str::<BingoProof>(&text).unwrap_err().to_string();
            assert!(error.contains(told), "{field} {value}: {error}");
        }
        let twice = valid().to_string().replacen('{', "{\"drawn\":1,", 1);
        let error = serde_json::from_str::<BingoProof>(&twice).unwrap_err().to_string();
        assert!(error.contains("duplicate field `drawn`"), "{error}");
    }

    #[test]
    fn each_field_but_the_tickets_and_the_public_value_has_to_be_there() {
        for field in valid().as_object().unwrap().keys() {
            let mut less = valid();
            less.as_object_mut().unwrap().remove(field);
            let is_read = serde_json::from_value::<BingoProof>(less).is_ok();
            assert_eq!(is_read, ["tickets", "public_value"].contains(&field.as_str()), "{field}");
        }
    }

    #[test]
    fn a_roster_of_a_million_has_the_size_that_the_rules_say() {
        let seats = (0..1_000_000).map(|seat| ProofSeat(seat, 1_795_960_000_000, 6)).collect();
        let bytes = serde_json::to_vec(&AtMost::<ProofSeat, MOST_SEATS>(seats)).unwrap().len();
        assert_eq!(bytes.div_ceil(1_000_000), 25);
    }
}
