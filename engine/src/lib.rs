//! The rules and the truth: what a show is, what counts, and what is kept of it.

pub mod arbiter;
pub mod bus;
pub mod clock;
pub mod game;
pub mod replay;
