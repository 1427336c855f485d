//! Every break again, live.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, client_async};
use tungstenite::Message;

use crate::breaker::Break;
use crate::proxy::Proxy;

#[tokio::test]
async fn the_proxy_carries_what_it_does_not_break_byte_for_byte() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap(), Break::DropsAnEvent).await.unwrap();
    let echo = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if !message.is_close() {
                socket.send(message).await.unwrap();
            }
        }
    };
    let player = async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let (mut socket, _) = client_async(format!("ws://{}/play", proxy.address), stream).await.unwrap();
        let odd = Message::text("{ \"type\" : \"pong\", \"z\": 1, \"a\": 2 }");
        for message in [Message::text("{\"type\":\"close\",\"seq\":1}"), odd.clone(), Message::binary(vec![1, 2, 3])] {
            socket.send(message).await.unwrap();
        }
        assert_eq!(socket.next().await.unwrap().unwrap(), odd);
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(vec![1, 2, 3]));
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
    };
    tokio::join!(echo, player);
}
