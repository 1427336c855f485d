//! The names of Klaxon's keys.

use klaxon_protocol::ids::{CommandId, GatewayId, QuestionId, ShowCode, ShowId};

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

    /// Hash: the show's lease (`fence`, its token; `holder`; `until` and `seen`, its end and its last sign of life in Redis'
    /// milliseconds), and what the arbiter knows of its questions (`newest`, and `closed:N` for each that is closed).
    #[must_use]
    pub fn lease(&self, show: ShowId) -> String {
        self.of(show, "lease")
    }

    /// String: a question's claims by seat, four bits each, for one page of the seats.
    #[must_use]
    pub fn claims(&self, show: ShowId, question: QuestionId, page: u32) -> String {
        self.of(show, &format!("claims:{question}:{page}"))
    }

    /// Stream: the show's journal; a record's id is its number plus 1.
    #[must_use]
    pub fn journal(&self, show: ShowId) -> String {
        self.of(show, "journal")
    }

    /// Hash: how far Kafka has the show's journal (`next` number, `fence` of the record before it), and whether it is `over`.
    #[must_use]
    pub fn shipped(&self, show: ShowId) -> String {
        self.of(show, "shipped")
    }

    /// Stream: what gateways say about the show.
    #[must_use]
    pub fn to_show(&self, show: ShowId) -> String {
        self.of(show, "in")
    }

    /// Stream: what all gateways of the show hear.
    #[must_use]
    pub fn to_all(&self, show: ShowId) -> String {
        self.of(show, "out")
    }

    /// Stream: what one gateway hears of the show.
    #[must_use]
    pub fn to_one(&self, show: ShowId, gateway: GatewayId) -> String {
        self.of(show, &format!("out:{gateway}"))
    }

    /// Hash: how far the show's engine has come in saying and hearing.
    #[must_use]
    pub fn said(&self, show: ShowId) -> String {
        self.of(show, "said")
    }

    /// Set: the gateways that hear the show.
    #[must_use]
    pub fn audience(&self, show: ShowId) -> String {
        self.of(show, "gateways")
    }

    /// Set: the shows that are not over.
    #[must_use]
    pub fn shows(&self) -> String {
        format!("{}:shows", self.prefix)
    }

    /// Hash: each show in a line, for lists.
    #[must_use]
    pub fn lines(&self) -> String {
        format!("{}:lines", self.prefix)
    }

    /// String: which show has this code.
    #[must_use]
    pub fn code(&self, code: &ShowCode) -> String {
        format!("{}:code:{code}", self.prefix)
    }

    /// String: which show this create made, and a hash of its pack and settings.
    #[must_use]
    pub fn created(&self, id: &CommandId) -> String {
        format!("{}:created:{id}", self.prefix)
    }

    /// Hash: the gateways that are up, and until when they are taken to be.
    #[must_use]
    pub fn gateways(&self) -> String {
        format!("{}:gateways", self.prefix)
    }

    /// Stream with a consumer group: what hosts ask of any engine.
    #[must_use]
    pub fn requests(&self) -> String {
        format!("{}:requests", self.prefix)
    }

    /// Stream: what hosts of one gateway are answered.
    #[must_use]
    pub fn to_hosts(&self, gateway: GatewayId) -> String {
        format!("{}:hosts:{gateway}", self.prefix)
    }
}
