//! From where players come, by real sockets with several addresses of their own.

use klaxon_gateway::settings::GatewaySettings;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::FromPlayer;
use tokio::net::TcpSocket;

use crate::fixture::{Client, Fixture, fixture, join, settings_of_each};

/// As what the engine is asked for a seat by one who connects from there.
async fn origin(fixture: &mut Fixture, from: [u8; 4]) -> Origin {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let stream = socket.connect(fixture.gateway.addr()).await.unwrap();
    let mut client = Client::over(stream, Codec::Json).await.unwrap();
    client.send(FromPlayer::Join(join())).await;
    fixture.engine.wait(|said| if let ToEngine::Join(asked) = said { Some(asked.origin) } else { None }).await
}

#[tokio::test]
async fn connections_from_one_address_have_one_origin_at_all_gateways_with_the_same_secret() {
    let mut origins = Vec::new();
    for settings in settings_of_each() {
        let mut other = fixture(GatewaySettings { secret: [8; 32], ..settings.clone() });
        let mut fixture = fixture(settings);
        let (here, there) = (origin(&mut fixture, [127, 0, 0, 2]).await, origin(&mut fixture, [127, 0, 0, 3]).await);
        assert_ne!(here, there);
        assert_eq!(origin(&mut fixture, [127, 0, 0, 2]).await, here);
        assert_ne!(origin(&mut other, [127, 0, 0, 2]).await, here, "under another secret it is another");
        origins.push((here, there));
    }
    assert_eq!(origins[0], origins[1]);
}
