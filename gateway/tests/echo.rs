//! What RFC 6455 asks of a server, tried on both transports by the `echo` example and a client that writes bytes by hand.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test should stop it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use klaxon_gateway::transport::Transport;

/// The largest message that the echo takes here, in bytes.
const LARGEST: usize = 17 << 20;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// The first and the further fragments of a text, and the last of any message.
const TEXT_BEGINS: u8 = 0x01;
const GOES_ON: u8 = 0x00;
const LAST: u8 = 0x80;

/// The example, killed when it is dropped.
struct Echo {
    child: Child,
    address: String,
}

impl Echo {
    fn start(transport: Transport) -> Self {
        // Cargo builds the examples beside the tests: target/debug/examples and target/debug/deps.
        let here = std::env::current_exe().unwrap();
        let program: PathBuf = here.parent().unwrap().parent().unwrap().join("examples/echo");
        let arguments = ["--listen", "127.0.0.1:0", "--transport", transport.name(), "--largest"];
        let mut command = Command::new(&program);
        command.args(arguments).arg(LARGEST.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("ws://").to_owned();
        assert!(!address.is_empty(), "the echo says where it listens");
        Self { child, address }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(echo: &Echo) -> TcpStream {
    let mut stream = TcpStream::connect(&echo.address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: echo\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    // The answer to the key of RFC 6455, section 1.3.
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    stream
}

/// A frame as a client sends it.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = headed(first, 0x80, payload.len());
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame as a server sends it.
fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = headed(first, 0, payload.len());
    frame.extend(payload);
    frame
}

fn headed(first: u8, mask: u8, length: usize) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..=125 => head.push(mask | u8::try_from(length).unwrap()),
        126..=0xffff => {
            head.push(mask | 126);
            head.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            head.push(mask | 127);
            head.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    head
}

/// The next frame from the server: its first byte and its payload. None at the end.
fn receive_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let length = match head[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            u16::from_be_bytes(length).into()
        }
        127 => {
            let mut length = [0; 8];
            stream.read_exact(&mut length).unwrap();
            usize::try_from(u64::from_be_bytes(length)).unwrap()
        }
        length => usize::from(length),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).unwrap();
    Some((head[0], payload))
}

/// Tries this on both transports, with all bytes written at once, and one by one.
fn after(bytes: &[u8], check: impl Fn(&mut TcpStream)) {
    // Automatically it is io_uring, wherever there is one.
    for transport in [Transport::Auto, Transport::Portable] {
        let echo = Echo::start(transport);
        for piece in [bytes.len().max(1), 1] {
            if bytes.len() / piece > 5_000 {
                continue;
            }
            let mut stream = connect(&echo);
            for piece in bytes.chunks(piece) {
                // One that was closed meanwhile takes no more.
                if stream.write_all(piece).is_err() {
                    break;
                }
            }
            check(&mut stream);
        }
    }
}

fn echoes(bytes: &[u8], wanted: &[Vec<u8>]) {
    after(bytes, |stream| {
        for wanted in wanted {
            let (first, payload) = receive_frame(stream).unwrap();
            assert!(plain(first, &payload) == *wanted, "{first:#x}, {} bytes", payload.len());
        }
    });
}

/// The server closes with this code, and then the connection ends.
fn closes_with(bytes: &[u8], code: u16) {
    after(bytes, |stream| {
        let (first, payload) = receive_frame(stream).unwrap();
        assert_eq!(first, CLOSE);
        assert_eq!(u16::from_be_bytes([payload[0], payload[1]]), code);
        assert_eq!(receive_frame(stream), None);
    });
}

#[test]
fn messages_of_all_lengths_come_back_as_what_they_are() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
        let payload = vec![b'*'; length];
        echoes(&masked(TEXT, &payload), &[plain(TEXT, &payload)]);
        echoes(&masked(BINARY, &payload), &[plain(BINARY, &payload)]);
    }
}

#[test]
fn a_message_of_16_mib_comes_back_whole_and_in_fragments() {
    let payload: Vec<u8> = (0..=250).cycle().take(16 << 20).collect();
    let whole = plain(BINARY, &payload);
    echoes(&masked(BINARY, &payload), std::slice::from_ref(&whole));
    let chunks: Vec<_> = payload.chunks(1 << 16).collect();
    let fragments: Vec<u8> = (chunks.iter().enumerate())
        .flat_map(|(number, chunk)| {
            let kind = if number == 0 { 0x02 } else { GOES_ON };
            masked(kind | if number + 1 == chunks.len() { LAST } else { 0 }, chunk)
        })
        .collect();
    echoes(&fragments, &[whole]);
}

#[test]
fn control_frames_between_fragments_are_answered_at_once() {
    let bytes = [
        masked(TEXT_BEGINS, b"one "),
        masked(PING, b"there?"),
        masked(GOES_ON, b"two "),
        masked(PONG, b"nobody asked"),
        masked(GOES_ON | LAST, b"three"),
    ];
    echoes(&bytes.concat(), &[plain(PONG, b"there?"), plain(TEXT, b"one two three")]);
    echoes(&masked(PING, &[7; 125]), &[plain(PONG, &[7; 125])]);
}

#[test]
fn a_character_may_be_cut_by_fragments_but_must_be_one() {
    let text = "κόσμε, 𝄞".as_bytes();
    let cut: Vec<u8> = (0..text.len())
        .flat_map(|at| {
            let kind = if at == 0 { TEXT_BEGINS } else { GOES_ON };
            masked(kind | if at + 1 == text.len() { LAST } else { 0 }, &text[at..=at])
        })
        .collect();
    echoes(&cut, &[plain(TEXT, text)]);
    closes_with(&masked(TEXT, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"), 1007);
    closes_with(&[masked(TEXT_BEGINS, b"\xf0\x9d\x84"), masked(GOES_ON | LAST, b"x")].concat(), 1007);
}

#[test]
fn a_close_is_answered_with_its_code() {
    for code in [1000_u16, 1001, 1003, 1007, 1011, 3000, 4999] {
        closes_with(&masked(CLOSE, &[&code.to_be_bytes()[..], b"bye"].concat()), code);
    }
    after(&masked(CLOSE, b""), |stream| {
        assert_eq!(receive_frame(stream), Some((CLOSE, vec![])));
        assert_eq!(receive_frame(stream), None);
    });
}

#[test]
fn nothing_is_echoed_after_a_close() {
    let bytes = [masked(CLOSE, &1000_u16.to_be_bytes()), masked(TEXT, b"one more thing")].concat();
    closes_with(&bytes, 1000);
}

#[test]
fn what_the_protocol_forbids_is_a_protocol_error() {
    let forbidden = [
        ("a reserved bit", masked(TEXT | 0x40, b"x")),
        ("another", masked(TEXT | 0x10, b"x")),
        ("a reserved kind of frame", masked(0x83, b"x")),
        ("a reserved kind of control frame", masked(0x8b, b"x")),
        ("a frame without a mask", plain(TEXT, b"x")),
        ("a ping in fragments", masked(0x09, b"x")),
        ("a ping too long", masked(PING, &[0; 126])),
        ("a fragment of nothing", masked(GOES_ON | LAST, b"x")),
        ("a message within another", [masked(TEXT_BEGINS, b"x"), masked(TEXT, b"y")].concat()),
        ("a length in two bytes that needs one", [&[TEXT, 0xfe, 0, 1, 0, 0, 0, 0][..], b"x"].concat()),
        (
            "a length in eight bytes that needs one",
            [&[TEXT, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], b"x"].concat(),
        ),
        ("a length in eight bytes that needs two", vec![BINARY, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]),
        ("half a close code", masked(CLOSE, b"\x03")),
        ("a close code that is none", masked(CLOSE, &1005_u16.to_be_bytes())),
        ("a close code of nobody", masked(CLOSE, &999_u16.to_be_bytes())),
    ];
    for (what, bytes) in forbidden {
        println!("{what}");
        closes_with(&bytes, 1002);
    }
}

#[test]
fn a_message_longer_than_is_allowed_is_refused_at_its_head() {
    let mut head = headed(BINARY, 0x80, LARGEST + 1);
    head.extend([0; 4]);
    closes_with(&head, 1009);
}
