//! The time from the start of a server process to its first handshake.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use klaxon_protocol::codec::Codec;

use super::contestant::{BenchError, JournalStorage};
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};
use crate::socket::handshake;

/// The interval of connection attempts.
const AGAIN: Duration = Duration::from_micros(200);
/// The time limit.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures all contestants repeatedly, in turn. The floor shows the time to start any process.
///
/// # Errors
/// If a contestant can't be started.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let launch = plan.launch.with_journal(JournalStorage::File);
    let mut all: Vec<_> = plan.contestants().map(|kind| (kind, Vec::new())).collect();
    for _ in 0..plan.boots {
        for (kind, figures) in &mut all {
            let began = Instant::now();
            let started = launch.start(*kind)?;
            while let Err(error) = knock(started.players) {
                if began.elapsed() > PATIENCE {
                    return Err(error.into());
                }
                tokio::time::sleep(AGAIN).await;
            }
            figures.push(began.elapsed().as_secs_f64() * 1e3);
        }
        step("starting");
    }
    Ok(all.iter().map(|(kind, figures)| Row::plain(Subject::Boot, *kind, "", Measure::Boot, figures)).collect())
}

fn knock(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    handshake::ask(&mut stream, "/play", Codec::Json.subprotocol())?;
    handshake::agreed(&mut stream).map(drop)
}
