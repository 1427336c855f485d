//! What was observed from outside: every frame that a player sent or received, with its time.
//!
//! Each distinct frame is stored once, so that ten thousand players' evidence fits in memory: the fan-out sends the
//! same bytes to all players. The audit decodes them once, too.

use std::collections::HashMap;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::QuestionId;
use serde::Serialize;

/// Microseconds since 1970-01-01T00:00:00Z by the clock of the swarm's machine.
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

/// A frame's index among the distinct frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub u32);

/// A player of the swarm: a person, with all their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayerNumber(pub u32);

/// One of the gateways of the service under test, from 0 up; a single server has number 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GatewayNumber(pub u16);

/// The direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the player. The time is taken before the call that writes it.
    Sent,
    /// To the player. The time is that of the kernel's receipt or, if the kernel does not report it, after the read.
    Received,
}

/// A frame on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When it was sent or received.
    pub at: Micros,
    /// Its direction.
    pub direction: Direction,
    /// Its content.
    pub frame: FrameId,
}

/// The kernel's times of a sent message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transit {
    /// The message's index among the connection's entries.
    pub entry: usize,
    /// When its first byte was passed to the network.
    pub left: Option<Micros>,
    /// When the peer's kernel had acknowledged its last byte.
    pub acknowledged: Option<Micros>,
}

/// One connection from open to close.
#[derive(Debug, Clone)]
pub struct ConnectionLog {
    /// The player.
    pub player: PlayerNumber,
    /// The gateway that it connected to.
    pub gateway: GatewayNumber,
    /// The codec of its frames.
    pub codec: Codec,
    /// Whether this player follows the protocol and has a working network. Some promises hold for all players, others
    /// only for these.
    pub honest: bool,
    /// All frames, in order.
    pub entries: Vec<Entry>,
    /// The kernel's times of sent messages, in order; messages without times are missing.
    pub transits: Vec<Transit>,
    /// When packets were sent that contain no message: pongs, the close frame, and the end of the connection.
    pub sent_beside: Vec<Micros>,
    /// The close code that the server sent, if any.
    pub close_code: Option<u16>,
}

/// The distinct frames.
#[derive(Debug, Default)]
pub struct Frames {
    json: HashMap<Bytes, FrameId>,
    bincode: HashMap<Bytes, FrameId>,
    frames: Vec<(Codec, Bytes)>,
}

impl Frames {
    /// The index of these bytes; adds them if they are new.
    ///
    /// # Panics
    /// At 2^32 distinct frames, which don't fit in memory.
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

    /// Every frame with its index.
    pub fn iter(&self) -> impl Iterator<Item = (FrameId, Codec, &[u8])> {
        (0..).zip(&self.frames).map(|(number, (codec, bytes))| (FrameId(number), *codec, &bytes[..]))
    }
}

/// The process of the service that a fault is injected into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Victim {
    /// The single process of `klaxon serve`.
    Server,
    /// The gateway with this number.
    Gateway(u16),
    /// The engine that plays the show.
    OwningEngine,
    /// An engine that does not play the show.
    OtherEngine,
    /// The Redis of the arbiter and the bus.
    Redis,
    /// The Kafka broker of the journal.
    Broker,
    /// The service that fills the database.
    Archive,
}

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// The process was killed (SIGKILL) and started again.
    Killed,
    /// The process was suspended (SIGSTOP); its connections stayed open.
    Paused,
    /// The process was stopped (SIGTERM) and replaced by another version.
    Upgraded,
}

impl Harm {
    /// The fault as a verb, for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Paused => "stopped",
            Self::Upgraded => "upgraded",
        }
    }
}

/// A fault that was injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// The question in which it happened.
    pub question: QuestionId,
    /// The process that was chosen.
    pub victim: Victim,
    /// The process's name, such as `engine-2`.
    pub process: String,
    /// The kind of the fault.
    pub harm: Harm,
    /// Since when the process did nothing.
    pub from: Micros,
    /// When the process worked again.
    pub until: Micros,
}

impl Disturbance {
    /// Whether the fault closed the connections through this gateway.
    #[must_use]
    pub fn cuts(&self, gateway: GatewayNumber) -> bool {
        self.harm != Harm::Paused && self.is_at(gateway)
    }

    /// Whether the fault hit this gateway's process.
    #[must_use]
    pub fn is_at(&self, gateway: GatewayNumber) -> bool {
        match self.victim {
            Victim::Server => true,
            Victim::Gateway(number) => number == gateway.0,
            _ => false,
        }
    }

    /// A description for people: `engine-2 killed`.
    #[must_use]
    pub fn what(&self) -> String {
        format!("{} {}", self.process, self.harm.word())
    }
}

/// All input of the audit.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The frames.
    pub frames: Frames,
    /// The connections, in the order in which they were opened.
    pub connections: Vec<ConnectionLog>,
    /// The show's journal, as the server left it.
    pub journal: Vec<u8>,
    /// The person records that are kept apart from it; may be empty.
    pub people: Vec<u8>,
    /// The result of replaying the journal; without it promise 7 checks only the records.
    pub replay: Option<Replay>,
    /// The server's resident memory over time, in bytes.
    pub resident: Vec<(Micros, u64)>,
}

/// The result of replaying the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Whether the replay led to the states in the journal.
    pub identical: bool,
    /// The last line of the program's output, or why it could not be run.
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
