//! The binary encoding of the clients' wire, of the link between gateways and engines, and of journals: bincode 2's standard configuration,
//! byte by byte in docs/journal.md. No other file names the library, so that this one is what a replacement would have to be.
//!
//! What the derive macros write out names it as well: a crate with types that derive [`Encode`] has it among its dependencies.

use bincode::config::standard;

pub use bincode::de::Decoder;
pub use bincode::enc::Encoder;
pub use bincode::error::{DecodeError, EncodeError};
pub use bincode::{Decode, Encode, impl_borrow_decode};

/// Why bytes are no value of the wanted type.
#[derive(Debug, thiserror::Error)]
pub enum BadBytes {
    /// A type with rules of its own, such as those of [`crate::ids`], does not take what is there. This is its reason.
    #[error("{0}")]
    Refused(String),
    /// The value is whole, and this many bytes follow it.
    #[error("{0} bytes are left over behind the value")]
    LeftOver(usize),
    /// The bytes end too early, have a number that means nothing there, or claim to hold more than the limit.
    #[error(transparent)]
    Malformed(DecodeError),
}

impl From<DecodeError> for BadBytes {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::OtherString(problem) => Self::Refused(problem),
            error => Self::Malformed(error),
        }
    }
}

/// The value's bytes.
///
/// # Panics
/// If the value can't be encoded. Of ours that is so for a host's `create` with settings that came later
/// ([`crate::host::FromHost::encodable`]), and for nothing else: only locks, cells and times of the system's clock can fail.
#[must_use]
pub fn encode<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, standard()).expect("all that our types hold can be encoded")
}

/// Appends the value's bytes to `out`.
///
/// # Panics
/// As [`encode`].
pub fn encode_into<T: Encode + ?Sized>(value: &T, out: &mut Vec<u8>) {
    bincode::encode_into_std_write(value, out, standard()).expect("all that our types hold can be encoded");
}

/// The value that these bytes are. Before anything is allocated for them, what its texts and vectors claim to hold is counted: it may be
/// up to `LIMIT` bytes in memory.
///
/// # Errors
/// If they are no such value, or not all of them.
pub fn decode<T: Decode<()>, const LIMIT: usize>(bytes: &[u8]) -> Result<T, BadBytes> {
    match bincode::decode_from_slice(bytes, standard().with_limit::<LIMIT>())? {
        (value, used) if used == bytes.len() => Ok(value),
        (_, used) => Err(BadBytes::LeftOver(bytes.len() - used)),
    }
}

/// The value at the beginning of these bytes, whatever follows it.
///
/// # Errors
/// If no such value is there.
pub fn decode_prefix<T: Decode<()>, const LIMIT: usize>(bytes: &[u8]) -> Result<T, BadBytes> {
    Ok(bincode::decode_from_slice(bytes, standard().with_limit::<LIMIT>())?.0)
}

/// Encodes a type as the text that `$text` gives, and decodes it by `$parse`, which may refuse a text.
macro_rules! encoded_as_text {
    ($type:ident, $text:path, $parse:path) => {
        impl $crate::binary::Encode for $type {
            fn encode<E: $crate::binary::Encoder>(&self, encoder: &mut E) -> Result<(), $crate::binary::EncodeError> {
                $crate::binary::Encode::encode(&$text(self), encoder)
            }
        }

        impl<Context> $crate::binary::Decode<Context> for $type {
            fn decode<D: $crate::binary::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, $crate::binary::DecodeError> {
                let text = <String as $crate::binary::Decode<Context>>::decode(decoder)?;
                $parse(&text).map_err(|bad| $crate::binary::DecodeError::OtherString(bad.to_string()))
            }
        }
        $crate::binary::impl_borrow_decode!($type);
    };
}
pub(crate) use encoded_as_text;
