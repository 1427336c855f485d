//! Klaxon's messages: everything that players, hosts, gateways, engines and journals exchange, and its encoding.
//!
//! No I/O, no clock, no rules. [`player`], [`host`], [`link`] and [`journal`] define all messages; those of one game
//! only are in [`games`].

pub mod apart;
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
pub mod register;
#[cfg(test)]
mod round_trip;
pub mod text;
pub mod time;
mod unicode;
