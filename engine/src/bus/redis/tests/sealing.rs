//! A pack on its way from a host to an engine, where a neighbour in Redis looks on.

use klaxon_protocol::games::trivia::{Create, Pack, Settings};
use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{CommandId, ConnRef, ShowCode, ShowId};
use klaxon_protocol::link::ToEngine;

use super::fixture::Fixture;
use crate::bus::contract::ANN;
use crate::bus::redis::entry;
use crate::bus::redis::{RedisEngineEnd, RedisGatewayEnd};
use crate::bus::{EngineEnd, GatewayEnd};
use crate::redis::Redis;
use crate::seal::SealKeys;

fn create() -> ToEngine {
    let pack = Pack { title: "Tonight's secret questions".into(), questions: Vec::new() };
    let id = CommandId::parse("create").unwrap();
    let create = Create { id, code: None, pack, settings: Settings::default() };
    ToEngine::Host { conn: ConnRef { gateway: ANN, conn: 1 }, message: FromHost::Create(Box::new(create)) }
}

fn sealed(redis: &Redis) -> Redis {
    redis.clone().sealed(SealKeys::of_secrets(&["7d20e9b4c81f5a36902e64fdb7c8a15e"]))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The fixture's engine has no key, and is the first to be given the request.
#[tokio::test]
async fn a_pack_is_sealed_in_redis_and_waits_for_an_engine_with_the_key() {
    let fixture = Fixture::start().await;
    let ann = RedisGatewayEnd::connect(&sealed(&fixture.redis), ANN, None).await.unwrap();
    ann.send(create());
    let key = fixture.redis.keys().host_requests();
    let raw: Vec<u8> = fixture
        .until_some(async || {
            let mut range = redis::cmd("XRANGE");
            range.arg(&key).arg("-").arg("+");
            let entries = entry::entries(fixture.ask(&range).await.unwrap());
            entries.into_iter().next().map(|entry| entry.messages)
        })
        .await;
    assert!(!contains(&raw, "secret questions"), "it is sealed");
    let pending = async || {
        let pending: (u64, Option<String>, Option<String>, redis::Value) =
            fixture.ask(redis::cmd("XPENDING").arg(&key).arg("engines")).await.unwrap();
        pending.0
    };
    fixture.until(async || pending().await == 1).await;

    let with_key = RedisEngineEnd::connect(&sealed(&fixture.redis), "with the key").await.unwrap();
    let mut received = Vec::new();
    while received.is_empty() {
        assert!(with_key.receive(&mut received).await);
    }
    assert_eq!(received[0].message, create());
}

#[tokio::test]
async fn the_directory_has_no_hash_by_which_a_pack_can_be_found() {
    let fixture = Fixture::start().await;
    let engine = RedisEngineEnd::connect(&sealed(&fixture.redis), "with the key").await.unwrap();
    let (code, id) = (ShowCode::parse("LIVE").unwrap(), CommandId::parse("create").unwrap());
    let made_of = 0x0123_4567_89ab_cdef;
    engine.register_show(ShowId(1), &code, &id, made_of).await.unwrap();
    let keys: Vec<String> = fixture.ask(redis::cmd("KEYS").arg("*")).await.unwrap();
    let mut looked_at = 0;
    for key in keys {
        // Keys of other types hold nothing of the directory's.
        if let Ok(value) = fixture.ask::<String>(redis::cmd("GET").arg(&key)).await {
            assert!(!value.contains(&made_of.to_string()) && !value.contains("123456789abcdef"), "{key}: {value}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 0, "there are such keys");
}
