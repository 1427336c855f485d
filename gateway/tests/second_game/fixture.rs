//! A server that plays Lots, and its players and host on real sockets.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klaxon_engine::Ports;
use klaxon_engine::arbiter::MemoryArbiter;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::bus::LocalBus;
use klaxon_engine::game::Games;
use klaxon_engine::journal::{FileJournal, SyncPolicy};
use klaxon_engine::shows::Shows;
use klaxon_gateway::Gateway;
use klaxon_gateway::admin::{self, Admin, AdminSettings, AdminToken};
use klaxon_gateway::link::{Clock, GatewayEnd, Random};
use klaxon_gateway::settings::GatewaySettings;
use klaxon_gateway::transport::Transport;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::GatewayId;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::lots::{self, LotsRules};

const TOKEN: &str = "a-token-for-tests-of-32-characters";
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway and an engine with Lots among its games, on this data.
pub struct Server {
    runtime: Option<Runtime>,
    gateway: Option<Gateway>,
    _admin: Admin,
    players: SocketAddr,
    hosts: SocketAddr,
    pub archive: Arc<SqlArchive>,
}

/// The games of the server.
pub fn games() -> Games {
    Games::default().with(lots::name(), LotsRules)
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, games())
    }

    pub fn start_with(data: &Path, games: Games) -> Self {
        let runtime = Runtime::new().unwrap();
        let (gateway, admin, archive) = runtime.block_on(async {
            let (bus, engine_end) = LocalBus::new();
            let archive = Arc::new(SqlArchive::open_file(&data.join("archive.sqlite")).await.unwrap());
            let journal = FileJournal::open(&data.join("journal"), SyncPolicy::Always).await.unwrap();
            let ports = Ports {
                bus: Arc::new(engine_end),
                arbiter: Arc::new(MemoryArbiter::new()),
                journal: Arc::new(journal),
                archive: Some(Arc::clone(&archive) as Arc<_>),
                games,
                clock: Clock::of_process(),
                random: Random::of_system(),
            };
            let end = Arc::new(bus.connect(GatewayId(1)));
            tokio::spawn(Shows::open(ports).await.unwrap().run());
            let token = AdminToken::parse(TOKEN).unwrap();
            let listen = "127.0.0.1:0".parse().unwrap();
            let settings = AdminSettings { listen, token, metrics: admin::metrics::recorder().unwrap().handle() };
            let (admin, hosts) = Admin::start(settings, Arc::clone(&end) as Arc<dyn GatewayEnd>).await.unwrap();
            let asked = std::env::var("KLAXON_TRANSPORT").unwrap_or_default();
            let transport = Transport::ALL.into_iter().find(|transport| transport.name() == asked).unwrap_or_default();
            let mut settings = GatewaySettings::new(listen, [9; 32]);
            settings.players.transport = transport;
            (Gateway::start(settings, end, hosts).unwrap(), admin, archive)
        });
        let (players, hosts) = (gateway.addr(), admin.address());
        Self { runtime: Some(runtime), gateway: Some(gateway), _admin: admin, players, hosts, archive }
    }

    /// Everything stops where it is.
    pub fn kill(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        drop(self.gateway.take());
    }

    pub async fn host(&self) -> Client {
        let mut request = format!("ws://{}/host", self.hosts).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        Client::connect(request).await
    }

    /// Joins a player by a code, or rejoins with `resume`. Returns the client, and the welcome's `resume`.
    pub async fn join(&self, code: &str, resume: Option<&str>) -> (Client, String) {
        let request = format!("ws://{}/play", self.players).into_client_request().unwrap();
        let mut client = Client::connect(request).await;
        client.send(json!({ "type": "join", "show": code, "name": "Ann", "resume": resume })).await;
        let welcome = client.receive("welcome").await;
        (client, welcome["resume"].as_str().unwrap().to_owned())
    }
}

pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(mut request: Request<()>) -> Self {
        let protocol = Codec::Json.subprotocol().parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    pub async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message of this type; the others before it are passed over.
    pub async fn receive(&mut self, wanted: &str) -> Value {
        timeout(PATIENCE, async {
            loop {
                let Message::Text(text) = self.0.next().await.unwrap().unwrap() else { continue };
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == wanted {
                    return message;
                }
                assert_ne!(message["type"], "error", "{message}");
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no {wanted} came"))
    }

    /// The next event of the game that says this.
    pub async fn event(&mut self, wanted: &str) -> Value {
        loop {
            let event = self.receive("game_event").await;
            if event["body"].get(wanted).is_some() {
                return event;
            }
        }
    }

    /// Claims, and hears what became of it.
    pub async fn claim(&mut self, round: u16, key: u16, value: impl Into<Value>) -> Value {
        self.send(json!({ "type": "claim", "round": round, "key": key, "value": value.into() })).await;
        self.receive("claim_reply").await
    }

    /// A host's command, and its reply.
    pub async fn command(&mut self, id: &str, show: &Value, action: Value) -> Value {
        let mut message = json!({ "type": "command", "id": id, "show": show });
        message.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        self.send(message).await;
        self.receive("done").await
    }
}
