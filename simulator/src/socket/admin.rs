//! The host's connection to the admin socket: it reconnects automatically, and repeats messages that were not
//! acknowledged.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::host::{FromHost, ShowRef, ToHost};
use klaxon_protocol::ids::{CommandId, ShowId};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{WebSocketStream, client_async};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tungstenite::http::{HeaderValue, StatusCode};

/// The path for hosts, on the admin port.
pub const HOST_PATH: &str = "/host";

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_millis(200);
/// A watched show sends figures several times a second. After a silence of this length the host connects to another
/// gateway, if there is one.
const SILENCE: Duration = Duration::from_secs(3);
/// A time limit longer than any show.
const FOREVER: Duration = Duration::from_secs(86_400);

/// The addresses and the token for a host's connection.
#[derive(Debug, Clone)]
pub struct AdminAccess {
    /// The admin ports; several if there are several gateways, which are equivalent.
    pub addresses: Vec<SocketAddr>,
    /// The content of the service's admin token file.
    pub token: String,
}

impl AdminAccess {
    /// Access to these addresses with the token in this file.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn of_file(addresses: Vec<SocketAddr>, token: &Path) -> io::Result<Self> {
        Ok(Self { addresses, token: std::fs::read_to_string(token)?.trim().to_owned() })
    }
}

/// An error that repeating can't solve.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The server refuses the token.
    #[error("the server at {0} does not take this admin token")]
    Unauthorized(SocketAddr),
    /// The token contains characters that a header can't.
    #[error("the admin token holds characters that no header can carry")]
    BadToken,
    /// No address was given.
    #[error("no admin address is known")]
    NoAddress,
    /// The request could not be built.
    #[error(transparent)]
    BadRequest(#[from] tungstenite::Error),
}

/// The host's connection, across all reconnections.
#[derive(Debug)]
pub struct AdminConnection {
    admin: AdminAccess,
    /// The index of the current address.
    at: usize,
    socket: Option<WebSocketStream<TcpStream>>,
    watched: Option<ShowId>,
    /// Messages that were sent, and neither acknowledged nor refused yet.
    pending: Vec<(CommandId, FromHost)>,
    reconnects: u32,
}

impl AdminConnection {
    /// A connection that is not established yet.
    #[must_use]
    pub const fn new(admin: AdminAccess) -> Self {
        Self { admin, at: 0, socket: None, watched: None, pending: Vec::new(), reconnects: 0 }
    }

    /// How often the connection was lost and re-established.
    #[must_use]
    pub const fn reconnects(&self) -> u32 {
        self.reconnects
    }

    /// The number of unacknowledged commands.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Sends a message. One with an id is repeated after every reconnection until it is acknowledged.
    pub async fn send(&mut self, message: FromHost) {
        let id = match &message {
            FromHost::Create(create) => Some(create.id.clone()),
            FromHost::CreateGame(create) => Some(create.id.clone()),
            FromHost::Command(command) => Some(command.id.clone()),
            _ => None,
        };
        if let FromHost::Watch(show) = &message {
            self.watched = Some(show.show);
        }
        let sent = match &mut self.socket {
            Some(socket) => send(socket, &message).await.is_ok(),
            None => false,
        };
        if !sent {
            self.socket = None;
        }
        if let Some(id) = id {
            self.pending.push((id, message));
        }
    }

    /// Receives the next message, reconnecting as often as necessary. Cancel-safe.
    ///
    /// # Errors
    /// Only if repeating can't help; a server that is unavailable is tried without limit.
    pub async fn next(&mut self) -> Result<ToHost, AdminError> {
        loop {
            let Some(socket) = &mut self.socket else {
                match timeout(CONNECT_PATIENCE, self.connect()).await {
                    Ok(Ok(socket)) => self.socket = Some(socket),
                    Ok(Err(Some(error))) => return Err(error),
                    Ok(Err(None)) | Err(_) => {
                        self.go_elsewhere();
                        sleep(RETRY).await;
                    }
                }
                continue;
            };
            let silence = if self.watched.is_some() && self.admin.addresses.len() > 1 { SILENCE } else { FOREVER };
            let bytes = match timeout(silence, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => {
                    self.socket = None;
                    self.reconnects += 1;
                    self.go_elsewhere();
                    continue;
                }
                Ok(Some(Ok(_))) => continue,
            };
            // A message of an unknown type, from a newer server, is skipped.
            let Ok(message) = Codec::Json.decode::<ToHost>(bytes.as_bytes(), &[]) else { continue };
            match &message {
                ToHost::Created(created) => self.acknowledged(&created.id),
                ToHost::Done(done) => self.acknowledged(&done.id),
                ToHost::Refused(refused) => self.acknowledged(&refused.id),
                _ => {}
            }
            return Ok(message);
        }
    }

    /// Uses the next address for the next connection.
    fn go_elsewhere(&mut self) {
        self.at = (self.at + 1) % self.admin.addresses.len().max(1);
    }

    fn acknowledged(&mut self, id: &CommandId) {
        self.pending.retain(|(pending, _)| pending != id);
    }

    /// Connects, and sends all unacknowledged messages again. The error is none if repeating may help.
    async fn connect(&self) -> Result<WebSocketStream<TcpStream>, Option<AdminError>> {
        let address = *self.admin.addresses.get(self.at).ok_or(Some(AdminError::NoAddress))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.admin.token));
        let bearer = bearer.map_err(|_| Some(AdminError::BadToken))?;
        let url = format!("ws://{address}{HOST_PATH}");
        let mut request = url.into_client_request().map_err(|error| Some(error.into()))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let json = HeaderValue::from_static(Codec::Json.subprotocol());
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, json);
        let stream = TcpStream::connect(address).await.map_err(|_| None)?;
        let (mut socket, _) = client_async(request, stream).await.map_err(|error| match error {
            tungstenite::Error::Http(response)
                if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&response.status()) =>
            {
                Some(AdminError::Unauthorized(address))
            }
            _ => None,
        })?;
        if let Some(show) = self.watched {
            send(&mut socket, &FromHost::Watch(ShowRef { show })).await.map_err(|_| None)?;
        }
        for (_, message) in &self.pending {
            send(&mut socket, message).await.map_err(|_| None)?;
        }
        Ok(socket)
    }
}

async fn send(socket: &mut WebSocketStream<TcpStream>, message: &FromHost) -> Result<(), tungstenite::Error> {
    let text = String::from_utf8(Codec::Json.encode(message)).unwrap_or_default();
    socket.send(Message::text(text)).await
}
