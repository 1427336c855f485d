//! How a server reads what players say.

use super::says::{FROM_PLAYER_TYPES, FromPlayer};
use crate::codec::Codec;
use crate::error::Refusal;
use crate::games::trivia;

impl FromPlayer {
    /// The message in these bytes. An answer allocates nothing, unless it is JSON written in an unusual way.
    ///
    /// # Errors
    /// As [`Codec::decode`].
    pub fn decode(codec: Codec, bytes: &[u8]) -> Result<Self, Refusal> {
        match codec {
            Codec::Json if let Some(answer) = trivia::quick_answer(bytes) => Ok(Self::Answer(answer)),
            _ => codec.decode(bytes, FROM_PLAYER_TYPES),
        }
    }
}
