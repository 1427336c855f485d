//! Players who mean ill, or whose network does.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::Seq;
use klaxon_protocol::player::{FromPlayer, Join, LARGEST_MESSAGE, Ping, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::fixture::{Client, Fixture, PATIENCE, fixture, join, settings};

#[tokio::test]
async fn a_message_too_large_is_refused_and_closes() {
    let fixture = fixture(settings());
    for codec in Codec::ALL {
        let (mut client, _) = Client::join(&fixture, codec).await;
        client.raw(Message::binary(vec![b'x'; LARGEST_MESSAGE + 1])).await;
        let (messages, code) = client.rest().await;
        assert!(matches!(&messages[..], [ToPlayer::Error(error)] if error.code == ErrorCode::TooLarge));
        assert_eq!(code, Some(1009));
    }
}

#[tokio::test]
async fn a_message_that_never_ends_closes() {
    let fixture = fixture(settings());
    let (mut client, _) = Client::join(&fixture, Codec::Json).await;
    let fragment = |kind| Message::Frame(Frame::message(&b""[..], OpCode::Data(kind), false));
    client.raw(fragment(Data::Text)).await;
    let endless = async { while client.try_raw(fragment(Data::Continue)).await {} };
    tokio::time::timeout(PATIENCE, endless).await.expect("it is closed in time");
    let mut other = Client::connect(&fixture, Codec::Json).await;
    other.join_as(join()).await;
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_connection_stays() {
    let fixture = fixture(settings());
    let (mut client, _) = Client::join(&fixture, Codec::Json).await;
    client.raw(Message::text("{")).await;
    assert_eq!(client.receive_error().await, ErrorCode::BadMessage);
    client.raw(Message::text("{\"type\":\"cheat\"}")).await;
    assert_eq!(client.receive_error().await, ErrorCode::UnknownType);
    let (mut native, _) = Client::join(&fixture, Codec::Bincode).await;
    native.raw(Message::binary(vec![200, 1, 2])).await;
    assert_eq!(native.receive_error().await, ErrorCode::BadMessage);
    let notice = fixture.engine.notice("still here");
    assert_eq!((client.receive().await, native.receive().await), (notice.clone(), notice));
}

#[tokio::test]
async fn one_who_talks_too_much_is_refused_and_then_closed() {
    let fixture = fixture(settings());
    let (mut client, _) = Client::join(&fixture, Codec::Bincode).await;
    let ping = Codec::Bincode.encode(&FromPlayer::Ping(Ping { sent: Millis(1) }));
    for _ in 0..400 {
        if !client.try_raw(Message::binary(ping.clone())).await {
            break;
        }
    }
    let (messages, code) = client.rest().await;
    let refused =
        |message: &&ToPlayer| matches!(message, ToPlayer::Error(error) if error.code == ErrorCode::RateLimited);
    assert!(messages.iter().filter(refused).count() >= 200);
    assert_eq!(code, Some(4029));
}

#[tokio::test]
async fn a_forged_resume_token_opens_nothing_but_a_new_join_does() {
    let fixture = fixture(settings());
    let (_ann, welcome) = Client::join(&fixture, Codec::Json).await;
    let mut thief = Client::connect(&fixture, Codec::Json).await;
    let mut forged = welcome.resume.into_bytes();
    let at = forged.len() / 2;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let resume = Some(String::from_utf8(forged).unwrap());
    thief.send(FromPlayer::Join(Join { resume, ..join() })).await;
    assert_eq!(thief.receive_error().await, ErrorCode::BadToken);
    assert_ne!(thief.join_as(join()).await.seat, welcome.seat);
}

#[tokio::test]
async fn one_who_never_joins_is_closed() {
    let mut hasty = settings();
    hasty.players.limits.join_timeout = Span(100);
    let hasty = fixture(hasty);
    let mut waiting = Client::connect(&hasty, Codec::Json).await;
    assert_eq!(waiting.rest().await, (vec![], Some(4001)));
}

/// A client whose kernel takes little, and who does not read.
pub async fn deaf(fixture: &Fixture) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(fixture.gateway.addr()).await.unwrap();
    let mut client = Client::over(stream, Codec::Json).await.unwrap();
    client.join_as(join()).await;
    client
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_no_other_and_catches_up_by_a_snapshot() {
    let fixture = fixture(settings());
    let mut slow = deaf(&fixture).await;
    let (mut good, _) = Client::join(&fixture, Codec::Json).await;
    let text = "x".repeat(8000);
    let mut last = Seq(0);
    for _ in 0..200 {
        let notice = fixture.engine.notice(&text);
        last = notice.seq().unwrap();
        assert_eq!(good.receive().await, notice);
    }
    // It reads again: in order, then a snapshot over what it missed, then in order again.
    let (mut seen, mut snapshots) = (Seq(0), 0);
    while seen < last {
        match slow.receive().await {
            ToPlayer::Snapshot(snapshot) => {
                assert!(snapshot.seq >= seen);
                (seen, snapshots) = (snapshot.seq, snapshots + 1);
            }
            ToPlayer::You(_) => {}
            event => {
                assert_eq!(event.seq(), Some(seen.next()));
                seen = seen.next();
            }
        }
    }
    assert!(snapshots >= 1);
    while !matches!(slow.receive().await, ToPlayer::You(_)) {}
    let notice = fixture.engine.notice("together again");
    assert_eq!((slow.receive().await, good.receive().await), (notice.clone(), notice));
}

#[tokio::test]
async fn one_who_asks_without_reading_is_shed() {
    let mut narrow = settings();
    (narrow.players.limits.outbox_bytes, narrow.players.limits.messages_per_second, narrow.burst) =
        (4096, 1000, 100_000);
    let mut fixture = fixture(narrow);
    let mut slow = deaf(&fixture).await;
    // Refusals are longer than what they refuse: sooner or later there is no room for more.
    let flood = async { while slow.try_raw(Message::text("nonsense")).await {} };
    tokio::time::timeout(PATIENCE, flood).await.expect("it is closed in time");
    let (_, code) = slow.rest().await;
    assert!(matches!(code, None | Some(4008)), "{code:?}");
    assert_eq!(fixture.figures().await.shed, 1);
}

/// What a client might send after, or instead of, its handshake.
fn garbage() -> impl Strategy<Value = (bool, Vec<u8>)> {
    (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300))
}

#[test]
fn no_bytes_bring_the_gateway_down() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let fixture = fixture(settings());
    let (mut good, _) = runtime.block_on(Client::join(&fixture, Codec::Json));
    let mut runner = TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
    let address = fixture.gateway.addr();
    runner
        .run(&garbage(), |(shaken, bytes)| {
            runtime.block_on(async {
                let mut stream = TcpStream::connect(address).await.unwrap();
                if shaken {
                    let handshake = "GET / HTTP/1.1\r\nHost: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
                    stream.write_all(handshake.as_bytes()).await.unwrap();
                }
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                let mut rest = Vec::new();
                let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
                prop_assert!(read.is_ok(), "the gateway lets go of who has ended");
                Ok(())
            })
        })
        .unwrap();
    let notice = fixture.engine.notice("still here");
    assert_eq!(runtime.block_on(good.receive()), notice);
}
