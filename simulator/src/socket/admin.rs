//! The host's connection to the admin socket: comes back by itself, and sends again what was not acknowledged.

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

/// Where hosts connect, on the admin port.
pub const HOST_PATH: &str = "/host";

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_millis(200);
/// A watched show sends figures several times a second. A gateway that sends nothing for this long is left, if there are others.
const SILENCE: Duration = Duration::from_secs(3);
/// Longer than any show.
const FOREVER: Duration = Duration::from_secs(86_400);

/// Where and with what a host connects.
#[derive(Debug, Clone)]
pub struct AdminAccess {
    /// The admin ports; more than one if there are several gateways, each as good as the others.
    pub addresses: Vec<SocketAddr>,
    /// What is in the service's admin token file.
    pub token: String,
}

impl AdminAccess {
    /// These addresses with the token in this file.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn of_file(addresses: Vec<SocketAddr>, token: &Path) -> io::Result<Self> {
        Ok(Self { addresses, token: std::fs::read_to_string(token)?.trim().to_owned() })
    }
}

/// Why there is no use in trying again.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The token is not the server's.
    #[error("the server at {0} does not take this admin token")]
    Unauthorized(SocketAddr),
    /// The token could not be put into a header.
    #[error("the admin token holds characters that no header can carry")]
    BadToken,
    /// There is nowhere to connect to.
    #[error("no admin address is known")]
    NoAddress,
    /// The request could not be made.
    #[error(transparent)]
    BadRequest(#[from] tungstenite::Error),
}

/// The host's connection, over all reconnections.
#[derive(Debug)]
pub struct AdminConnection {
    admin: AdminAccess,
    /// Which of the addresses is used.
    at: usize,
    socket: Option<WebSocketStream<TcpStream>>,
    watched: Option<ShowId>,
    /// Sent and neither done nor refused yet.
    pending: Vec<(CommandId, FromHost)>,
    reconnects: u32,
}

impl AdminConnection {
    /// One that is not connected yet.
    #[must_use]
    pub const fn new(admin: AdminAccess) -> Self {
        Self { admin, at: 0, socket: None, watched: None, pending: Vec::new(), reconnects: 0 }
    }

    /// How often the connection was lost and made again.
    #[must_use]
    pub const fn reconnects(&self) -> u32 {
        self.reconnects
    }

    /// How many commands wait for their acknowledgement.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Sends a message; one with an id is sent again after every reconnection until it is acknowledged.
    pub async fn send(&mut self, message: FromHost) {
        let id = match &message {
            FromHost::Create(create) => Some(create.id.clone()),
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

    /// The next message, over as many connections as it takes. May be dropped and called again without losing anything.
    ///
    /// # Errors
    /// Only if trying again is of no use; a server that is away is tried for ever.
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
            // A message that only a newer server knows is skipped.
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

    /// The next connection is to another gateway, if there is one.
    fn go_elsewhere(&mut self) {
        self.at = (self.at + 1) % self.admin.addresses.len().max(1);
    }

    fn acknowledged(&mut self, id: &CommandId) {
        self.pending.retain(|(pending, _)| pending != id);
    }

    /// A connection on which all that is pending was sent again; the error is none if trying again may help.
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
