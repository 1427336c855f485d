//! The link: the one place in the gateway that knows where the engines are.

use klaxon_protocol::link::ToGateway;

pub use klaxon_engine::bus::GatewayEnd;

/// The hosts' side of the gateway, as the link sees it.
pub trait Desk: Send + Sync {
    /// Takes what an engine says to hosts: `Host`, `Figures`, `Alert` and `Broadcast`. Never waits.
    fn hear(&self, message: ToGateway);
}
