//! The settings of the players' side of a gateway.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey};
use klaxon_protocol::player::LARGEST_MESSAGE;

use crate::config::PlayersOptions;
use crate::private_file;
use crate::transport::{MOST_ON_WIRE, Outbox};

/// The settings of the players' side: what the operator chose, what follows from it, and what is not for choosing.
#[derive(Clone)]
pub struct GatewaySettings {
    /// What the operator chose.
    pub players: PlayersOptions,
    /// Messages a client may send at once, at least 1.
    pub burst: u32,
    /// Answers of one connection that may wait for their replies, at least 1.
    pub outstanding_answers: u8,
    /// Connections of one player in one show, at least 1; beyond this the oldest one is closed.
    pub connections_per_player: usize,
    /// How long an answer may wait to be sent to the engine together with others.
    pub batch_after: Duration,
    /// Answers that are sent to the engine together at most, at least 1.
    pub batch_of: usize,
    /// The secret that signs resume tokens. All gateways of a service must have the same, so that players can rejoin at
    /// another one.
    pub secret: [u8; 32],
    /// Who may play.
    pub auth: Auth,
}

impl GatewaySettings {
    /// Limit of a message's bytes on the wire. Even one-byte fragments of the largest message stay below it; a client
    /// that exceeds it sends fragments without end.
    pub const LARGEST_ON_WIRE: usize = MOST_ON_WIRE * LARGEST_MESSAGE;
    /// Limit of a player's message, in bytes.
    #[expect(clippy::cast_possible_truncation, reason = "a constant that fits")]
    pub const LARGEST_MESSAGE: u32 = LARGEST_MESSAGE as u32;
    /// Bytes that a queued frame counts beside its own length: see [`Outbox::FRAME_OVERHEAD`].
    pub const FRAME_OVERHEAD: usize = Outbox::FRAME_OVERHEAD;
    /// A connection whose messages are refused this many times without a pause in between is closed for flooding.
    pub const FLOOD: u16 = 200;

    /// The settings for what the operator chose: messages in bursts of twice as many as a second may have, 4 answers without a reply, 4
    /// connections of a player, batches of 512 answers that wait 300 us at most.
    #[must_use]
    pub fn of(players: PlayersOptions, secret: [u8; 32], auth: Auth) -> Self {
        Self {
            burst: players.limits.messages_per_second.saturating_mul(2),
            players,
            outstanding_answers: 4,
            connections_per_player: 4,
            batch_after: Duration::from_micros(300),
            batch_of: 512,
            secret,
            auth,
        }
    }

    /// The settings for an operator who chose nothing, but for two shards and 100,000 connections whatever the machine is. Port 0 takes a
    /// free one.
    #[must_use]
    pub fn new(listen: SocketAddr, secret: [u8; 32]) -> Self {
        let (shards, max_connections) = (Some(2), Some(100_000));
        Self::of(PlayersOptions { listen, shards, max_connections, ..PlayersOptions::defaults() }, secret, Auth::Guests)
    }
}

/// Leaves the secret out.
impl fmt::Debug for GatewaySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewaySettings")
            .field("players", &self.players)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

/// Who may play.
#[derive(Debug, Clone)]
pub enum Auth {
    /// All clients; each join without a resume token creates a new player.
    Guests,
    /// Players with a token that is signed by this key; its `sub` is the player's id, its `exp` is required.
    Jwt {
        /// The key that verifies tokens.
        key: TokenKey,
        /// Whether players without a token may play too, as guests.
        guests_too: bool,
    },
}

/// The key that verifies operators' tokens.
#[derive(Clone)]
pub struct TokenKey {
    pub(crate) decoding: DecodingKey,
    pub(crate) algorithm: Algorithm,
}

impl TokenKey {
    /// The public key of an Ed25519 pair, for tokens signed with EdDSA, as PEM ("BEGIN PUBLIC KEY").
    ///
    /// # Errors
    /// If it is not such a key.
    pub fn ed25519_pem(pem: &[u8]) -> Result<Self, BadKey> {
        let decoding = DecodingKey::from_ed_pem(pem).map_err(|error| BadKey(error.to_string()))?;
        // An Ed448 key would be accepted as the same family, but can't verify any token.
        match decoding.try_get_as_bytes() {
            Ok(bytes) if bytes.len() == 32 => Ok(Self { decoding, algorithm: Algorithm::EdDSA }),
            _ => Err(BadKey("an Ed25519 public key has 32 bytes".into())),
        }
    }

    /// A secret shared with the program that creates the tokens, for tokens signed with HS256: at least 32 bytes.
    ///
    /// # Errors
    /// If it is shorter, or has a pattern.
    pub fn hs256(secret: &[u8]) -> Result<Self, BadKey> {
        if secret.len() < 32 {
            return Err(BadKey(format!("a secret must have 32 bytes or more, this one has {}", secret.len())));
        }
        if let Some(weakness) = private_file::weakness(secret) {
            return Err(BadKey(format!(
                "the secret can be guessed: {weakness}; make a random one, such as `openssl rand -hex 32`"
            )));
        }
        Ok(Self { decoding: DecodingKey::from_secret(secret), algorithm: Algorithm::HS256 })
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Why a key can't verify tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this can't check tokens: {0}")]
pub struct BadKey(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_checked_when_it_is_read_not_when_a_player_comes() {
        let pem = b"-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        assert!(TokenKey::ed25519_pem(pem).is_ok());
        assert!(TokenKey::ed25519_pem(b"hello").is_err());
        let secret = *b"c0b9e6e1a36f7d2485fb1c7703d94e5a";
        assert!(TokenKey::hs256(&secret).is_ok());
        for weak in [[b'a'; 32], *b"0123456789abcdef0123456789abcdef"] {
            assert!(TokenKey::hs256(&weak).unwrap_err().to_string().contains("openssl rand -hex 32"));
        }
        assert!(TokenKey::hs256(&secret[1..]).unwrap_err().to_string().contains("31"));
    }

    #[test]
    fn a_key_does_not_show_in_logs() {
        let key = TokenKey::hs256(b"c0b9e6e1a36f7d2485fb1c7703d94e5a").unwrap();
        assert!(!format!("{key:?}").contains("c0b9") && !format!("{key:?}").contains("99, 48"));
    }
}
