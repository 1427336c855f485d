//! A host at the admin port.

use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::host::{FromHost, ShowRef, ToHost};
use klaxon_protocol::player::Ping;
use klaxon_protocol::time::Millis;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{SHOW, Stage, TOKEN};

/// A host's client, with either codec.
pub struct Host {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    codec: Codec,
}

impl Host {
    pub async fn connect(stage: &Stage, codec: Codec) -> Self {
        let mut request = format!("ws://{}/host", stage.address()).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        headers.insert("sec-websocket-protocol", codec.subprotocol().parse().unwrap());
        let (socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], codec.subprotocol());
        Self { socket, codec }
    }

    pub async fn send(&mut self, message: FromHost) {
        let bytes = self.codec.encode(&message);
        let frame = match self.codec {
            Codec::Json => Message::text(String::from_utf8(bytes).unwrap()),
            Codec::Bincode => Message::binary(bytes),
        };
        self.socket.send(frame).await.unwrap();
    }

    pub async fn frame(&mut self) -> Message {
        loop {
            let frame = self.socket.next().await.unwrap().unwrap();
            if !frame.is_ping() {
                return frame;
            }
        }
    }

    pub async fn receive(&mut self) -> ToHost {
        let frame = self.frame().await;
        assert_eq!(frame.is_text(), self.codec == Codec::Json, "{frame:?}");
        self.codec.decode(&frame.into_data(), &[]).unwrap()
    }

    /// Waits until all that was sent before is processed: then a ping is answered.
    pub async fn settle(&mut self) {
        self.send(FromHost::Ping(Ping { sent: Millis(1) })).await;
        assert!(matches!(self.receive().await, ToHost::Pong(pong) if pong.sent == Millis(1)));
    }

    pub async fn watch(&mut self) {
        self.send(FromHost::Watch(ShowRef { show: SHOW })).await;
        self.settle().await;
    }
}
