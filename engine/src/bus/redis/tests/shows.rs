//! Whole engines on the bus: a show from its creation to its reveal, over two gateways, while an engine dies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, Command, Create, FromHost, ToHost};
use klaxon_protocol::ids::{
    Choice, CommandId, ConnRef, GatewayId, Generation, Name, PlayerId, QuestionId, Seat, SeatRef, ShowCode, ShowId,
};
use klaxon_protocol::link::{AnswerBatch, JoinRequest, Present, Proof, StampedAnswer, ToEngine, ToGateway};
use klaxon_protocol::pack::{Pack, PackQuestion};
use klaxon_protocol::player::{Outcome, Phase, Role, ToPlayer, Verdict};
use klaxon_protocol::settings::Settings;
use klaxon_protocol::time::Span;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::house::House;
use crate::Ports;
use crate::arbiter::RedisArbiter;
use crate::bus::contract::{ANN, BEN, PATIENCE};
use crate::bus::redis::{RedisEngineEnd, RedisGatewayEnd};
use crate::bus::{EngineEnd, GatewayEnd};
use crate::clock::Clock;
use crate::journal::{FileJournal, Journal, SyncPolicy};
use crate::shows::Shows;

/// An engine whose process can be killed.
struct Engine {
    end: Arc<RedisEngineEnd>,
    running: JoinHandle<()>,
}

impl Engine {
    async fn start(house: &House, name: &str, journal: Arc<FileJournal>) -> Self {
        let end = Arc::new(RedisEngineEnd::connect(&house.redis, name).await.unwrap());
        let ports = Ports {
            bus: Arc::clone(&end) as Arc<dyn EngineEnd>,
            arbiter: Arc::new(RedisArbiter::connect(&house.redis, name).await.unwrap()),
            journal: journal as Arc<dyn Journal>,
            archive: None,
            clock: Clock::of_process(),
        };
        let running = tokio::spawn(Shows::open(ports).await.unwrap().run());
        Self { end, running }
    }

    async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
        drop(self.end);
    }
}

/// A gateway with a player, which hands in at barriers and says in a census whether the player is there.
struct Player {
    gateway: RedisGatewayEnd,
    seat: SeatRef,
    is_in: bool,
}

impl Player {
    fn conn(&self) -> ConnRef {
        ConnRef { gateway: self.gateway.id(), conn: 5 }
    }

    async fn hear<T>(&self, mut wanted: impl FnMut(ToGateway) -> Option<T>) -> T {
        let hearing = async {
            loop {
                let mut heard = Vec::new();
                assert!(self.gateway.receive(&mut heard).await);
                let mut found = None;
                for message in heard {
                    if let ToGateway::Barrier { show, question } = message {
                        let gateway = self.gateway.id();
                        self.gateway.send(ToEngine::BarrierPassed { gateway, show, question });
                    }
                    if let ToGateway::Census { show, census } = message {
                        self.count(show, census);
                    }
                    found = found.or_else(|| wanted(message));
                }
                if let Some(found) = found {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("it is heard")
    }

    fn count(&self, show: ShowId, census: u32) {
        let players = if self.is_in { vec![(self.seat, self.conn().conn)] } else { Vec::new() };
        let present = Present { gateway: self.gateway.id(), show, census, players, is_last: true };
        self.gateway.send(ToEngine::Present(present));
    }

    async fn counted(&self) {
        self.hear(|message| matches!(message, ToGateway::Census { .. }).then_some(())).await;
    }

    async fn event<T>(&self, wanted: impl Fn(ToPlayer) -> Option<T>) -> T {
        self.hear(|message| match message {
            ToGateway::Broadcast(broadcast) => wanted(broadcast.message),
            _ => None,
        })
        .await
    }

    fn ask_to_join(&self) {
        let conn = self.conn();
        let player = PlayerId::parse(&format!("guest-{}", conn.gateway)).unwrap();
        let (code, name) = (ShowCode::parse("LIVE").unwrap(), Some(Name::parse("Ann").unwrap()));
        self.gateway.send(ToEngine::Join(JoinRequest {
            conn,
            code,
            player,
            name,
            role: Role::Player,
            proof: Proof::NewGuest,
        }));
    }

    async fn join(&mut self) {
        self.ask_to_join();
        let seat = self.hear(|message| if let ToGateway::Seated(seated) = message { seated.seat } else { None });
        self.seat = seat.await;
        self.is_in = true;
    }

    fn answer(&self, show: ShowId, question: u16, choice: u8) {
        let (conn, by, question) = (self.conn().conn, self.seat, QuestionId(question));
        let answer = StampedAnswer { conn, by, question, choice: Choice(choice), at: Clock::of_process().now() };
        let batch = AnswerBatch { gateway: self.gateway.id(), show, answers: vec![answer] };
        self.gateway.send(ToEngine::Answers(batch));
    }

    /// All answers to the question are in.
    async fn closed(&self) {
        let is_closed = |message| matches!(message, ToGateway::Figures(figures) if figures.phase == Phase::Closed);
        self.hear(|message| is_closed(message).then_some(())).await;
    }

    async fn verdict(&self) -> Verdict {
        self.hear(|message| match message {
            ToGateway::Replies(batch) => batch.replies.first().map(|reply| reply.verdict),
            _ => None,
        })
        .await
    }

    async fn asks(&self, message: FromHost) -> ToHost {
        self.gateway.send(ToEngine::Host { conn: self.conn(), message });
        self.hear(|message| if let ToGateway::Host { message, .. } = message { Some(message) } else { None }).await
    }

    async fn commands(&self, show: ShowId, id: &str, action: Action) {
        let id = CommandId::parse(id).unwrap();
        let answer = self.asks(FromHost::Command(Command { id, show, action })).await;
        assert!(matches!(answer, ToHost::Done(_)), "{answer:?}");
    }
}

fn create() -> FromHost {
    create_for(Settings::default().seats)
}

fn create_for(seats: u32) -> FromHost {
    let question = |number| PackQuestion {
        text: format!("Question {number}?"),
        choices: ["no", "yes"].map(String::from).to_vec(),
        right: Choice(1),
        category: None,
        difficulty: None,
        open_for: None,
        source: None,
    };
    FromHost::Create(Box::new(Create {
        id: CommandId::parse("create").unwrap(),
        code: Some(ShowCode::parse("LIVE").unwrap()),
        pack: Pack { title: "A show".into(), questions: (1..=2).map(question).collect() },
        settings: Settings {
            lead: Span(0),
            open_for: Span(60_000),
            barrier: Span(10_000),
            shuffle: false,
            seats,
            ..Settings::default()
        },
    }))
}

/// A house whose own engine takes nothing in.
async fn house() -> House {
    let house = House::start().await;
    house.engine.close();
    house
}

async fn player(house: &House, gateway: GatewayId) -> Player {
    Player { gateway: house.gateway(gateway).await, seat: SeatRef::first(Seat(0)), is_in: false }
}

async fn journal(data: &TempDir) -> Arc<FileJournal> {
    Arc::new(FileJournal::open(data.path(), SyncPolicy::Always).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_is_played_on_by_another_engine_when_its_own_dies_in_a_question() {
    let (house, data) = (house().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&house, "first", Arc::clone(&journal)).await;
    let (mut ann, mut ben) = (player(&house, ANN).await, player(&house, BEN).await);
    let ToHost::Created(created) = ann.asks(create()).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ben.join().await;
    assert_ne!(ann.seat, ben.seat);
    ann.commands(show, "next", Action::Next).await;
    ben.event(|event| if let ToPlayer::Question(question) = event { Some(question) } else { None }).await;
    ann.answer(show, 1, 1);
    assert_eq!(ann.verdict().await, Verdict::Accepted(Choice(1)));

    first.kill().await;
    ben.answer(show, 1, 1);
    let second = Engine::start(&house, "second", journal).await;
    assert_eq!(ben.verdict().await, Verdict::Accepted(Choice(1)));
    ann.answer(show, 1, 0);
    assert_eq!(ann.verdict().await, Verdict::AlreadyAnswered(Choice(1)), "what was accepted stands");
    ann.commands(show, "close", Action::Close).await;
    tokio::join!(ann.closed(), ben.closed());
    ann.commands(show, "reveal", Action::Reveal).await;
    let personal = ben
        .hear(|message| match message {
            ToGateway::Broadcast(event) if matches!(event.message, ToPlayer::Reveal(_)) => event.personal,
            _ => None,
        })
        .await;
    for seat in [ann.seat, ben.seat] {
        let ToPlayer::Result(result) = &personal.shapes[personal.shape_of(seat.seat).unwrap()] else {
            panic!("no result")
        };
        assert_eq!(result.outcome, Outcome::Right);
    }
    second.end.close();
    second.running.await.unwrap();
    second.end.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_takes_up_a_full_lobby_finds_out_who_is_gone_and_keeps_the_seats_of_all_others() {
    let (house, data) = (house().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&house, "first", Arc::clone(&journal)).await;
    let (mut ann, mut ben) = (player(&house, ANN).await, player(&house, BEN).await);
    let ToHost::Created(created) = ann.asks(create_for(2)).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ben.join().await;
    first.kill().await;
    // Whoever was told that Ann is gone is gone as well.
    ann.is_in = false;
    let second = Engine::start(&house, "second", journal).await;
    tokio::join!(ann.counted(), ben.counted());
    let cid = player(&house, GatewayId(9)).await;
    let (mut asked, began) = (0, Instant::now());
    let seated = loop {
        cid.ask_to_join();
        asked += 1;
        let answer = cid.hear(|message| match message {
            ToGateway::Seated(seated) => Some(Some(seated)),
            ToGateway::JoinRefused { .. } => Some(None),
            _ => None,
        });
        if let Some(seated) = answer.await {
            break seated;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(asked > 1 && began.elapsed() < PATIENCE, "Ann has some time to come back: {asked}");
    let given = SeatRef { generation: Generation(1), ..ann.seat };
    assert_eq!(seated.seat, Some(given), "Ben is there");
    // Ann's gateway hears of it, in whatever state she is.
    let dismissed = ann.hear(|message| match message {
        ToGateway::Dismiss { seat, .. } => Some(seat),
        _ => None,
    });
    assert_eq!(dismissed.await, ann.seat);
    // What Ann's gateway had read and was stopped with counts for nobody.
    ben.commands(show, "next", Action::Next).await;
    ann.answer(show, 1, 1);
    assert_eq!(ann.verdict().await, Verdict::Refused(ErrorCode::SeatGivenAway));
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_goes_on_over_a_redis_that_lost_its_memory() {
    let (mut house, data) = (house().await, TempDir::new().unwrap());
    let engine = Engine::start(&house, "first", journal(&data).await).await;
    let (mut ann, ben) = (player(&house, ANN).await, player(&house, BEN).await);
    let ToHost::Created(created) = ann.asks(create()).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ann.commands(show, "next", Action::Next).await;
    ann.answer(show, 1, 1);
    assert_eq!(ann.verdict().await, Verdict::Accepted(Choice(1)));

    house.server().process().kill();
    ann.answer(show, 1, 0);
    house.server().start_again().await.unwrap();
    assert_eq!(ann.verdict().await, Verdict::AlreadyAnswered(Choice(1)), "what was accepted stands");
    ann.commands(show, "close", Action::Close).await;
    ann.closed().await;
    ben.ask_to_join();
    ben.hear(|message| matches!(message, ToGateway::Seated(_)).then_some(())).await;
    let lines = ben.asks(FromHost::Shows).await;
    assert!(matches!(lines, ToHost::Shows(list) if list.shows.len() == 1), "it is listed again");
    engine.kill().await;
}
