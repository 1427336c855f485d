//! What every bus must do, whatever it is made of.
//!
//! An implementation's tests say `bus_contract!(EXPRESSION)`, where the expression makes a new [`House`] on a bus that nobody has
//! used.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{FromHost, ToHost};
use klaxon_protocol::ids::{
    Choice, ConnRef, Fence, GatewayId, Generation, Name, PlayerId, QuestionId, Seat, SeatRef, Seq, ShowId,
};
use klaxon_protocol::link::{AnswerBatch, Broadcast, Personal, Present, Seated, StampedAnswer, ToEngine, ToGateway};
use klaxon_protocol::player::{Lobby, Phase, Snapshot, ToPlayer, You};
use klaxon_protocol::settings::Mode;
use klaxon_protocol::time::Millis;

use super::{Address, EngineEnd, GatewayEnd, Heard, Place, Turn};

pub const SHOW: ShowId = ShowId(u64::MAX);
#[cfg(feature = "cluster")]
pub const OTHER: ShowId = ShowId(7);
pub const ANN: GatewayId = GatewayId(1);
pub const BEN: GatewayId = GatewayId(2);
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An engine on a bus, and a way for gateways to it.
pub trait House {
    /// The engine's end.
    fn engine(&self) -> &dyn EngineEnd;
    /// Connects a gateway.
    async fn gateway(&self, id: GatewayId) -> Box<dyn GatewayEnd>;
    /// The show is leased under this token, as far as the bus looks.
    async fn lease(&self, show: ShowId, fence: Fence);
}

/// What a gateway may say of a show that it hears: the bus reads nothing into it.
pub fn word(number: u32) -> ToEngine {
    word_about(SHOW, number)
}

pub fn word_about(show: ShowId, number: u32) -> ToEngine {
    let conn = ConnRef { gateway: ANN, conn: u64::from(number) };
    ToEngine::Resync { conn, show, seat: Some(SeatRef::first(Seat(number))) }
}

/// What a show may say.
pub fn event(number: u64) -> ToGateway {
    ToGateway::Said { show: SHOW, seq: Seq(number) }
}

pub fn turn(messages: Vec<(Address, ToGateway)>) -> Turn {
    Turn { show: SHOW, messages, records: 0, heard: Place::default() }
}

/// So many messages.
pub async fn hear_some(gateway: &dyn GatewayEnd, count: usize) -> Vec<ToGateway> {
    let mut heard = Vec::new();
    let hearing = async {
        while heard.len() < count {
            let mut more = Vec::new();
            assert!(gateway.receive(&mut more).await, "nothing more is said");
            heard.append(&mut more);
        }
    };
    tokio::time::timeout(PATIENCE, hearing).await.expect("they are heard");
    heard
}

/// What reaches the engine until `wanted` has come so often, but for who comes and goes.
pub async fn reach(engine: &dyn EngineEnd, mut wanted: impl FnMut(&ToEngine) -> bool, count: usize) -> Vec<Heard> {
    let mut heard: Vec<Heard> = Vec::new();
    let mut found = 0;
    let reaching = async {
        while found < count {
            let mut more = Vec::new();
            assert!(engine.receive(&mut more).await, "nothing more comes");
            found += more.iter().filter(|heard| wanted(&heard.message)).count();
            heard.extend(more);
        }
    };
    tokio::time::timeout(PATIENCE, reaching).await.expect("it reaches the engine");
    heard.retain(|heard| {
        !matches!(heard.message, ToEngine::Hello { .. } | ToEngine::Attend { .. } | ToEngine::Leave { .. })
    });
    heard
}

pub fn messages(heard: Vec<Heard>) -> Vec<ToEngine> {
    heard.into_iter().map(|heard| heard.message).collect()
}

/// The engine plays the show, and the gateways hear it.
pub async fn play(house: &impl House, fence: u64, gateways: &[&dyn GatewayEnd]) {
    house.lease(SHOW, Fence(fence)).await;
    house.engine().adopt(SHOW, Fence(fence)).await.unwrap();
    for gateway in gateways {
        gateway.attend(SHOW);
        gateway.send(word(0));
    }
    reach(house.engine(), |message| *message == word(0), gateways.len()).await;
}

pub async fn what_a_gateway_says_about_a_show_arrives_in_order(house: impl House) {
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&*ann]).await;
    let answer = |number| StampedAnswer {
        conn: u64::from(number),
        number: 1,
        by: SeatRef::first(Seat(number)),
        question: QuestionId(1),
        choice: Choice(2),
        at: Millis(u64::from(number)),
    };
    let batch = |number| AnswerBatch { gateway: ANN, show: SHOW, answers: vec![answer(number), answer(number + 1)] };
    let said: Vec<ToEngine> = (1..500)
        .flat_map(|number| {
            let passed = ToEngine::BarrierPassed { gateway: ANN, show: SHOW, question: QuestionId(number as u16) };
            [ToEngine::Answers(batch(number)), word(number), passed]
        })
        .collect();
    said.iter().for_each(|message| ann.send(message.clone()));
    let is_last = |message: &ToEngine| Some(message) == said.last();
    assert_eq!(messages(reach(house.engine(), is_last, 1).await), said);
}

pub async fn a_turn_is_heard_in_order_by_those_it_is_for(house: impl House) {
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&*ann, &*ben]).await;
    let (to_ann, to_ben) = (Address::One(ANN), Address::One(BEN));
    let messages =
        [(to_ann, 1), (Address::All, 2), (to_ann, 3), (to_ben, 4), (to_ann, 5), (Address::All, 6), (to_ben, 7)];
    house.engine().say(turn(messages.map(|(to, number)| (to, event(number))).to_vec()));
    house.engine().say(turn(vec![(Address::All, event(8)), (to_ann, event(9))]));
    assert_eq!(hear_some(&*ann, 7).await, [1, 2, 3, 5, 6, 8, 9].map(event));
    assert_eq!(hear_some(&*ben, 5).await, [2, 4, 6, 7, 8].map(event));
}

pub async fn many_turns_are_heard_in_order(house: impl House) {
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&*ann, &*ben]).await;
    let to = |number: u64| if number.is_multiple_of(3) { Address::One(ANN) } else { Address::All };
    for number in 0..2_000 {
        house.engine().say(turn(vec![(to(number), event(number))]));
        tokio::task::yield_now().await;
    }
    let for_ben: Vec<ToGateway> = (0..2_000).filter(|number| number % 3 != 0).map(event).collect();
    assert_eq!(hear_some(&*ann, 2_000).await, (0..2_000).map(event).collect::<Vec<_>>());
    assert_eq!(hear_some(&*ben, for_ben.len()).await, for_ben);
}

pub async fn messages_arrive_whole(house: impl House) {
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&*ann]).await;
    let lobby = |joined| ToPlayer::Lobby(Lobby { joined });
    let personal = Personal { shapes: vec![lobby(1)], by_seat: vec![0, Personal::NONE, 0, 0] };
    let personal = Arc::new(personal);
    let broadcast = Broadcast { show: SHOW, message: lobby(3), personal: Some(Arc::clone(&personal)) };
    let snapshot = Arc::new(Snapshot { seq: Seq(5), ..empty_snapshot() });
    let seated = |conn, snapshot: &Arc<Snapshot>| {
        let name = Name::parse("Ann").unwrap();
        ToGateway::Seated(Seated {
            conn: ConnRef { gateway: ANN, conn },
            show: SHOW,
            seat: Some(SeatRef::first(Seat(3))),
            player: PlayerId::parse("ann").unwrap(),
            name,
            snapshot: Arc::clone(snapshot),
            you: you(),
            issue: 2,
        })
    };
    let later = Arc::new(Snapshot { seq: Seq(6), ..empty_snapshot() });
    let said = [
        seated(1, &snapshot),
        seated(2, &snapshot),
        ToGateway::Dismiss { show: SHOW, seat: SeatRef::first(Seat(1)), code: ErrorCode::Removed },
        seated(3, &later),
        seated(4, &later),
        ToGateway::Broadcast(broadcast),
        ToGateway::Own { show: SHOW, personal },
    ];
    house.engine().say(turn(said.iter().map(|message| (Address::One(ANN), message.clone())).collect()));
    assert_eq!(hear_some(&*ann, said.len()).await, said);
}

pub async fn who_is_there_and_who_is_gone_arrives_in_order(house: impl House) {
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&*ann]).await;
    house.engine().say(turn(vec![(Address::All, ToGateway::Census { show: SHOW, census: 3 })]));
    assert_eq!(hear_some(&*ann, 1).await, [ToGateway::Census { show: SHOW, census: 3 }]);
    let seat = |number| SeatRef { seat: Seat(number), generation: Generation(number % 3) };
    let said: Vec<ToEngine> = (1..200)
        .flat_map(|number| {
            let conn = ConnRef { gateway: ANN, conn: u64::from(number) };
            let players = (0..number).map(|other| (seat(other), u64::from(other))).collect();
            let present = Present { gateway: ANN, show: SHOW, census: 3, players, is_last: number == 199 };
            let gone = ToEngine::Gone { conn, show: SHOW, seat: seat(number), left: number.is_multiple_of(2) };
            [gone, ToEngine::Present(present)]
        })
        .collect();
    said.iter().for_each(|message| ann.send(message.clone()));
    let is_last = |message: &ToEngine| Some(message) == said.last();
    assert_eq!(messages(reach(house.engine(), is_last, 1).await), said);
}

pub async fn an_answer_reaches_a_host_whose_gateway_hears_no_show(house: impl House) {
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    let answer = |gateway, number| ToGateway::Host {
        conn: ConnRef { gateway, conn: number },
        message: ToHost::Shows(klaxon_protocol::host::Shows { shows: Vec::new() }),
    };
    for number in 0..10 {
        house.engine().answer(ANN, answer(ANN, number));
        house.engine().answer(BEN, answer(BEN, number));
    }
    assert_eq!(hear_some(&*ann, 10).await, (0..10).map(|number| answer(ANN, number)).collect::<Vec<_>>());
    assert_eq!(hear_some(&*ben, 10).await, (0..10).map(|number| answer(BEN, number)).collect::<Vec<_>>());
}

pub async fn a_turn_may_be_for_nobody(house: impl House) {
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&*ann]).await;
    house.engine().say(turn(vec![(Address::One(GatewayId(99)), event(1)), (Address::All, event(2))]));
    house.engine().say(turn(Vec::new()));
    house.engine().say(turn(vec![(Address::All, event(3))]));
    assert_eq!(hear_some(&*ann, 2).await, [event(2), event(3)]);
}

pub async fn a_show_goes_on_under_a_new_lease(house: impl House) {
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&*ann]).await;
    house.engine().say(turn(vec![(Address::All, event(1))]));
    assert_eq!(hear_some(&*ann, 1).await, [event(1)]);
    house.lease(SHOW, Fence(9)).await;
    let left = house.engine().adopt(SHOW, Fence(9)).await.unwrap();
    assert_eq!(left.gateways, BTreeSet::from([ANN]));
    house.engine().say(turn(vec![(Address::All, event(2)), (Address::One(ANN), event(3))]));
    assert_eq!(hear_some(&*ann, 2).await, [event(2), event(3)]);
    ann.send(word(5));
    let reached = reach(house.engine(), |message| *message == word(5), 1).await;
    assert_eq!(reached.last().map(|heard| &heard.message), Some(&word(5)));
}

pub async fn a_host_is_heard_by_an_engine(house: impl House) {
    let ann = house.gateway(ANN).await;
    for number in 0..20 {
        ann.send(ToEngine::Host { conn: ConnRef { gateway: ANN, conn: number }, message: FromHost::Shows });
    }
    let asks = |message: &ToEngine| matches!(message, ToEngine::Host { message: FromHost::Shows, .. });
    let conns: Vec<u64> = messages(reach(house.engine(), asks, 20).await)
        .iter()
        .filter_map(|message| if let ToEngine::Host { conn, .. } = message { Some(conn.conn) } else { None })
        .collect();
    assert_eq!(conns, (0..20).collect::<Vec<_>>());
}

pub async fn a_gateway_that_is_gone_is_missed(house: impl House) {
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&*ann, &*ben]).await;
    drop(ben);
    let is_missed = |message: &ToEngine| *message == ToEngine::Bye { gateway: BEN };
    reach(house.engine(), is_missed, 1).await;
    let left = house.engine().adopt(SHOW, Fence(1)).await.unwrap();
    assert_eq!(left.gateways, BTreeSet::from([ANN]));
}

fn empty_snapshot() -> Snapshot {
    Snapshot {
        seq: Seq(0),
        at: Millis(0),
        title: "A show".into(),
        phase: Phase::Lobby,
        mode: Mode::Elimination,
        total: 1,
        joined: 0,
        alive: 0,
        pot: 0,
        currency: "EUR".into(),
        paused: false,
        question: None,
        reveal: None,
        voided: false,
        podium: None,
    }
}

fn you() -> You {
    You { alive: true, lives: 0, score: 0, rank: 0, answered: None, prize: None }
}

macro_rules! bus_contract {
    ($house:expr) => {
        $crate::bus::contract::bus_contract!(@tests $house;
            what_a_gateway_says_about_a_show_arrives_in_order
            a_turn_is_heard_in_order_by_those_it_is_for
            many_turns_are_heard_in_order
            messages_arrive_whole
            who_is_there_and_who_is_gone_arrives_in_order
            an_answer_reaches_a_host_whose_gateway_hears_no_show
            a_turn_may_be_for_nobody
            a_show_goes_on_under_a_new_lease
            a_host_is_heard_by_an_engine
            a_gateway_that_is_gone_is_missed
        );
    };
    (@tests $house:expr; $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::bus::contract::$name($house).await;
            }
        )*
    };
}
pub(crate) use bus_contract;
