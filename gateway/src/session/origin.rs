//! The origin of a connection, in the form that engines may know: a keyed hash of its address.
//!
//! The key is derived from the secret for resume tokens, which the gateways of a cluster share. So all of them compute
//! the same origin for an address, also after a restart, and no one else can compute anything from an origin.

use std::net::IpAddr;

use hmac::{Hmac, Mac};
use klaxon_protocol::origin::Origin;
use sha2::Sha256;

/// The key derivation's context, which separates this key from other uses of the secret.
const PURPOSE: &[u8] = b"klaxon: origins of connections";

/// Computes origins from addresses.
pub(crate) struct Origins(Hmac<Sha256>);

impl Origins {
    pub fn new(secret: &[u8; 32]) -> Self {
        let key = keyed(secret).chain_update(PURPOSE).finalize().into_bytes();
        Self(keyed(&key))
    }

    /// The origin of this address. Of an IPv6 address only the first 64 bits are used, as a household has at least that
    /// prefix.
    pub fn of(&self, address: IpAddr) -> Origin {
        let hash = self.0.clone();
        // An IPv4 address that arrives as an IPv4-mapped IPv6 address gives the same origin.
        let hash = match address.to_canonical() {
            IpAddr::V4(address) => hash.chain_update(b"4").chain_update(address.octets()),
            IpAddr::V6(address) => hash.chain_update(b"6").chain_update(&address.octets()[..8]),
        };
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize().into_bytes());
        Origin::of_hash(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(secret: u8, address: &str) -> Origin {
        Origins::new(&[secret; 32]).of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv4_address_is_an_origin_also_through_a_socket_for_ipv6() {
        assert_eq!(origin(1, "192.0.2.7"), origin(1, "::ffff:192.0.2.7"));
        assert_ne!(origin(1, "192.0.2.7"), origin(1, "192.0.2.8"));
        // Not mapped, but an address of its own.
        assert_ne!(origin(1, "192.0.2.7"), origin(1, "::192.0.2.7"));
    }

    #[test]
    fn neighbours_in_a_64_are_one_origin_and_the_next_64_is_another() {
        let home = origin(1, "2001:db8:1:2::1");
        for neighbour in ["2001:db8:1:2::2", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:0:5efe:192.0.2.7"] {
            assert_eq!(origin(1, neighbour), home, "{neighbour}");
        }
        for other in ["2001:db8:1:3::1", "2001:db8:1::1", "2001:db9:1:2::1"] {
            assert_ne!(origin(1, other), home, "{other}");
        }
    }

    /// What is kept in journals must mean the same to the next version.
    #[test]
    fn gateways_with_the_same_secret_make_the_same_origins_and_others_do_not() {
        assert_eq!(origin(1, "192.0.2.7"), Origin::of_hash(KEPT));
        assert_ne!(origin(2, "192.0.2.7"), Origin::of_hash(KEPT));
        let unkeyed = <[u8; 32]>::from(<Sha256 as sha2::Digest>::digest([b'4', 192, 0, 2, 7]));
        assert_ne!(origin(1, "192.0.2.7"), Origin::of_hash(u64::from_le_bytes(unkeyed[..8].try_into().unwrap())));
    }

    /// By Python: `hmac.digest(hmac.digest(b"\1" * 32, PURPOSE, "sha256"), b"4" + bytes([192, 0, 2, 7]), "sha256")[:8]`.
    const KEPT: u64 = 0x9516_5bc6_cc65_b320;
}
