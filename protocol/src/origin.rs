//! The origin of a connection, in the form that may leave its gateway.

use std::num::NonZeroU64;

use crate::binary::{Decode, Encode};

/// From which address a connection comes: a keyed hash that the gateways of a cluster make alike, of an IPv4 address or the first 64 bits
/// of an IPv6 address. Two are equal if the addresses are; nobody without the gateways' secret finds the address to one, though there
/// are only 2^32 of IPv4. The address itself leaves the gateway in no message, record or log line.
///
/// Never 0, so that a seat whose origin is not known takes 8 bytes as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Origin(NonZeroU64);

impl Origin {
    /// The origin with this hash; 0 counts as 1.
    #[must_use]
    pub const fn of_hash(hash: u64) -> Self {
        match NonZeroU64::new(hash) {
            Some(hash) => Self(hash),
            None => Self(NonZeroU64::MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_origin_takes_no_more_memory_than_a_known_one() {
        assert_eq!(size_of::<Option<Origin>>(), 8);
        assert_eq!(Origin::of_hash(0), Origin::of_hash(1));
        assert_ne!(Origin::of_hash(1), Origin::of_hash(2));
    }
}
