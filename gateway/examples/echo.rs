//! Echoes every message, on the transport that players are served by: any WebSocket conformance suite can be pointed at it.
//!
//! `cargo run --release -p klaxon-gateway --example echo -- --listen 127.0.0.1:9001 --transport io-uring`

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use bytes::Bytes;
use clap::Parser;
use klaxon_gateway::config::open_files;
use klaxon_gateway::session::Close;
use klaxon_gateway::transport::{
    ConnKey, ConnectionHandler, Drain, Fault, Limits, Outbox, Payload, ReactorPool, SocketAction, Timestamp, Transport,
    listen,
};
use klaxon_protocol::codec::Codec;
use slab::Slab;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// Echoes every WebSocket message to whoever sent it.
#[derive(Parser)]
struct Args {
    /// Where to listen: address and port; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// How sockets are driven: `auto`, `io-uring` or `portable`.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = transport)]
    transport: Transport,
    /// Bytes of the largest message that is taken.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    largest: u32,
    /// Threads that own sockets.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    reactors: u8,
}

fn transport(name: &str) -> Result<Transport, String> {
    let found = Transport::ALL.into_iter().find(|transport| transport.name() == name);
    found.ok_or_else(|| format!("must be one of {}", Transport::ALL.map(Transport::name).join(", ")))
}

/// Says back to each connection what it said.
struct Echo {
    number: u8,
    uses: u32,
    lines: Slab<Line>,
    dirty: Vec<ConnKey>,
    /// Bytes that may wait for one that sends and does not read.
    most: usize,
}

struct Line {
    key: ConnKey,
    outbox: Outbox,
    fate: SocketAction,
}

impl Echo {
    fn line(&mut self, key: ConnKey) -> Option<&mut Line> {
        self.lines.get_mut(key.slot as usize).filter(|line| line.key == key)
    }

    fn send(&mut self, key: ConnKey, frame: Bytes) {
        let most = self.most;
        let Some(line) = self.line(key).filter(|line| line.fate == SocketAction::Keep) else { return };
        line.outbox.push(frame, false);
        if line.outbox.memory() > most {
            line.fate = SocketAction::Close;
        }
        self.dirty.push(key);
    }

    fn part_from(&mut self, key: ConnKey, last_words: Bytes) {
        self.send(key, last_words);
        if let Some(line) = self.line(key)
            && line.fate == SocketAction::Keep
        {
            line.fate = SocketAction::ShutDown;
        }
    }
}

impl ConnectionHandler for Echo {
    /// Nobody else has anything to say.
    type Message = std::convert::Infallible;

    fn opened(&mut self, _: Codec, _: IpAddr, _: Timestamp) -> ConnKey {
        self.uses = self.uses.wrapping_add(1);
        let entry = self.lines.vacant_entry();
        let slot = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let key = ConnKey { shard: self.number, slot, generation: self.uses };
        entry.insert(Line { key, outbox: Outbox::default(), fate: SocketAction::Keep });
        key
    }

    fn message(&mut self, key: ConnKey, message: Payload<'_>, _: Timestamp, _: Timestamp) {
        let kind = match message {
            Payload::Text(_) => Data::Text,
            Payload::Binary(_) => Data::Binary,
        };
        let frame = Frame::message(message.bytes().to_vec(), OpCode::Data(kind), true);
        let mut bytes = Vec::with_capacity(frame.len());
        // A Vec takes all that is written to it.
        if frame.format(&mut bytes).is_ok() {
            self.send(key, bytes.into());
        }
    }

    fn control_frame(&mut self, key: ConnKey, pong: Bytes, _: Timestamp) {
        self.send(key, pong);
    }

    fn fault(&mut self, key: ConnKey, fault: Fault, _: Timestamp) {
        let close = match fault {
            Fault::TooLarge => Close::TooLarge,
            Fault::NotText => Close::NotText,
            Fault::Protocol => Close::Protocol,
        };
        self.part_from(key, close.frame());
    }

    fn close_frame(&mut self, key: ConnKey, reply: Bytes, _: Timestamp) {
        self.part_from(key, reply);
    }

    fn closed(&mut self, key: ConnKey) {
        if self.line(key).is_some() {
            self.lines.remove(key.slot as usize);
        }
    }

    fn is_reading(&self, key: ConnKey) -> bool {
        self.lines.get(key.slot as usize).is_some_and(|line| line.key == key && line.fate == SocketAction::Keep)
    }

    fn receive(&mut self, word: Self::Message, _: Timestamp) {
        match word {}
    }

    fn work(&mut self, _: Timestamp) -> bool {
        false
    }

    fn unprocessed(&self) -> usize {
        0
    }

    fn has_pending_input(&self) -> bool {
        false
    }

    fn flush(&mut self) {}

    fn read_up_to(&mut self, _: Timestamp) {}

    fn tick(&mut self, _: Timestamp) {}

    fn take_dirty(&mut self, into: &mut Vec<ConnKey>) {
        into.append(&mut self.dirty);
    }

    fn lend(&mut self, key: ConnKey) -> Option<Bytes> {
        self.line(key)?.outbox.lend()
    }

    fn wrote(&mut self, key: ConnKey) -> bool {
        let Some(line) = self.line(key) else { return false };
        line.outbox.wrote();
        !line.outbox.is_empty() || line.fate != SocketAction::Keep
    }

    fn outbox_empty(&mut self, _: ConnKey) {}

    fn socket_action(&self, key: ConnKey, _: Timestamp) -> SocketAction {
        match self.lines.get(key.slot as usize).filter(|line| line.key == key) {
            Some(line) if line.fate == SocketAction::ShutDown && !line.outbox.is_empty() => SocketAction::Keep,
            Some(line) => line.fate,
            None => SocketAction::Close,
        }
    }

    fn drain(&mut self, _: Drain, _: Timestamp) {
        let keys: Vec<_> = self.lines.iter().map(|(_, line)| line.key).collect();
        keys.into_iter().for_each(|key| self.part_from(key, Close::Restart.frame()));
    }

    fn len(&self) -> usize {
        self.lines.len()
    }

    fn slots(&self) -> u32 {
        u32::try_from(self.lines.capacity()).unwrap_or(u32::MAX)
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let most = usize::try_from(args.largest)?.saturating_mul(4).max(1 << 20);
    let listener = listen(args.listen, 1 << 20).with_context(|| format!("can't listen on {}", args.listen))?;
    println!("ws://{}", listener.local_addr()?);
    let limits = Limits { connections: usize::try_from(open_files())?.saturating_sub(64), message: args.largest };
    let handlers =
        (0..args.reactors).map(|number| Echo { number, uses: 0, lines: Slab::new(), dirty: Vec::new(), most });
    let _sockets = ReactorPool::new(args.transport, args.reactors.into())?.start(listener, limits, handlers)?;
    loop {
        std::thread::park();
    }
}
