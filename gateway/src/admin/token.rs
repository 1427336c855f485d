//! The token that every request to the admin port must have.

use std::path::Path;

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use crate::handshake::only;
use crate::private_file::{self, PrivateFileError};

/// The allowed length of a token, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 32..=128;

/// The admin token. It is never printed, not even by `{:?}`.
pub struct AdminToken {
    /// Padded with zeros, so that every comparison takes the same number of bytes.
    padded: [u8; *LENGTH.end()],
}

impl AdminToken {
    /// Reads the token file, or creates it and logs its path.
    ///
    /// # Errors
    /// If the file can't be read or created, can be read by others, or has no valid token or one that can be guessed.
    pub fn open(path: &Path) -> Result<Self, PrivateFileError> {
        let file = private_file::read_or_create(path)?;
        if file.created {
            tracing::info!(file = %path.display(), "a new admin token was made; hosts need it");
        }
        let token = Self::parse(&file.text).ok_or_else(|| PrivateFileError::Content {
            path: path.to_owned(),
            wanted: "a token of 32 to 128 visible ASCII characters",
        })?;
        match private_file::weakness(file.text.as_bytes()) {
            Some(weakness) => Err(PrivateFileError::Weak { path: path.to_owned(), weakness }),
            None => Ok(token),
        }
    }

    /// The token in a text, if it is valid: 32 to 128 visible ASCII characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = LENGTH.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self { padded: pad(text.as_bytes()) })
    }

    /// Whether the request has this token and no other. Takes constant time.
    #[must_use]
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(offered) = only(headers, &header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes())) else {
            return false;
        };
        LENGTH.contains(&offered.len()) && bool::from(self.padded.ct_eq(&pad(offered)))
    }
}

/// Tokens have no zero byte, so two texts are equal exactly if their padded forms are. `text` must not be longer than a
/// token.
fn pad(text: &[u8]) -> [u8; *LENGTH.end()] {
    let mut padded = [0; *LENGTH.end()];
    padded[..text.len()].copy_from_slice(text);
    padded
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

    fn allowed(authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        AdminToken::parse(TEXT).unwrap().allows(&headers)
    }

    #[test]
    fn only_the_whole_token_is_allowed() {
        assert!(allowed(&format!("Bearer {TEXT}")));
        assert!(allowed(&format!("bearer {TEXT}")));
        assert!(!allowed(&format!("Basic {TEXT}")));
        assert!(!allowed(TEXT));
        assert!(!allowed("Bearer "));
        assert!(!allowed(&format!("Bearer {}", &TEXT[..TEXT.len() - 1])));
        assert!(!allowed(&format!("Bearer {TEXT}x")));
        assert!(!allowed(&format!("Bearer {}", "x".repeat(4000))));
        assert!(!AdminToken::parse(TEXT).unwrap().allows(&HeaderMap::new()));
    }

    #[test]
    fn one_of_two_tokens_is_none() {
        let token = AdminToken::parse(TEXT).unwrap();
        let right = format!("Bearer {TEXT}");
        for lines in [[right.as_str(), "Bearer x"], ["Bearer x", &right], [&right, &right]] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, line.parse().unwrap());
            }
            assert!(!token.allows(&headers), "{lines:?}");
        }
    }

    #[test]
    fn a_guessable_token_is_none() {
        assert!(AdminToken::parse("short").is_none());
        assert!(AdminToken::parse(&"x".repeat(129)).is_none());
        assert!(AdminToken::parse(&format!("{TEXT} {TEXT}")).is_none());
    }

    #[test]
    fn a_file_with_a_token_in_which_a_pattern_shows_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.token");
        AdminToken::open(&path).unwrap();
        for weak in [TEXT.to_owned(), "x".repeat(32), "secret".repeat(6)] {
            std::fs::write(&path, weak).unwrap();
            let message = AdminToken::open(&path).err().unwrap().to_string();
            assert!(message.contains("can be guessed") && message.contains("openssl rand -hex 32"), "{message}");
        }
    }

    #[test]
    fn the_token_file_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.token");
        let first = AdminToken::open(&path).unwrap();
        assert_eq!(AdminToken::open(&path).unwrap().padded, first.padded);
    }
}
