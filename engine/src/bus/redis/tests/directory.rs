//! Codes, creates and lists.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{Action, Command, FindPlayers, FromHost, Refused, ShowLine, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, PlayerId, ShowCode, ShowId};
use klaxon_protocol::link::{JoinRequest, Proof, ToEngine, ToGateway};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Phase, Role};

use super::house::House;
use crate::bus::contract::{ANN, OTHER, SHOW, hear_some, messages, reach};
use crate::bus::{EngineEnd, Entered, GatewayEnd};

const MADE_OF: u64 = u64::MAX;

fn code(text: &str) -> ShowCode {
    ShowCode::parse(text).unwrap()
}

fn create(text: &str) -> CommandId {
    CommandId::parse(text).unwrap()
}

fn line(show: ShowId, code: &ShowCode, phase: Phase) -> ShowLine {
    ShowLine { show, code: code.clone(), title: "A show".into(), phase, joined: 0 }
}

fn join(code: &ShowCode, conn: u64) -> ToEngine {
    ToEngine::Join(JoinRequest {
        conn: ConnRef { gateway: ANN, conn },
        code: code.clone(),
        player: PlayerId::parse("ann").unwrap(),
        name: None,
        role: Role::Player,
        proof: Proof::NewGuest,
        origin: Origin::of_hash(1),
    })
}

/// The show is played and listed.
async fn listed(house: &House, show: ShowId, code: &ShowCode, phase: Phase) {
    house.lease(show, Fence(1)).await;
    house.engine.adopt(show, Fence(1)).await.unwrap();
    let line = line(show, code, phase);
    house.engine.list(line.clone());
    house.until(async || house.engine.lines().await.unwrap().unwrap().contains(&line)).await;
}

#[tokio::test]
async fn a_code_belongs_to_one_show_until_that_is_over() {
    let house = House::start().await;
    let (live, other) = (code("LIVE"), code("OTHER"));
    let enter = async |show, code, id| house.engine.enter(show, code, &create(id), MADE_OF).await.unwrap();
    assert_eq!(enter(SHOW, &live, "a").await, Entered::New);
    assert_eq!(enter(OTHER, &live, "b").await, Entered::CodeTaken, "it was entered a moment ago");
    listed(&house, SHOW, &live, Phase::Lobby).await;
    assert_eq!(enter(OTHER, &live, "b").await, Entered::CodeTaken);
    assert_eq!(enter(OTHER, &other, "b").await, Entered::New, "with another code");
    listed(&house, SHOW, &live, Phase::Ended).await;
    assert_eq!(enter(ShowId(8), &live, "c").await, Entered::New);
    house.engine.let_go(SHOW, true);
    house.engine.finish().await;
    assert_eq!(
        enter(ShowId(9), &live, "d").await,
        Entered::CodeTaken,
        "a show that is over gives up its own code only"
    );
    assert_eq!(house.engine.lines().await, Ok(Some(Vec::new())));
}

#[tokio::test]
async fn a_create_makes_one_show_whichever_engine_is_asked_again() {
    let house = House::start().await;
    let (live, other) = (code("LIVE"), house.other_engine().await);
    let id = create("a");
    assert_eq!(house.engine.enter(SHOW, &live, &id, MADE_OF).await, Ok(Entered::New));
    assert_eq!(other.enter(OTHER, &live, &id, MADE_OF).await, Ok(Entered::New), "the first engine died over it");
    listed(&house, OTHER, &live, Phase::Created).await;
    let before = Ok(Entered::Before(OTHER, live.clone()));
    assert_eq!(house.engine.enter(SHOW, &live, &id, MADE_OF).await, before);
    assert_eq!(other.enter(ShowId(3), &code("WISH"), &id, MADE_OF).await, before);
    assert_eq!(other.enter(ShowId(4), &live, &id, 0).await, Ok(Entered::IdTaken), "it would make another show");
    assert_eq!(house.engine.enter(ShowId(4), &code("WISH"), &id, MADE_OF - 1).await, Ok(Entered::IdTaken));
    assert_eq!(house.engine.enter(SHOW, &live, &id, MADE_OF).await, before, "and takes nothing from the first");
}

#[tokio::test]
async fn joins_find_their_show_by_its_code_and_those_of_no_show_are_refused() {
    let house = House::start().await;
    let (ann, live) = (house.gateway(ANN).await, code("LIVE"));
    house.engine.enter(SHOW, &live, &create("a"), MADE_OF).await.unwrap();
    listed(&house, SHOW, &live, Phase::Lobby).await;
    let joins: Vec<ToEngine> = (0..100).map(|conn| join(&live, conn)).collect();
    joins.iter().for_each(|join| ann.send(join.clone()));
    ann.send(join(&code("NONE"), 7));
    let refused = ToGateway::JoinRefused {
        conn: ConnRef { gateway: ANN, conn: 7 },
        error: ErrorMessage::from(ErrorCode::UnknownShow),
    };
    assert_eq!(hear_some(&ann, 1).await, [refused]);
    let reached = reach(&house.engine, |message| matches!(message, ToEngine::Join(_)), 100).await;
    assert!(reached.iter().all(|heard| heard.show == Some(SHOW)));
    assert_eq!(messages(reached), joins);
}

#[tokio::test]
async fn a_host_is_heard_by_the_show_meant_and_refused_if_there_is_none() {
    let house = House::start().await;
    let (ann, live) = (house.gateway(ANN).await, code("LIVE"));
    listed(&house, SHOW, &live, Phase::Lobby).await;
    let conn = ConnRef { gateway: ANN, conn: 1 };
    let command = |show, id| {
        let message = FromHost::Command(Command { id: create(id), show, action: Action::OpenLobby });
        ToEngine::Host { conn, message }
    };
    let find = |show| ToEngine::Host { conn, message: FromHost::FindPlayers(FindPlayers { show, name: "Ann".into() }) };
    let said = [command(SHOW, "1"), command(SHOW, "2"), find(SHOW), command(SHOW, "3")];
    said.iter().for_each(|message| ann.send(message.clone()));
    let reached = reach(&house.engine, |message| matches!(message, ToEngine::Host { .. }), 4).await;
    assert_eq!(messages(reached), said);

    ann.send(command(OTHER, "4"));
    ann.send(find(OTHER));
    let error = ErrorMessage::from(ErrorCode::UnknownShow);
    let refused = ToHost::Refused(Refused { id: create("4"), error: error.clone() });
    let refused = [refused, ToHost::Error(error)].map(|message| ToGateway::Host { conn, message });
    assert_eq!(hear_some(&ann, 2).await, refused);
}
