//! The gateway's interface to the engine, in the only module that names the engine's crate; and the interface to its
//! hosts.

use std::collections::BTreeSet;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::link::ToGateway;

pub use klaxon_engine::bus::GatewayEnd;
pub use klaxon_engine::clock::Clock;
pub use klaxon_engine::metrics_table;
pub use klaxon_engine::random::Random;

/// Receives all messages that concern hosts. In the process's only gateway, its own figures are filled in.
pub trait HostSink: Send + Sync {
    /// Takes a `Host`, `Figures`, `Alert`, `Running` or `Broadcast` (without its personal part). Must not block.
    fn receive(&self, message: ToGateway);

    /// The shows that this gateway's hosts watch.
    fn watched(&self) -> BTreeSet<ShowId>;

    /// Drops what is kept of all other shows, whose messages no longer arrive here.
    fn forget_all_but(&self, shows: &BTreeSet<ShowId>);
}
