//! A proxy between live players and a live server that breaks a promise.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klaxon_simulator::evidence::Direction;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

use crate::breaker::{Break, Breaker, Out};

/// A running proxy; it ends when dropped.
pub struct Proxy {
    /// The address for players.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts to listen on a free port, in front of `server`. Every third connection is forwarded unchanged.
    pub async fn start(server: SocketAddr, what: Break) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            for number in 0u64.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let breaker = (number % 3 != 2).then(|| Breaker::new(what));
                connections.spawn(carry(stream, server, breaker));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }
}

type Socket = WebSocketStream<TcpStream>;

/// Forwards one connection until either side closes it.
async fn carry(stream: TcpStream, server: SocketAddr, breaker: Option<Breaker>) -> Result<(), tungstenite::Error> {
    let (player, server) = connect(stream, server).await?;
    Carrier { player, server, breaker, held: Vec::new() }.run().await
}

/// Accepts the player and connects to the server, with the path and subprotocol that the player requested.
async fn connect(stream: TcpStream, server: SocketAddr) -> Result<(Socket, Socket), tungstenite::Error> {
    stream.set_nodelay(true)?;
    let mut path = String::new();
    let mut protocol = None;
    #[expect(clippy::result_large_err, reason = "the library's callback has this type")]
    let callback = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        path = request.uri().to_string();
        protocol = request.headers().get(SEC_WEBSOCKET_PROTOCOL).cloned();
        if let Some(protocol) = &protocol {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
        Ok(response)
    };
    let player = accept_hdr_async(stream, callback).await?;
    let mut request = format!("ws://{server}{path}").into_client_request()?;
    if let Some(protocol) = protocol {
        let protocol: HeaderValue = protocol;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let upstream = TcpStream::connect(server).await?;
    upstream.set_nodelay(true)?;
    let (server, _) = client_async(request, upstream).await?;
    Ok((player, server))
}

struct Carrier {
    player: Socket,
    server: Socket,
    breaker: Option<Breaker>,
    /// Delayed messages, and when to send them.
    held: Vec<(Instant, Out)>,
}

impl Carrier {
    async fn run(mut self) -> Result<(), tungstenite::Error> {
        loop {
            let due = self.held.iter().map(|(at, _)| *at).min();
            let wake = sleep_until(due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600)));
            let (direction, message) = tokio::select! {
                message = self.player.next() => (Direction::Sent, message),
                message = self.server.next() => (Direction::Received, message),
                () = wake => {
                    self.release().await?;
                    continue;
                }
            };
            match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => self.pass(direction, message).await?,
                Some(Ok(Message::Close(frame))) => {
                    return self.towards(direction).close(frame).await;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            }
        }
    }

    /// The socket to which messages of this direction are sent.
    const fn towards(&mut self, direction: Direction) -> &mut Socket {
        match direction {
            Direction::Sent => &mut self.server,
            Direction::Received => &mut self.player,
        }
    }

    async fn pass(&mut self, direction: Direction, message: Message) -> Result<(), tungstenite::Error> {
        let value = match &message {
            Message::Text(text) => serde_json::from_str::<Value>(text).ok(),
            _ => None,
        };
        let (Some(breaker), Some(value)) = (&mut self.breaker, value) else {
            return self.towards(direction).send(message).await;
        };
        for out in breaker.pass(direction, value.clone()) {
            if out.direction == direction && out.message == value && out.after == Duration::ZERO {
                self.towards(direction).send(message.clone()).await?;
            } else if out.after == Duration::ZERO {
                self.send(out).await?;
            } else {
                self.held.push((Instant::now() + out.after, out));
            }
        }
        Ok(())
    }

    async fn release(&mut self) -> Result<(), tungstenite::Error> {
        let now = Instant::now();
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(|(at, _)| *at <= now);
        self.held = held;
        let due: Vec<(Instant, Out)> = due;
        for (_, out) in due {
            self.send(out).await?;
        }
        Ok(())
    }

    async fn send(&mut self, out: Out) -> Result<(), tungstenite::Error> {
        let text = String::from_utf8_lossy(&out.bytes()).into_owned();
        self.towards(out.direction).send(Message::Text(text.into())).await
    }
}
