//! What was seen from outside: every frame that every player sent and received, with its time.
//!
//! Frames are kept once however often they were seen, so that ten thousand players' evidence fits in memory: the fan-out
//! sends the same bytes to everybody, and so does the audit decode them once.

use std::collections::HashMap;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::QuestionId;
use serde::Serialize;

/// Microseconds since 1970-01-01T00:00:00Z by this machine's clock, which is the server's too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// The time now.
    #[must_use]
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

/// A frame's number among the distinct frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub u32);

/// A player of the swarm: a person, over all their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayerNumber(pub u32);

/// One of the gateways of the service under test, from 0 up; a single server is one, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GatewayNumber(pub u16);

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the player; the time is that of the call that wrote it, before the call.
    Sent,
    /// To the player; the time is that at which the kernel had it, or, where the kernel does not report it, that after it was read.
    Received,
}

/// A frame seen on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Micros,
    /// Which way.
    pub direction: Direction,
    /// What.
    pub frame: FrameId,
}

/// The kernel's times of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transit {
    /// The message's place among the connection's entries.
    pub entry: usize,
    /// When its first byte was given to the network.
    pub left: Option<Micros>,
    /// When the other end's kernel had acknowledged its last byte.
    pub acknowledged: Option<Micros>,
}

/// One connection from open to close.
#[derive(Debug, Clone)]
pub struct ConnectionLog {
    /// Whose.
    pub player: PlayerNumber,
    /// Through which gateway it came.
    pub gateway: GatewayNumber,
    /// How its frames are encoded.
    pub codec: Codec,
    /// Whether this player keeps the rules of the protocol and has a network that works: what a promise grants to everybody
    /// holds for all, what it grants to those who listen holds for these.
    pub honest: bool,
    /// What was seen, in order.
    pub entries: Vec<Entry>,
    /// The kernel's times of what was sent, in order; a message without times is missing.
    pub transits: Vec<Transit>,
    /// When packets were sent that are no message: pongs, the close frame, and the end of the connection.
    pub sent_beside: Vec<Micros>,
    /// The close code that the server sent, if it sent one.
    pub close_code: Option<u16>,
}

/// The distinct frames that were seen.
#[derive(Debug, Default)]
pub struct Frames {
    json: HashMap<Bytes, FrameId>,
    bincode: HashMap<Bytes, FrameId>,
    frames: Vec<(Codec, Bytes)>,
}

impl Frames {
    /// The number of these bytes.
    ///
    /// # Panics
    /// At 2^32 distinct frames, which no memory holds.
    pub fn intern(&mut self, codec: Codec, bytes: &[u8]) -> FrameId {
        let by_bytes = match codec {
            Codec::Json => &mut self.json,
            Codec::Bincode => &mut self.bincode,
        };
        if let Some(&id) = by_bytes.get(bytes) {
            return id;
        }
        let id = FrameId(u32::try_from(self.frames.len()).expect("fewer than 2^32 distinct frames fit in memory"));
        let bytes = Bytes::copy_from_slice(bytes);
        self.frames.push((codec, bytes.clone()));
        by_bytes.insert(bytes, id);
        id
    }

    /// The frame's codec and bytes.
    #[must_use]
    pub fn get(&self, id: FrameId) -> (Codec, &[u8]) {
        let (codec, bytes) = &self.frames[id.0 as usize];
        (*codec, bytes)
    }

    /// Every frame with its number.
    pub fn iter(&self) -> impl Iterator<Item = (FrameId, Codec, &[u8])> {
        (0..).zip(&self.frames).map(|(number, (codec, bytes))| (FrameId(number), *codec, &bytes[..]))
    }
}

/// Which process of the service a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Victim {
    /// The one process of `klaxon serve`.
    Server,
    /// The gateway of this number.
    Gateway(u16),
    /// The engine that plays the show.
    OwningEngine,
    /// An engine that does not.
    OtherEngine,
    /// The Redis that arbiter and bus are on.
    Redis,
    /// The Kafka broker that the journal is on.
    Broker,
    /// The service that fills the database.
    Archive,
}

/// What a fault did to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It was killed (SIGKILL) and started again.
    Killed,
    /// It stood still (SIGSTOP), and its connections stayed.
    Paused,
    /// It was told to stop (SIGTERM), and another version was started in its place.
    Upgraded,
}

impl Harm {
    /// What happened, for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Paused => "stopped",
            Self::Upgraded => "upgraded",
        }
    }
}

/// A fault that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// In which question.
    pub question: QuestionId,
    /// Whom it was for.
    pub victim: Victim,
    /// The process's name, such as `engine-2`.
    pub process: String,
    /// What was done to it.
    pub harm: Harm,
    /// From when on it did nothing.
    pub from: Micros,
    /// When it was at work again.
    pub until: Micros,
}

impl Disturbance {
    /// Whether connections through this gateway were cut by it.
    #[must_use]
    pub fn cuts(&self, gateway: GatewayNumber) -> bool {
        self.harm != Harm::Paused && self.is_at(gateway)
    }

    /// Whether this gateway did nothing meanwhile.
    #[must_use]
    pub fn is_at(&self, gateway: GatewayNumber) -> bool {
        match self.victim {
            Victim::Server => true,
            Victim::Gateway(number) => number == gateway.0,
            _ => false,
        }
    }

    /// What happened, for people: `engine-2 killed`.
    #[must_use]
    pub fn what(&self) -> String {
        format!("{} {}", self.process, self.harm.word())
    }
}

/// All that the audit looks at.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The frames.
    pub frames: Frames,
    /// The connections, in the order in which they were opened.
    pub connections: Vec<ConnectionLog>,
    /// The journal of the show as the server left it.
    pub journal: Vec<u8>,
    /// What came of replaying the journal; without it promise 7 looks at the records only.
    pub replay: Option<Replay>,
    /// The server's resident memory over time, in bytes.
    pub resident: Vec<(Micros, u64)>,
}

/// What came of replaying the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Whether it gave the states that the journal records.
    pub identical: bool,
    /// The last line that the program printed, or why it could not be run.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_known_by_the_door_it_is_behind() {
        let gateway = Disturbance {
            question: QuestionId(1),
            victim: Victim::Gateway(1),
            process: "gateway-2".into(),
            harm: Harm::Paused,
            from: Micros(0),
            until: Micros(1),
        };
        assert!(gateway.is_at(GatewayNumber(1)) && !gateway.is_at(GatewayNumber(0)) && !gateway.cuts(GatewayNumber(1)));
        let redis = Disturbance { victim: Victim::Redis, harm: Harm::Killed, ..gateway.clone() };
        assert!(!redis.cuts(GatewayNumber(1)));
        let server = Disturbance { victim: Victim::Server, harm: Harm::Killed, ..gateway.clone() };
        assert!(server.cuts(GatewayNumber(0)));
        assert_eq!(gateway.what(), "gateway-2 stopped");
    }
}
