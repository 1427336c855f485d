//! One message of every kind that there is, taken from one small show: Ann and Bob play, Carl watches.

mod host;
mod journal;
mod link;
mod player;
mod words;

pub use host::{from_host, to_host};
pub use journal::{people, records};
pub use link::{to_engine, to_gateway};
pub use player::{from_player, to_player};
pub use words::words;

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{Name, Seat, Seq, ShowId};
use klaxon_protocol::time::Millis;

/// An enum of the wire whose variants have their names listed.
pub trait Variants {
    /// Every variant's name, in the enum's order.
    const NAMES: &'static [&'static str];

    /// This value's variant.
    fn variant(&self) -> &'static str;
}

/// Names every variant of an enum; does not compile when one is missing, for the `match` is then not whole.
macro_rules! variants {
    ($enum:ident { $($variant:ident $(($fields:tt))? $({$rest:tt})? = $name:literal,)* }) => {
        impl crate::examples::Variants for $enum {
            const NAMES: &'static [&'static str] = &[$($name),*];

            fn variant(&self) -> &'static str {
                match self { $(Self::$variant $(($fields))? $({$rest})? => $name,)* }
            }
        }
    };
}
use variants;

pub const SHOW: ShowId = ShowId(16_045_690_984_833_335_023);
pub const ANN: Seat = Seat(0);
pub const BOB: Seat = Seat(1);
pub const FIRST: QuestionId = QuestionId(1);

/// So long after the lobby was opened at 2027-01-15T08:00:00Z.
pub const fn at(ms: u64) -> Millis {
    Millis(1_800_000_000_000 + ms)
}

pub const fn seq(number: u64) -> Seq {
    Seq(number)
}

pub fn name(name: &str) -> Name {
    Name::parse(name).unwrap()
}
