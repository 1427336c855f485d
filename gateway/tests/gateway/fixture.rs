//! A gateway on loopback, an engine that accepts everything, and clients in both codecs.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klaxon_engine::bus::{Address, EngineEnd, GatewayEnd, LocalBus, LocalEngineEnd, LocalGatewayEnd};
pub use klaxon_fixtures::join;
use klaxon_fixtures::{YOU, lobby, seated};
use klaxon_gateway::Gateway;
use klaxon_gateway::link::HostSink;
use klaxon_gateway::settings::GatewaySettings;
use klaxon_gateway::transport::Transport;
use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Answer, Choice, QuestionId};
use klaxon_protocol::host::Figures;
use klaxon_protocol::ids::{ClaimKey, ConnRef, GatewayId, Name, PlayerId, RoundId, Seat, Seq, ShowId};
use klaxon_protocol::link::{
    AnswerBatch, Broadcast, Personal, Reply, ReplyBatch, Resynced, Seated, StampedAnswer, ToEngine, ToGateway,
};
use klaxon_protocol::player::{FromPlayer, Join, Role, ToPlayer, Welcome};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Nothing in these tests takes this long unless it never comes.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const SHOW: ShowId = ShowId(77);
pub const GATEWAY: GatewayId = GatewayId(3);

/// A gateway with its engine.
pub struct Fixture {
    pub gateway: Gateway,
    pub engine: Engine,
    pub hosts: mpsc::UnboundedReceiver<ToGateway>,
}

struct RecordingSink {
    received: mpsc::UnboundedSender<ToGateway>,
    watched: BTreeSet<ShowId>,
}

impl HostSink for RecordingSink {
    fn receive(&self, message: ToGateway) {
        let _ = self.received.send(message);
    }

    fn watched(&self) -> BTreeSet<ShowId> {
        self.watched.clone()
    }

    fn forget_all_but(&self, _: &BTreeSet<ShowId>) {}
}

impl Fixture {
    /// The next message for hosts.
    pub async fn hosts(&mut self) -> ToGateway {
        tokio::time::timeout(PATIENCE, self.hosts.recv()).await.unwrap().unwrap()
    }

    /// The show's figures as the hosts get them, with this gateway's share.
    pub async fn figures(&mut self) -> Figures {
        self.engine.send(ToGateway::Figures(Box::new(klaxon_fixtures::figures(SHOW))));
        loop {
            if let ToGateway::Figures(figures) = self.hosts().await {
                return *figures;
            }
        }
    }
}

/// The settings of a gateway with the transport that KLAXON_TRANSPORT names.
pub fn settings() -> GatewaySettings {
    let asked = std::env::var("KLAXON_TRANSPORT").unwrap_or_default();
    settings_by(Transport::ALL.into_iter().find(|transport| transport.name() == asked).unwrap_or_default())
}

pub fn settings_by(transport: Transport) -> GatewaySettings {
    let mut settings = GatewaySettings::new(([127, 0, 0, 1], 0).into(), [9; 32]);
    settings.players.transport = transport;
    settings
}

/// The settings for each way of driving sockets that there is.
pub fn settings_of_each() -> [GatewaySettings; 2] {
    [Transport::Auto, Transport::Portable].map(settings_by)
}

pub fn fixture(settings: GatewaySettings) -> Fixture {
    fixture_over(settings, |end| Arc::new(end), BTreeSet::new())
}

/// The same with another end of the bus, and with hosts that watch these shows.
pub fn fixture_over(
    settings: GatewaySettings,
    end: impl FnOnce(LocalGatewayEnd) -> Arc<dyn GatewayEnd>,
    watched: BTreeSet<ShowId>,
) -> Fixture {
    let (bus, engine_end) = LocalBus::new();
    let (sink, hosts) = mpsc::unbounded_channel();
    let sink = Arc::new(RecordingSink { received: sink, watched });
    let gateway = Gateway::start(settings, end(bus.connect(GATEWAY)), sink).unwrap();
    Fixture { gateway, engine: Engine::start(engine_end), hosts }
}

/// An engine that gives everyone a seat, and to which the first answer of each seat counts.
pub struct Engine {
    end: Arc<LocalEngineEnd>,
    state: Arc<Mutex<State>>,
    /// All that the gateway sent.
    pub received: mpsc::UnboundedReceiver<ToEngine>,
}

#[derive(Default)]
struct State {
    seq: u64,
    seats: HashMap<PlayerId, Seat>,
    claims: HashMap<(RoundId, Seat, ClaimKey), ClaimValue>,
    refuse: Option<ErrorCode>,
    mute: bool,
}

impl Engine {
    fn start(end: LocalEngineEnd) -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let (end, state) = (Arc::new(end), Arc::new(Mutex::new(State::default())));
        let engine = (Arc::clone(&end), Arc::clone(&state));
        tokio::spawn(async move {
            let (end, state) = engine;
            let mut messages = Vec::new();
            while end.receive(&mut messages).await {
                for message in messages.drain(..).map(|received| received.message) {
                    state.lock().unwrap().receive(&end, &message);
                    let _ = sender.send(message);
                }
            }
        });
        Self { end, state, received }
    }

    /// Sends an event that `make` makes from its seq; returns it.
    pub fn event_with(&self, make: impl FnOnce(Seq) -> ToPlayer, personal: Option<Personal>) -> ToPlayer {
        let mut state = self.state.lock().unwrap();
        state.seq += 1;
        let message = make(Seq(state.seq));
        let broadcast = Broadcast { show: SHOW, message: message.clone(), personal: personal.map(Arc::new) };
        self.end.send(Address::All, ToGateway::Broadcast(broadcast));
        message
    }

    pub fn notice(&self, text: &str) -> ToPlayer {
        self.event_with(|seq| notice(seq, text), None)
    }

    pub fn send(&self, message: ToGateway) {
        self.end.send(Address::All, message);
    }

    /// Sends messages to the gateway from another thread.
    pub fn sender(&self) -> impl Fn(ToGateway) + Send + use<> {
        let end = Arc::clone(&self.end);
        move |message| end.send(Address::All, message)
    }

    /// Joins are refused from now on.
    pub fn refuse(&self, code: Option<ErrorCode>) {
        self.state.lock().unwrap().refuse = code;
    }

    /// Answers get no reply from now on.
    pub fn mute(&self, mute: bool) {
        self.state.lock().unwrap().mute = mute;
    }

    /// Replies to answers that came while it was mute.
    pub fn reply(&self, batch: &AnswerBatch) {
        self.state.lock().unwrap().reply(&self.end, batch);
    }

    /// Waits until the gateway sends a message of which `want` makes a value.
    pub async fn wait<T>(&mut self, mut want: impl FnMut(ToEngine) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(wanted) = want(self.received.recv().await.expect("the gateway is running")) {
                    return wanted;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the message comes in time")
    }
}

impl State {
    fn receive(&mut self, end: &LocalEngineEnd, message: &ToEngine) {
        match message {
            ToEngine::Join(join) => {
                if let Some(code) = self.refuse {
                    let error = ErrorMessage::from(code);
                    return end.send(Address::One(GATEWAY), ToGateway::JoinRefused { conn: join.conn, error });
                }
                let next = Seat(u32::try_from(self.seats.len()).unwrap());
                let seat = (join.role == Role::Player).then(|| *self.seats.entry(join.player.clone()).or_insert(next));
                let name = join.name.clone().unwrap_or_else(|| Name::parse("Player").unwrap());
                self.seat(end, join.conn, seat, join.player.clone(), name);
            }
            ToEngine::Resync { conn, show, .. } => {
                let (conn, show, view) = (*conn, *show, Arc::new(lobby(Seq(self.seq)).into()));
                let resynced = ToGateway::Resynced(Resynced { conn, show, view, own: ToPlayer::You(YOU) });
                end.send(Address::One(GATEWAY), resynced);
            }
            ToEngine::Answers(batch) if !self.mute => self.reply(end, batch),
            _ => {}
        }
    }

    fn reply(&mut self, end: &LocalEngineEnd, batch: &AnswerBatch) {
        let replies = batch.answers.iter().map(|answer| {
            let Claim { round, key, ref value } = answer.claim;
            let counted = self.claims.entry((round, answer.by.seat, key)).or_insert_with(|| value.clone()).clone();
            let same = counted == *value;
            let verdict = if same { Verdict::Accepted(counted) } else { Verdict::AlreadyAnswered(counted) };
            let StampedAnswer { conn, number, form, at: read_at, .. } = *answer;
            Reply { conn, number, form, round, key, verdict, read_at }
        });
        let replies = ReplyBatch { gateway: batch.gateway, show: batch.show, replies: replies.collect() };
        end.send(Address::One(GATEWAY), ToGateway::Replies(replies));
    }

    fn seat(&self, end: &LocalEngineEnd, conn: ConnRef, seat: Option<Seat>, player: PlayerId, name: Name) {
        let seated = Seated { player, name, ..seated(conn, SHOW, seat, lobby(Seq(self.seq))) };
        end.send(Address::One(GATEWAY), ToGateway::Seated(seated));
    }
}

/// A player's client.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    codec: Codec,
}

impl Client {
    pub async fn connect(fixture: &Fixture, codec: Codec) -> Self {
        let stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
        Self::over(stream, codec).await.unwrap()
    }

    pub async fn over(stream: TcpStream, codec: Codec) -> Result<Self, Error> {
        let mut request = format!("ws://{}/play", stream.peer_addr().unwrap()).into_client_request()?;
        let protocol = HeaderValue::from_static(codec.subprotocol());
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (socket, response) = tokio_tungstenite::client_async(request, stream).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], codec.subprotocol());
        Ok(Self { socket, codec })
    }

    /// Connects and joins; the welcome too.
    pub async fn join(fixture: &Fixture, codec: Codec) -> (Self, Welcome) {
        let mut client = Self::connect(fixture, codec).await;
        let welcome = client.join_as(join()).await;
        (client, welcome)
    }

    /// Its socket, to be written by hand.
    pub fn into_socket(self) -> std::net::TcpStream {
        let socket = self.socket.into_inner().into_std().unwrap();
        socket.set_nonblocking(false).unwrap();
        // What is written is with the gateway's kernel at once.
        socket.set_nodelay(true).unwrap();
        socket
    }

    /// Joins, and hears the welcome, the snapshot and itself.
    pub async fn join_as(&mut self, join: Join) -> Welcome {
        self.send(FromPlayer::Join(join)).await;
        let ToPlayer::Welcome(welcome) = self.receive().await else { panic!("a welcome comes first") };
        assert!(matches!(self.receive().await, ToPlayer::Snapshot(_)));
        assert!(matches!(self.receive().await, ToPlayer::You(_)));
        welcome
    }

    pub async fn send(&mut self, message: FromPlayer) {
        let bytes = self.codec.encode(&message);
        let message = match self.codec {
            Codec::Json => Message::text(String::from_utf8(bytes).unwrap()),
            Codec::Bincode => Message::binary(bytes),
        };
        self.raw(message).await;
    }

    pub async fn answer(&mut self, question: u16, choice: u8) {
        self.send(FromPlayer::Answer(Answer { question: QuestionId(question), choice: Choice(choice) })).await;
    }

    pub async fn raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends if the socket still takes it.
    pub async fn try_raw(&mut self, message: Message) -> bool {
        self.socket.send(message).await.is_ok()
    }

    /// The next message.
    pub async fn receive(&mut self) -> ToPlayer {
        match self.next().await {
            Ok(message) => message,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The next refusal, whatever comes before it.
    pub async fn receive_error(&mut self) -> ErrorCode {
        loop {
            if let ToPlayer::Error(error) = self.receive().await {
                return error.code;
            }
        }
    }

    /// The next message, or the close code.
    pub async fn next(&mut self) -> Result<ToPlayer, Option<u16>> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something comes in time");
            let bytes = match next {
                Some(Ok(Message::Text(text))) if self.codec == Codec::Json => text.as_bytes().to_vec(),
                Some(Ok(Message::Binary(bytes))) if self.codec == Codec::Bincode => bytes.to_vec(),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(Message::Pong(_) | Message::Ping(_))) => continue,
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Err(None),
            };
            return Ok(self.codec.decode(&bytes, &[]).unwrap());
        }
    }

    /// Reads to the end; returns what came and the close code.
    pub async fn rest(&mut self) -> (Vec<ToPlayer>, Option<u16>) {
        let mut messages = Vec::new();
        loop {
            match self.next().await {
                Ok(message) => messages.push(message),
                Err(code) => return (messages, code),
            }
        }
    }
}

pub fn notice(seq: Seq, text: &str) -> ToPlayer {
    klaxon_fixtures::notice(seq.0, text)
}

/// The answers in what a gateway said, for [`Engine::wait`].
pub fn answers_in(said: ToEngine) -> Option<AnswerBatch> {
    if let ToEngine::Answers(batch) = said { Some(batch) } else { None }
}
