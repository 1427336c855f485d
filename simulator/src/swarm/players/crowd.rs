//! The hostile crowd: connections that try to harm the server, or other players through it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{Answer, Choice, QuestionId};
use klaxon_protocol::player::{FromPlayer, Join, LARGEST_MESSAGE, Role};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::connection::PLAYERS_PATH;
use super::mischief;
use super::plan::rng;
use super::world::World;
use crate::evidence::{GatewayNumber, PlayerNumber};
use crate::socket::handshake;

/// The number of messages that a flooding connection sends at once, and the interval.
const BURST: (u32, Duration) = (20, Duration::from_millis(200));
/// The receive buffer of connections that don't read, in bytes: the kernel's minimum.
const SMALLEST_BUFFER: u32 = 2304;

/// The kind of harm that a hostile connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hostility {
    /// Sends more than is allowed, and never reads.
    SendsUnread,
    /// Joins, and never reads.
    ReadsNothing,
    /// Sends half a frame and stalls.
    StallsInFrame,
    /// Never finishes the HTTP handshake.
    StallsInHandshake,
}

impl Hostility {
    const ALL: [Self; 4] = [Self::SendsUnread, Self::ReadsNothing, Self::StallsInFrame, Self::StallsInHandshake];
}

/// The hostile crowd.
#[derive(Debug, Clone, Copy)]
pub struct HostileCrowd {
    /// The number of connections at any time.
    pub connections: u32,
    /// The time over which they connect.
    pub rush: Duration,
}

impl HostileCrowd {
    /// Runs the hostile connections until `over` is true.
    pub async fn trouble(self, world: Arc<World>, over: watch::Receiver<bool>) {
        let mut all = JoinSet::new();
        let first = u32::try_from(world.plan.players.len()).unwrap_or(u32::MAX);
        for number in 0..self.connections {
            let mut over = over.clone();
            let hostile = Hostile {
                world: Arc::clone(&world),
                number: PlayerNumber(first.saturating_add(number)),
                how: Hostility::ALL[number as usize % Hostility::ALL.len()],
                rng: rng(world.plan.seed, PlayerNumber(first.saturating_add(number)), 0),
            };
            all.spawn(async move {
                tokio::select! {
                    () = hostile.harm(self.rush) => {}
                    _ = over.wait_for(|over| *over) => {}
                }
            });
        }
        while all.join_next().await.is_some() {}
    }
}

struct Hostile {
    world: Arc<World>,
    number: PlayerNumber,
    how: Hostility,
    rng: ChaCha8Rng,
}

impl Hostile {
    /// Connects, does harm, and reconnects whenever the connection is closed.
    async fn harm(mut self, rush: Duration) {
        sleep(rush.mul_f64(self.rng.random::<f64>())).await;
        loop {
            // Reconnects after any error.
            let _ = self.once().await;
            sleep(Duration::from_millis(self.rng.random_range(500..3000))).await;
        }
    }

    async fn once(&mut self) -> std::io::Result<()> {
        let mut stream = self.connect().await?;
        if self.how == Hostility::StallsInHandshake {
            // One byte per second, without end.
            for byte in format!("GET {PLAYERS_PATH} HTTP/1.1\r\nX-Long: ").bytes().chain(std::iter::repeat(b'x')) {
                stream.write_all(&[byte]).await?;
                sleep(Duration::from_secs(1)).await;
            }
        }
        let request = handshake::request(PLAYERS_PATH, Codec::Json.subprotocol());
        stream.write_all(request.as_bytes()).await?;
        // The response is not read either; it has arrived by then.
        sleep(Duration::from_millis(500)).await;
        let mut page = self.world.ledger.open(self.number, self.gateway(), Codec::Json, false);
        let join = FromPlayer::Join(Join {
            show: self.world.code.clone(),
            name: Some(format!("hostile {}", self.number.0)),
            role: Role::Player,
            token: None,
            resume: None,
        });
        let join = Codec::Json.encode(&join);
        page.sent(&join);
        stream.write_all(&frame(join)).await?;
        match self.how {
            Hostility::SendsUnread => loop {
                // In one write, so that the crowd's processor time does not slow the players in this process.
                let mut burst = Vec::new();
                for _ in 0..BURST.0 {
                    let bytes = Codec::Json.encode(&self.anything());
                    page.sent(&bytes);
                    burst.extend(frame(bytes));
                }
                stream.write_all(&burst).await?;
                sleep(BURST.1).await;
            },
            Hostility::StallsInFrame => {
                let whole = frame(vec![b' '; LARGEST_MESSAGE / 2]);
                stream.write_all(&whole[..whole.len() / 2]).await?;
                watch_for_end(&stream).await
            }
            Hostility::ReadsNothing | Hostility::StallsInHandshake => watch_for_end(&stream).await,
        }
    }

    fn gateway(&self) -> GatewayNumber {
        self.world.gateways.first_for(self.world.plan.seed, self.number)
    }

    fn address(&self) -> SocketAddr {
        self.world.gateways.address(self.gateway())
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let address = self.address();
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_recv_buffer_size(SMALLEST_BUFFER)?;
        timeout(Duration::from_secs(10), socket.connect(address)).await?
    }

    fn anything(&mut self) -> FromPlayer {
        match self.rng.random_range(0..3) {
            0 => FromPlayer::Answer(Answer {
                question: QuestionId(self.rng.random_range(1..20)),
                choice: Choice(self.rng.random_range(0..4)),
            }),
            _ => mischief::flood_message(),
        }
    }
}

/// Waits until the peer closes the connection, without reading.
async fn watch_for_end(stream: &TcpStream) -> std::io::Result<()> {
    loop {
        if stream.ready(tokio::io::Interest::ERROR).await?.is_error() {
            return Ok(());
        }
    }
}

/// A masked text frame with this payload.
fn frame(bytes: Vec<u8>) -> Vec<u8> {
    let mut frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
    frame.header_mut().mask = Some([7, 7, 7, 7]);
    let mut out = Vec::new();
    // Writing to a vector can't fail.
    let _ = frame.format(&mut out);
    out
}
