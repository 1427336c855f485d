//! Pictures, sounds and videos, which clients fetch by themselves from where the host put them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long an address may be, in bytes.
const LONGEST_URL: usize = 300;
/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// A picture, sound or video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// Where it is: an address of at most 300 characters that begins with `https://` and ends with a name of 64 hexadecimal digits and an
    /// extension, such as the SHA-256 of the file. Any other name could tell what is asked, since clients load it before the question.
    #[schemars(regex(pattern = r"^https://[^\s?#@]+/[0-9a-f]{64}\.[a-z0-9]{2,5}$"), length(max = LONGEST_URL))]
    pub url: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: MediaType,
    /// How large it is, in bytes: at most 5 MB for a picture, 10 MB for a sound, 50 MB for a video.
    #[schemars(range(min = 1, max = 50_000_000))]
    pub bytes: u32,
}

/// The types that browsers show, without those that can carry scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MediaType {
    /// A picture.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A picture.
    #[serde(rename = "image/png")]
    Png,
    /// A picture.
    #[serde(rename = "image/webp")]
    Webp,
    /// A picture.
    #[serde(rename = "image/avif")]
    Avif,
    /// A picture that can move.
    #[serde(rename = "image/gif")]
    Gif,
    /// A sound.
    #[serde(rename = "audio/mpeg")]
    Mp3,
    /// A sound.
    #[serde(rename = "audio/mp4")]
    M4a,
    /// A sound.
    #[serde(rename = "audio/ogg")]
    Ogg,
    /// A video.
    #[serde(rename = "video/mp4")]
    Mp4,
    /// A video.
    #[serde(rename = "video/webm")]
    Webm,
}

impl MediaType {
    /// How large a file of this type may be, in bytes.
    #[must_use]
    pub const fn largest(self) -> u32 {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Avif | Self::Gif => 5_000_000,
            Self::Mp3 | Self::M4a | Self::Ogg => 10_000_000,
            Self::Mp4 | Self::Webm => 50_000_000,
        }
    }
}

impl Media {
    /// The digits in its file's name, if the address is a possible one.
    fn digits(&self) -> Option<&str> {
        let address = self.url.strip_prefix("https://")?;
        let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte));
        let (host, file) = address.rsplit_once('/')?;
        let (name, extension) = file.split_once('.')?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_short = (2..=5).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_plain && !host.is_empty() && name.len() == DIGITS && name.bytes().all(is_hex) && is_short).then_some(name)
    }

    /// Everything that is wrong with it, each line beginning with the field's name.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.url.len() > LONGEST_URL || self.digits().is_none() {
            problems.push(format!(
                "url: an address of {LONGEST_URL} characters at most that begins with https:// and whose file is named by 64 hexadecimal \
                 digits, such as its SHA-256, so that the name tells nothing"
            ));
        }
        let largest = self.kind.largest();
        if !(1..=largest).contains(&self.bytes) {
            problems.push(format!("bytes: 1 to {largest} for this type, not {}", self.bytes));
        }
        problems
    }

    /// What it is listed by: in the order of names that tell nothing, the list tells nothing of the questions' order.
    #[must_use]
    pub fn list_key(&self) -> (&str, &str) {
        (self.digits().unwrap_or_default(), &self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn media(url: &str, bytes: u32) -> Media {
        serde_json::from_value(json!({ "url": url, "type": "image/png", "bytes": bytes })).unwrap()
    }

    #[test]
    fn a_name_that_tells_nothing_is_taken_and_any_other_is_not() {
        let name = "0123456789abcdef".repeat(4);
        let host = "https://cdn.example.org/quiz";
        assert_eq!(media(&format!("{host}/{name}.png"), 5_000_000).problems(), Vec::<String>::new());
        let wrong = [
            format!("{host}/eiffel-tower.png"),
            format!("{host}/{name}-eiffel-tower.png"),
            format!("{host}/{name}"),
            format!("{host}/{name}.png?eiffel-tower"),
            format!("{host}/{name}.png#eiffel-tower"),
            format!("{host}/{}.png", name.to_uppercase()),
            format!("http://cdn.example.org/{name}.png"),
            format!("javascript://cdn.example.org/{name}.png"),
            format!("https://host@cdn.example.org/{name}.png"),
            format!("https:///{name}.png"),
            format!("https://{name}.png"),
            format!("{host}/a b/{name}.png"),
            format!("{host}/\"><script>/{name}.png"),
            format!("{host}/\u{202e}/{name}.png"),
            format!("{host}/{}/{name}.png", "a".repeat(300)),
        ];
        for url in wrong {
            assert_eq!(media(&url, 1).problems().len(), 1, "{url}");
        }
    }

    #[test]
    fn each_type_has_its_largest_size_and_others_are_refused() {
        let url = format!("https://cdn.example.org/{}.png", "a".repeat(64));
        assert_eq!(media(&url, 0).problems(), ["bytes: 1 to 5000000 for this type, not 0"]);
        assert_eq!(media(&url, 5_000_001).problems(), ["bytes: 1 to 5000000 for this type, not 5000001"]);
        let svg = json!({ "url": url, "type": "image/svg+xml", "bytes": 1 });
        assert!(serde_json::from_value::<Media>(svg).is_err(), "it can carry scripts");
    }
}
