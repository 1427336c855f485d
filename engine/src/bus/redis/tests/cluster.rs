//! The bus over a Redis Cluster.

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_servers::RedisCluster;

use super::house::House;
use crate::bus::contract::{self, ANN, OTHER, SHOW, event, hear_some, play, reach, turn, word, word_about};
use crate::bus::{Address, EngineEnd, GatewayEnd, Turn};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_cluster_it_does_what_a_bus_does() {
    let cluster = RedisCluster::start().await.unwrap();
    let house = async |name| House::on(&cluster.urls(), name).await;
    contract::what_a_gateway_says_about_a_show_arrives_in_order(house("a").await).await;
    contract::a_turn_is_heard_in_order_by_those_it_is_for(house("b").await).await;
    contract::many_turns_are_heard_in_order(house("c").await).await;
    contract::messages_arrive_whole(house("d").await).await;
    contract::an_answer_reaches_a_host_whose_gateway_hears_no_show(house("e").await).await;
    contract::a_turn_may_be_for_nobody(house("f").await).await;
    contract::a_show_goes_on_under_a_new_lease(house("g").await).await;
    contract::a_host_is_heard_by_an_engine(house("h").await).await;
    contract::a_gateway_that_is_gone_is_missed(house("i").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_away_stops_its_own_shows_only_and_they_go_on_when_it_is_back() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let house = House::on(&cluster.urls(), "k").await;
    let lost = cluster.node_of(&SHOW.to_string()).await.unwrap();
    let mut other = OTHER;
    while cluster.node_of(&other.to_string()).await.unwrap() == lost {
        other = ShowId(other.0 + 1);
    }
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    house.lease(other, Fence(1)).await;
    house.engine.adopt(other, Fence(1)).await.unwrap();
    ann.attend(other);

    cluster.process(lost).kill();
    ann.send(word(1));
    house.engine.say(turn(vec![(Address::All, event(1))]));
    ann.send(word_about(other, 2));
    reach(&house.engine, |message| *message == word_about(other, 2), 1).await;
    house.engine.say(Turn { show: other, ..turn(vec![(Address::All, event(2))]) });
    assert_eq!(hear_some(&ann, 1).await, [event(2)]);

    cluster.start_again(lost).await.unwrap();
    house.until_some(async || house.try_lease(SHOW, Fence(2)).await.ok()).await;
    house.until_some(async || house.engine.adopt(SHOW, Fence(2)).await.ok()).await;
    reach(&house.engine, |message| *message == word(1), 1).await;
    assert_eq!(hear_some(&ann, 1).await, [event(1)]);
}
