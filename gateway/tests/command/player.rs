//! Players: the client that was written from docs/protocol.md alone, and one who comes back.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorMessage;
use klaxon_protocol::games::trivia::{Answer, Choice, QuestionId, Snapshot, You};
use klaxon_protocol::ids::ShowCode;
use klaxon_protocol::player::{FromPlayer, Join, Ping, Role, ToPlayer, Welcome};
use klaxon_protocol::time::Millis;
use tungstenite::{Message, WebSocket};

use crate::program::Program;

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A file of docs/examples.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples").join(name)
}

/// `python3 docs/examples/client.py`, which is in the show when this returns.
#[track_caller]
pub fn python_client(address: SocketAddr, code: &str, name: &str) -> Program {
    let mut command = Command::new("python3");
    command.arg(example("client.py")).args([&address.ip().to_string(), &address.port().to_string(), code, name]);
    let mut client = Program::start(&mut command);
    client.wait_for(&[r#""type":"welcome""#, name]);
    client
}

pub struct Player(WebSocket<TcpStream>);

impl Player {
    /// A new player, who is in the show when this returns.
    pub fn join(address: SocketAddr, code: &str, name: &str) -> (Self, Welcome) {
        let show = ShowCode::parse(code).unwrap();
        let name = Some(name.to_owned());
        let mut player = Self::begin(address, Join { show, name, role: Role::Player, token: None, resume: None });
        let welcome = player.welcome();
        (player, welcome)
    }

    /// Whether a new player gets in: the welcome, or why not.
    pub fn try_join(address: SocketAddr, code: &str, resume: Option<String>) -> Result<(Self, Welcome), ErrorMessage> {
        let show = ShowCode::parse(code).unwrap();
        let mut player = Self::begin(address, Join { show, name: None, role: Role::Player, token: None, resume });
        let answer = player.receive(|message| match message {
            ToPlayer::Welcome(welcome) => Some(Ok(welcome)),
            ToPlayer::Error(error) => Some(Err(error)),
            _ => None,
        });
        answer.map(|welcome| (player, welcome))
    }

    pub fn resume(address: SocketAddr, code: &str, resume: String) -> Self {
        let show = ShowCode::parse(code).unwrap();
        Self::begin(address, Join { show, name: None, role: Role::Player, token: None, resume: Some(resume) })
    }

    fn begin(address: SocketAddr, join: Join) -> Self {
        Self::over(TcpStream::connect(address).unwrap(), join)
    }

    /// One who asks to join on this connection.
    pub fn over(stream: TcpStream, join: Join) -> Self {
        let address = stream.peer_addr().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://{address}/play"), stream).unwrap();
        let mut player = Self(socket);
        player.send(FromPlayer::Join(join));
        player
    }

    pub fn send(&mut self, message: FromPlayer) {
        self.0.send(Message::text(String::from_utf8(Codec::Json.encode(&message)).unwrap())).unwrap();
    }

    pub fn answer(&mut self, question: u16, choice: u8) {
        self.send(FromPlayer::Answer(Answer { question: QuestionId(question), choice: Choice(choice) }));
    }

    pub fn welcome(&mut self) -> Welcome {
        self.receive(|message| if let ToPlayer::Welcome(welcome) = message { Some(welcome) } else { None })
    }

    /// The next snapshot, and the player with it.
    pub fn snapshot(&mut self) -> (Box<Snapshot>, You) {
        let snapshot =
            self.receive(|message| if let ToPlayer::Snapshot(snapshot) = message { Some(snapshot) } else { None });
        (snapshot, self.receive(|message| if let ToPlayer::You(you) = message { Some(you) } else { None }))
    }

    /// Waits for this question, and until it is open.
    pub fn question(&mut self, number: u16) {
        let opens_at = self.receive(|message| match message {
            ToPlayer::Question(question) if question.question == QuestionId(number) => Some(question.opens_at),
            _ => None,
        });
        loop {
            let sent = Millis(0);
            self.send(FromPlayer::Ping(Ping { sent }));
            let now = self.receive(|message| if let ToPlayer::Pong(pong) = message { Some(pong.now) } else { None });
            if now >= opens_at {
                return;
            }
            std::thread::sleep(opens_at.since(now).to_std());
        }
    }

    /// Waits for the reply to an answer to this question: whether it counts.
    pub fn is_accepted(&mut self, number: u16) -> bool {
        self.receive(|message| match message {
            ToPlayer::AnswerReply(reply) if reply.question == QuestionId(number) => Some(reply.accepted),
            _ => None,
        })
    }

    /// The next message of those that are wanted.
    pub fn receive<T>(&mut self, wanted: impl Fn(ToPlayer) -> Option<T>) -> T {
        loop {
            let Message::Text(text) = self.0.read().unwrap() else { continue };
            if let Some(found) = wanted(serde_json::from_str(&text).unwrap()) {
                return found;
            }
        }
    }
}
