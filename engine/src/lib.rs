//! The rules and the truth: what a show is, what counts, and what is kept of it.

pub mod arbiter;
pub mod archive;
pub mod bus;
pub mod journal;
