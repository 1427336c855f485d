//! The messages of each connection, and the evidence made from them.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal;
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_simulator::evidence::{
    ConnectionLog, Direction, Entry, Evidence, GatewayNumber, Micros, PlayerNumber, Transit,
};

use super::Show;

/// An event on a connection.
#[derive(Debug, Clone)]
pub enum Line {
    Sent(FromPlayer),
    Received(ToPlayer),
    SentBytes(Vec<u8>),
    ReceivedBytes(Vec<u8>),
}

/// A connection and its messages.
#[derive(Debug, Clone)]
pub struct Script {
    pub player: u32,
    pub codec: Codec,
    pub honest: bool,
    pub lines: Vec<(Micros, Line)>,
    pub close_code: Option<u16>,
    pub transits: Vec<Transit>,
    pub(super) seat: Option<Seat>,
    pub(super) listening: bool,
}

impl Show {
    /// Adds a message that the connection sends now.
    pub fn send(&mut self, connection: usize, message: FromPlayer) {
        let at = Micros(self.now * 1000 + connection as u64);
        self.connections[connection].lines.push((at, Line::Sent(message)));
    }

    /// Adds a message that the connection receives now.
    pub fn receive(&mut self, connection: usize, message: ToPlayer) {
        let at = Micros(self.now * 1000 + 500 + connection as u64);
        self.connections[connection].lines.push((at, Line::Received(message)));
    }

    /// Applies `change` to all received messages, in order, connection by connection.
    pub fn change_received(&mut self, mut change: impl FnMut(usize, &mut ToPlayer)) {
        for (index, connection) in self.connections.iter_mut().enumerate() {
            for (_, line) in &mut connection.lines {
                if let Line::Received(message) = line {
                    change(index, message);
                }
            }
        }
    }

    /// Removes the received messages for which `gone` returns true.
    pub fn lose(&mut self, mut gone: impl FnMut(usize, &ToPlayer) -> bool) {
        for (index, connection) in self.connections.iter_mut().enumerate() {
            connection.lines.retain(|(_, line)| match line {
                Line::Received(message) => !gone(index, message),
                _ => true,
            });
        }
    }

    /// The journal's bytes.
    pub fn journal(&self) -> Vec<u8> {
        let mut bytes = journal::MAGIC.to_vec();
        for record in &self.records {
            journal::frame_record(record, &mut bytes).unwrap();
        }
        bytes
    }

    /// The show as evidence for the audit.
    pub fn evidence(&self) -> Evidence {
        let mut evidence = Evidence { journal: self.journal(), resident: self.resident.clone(), ..Evidence::default() };
        for script in &self.connections {
            let entries = script
                .lines
                .iter()
                .map(|(at, line)| {
                    let (direction, bytes) = match line {
                        Line::Sent(message) => (Direction::Sent, script.codec.encode(message)),
                        Line::Received(message) => (Direction::Received, script.codec.encode(message)),
                        Line::SentBytes(bytes) => (Direction::Sent, bytes.clone()),
                        Line::ReceivedBytes(bytes) => (Direction::Received, bytes.clone()),
                    };
                    Entry { at: *at, direction, frame: evidence.frames.intern(script.codec, &bytes) }
                })
                .collect();
            evidence.connections.push(ConnectionLog {
                player: PlayerNumber(script.player),
                gateway: GatewayNumber(0),
                codec: script.codec,
                honest: script.honest,
                entries,
                transits: script.transits.clone(),
                sent_beside: Vec::new(),
                close_code: script.close_code,
            });
        }
        evidence
    }
}
