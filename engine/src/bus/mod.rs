//! The bus: how gateways and engines talk to each other.
//!
//! One message per event, whatever the audience. What one gateway sends about one show arrives in the order in which it was
//! sent, and so does what an engine sends to one gateway.
//!
//! Sending never waits: whoever sends bounds what it has outstanding (a gateway by what each connection may have unanswered, an
//! engine by the pace of its shows).

mod local;

use async_trait::async_trait;
use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::{ToEngine, ToGateway};

pub use local::{LocalBus, LocalEngineEnd, LocalGatewayEnd};

/// For whom an engine's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Every gateway that is up.
    All,
    /// This gateway only; a message to one that is not up is dropped.
    One(GatewayId),
}

/// An engine's end of the bus.
#[async_trait]
pub trait EngineEnd: Send + Sync + 'static {
    /// Hands a message to gateways, without waiting for them.
    fn send(&self, to: Address, message: ToGateway);

    /// Waits until there is something and appends it to `into`, in order. False when no gateway can ever send again.
    async fn receive(&self, into: &mut Vec<ToEngine>) -> bool;

    /// The gateways that have said hello and not goodbye.
    fn gateways(&self) -> Vec<GatewayId>;
}

/// A gateway's end of the bus.
#[async_trait]
pub trait GatewayEnd: Send + Sync + 'static {
    /// Hands a message to the engines, without waiting for them.
    fn send(&self, message: ToEngine);

    /// Waits until there is something and appends it to `into`, in order. False when no engine can ever send again.
    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool;

    /// The name under which engines know this gateway.
    fn id(&self) -> GatewayId;
}
