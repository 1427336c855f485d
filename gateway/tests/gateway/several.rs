//! A gateway that is one of several.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use klaxon_engine::bus::{GatewayEnd, LocalGatewayEnd};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{GatewayId, RoundId, Seat, SeatRef, Seq, ShowId};
use klaxon_protocol::link::{GatewayCounts, ToEngine, ToGateway};
use klaxon_protocol::player::ToPlayer;
use tokio::sync::mpsc;

use crate::fixture::{Client, Fixture, GATEWAY, PATIENCE, SHOW, fixture_over, settings};

/// Another that a host here watches.
const WATCHED: ShowId = ShowId(78);

/// An end of a bus that others are on, too, and that tells which shows it is to hear.
struct Far {
    end: LocalGatewayEnd,
    kept: mpsc::UnboundedSender<BTreeSet<ShowId>>,
}

#[async_trait]
impl GatewayEnd for Far {
    fn send(&self, message: ToEngine) {
        self.end.send(message);
    }

    fn subscribe(&self, show: ShowId) {
        self.end.subscribe(show);
    }

    fn retain_subscriptions(&self, shows: &BTreeSet<ShowId>) {
        let _ = self.kept.send(shows.clone());
    }

    fn is_distributed(&self) -> bool {
        true
    }

    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool {
        self.end.receive(into).await
    }

    fn id(&self) -> GatewayId {
        self.end.id()
    }
}

fn distributed_fixture() -> (Fixture, mpsc::UnboundedReceiver<BTreeSet<ShowId>>) {
    let (kept, hear_kept) = mpsc::unbounded_channel();
    let fixture = fixture_over(settings(), |end| Arc::new(Far { end, kept }), [WATCHED].into());
    (fixture, hear_kept)
}

fn counts_in(said: ToEngine) -> Option<GatewayCounts> {
    if let ToEngine::Counts(counts) = said { Some(counts) } else { None }
}

#[tokio::test]
async fn what_it_counts_goes_to_the_engine_and_what_the_engine_sums_up_is_left_as_it_is() {
    let (mut fixture, _kept) = distributed_fixture();
    let (_ann, _) = Client::join(&fixture, Codec::Json).await;
    let (_bob, _) = Client::join(&fixture, Codec::Bincode).await;
    let counts = fixture.engine.wait(|said| counts_in(said).filter(|counts| counts.connected == 2)).await;
    assert_eq!((counts.gateway, counts.show, counts.shed), (GATEWAY, SHOW, 0));
    assert_eq!(fixture.figures().await.connected, 0, "as the engine said it");
}

#[tokio::test]
async fn before_it_passes_a_barrier_it_sends_its_counts() {
    let (mut fixture, _kept) = distributed_fixture();
    let _ann = Client::join(&fixture, Codec::Json).await;
    let round = RoundId(1);
    fixture.engine.send(ToGateway::Barrier { show: SHOW, round });
    let mut counted = false;
    fixture
        .engine
        .wait(|said| {
            counted |= matches!(said, ToEngine::Counts(_));
            matches!(said, ToEngine::BarrierPassed { .. }).then_some(())
        })
        .await;
    assert!(counted);
}

#[tokio::test]
async fn it_subscribes_only_to_shows_that_have_a_connection_here() {
    let (fixture, mut kept) = distributed_fixture();
    let mut next = async |wanted: &[ShowId]| {
        let wanted: BTreeSet<ShowId> = wanted.iter().copied().collect();
        let wait = async { while kept.recv().await.unwrap() != wanted {} };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    };
    next(&[WATCHED]).await;
    let (ann, _) = Client::join(&fixture, Codec::Json).await;
    next(&[SHOW, WATCHED]).await;
    drop(ann);
    next(&[WATCHED]).await;
}

#[tokio::test]
async fn a_player_who_came_in_elsewhere_has_the_display_there() {
    let (fixture, _kept) = distributed_fixture();
    let (mut ann, welcome) = Client::join(&fixture, Codec::Json).await;
    let seats = [welcome.seat.unwrap(), Seat(99)].map(SeatRef::first).to_vec();
    fixture.engine.send(ToGateway::Moved { show: SHOW, seats: seats.clone(), to: GATEWAY });
    let received = fixture.engine.notice("still here");
    assert_eq!(ann.receive().await, received, "not one who came in here");
    fixture.engine.send(ToGateway::Moved { show: SHOW, seats, to: GatewayId(4) });
    assert_eq!(ann.receive_error().await, ErrorCode::Displaced);
}

#[tokio::test]
async fn a_player_who_missed_an_event_gets_a_snapshot() {
    let (fixture, _kept) = distributed_fixture();
    let (mut ann, _) = Client::join(&fixture, Codec::Json).await;
    fixture.engine.send(ToGateway::Said { show: SHOW, seq: Seq(1) });
    assert!(matches!(ann.receive().await, ToPlayer::Snapshot(_)));
    assert!(matches!(ann.receive().await, ToPlayer::You(_)));
}

#[tokio::test]
async fn when_it_drains_its_players_are_sent_where_to_go() {
    let (fixture, _kept) = distributed_fixture();
    let mut clients = Vec::new();
    for number in 0..6 {
        clients.push(Client::join(&fixture, Codec::ALL[number % 2]).await.0);
    }
    let others = ["ws://b/play", "ws://c/play"].map(String::from);
    let drained = tokio::spawn(fixture.gateway.drain(PATIENCE / 5, others.to_vec()));
    let mut sent_to = Vec::new();
    for client in &mut clients {
        let (messages, code) = client.rest().await;
        let [ToPlayer::Goodbye(goodbye)] = &messages[..] else { panic!("{messages:?}") };
        sent_to.push(goodbye.to.clone().unwrap());
        assert_eq!(code, Some(1012));
    }
    drop(clients);
    drained.await.unwrap();
    for other in &others {
        assert!(sent_to.iter().filter(|to| *to == other).count() >= 2, "{sent_to:?}");
    }
}
