//! An admin port with an engine that sends what the test wants.

// Each test binary uses a part of this.
#![allow(dead_code)]
#![allow(clippy::unwrap_used)]

pub mod host;

use std::net::SocketAddr;
use std::sync::Arc;

use klaxon_engine::bus::{Address, EngineEnd, LocalBus, LocalEngineEnd};
use klaxon_gateway::admin::{self, Admin, AdminSettings, AdminToken, Hosts};
use klaxon_gateway::link::{GatewayEnd, HostSink};
use klaxon_protocol::host::{Figures, FromHost, Latency, ToHost};
use klaxon_protocol::ids::{ConnRef, GatewayId, Seq, ShowId};
use klaxon_protocol::link::{Broadcast, ToEngine, ToGateway};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

pub const TOKEN: &str = "a-token-for-tests-of-32-characters";
pub const SHOW: ShowId = ShowId(u64::MAX);

/// A running admin port, its hosts, and the engine's end of the bus.
pub struct Stage {
    pub admin: Admin,
    pub hosts: Arc<Hosts>,
    pub engine: ScriptedEngine,
}

/// The engine's end of the bus in the test's hands.
pub struct ScriptedEngine {
    end: LocalEngineEnd,
    received: std::collections::VecDeque<ToEngine>,
}

impl Stage {
    pub async fn open() -> Self {
        Self::open_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn open_at(listen: SocketAddr) -> Self {
        let (bus, engine) = LocalBus::new();
        let end = Arc::new(bus.connect(GatewayId(7)));
        let token = AdminToken::parse(TOKEN).unwrap();
        let settings = AdminSettings { listen, token, metrics: admin::metrics::recorder().unwrap().handle() };
        let (admin, hosts) = Admin::start(settings, Arc::clone(&end) as Arc<dyn GatewayEnd>).await.unwrap();
        let receiver = Arc::clone(&hosts);
        tokio::spawn(async move {
            let mut inbox = Vec::new();
            while end.receive(&mut inbox).await {
                inbox.drain(..).for_each(|message| receiver.receive(message));
            }
        });
        Self { admin, hosts, engine: ScriptedEngine { end: engine, received: Default::default() } }
    }

    pub fn address(&self) -> SocketAddr {
        self.admin.address()
    }
}

impl ScriptedEngine {
    /// The next message of a host.
    pub async fn receive(&mut self) -> (ConnRef, FromHost) {
        loop {
            if let Some(message) = self.received.pop_front() {
                match message {
                    ToEngine::Host { conn, message } => return (conn, message),
                    _ => continue,
                }
            }
            let mut inbox = Vec::new();
            assert!(self.end.receive(&mut inbox).await, "the gateway is there");
            self.received.extend(inbox.into_iter().map(|received| received.message));
        }
    }

    pub fn send(&self, message: ToGateway) {
        self.end.send(Address::All, message);
    }

    pub fn answer(&self, conn: ConnRef, message: ToHost) {
        self.send(ToGateway::Host { conn, message });
    }

    pub fn event(&self, message: ToPlayer) {
        self.send(ToGateway::Broadcast(Broadcast { show: SHOW, message, personal: None }));
    }
}

/// Figures of a show with 1,000 players in the middle of its third question.
pub fn figures() -> Figures {
    Figures {
        at: Millis(1_000_000),
        phase: Phase::Question,
        seq: Seq(9),
        question: Some(klaxon_protocol::games::trivia::QuestionId(3)),
        total: 12,
        joined: 1000,
        connected: 998,
        alive: 640,
        answers: vec![100, 50, 300],
        time_left: Some(Span(4200)),
        latency: Latency { count: 450, p50: 900, p99: 12_400, max: 40_000 },
        shed: 2,
        ..klaxon_fixtures::figures(SHOW)
    }
}
