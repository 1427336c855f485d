//! What the gateway knows of the engine's crate, and the only place that names it; and what it knows of its hosts.

use std::collections::BTreeSet;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::link::ToGateway;

pub use klaxon_engine::bus::GatewayEnd;
pub use klaxon_engine::clock::Clock;
pub use klaxon_engine::metrics_table;
pub use klaxon_engine::random::Random;

/// Where hosts are connected: gets all that concerns them, with this gateway's figures filled in if it is the only one.
pub trait HostSink: Send + Sync {
    /// Takes a `Host`, `Figures`, `Alert`, `Running` or `Broadcast` (without its personal part). Must not block.
    fn receive(&self, message: ToGateway);

    /// The shows that hosts here watch.
    fn watched(&self) -> BTreeSet<ShowId>;

    /// No other shows' messages arrive here from now on: forgets what was kept of them.
    fn forget_all_but(&self, shows: &BTreeSet<ShowId>);
}
