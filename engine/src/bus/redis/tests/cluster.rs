//! The bus over a Redis Cluster.

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_servers::RedisCluster;

use super::fixture::Fixture;
use crate::bus::contract::{
    self, ANN, OTHER, SHOW, event, numbered, numbered_about, play, publication, receive_at, receive_some,
};
use crate::bus::{Address, EngineEnd, GatewayEnd, Publication};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_over_a_redis_cluster_keeps_the_contract() {
    let cluster = RedisCluster::start().await.unwrap();
    let fixture = async |name| Fixture::on(&cluster.urls(), name).await;
    contract::what_a_gateway_sends_about_a_show_arrives_in_order(fixture("a").await).await;
    contract::a_publication_is_received_in_order_by_the_gateways_it_is_for(fixture("b").await).await;
    contract::many_publications_are_received_in_order(fixture("c").await).await;
    contract::messages_arrive_whole(fixture("d").await).await;
    contract::a_reply_reaches_a_host_whose_gateway_subscribes_to_no_show(fixture("e").await).await;
    contract::a_publication_may_be_for_no_gateway(fixture("f").await).await;
    contract::a_show_goes_on_under_a_new_lease(fixture("g").await).await;
    contract::a_hosts_request_reaches_an_engine(fixture("h").await).await;
    contract::an_engine_notices_that_a_gateway_is_gone(fixture("i").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_node_that_is_away_stops_only_its_own_shows_and_they_go_on_when_it_is_back() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let fixture = Fixture::on(&cluster.urls(), "k").await;
    let lost = cluster.node_of(&SHOW.to_string()).await.unwrap();
    let mut other = OTHER;
    while cluster.node_of(&other.to_string()).await.unwrap() == lost {
        other = ShowId(other.0 + 1);
    }
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    fixture.lease(other, Fence(1)).await;
    fixture.engine.take_over(other, Fence(1)).await.unwrap();
    ann.subscribe(other);

    cluster.process(lost).kill();
    ann.send(numbered(1));
    fixture.engine.publish(publication(vec![(Address::All, event(1))])).unwrap();
    ann.send(numbered_about(other, 2));
    receive_at(&fixture.engine, |message| *message == numbered_about(other, 2), 1).await;
    fixture.engine.publish(Publication { show: other, ..publication(vec![(Address::All, event(2))]) }).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(2)]);

    cluster.start_again(lost).await.unwrap();
    fixture.until_some(async || fixture.try_lease(SHOW, Fence(2)).await.ok()).await;
    fixture.until_some(async || fixture.engine.take_over(SHOW, Fence(2)).await.ok()).await;
    receive_at(&fixture.engine, |message| *message == numbered(1), 1).await;
    assert_eq!(receive_some(&ann, 1).await, [event(1)]);
}
