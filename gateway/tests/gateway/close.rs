//! The close of a question at full load: whether an answer was in time is decided by the kernel's receive time, not by
//! when the gateway reads it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use klaxon_engine::clock::Clock;
use klaxon_gateway::config::open_files;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{Answer, QuestionId};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_protocol::player::FromPlayer;
use klaxon_protocol::time::Millis;

use crate::fixture::{Client, SHOW, fixture, settings};

const CLIENTS: usize = 2000;
const QUESTIONS: u16 = 50;
/// The smallest distance from the close, in microseconds, at which a verdict is checked: the two clocks can't be
/// compared more exactly.
const MARGIN: u64 = 20;

/// An answer as its client saw it: handed to the kernel between two readings of the clock, in microseconds.
struct Sent {
    seat: Seat,
    before: u64,
    after: u64,
}

/// All clients answer as fast as they can, and half-way the question closes. Each answers once, as the kernel returns
/// only the last packet's time for several messages in one read.
fn answer_around_a_close(
    clients: &mut [(Seat, TcpStream)],
    question: QuestionId,
    close: impl FnOnce(),
) -> (Vec<Sent>, u64) {
    let frame = frame_of(question);
    let clock = Clock::of_process();
    let (mut sent, mut close, mut closed_at) = (Vec::with_capacity(CLIENTS), Some(close), 0);
    for (number, (seat, socket)) in clients.iter_mut().enumerate() {
        if number == CLIENTS / 2 {
            closed_at = clock.micros();
            close.take().unwrap()();
        }
        let before = clock.micros();
        socket.write_all(&frame).unwrap();
        sent.push(Sent { seat: *seat, before, after: clock.micros() });
    }
    (sent, closed_at)
}

/// An answer as a WebSocket frame, with a mask of zeros.
fn frame_of(question: QuestionId) -> Vec<u8> {
    let answer = FromPlayer::Answer(Answer { question, choice: klaxon_protocol::games::trivia::Choice(1) });
    let body = Codec::Json.encode(&answer);
    assert!(body.len() < 126);
    [&[0x81, 0x80 | u8::try_from(body.len()).unwrap(), 0, 0, 0, 0], &body[..]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_had_before_the_close_counts_and_is_handed_in_before_the_barrier_is_passed() {
    assert!(open_files() > 2 * CLIENTS as u64 + 500, "this test needs many open files: raise the limit (ulimit -Hn)");
    let mut busy = settings();
    (busy.players.limits.messages_per_second, busy.burst, busy.outstanding_answers) = (1_000_000, 1_000_000, u8::MAX);
    let mut fixture = fixture(busy);
    fixture.engine.mute(true);
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let (client, welcome) = Client::join(&fixture, Codec::Json).await;
        clients.push((welcome.seat.unwrap(), client.into_socket()));
    }
    let (mut judged, mut wrong, mut largest_error) = (0, 0, 0);
    for question in (0..QUESTIONS).map(QuestionId) {
        let send = fixture.engine.sender();
        let close = move || send(ToGateway::Barrier { show: SHOW, round: question });
        let answering = tokio::task::spawn_blocking(move || {
            let (sent, closed_at) = answer_around_a_close(&mut clients, question, close);
            (clients, sent, closed_at)
        });
        let (back, sent, closed_at) = answering.await.unwrap();
        clients = back;

        let mut stamps: HashMap<Seat, (Millis, bool)> = HashMap::new();
        let mut passed = false;
        while stamps.len() < sent.len() || !passed {
            let said = fixture.engine.wait(Some).await;
            match said {
                ToEngine::Answers(batch) => {
                    for answer in batch.answers.iter().filter(|answer| answer.claim.round == question) {
                        stamps.insert(answer.by.seat, (answer.at, passed));
                    }
                }
                ToEngine::BarrierPassed { round: of, .. } if of == question => passed = true,
                _ => {}
            }
        }
        let in_time = |at: u64| at <= closed_at / 1000;
        for sent in &sent {
            let (stamp, after_the_barrier) = stamps[&sent.seat];
            judged += 1;
            let (before, after) = (sent.before / 1000, sent.after / 1000);
            largest_error = largest_error.max(before.saturating_sub(stamp.0)).max(stamp.0.saturating_sub(after));
            let sure = in_time((sent.before - MARGIN) / 1000) == in_time((sent.after + MARGIN) / 1000);
            wrong += usize::from(sure && in_time(stamp.0) != in_time(before));
            let there = sent.after < closed_at;
            assert!(!(there && after_the_barrier), "it was there before the close, and was handed in too late");
        }
    }
    println!(
        "{judged} answers around {QUESTIONS} closes: {wrong} judged wrong, the largest error is {largest_error} ms"
    );
    assert_eq!((judged, wrong), (usize::from(QUESTIONS) * CLIENTS, 0));
}

/// A WebSocket ping, and its reply.
const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];
const PONG: [u8; 2] = [0x8a, 0];
/// Threads of clients of whom each says something as soon as it has a reply.
const TALKERS: usize = 3;
const OF_A_TALKER: usize = 8;

/// Sends pings on these sockets and reads the pongs, until `stop` is set.
fn talk(mut sockets: Vec<TcpStream>, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        for socket in &mut sockets {
            socket.write_all(&PING).unwrap();
        }
        for socket in &mut sockets {
            let mut pong = [0; 2];
            socket.read_exact(&mut pong).unwrap();
            assert_eq!(pong, PONG);
        }
    }
}

/// The shortest `barrier` that a show may set.
const SHORTEST: Duration = Duration::from_millis(10);

/// What the gateway holds back is not for those who talk without end to decide: the barrier is passed once each socket had its turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_of_ten_milliseconds_is_passed_in_time_though_the_sockets_never_fall_quiet() {
    let mut busy = settings();
    busy.players.shards = Some(1);
    (busy.players.limits.messages_per_second, busy.burst, busy.outstanding_answers) =
        (1_000_000_000, 1_000_000_000, u8::MAX);
    let mut fixture = fixture(busy);
    fixture.engine.mute(true);
    let (answering, _) = Client::join(&fixture, Codec::Json).await;
    let mut answering = answering.into_socket();
    let stop = Arc::new(AtomicBool::new(false));
    let mut talkers = Vec::new();
    for _ in 0..TALKERS {
        let mut sockets = Vec::new();
        for _ in 0..OF_A_TALKER {
            sockets.push(Client::join(&fixture, Codec::Json).await.0.into_socket());
        }
        let stop = Arc::clone(&stop);
        talkers.push(std::thread::spawn(move || talk(sockets, &stop)));
    }
    let mut took = Vec::new();
    for question in (1..=40).map(QuestionId) {
        answering.write_all(&frame_of(question)).unwrap();
        let raised = Instant::now();
        fixture.engine.send(ToGateway::Barrier { show: SHOW, round: question });
        let mut answered = false;
        loop {
            match fixture.engine.wait(Some).await {
                ToEngine::Answers(batch) => {
                    answered |= batch.answers.iter().any(|answer| answer.claim.round == question)
                }
                ToEngine::BarrierPassed { round: of, .. } if of == question => break,
                _ => {}
            }
        }
        assert!(answered, "what was there before the barrier is handed in before it is passed");
        took.push(raised.elapsed());
    }
    stop.store(true, Relaxed);
    talkers.into_iter().for_each(|talker| talker.join().unwrap());
    took.sort_unstable();
    let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("barriers were passed after {median:?} in the middle, and {longest:?} at most");
    assert!(median < SHORTEST, "{took:?}");
}
