//! What was said and heard, line by line, and the evidence that it makes.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal;
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_simulator::evidence::{ConnectionLog, Direction, Door, Entry, Evidence, Micros, PlayerNumber, Transit};

use super::Show;

/// A line of what happened on a connection.
#[derive(Debug, Clone)]
pub enum Line {
    Said(FromPlayer),
    Heard(ToPlayer),
    SaidBytes(Vec<u8>),
    HeardBytes(Vec<u8>),
}

/// A connection, line by line.
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
    /// Somebody says something, now.
    pub fn say(&mut self, connection: usize, message: FromPlayer) {
        let at = Micros(self.now * 1000 + connection as u64);
        self.connections[connection].lines.push((at, Line::Said(message)));
    }

    /// Somebody hears something, now.
    pub fn hear(&mut self, connection: usize, message: ToPlayer) {
        let at = Micros(self.now * 1000 + 500 + connection as u64);
        self.connections[connection].lines.push((at, Line::Heard(message)));
    }

    /// Changes what was heard; messages are judged in order, connection by connection.
    pub fn change_heard(&mut self, mut change: impl FnMut(usize, &mut ToPlayer)) {
        for (index, connection) in self.connections.iter_mut().enumerate() {
            for (_, line) in &mut connection.lines {
                if let Line::Heard(message) = line {
                    change(index, message);
                }
            }
        }
    }

    /// Takes away what was heard where `gone` says so.
    pub fn unhear(&mut self, mut gone: impl FnMut(usize, &ToPlayer) -> bool) {
        for (index, connection) in self.connections.iter_mut().enumerate() {
            connection.lines.retain(|(_, line)| match line {
                Line::Heard(message) => !gone(index, message),
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

    /// What the audit gets to see of it.
    pub fn evidence(&self) -> Evidence {
        let mut evidence = Evidence { journal: self.journal(), resident: self.resident.clone(), ..Evidence::default() };
        for script in &self.connections {
            let entries = script
                .lines
                .iter()
                .map(|(at, line)| {
                    let (direction, bytes) = match line {
                        Line::Said(message) => (Direction::Sent, script.codec.encode(message)),
                        Line::Heard(message) => (Direction::Received, script.codec.encode(message)),
                        Line::SaidBytes(bytes) => (Direction::Sent, bytes.clone()),
                        Line::HeardBytes(bytes) => (Direction::Received, bytes.clone()),
                    };
                    Entry { at: *at, direction, frame: evidence.frames.intern(script.codec, &bytes) }
                })
                .collect();
            evidence.connections.push(ConnectionLog {
                player: PlayerNumber(script.player),
                door: Door(0),
                codec: script.codec,
                honest: script.honest,
                entries,
                transits: script.transits.clone(),
                close_code: script.close_code,
            });
        }
        evidence
    }
}
