//! The wire as a client sees it: what is written down about it is what the code does.
//!
//! What is kept in files is written anew by `UPDATE_GOLDEN=1 UPDATE_SCHEMA=1 UPDATE_DOCS=1 cargo test -p klaxon-protocol
//! --test wire`.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

mod document;
mod examples;
mod fields;
mod golden;
mod journal;
mod kept;
mod layout;
mod link;
mod messages;
mod ordered;
mod reference;
mod schema;
mod validate;
