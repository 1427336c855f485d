//! What entries of streams hold, in bytes.

use std::sync::Arc;

use bincode::{Decode, Encode};
use klaxon_protocol::ids::{ConnRef, GatewayId, Name, PlayerId, SeatRef, ShowId};
use klaxon_protocol::link::{Broadcast, Resynced, Seated, ToEngine, ToGateway};
use klaxon_protocol::player::{Snapshot, ToPlayer, You};
use redis::Value;

use super::personal::{Planes, PlanesError};
use crate::bus::{Address, Place};

/// The field with the messages.
const MESSAGES: &[u8] = b"m";
/// The field that says how far the show had dealt with what gateways said.
const HEARD: &[u8] = b"h";
/// What an entry may claim to hold before it is read: more is a damaged entry.
const LARGEST: usize = 1 << 30;

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: Place,
    pub messages: Vec<u8>,
    pub heard: Option<Place>,
}

/// Why an entry's messages can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryError {
    #[error(transparent)]
    Bytes(#[from] bincode::error::DecodeError),
    #[error(transparent)]
    Personal(#[from] PlanesError),
    #[error("a snapshot is missing")]
    NoSnapshot,
}

/// A place as the id of an entry.
pub(super) fn id(Place(high, low): Place) -> String {
    format!("{high}-{low}")
}

/// An entry's id as a place.
pub(super) fn place(id: &[u8]) -> Option<Place> {
    let (high, low) = std::str::from_utf8(id).ok()?.split_once('-')?;
    Some(Place(high.parse().ok()?, low.parse().ok()?))
}

/// What XREAD answered: the entries of each stream that has new ones, by its key.
pub(super) fn streams(answer: Value) -> Vec<(String, Vec<Entry>)> {
    let Value::Array(streams) = answer else { return Vec::new() };
    let stream = |stream| match pair(stream)? {
        (Value::BulkString(key), entries) => Some((String::from_utf8(key).ok()?, self::entries(entries))),
        _ => None,
    };
    streams.into_iter().filter_map(stream).collect()
}

/// What XRANGE answers, or XREAD for one stream. An entry that was deleted meanwhile is left out.
pub(super) fn entries(answer: Value) -> Vec<Entry> {
    let Value::Array(entries) = answer else { return Vec::new() };
    entries.into_iter().filter_map(entry).collect()
}

fn entry(value: Value) -> Option<Entry> {
    let (Value::BulkString(id), Value::Array(fields)) = pair(value)? else { return None };
    let mut entry = Entry { id: place(&id)?, messages: Vec::new(), heard: None };
    let mut fields = fields.into_iter();
    while let (Some(Value::BulkString(name)), Some(Value::BulkString(value))) = (fields.next(), fields.next()) {
        match name.as_slice() {
            MESSAGES => entry.messages = value,
            HEARD => entry.heard = place(&value),
            _ => {}
        }
    }
    Some(entry)
}

fn pair(value: Value) -> Option<(Value, Value)> {
    let Value::Array(items) = value else { return None };
    let [first, second] = <[Value; 2]>::try_from(items).ok()?;
    Some((first, second))
}

/// What a gateway has to say, in bytes.
pub(super) fn of_gateway(messages: &[ToEngine]) -> Vec<u8> {
    encode(&messages)
}

/// What a gateway said.
///
/// # Errors
/// If these are no messages of a gateway.
pub(super) fn from_gateway(bytes: &[u8]) -> Result<Vec<ToEngine>, EntryError> {
    Ok(decode(bytes)?)
}

/// What engines said.
///
/// # Errors
/// If these are no messages of an engine.
pub(super) fn from_engine(bytes: &[u8]) -> Result<Vec<ToGateway>, EntryError> {
    let said: Vec<Said> = decode(bytes)?;
    let mut snapshot = None;
    said.into_iter().map(|said| said.message(&mut snapshot)).collect()
}

pub(super) fn encode<T: Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, bincode::config::standard()).expect("all that our messages hold can be encoded")
}

pub(super) fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, bincode::error::DecodeError> {
    match bincode::decode_from_slice(bytes, bincode::config::standard().with_limit::<LARGEST>())? {
        (value, read) if read == bytes.len() => Ok(value),
        (_, read) => {
            let problem = format!("{} bytes are left over behind the value", bytes.len() - read);
            Err(bincode::error::DecodeError::OtherString(problem))
        }
    }
}

/// What a show says, sorted into the entries of its streams.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// In order: for whom, and the messages' bytes.
    pub entries: Vec<(Option<GatewayId>, Vec<u8>)>,
    /// For hosts, whose gateway may not hear the show.
    pub hosts: Vec<(GatewayId, ToGateway)>,
}

impl Sorted {
    /// Every message to all is an entry. What is said to one gateway between two of them is one entry.
    pub fn of(messages: impl IntoIterator<Item = (Address, ToGateway)>) -> Self {
        let mut sorted = Self::default();
        let mut direct: Vec<(GatewayId, Direct)> = Vec::new();
        for (to, message) in messages {
            match (to, message) {
                (_, message @ ToGateway::Host { conn, .. }) => sorted.hosts.push((conn.gateway, message)),
                (Address::One(gateway), message) => match direct.iter_mut().find(|(to, _)| *to == gateway) {
                    Some((_, direct)) => direct.push(message),
                    None => {
                        let mut first = Direct::default();
                        first.push(message);
                        direct.push((gateway, first));
                    }
                },
                (Address::All, message) => {
                    sorted.take(&mut direct);
                    sorted.entries.push((None, of_engine([message])));
                }
            }
        }
        sorted.take(&mut direct);
        sorted
    }

    fn take(&mut self, direct: &mut Vec<(GatewayId, Direct)>) {
        self.entries.extend(direct.drain(..).map(|(gateway, direct)| (Some(gateway), encode(&direct.said))));
    }
}

/// What an engine has to say, in bytes.
pub(super) fn of_engine(messages: impl IntoIterator<Item = ToGateway>) -> Vec<u8> {
    let mut direct = Direct::default();
    messages.into_iter().for_each(|message| direct.push(message));
    encode(&direct.said)
}

/// Messages of one entry. Those who come in at the same event share its snapshot.
#[derive(Default)]
struct Direct {
    said: Vec<Said>,
    snapshot: Option<Arc<Snapshot>>,
}

impl Direct {
    fn push(&mut self, message: ToGateway) {
        let said = match message {
            ToGateway::Broadcast(Broadcast { show, message, personal }) => {
                Said::Event { show, message, personal: personal.map(|personal| Planes::of(&personal)) }
            }
            ToGateway::Own { show, personal } => Said::Own { show, personal: Planes::of(&personal) },
            ToGateway::Seated(Seated { conn, show, seat, player, name, snapshot, you, issue }) => {
                Said::Seated { conn, show, seat, player, name, snapshot: self.if_new(snapshot), you, issue }
            }
            ToGateway::Resynced(Resynced { conn, show, snapshot, you }) => {
                Said::Resynced { conn, show, snapshot: self.if_new(snapshot), you }
            }
            other => Said::Plain(other),
        };
        self.said.push(said);
    }

    fn if_new(&mut self, snapshot: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        if self.snapshot.as_ref().is_some_and(|last| Arc::ptr_eq(last, &snapshot)) {
            return None;
        }
        self.snapshot = Some(Arc::clone(&snapshot));
        Some(snapshot)
    }
}

/// A message as it travels.
#[derive(Encode, Decode)]
enum Said {
    Plain(ToGateway),
    Event {
        show: ShowId,
        message: ToPlayer,
        personal: Option<Planes>,
    },
    Seated {
        conn: ConnRef,
        show: ShowId,
        seat: Option<SeatRef>,
        player: PlayerId,
        name: Name,
        /// None if it is that of the message before it.
        snapshot: Option<Arc<Snapshot>>,
        you: You,
        issue: u32,
    },
    Resynced {
        conn: ConnRef,
        show: ShowId,
        snapshot: Option<Arc<Snapshot>>,
        you: You,
    },
    Own {
        show: ShowId,
        personal: Planes,
    },
}

impl Said {
    fn message(self, last: &mut Option<Arc<Snapshot>>) -> Result<ToGateway, EntryError> {
        let mut snapshot = |new: Option<Arc<Snapshot>>| {
            *last = new.or_else(|| last.take());
            last.clone().ok_or(EntryError::NoSnapshot)
        };
        Ok(match self {
            Self::Plain(message) => message,
            Self::Event { show, message, personal } => {
                let personal = personal.map(Planes::personal).transpose()?.map(Arc::new);
                ToGateway::Broadcast(Broadcast { show, message, personal })
            }
            Self::Own { show, personal } => ToGateway::Own { show, personal: Arc::new(personal.personal()?) },
            Self::Seated { conn, show, seat, player, name, snapshot: new, you, issue } => {
                ToGateway::Seated(Seated { conn, show, seat, player, name, snapshot: snapshot(new)?, you, issue })
            }
            Self::Resynced { conn, show, snapshot: new, you } => {
                ToGateway::Resynced(Resynced { conn, show, snapshot: snapshot(new)?, you })
            }
        })
    }
}
