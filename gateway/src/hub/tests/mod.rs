//! A shard without a network: what its connections are sent, and what the engine is told.

mod answers;
mod calm;
mod census;
mod closing;
mod flood;
mod joining;
mod pings;
mod slow;
mod story;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use klaxon_fixtures::YOU;
use klaxon_protocol::claim::{ClaimForm, Verdict};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Answer, AnswerReply, Choice, Question, QuestionId, Snapshot};
use klaxon_protocol::ids::{ClaimKey, ConnRef, GatewayId, Generation, RoundId, Seat, SeatRef, Seq, ShowId};
use klaxon_protocol::link::{
    AnswerBatch, Broadcast, Present, Reply, ReplyBatch, Resynced, Seated, ToEngine, ToGateway,
};
use klaxon_protocol::player::{Emoji, FromPlayer, Lobby, Paused, Phase, Ping, Pong, React, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::{Barrier, Common, EncodedEvent, Router, Shard, ToShard};
use crate::link::Random;
use crate::session::Close;
use crate::settings::GatewaySettings;
use crate::transport::{ConnKey, ConnectionHandler, Drain, Fault, Payload, SocketAction, Timestamp};

const SHOW: ShowId = ShowId(7);
const OTHER_SHOW: ShowId = ShowId(8);
const START: u64 = 1_700_000_000_000_000;

#[derive(Default)]
struct World {
    engine: Mutex<Vec<ToEngine>>,
    shards: Mutex<Vec<ToShard>>,
}

impl Router for World {
    fn to_engine(&self, message: ToEngine) {
        self.engine.lock().unwrap().push(message);
    }

    fn to_shard(&self, _: u8, message: ToShard) {
        self.shards.lock().unwrap().push(message);
    }
}

/// A shard, its world, and a clock.
struct Stage {
    world: Arc<World>,
    common: Arc<Common>,
    shard: Shard,
    /// What sockets have not taken yet of the frames that they are lent.
    half_sent: HashMap<ConnKey, Bytes>,
    now: Timestamp,
}

/// What a client reads: messages, and its close code.
#[derive(Debug, Default, PartialEq)]
struct Read {
    messages: Vec<ToPlayer>,
    closed: Option<u16>,
    pings: usize,
}

impl Stage {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut GatewaySettings)) -> Self {
        let mut settings = GatewaySettings::new(([127, 0, 0, 1], 0).into(), [5; 32]);
        change(&mut settings);
        let world = Arc::new(World::default());
        let common =
            Arc::new(Common::new(settings, GatewayId(1), Arc::clone(&world) as Arc<dyn Router>, Random::of_seed(1)));
        let shard = Shard::new(0, Arc::clone(&common));
        Self { world, common, shard, half_sent: HashMap::new(), now: Timestamp(START) }
    }

    fn later(&mut self, by: Span) {
        self.now.0 += u64::from(by.0) * 1000;
        self.shard.tick(self.now);
    }

    fn open(&mut self) -> ConnKey {
        self.open_from("127.0.0.1")
    }

    fn open_from(&mut self, address: &str) -> ConnKey {
        self.shard.opened(Codec::Json, address.parse().unwrap(), self.now)
    }

    fn send(&mut self, key: ConnKey, message: &FromPlayer) {
        self.shard.message(key, Payload::Binary(&Codec::Json.encode(message)), self.now, self.now);
    }

    fn receive(&mut self, message: ToShard) {
        self.shard.receive(message, self.now);
        self.work();
    }

    /// Does all there is to do, what shards tell each other included.
    fn work(&mut self) {
        loop {
            while self.shard.work(self.now) {}
            let sent = std::mem::take(&mut *self.world.shards.lock().unwrap());
            if sent.is_empty() {
                return;
            }
            sent.into_iter().for_each(|message| self.shard.receive(message, self.now));
        }
    }

    fn event(&mut self, message: ToPlayer) {
        self.receive(event(SHOW, message));
    }

    fn notice(&mut self, seq: u64) {
        self.event(notice(seq));
    }

    fn seat(&mut self, key: ConnKey, seat: Option<u32>, seq: u64) {
        self.seat_in(SHOW, key, seat, seq);
    }

    fn seat_in(&mut self, show: ShowId, key: ConnKey, seat: Option<u32>, seq: u64) {
        self.seat_seeing(show, key, seat, snapshot(seq));
    }

    fn seat_seeing(&mut self, show: ShowId, key: ConnKey, seat: Option<u32>, snapshot: Snapshot) {
        let seated = self.seated(show, key, seat, snapshot);
        self.receive(ToGateway::Seated(seated).into());
    }

    fn seated(&self, show: ShowId, key: ConnKey, seat: Option<u32>, snapshot: Snapshot) -> Seated {
        let conn = ConnRef { gateway: self.common.gateway, conn: key.to_wire() };
        klaxon_fixtures::seated(conn, show, seat.map(Seat), snapshot)
    }

    fn resync(&mut self, key: ConnKey, seq: u64) {
        let conn = ConnRef { gateway: GatewayId(1), conn: key.to_wire() };
        let view = Arc::new(snapshot(seq).into());
        self.receive(ToGateway::Resynced(Resynced { conn, show: SHOW, view, own: ToPlayer::You(YOU) }).into());
    }

    /// A connection that is in with this seat, and has read its welcome.
    fn join(&mut self, seat: u32) -> ConnKey {
        self.join_in(SHOW, seat)
    }

    fn join_in(&mut self, show: ShowId, seat: u32) -> ConnKey {
        let key = self.open();
        self.send(key, &join());
        self.seat_in(show, key, Some(seat), 0);
        assert_eq!(self.read(key).messages.len(), 3);
        self.sent_to_engine();
        key
    }

    /// The socket takes everything.
    fn read(&mut self, key: ConnKey) -> Read {
        parse(&self.take(key, usize::MAX))
    }

    /// The socket takes so many bytes at most.
    fn take(&mut self, key: ConnKey, most: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(mut frame) = self.half_sent.remove(&key).or_else(|| self.shard.lend(key)) else {
                self.shard.outbox_empty(key);
                break;
            };
            taken.extend_from_slice(&frame.split_to(frame.len().min(most - taken.len())));
            if frame.is_empty() {
                self.shard.wrote(key);
            } else {
                self.half_sent.insert(key, frame);
            }
        }
        taken
    }

    /// The memory that waits for a connection.
    fn waiting(&self, key: ConnKey) -> usize {
        let conn = self.shard.conns().get(key.slot as usize).filter(|conn| conn.key == key);
        conn.map_or(0, |conn| conn.outbox.memory())
    }

    /// What the engine was told since the last time.
    fn sent_to_engine(&self) -> Vec<ToEngine> {
        std::mem::take(&mut *self.world.engine.lock().unwrap())
    }

    /// Answers of this connection without a reply.
    fn outstanding(&self, key: ConnKey) -> u32 {
        self.shard.conns().get(key.slot as usize).map_or(0, |conn| conn.unreplied.outstanding())
    }

    /// Those in slots below this are told to go.
    fn goodbye(&mut self, slots: u32, waits_for_replies: bool) {
        let others = ["ws://b/play".to_owned()].into();
        self.shard.drain(Drain { slots, waits_for_replies, others }, self.now);
    }

    /// The engine replies to the connection's last answer.
    fn reply(&mut self, key: ConnKey, verdict: Verdict) {
        let number = self.shard.conns()[key.slot as usize].unreplied.last();
        let (form, round, claim) = (ClaimForm::Answer, RoundId(1), ClaimKey(0));
        let reply = Reply { conn: key.to_wire(), number, form, round, key: claim, verdict, read_at: self.now.millis() };
        self.receive(replies(vec![reply]));
    }
}

fn parse(mut bytes: &[u8]) -> Read {
    let mut read = Read::default();
    while !bytes.is_empty() {
        let (head, length) = match bytes[1] {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            127 => panic!("no frame is that long"),
            length => (2, usize::from(length)),
        };
        let (opcode, body) = (bytes[0] & 0x0f, &bytes[head..head + length]);
        match opcode {
            1 => read.messages.push(Codec::Json.decode(body, &[]).unwrap()),
            9 => read.pings += 1,
            8 => read.closed = Some(u16::from_be_bytes([body[0], body[1]])),
            _ => {}
        }
        bytes = &bytes[head + length..];
    }
    read
}

/// A seat as its first player has it.
fn seat(number: u32) -> SeatRef {
    SeatRef::first(Seat(number))
}

fn event(show: ShowId, message: ToPlayer) -> ToShard {
    ToShard::Event(show, Arc::new(EncodedEvent::new(Broadcast { show, message, personal: None })))
}

fn replies(replies: Vec<Reply>) -> ToShard {
    ToGateway::Replies(ReplyBatch { gateway: GatewayId(1), show: SHOW, replies }).into()
}

fn join_refused(key: ConnKey, error: ErrorMessage) -> ToShard {
    let conn = ConnRef { gateway: GatewayId(1), conn: key.to_wire() };
    ToGateway::JoinRefused { conn, error }.into()
}

fn join() -> FromPlayer {
    FromPlayer::Join(klaxon_fixtures::join())
}

fn answer(question: u16) -> FromPlayer {
    FromPlayer::Answer(Answer { question: QuestionId(question), choice: Choice(1) })
}

fn notice(seq: u64) -> ToPlayer {
    klaxon_fixtures::notice(seq, "x".repeat(200))
}

fn question(seq: u64) -> ToPlayer {
    ToPlayer::Question(klaxon_fixtures::question(seq, 2))
}

fn lobby(joined: u32) -> ToPlayer {
    ToPlayer::Lobby(Lobby { joined })
}

fn snapshot(seq: u64) -> Snapshot {
    klaxon_fixtures::lobby(Seq(seq))
}

fn seqs(read: &Read) -> Vec<u64> {
    read.messages.iter().filter_map(ToPlayer::seq).map(|seq| seq.0).collect()
}

fn errors(read: &Read) -> Vec<ErrorCode> {
    let code = |message: &ToPlayer| if let ToPlayer::Error(error) = message { Some(error.code) } else { None };
    read.messages.iter().filter_map(code).collect()
}

fn answers(sent: Vec<ToEngine>) -> Vec<AnswerBatch> {
    sent.into_iter().filter_map(|sent| if let ToEngine::Answers(batch) = sent { Some(batch) } else { None }).collect()
}

/// An outbox that holds about six notices.
const NARROW: usize = 2000;

fn narrow() -> Stage {
    Stage::with(|settings| settings.players.limits.outbox_bytes = NARROW)
}
