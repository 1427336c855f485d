//! One WebSocket of a player, with a log of all messages.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use tokio::time::timeout;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::Utf8Bytes;

use super::ledger::Page;
use super::stream::Stream;
use crate::evidence::Micros;

/// The path for players, on the players' port.
pub const PLAYERS_PATH: &str = "/play";

/// The time limit of a send; after it the connection is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that was received on a connection.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message(Arc<ToPlayer>),
    /// Bytes that are not a message of the protocol.
    Unreadable,
    /// The connection is closed.
    Closed,
}

/// Why a connection could not be opened, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The server refused it, or the network failed.
    #[error(transparent)]
    WebSocket(#[from] tungstenite::Error),
    /// Nothing was received or sent within the time limit.
    #[error("nothing happened for {} s", .0.as_secs())]
    Silence(Duration),
}

impl From<std::io::Error> for ConnectionError {
    fn from(error: std::io::Error) -> Self {
        Self::WebSocket(error.into())
    }
}

/// One WebSocket of a player.
#[derive(Debug)]
pub struct PlayerConnection {
    socket: WebSocketStream<Stream>,
    page: Page,
}

impl PlayerConnection {
    /// Connects and performs the handshake; the log is opened after that succeeded.
    ///
    /// # Errors
    /// If the server can't be reached, refuses the handshake, or sends nothing within `patience`.
    pub async fn open(
        address: SocketAddr,
        patience: Duration,
        codec: Codec,
        page: impl FnOnce() -> Page + Send,
    ) -> Result<Self, ConnectionError> {
        let silence = |_| ConnectionError::Silence(patience);
        let socket = timeout(patience, handshake(address, codec)).await.map_err(silence)??;
        Ok(Self { socket, page: page() })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If the connection is closed, or the server does not read for 10 s.
    pub async fn send(&mut self, message: &FromPlayer) -> Result<(), ConnectionError> {
        self.send_bytes(self.page.codec().encode(message)).await
    }

    /// Sends bytes that may be invalid.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), ConnectionError> {
        self.page.sent(&bytes);
        let message = match self.page.codec() {
            Codec::Json => match Utf8Bytes::try_from(bytes) {
                Ok(text) => Message::Text(text),
                Err(_) => return Ok(()),
            },
            Codec::Bincode => Message::Binary(Bytes::from(bytes)),
        };
        self.socket.get_mut().begin();
        timeout(PATIENCE, self.socket.send(message)).await.map_err(|_| ConnectionError::Silence(PATIENCE))??;
        if let Some(written) = self.socket.get_ref().written() {
            self.page.written(written);
        }
        self.socket.get_mut().end();
        self.note_times();
        Ok(())
    }

    /// Receives the next message. Cancel-safe.
    pub async fn receive(&mut self) -> Received {
        loop {
            let bytes = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => Bytes::from(text),
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(frame))) => {
                    if let Some(frame) = frame {
                        self.page.closed(frame.code.into());
                    }
                    return Received::Closed;
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Received::Closed,
            };
            let came = self.socket.get_ref().came();
            self.note_times();
            return self.page.received(came, &bytes).map_or(Received::Unreadable, Received::Message);
        }
    }

    /// Sends a WebSocket close frame.
    pub async fn close(mut self) {
        // It fails if the server has closed the connection already.
        let _ = timeout(Duration::from_secs(1), self.socket.close(None)).await;
        self.note_times();
    }

    /// Logs the kernel's times of sent messages that are available.
    fn note_times(&mut self) {
        self.page.sent_beside(self.socket.get_mut().others());
        while self.page.awaits_times()
            && let Some(sent) = self.socket.get_mut().sent()
        {
            self.page.time_of(sent);
        }
    }
}

impl Drop for PlayerConnection {
    fn drop(&mut self) {
        self.note_times();
        // The connection's last packet (FIN) contains no bytes, and is sent after this.
        self.page.sent_beside(std::iter::once(Micros::now()));
    }
}

async fn handshake(address: SocketAddr, codec: Codec) -> Result<WebSocketStream<Stream>, ConnectionError> {
    let mut request = format!("ws://{address}{PLAYERS_PATH}").into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(codec.subprotocol()));
    let stream = Stream::connect(address).await?;
    // Small buffers, since thousands of connections are open at once and messages are small.
    let config = WebSocketConfig::default().read_buffer_size(2048).write_buffer_size(0);
    let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_hdr_async;
    use tungstenite::handshake::server::{Request, Response};

    use super::super::ledger::Ledger;
    use super::*;
    use crate::evidence::{GatewayNumber, PlayerNumber};

    #[tokio::test]
    async fn the_end_of_a_connection_is_noted_as_sent_behind_its_messages() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            #[expect(clippy::result_large_err, reason = "the library's own type")]
            let codec = |_: &Request, mut response: Response| {
                let chosen = HeaderValue::from_static(Codec::Bincode.subprotocol());
                response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, chosen);
                Ok(response)
            };
            accept_hdr_async(stream, codec).await.unwrap().next().await
        });
        let ledger = Arc::new(Ledger::default());
        let page = || ledger.open(PlayerNumber(0), GatewayNumber(0), Codec::Bincode, true);
        let mut player = PlayerConnection::open(address, Duration::from_secs(5), Codec::Bincode, page).await.unwrap();
        player.send(&FromPlayer::Leave).await.unwrap();
        server.await.unwrap().unwrap().unwrap();
        let before = Micros::now();
        drop(player);
        let evidence = ledger.take();
        let &ended = evidence.connections[0].sent_beside.last().unwrap();
        assert!(before <= ended && ended <= Micros::now());
    }
}
