//! The bus: how gateways and engines talk to each other.
//!
//! One message per event, whatever the audience. What one gateway sends about one show arrives in the order in which it was
//! sent, and so does what an engine sends to one gateway.
//!
//! Sending never waits: whoever sends bounds what it has outstanding (a gateway by what each connection may have unanswered, an
//! engine by the pace of its shows).

#[cfg(test)]
mod contract;
mod local;
#[cfg(feature = "cluster")]
pub mod redis;

use std::collections::BTreeSet;
use std::time::Instant;

use async_trait::async_trait;
use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
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

/// Why the bus could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Another engine plays the show, under a larger token.
    #[error("another engine plays the show")]
    Fenced,
    /// It can't be reached or can't answer; the outcome is unknown, and the same may be asked again.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
}

/// A place in the order in which gateways spoke about a show. A bus inside one process knows one only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u64, pub u64);

/// What reached an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// About which of its shows, if the bus knows.
    pub show: Option<ShowId>,
    /// Once this message is dealt with, so is everything up to here.
    pub place: Place,
    /// What was said.
    pub message: ToEngine,
}

impl From<ToEngine> for Heard {
    fn from(message: ToEngine) -> Self {
        Self { show: None, place: Place::default(), message }
    }
}

/// What a show says at once, after the journal holds what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Which show.
    pub show: ShowId,
    /// What, in order.
    pub messages: Vec<(Address, ToGateway)>,
    /// What came of the show's first records, so many of them, has been said with this.
    pub records: u64,
    /// Everything up to here was heard and is dealt with.
    pub heard: Place,
}

/// How a show was left by the engine that played it before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// What came of so many of its records was said. None if nobody is there who heard anything.
    pub said: Option<u64>,
    /// The gateways that hear it.
    pub gateways: BTreeSet<GatewayId>,
}

/// What came of entering a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// It is known under its code from now on.
    New,
    /// Another show has the code.
    CodeTaken,
    /// The same create made this show before.
    Before(ShowId, ShowCode),
    /// A create of another show has the id.
    IdTaken,
}

/// An engine's end of the bus.
///
/// What an engine says about a show is fenced: once another engine has adopted the show, nothing of it reaches anybody.
#[async_trait]
pub trait EngineEnd: Send + Sync + 'static {
    /// Says what came of a show's turn, without waiting.
    fn say(&self, turn: Turn);

    /// Answers somebody about no show that is played here, without waiting.
    fn answer(&self, to: GatewayId, message: ToGateway);

    /// Waits until there is something and appends it to `into`, in order. False when no gateway can ever send again.
    async fn receive(&self, into: &mut Vec<Heard>) -> bool;

    /// From now on this engine plays the show, under this lease. What gateways say about it is received here, beginning after what
    /// the last turn had heard. A turn of an earlier lease of this engine that was not said yet is said under this one.
    ///
    /// # Errors
    /// Any of [`BusError`].
    async fn adopt(&self, show: ShowId, fence: Fence) -> Result<Left, BusError>;

    /// This engine no longer plays the show; what it said last is still said. Of a show that is over nothing is kept.
    fn let_go(&self, show: ShowId, is_over: bool);

    /// Makes a new show known under its code, unless another has it, or a create with this id made one before: the same create if it
    /// was made of the same, by this hash. A bus inside one process leaves this to its engine.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn enter(&self, show: ShowId, code: &ShowCode, create: &CommandId, made_of: u64)
    -> Result<Entered, BusError>;

    /// Tells all engines where a show is, without waiting.
    fn list(&self, line: ShowLine);

    /// The shows of all engines. None if this engine's are all there are.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn lines(&self) -> Result<Option<Vec<ShowLine>>, BusError>;

    /// When what is said or heard of the show last got stuck on its way, as far as this end knows.
    fn last_failure(&self, show: ShowId) -> Option<Instant>;

    /// Whether answers can get stuck between gateways and engines.
    fn crosses_a_network(&self) -> bool;
}

/// A gateway's end of the bus.
#[async_trait]
pub trait GatewayEnd: Send + Sync + 'static {
    /// Hands a message to the engines, without waiting for them.
    fn send(&self, message: ToEngine);

    /// Somebody here hears this show from now on, such as a host: before a join is sent for it, that is not needed.
    fn attend(&self, show: ShowId);

    /// Of all shows, only these are still heard by somebody here.
    fn attend_only(&self, shows: &BTreeSet<ShowId>);

    /// Whether there may be other gateways, so that no figure of this one is that of the show.
    fn crosses_a_network(&self) -> bool;

    /// Waits until there is something and appends it to `into`, in order. False when no engine can ever send again.
    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool;

    /// The name under which engines know this gateway.
    fn id(&self) -> GatewayId;
}
