//! What gateways and engines say to each other. Everything about one show arrives in the order in which it was sent.

mod to_engine;
mod to_gateway;

pub use to_engine::*;
pub use to_gateway::*;

/// The version of the link, which each program's entries in Redis name: this program has all from 1 to this one.
///
/// Within a version no message changes. Another kind of message, at the end of its list, makes the next version, and programs of both work
/// together: what the older one does not know it does not read, so nothing may depend on its being read before the last program is upgraded
/// (docs/operations.md says in which order that is done). A message that needs another field is another kind. What can't be done so is
/// done between shows.
///
/// Version 2 has the messages of version 1, and entries of a gateway that are sealed. Version 3 has the alerts of games.
pub const VERSION: u8 = 3;
