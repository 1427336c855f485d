//! Klaxon's words: everything that players, hosts, gateways, engines and journals say, and how it is encoded.
//!
//! No I/O, no clock, no rules. Reading [`player`], [`host`], [`link`] and [`journal`] is reading the system's whole vocabulary; what is one
//! game's alone is in [`games`].

pub mod binary;
pub mod claim;
pub mod codec;
pub mod error;
pub mod games;
pub mod host;
mod host_words;
pub mod ids;
pub mod in_json;
pub mod journal;
pub mod limits;
pub mod link;
pub mod money;
pub mod name;
pub mod origin;
pub mod player;
#[cfg(test)]
mod round_trip;
pub mod text;
pub mod time;
mod unicode;
