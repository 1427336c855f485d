//! Players: the client that was written from docs/protocol.md alone, and one who comes back.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::ShowCode;
use klaxon_protocol::player::{FromPlayer, Join, Role, ToPlayer};
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
    pub fn resume(address: SocketAddr, code: &str, resume: String) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut socket, _) = tungstenite::client(format!("ws://{address}/play"), stream).unwrap();
        let show = ShowCode::parse(code).unwrap();
        let join = FromPlayer::Join(Join { show, name: None, role: Role::Player, token: None, resume: Some(resume) });
        socket.send(Message::text(String::from_utf8(Codec::Json.encode(&join)).unwrap())).unwrap();
        Self(socket)
    }

    /// The next message of those that are wanted.
    pub fn hear<T>(&mut self, wanted: impl Fn(ToPlayer) -> Option<T>) -> T {
        loop {
            let Message::Text(text) = self.0.read().unwrap() else { continue };
            if let Some(found) = wanted(serde_json::from_str(&text).unwrap()) {
                return found;
            }
        }
    }
}
