//! What an answer costs to read from the bytes of its frame, and what it would with tungstenite and serde alone:
//! `cargo bench -p klaxon-gateway --bench wire`. docs/benchmarks.md has the table.

use std::hint::black_box;
use std::io::{self, Read, Write};

use divan::Bencher;
use klaxon_gateway::settings::GatewaySettings;
use klaxon_gateway::transport::{Inbound, Wire};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{Answer, Choice, QuestionId};
use klaxon_protocol::player::{FROM_PLAYER_TYPES, FromPlayer, LARGEST_MESSAGE};
use tungstenite::Message;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

const ANSWER: FromPlayer = FromPlayer::Answer(Answer { question: QuestionId(7), choice: Choice(2) });

fn main() {
    divan::main();
}

#[divan::bench(args = Codec::ALL)]
fn frame(bencher: Bencher<'_, '_>, codec: Codec) {
    let mut wire = Wire::new(GatewaySettings::LARGEST_MESSAGE);
    measure(bencher, codec, |mut read| drop(black_box(wire.take(&mut read, &mut Vec::new()))));
}

#[divan::bench(args = Codec::ALL)]
fn frame_by_tungstenite(bencher: Bencher<'_, '_>, codec: Codec) {
    let mut context = tungstenite();
    measure(bencher, codec, |read| drop(black_box(context.read(&mut Socket(read)))));
}

#[divan::bench(args = Codec::ALL)]
fn answer(bencher: Bencher<'_, '_>, codec: Codec) {
    let mut wire = Wire::new(GatewaySettings::LARGEST_MESSAGE);
    measure(bencher, codec, |mut read| {
        let said = match wire.take(&mut read, &mut Vec::new()) {
            Ok(Some(Inbound::Text(text))) => FromPlayer::decode(codec, text.as_bytes()),
            Ok(Some(Inbound::Binary(bytes))) => FromPlayer::decode(codec, &bytes),
            other => panic!("{other:?}"),
        };
        assert_eq!(black_box(said), Ok(ANSWER));
    });
}

#[divan::bench(args = Codec::ALL)]
fn answer_by_tungstenite_and_serde(bencher: Bencher<'_, '_>, codec: Codec) {
    let mut context = tungstenite();
    measure(bencher, codec, |read| {
        let message: Message = context.read(&mut Socket(read)).expect("a whole message");
        assert_eq!(black_box(codec.decode(&message.into_data(), FROM_PLAYER_TYPES)), Ok(ANSWER));
    });
}

/// Each time the answer's frame is new, as if it was just read.
fn measure(bencher: Bencher<'_, '_>, codec: Codec, mut read: impl FnMut(&mut [u8])) {
    let kind = match codec {
        Codec::Json => Data::Text,
        Codec::Bincode => Data::Binary,
    };
    let mut message = Frame::message(codec.encode(&ANSWER), OpCode::Data(kind), true);
    message.header_mut().mask = Some([1, 2, 3, 4]);
    let mut frame = Vec::new();
    message.format(&mut frame).expect("a Vec takes all that is written to it");
    let mut buffer = frame.clone();
    bencher.bench_local(|| {
        buffer.copy_from_slice(black_box(&frame));
        read(&mut buffer);
    });
}

/// One for the connection's whole life, with as small a buffer as the gateway gives it.
fn tungstenite() -> WebSocketContext {
    let config = WebSocketConfig::default().read_buffer_size(128).max_message_size(Some(LARGEST_MESSAGE));
    WebSocketContext::new(Role::Server, Some(config))
}

/// The bytes that were read. Nothing is written.
struct Socket<'r>(&'r [u8]);

impl Read for Socket<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(into) }
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
