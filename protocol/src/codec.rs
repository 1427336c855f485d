//! The two codecs, chosen by WebSocket subprotocol. The same messages in both.

use bincode::{Decode, Encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ErrorCode, Refusal};
use crate::host::LARGEST_HOST_MESSAGE;
use crate::player::LARGEST_MESSAGE;

/// The protocol's version, named in the subprotocols and in `welcome`.
pub const PROTOCOL_VERSION: u16 = 1;

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Text frames; for browsers and people.
    Json,
    /// Binary frames, bincode 2's standard configuration; for native clients.
    Bincode,
}

impl Codec {
    /// Both, in order of preference when a client offers both.
    pub const ALL: [Self; 2] = [Self::Bincode, Self::Json];

    /// The WebSocket subprotocol that chooses this codec.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "klaxon.v1.json",
            Self::Bincode => "klaxon.v1.bincode",
        }
    }

    /// The codec for a client's `Sec-WebSocket-Protocol` header. A client that offers nothing gets JSON.
    ///
    /// # Errors
    /// `unsupported_protocol`, naming what is spoken here, if nothing offered is.
    pub fn negotiate(offered: Option<&str>) -> Result<Self, Refusal> {
        let Some(offered) = offered else { return Ok(Self::Json) };
        let names = || offered.split(',').map(str::trim);
        Self::ALL
            .into_iter()
            .find(|codec| names().any(|name| name == codec.subprotocol()))
            .ok_or_else(|| Refusal::because(ErrorCode::UnsupportedProtocol, format!("Offered: {offered}.")))
    }

    /// The message's bytes.
    ///
    /// # Panics
    /// Never for the messages of this crate: all of them can be written in both codecs, as their tests show.
    #[must_use]
    pub fn encode<T: Serialize + Encode>(self, message: &T) -> Vec<u8> {
        match self {
            Self::Json => serde_json::to_vec(message).expect("our messages have string keys only"),
            Self::Bincode => bincode::encode_to_vec(message, bincode::config::standard())
                .expect("our messages have no unencodable parts"),
        }
    }

    /// The message in these bytes.
    ///
    /// # Errors
    /// `unknown_type` for JSON whose `type` is not one of `types`, `bad_message` for all else that is no message.
    pub fn decode<T: DeserializeOwned + Decode<()>>(self, bytes: &[u8], types: &[&str]) -> Result<T, Refusal> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|error| json_refusal(bytes, types, &error)),
            Self::Bincode => decode_bincode(bytes),
        }
    }
}

/// What the vectors of a small message may claim to hold before their elements are read: more is a lie, not a message.
const SMALL_LIMIT: usize = 64 * LARGEST_MESSAGE;
/// The same for a message that is larger than any of a player's.
const LARGE_LIMIT: usize = 2 * LARGEST_HOST_MESSAGE;

fn decode_bincode<T: Decode<()>>(bytes: &[u8]) -> Result<T, Refusal> {
    let config = bincode::config::standard();
    let decoded = if bytes.len() <= LARGEST_MESSAGE {
        bincode::decode_from_slice(bytes, config.with_limit::<SMALL_LIMIT>())
    } else {
        bincode::decode_from_slice(bytes, config.with_limit::<LARGE_LIMIT>())
    };
    match decoded {
        Ok((message, used)) if used == bytes.len() => Ok(message),
        Ok(_) => Err(Refusal::because(ErrorCode::BadMessage, "Bytes follow the message.")),
        Err(error) => Err(Refusal::because(ErrorCode::BadMessage, format!("{error}."))),
    }
}

fn json_refusal(bytes: &[u8], types: &[&str], error: &serde_json::Error) -> Refusal {
    #[derive(serde::Deserialize)]
    struct Tag {
        r#type: String,
    }
    match serde_json::from_slice::<Tag>(bytes) {
        Ok(tag) if !types.contains(&tag.r#type.as_str()) => {
            let shown: String = tag.r#type.chars().take(40).collect();
            Refusal::because(ErrorCode::UnknownType, format!("Got {shown:?}, known are: {}.", types.join(", ")))
        }
        _ => Refusal::because(ErrorCode::BadMessage, format!("{error}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::{FROM_PLAYER_TYPES, FromPlayer};

    fn decode(codec: Codec, bytes: &[u8]) -> Result<FromPlayer, Refusal> {
        codec.decode(bytes, FROM_PLAYER_TYPES)
    }

    #[test]
    fn the_subprotocol_chooses_the_codec() {
        assert_eq!(Codec::negotiate(None), Ok(Codec::Json));
        assert_eq!(Codec::negotiate(Some("klaxon.v1.json")), Ok(Codec::Json));
        assert_eq!(Codec::negotiate(Some("x, klaxon.v1.bincode")), Ok(Codec::Bincode));
        let refusal = Codec::negotiate(Some("klaxon.v2.json")).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::UnsupportedProtocol);
        assert!(refusal.code.advice().contains("klaxon.v1.json"));
    }

    #[test]
    fn unknown_fields_are_ignored_and_unknown_types_are_named() {
        let answer = br#"{"type":"answer","question":1,"choice":2,"seat":99}"#;
        assert!(matches!(decode(Codec::Json, answer), Ok(FromPlayer::Answer(_))));
        let refusal = decode(Codec::Json, br#"{"type":"cheat"}"#).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::UnknownType);
        assert!(refusal.detail.contains("cheat"));
        assert_eq!(decode(Codec::Json, b"{").unwrap_err().code, ErrorCode::BadMessage);
        assert_eq!(decode(Codec::Json, br#"{"type":"answer"}"#).unwrap_err().code, ErrorCode::BadMessage);
    }

    #[test]
    fn bytes_behind_a_bincode_message_are_refused() {
        let mut bytes = Codec::Bincode.encode(&FromPlayer::Leave);
        assert!(decode(Codec::Bincode, &bytes).is_ok());
        bytes.push(0);
        assert_eq!(decode(Codec::Bincode, &bytes).unwrap_err().code, ErrorCode::BadMessage);
    }
}
