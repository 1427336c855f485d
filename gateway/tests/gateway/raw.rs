//! TCP segments that no TCP made, put among those of a connection on loopback. Needs root, or CAP_NET_RAW.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::fixture::PATIENCE;

const IPV4: u16 = 0x0800;
const TCP: u8 = 6;
const PUSH_ACK: u8 = 0x18;
const URGENT: u8 = 0x20;
/// A masked WebSocket ping of four bytes, by which a connection is found among all packets.
const SIGN: [u8; 10] = [0x89, 0x84, 0, 0, 0, 0, b's', b'e', b'q', b'?'];

/// A client's connection, and what it takes to forge its segments.
pub struct Forger {
    pub stream: TcpStream,
    raw: Socket,
    from: SocketAddrV4,
    to: SocketAddrV4,
    /// The sequence number of the next byte that `stream` sends, as it was when this was made.
    next: u32,
    ack: u32,
}

impl Forger {
    pub fn of(mut stream: TcpStream) -> Self {
        let (from, to) = (v4(stream.local_addr().unwrap()), v4(stream.peer_addr().unwrap()));
        let raw = Socket::new(Domain::IPV4, Type::from(libc::SOCK_RAW), Some(Protocol::TCP))
            .expect("this test forges packets: it needs root or CAP_NET_RAW (in a container: --cap-add NET_RAW)");
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "the connection's own packets are not seen");
            if let Some((next, ack)) = watch(&mut stream, from, to) {
                return Self { stream, raw, from, to, next, ack };
            }
        }
    }

    /// Sends a segment at so many bytes beyond where the connection was when this was made.
    pub fn forge(&self, beyond: usize, bytes: &[u8]) {
        self.send(beyond, bytes, PUSH_ACK);
    }

    /// The same, with the last byte marked as urgent.
    pub fn forge_urgent(&self, beyond: usize, bytes: &[u8]) {
        self.send(beyond, bytes, PUSH_ACK | URGENT);
    }

    fn send(&self, beyond: usize, bytes: &[u8], flags: u8) {
        let sequence = self.next.wrapping_add(u32::try_from(beyond).unwrap());
        let urgent = if flags & URGENT == 0 { 0 } else { u16::try_from(bytes.len()).unwrap() };
        let mut segment = Vec::new();
        segment.extend(self.from.port().to_be_bytes());
        segment.extend(self.to.port().to_be_bytes());
        segment.extend(sequence.to_be_bytes());
        segment.extend(self.ack.to_be_bytes());
        // Five words of header, a window, and room for the checksum.
        segment.extend([5 << 4, flags, 0xff, 0xff, 0, 0]);
        segment.extend(urgent.to_be_bytes());
        segment.extend(bytes);
        let checksum = self.checksum(&segment);
        segment[16..18].copy_from_slice(&checksum.to_be_bytes());
        let sent = self.raw.send_to(&segment, &SocketAddr::from(self.to).into()).unwrap();
        assert_eq!(sent, segment.len());
    }

    /// RFC 9293, 3.1: over the segment and what the header of IP says of it.
    fn checksum(&self, segment: &[u8]) -> u16 {
        let length = u16::try_from(segment.len()).unwrap().to_be_bytes();
        let pseudo = [&self.from.ip().octets()[..], &self.to.ip().octets(), &[0, TCP], &length].concat();
        let words = pseudo.chunks(2).chain(segment.chunks(2));
        let mut sum: u32 = words.map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }
}

fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("these tests are on 127.0.0.1"),
    }
}

/// Has the connection send a sign of life, and reads from that packet where its sequence goes on, and what it acknowledges. None if
/// it was lost among all that loopback carries now.
fn watch(stream: &mut TcpStream, from: SocketAddrV4, to: SocketAddrV4) -> Option<(u32, u32)> {
    let mut packets =
        Socket::new(Domain::from(libc::AF_PACKET), Type::DGRAM, Some(Protocol::from(i32::from(IPV4.to_be())))).unwrap();
    packets.set_recv_buffer_size(8 << 20).unwrap();
    packets.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(&SIGN).unwrap();
    let (mut packet, begun) = ([0; 2048], Instant::now());
    while begun.elapsed() < Duration::from_secs(1) {
        let count = match packets.read(&mut packet) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
            Err(error) => panic!("{error}"),
        };
        let packet = &packet[..count];
        let head = usize::from(packet[0] & 0x0f) * 4;
        let Some(segment) = packet.get(head..).filter(|segment| packet[9] == TCP && segment.len() >= 20) else {
            continue;
        };
        let ports = [&from.port().to_be_bytes()[..], &to.port().to_be_bytes()].concat();
        let payload = &segment[(usize::from(segment[12] >> 4) * 4).min(segment.len())..];
        if segment[..4] == ports[..] && payload.ends_with(&SIGN) {
            let word = |at: usize| u32::from_be_bytes(segment[at..at + 4].try_into().unwrap());
            return Some((word(4).wrapping_add(u32::try_from(payload.len()).unwrap()), word(8)));
        }
    }
    None
}
