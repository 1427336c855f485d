//! The report of a run: its figures for programs, and the document for people.

mod bingo;
mod document;
mod figures;
mod latency;
mod model;
mod quiz;
mod waits;

pub use document::document;
pub use latency::{Bucket, Latency};
pub use model::{
    Answers, Comparison, Crowd, DatabaseLine, HostLine, Memory, PromiseLine, QuestionLine, Report, Setup, Traffic,
    WinnerLine, Winners,
};
pub use waits::{FaultLine, Wait};
