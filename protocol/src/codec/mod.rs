//! The two codecs, chosen by WebSocket subprotocol. Both encode the same messages.

mod command_id;
pub(crate) mod fields;
mod raw;
pub mod shape;

use std::sync::LazyLock;

use schemars::schema_for;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::command_id::command_id_in;
use self::fields::Fault;

use crate::binary::{self, BadBytes, Decode, Encode};
use crate::error::{ErrorCode, Refusal};
use crate::host::{FromHost, LARGEST_HOST_MESSAGE, ToHost};
use crate::player::{FromPlayer, LARGEST_MESSAGE, ToPlayer};

/// The protocol's version, which is part of the subprotocols and of `welcome`.
pub const PROTOCOL_VERSION: u16 = 1;

/// The encoding of messages.
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
    /// `unsupported_protocol`, with the supported subprotocols, if none of the offered ones is supported.
    pub fn negotiate(offered: Option<&str>) -> Result<Self, Refusal> {
        let Some(offered) = offered else { return Ok(Self::Json) };
        let names = || offered.split(',').map(str::trim);
        Self::ALL
            .into_iter()
            .find(|codec| names().any(|name| name == codec.subprotocol()))
            .ok_or_else(|| Refusal::because(ErrorCode::UnsupportedProtocol, format!("Offered: {offered}.")))
    }

    /// Encodes a message.
    ///
    /// # Panics
    /// For a host's `create` with settings that have no bincode form ([`FromHost::encodable`]), and for no other
    /// message of this crate.
    #[must_use]
    pub fn encode<T: Serialize + Encode>(self, message: &T) -> Vec<u8> {
        match self {
            Self::Json => serde_json::to_vec(message).expect("our messages have string keys only"),
            Self::Bincode => binary::encode(message),
        }
    }

    /// Decodes a message. In JSON an optional field may be null instead of being left out.
    ///
    /// # Errors
    /// `unknown_type` for JSON whose `type` is not one of `types`; for other invalid messages `bad_message`, or the
    /// code of [`Message::code_for`]. The detail names the field that is wrong.
    pub fn decode<T: Message>(self, bytes: &[u8], types: &[&str]) -> Result<T, Refusal> {
        match self {
            Self::Json => serde_json::from_slice(bytes).or_else(|error| decode_unusual(bytes, types, &error)),
            Self::Bincode => decode_bincode(bytes),
        }
    }
}

/// A message on a WebSocket: to or from a player or a host.
pub trait Message: DeserializeOwned + Decode<()> {
    /// The JSON Schema of the message when it is decoded.
    fn schema() -> &'static Value;

    /// The code of the refusal for a text that is not a valid one of [`crate::ids`], such as a `show code`.
    fn code_for(_wanted: &str) -> ErrorCode {
        ErrorCode::BadMessage
    }
}

macro_rules! message {
    ($($message:ident $({ $($more:tt)* })?),*) => {$(
        impl Message for $message {
            fn schema() -> &'static Value {
                static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema_for!($message).to_value());
                &SCHEMA
            }
            $($($more)*)?
        }
    )*};
}

message! {
    FromPlayer {
        /// An invalid show code is refused like a code that no show has.
        fn code_for(wanted: &str) -> ErrorCode {
            if wanted == "show code" { ErrorCode::UnknownShow } else { ErrorCode::BadMessage }
        }
    },
    ToPlayer,
    FromHost,
    ToHost
}

/// Decodes JSON that has nulls, or reports why it is invalid.
fn decode_unusual<T: Message>(bytes: &[u8], types: &[&str], error: &serde_json::Error) -> Result<T, Refusal> {
    let looked = fields::look(T::schema(), bytes);
    // The comparison may have stopped before the end, so only JSON that is syntactically complete is decoded again.
    if let Some(looked) = looked.as_ref().filter(|_| error.is_data())
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
        && let Ok(message) = serde_json::from_slice(&looked.without_nulls)
    {
        return Ok(message);
    }
    Err(json_refusal::<T>(bytes, types, error, looked.and_then(|looked| looked.fault)))
}

/// Limit of the memory, in bytes, that a small message may declare for its vectors before the elements are read.
const SMALL_LIMIT: usize = 64 * LARGEST_MESSAGE;
/// The same limit for a message that is larger than any player's.
const LARGE_LIMIT: usize = 2 * LARGEST_HOST_MESSAGE;

fn decode_bincode<T: Message>(bytes: &[u8]) -> Result<T, Refusal> {
    let decoded = if bytes.len() <= LARGEST_MESSAGE {
        binary::decode::<T, SMALL_LIMIT>(bytes)
    } else {
        binary::decode::<T, LARGE_LIMIT>(bytes)
    };
    decoded.map_err(|error| match error {
        BadBytes::LeftOver(_) => Refusal::because(ErrorCode::BadMessage, "Bytes follow the message."),
        BadBytes::Refused(problem) => {
            let what = crate::ids::TEXTS.iter().find(|what| problem.starts_with(**what));
            let code = what.map_or(ErrorCode::BadMessage, |what| T::code_for(what));
            Refusal::because(code, format!("The {problem}."))
        }
        BadBytes::Malformed(error) => Refusal::because(ErrorCode::BadMessage, format!("{error}.")),
    })
}

fn json_refusal<T: Message>(bytes: &[u8], types: &[&str], error: &serde_json::Error, fault: Option<Fault>) -> Refusal {
    #[derive(serde::Deserialize)]
    struct Tag {
        r#type: String,
    }
    match serde_json::from_slice::<Tag>(bytes) {
        Ok(tag) if !types.contains(&tag.r#type.as_str()) => {
            let shown: String = tag.r#type.chars().take(40).collect();
            Refusal::because(ErrorCode::UnknownType, format!("Got {shown:?}, known are: {}.", types.join(", ")))
        }
        _ => match fault.filter(|_| error.is_data()) {
            Some(Fault { wanted, told }) => Refusal::because(wanted.map_or(ErrorCode::BadMessage, T::code_for), told),
            None => Refusal::because(ErrorCode::BadMessage, format!("{error}.")),
        },
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
