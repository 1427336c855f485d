//! What the host is typing.

/// What the host is typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// Something with a text: what is asked, the order's first words, and what is typed so far.
    Text {
        /// What the host is asked.
        asks: &'static str,
        /// What stands before the text to make an order of it.
        order: &'static str,
        /// What is typed so far.
        typed: String,
    },
    /// Whether the show shall end, and how.
    End,
}

impl Prompt {
    /// Asks for a text.
    pub const fn text(asks: &'static str, order: &'static str) -> Self {
        Self::Text { asks, order, typed: String::new() }
    }

    /// What the host sees.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Text { asks, typed, .. } => format!("{asks}: {typed}_"),
            Self::End => "End the show? y: with prizes, u: unpaid, Esc: no".into(),
        }
    }
}
