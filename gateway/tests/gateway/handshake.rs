//! The players' port before it is a WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::FromPlayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::fixture::{Client, PATIENCE, fixture, join, settings};

/// Sends a request; returns the status and the body.
async fn http(gateway: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(gateway).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut response)).await.unwrap().unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

pub async fn get(gateway: SocketAddr, path: &str) -> (u16, String) {
    http(gateway, &format!("GET {path} HTTP/1.1\r\nHost: klaxon\r\nConnection: close\r\n\r\n")).await
}

fn handshake(path: &str, protocol: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: klaxon\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n"
    )
}

fn code(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn health_readiness_and_version_are_served() {
    let fixture = fixture(settings());
    assert_eq!(get(fixture.gateway.addr(), "/healthz").await, (200, "ok\n".into()));
    assert_eq!(get(fixture.gateway.addr(), "/readyz").await, (200, "ready\n".into()));
    let (status, body) = get(fixture.gateway.addr(), "/version").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["protocol"]), (200, &1.into()));
}

#[tokio::test]
async fn elsewhere_there_is_nothing_and_here_only_a_websocket() {
    let fixture = fixture(settings());
    let (status, body) = get(fixture.gateway.addr(), "/admin").await;
    assert_eq!((status, code(&body)), (404, "not_found".into()));
    let (status, body) = get(fixture.gateway.addr(), "/play").await;
    assert_eq!((status, code(&body)), (426, "upgrade_required".into()));
}

/// A handshake with these lines in place of Connection's and Upgrade's; its status and body. After a 101 there is no body.
async fn shake(gateway: SocketAddr, version: &str, lines: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(gateway).await.unwrap();
    let request = format!(
        "GET /play {version}\r\nHost: klaxon\r\n{lines}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let whole = |response: &[u8]| {
        let head = response.windows(4).any(|end| end == b"\r\n\r\n");
        head && (response.starts_with(b"HTTP/1.1 101") || response.ends_with(b"}"))
    };
    let answered = async {
        while !whole(&response) {
            assert_ne!(stream.read_buf(&mut response).await.unwrap(), 0);
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status == 101 {
        assert!(head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    }
    (status, body.to_owned())
}

#[tokio::test]
async fn several_lines_of_a_header_are_one_list_in_any_order() {
    let fixture = fixture(settings());
    for lines in [
        "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nConnection: keep-alive\r\nUpgrade: websocket\r\n",
        "Connection: keep-alive\r\nUpgrade: websocket\r\nConnection: ,\t UPGRADE ,\r\n",
        "Upgrade: h2c\r\nConnection: keep-alive , upgrade\r\nUpgrade: WebSocket\r\n",
        "connection:upgrade\r\nconnection:\r\nupgrade:websocket\r\n",
    ] {
        assert_eq!(shake(fixture.gateway.addr(), "HTTP/1.1", lines).await.0, 101, "{lines}");
    }
    let two = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: klaxon.v1.json\r\n";
    assert_eq!(shake(fixture.gateway.addr(), "HTTP/1.1", two).await.0, 101);
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_with_the_condition_that_failed() {
    let fixture = fixture(settings());
    for (version, lines, reasons, said) in [
        (
            "HTTP/1.1",
            "Connection: keep-alive\r\nUpgrade: websocket\r\n",
            &["connection"][..],
            "Connection has no `upgrade` token",
        ),
        ("HTTP/1.1", "Connection: Upgrade\r\n", &["upgrade"], "Upgrade has no `websocket` token"),
        ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n", &["upgrade"], "speak HTTP/1.1 and pass Upgrade on"),
        ("HTTP/1.0", "Connection: close\r\n", &["http_version", "upgrade", "connection"], "it came as HTTP/1.0"),
        (
            "HTTP/1.1",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: again\r\n",
            &["key"],
            "Sec-WebSocket-Key",
        ),
        (
            "HTTP/1.1",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n",
            &["version"],
            "Sec-WebSocket-Version",
        ),
    ] {
        let (status, body) = shake(fixture.gateway.addr(), version, lines).await;
        assert_eq!((status, code(&body)), (426, "upgrade_required".into()), "{lines}");
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json["reasons"], serde_json::json!(reasons), "{lines}");
        assert!(body.contains(said), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_subprotocol_is_refused_with_the_known_ones() {
    let fixture = fixture(settings());
    let request = handshake("/play", "Sec-WebSocket-Protocol: klaxon.v9.json\r\nConnection: close\r\n");
    let (status, body) = http(fixture.gateway.addr(), &request).await;
    assert_eq!((status, code(&body)), (400, "unsupported_protocol".into()));
    assert!(body.contains("klaxon.v1.json") && body.contains("klaxon.v1.bincode"));
}

#[tokio::test]
async fn a_client_that_offers_no_subprotocol_gets_json() {
    let fixture = fixture(settings());
    let stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    let url = format!("ws://{}/", fixture.gateway.addr());
    let (_, response) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
}

#[tokio::test]
async fn what_comes_in_one_packet_with_the_handshake_is_read() {
    let fixture = fixture(settings());
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), mask: Some([0; 4]), ..FrameHeader::default() };
    let join = Codec::Json.encode(&FromPlayer::Join(join()));
    let mut bytes = handshake("/play", "").into_bytes();
    Frame::from_payload(header, join.into()).format(&mut bytes).unwrap();
    let mut stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut read = Vec::new();
    let welcomed = async {
        while !read.windows(9).any(|window| window == b"\"welcome\"") {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
        }
    };
    tokio::time::timeout(PATIENCE, welcomed).await.unwrap();
}

#[tokio::test]
async fn a_full_gateway_refuses_with_no_capacity_and_accepts_again_when_a_connection_ends() {
    let mut few = settings();
    few.players.max_connections = Some(1);
    let fixture = fixture(few);
    let (client, _) = Client::join(&fixture, Codec::Json).await;
    let (status, body) = http(fixture.gateway.addr(), &handshake("/play", "Connection: close\r\n")).await;
    assert_eq!((status, code(&body)), (503, "no_capacity".into()));
    assert_eq!(get(fixture.gateway.addr(), "/healthz").await.0, 200);
    drop(client);
    let again = async {
        loop {
            let stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
            if Client::over(stream, Codec::Json).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_sockets_without_a_handshake_ends_at_256_more_than_there_may_be_players() {
    let mut few = settings();
    few.players.max_connections = Some(1);
    let fixture = fixture(few);
    let mut idle = Vec::new();
    for _ in 0..257 {
        idle.push(TcpStream::connect(fixture.gateway.addr()).await.unwrap());
    }
    let mut beyond = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(3), beyond.read(&mut [0])).await;
    // Before half a handshake would be too old.
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
}

#[tokio::test]
async fn half_a_handshake_does_not_stay() {
    let fixture = fixture(settings());
    let mut stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    stream.write_all(b"GET /play HTTP/1.1\r\nHost: kl").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
}
