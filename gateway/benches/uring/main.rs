//! Which ways of asking io_uring pay, and what is left to save when connections are accepted: `cargo bench -p klaxon-gateway --bench uring`, on
//! a machine that does nothing else. docs/benchmarks.md has what it printed. What counts is the processor time of all threads, so the ways take
//! turns and are compared by it, and not by the clock on the wall.
#![allow(clippy::unwrap_used, reason = "a measurement that fails ends")]

mod accepting;
mod bare;
mod sending;

use std::io::{self, Read};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use klaxon_gateway::config::open_files;
use klaxon_gateway::transport::listen;
use nix::time::{ClockId, clock_gettime};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Of each way; before them comes one that warms up.
const ROUNDS: usize = 41;
/// Connections, of which both ends are here.
const SOCKETS: usize = 4000;
/// The reader looks by the clock: a load that the kernel has to wake for each frame costs the sender.
const POLLS_PER_FLUSH: Duration = Duration::from_micros(500);
/// Of a listener, as the gateway has it unless told otherwise.
const SEND_BUFFER: usize = 64 << 10;

fn main() {
    sending::measure();
    accepting::measure();
}

/// Something to do in one of several ways.
struct Way<'a> {
    name: String,
    /// In one round; gives the time it took of a processor, and how often it did it.
    round: Box<dyn FnMut() -> (Duration, usize) + 'a>,
}

/// Does it in all these ways by turns, and prints what it takes of a processor, and of what the first takes.
fn compare(title: &str, mut ways: Vec<Way<'_>>) {
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    for round in 0..=ROUNDS {
        let mut took = vec![0.0; ways.len()];
        for turn in 0..ways.len() {
            let number = (turn + round) % ways.len();
            let (time, times) = (ways[number].round)();
            took[number] = time.as_secs_f64() * 1e6 / times as f64;
        }
        rounds.push(took);
    }
    rounds.remove(0);
    println!("\n| {title} | CPU, us | ratio | middle half |\n| --- | ---: | ---: | ---: |");
    for (number, way) in ways.iter().enumerate() {
        let times = sorted(rounds.iter().map(|took| took[number]));
        let ratios = sorted(rounds.iter().map(|took| took[number] / took[0]));
        let at = |quarter: usize| ratios[ROUNDS * quarter / 4];
        println!("| {} | {:.2} | {:.2} | {:.2} to {:.2} |", way.name, times[ROUNDS / 2], at(2), at(1), at(3));
    }
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// Connections by loopback, the far ends of which another thread reads on another core.
struct Audience {
    sockets: Vec<TcpStream>,
    /// How many bytes come to each.
    ask: mpsc::Sender<usize>,
    /// All have come, and that took so much of a processor.
    read: mpsc::Receiver<Duration>,
}

impl Audience {
    /// For a sender in the thread that calls this.
    fn gather() -> Self {
        let allowed = open_files();
        assert!(allowed > 2 * SOCKETS as u64 + 100, "only {allowed} open files are allowed here");
        let (mut sockets, mut ends) = (Vec::new(), Vec::new());
        let listener = listen(([127, 0, 0, 1], 0).into(), SEND_BUFFER).unwrap();
        listener.set_nonblocking(false).unwrap();
        for _ in 0..SOCKETS {
            let end = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            end.set_nonblocking(true).unwrap();
            let (socket, _) = listener.accept().unwrap();
            sockets.push(socket);
            ends.push(end);
        }
        let (ask, asked) = mpsc::channel();
        let (tell, read) = mpsc::channel();
        thread::spawn(move || {
            bind_to(1);
            listen_to(&mut ends, &asked, &tell);
        });
        bind_to(0);
        Self { sockets, ask, read }
    }

    /// What it takes of a processor to send so many bytes to each, in whatever threads that happens.
    fn cost(&self, bytes: usize, send: impl FnOnce(&[TcpStream])) -> Duration {
        self.ask.send(bytes).unwrap();
        let before = process_clock();
        send(&self.sockets);
        let reading = self.read.recv().unwrap();
        process_clock() - before - reading
    }

    /// For ways to send so many frames with so many bytes together to each.
    fn of(&self, frames: usize, bytes: usize) -> Sends<'_> {
        Sends { audience: self, frames, bytes }
    }
}

/// What all of some ways send to each.
#[derive(Clone, Copy)]
struct Sends<'a> {
    audience: &'a Audience,
    frames: usize,
    bytes: usize,
}

impl<'a> Sends<'a> {
    fn way(self, name: impl Into<String>, mut send: impl FnMut(&[TcpStream]) + 'a) -> Way<'a> {
        let round = move || (self.audience.cost(self.bytes, &mut send), SOCKETS * self.frames);
        Way { name: name.into(), round: Box::new(round) }
    }
}

fn listen_to(ends: &mut [TcpStream], asked: &mpsc::Receiver<usize>, tell: &mpsc::Sender<Duration>) {
    let mut buffer = vec![0; 64 << 10];
    let mut before = thread_clock();
    for bytes in asked {
        for end in &mut *ends {
            let mut left = bytes;
            while left > 0 {
                match end.read(&mut buffer[..left.min(64 << 10)]) {
                    Ok(0) => panic!("the sender is gone"),
                    Ok(count) => left -= count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(POLLS_PER_FLUSH),
                    Err(error) => panic!("{error}"),
                }
            }
        }
        let now = thread_clock();
        tell.send(now - before).unwrap();
        before = now;
    }
}

/// Whether it was a signal; any other error ends the measure.
fn interrupted(error: &io::Error) -> bool {
    assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}");
    true
}

/// Processor time of all threads, the kernel's workers for them included.
fn process_clock() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap().into()
}

/// Processor time of the thread that asks.
fn thread_clock() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// Binds the thread that asks, and those that it starts, to a core.
fn bind_to(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).unwrap();
}
