//! How long a gateway waits for clients: for those who only answer its pings, for those who do not even do that, and for those who read
//! late.

use std::io::Read;
use std::time::{Duration, Instant};

use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Span;
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Client, Fixture, PATIENCE, fixture, settings_of_each};
use crate::hostile::deaf;

/// A gateway that takes a client for dead after two seconds.
fn attentive() -> [Fixture; 2] {
    settings_of_each().map(|mut settings| {
        settings.players.limits.heartbeat = Span(1_000);
        fixture(settings)
    })
}

#[tokio::test]
async fn a_client_that_only_answers_pings_stays() {
    for fixture in attentive() {
        let mut hidden = Vec::new();
        for number in 0..6 {
            hidden.push(Client::join(&fixture, Codec::ALL[number % 2]).await.0);
        }
        // Reading is all they do: tungstenite answers pings, as browsers do.
        let quiet = hidden.iter_mut().map(|client| tokio::time::timeout(Duration::from_secs(7), client.next()));
        let received = futures_util::future::join_all(quiet).await;
        assert!(received.iter().all(Result::is_err), "{received:?}");
        let notice = fixture.engine.notice("still here");
        for client in &mut hidden {
            assert_eq!(client.receive().await, notice);
        }
    }
}

/// A reactor that sleeps between few of them reads less than they say: 20 a nap of a quarter of a second.
#[tokio::test]
async fn a_crowd_that_only_answers_pings_stays() {
    for fixture in attentive() {
        let mut crowd = Vec::new();
        for _ in 0..300 {
            crowd.push(Client::join(&fixture, Codec::Json).await.0);
        }
        let quiet = crowd.iter_mut().map(|client| tokio::time::timeout(Duration::from_secs(8), client.next()));
        let received = futures_util::future::join_all(quiet).await;
        let gone = received.iter().filter(|received| received.is_ok()).count();
        assert_eq!(gone, 0, "of {}", crowd.len());
    }
}

#[tokio::test]
async fn a_client_that_does_not_even_answer_a_ping_is_closed() {
    for fixture in attentive() {
        let (silent, _) = Client::join(&fixture, Codec::Json).await;
        let began = Instant::now();
        let mut socket = silent.into_socket();
        let read = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            socket.read_to_end(&mut read).map(|_| read)
        });
        let read = tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap().unwrap();
        assert_eq!(read, b"\x89\x00\x88\x08\x0f\xa2silent");
        assert!(began.elapsed() >= Duration::from_millis(1_900), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn unsolicited_pongs_are_a_flood() {
    for fixture in attentive() {
        let (mut client, _) = Client::join(&fixture, Codec::Json).await;
        for _ in 0..400 {
            if !client.try_raw(Message::Pong(Vec::new().into())).await {
                break;
            }
        }
        assert_eq!(client.rest().await.1, Some(4029));
    }
}

#[tokio::test]
async fn a_client_that_was_closed_as_too_slow_finds_out_when_it_reads_though_its_socket_is_long_closed() {
    for mut settings in settings_of_each() {
        (settings.players.limits.outbox_bytes, settings.players.limits.messages_per_second, settings.burst) =
            (8192, 1000, 100_000);
        let mut fixture = fixture(settings);
        let mut slow = deaf(&fixture).await;
        let text = "x".repeat(3_000);
        // The socket is full, and a notice is half written.
        for _ in 0..40 {
            fixture.engine.notice(&text);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Who asks without reading is cut off when there is no room for the reply.
        let ask = async {
            while fixture.figures().await.shed == 0 {
                slow.raw(Message::text("nonsense")).await;
            }
        };
        tokio::time::timeout(PATIENCE, ask).await.unwrap();
        // The gateway lets go of the socket after two seconds.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let (messages, code) = slow.rest().await;
        assert!(matches!(messages.last(), Some(ToPlayer::Error(error)) if error.code.code() == "too_slow"), "{code:?}");
        assert_eq!(code, Some(4008));
    }
}

#[tokio::test]
async fn a_client_that_does_not_catch_up_finds_out_why_it_was_closed() {
    let late = settings_of_each().map(async |settings| {
        let fixture = fixture(settings);
        let mut slow = deaf(&fixture).await;
        let text = "x".repeat(8_000);
        // More than once what the outbox holds: with the first of it, and a snapshot, the kernel is full.
        for _ in 0..10 {
            for _ in 0..20 {
                fixture.engine.notice(&text);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Ten seconds until it is cut off, two until its socket is closed, and some more.
        tokio::time::sleep(Duration::from_secs(15)).await;
        let (messages, code) = slow.rest().await;
        assert!(matches!(messages.last(), Some(ToPlayer::Error(error)) if error.code.code() == "too_slow"), "{code:?}");
        assert_eq!(code, Some(4008));
    });
    futures_util::future::join_all(late).await;
}
