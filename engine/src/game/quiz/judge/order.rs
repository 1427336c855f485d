//! Items that were put in order.

use klaxon_protocol::games::quiz::item_at;

use super::Share;

/// The share of the items that are at their right places.
pub fn by_places(right: u64, items: u32, said: u64) -> Share {
    let at_place = (0..items).filter(|&place| item_at(right, place) == item_at(said, place)).count();
    Share::of(at_place as u64, items.into())
}
