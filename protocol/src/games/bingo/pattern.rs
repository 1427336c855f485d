//! What has to be marked on a ticket to win a prize.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many balls there are, which determines the kind of ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balls {
    /// 75 balls; tickets with 5 rows of 5 cells, of which the one in the middle is free.
    Of75,
    /// 90 balls; tickets with 3 rows of 9 cells, 5 numbers in each row.
    Of90,
}

impl Balls {
    /// The number of balls, which is the largest number.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Of75 => 75,
            Self::Of90 => 90,
        }
    }

    /// How many cells a ticket has.
    #[must_use]
    pub const fn cells(self) -> u32 {
        match self {
            Self::Of75 => 25,
            Self::Of90 => 27,
        }
    }

    /// How many numbers a ticket has.
    #[must_use]
    pub const fn numbers(self) -> u32 {
        match self {
            Self::Of75 => 24,
            Self::Of90 => 15,
        }
    }
}

impl Serialize for Balls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.count())
    }
}

impl<'de> Deserialize<'de> for Balls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            75 => Ok(Self::Of75),
            90 => Ok(Self::Of90),
            other => Err(serde::de::Error::custom(format!("balls: 75 or 90, not {other}"))),
        }
    }
}

impl JsonSchema for Balls {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Balls".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "How many balls there are.", "type": "integer", "enum": [75, 90] })
    }
}

/// The free cell of a ticket with 75 balls, as a bit of a mask of cells.
pub const FREE_CELL: u32 = 1 << 12;

/// Which numbers of a ticket have to be drawn. A pattern with several possibilities needs one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// 75 balls: a row, a column or a diagonal. 90 balls: a row.
    Line,
    /// Any two lines.
    TwoLines,
    /// 75 balls: the cells in the corners. 90 balls: the first and the last number of the top row and of the bottom row.
    FourCorners,
    /// 75 balls: both diagonals.
    X,
    /// 75 balls: the first and the last row and column.
    Frame,
    /// 75 balls: all cells.
    Blackout,
    /// 90 balls: any five numbers.
    EarlyFive,
    /// 90 balls: the top row.
    TopLine,
    /// 90 balls: the middle row.
    MiddleLine,
    /// 90 balls: the bottom row.
    BottomLine,
    /// 90 balls: all 15 numbers.
    FullHouse,
    /// 90 balls: all 15 numbers, on a ticket that won no full house, from the ball after the full house was won.
    SecondHouse,
    /// The same after the second house.
    ThirdHouse,
    /// One of the prize's `masks` of cells: bit 0 is the first cell of the top row, then row by row. Cells without a number need no ball; a
    /// mask that has no number on a ticket can't be won with it.
    Cells,
    /// 90 balls: one of the prize's `masks` of numbers: bit 0 is the first number of the top row, then row by row, 15 bits.
    Numbers,
}

impl Pattern {
    /// Whether the pattern is one of the houses, of which a ticket wins at most one.
    #[must_use]
    pub const fn is_house(self) -> bool {
        matches!(self, Self::FullHouse | Self::SecondHouse | Self::ThirdHouse)
    }

    /// The house that must be won before this one.
    #[must_use]
    pub const fn after(self) -> Option<Self> {
        match self {
            Self::SecondHouse => Some(Self::FullHouse),
            Self::ThirdHouse => Some(Self::SecondHouse),
            _ => None,
        }
    }

    /// Whether tickets with this many balls have the pattern.
    #[must_use]
    pub const fn is_for(self, balls: Balls) -> bool {
        match self {
            Self::Line | Self::TwoLines | Self::FourCorners | Self::Cells => true,
            Self::X | Self::Frame | Self::Blackout => matches!(balls, Balls::Of75),
            _ => matches!(balls, Balls::Of90),
        }
    }

    /// Which bits the prize's own masks can have; none if the pattern has no masks of the prize.
    #[must_use]
    pub const fn own_mask(self, balls: Balls) -> Option<u32> {
        match self {
            Self::Cells => Some((1 << balls.cells()) - 1),
            Self::Numbers => Some((1 << balls.numbers()) - 1),
            _ => None,
        }
    }
}
