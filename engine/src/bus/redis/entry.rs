//! The entries of streams, and how messages are encoded in them.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use klaxon_protocol::binary::{self, BadBytes, Decode, Encode};
use klaxon_protocol::ids::{GatewayId, Seq};
use klaxon_protocol::link::{Personal, ToEngine, ToGateway, View};
use klaxon_protocol::player::{Lobby, Phase, ToPlayer};
use parking_lot::Mutex;
use redis::Value;
use tokio::time::Instant;

use super::bit_planes::{BitPlanes, BitPlanesError};
use super::version::{IS_NEXT, Since, VersionError, body, header, is_next_entry, next_entry, split};
use crate::bus::{Address, StreamPosition};
use crate::seal::SealError;

/// The field with the messages.
const MESSAGES: &[u8] = b"m";
/// The field with the position up to which the show had processed its input.
const ACKNOWLEDGED: &[u8] = b"a";
/// The largest size, in bytes, that an entry may declare for its decoded content. A larger one is damaged.
const MAX_DECODED: usize = 1 << 30;
/// Shortest time between two log lines about entries that can't be read: if one has an unknown version, all may have
/// it.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamEntry {
    pub id: StreamPosition,
    pub messages: Vec<u8>,
    pub acknowledged: Option<StreamPosition>,
}

/// Why an entry's messages can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryError {
    #[error(transparent)]
    Bytes(#[from] BadBytes),
    #[error(transparent)]
    Personal(#[from] BitPlanesError),
    #[error("a message refers to the view of the one before it, which has none")]
    NoView,
    #[error("a message that has no personal part comes with one")]
    Misplaced,
    #[error("it has no message")]
    Empty,
    #[error(transparent)]
    Version(#[from] VersionError),
    #[error(transparent)]
    Sealed(#[from] SealError),
}

/// A position as the id of an entry.
pub(super) fn id(StreamPosition(high, low): StreamPosition) -> String {
    format!("{high}-{low}")
}

/// An entry's id as a position.
pub(super) fn position(id: &[u8]) -> Option<StreamPosition> {
    let (high, low) = std::str::from_utf8(id).ok()?.split_once('-')?;
    Some(StreamPosition(high.parse().ok()?, low.parse().ok()?))
}

/// The reply to XREAD: the entries of each stream that has new ones, by its key.
pub(super) fn streams(reply: Value) -> Vec<(String, Vec<StreamEntry>)> {
    let Value::Array(streams) = reply else { return Vec::new() };
    let stream = |stream| match pair(stream)? {
        (Value::BulkString(key), entries) => Some((String::from_utf8(key).ok()?, self::entries(entries))),
        _ => None,
    };
    streams.into_iter().filter_map(stream).collect()
}

/// The reply to XRANGE, or the part of XREAD's for one stream. An entry that was deleted meanwhile is left out.
pub(super) fn entries(reply: Value) -> Vec<StreamEntry> {
    let Value::Array(entries) = reply else { return Vec::new() };
    entries.into_iter().filter_map(entry).collect()
}

fn entry(value: Value) -> Option<StreamEntry> {
    let (Value::BulkString(id), Value::Array(fields)) = pair(value)? else { return None };
    let mut entry = StreamEntry { id: position(&id)?, messages: Vec::new(), acknowledged: None };
    let mut fields = fields.into_iter();
    while let (Some(Value::BulkString(name)), Some(Value::BulkString(value))) = (fields.next(), fields.next()) {
        match name.as_slice() {
            MESSAGES => entry.messages = value,
            ACKNOWLEDGED => entry.acknowledged = position(&value),
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

/// Encodes messages of a gateway.
pub(super) fn encode_to_engine(messages: &[ToEngine]) -> Vec<u8> {
    encode_as(messages.iter().map(Since::since).max().unwrap_or(1), &messages)
}

/// Decodes messages of a gateway.
///
/// # Errors
/// If these are no messages of a gateway.
pub(super) fn decode_to_engine(bytes: &[u8]) -> Result<Vec<ToEngine>, EntryError> {
    if is_next_entry(bytes) {
        return Ok(Vec::new());
    }
    let messages: Vec<ToEngine> = decode(bytes)?;
    if messages.is_empty() { Err(EntryError::Empty) } else { Ok(messages) }
}

/// Encodes messages of an engine.
pub(super) fn encode_to_gateway(messages: impl IntoIterator<Item = ToGateway>) -> Vec<u8> {
    let (mut view, mut version) = (None, 1);
    let messages = messages.into_iter().inspect(|message| version = version.max(message.since()));
    let packed: Vec<Packed> = messages.map(|message| Packed::pack(message, &mut view)).collect();
    encode_as(version, &packed)
}

/// Decodes messages of an engine.
///
/// # Errors
/// If these are no messages of an engine.
pub(super) fn decode_to_gateway(bytes: &[u8]) -> Result<Vec<ToGateway>, EntryError> {
    if is_next_entry(bytes) {
        return Ok(Vec::new());
    }
    let packed: Vec<Packed> = decode(bytes)?;
    let mut view = None;
    packed.into_iter().map(|packed| packed.unpack(&mut view)).collect()
}

/// Encodes what the first version of the link has.
pub(super) fn encode<T: Encode>(value: &T) -> Vec<u8> {
    encode_as(1, value)
}

fn encode_as<T: Encode>(version: u8, value: &T) -> Vec<u8> {
    let mut bytes = header(version);
    binary::encode_into(value, &mut bytes);
    bytes
}

/// Decodes what is written in a version of the link that this program has.
///
/// # Errors
/// If it is of another version, or no such value.
pub(super) fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, EntryError> {
    decode_body(body(bytes)?)
}

/// Decodes what follows a header.
///
/// # Errors
/// If it is no such value.
pub(super) fn decode_body<T: Decode<()>>(bytes: &[u8]) -> Result<T, EntryError> {
    Ok(binary::decode::<T, MAX_DECODED>(bytes)?)
}

/// Counts and logs something in Redis that is not read.
pub(super) fn refuse(key: &str, at: StreamPosition, error: &EntryError) {
    static LOGGED: Mutex<Option<Instant>> = Mutex::new(None);
    let reason = match error {
        EntryError::Version(_) => "version",
        EntryError::Sealed(_) => "sealed",
        _ => "damaged",
    };
    metrics::counter!("klaxon_bus_refused_total", "reason" => reason).increment(1);
    let mut logged = LOGGED.lock();
    if reason == "damaged" || logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
        if reason != "damaged" {
            *logged = Some(Instant::now());
        }
        tracing::error!(key, id = id(at), %error, "an entry of the bus is not read");
    }
}

/// Groups what is sent by gateway, each group in order.
pub(super) fn group_by_gateway<T>(sent: impl IntoIterator<Item = (GatewayId, T)>) -> Vec<(GatewayId, Vec<T>)> {
    let mut groups: Vec<(GatewayId, Vec<T>)> = Vec::new();
    for (gateway, one) in sent {
        match groups.iter_mut().find(|(of, _)| *of == gateway) {
            Some((_, group)) => group.push(one),
            None => groups.push((gateway, vec![one])),
        }
    }
    groups
}

/// What a show publishes, as entries of its streams.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// In order: the gateway whose stream the entry is for, or none for the stream of all gateways; and the encoded
    /// messages.
    pub events: Vec<(Option<GatewayId>, Vec<u8>)>,
    /// Replies to hosts, whose gateways may not subscribe to the show.
    pub host_replies: Vec<(GatewayId, ToGateway)>,
}

impl Entries {
    /// Each message for all gateways is an entry. The messages for one gateway between two of them are one entry.
    pub fn of(messages: impl IntoIterator<Item = (Address, ToGateway)>) -> Self {
        let mut entries = Self::default();
        let mut direct: Vec<(GatewayId, ToGateway)> = Vec::new();
        for (to, message) in messages {
            match (to, message) {
                (_, message @ ToGateway::Host { conn, .. }) => entries.host_replies.push((conn.gateway, message)),
                (Address::One(gateway), message) => direct.push((gateway, message)),
                (Address::All, message) => {
                    entries.add_direct(&mut direct);
                    entries.events.push((None, encode_to_gateway([message])));
                }
            }
        }
        entries.add_direct(&mut direct);
        if IS_NEXT && !entries.events.is_empty() {
            entries.events.push((None, next_entry()));
        }
        entries
    }

    fn add_direct(&mut self, direct: &mut Vec<(GatewayId, ToGateway)>) {
        let groups = group_by_gateway(direct.drain(..)).into_iter();
        for (gateway, messages) in groups {
            let entries = split(messages).into_iter().map(encode_to_gateway);
            self.events.extend(entries.map(|messages| (Some(gateway), messages)));
        }
    }
}

/// A message as an entry holds it. Players who join at the same event share its view, so an entry holds it once; the personal parts of
/// an event are bitmaps.
#[derive(Encode, Decode)]
struct Packed {
    /// The message, without what the other fields hold.
    message: ToGateway,
    /// Whether its view is the view of the message before it.
    repeats_view: bool,
    personal: Option<BitPlanes>,
}

impl Packed {
    fn pack(mut message: ToGateway, last: &mut Option<Arc<View>>) -> Self {
        let mut repeats_view = false;
        if let Some(view) = view_in(&mut message) {
            repeats_view = last.as_ref().is_some_and(|last| Arc::ptr_eq(last, view));
            if repeats_view {
                *view = Arc::clone(&NO_VIEW);
            } else {
                *last = Some(Arc::clone(view));
            }
        }
        let personal = match &mut message {
            ToGateway::Broadcast(broadcast) => broadcast.personal.take(),
            ToGateway::Own { personal, .. } => Some(std::mem::replace(personal, Arc::clone(&NO_PERSONAL))),
            _ => None,
        };
        Self { message, repeats_view, personal: personal.map(|personal| BitPlanes::of(&personal)) }
    }

    fn unpack(self, last: &mut Option<Arc<View>>) -> Result<ToGateway, EntryError> {
        let Self { mut message, repeats_view, personal } = self;
        if let Some(view) = view_in(&mut message) {
            if repeats_view {
                *view = last.clone().ok_or(EntryError::NoView)?;
            } else {
                *last = Some(Arc::clone(view));
            }
        }
        if let Some(planes) = personal {
            let unpacked = Arc::new(planes.personal()?);
            match &mut message {
                ToGateway::Broadcast(broadcast) => broadcast.personal = Some(unpacked),
                ToGateway::Own { personal, .. } => *personal = unpacked,
                _ => return Err(EntryError::Misplaced),
            }
        }
        Ok(message)
    }
}

/// The view of a message that many players get at the same event.
fn view_in(message: &mut ToGateway) -> Option<&mut Arc<View>> {
    match message {
        ToGateway::Seated(seated) => Some(&mut seated.view),
        ToGateway::Resynced(resynced) => Some(&mut resynced.view),
        _ => None,
    }
}

/// A placeholder in a message for a view or a personal part that is stored elsewhere in the entry.
static NO_PERSONAL: LazyLock<Arc<Personal>> =
    LazyLock::new(|| Arc::new(Personal { shapes: Vec::new(), by_seat: Vec::new() }));
static NO_VIEW: LazyLock<Arc<View>> = LazyLock::new(|| {
    let message = ToPlayer::Lobby(Lobby { joined: 0 });
    Arc::new(View { seq: Seq(0), phase: Phase::Created, message, paused: None })
});
