//! The bus carries messages between gateways and engines.
//!
//! An event for all players of a show is one message, however many there are. Messages of one gateway about one show arrive in the
//! order in which they were sent, and so do those of a show to one gateway.
//!
//! Sending never waits. Each queue has a limit, and what happens at it is stated beside it: `docs/operations.md` lists them.

#[cfg(test)]
mod contract;
mod local;
mod queue;
#[cfg(feature = "cluster")]
pub mod redis;

use std::collections::BTreeSet;

use async_trait::async_trait;
use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use tokio::time::Instant;

pub use local::{LocalBus, LocalEngineEnd, LocalGatewayEnd};

/// Which gateways a message goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Every gateway that is up.
    All,
    /// This gateway only; a message to one that is not up is dropped.
    One(GatewayId),
}

/// Why a call to the bus failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Another engine plays the show, under a larger token.
    #[error("another engine plays the show")]
    Fenced,
    /// The bus can't be reached or does not answer; the outcome is unknown, and the call may be repeated.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// Too many messages of the show wait to be published: see [`EngineEnd::publish`].
    #[error("the bus does not take what the show publishes")]
    Full,
}

/// A position in the stream of what gateways sent about a show. The bus inside one process uses position 0-0 only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamPosition(pub u64, pub u64);

/// A message that an engine received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The show whose stream the message was read from; none if it was not read from a show's stream.
    pub show: Option<ShowId>,
    /// After this message, everything up to this position is processed.
    pub position: StreamPosition,
    /// The message.
    pub message: ToEngine,
}

impl From<ToEngine> for Received {
    fn from(message: ToEngine) -> Self {
        Self { show: None, position: StreamPosition::default(), message }
    }
}

/// Messages of a show that are published together, after the journal holds the records that they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Which show.
    pub show: ShowId,
    /// The messages, in order.
    pub messages: Vec<(Address, ToGateway)>,
    /// After this publication, the messages of the show's first `records` records are all published.
    pub records: u64,
    /// Everything received up to this position is processed: gateways can drop their copies.
    pub acknowledged: StreamPosition,
}

/// The state of a show's publication that the next engine continues from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takeover {
    /// All that follows from the show's first `published` records was published. None if no gateway can have received any of it.
    pub published: Option<u64>,
    /// The gateways that subscribe to the show.
    pub gateways: BTreeSet<GatewayId>,
}

/// The outcome of [`EngineEnd::register_show`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowRegistration {
    /// The code now belongs to this show.
    New,
    /// Another show has the code.
    CodeTaken,
    /// A create command with this id has already created this show, with this code.
    Existing(ShowId, ShowCode),
    /// The id was used before, by a create command for a different show.
    IdTaken,
}

/// An engine's end of the bus.
///
/// What an engine publishes is fenced: once another engine has taken a show over, no gateway receives any more from this one.
#[async_trait]
pub trait EngineEnd: Send + Sync + 'static {
    /// Publishes messages of a show. Does not wait.
    ///
    /// # Errors
    /// [`BusError::Full`] if too much waits to be published. Then nothing more of the show is published under this lease: the show is to
    /// be taken over again, from its journal.
    fn publish(&self, publication: Publication) -> Result<(), BusError>;

    /// Replies to a host whose request concerns no show that is played here. Does not wait.
    fn reply_to_gateway(&self, to: GatewayId, message: ToGateway);

    /// Waits for messages and appends them to `into`, in order. Returns false when no gateway can send any more.
    async fn receive(&self, into: &mut Vec<Received>) -> bool;

    /// From now on this engine plays the show, under this lease, and receives what gateways send about it, from the position on that
    /// the last publication acknowledged. What this engine handed to [`Self::publish`] under an earlier lease, and is not published
    /// yet, is published under this one.
    ///
    /// # Errors
    /// Any of [`BusError`].
    async fn take_over(&self, show: ShowId, fence: Fence) -> Result<Takeover, BusError>;

    /// This engine no longer plays the show; what it handed to [`Self::publish`] is still published. Nothing is kept of a show that
    /// is over.
    fn release(&self, show: ShowId, is_over: bool);

    /// Registers a code for a new show, unless the code is taken or a create command with this id already created a
    /// show. `made_of` is a hash of the create command's content: it distinguishes a repeated create from a different
    /// one with the same id. The bus inside one process leaves this to its engine.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn register_show(
        &self,
        show: ShowId,
        code: &ShowCode,
        create: &CommandId,
        made_of: u64,
    ) -> Result<ShowRegistration, BusError>;

    /// Updates the show's line in the directory of all engines' shows. Does not wait.
    fn update_directory(&self, line: ShowLine);

    /// The shows of all engines. None if there is only this engine.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn list_shows(&self) -> Result<Option<Vec<ShowLine>>, BusError>;

    /// When publishing or receiving messages of this show last failed; none if it has not.
    fn last_failure(&self, show: ShowId) -> Option<Instant>;

    /// Whether gateways and engines are processes of their own, so that messages between them can be delayed or lost.
    fn is_distributed(&self) -> bool;
}

/// A gateway's end of the bus.
#[async_trait]
pub trait GatewayEnd: Send + Sync + 'static {
    /// Sends a message to the engines. Does not wait.
    fn send(&self, message: ToEngine);

    /// Subscribes the gateway to the show, such as for a host. Sending a join subscribes by itself.
    fn subscribe(&self, show: ShowId);

    /// Ends the subscriptions to all shows but these.
    fn retain_subscriptions(&self, shows: &BTreeSet<ShowId>);

    /// Whether other gateways may exist, so that this gateway's counts are only a part of a show's figures.
    fn is_distributed(&self) -> bool;

    /// Waits for messages and appends them to `into`, in order. Returns false when no engine can send any more.
    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool;

    /// The id by which engines know this gateway.
    fn id(&self) -> GatewayId;
}
