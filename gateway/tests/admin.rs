//! The admin port over real sockets, with an engine that follows a script.

#![allow(clippy::unwrap_used)]

mod admin_port;

use std::sync::Arc;

use admin_port::host::Host;
use admin_port::{SHOW, Stage, TOKEN, figures};
use futures_util::SinkExt;
use klaxon_fixtures::{create, lobby, question, reveal};
use klaxon_gateway::admin::{MOST_UNANSWERED, MOST_WAITING};
use klaxon_gateway::link::HostSink;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Choice, Close, Create, Pack, PackQuestion, QuestionId, Settings, Snapshot};
use klaxon_protocol::host::*;
use klaxon_protocol::ids::{CommandId, Seq, ShowCode};
use klaxon_protocol::link::{Broadcast, ToGateway, View};
use klaxon_protocol::player::{Mark, Notice, Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// A plain request; its status and body.
async fn get(stage: &Stage, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(stage.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}\r\n")
}

fn command(id: &str, action: Action) -> FromHost {
    FromHost::Command(HostCommand { id: CommandId::parse(id).unwrap(), show: SHOW, action })
}

fn notice(seq: u64) -> ToPlayer {
    ToPlayer::Notice(Notice { seq: Seq(seq), at: Millis(0), text: "Hello".into() })
}

#[tokio::test]
async fn every_route_needs_the_token() {
    let stage = Stage::open().await;
    for path in ["/host", "/metrics", "/healthz", "/elsewhere"] {
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic a2xheG9u\r\n"] {
            let (status, body) = get(&stage, path, headers).await;
            assert_eq!(status, 401, "{path} {headers}");
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["code"], "unauthorized");
            assert_eq!(body["advice"], ErrorCode::Unauthorized.advice());
        }
    }
    assert_eq!(get(&stage, "/healthz", &bearer()).await, (200, "ok\n".into()));
    assert_eq!(get(&stage, "/metrics", &bearer()).await.0, 200);
    assert_eq!(get(&stage, "/elsewhere", &bearer()).await.0, 404);
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_even_with_the_token() {
    let stage = Stage::open().await;
    let from = |origin: &str| format!("{}Origin: {origin}\r\n", bearer());
    assert_eq!(get(&stage, "/healthz", &from("https://example.org")).await.0, 403);
    assert_eq!(get(&stage, "/healthz", &from("http://localhost:3000")).await.0, 200);
    let two = format!("{}Origin: https://example.org\r\n", from("http://localhost:3000"));
    assert_eq!(get(&stage, "/healthz", &two).await.0, 403);
}

#[tokio::test]
async fn an_unknown_subprotocol_is_refused_with_the_names_of_the_known_ones() {
    let stage = Stage::open().await;
    let unknown = "Sec-WebSocket-Protocol: klaxon.v9.json\r\n";
    let (status, body) = shake(&stage, &format!("Connection: Upgrade\r\nUpgrade: websocket\r\n{unknown}")).await;
    assert_eq!(status, 400);
    for codec in Codec::ALL {
        assert!(body.contains(codec.subprotocol()), "{body}");
    }
    let no_handshake = shake(&stage, &format!("Connection: Upgrade\r\nUpgrade: h2c\r\n{unknown}")).await;
    assert_eq!(no_handshake.0, 426, "what is no handshake is told so first, as at the players' port");
}

/// The status with which a host's handshake with these lines is answered, and all of the answer.
async fn shake(stage: &Stage, lines: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(stage.address()).await.unwrap();
    let request = format!(
        "GET /host HTTP/1.1\r\nHost: localhost\r\n{}{lines}Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        bearer()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let whole = |answer: &[u8]| {
        answer.windows(4).any(|end| end == b"\r\n\r\n")
            && (answer.starts_with(b"HTTP/1.1 101") || answer.ends_with(b"}"))
    };
    while !whole(&answer) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[tokio::test]
async fn several_lines_of_a_header_are_one_list_and_a_refusal_names_what_is_missing() {
    let stage = Stage::open().await;
    for lines in [
        "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nConnection: keep-alive\r\nUpgrade: h2c, WebSocket\r\n",
    ] {
        let lines = format!("{lines}Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: klaxon.v1.json\r\n");
        let (status, answer) = shake(&stage, &lines).await;
        assert_eq!(status, 101, "{answer}");
        assert!(answer.contains("sec-websocket-protocol: klaxon.v1.json"), "{answer}");
    }
    let (status, answer) = shake(&stage, "Connection: keep-alive\r\nUpgrade: websocket\r\n").await;
    assert_eq!(status, 426);
    assert!(answer.contains("\"reasons\":[\"connection\"]") && answer.contains("Connection has no"), "{answer}");
    // A part of a longer word is not the word.
    assert_eq!(shake(&stage, "Connection: no-upgrade\r\nUpgrade: websocket\r\n").await.0, 426);
}

#[tokio::test]
async fn a_host_creates_and_commands_a_show_in_both_codecs() {
    let newer = Settings { speed_points: false, ..Settings::default() };
    let cases = Codec::ALL.map(|codec| [(codec, Settings::default()), (codec, newer.clone())]);
    for (codec, settings) in cases.into_iter().flatten() {
        let mut stage = Stage::open().await;
        let mut host = Host::connect(&stage, codec).await;
        let question = PackQuestion::new("What is the capital of Iceland?", ["Reykjavík", "Oslo"], Choice(0));
        let pack = Pack { title: "Capitals".into(), questions: vec![question] };
        let create = FromHost::Create(Box::new(Create { code: None, ..create("c1", pack, settings) }));
        let by_names = create.clone().encodable();
        host.send(if codec == Codec::Json { create } else { by_names.clone() }).await;
        let (conn, received) = stage.engine.receive().await;
        assert_eq!(received, by_names);
        let over_the_link = Codec::Bincode.encode(&received);
        assert_eq!(
            Codec::Bincode.decode::<FromHost>(&over_the_link, &[]),
            Ok(received),
            "no setting is lost on the way"
        );
        let created = ToHost::Created(Created {
            id: CommandId::parse("c1").unwrap(),
            show: SHOW,
            code: ShowCode::parse("QUIZ42").unwrap(),
        });
        stage.engine.answer(conn, created.clone());
        assert_eq!(host.receive().await, created);

        host.send(command("c2", Action::OpenLobby)).await;
        assert_eq!(stage.engine.receive().await, (conn, command("c2", Action::OpenLobby)));
        let done = ToHost::Done(Done { id: CommandId::parse("c2").unwrap(), show: SHOW, again: false });
        stage.engine.answer(conn, done.clone());
        assert_eq!(host.receive().await, done);
    }
}

#[tokio::test]
async fn answers_reach_only_the_host_that_asked() {
    let mut stage = Stage::open().await;
    let mut one = Host::connect(&stage, Codec::Json).await;
    let mut two = Host::connect(&stage, Codec::Bincode).await;
    one.send(FromHost::Shows).await;
    let (conn, _) = stage.engine.receive().await;
    stage.engine.answer(conn, ToHost::Shows(Shows { shows: Vec::new() }));
    assert_eq!(one.receive().await, ToHost::Shows(Shows { shows: Vec::new() }));
    two.settle().await;
}

#[tokio::test]
async fn a_watched_show_is_sent_until_it_is_unwatched() {
    for codec in Codec::ALL {
        let stage = Stage::open().await;
        let mut host = Host::connect(&stage, codec).await;
        host.watch().await;
        stage.engine.event(notice(2));
        stage.engine.send(ToGateway::Figures(Box::new(figures())));
        stage.engine.send(ToGateway::Alert { show: SHOW, at: Millis(3), alert: AlertKind::JournalBack });
        let event = |seq| ToHost::Event(HostEvent { show: SHOW, event: Box::new(notice(seq)) });
        assert_eq!(host.receive().await, event(2));
        assert_eq!(host.receive().await, ToHost::Figures(Box::new(figures())));
        let alert = Alert { show: SHOW, at: Millis(3), alert: AlertKind::JournalBack };
        assert_eq!(host.receive().await, ToHost::Alert(alert));

        host.send(FromHost::Unwatch(ShowRef { show: SHOW })).await;
        host.settle().await;
        stage.hosts.receive(ToGateway::Figures(Box::new(figures())));
        host.settle().await;
    }
}

#[tokio::test]
async fn an_alert_that_came_while_no_host_watched_is_sent_to_the_first_that_does() {
    let stage = Stage::open().await;
    let alert = AlertKind::Recovered { away: Span(2000), closes_at: None };
    stage.hosts.receive(ToGateway::Alert { show: SHOW, at: Millis(3), alert: alert.clone() });

    let mut first = Host::connect(&stage, Codec::Json).await;
    first.send(FromHost::Watch(ShowRef { show: SHOW })).await;
    assert_eq!(first.receive().await, ToHost::Alert(Alert { show: SHOW, at: Millis(3), alert }));
    // Nothing comes before the reply to the ping.
    first.settle().await;
    let mut second = Host::connect(&stage, Codec::Json).await;
    second.watch().await;
}

#[tokio::test]
async fn a_host_that_begins_to_watch_in_mid_question_is_sent_the_question_first() {
    let stage = Stage::open().await;
    let question = ToPlayer::Question(question(8, 3));
    let close = ToPlayer::Close(Close { seq: Seq(9), at: Millis(20), question: QuestionId(3) });
    let broadcast = |message: &ToPlayer| {
        let message = message.clone();
        stage.hosts.receive(ToGateway::Broadcast(Broadcast { show: SHOW, message, personal: None }));
    };
    broadcast(&notice(7));
    broadcast(&question);
    broadcast(&close);
    stage.hosts.receive(ToGateway::Figures(Box::new(figures())));

    let mut host = Host::connect(&stage, Codec::Json).await;
    host.send(FromHost::Watch(ShowRef { show: SHOW })).await;
    let event = |message: &ToPlayer| ToHost::Event(HostEvent { show: SHOW, event: Box::new(message.clone()) });
    assert_eq!(host.receive().await, event(&question));
    assert_eq!(host.receive().await, event(&close));
    assert_eq!(host.receive().await, ToHost::Figures(Box::new(figures())));

    broadcast(&ToPlayer::End(Mark { seq: Seq(10), at: Millis(30) }));
    let mut late = Host::connect(&stage, Codec::Json).await;
    late.watch().await;
}

#[tokio::test]
async fn a_show_of_which_nothing_came_before_is_sent_from_its_running_question_on_once() {
    let stage = Stage::open().await;
    let mut host = Host::connect(&stage, Codec::Json).await;
    host.watch().await;
    let snapshot = snapshot();
    let view = Arc::new(View::from(snapshot.clone()));
    let running = || ToGateway::Running { show: SHOW, view: Arc::clone(&view) };
    // Of what came since the question nothing else is known here; it is in the snapshot.
    stage.hosts.receive(running());
    stage.hosts.receive(running());
    let event = |message: ToPlayer| ToHost::Event(HostEvent { show: SHOW, event: Box::new(message) });
    let question = event(ToPlayer::Question(snapshot.question.clone().unwrap()));
    let reveal = event(ToPlayer::Reveal(snapshot.reveal.clone().unwrap()));
    assert_eq!(host.receive().await, question);
    assert_eq!(host.receive().await, reveal);
    host.settle().await;

    let mut late = Host::connect(&stage, Codec::Json).await;
    late.send(FromHost::Watch(ShowRef { show: SHOW })).await;
    assert_eq!(late.receive().await, question);
    assert_eq!(late.receive().await, reveal);
    late.settle().await;
}

/// A show whose first question is revealed.
fn snapshot() -> Snapshot {
    let (question, reveal) = (Some(question(2, 1)), Some(reveal(4, 1)));
    Snapshot { phase: Phase::Revealed, question, reveal, ..lobby(Seq(4)) }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_the_connection_stays() {
    let stage = Stage::open().await;
    let mut host = Host::connect(&stage, Codec::Json).await;
    for (frame, code) in [
        (Message::text("{"), ErrorCode::BadMessage),
        (Message::text(r#"{"type":"conquer"}"#), ErrorCode::UnknownType),
        (Message::binary(vec![5]), ErrorCode::BadMessage),
    ] {
        host.socket.send(frame).await.unwrap();
        assert!(matches!(host.receive().await, ToHost::Error(error) if error.code == code));
    }
    host.settle().await;
}

#[tokio::test]
async fn a_refusal_carries_the_id_and_names_the_field_whatever_else_is_wrong() {
    let stage = Stage::open().await;
    let mut host = Host::connect(&stage, Codec::Json).await;
    for (sent, wanted) in [
        (
            r#"{"type":"command","id":"c-1","show":"7","action":"give_lives","lives":-1}"#,
            "`lives`: expected 1 to 99, got -1.",
        ),
        (r#"{"type":"create","id":"c-1","pack":{"title":"t"}}"#, "`pack.questions` is missing."),
        (r#"{"type":"dance","id":"c-1"}"#, "Got \"dance\""),
        (r#"{"type":"command","id":"c-1","show":"7","#, "EOF"),
    ] {
        host.socket.send(Message::text(sent)).await.unwrap();
        let ToHost::Refused(refused) = host.receive().await else { panic!("{sent}") };
        assert_eq!(refused.id, CommandId::parse("c-1").unwrap());
        assert!(refused.error.message.contains(wanted), "{sent}: {}", refused.error.message);
    }
    host.socket.send(Message::text(r#"{"type":"command","id":"","show":"7","action":"next"}"#)).await.unwrap();
    let ToHost::Error(error) = host.receive().await else { panic!("an id that is none is not told") };
    assert!(error.message.contains("`id`: must be 1 to 64 bytes long"), "{}", error.message);

    let mut host = Host::connect(&stage, Codec::Bincode).await;
    host.socket.send(Message::binary(&b"\x01\x03c-1\xff"[..])).await.unwrap();
    let ToHost::Refused(refused) = host.receive().await else { panic!("the id can be read") };
    assert_eq!(refused.id, CommandId::parse("c-1").unwrap());
}

#[tokio::test]
async fn a_host_has_64_messages_unanswered_at_most() {
    let mut stage = Stage::open().await;
    let mut host = Host::connect(&stage, Codec::Bincode).await;
    for number in 0..MOST_UNANSWERED {
        host.send(command(&format!("c{number}"), Action::Next)).await;
    }
    host.send(command("one-more", Action::Next)).await;
    let ToHost::Refused(refused) = host.receive().await else { panic!("refused") };
    assert_eq!((refused.id.as_str(), refused.error.code), ("one-more", ErrorCode::RateLimited));

    let (conn, _) = stage.engine.receive().await;
    let done = ToHost::Done(Done { id: CommandId::parse("c0").unwrap(), show: SHOW, again: false });
    stage.engine.answer(conn, done.clone());
    assert_eq!(host.receive().await, done);
    host.send(command("room-again", Action::Next)).await;
    for number in 1..MOST_UNANSWERED {
        assert_eq!(stage.engine.receive().await.1, command(&format!("c{number}"), Action::Next));
    }
    assert_eq!(stage.engine.receive().await.1, command("room-again", Action::Next));
}

#[tokio::test]
async fn a_host_that_falls_behind_is_closed_with_the_reason() {
    let stage = Stage::open().await;
    let mut slow = Host::connect(&stage, Codec::Json).await;
    slow.watch().await;
    // Nothing else runs on this thread between these, so nothing is sent in between.
    for seq in 0..=MOST_WAITING as u64 {
        stage.hosts.receive(ToGateway::Broadcast(Broadcast { show: SHOW, message: notice(seq), personal: None }));
    }
    let Message::Close(Some(close)) = slow.frame().await else { panic!("closed") };
    assert_eq!(close.reason.as_str(), ErrorCode::TooSlow.code());

    let mut other = Host::connect(&stage, Codec::Json).await;
    other.settle().await;
}

#[tokio::test]
async fn a_stopping_server_closes_its_hosts_connections() {
    let stage = Stage::open().await;
    let mut host = Host::connect(&stage, Codec::Json).await;
    host.settle().await;
    let (frame, ()) = tokio::join!(host.frame(), stage.admin.stop());
    let Message::Close(Some(close)) = frame else { panic!("closed") };
    assert_eq!(close.reason.as_str(), ErrorCode::ShuttingDown.code());
}
