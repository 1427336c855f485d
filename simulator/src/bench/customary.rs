//! The server as it is customarily written: tokio-tungstenite, with a task and a broadcast receiver for each
//! connection.

use std::io;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::FromPlayer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::accept_hdr_async;
use tungstenite::Message;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

use super::floor::HOST_PATH;
use super::question;

/// The number of messages by which a receiver may lag behind.
const CAPACITY: usize = 64;

/// Listens and serves connections; returns only with an error.
///
/// # Errors
/// If the address can't be used.
pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let (everybody, _) = broadcast::channel(CAPACITY);
    loop {
        let (stream, _) = listener.accept().await?;
        let everybody = everybody.clone();
        tokio::spawn(async move {
            // An error only means that the connection has ended.
            let _ = connection(stream, everybody).await;
        });
    }
}

// The library prescribes the type of the refusal.
#[allow(clippy::result_large_err)]
async fn connection(stream: TcpStream, everybody: broadcast::Sender<Message>) -> Result<(), tungstenite::Error> {
    stream.set_nodelay(true)?;
    let mut is_host = false;
    let agree = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        is_host = request.uri().path() == HOST_PATH;
        if let Some(offered) = request.headers().get(SEC_WEBSOCKET_PROTOCOL) {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offered.clone());
        }
        Ok(response)
    };
    let socket = accept_hdr_async(stream, agree).await?;
    let (mut to_player, mut from_player) = socket.split();
    let mut news = everybody.subscribe();
    loop {
        tokio::select! {
            step = news.recv() => match step {
                Ok(message) if !is_host => to_player.send(message).await?,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            },
            received = from_player.next() => match received {
                Some(Ok(message)) if is_host => {
                    // This fails if no player is connected yet.
                    let _ = everybody.send(message);
                }
                Some(Ok(Message::Text(text))) => {
                    if let Ok(FromPlayer::Answer(answer)) = Codec::Json.decode(text.as_bytes(), &[]) {
                        let reply = String::from_utf8(question::reply(answer.question)).unwrap_or_default();
                        to_player.send(Message::text(reply)).await?;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}
