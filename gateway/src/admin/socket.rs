//! One host's WebSocket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::{Codec, command_id_in};
use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{FROM_HOST_TYPES, FromHost, Refused, ToHost};
use tokio::sync::watch;

use super::hosts::{Host, Hosts};

/// How often a host is pinged, so that both sides notice when the other is gone.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A host that sends nothing for this long, not even pongs, is disconnected.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a host's connection ends.
enum Ending {
    /// The host closed it, or the network failed.
    Gone,
    /// The host did not read its messages fast enough.
    TooSlow,
    /// The server stops.
    ShuttingDown,
}

/// Serves a host until it disconnects, is too slow, or the server stops.
pub async fn serve(
    socket: WebSocket,
    codec: Codec,
    hosts: Arc<Hosts>,
    host: Arc<Host>,
    mut stop: watch::Receiver<bool>,
) {
    let (mut sink, mut stream) = socket.split();
    let ending = tokio::select! {
        () = read(&mut stream, codec, &hosts, &host) => Ending::Gone,
        () = write(&mut sink, codec, &host) => Ending::Gone,
        () = host.outbox.overflowed() => Ending::TooSlow,
        // An error means that the sender is dropped: the server has stopped.
        _ = stop.wait_for(|stopped| *stopped) => Ending::ShuttingDown,
    };
    hosts.leave(&host);
    let frame = match ending {
        Ending::Gone => return,
        Ending::TooSlow => {
            metrics::counter!("klaxon_hosts_shed_total").increment(1);
            tracing::warn!("a host could not keep up and was cut off");
            CloseFrame { code: close_code::POLICY, reason: ErrorCode::TooSlow.code().into() }
        }
        Ending::ShuttingDown => CloseFrame { code: close_code::AWAY, reason: ErrorCode::ShuttingDown.code().into() },
    };
    close(sink, stream, frame).await;
}

/// Closes the connection of a host that can't be served.
pub async fn refuse(socket: WebSocket, frame: CloseFrame) {
    let (sink, stream) = socket.split();
    close(sink, stream, frame).await;
}

/// Sends the close frame, and drops the connection if the client does not close in time.
async fn close(mut sink: SplitSink<WebSocket, Message>, mut stream: SplitStream<WebSocket>, frame: CloseFrame) {
    let closed = async {
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            // Dropping a socket with unread input would reset the connection and discard what was sent, so it is read
            // until the host closes too.
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
}

/// Reads messages until the host disconnects.
async fn read(stream: &mut SplitStream<WebSocket>, codec: Codec, hosts: &Hosts, host: &Host) {
    while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, stream.next()).await {
        let (bytes, sent_in) = match message {
            Message::Text(text) => (Bytes::from(text), Codec::Json),
            Message::Binary(bytes) => (bytes, Codec::Bincode),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return,
        };
        let message = match codec {
            _ if sent_in == codec => codec.decode::<FromHost>(&bytes, FROM_HOST_TYPES),
            Codec::Json => Err(wrong_frame("text", codec)),
            Codec::Bincode => Err(wrong_frame("binary", codec)),
        };
        match message {
            Ok(message) => hosts.receive_from(host, message),
            Err(refusal) => host.outbox.push(Arc::new(refused(&refusal, &bytes, sent_in))),
        }
    }
}

/// The refusal of a message that could not be decoded, with the message's id if that could be read.
fn refused(refusal: &Refusal, message: &[u8], sent_in: Codec) -> ToHost {
    let error = ErrorMessage::from(refusal);
    // A client that used the wrong kind of frame for its codec still gets its id back.
    let id = command_id_in(sent_in, message).or_else(|| command_id_in(Codec::Json, message));
    match id {
        Some(id) => ToHost::Refused(Refused { id, error }),
        None => ToHost::Error(error),
    }
}

fn wrong_frame(wanted: &str, codec: Codec) -> Refusal {
    Refusal::because(ErrorCode::BadMessage, format!("{} is spoken in {wanted} frames.", codec.subprotocol()))
}

/// Writes messages until a write fails.
async fn write(sink: &mut SplitSink<WebSocket, Message>, codec: Codec, host: &Host) {
    let mut pings = tokio::time::interval(PING_EVERY);
    loop {
        let frame = tokio::select! {
            message = host.outbox.next() => encode(codec, &message),
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        if sink.send(frame).await.is_err() {
            return;
        }
    }
}

fn encode(codec: Codec, message: &ToHost) -> Message {
    let bytes = codec.encode(message);
    match codec {
        Codec::Json => Message::Text(Utf8Bytes::try_from(bytes).expect("JSON is UTF-8")),
        Codec::Bincode => Message::Binary(bytes.into()),
    }
}
