//! The host's correction of what is right, after the reveal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most right answers that a question can have after corrections.
pub const MOST_RIGHTS: usize = 20;

/// Another right answer to a question that was revealed. Its results, and all that follows from them, are computed again. One of `choices`,
/// `number`, `order` and `spellings` is set, as the kind of the question needs; choices and items are numbered as they were sent, from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Accept {
    /// The number of the question in the quiz, from 1; the last one that was revealed if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<u16>,
    /// Each of these choices is right; with several choices to take, this set of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<u8>>,
    /// This number is right, without its decimal point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// This order is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<u8>>,
    /// These spellings are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spellings: Option<Vec<String>>,
    /// Whether what was right before is not right any more.
    pub only: bool,
}
