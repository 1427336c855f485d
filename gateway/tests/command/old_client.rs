//! A client of version 1 as it was when its sessions were recorded, played against this server.
//!
//! `old_client/*.session` are sessions of one client over two connections, one in each codec, recorded from the network. A line is:
//!
//! - `resume TOKEN`: the token that the recorded server gave;
//! - `host ORDER`: what the host typed then; `sleep MS`: that the client waited for the question to open;
//! - `N > HEX`: bytes that the client wrote to its connection N, its handshake or a frame. They are sent again as they are; only the
//!   token is this server's;
//! - `N < NAME MESSAGE`: what the server sent to it; `N closed CODE`: how it closed the connection.
//!
//! `old_client/to_player.json` and `to_player.layouts.md` are what that client knew of the server's messages. None of these files is ever
//! written anew.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::layout::{Form, Layout, page, reader};
use crate::server::{PACK, Server};
use crate::validate::{problems, resolve};

const SCHEMA: &str = include_str!("old_client/to_player.json");
const LAYOUTS: &str = include_str!("old_client/to_player.layouts.md");
/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Messages that docs/protocol.md allows to be missed, and so to come at other times.
const MISSABLE: [&str; 3] = ["lobby", "standings", "reactions"];

/// How the client reads.
enum Codec {
    Json(Value),
    Bincode(Vec<Layout>),
}

/// What a message is to the client.
#[derive(Debug, PartialEq)]
enum Heard {
    Known(String),
    /// To be ignored, as docs/protocol.md says.
    Unknown,
}

impl Codec {
    fn json() -> Self {
        Self::Json(serde_json::from_str(SCHEMA).unwrap())
    }

    fn bincode() -> Self {
        Self::Bincode(page::read(LAYOUTS))
    }

    fn subprotocol(&self) -> &'static str {
        match self {
            Self::Json(_) => "klaxon.v1.json",
            Self::Bincode(_) => "klaxon.v1.bincode",
        }
    }

    /// Reads a message of the server as the client does.
    fn read(&self, bytes: &[u8]) -> Result<Heard, String> {
        match self {
            Self::Json(schema) => {
                let message: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
                let name = message["type"].as_str().ok_or("it has no `type`")?;
                let known = schema["oneOf"].as_array().unwrap().iter();
                if !known.clone().any(|variant| variant["properties"]["type"]["const"] == name) {
                    return Ok(Heard::Unknown);
                }
                let problems = problems(schema, &message);
                if problems.is_empty() { Ok(Heard::Known(name.to_owned())) } else { Err(problems.join("; ")) }
            }
            Self::Bincode(layouts) => {
                let Some(Form::Variants(known)) =
                    layouts.iter().find(|layout| layout.name == "ToPlayer").map(|of| &of.form)
                else {
                    panic!("the client knows messages")
                };
                // There are fewer than 251 messages, so the first byte is the number.
                let Some(variant) = bytes.first().and_then(|&number| known.get(usize::from(number))) else {
                    return Ok(Heard::Unknown);
                };
                reader::read(layouts, "ToPlayer", bytes)?;
                let mut name = String::new();
                for letter in variant.name.chars() {
                    if letter.is_uppercase() && !name.is_empty() {
                        name.push('_');
                    }
                    name.extend(letter.to_lowercase());
                }
                Ok(Heard::Known(name))
            }
        }
    }

    /// The resume token in a welcome.
    fn resume(&self, welcome: &[u8]) -> String {
        match self {
            Self::Json(_) => serde_json::from_slice::<Value>(welcome).unwrap()["resume"].as_str().unwrap().to_owned(),
            Self::Bincode(layouts) => {
                let read = reader::read(layouts, "ToPlayer", welcome).unwrap();
                read.split("resume: \"").nth(1).unwrap().split('"').next().unwrap().to_owned()
            }
        }
    }

    /// A text as it stands in a message.
    fn text(&self, text: &str) -> Vec<u8> {
        match self {
            Self::Json(_) => text.as_bytes().to_vec(),
            Self::Bincode(_) if text.len() < 251 => [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat(),
            Self::Bincode(_) => {
                [&[251][..], &u16::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
            }
        }
    }
}

/// What comes from the server.
enum Frame {
    Message(Vec<u8>),
    Close(u16),
}

struct Connection(TcpStream);

impl Connection {
    fn open(address: SocketAddr, handshake: &[u8], codec: &Codec) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(handshake).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let chosen = format!("sec-websocket-protocol: {}\r\n", codec.subprotocol());
        assert!(head.to_lowercase().contains(&chosen), "{head}");
        Self(stream)
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// The next message, or the end. Pings are not answered: nothing here takes as long as the server is patient.
    fn next(&mut self) -> Frame {
        loop {
            let head = self.take(2);
            let length = match head[1] {
                126 => u16::from_be_bytes(self.take(2).try_into().unwrap()).into(),
                127 => usize::try_from(u64::from_be_bytes(self.take(8).try_into().unwrap())).unwrap(),
                short => short.into(),
            };
            let content = self.take(length);
            match head[0] {
                // One frame is one message: text or binary, and final.
                0x81 | 0x82 => return Frame::Message(content),
                0x88 => return Frame::Close(u16::from_be_bytes([content[0], content[1]])),
                0x89 => {}
                other => panic!("the client knows no frame that begins with {other:#x}"),
            }
        }
    }
}

/// A client's frame with another text in it. The frame is masked with the same key.
fn with_text(frame: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let start = match frame[1] & 127 {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let (key, masked) = frame[start..].split_at(4);
    let masks = || key.iter().cycle();
    let payload: Vec<u8> = masked.iter().zip(masks()).map(|(byte, mask)| byte ^ mask).collect();
    let Some(at) = payload.windows(old.len()).position(|window| window == old) else { return frame.to_vec() };
    let payload = [&payload[..at], new, &payload[at + old.len()..]].concat();
    let length = u16::try_from(payload.len()).unwrap();
    assert!(length > 125, "a token is longer than that");
    let masked = payload.iter().zip(masks()).map(|(byte, mask)| byte ^ mask);
    [&[frame[0], 0x80 | 126], &length.to_be_bytes()[..], key].concat().into_iter().chain(masked).collect()
}

/// The fields that a recorded message has and this one has not.
fn missing(recorded: &Value, now: &Value) -> Vec<String> {
    let Value::Object(fields) = recorded else { return Vec::new() };
    let of = |(name, recorded): (&String, &Value)| match now.get(name) {
        Some(now) => missing(recorded, now),
        None => vec![name.clone()],
    };
    fields.iter().flat_map(of).collect()
}

struct Replay {
    codec: Codec,
    address: SocketAddr,
    /// The token of the recording, and this server's.
    resume: [String; 2],
    connections: Vec<Connection>,
}

impl Replay {
    fn connection(&mut self, number: &str) -> &mut Connection {
        let index: usize = number.parse().unwrap();
        &mut self.connections[index - 1]
    }

    fn send(&mut self, number: &str, bytes: &[u8]) {
        if self.connections.len() < number.parse().unwrap() {
            self.connections.push(Connection::open(self.address, bytes, &self.codec));
            return;
        }
        let [old, new] = &self.resume;
        let frame = with_text(bytes, &self.codec.text(old), &self.codec.text(new));
        self.connection(number).0.write_all(&frame).unwrap();
    }

    /// Waits for a message of this name. Whatever comes is read; only what can be missed, or is not known, may come before it.
    fn receive(&mut self, number: &str, name: &str, recorded: &str) {
        loop {
            let Frame::Message(bytes) = self.connection(number).next() else {
                panic!("the server closed connection {number} instead of sending {name}")
            };
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            let received = self.codec.read(&bytes).unwrap_or_else(|problem| panic!("{shown} can't be read: {problem}"));
            let Heard::Known(received) = received else { continue };
            if received == name {
                if name == "welcome" {
                    self.resume[1] = self.codec.resume(&bytes);
                }
                if matches!(self.codec, Codec::Json(_)) {
                    let [recorded, now] = [recorded, &*shown].map(|text| serde_json::from_str(text).unwrap());
                    assert_eq!(
                        missing(&recorded, &now),
                        Vec::<String>::new(),
                        "{shown} has fewer fields than {recorded}"
                    );
                }
                return;
            }
            assert!(MISSABLE.contains(&&*received), "connection {number}: {shown} came instead of {name}");
        }
    }

    fn receive_close(&mut self, number: &str, code: u16) {
        loop {
            match self.connection(number).next() {
                Frame::Close(closed) => return assert_eq!(closed, code),
                Frame::Message(bytes) => match self.codec.read(&bytes).unwrap() {
                    Heard::Known(name) => assert!(MISSABLE.contains(&&*name), "{name} came instead of the close"),
                    Heard::Unknown => {}
                },
            }
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}

fn replay(session: &str, codec: Codec) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let pack = dir.path().join("pack.toml");
    std::fs::write(&pack, PACK).unwrap();
    let flags = ["--mode", "both", "--lives", "5", "--open-for", "10min", "--pot", "100000"];
    let mut host = server.host(&[&["--pack", pack.to_str().unwrap(), "--code", "OLDONE"], &flags[..]].concat());
    host.send("open");
    host.wait_for(&["ok: open: done"]);

    let address = server.addresses.players;
    let mut replay = Replay { codec, address, resume: Default::default(), connections: Vec::new() };
    for line in session.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["resume", token] => replay.resume[0] = token.to_owned(),
            ["host", ..] => host.send(line.split_once(' ').unwrap().1),
            ["sleep", ms] => std::thread::sleep(Duration::from_millis(ms.parse().unwrap())),
            [number, ">", hex] => replay.send(number, &bytes(hex)),
            [number, "<", name, recorded] if !MISSABLE.contains(&name) => replay.receive(number, name, recorded),
            [_, "<", ..] => {}
            [number, "closed", code] => replay.receive_close(number, code.parse().unwrap()),
            _ => panic!("{line}"),
        }
    }
    server.stop();
}

#[test]
fn a_client_of_version_1_that_was_recorded_in_json_plays_a_whole_show() {
    replay(include_str!("old_client/json.session"), Codec::json());
}

#[test]
fn a_client_of_version_1_that_was_recorded_in_bincode_plays_a_whole_show() {
    replay(include_str!("old_client/bincode.session"), Codec::bincode());
}

/// The recorded messages of the server.
fn recorded(session: &str) -> impl Iterator<Item = &str> {
    session.lines().filter(|line| line.contains(" < ")).map(|line| line.splitn(4, ' ').nth(3).unwrap())
}

#[test]
fn the_recorded_client_can_t_read_a_message_that_lost_changed_or_gained_a_part() {
    let json = Codec::json();
    for text in recorded(include_str!("old_client/json.session")) {
        let Heard::Known(name) = json.read(text.as_bytes()).unwrap() else { panic!("{text}") };
        let message: Value = serde_json::from_str(text).unwrap();
        let variants = serde_json::from_str::<Value>(SCHEMA).unwrap();
        let variant =
            variants["oneOf"].as_array().unwrap().iter().find(|of| of["properties"]["type"]["const"] == *name);
        let part = resolve(&variants, variant.unwrap()["$ref"].as_str().unwrap());
        for field in part["required"].as_array().unwrap() {
            let field = field.as_str().unwrap();
            let mut less = message.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(json.read(less.to_string().as_bytes()).is_err(), "{name} without {field}");
            assert_eq!(missing(&message, &less), [field]);
            let mut other = message.clone();
            other[field] = Value::Array(vec![Value::Null]);
            assert!(json.read(other.to_string().as_bytes()).is_err(), "{name} with another {field}");
        }
        let mut more = message.clone();
        more["mood"] = "sure".into();
        assert_eq!(json.read(more.to_string().as_bytes()), Ok(Heard::Known(name)));
    }
    assert_eq!(json.read(br#"{"type":"dance"}"#), Ok(Heard::Unknown));

    let bincode = Codec::bincode();
    for hex in recorded(include_str!("old_client/bincode.session")) {
        let message = bytes(hex);
        assert!(matches!(bincode.read(&message), Ok(Heard::Known(_))));
        assert!(bincode.read(&[&message[..], &[0]].concat()).is_err(), "it gained a field: {hex}");
        assert!(bincode.read(&message[..message.len() - 1]).is_err(), "it lost a part: {hex}");
    }
    assert_eq!(bincode.read(&[99, 1, 2]), Ok(Heard::Unknown));
}
