//! The contract of every bus, as tests.
//!
//! An implementation's tests say `bus_contract!(EXPRESSION)`, where the expression makes a [`Fixture`] on a new bus.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::claim::{Claim, ClaimForm, ClaimValue};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{FromHost, ToHost};
use klaxon_protocol::ids::{ClaimKey, ConnRef, Fence, GatewayId, Generation, RoundId, Seat, SeatRef, Seq, ShowId};
use klaxon_protocol::link::{
    AnswerBatch, Broadcast, Personal, Present, Seated, StampedAnswer, ToEngine, ToGateway, View,
};
use klaxon_protocol::player::{Lobby, Phase, ToPlayer};
use klaxon_protocol::time::Millis;

use super::{Address, EngineEnd, GatewayEnd, Publication, Received, StreamPosition};

pub const SHOW: ShowId = ShowId(u64::MAX);
#[cfg(feature = "cluster")]
pub const OTHER: ShowId = ShowId(7);
pub const ANN: GatewayId = GatewayId(1);
pub const BEN: GatewayId = GatewayId(2);
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An engine on a bus that gateways can be connected to.
pub trait Fixture {
    /// The engine's end.
    fn engine(&self) -> &dyn EngineEnd;
    /// Connects a gateway.
    async fn gateway(&self, id: GatewayId) -> Box<dyn GatewayEnd>;
    /// Gives the show a lease with this token, as far as the bus looks at it.
    async fn lease(&self, show: ShowId, fence: Fence);
}

/// A message of a gateway about the show, which the bus does not look into.
pub fn numbered(number: u32) -> ToEngine {
    numbered_about(SHOW, number)
}

pub fn numbered_about(show: ShowId, number: u32) -> ToEngine {
    let conn = ConnRef { gateway: ANN, conn: u64::from(number) };
    ToEngine::Resync { conn, show, seat: Some(SeatRef::first(Seat(number))) }
}

pub fn join(conn: u64) -> ToEngine {
    join_by("LIVE", conn)
}

pub fn join_by(code: &str, conn: u64) -> ToEngine {
    ToEngine::Join(klaxon_fixtures::join_request(ConnRef { gateway: ANN, conn }, code, "ann"))
}

/// A message of the show to gateways.
pub fn event(number: u64) -> ToGateway {
    ToGateway::Said { show: SHOW, seq: Seq(number) }
}

pub fn publication(messages: Vec<(Address, ToGateway)>) -> Publication {
    Publication { show: SHOW, messages, records: 0, acknowledged: StreamPosition::default() }
}

/// The next `count` messages, at least.
pub async fn receive_some(gateway: &dyn GatewayEnd, count: usize) -> Vec<ToGateway> {
    let mut received = Vec::new();
    let receiving = async {
        while received.len() < count {
            let mut more = Vec::new();
            assert!(gateway.receive(&mut more).await, "the bus is closed");
            received.append(&mut more);
        }
    };
    tokio::time::timeout(PATIENCE, receiving).await.expect("they arrive");
    received
}

/// What reaches the engine until `count` of them are wanted, without gateways that come and go.
pub async fn receive_at(
    engine: &dyn EngineEnd,
    mut wanted: impl FnMut(&ToEngine) -> bool,
    count: usize,
) -> Vec<Received> {
    let mut received: Vec<Received> = Vec::new();
    let mut found = 0;
    let reaching = async {
        while found < count {
            let mut more = Vec::new();
            assert!(engine.receive(&mut more).await, "the bus is closed");
            found += more.iter().filter(|received| wanted(&received.message)).count();
            received.extend(more);
        }
    };
    tokio::time::timeout(PATIENCE, reaching).await.expect("it reaches the engine");
    received.retain(|received| {
        !matches!(received.message, ToEngine::Hello { .. } | ToEngine::Attend { .. } | ToEngine::Leave { .. })
    });
    received
}

pub fn messages(received: Vec<Received>) -> Vec<ToEngine> {
    received.into_iter().map(|received| received.message).collect()
}

/// The engine plays the show, and the gateways subscribe to it.
pub async fn play(fixture: &impl Fixture, fence: u64, gateways: &[&dyn GatewayEnd]) {
    fixture.lease(SHOW, Fence(fence)).await;
    fixture.engine().take_over(SHOW, Fence(fence)).await.unwrap();
    for gateway in gateways {
        gateway.subscribe(SHOW);
        gateway.send(numbered(0));
    }
    receive_at(fixture.engine(), |message| *message == numbered(0), gateways.len()).await;
}

pub async fn what_a_gateway_sends_about_a_show_arrives_in_order(fixture: impl Fixture) {
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&*ann]).await;
    let answer = |number| StampedAnswer {
        conn: u64::from(number),
        number: 1,
        by: SeatRef::first(Seat(number)),
        form: ClaimForm::Claim,
        claim: claim(1),
        at: Millis(u64::from(number)),
    };
    let batch = |number| AnswerBatch { gateway: ANN, show: SHOW, answers: vec![answer(number), answer(number + 1)] };
    let sent: Vec<ToEngine> = (1..500)
        .flat_map(|number| {
            let passed = ToEngine::BarrierPassed { gateway: ANN, show: SHOW, round: RoundId(number as u16) };
            [ToEngine::Answers(batch(number)), numbered(number), passed]
        })
        .collect();
    sent.iter().for_each(|message| ann.send(message.clone()));
    let is_last = |message: &ToEngine| Some(message) == sent.last();
    assert_eq!(messages(receive_at(fixture.engine(), is_last, 1).await), sent);
}

pub async fn a_publication_is_received_in_order_by_the_gateways_it_is_for(fixture: impl Fixture) {
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&*ann, &*ben]).await;
    let (to_ann, to_ben) = (Address::One(ANN), Address::One(BEN));
    let messages =
        [(to_ann, 1), (Address::All, 2), (to_ann, 3), (to_ben, 4), (to_ann, 5), (Address::All, 6), (to_ben, 7)];
    fixture.engine().publish(publication(messages.map(|(to, number)| (to, event(number))).to_vec())).unwrap();
    fixture.engine().publish(publication(vec![(Address::All, event(8)), (to_ann, event(9))])).unwrap();
    assert_eq!(receive_some(&*ann, 7).await, [1, 2, 3, 5, 6, 8, 9].map(event));
    assert_eq!(receive_some(&*ben, 5).await, [2, 4, 6, 7, 8].map(event));
}

pub async fn many_publications_are_received_in_order(fixture: impl Fixture) {
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&*ann, &*ben]).await;
    let to = |number: u64| if number.is_multiple_of(3) { Address::One(ANN) } else { Address::All };
    for number in 0..2_000 {
        fixture.engine().publish(publication(vec![(to(number), event(number))])).unwrap();
        tokio::task::yield_now().await;
    }
    let for_ben: Vec<ToGateway> = (0..2_000).filter(|number| number % 3 != 0).map(event).collect();
    assert_eq!(receive_some(&*ann, 2_000).await, (0..2_000).map(event).collect::<Vec<_>>());
    assert_eq!(receive_some(&*ben, for_ben.len()).await, for_ben);
}

pub async fn messages_arrive_whole(fixture: impl Fixture) {
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&*ann]).await;
    let lobby = |joined| ToPlayer::Lobby(Lobby { joined });
    let personal = Personal { shapes: vec![lobby(1)], by_seat: vec![0, Personal::NONE, 0, 0] };
    let personal = Arc::new(personal);
    let broadcast = Broadcast { show: SHOW, message: lobby(3), personal: Some(Arc::clone(&personal)) };
    let first = Arc::new(view(5));
    let seated = |conn, view: &Arc<View>| {
        let (conn, view) = (ConnRef { gateway: ANN, conn }, Arc::clone(view));
        let seated = klaxon_fixtures::seated(conn, SHOW, Some(Seat(3)), View::clone(&view));
        ToGateway::Seated(Seated { view, own: lobby(9), issue: 2, ..seated })
    };
    let later = Arc::new(view(6));
    let sent = [
        seated(1, &first),
        seated(2, &first),
        ToGateway::Dismiss { show: SHOW, seat: SeatRef::first(Seat(1)), code: ErrorCode::Removed },
        seated(3, &later),
        seated(4, &later),
        ToGateway::Broadcast(broadcast),
        ToGateway::Own { show: SHOW, personal },
    ];
    fixture
        .engine()
        .publish(publication(sent.iter().map(|message| (Address::One(ANN), message.clone())).collect()))
        .unwrap();
    assert_eq!(receive_some(&*ann, sent.len()).await, sent);
}

pub async fn who_is_there_and_who_is_gone_arrives_in_order(fixture: impl Fixture) {
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&*ann]).await;
    fixture.engine().publish(publication(vec![(Address::All, ToGateway::Census { show: SHOW, census: 3 })])).unwrap();
    assert_eq!(receive_some(&*ann, 1).await, [ToGateway::Census { show: SHOW, census: 3 }]);
    let seat = |number| SeatRef { seat: Seat(number), generation: Generation(number % 3) };
    let sent: Vec<ToEngine> = (1..200)
        .flat_map(|number| {
            let conn = ConnRef { gateway: ANN, conn: u64::from(number) };
            let players = (0..number).map(|other| (seat(other), u64::from(other))).collect();
            let present = Present { gateway: ANN, show: SHOW, census: 3, players, is_last: number == 199 };
            let gone = ToEngine::Gone { conn, show: SHOW, seat: seat(number), left: number.is_multiple_of(2) };
            [gone, ToEngine::Present(present)]
        })
        .collect();
    sent.iter().for_each(|message| ann.send(message.clone()));
    let is_last = |message: &ToEngine| Some(message) == sent.last();
    assert_eq!(messages(receive_at(fixture.engine(), is_last, 1).await), sent);
}

pub async fn a_reply_reaches_a_host_whose_gateway_subscribes_to_no_show(fixture: impl Fixture) {
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    let answer = |gateway, number| ToGateway::Host {
        conn: ConnRef { gateway, conn: number },
        message: ToHost::Shows(klaxon_protocol::host::Shows { shows: Vec::new() }),
    };
    for number in 0..10 {
        fixture.engine().reply_to_gateway(ANN, answer(ANN, number));
        fixture.engine().reply_to_gateway(BEN, answer(BEN, number));
    }
    assert_eq!(receive_some(&*ann, 10).await, (0..10).map(|number| answer(ANN, number)).collect::<Vec<_>>());
    assert_eq!(receive_some(&*ben, 10).await, (0..10).map(|number| answer(BEN, number)).collect::<Vec<_>>());
}

pub async fn a_publication_may_be_for_no_gateway(fixture: impl Fixture) {
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&*ann]).await;
    fixture
        .engine()
        .publish(publication(vec![(Address::One(GatewayId(99)), event(1)), (Address::All, event(2))]))
        .unwrap();
    fixture.engine().publish(publication(Vec::new())).unwrap();
    fixture.engine().publish(publication(vec![(Address::All, event(3))])).unwrap();
    assert_eq!(receive_some(&*ann, 2).await, [event(2), event(3)]);
}

pub async fn a_show_goes_on_under_a_new_lease(fixture: impl Fixture) {
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&*ann]).await;
    fixture.engine().publish(publication(vec![(Address::All, event(1))])).unwrap();
    assert_eq!(receive_some(&*ann, 1).await, [event(1)]);
    fixture.lease(SHOW, Fence(9)).await;
    let takeover = fixture.engine().take_over(SHOW, Fence(9)).await.unwrap();
    assert_eq!(takeover.gateways, BTreeSet::from([ANN]));
    fixture.engine().publish(publication(vec![(Address::All, event(2)), (Address::One(ANN), event(3))])).unwrap();
    assert_eq!(receive_some(&*ann, 2).await, [event(2), event(3)]);
    ann.send(numbered(5));
    let reached = receive_at(fixture.engine(), |message| *message == numbered(5), 1).await;
    assert_eq!(reached.last().map(|received| &received.message), Some(&numbered(5)));
}

pub async fn a_hosts_request_reaches_an_engine(fixture: impl Fixture) {
    let ann = fixture.gateway(ANN).await;
    for number in 0..20 {
        ann.send(ToEngine::Host { conn: ConnRef { gateway: ANN, conn: number }, message: FromHost::Shows });
    }
    let asks = |message: &ToEngine| matches!(message, ToEngine::Host { message: FromHost::Shows, .. });
    let conns: Vec<u64> = messages(receive_at(fixture.engine(), asks, 20).await)
        .iter()
        .filter_map(|message| if let ToEngine::Host { conn, .. } = message { Some(conn.conn) } else { None })
        .collect();
    assert_eq!(conns, (0..20).collect::<Vec<_>>());
}

pub async fn an_engine_notices_that_a_gateway_is_gone(fixture: impl Fixture) {
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&*ann, &*ben]).await;
    drop(ben);
    let is_missed = |message: &ToEngine| *message == ToEngine::Bye { gateway: BEN };
    receive_at(fixture.engine(), is_missed, 1).await;
    let takeover = fixture.engine().take_over(SHOW, Fence(1)).await.unwrap();
    assert_eq!(takeover.gateways, BTreeSet::from([ANN]));
}

/// A claim in this round.
pub fn claim(round: u16) -> Claim {
    Claim { round: RoundId(round), key: ClaimKey(0), value: ClaimValue::Bits(2) }
}

fn lobby_of(joined: u32) -> ToPlayer {
    ToPlayer::Lobby(Lobby { joined })
}

fn view(seq: u64) -> View {
    View { seq: Seq(seq), phase: Phase::Lobby, message: lobby_of(seq as u32), paused: None }
}

macro_rules! bus_contract {
    ($fixture:expr) => {
        $crate::bus::contract::bus_contract!(@tests $fixture;
            what_a_gateway_sends_about_a_show_arrives_in_order
            a_publication_is_received_in_order_by_the_gateways_it_is_for
            many_publications_are_received_in_order
            messages_arrive_whole
            who_is_there_and_who_is_gone_arrives_in_order
            a_reply_reaches_a_host_whose_gateway_subscribes_to_no_show
            a_publication_may_be_for_no_gateway
            a_show_goes_on_under_a_new_lease
            a_hosts_request_reaches_an_engine
            an_engine_notices_that_a_gateway_is_gone
        );
    };
    (@tests $fixture:expr; $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::bus::contract::$name($fixture).await;
            }
        )*
    };
}
pub(crate) use bus_contract;
