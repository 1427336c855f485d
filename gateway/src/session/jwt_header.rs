//! What is looked at in a token's header beside its signature's algorithm.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;

/// Whether the token's header lists something that must be understood (`crit`, RFC 7515, 4.1.11). No such extension is known here,
/// and an empty list is forbidden, so a token with either is refused.
pub(super) fn has_critical(token: &str) -> bool {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok()).unwrap_or_default();
    // What is no header at all is refused when the signature is checked.
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&header).is_ok_and(|header| header.contains_key("crit"))
}
