//! The swarm's log: a page for each connection, and each distinct frame once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::ToPlayer;
use parking_lot::Mutex;

use super::stream::Written;
use crate::evidence::{
    ConnectionLog, Direction, Entry, Evidence, FrameId, Frames, GatewayNumber, Micros, PlayerNumber, Transit,
};
use crate::socket::timestamps::{Sent, Step};

/// The frames and connections of a whole swarm.
#[derive(Debug, Default)]
pub struct Ledger {
    shelf: Mutex<Shelf>,
    closed: Mutex<Vec<(u64, ConnectionLog)>>,
    opened: AtomicU64,
}

/// The distinct frames. Each is decoded at most once, however many players receive it.
#[derive(Debug, Default)]
struct Shelf {
    frames: Frames,
    /// By frame number; none for frames that were only sent, or that can't be decoded.
    received: Vec<Option<Arc<ToPlayer>>>,
}

impl Shelf {
    fn receive(&mut self, codec: Codec, bytes: &[u8]) -> (FrameId, Option<Arc<ToPlayer>>) {
        let id = self.frames.intern(codec, bytes);
        let index = id.0 as usize;
        if self.received.len() <= index {
            self.received.resize(index + 1, None);
        }
        if self.received[index].is_none() {
            self.received[index] = codec.decode(bytes, &[]).ok().map(Arc::new);
        }
        (id, self.received[index].clone())
    }
}

impl Ledger {
    /// Opens the page of a new connection.
    #[must_use]
    pub fn open(self: &Arc<Self>, player: PlayerNumber, gateway: GatewayNumber, codec: Codec, honest: bool) -> Page {
        let order = self.opened.fetch_add(1, Ordering::Relaxed);
        let (entries, transits) = (Vec::new(), Vec::new());
        let sent_beside = Vec::new();
        let log = ConnectionLog { player, gateway, codec, honest, entries, transits, sent_beside, close_code: None };
        Page { ledger: Arc::clone(self), order, log: Some(log), awaited: Vec::new() }
    }

    /// Removes and returns the logs of all closed connections, in the order in which they were opened.
    #[must_use]
    pub fn take(&self) -> Evidence {
        let mut closed = std::mem::take(&mut *self.closed.lock());
        closed.sort_unstable_by_key(|(order, _)| *order);
        let shelf = std::mem::take(&mut *self.shelf.lock());
        Evidence {
            frames: shelf.frames,
            connections: closed.into_iter().map(|(_, log)| log).collect(),
            ..Evidence::default()
        }
    }
}

/// The log of an open connection; added to the ledger when dropped.
#[derive(Debug)]
pub struct Page {
    ledger: Arc<Ledger>,
    order: u64,
    log: Option<ConnectionLog>,
    /// Messages whose times the kernel has not fully reported: their position in the stream, and the transit's index.
    awaited: Vec<(Written, usize)>,
}

impl Page {
    fn note(&mut self, at: Micros, direction: Direction, frame: FrameId) {
        if let Some(log) = &mut self.log {
            log.entries.push(Entry { at, direction, frame });
        }
    }

    /// The connection's codec.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.log.as_ref().map_or(Codec::Json, |log| log.codec)
    }

    /// Logs a message directly before it is sent.
    pub fn sent(&mut self, bytes: &[u8]) {
        let frame = self.ledger.shelf.lock().frames.intern(self.codec(), bytes);
        self.note(Micros::now(), Direction::Sent, frame);
    }

    /// Logs the position in the stream of the last message.
    pub fn written(&mut self, written: Written) {
        if let Some(log) = &mut self.log
            && let Some(entry) = log.entries.len().checked_sub(1)
        {
            self.awaited.push((written, log.transits.len()));
            log.transits.push(Transit { entry, left: None, acknowledged: None });
        }
    }

    /// Logs when packets were sent that contain no message.
    pub fn sent_beside(&mut self, times: impl Iterator<Item = Micros>) {
        if let Some(log) = &mut self.log {
            log.sent_beside.extend(times);
        }
    }

    /// Whether the kernel has not yet reported all times of sent messages.
    #[must_use]
    pub const fn awaits_times(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Logs a time that the kernel reports. A message is in transit from its first write until its last write is
    /// acknowledged.
    pub fn time_of(&mut self, sent: Sent) {
        let Some(log) = &mut self.log else { return };
        self.awaited.retain(|&(written, transit)| {
            let Some(transit) = log.transits.get_mut(transit) else { return false };
            match sent.step {
                Step::Left if sent.last == written.first => transit.left = transit.left.or(Some(sent.at)),
                Step::Acknowledged if sent.last == written.last => transit.acknowledged = Some(sent.at),
                _ => {}
            }
            transit.acknowledged.is_none()
        });
    }

    /// Logs a message that was received at this time, and returns it decoded; none if it is not a message of the
    /// protocol.
    pub fn received(&mut self, at: Micros, bytes: &[u8]) -> Option<Arc<ToPlayer>> {
        let codec = self.codec();
        let (frame, message) = self.ledger.shelf.lock().receive(codec, bytes);
        self.note(at, Direction::Received, frame);
        message
    }

    /// Logs the code with which the server closed the connection.
    pub fn closed(&mut self, code: u16) {
        if let Some(log) = &mut self.log {
            log.close_code = Some(code);
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            self.ledger.closed.lock().push((self.order, log));
        }
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::player::Lobby;

    use super::*;

    #[test]
    fn the_same_bytes_are_kept_once_and_connections_stay_in_order() {
        let ledger = Arc::new(Ledger::default());
        let bytes = Codec::Json.encode(&ToPlayer::Lobby(Lobby { joined: 3 }));
        let mut first = ledger.open(PlayerNumber(0), GatewayNumber(0), Codec::Json, true);
        let mut second = ledger.open(PlayerNumber(1), GatewayNumber(0), Codec::Json, false);
        let received = [first.received(Micros(7), &bytes), second.received(Micros(8), &bytes)];
        assert!(
            received.iter().all(|received| matches!(received.as_deref(), Some(ToPlayer::Lobby(Lobby { joined: 3 }))))
        );
        second.sent(b"nonsense");
        second.closed(1008);
        drop(second);
        drop(first);
        let evidence = ledger.take();
        let players: Vec<u32> = evidence.connections.iter().map(|log| log.player.0).collect();
        assert_eq!(players, [0, 1]);
        assert_eq!(evidence.frames.iter().count(), 2);
        assert_eq!(evidence.connections[1].close_code, Some(1008));
        assert_eq!(evidence.connections[1].entries.len(), 2);
    }

    #[test]
    fn what_the_kernel_says_is_noted_at_the_message_it_is_of() {
        let ledger = Arc::new(Ledger::default());
        let mut page = ledger.open(PlayerNumber(0), GatewayNumber(0), Codec::Json, true);
        page.sent(b"join");
        page.written(Written { first: 99, last: 119 });
        page.received(Micros(1), b"{}");
        page.sent(b"answer");
        page.written(Written { first: 129, last: 129 });
        let mut told = |last, step, at| page.time_of(Sent { last, step, at: Micros(at) });
        // First the handshake's, then those of both messages: the second write of the first message leaves later, and
        // both are acknowledged together.
        told(49, Step::Left, 2);
        told(99, Step::Left, 3);
        told(119, Step::Left, 4);
        told(129, Step::Left, 5);
        told(99, Step::Acknowledged, 6);
        told(119, Step::Acknowledged, 7);
        assert!(page.awaits_times());
        page.time_of(Sent { last: 129, step: Step::Acknowledged, at: Micros(7) });
        assert!(!page.awaits_times());
        drop(page);
        let transit = |entry, left, acknowledged| {
            let (left, acknowledged) = (Some(Micros(left)), Some(Micros(acknowledged)));
            Transit { entry, left, acknowledged }
        };
        assert_eq!(ledger.take().connections[0].transits, [transit(0, 3, 7), transit(2, 5, 7)]);
    }

    #[test]
    fn bytes_that_are_no_message_are_evidence_too() {
        let ledger = Arc::new(Ledger::default());
        let mut page = ledger.open(PlayerNumber(0), GatewayNumber(0), Codec::Bincode, true);
        assert!(page.received(Micros(7), &[250, 250]).is_none());
        drop(page);
        assert_eq!(ledger.take().connections[0].entries.len(), 1);
    }
}
