//! What a host may say to everybody.

use crate::error::{ErrorCode, Refusal};
use crate::host::Action;
use crate::limits::TEXT_LENGTH;
use crate::text;

impl Action {
    /// Why no show does this, whatever it is at. Asked before a show is: a show's own rules are those of the journal, where an earlier
    /// version may have let in what is refused here.
    #[must_use]
    pub fn problem(&self) -> Option<Refusal> {
        let (what, text) = match self {
            Self::Void { reason } => ("reason", reason),
            Self::Message { text } => ("text", text),
            _ => return None,
        };
        let problem = text::problem(text, &TEXT_LENGTH)?;
        Some(Refusal::because(ErrorCode::BadArgument, format!("`{what}` {problem}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_to_everybody_acts_on_no_screen_and_is_not_blank() {
        let told = |text: &str| {
            let (text, reason) = (text.to_owned(), text.to_owned());
            [Action::Message { text }, Action::Void { reason }].map(|action| action.problem().map(|bad| bad.detail))
        };
        for bad in ["a\u{1b}[2Jb", "\u{7}", "a\nb", "a\tb", "a\u{9b}b", "a\u{2028}b", "a\u{202e}b", "a\u{2067}b"] {
            let [message, void] = told(bad);
            assert!(message.unwrap().starts_with("`text` must not hold "), "{bad:?}");
            assert!(void.unwrap().starts_with("`reason` must not hold "), "{bad:?}");
        }
        for blank in [" ", "\u{ad}", "\u{3164}", "\u{2800}"] {
            assert!(
                told(blank).into_iter().all(|told| told.is_some_and(|told| told.contains("is blank"))),
                "{blank:?}"
            );
        }
        assert!(told(&"x".repeat(501)).iter().all(Option::is_some));
        assert_eq!(told("שלום\u{200f}! 👨\u{200d}👩\u{200d}👧"), [None, None]);
        assert_eq!(Action::Next.problem(), None);
    }
}
