//! Whole engines on the bus, and gateways with players.

use std::sync::Arc;

use klaxon_fixtures::{join_request, pack, settings};
use klaxon_protocol::claim::{ClaimForm, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::Settings;
use klaxon_protocol::host::{Action, FromHost, HostCommand, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, GatewayId, Seat, SeatRef, ShowId};
use klaxon_protocol::link::{AnswerBatch, JoinRequest, Present, Proof, Seated, StampedAnswer, ToEngine, ToGateway};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Phase, Role, ToPlayer};
use klaxon_protocol::time::Span;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::fixture::Fixture;
use crate::Ports;
use crate::arbiter::RedisArbiter;
use crate::bus::contract::PATIENCE;
use crate::bus::redis::{RedisEngineEnd, RedisGatewayEnd};
use crate::bus::{EngineEnd, GatewayEnd};
use crate::clock::Clock;
use crate::game::Games;
use crate::journal::{FileJournal, Journal, SyncPolicy};
use crate::random::Random;
use crate::shows::Shows;

/// An engine whose process can be killed.
pub struct Engine {
    pub end: Arc<RedisEngineEnd>,
    pub running: JoinHandle<()>,
}

impl Engine {
    pub async fn start(fixture: &Fixture, name: &str, journal: Arc<FileJournal>) -> Self {
        let end = Arc::new(RedisEngineEnd::connect(&fixture.redis, name).await.unwrap());
        let ports = Ports {
            bus: Arc::clone(&end) as Arc<dyn EngineEnd>,
            arbiter: Arc::new(RedisArbiter::connect(&fixture.redis, name).await.unwrap()),
            journal: journal as Arc<dyn Journal>,
            archive: None,
            games: Games::default(),
            clock: Clock::of_process(),
            random: Random::of_system(),
        };
        let running = tokio::spawn(Shows::open(ports).await.unwrap().run());
        Self { end, running }
    }

    pub async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
        drop(self.end);
    }
}

/// A gateway with a player. It passes barriers, and answers a census with whether the player is there.
pub struct Player {
    gateway: RedisGatewayEnd,
    pub seat: SeatRef,
    pub is_in: bool,
}

impl Player {
    fn conn(&self) -> ConnRef {
        ConnRef { gateway: self.gateway.id(), conn: 5 }
    }

    pub async fn wait_for<T>(&self, mut wanted: impl FnMut(ToGateway) -> Option<T>) -> T {
        let receiving = async {
            loop {
                let mut received = Vec::new();
                assert!(self.gateway.receive(&mut received).await);
                let mut found = None;
                for message in received {
                    if let ToGateway::Barrier { show, round } = message {
                        let gateway = self.gateway.id();
                        self.gateway.send(ToEngine::BarrierPassed { gateway, show, round });
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
        tokio::time::timeout(PATIENCE, receiving).await.expect("it is received")
    }

    fn count(&self, show: ShowId, census: u32) {
        let players = if self.is_in { vec![(self.seat, self.conn().conn)] } else { Vec::new() };
        let present = Present { gateway: self.gateway.id(), show, census, players, is_last: true };
        self.gateway.send(ToEngine::Present(present));
    }

    pub async fn counted(&self) {
        self.wait_for(|message| matches!(message, ToGateway::Census { .. }).then_some(())).await;
    }

    pub async fn event<T>(&self, wanted: impl Fn(ToPlayer) -> Option<T>) -> T {
        self.wait_for(|message| match message {
            ToGateway::Broadcast(broadcast) => wanted(broadcast.message),
            _ => None,
        })
        .await
    }

    pub fn ask_to_join(&self) {
        self.ask(&format!("guest-{}", self.gateway.id()), Role::Player, Proof::NewGuest);
    }

    fn ask(&self, player: &str, role: Role, proof: Proof) {
        let request = join_request(self.conn(), "LIVE", player);
        self.gateway.send(ToEngine::Join(JoinRequest { role, proof, origin: Origin::of_hash(1), ..request }));
    }

    /// The reply to a player who joins at this gateway.
    pub async fn join_as(&self, player: u32, role: Role, proof: Proof) -> Result<Seated, ErrorCode> {
        self.ask(&format!("player {player}"), role, proof);
        self.wait_for(|message| match message {
            ToGateway::Seated(seated) => Some(Ok(seated)),
            ToGateway::JoinRefused { error, .. } => Some(Err(error.code)),
            _ => None,
        })
        .await
    }

    pub async fn join(&mut self) {
        self.ask_to_join();
        let seat = self.wait_for(|message| if let ToGateway::Seated(seated) = message { seated.seat } else { None });
        self.seat = seat.await;
        self.is_in = true;
    }

    pub fn answer(&self, show: ShowId, question: u16, choice: u8) {
        let (conn, by) = (self.conn().conn, self.seat);
        let claim = klaxon_fixtures::claim(question, choice);
        let answer =
            StampedAnswer { conn, number: 1, by, form: ClaimForm::Answer, claim, at: Clock::of_process().now() };
        let batch = AnswerBatch { gateway: self.gateway.id(), show, answers: vec![answer] };
        self.gateway.send(ToEngine::Answers(batch));
    }

    /// All answers to the question are in.
    pub async fn closed(&self) {
        let is_closed = |message| matches!(message, ToGateway::Figures(figures) if figures.phase == Phase::Closed);
        self.wait_for(|message| is_closed(message).then_some(())).await;
    }

    pub async fn verdict(&self) -> Verdict {
        self.wait_for(|message| match message {
            ToGateway::Replies(batch) => batch.replies.first().map(|reply| reply.verdict.clone()),
            _ => None,
        })
        .await
    }

    pub fn send_as_host(&self, message: FromHost) {
        self.gateway.send(ToEngine::Host { conn: self.conn(), message });
    }

    pub async fn asks(&self, message: FromHost) -> ToHost {
        self.send_as_host(message);
        self.wait_for(|message| if let ToGateway::Host { message, .. } = message { Some(message) } else { None }).await
    }

    pub async fn commands(&self, show: ShowId, id: &str, action: Action) {
        let id = CommandId::parse(id).unwrap();
        let answer = self.asks(FromHost::Command(HostCommand { id, show, action })).await;
        assert!(matches!(answer, ToHost::Done(_)), "{answer:?}");
    }
}

/// The message that creates a show with this many questions.
pub fn create(id: &str, questions: u16) -> FromHost {
    create_for(id, questions, Settings::default().seats)
}

/// The same, with this many seats.
pub fn create_for(id: &str, questions: u16, seats: u32) -> FromHost {
    let settings = Settings { barrier: Span(10_000), seats, ..settings(Span(60_000)) };
    FromHost::Create(Box::new(klaxon_fixtures::create(id, pack(questions.into(), ["no", "yes"]), settings)))
}

/// A fixture whose own engine receives nothing.
pub async fn fixture() -> Fixture {
    let fixture = Fixture::start().await;
    fixture.engine.close();
    fixture
}

pub async fn player(fixture: &Fixture, gateway: GatewayId) -> Player {
    Player { gateway: fixture.gateway(gateway).await, seat: SeatRef::first(Seat(0)), is_in: false }
}

pub async fn journal(data: &TempDir) -> Arc<FileJournal> {
    Arc::new(FileJournal::open(data.path(), SyncPolicy::Always).await.unwrap())
}
