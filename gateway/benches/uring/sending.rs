//! What a frame costs to send, in several ways.

use std::io::{IoSlice, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

use bytes::Bytes;
use klaxon_gateway::transport::measured::{Done, Ring};

use super::bare::{Bare, Lasting, message};
use super::{Audience, compare};

/// Players that a shard deals with between two looks at its sockets.
const CHUNK: usize = 1024;

static SMALL: [u8; 200] = [b'k'; 200];
static OTHER: [u8; 200] = [b'o'; 200];
static BOTH: [u8; 400] = [b'b'; 400];
static LARGE: [u8; 16 << 10] = [b'l'; 16 << 10];

/// One system call each.
fn write(sockets: &[TcpStream], frame: Lasting) {
    for mut socket in sockets {
        socket.write_all(frame).unwrap();
    }
}

/// Both with one system call.
fn write_vectored(sockets: &[TcpStream], frames: [Lasting; 2]) {
    for mut socket in sockets {
        assert_eq!(socket.write_vectored(&frames.map(IoSlice::new)).unwrap(), BOTH.len());
    }
}

/// As the gateway sends it.
fn send(ring: &mut Ring, at_once: usize, sockets: &[TcpStream], frame: impl Fn() -> Bytes) {
    for (number, part) in sockets.chunks(at_once).enumerate() {
        for (place, socket) in part.iter().enumerate() {
            let tag = u32::try_from(number * at_once + place).unwrap();
            ring.send(tag, socket.as_fd(), frame()).unwrap();
        }
        let mut left = part.len();
        while left > 0 {
            let on_done = |done: Done<'_>| {
                let Done::Sent(_, sent) = done else { panic!("nothing is received") };
                assert!(sent > 0);
                left -= 1;
            };
            ring.wait(Duration::from_secs(1), on_done).unwrap();
        }
    }
}

/// A frame as it is shared by all.
fn shared(frame: Lasting) -> impl Fn() -> Bytes + Clone {
    let frame = Bytes::from(frame.to_vec());
    move || frame.clone()
}

pub fn measure() {
    let audience = Audience::gather();
    one_small_frame(&audience);
    more_or_fewer_at_once(&audience);
    one_large_frame(&audience);
    two_frames(&audience);
}

fn one_small_frame(audience: &Audience) {
    let (frame, mut ring) = (shared(&SMALL), Ring::new().unwrap());
    let mut registered = Bare::usual(CHUNK).register(&audience.sockets);
    let [mut bare, mut unheard, mut zero_copy] = std::array::from_fn(|_| Bare::usual(CHUNK));
    let mut cooperative = Bare::new(CHUNK, |builder| builder.setup_single_issuer().setup_coop_taskrun());
    let mut plain = Bare::new(CHUNK, |builder| builder);
    let one = audience.of(1, SMALL.len());
    let ways = vec![
        one.way("write(2)", |to| write(to, &SMALL)),
        one.way("SEND, as Klaxon does", move |to| send(&mut ring, CHUNK, to, &frame)),
        one.way("SEND, nothing kept beside", move |to| bare.send(to, &SMALL)),
        one.way("- registered files", move |to| registered.send_to_registered(to, &SMALL)),
        one.way("- COOP_TASKRUN, not DEFER_TASKRUN", move |to| cooperative.send(to, &SMALL)),
        one.way("- neither, nor SINGLE_ISSUER", move |to| plain.send(to, &SMALL)),
        one.way("- CQE_SKIP_SUCCESS", move |to| unheard.send_and_forget(to, &SMALL)),
        one.way("- SEND_ZC", move |to| zero_copy.send_zero_copy(to, &SMALL)),
    ];
    compare("one frame of 200 bytes", ways);
}

fn more_or_fewer_at_once(audience: &Audience) {
    let (frame, one) = (shared(&SMALL), audience.of(1, SMALL.len()));
    let mut ways = vec![one.way("write(2)", |to| write(to, &SMALL))];
    for at_once in [16, 64, 256, 1024, 2048] {
        let (frame, mut ring) = (frame.clone(), Ring::new().unwrap());
        let way = move |to: &[TcpStream]| send(&mut ring, at_once, to, &frame);
        ways.push(one.way(format!("SEND, {at_once} at once"), way));
    }
    compare("one frame of 200 bytes", ways);
}

fn one_large_frame(audience: &Audience) {
    let (frame, mut ring) = (shared(&LARGE), Ring::new().unwrap());
    let mut zero_copy = Bare::usual(CHUNK);
    let one = audience.of(1, LARGE.len());
    let ways = vec![
        one.way("write(2)", |to| write(to, &LARGE)),
        one.way("SEND, as Klaxon does", move |to| send(&mut ring, CHUNK, to, &frame)),
        one.way("SEND_ZC", move |to| zero_copy.send_zero_copy(to, &LARGE)),
    ];
    compare("one frame of 16 KiB", ways);
}

fn two_frames(audience: &Audience) {
    let frames: [Lasting; 2] = [&SMALL, &OTHER];
    let (first, second, both) = (shared(&SMALL), shared(&OTHER), shared(&BOTH));
    let [mut one_by_one, mut joined, mut copied] = std::array::from_fn(|_| Ring::new().unwrap());
    let [mut linked, mut gathered] = std::array::from_fn(|_| Bare::usual(CHUNK));
    let mut bundled = Bare::usual(CHUNK);
    let message = message(frames);
    let two = audience.of(2, BOTH.len());
    let mut ways = vec![
        two.way("write(2) twice", move |to| {
            to.chunks(1).for_each(|to| frames.iter().for_each(|frame| write(to, frame)))
        }),
        two.way("writev(2)", move |to| write_vectored(to, frames)),
        two.way("SEND, then SEND, as Klaxon does", move |to| {
            for to in to.chunks(CHUNK) {
                send(&mut one_by_one, CHUNK, to, &first);
                send(&mut one_by_one, CHUNK, to, &second);
            }
        }),
        two.way("SEND linked to SEND", move |to| linked.send_linked(to, frames)),
        two.way("SENDMSG of both", move |to| gathered.send_gathered(to, message)),
        two.way("SEND of both, put together once", move |to| send(&mut joined, CHUNK, to, &both)),
        two.way("SEND of both, put together for each", move |to| {
            send(&mut copied, CHUNK, to, || [SMALL, OTHER].concat().into());
        }),
    ];
    if bundled.bundles() {
        bundled = bundled.with_groups();
        ways.push(two.way("SEND of a bundle, a group for each", move |to| bundled.send_bundles(to, frames)));
    }
    compare("two frames of 200 bytes, each", ways);
}
