//! The names of Klaxon's keys.

use klaxon_protocol::ids::{CommandId, GatewayId, RoundId, ShowCode, ShowId};

/// The names of Klaxon's keys. Those of one show share a hash tag, so that they are in one slot of a Redis Cluster.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    fn of(&self, show: ShowId, what: &str) -> String {
        format!("{}:{{{show}}}:{what}", self.prefix)
    }

    /// Hash: the show's lease (`fence`, its token; `holder`; `until`, its end, and `seen`, when it was last taken,
    /// renewed or released, both in milliseconds of Redis' clock), and its rounds as far as the arbiter tracks them
    /// (`newest`, and `closed:N` for each closed round).
    #[must_use]
    pub fn lease(&self, show: ShowId) -> String {
        self.of(show, "lease")
    }

    /// A round's claims for one page of seats. A string with a few bits per seat if a claim is a small number, else a
    /// hash by seat and key.
    #[must_use]
    pub fn claims(&self, show: ShowId, round: RoundId, page: u32) -> String {
        self.of(show, &format!("claims:{round}:{page}"))
    }

    /// Stream: the show's journal; a record's id is its number plus 1.
    #[must_use]
    pub fn journal(&self, show: ShowId) -> String {
        self.of(show, "journal")
    }

    /// Hash: what stands apart from the show's journal, by `NUMBER-FENCE` of the record that it belongs to.
    #[must_use]
    pub fn people(&self, show: ShowId) -> String {
        self.of(show, "people")
    }

    /// Hash: how far Kafka has the show's journal (`next` number, `fence` of the record before it), and whether it is `over`.
    #[must_use]
    pub fn shipped(&self, show: ShowId) -> String {
        self.of(show, "shipped")
    }

    /// Stream: what gateways send about the show.
    #[must_use]
    pub fn input(&self, show: ShowId) -> String {
        self.of(show, "input")
    }

    /// Stream: what the show publishes for all of its gateways.
    #[must_use]
    pub fn events(&self, show: ShowId) -> String {
        self.of(show, "events")
    }

    /// Stream: what the show publishes for one gateway.
    #[must_use]
    pub fn gateway_events(&self, show: ShowId, gateway: GatewayId) -> String {
        self.of(show, &format!("events:{gateway}"))
    }

    /// Hash: the progress of the show's engine: the number of `records` whose events are published, the position up to
    /// which its input is `acknowledged`, and the id of the `last` entry that was published.
    #[must_use]
    pub fn progress(&self, show: ShowId) -> String {
        self.of(show, "progress")
    }

    /// Set: the gateways that subscribe to the show.
    #[must_use]
    pub fn subscribers(&self, show: ShowId) -> String {
        self.of(show, "subscribers")
    }

    /// Set: the shows that are not over.
    #[must_use]
    pub fn shows(&self) -> String {
        format!("{}:shows", self.prefix)
    }

    /// Hash: the directory, a line for each show.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("{}:directory", self.prefix)
    }

    /// String: the id of the show that has this code.
    #[must_use]
    pub fn code(&self, code: &ShowCode) -> String {
        format!("{}:code:{code}", self.prefix)
    }

    /// String: the id of the show that this create command made, and a hash of its pack and settings.
    #[must_use]
    pub fn created(&self, id: &CommandId) -> String {
        format!("{}:created:{id}", self.prefix)
    }

    /// Hash: the registered gateways, each with the time until which it counts as up, and its URL.
    #[must_use]
    pub fn gateway_registry(&self) -> String {
        format!("{}:gateways", self.prefix)
    }

    /// Stream with a consumer group: hosts' requests to any engine.
    #[must_use]
    pub fn host_requests(&self) -> String {
        format!("{}:host-requests", self.prefix)
    }

    /// Stream: replies to hosts of one gateway.
    #[must_use]
    pub fn host_replies(&self, gateway: GatewayId) -> String {
        format!("{}:host-replies:{gateway}", self.prefix)
    }
}
