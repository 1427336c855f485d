//! The choice that most players take is right.

use klaxon_protocol::games::quiz::Tie;

/// The right choices, as bits: those with the most answers. Without answers none is right.
pub fn right(counts: &[u32], tie: Tie) -> u64 {
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return 0;
    }
    let first = counts.iter().enumerate().filter(|(_, count)| **count == most);
    let bits = first.fold(0, |bits, (choice, _)| bits | 1 << choice);
    if tie == Tie::None && u64::count_ones(bits) > 1 { 0 } else { bits }
}
