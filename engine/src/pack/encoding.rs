//! The four ways in which the Open Trivia Database's API encodes its texts.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::problem::excerpt;

/// How the API encoded the texts: its parameter `encode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// HTML entities (`&quot;`), the API's default.
    Html,
    /// `url3986`: percent signs.
    Url3986,
    /// `urlLegacy`: percent signs, and `+` for a space.
    UrlLegacy,
    /// `base64`.
    Base64,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 4] = [Self::Html, Self::Url3986, Self::UrlLegacy, Self::Base64];

    /// Its name in lower case, as in [`super::Format`]'s names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Url3986 => "url3986",
            Self::UrlLegacy => "urllegacy",
            Self::Base64 => "base64",
        }
    }

    /// Detects the encoding from all texts of a response, including the question types. Base64 is recognised by the
    /// type, which is one of two words; percent signs and plusses are literal where there are spaces, which the other
    /// encodings do not contain.
    pub(super) fn detect<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        const KINDS_IN_BASE64: [&str; 2] = ["bXVsdGlwbGU=", "Ym9vbGVhbg=="];
        let mut plus = false;
        let mut percent = false;
        let mut other = false;
        for text in texts {
            if KINDS_IN_BASE64.contains(&text) {
                return Self::Base64;
            }
            for byte in text.bytes() {
                match byte {
                    b'+' => plus = true,
                    b'%' => percent = true,
                    b'-' | b'_' | b'.' | b'~' => {}
                    byte => other |= !byte.is_ascii_alphanumeric(),
                }
            }
        }
        match (other, plus, percent) {
            (false, true, _) => Self::UrlLegacy,
            (false, false, true) => Self::Url3986,
            _ => Self::Html,
        }
    }

    /// The text as the API's authors wrote it.
    pub(super) fn decode(self, text: &str) -> Result<String, String> {
        let decoded = match self {
            Self::Html => html_escape::decode_html_entities(text).into_owned(),
            Self::Url3986 => percent_decoded(text)?,
            Self::UrlLegacy => percent_decoded(&text.replace('+', " "))?,
            Self::Base64 => {
                let bytes =
                    STANDARD.decode(text).map_err(|error| format!("{} is not base64: {error}", excerpt(text)))?;
                String::from_utf8(bytes).map_err(|_| format!("{} is not base64 of UTF-8", excerpt(text)))?
            }
        };
        Ok(decoded.trim().to_owned())
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn percent_decoded(text: &str) -> Result<String, String> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| format!("{} is not percent-encoded UTF-8", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(texts: &[&str]) -> Encoding {
        Encoding::detect(texts.iter().copied())
    }

    #[test]
    fn one_text_with_a_space_shows_that_nothing_is_percent_encoded() {
        assert_eq!(detect(&["multiple", "C%2B%2B", "100%"]), Encoding::Url3986);
        assert_eq!(detect(&["multiple", "C++", "100%"]), Encoding::UrlLegacy);
        assert_eq!(detect(&["multiple", "C++", "100%", "Which language?"]), Encoding::Html);
        assert_eq!(detect(&["multiple", "Yes", "No"]), Encoding::Html);
        assert_eq!(detect(&["Which+one%3F", "bXVsdGlwbGU="]), Encoding::Base64);
    }

    #[test]
    fn each_encoding_is_undone() {
        for (encoding, text, decoded) in [
            (
                Encoding::Html,
                "&quot;R&amp;B&quot; &#039;n&#x27; caf&eacute; 5+5% &nope; &",
                "\"R&B\" 'n' café 5+5% &nope; &",
            ),
            (Encoding::Url3986, "caf%C3%A9+%2B%zz%", "café++%zz%"),
            (Encoding::UrlLegacy, "caf%C3%A9+%2B", "café +"),
            (Encoding::Base64, "Y2Fmw6k=", "café"),
        ] {
            assert_eq!(encoding.decode(text).as_deref(), Ok(decoded), "{encoding}");
        }
        assert!(Encoding::Url3986.decode("%ff").is_err());
        assert!(Encoding::Base64.decode("/w==").is_err());
        assert!(Encoding::Base64.decode("?").is_err());
    }
}
