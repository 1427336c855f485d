//! The check of a token's header beyond its signature algorithm.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;

/// Whether the token's header has `crit`, a list of extensions that must be understood (RFC 7515, 4.1.11). None are
/// supported here, and an empty list is forbidden, so a token with `crit` is refused.
pub(super) fn has_critical(token: &str) -> bool {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok()).unwrap_or_default();
    // An invalid header is refused when the signature is checked.
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&header).is_ok_and(|header| header.contains_key("crit"))
}
