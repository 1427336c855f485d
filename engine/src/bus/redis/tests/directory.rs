//! Codes, creates and lists.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{Action, FindPlayers, FromHost, HostCommand, Refused, ShowLine, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_protocol::player::Phase;

use super::fixture::Fixture;
use crate::bus::contract::{ANN, OTHER, SHOW, join, join_by, messages, receive_at, receive_some};
use crate::bus::{EngineEnd, GatewayEnd, ShowRegistration};

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

/// The show is played and listed.
async fn listed(fixture: &Fixture, show: ShowId, code: &ShowCode, phase: Phase) {
    fixture.lease(show, Fence(1)).await;
    fixture.engine.take_over(show, Fence(1)).await.unwrap();
    let line = line(show, code, phase);
    fixture.engine.update_directory(line.clone());
    fixture.until(async || fixture.engine.list_shows().await.unwrap().unwrap().contains(&line)).await;
}

#[tokio::test]
async fn a_code_belongs_to_one_show_until_that_is_over() {
    let fixture = Fixture::start().await;
    let (live, other) = (code("LIVE"), code("OTHER"));
    let enter = async |show, code, id| fixture.engine.register_show(show, code, &create(id), MADE_OF).await.unwrap();
    assert_eq!(enter(SHOW, &live, "a").await, ShowRegistration::New);
    assert_eq!(enter(OTHER, &live, "b").await, ShowRegistration::CodeTaken, "it was entered a moment ago");
    listed(&fixture, SHOW, &live, Phase::Lobby).await;
    assert_eq!(enter(OTHER, &live, "b").await, ShowRegistration::CodeTaken);
    assert_eq!(enter(OTHER, &other, "b").await, ShowRegistration::New, "with another code");
    listed(&fixture, SHOW, &live, Phase::Ended).await;
    assert_eq!(enter(ShowId(8), &live, "c").await, ShowRegistration::New);
    fixture.engine.release(SHOW, true);
    fixture.engine.finish().await;
    assert_eq!(
        enter(ShowId(9), &live, "d").await,
        ShowRegistration::CodeTaken,
        "a show that is over gives up its own code only"
    );
    assert_eq!(fixture.engine.list_shows().await, Ok(Some(Vec::new())));
}

#[tokio::test]
async fn a_create_makes_one_show_whichever_engine_is_asked_again() {
    let fixture = Fixture::start().await;
    let (live, other) = (code("LIVE"), fixture.other_engine().await);
    let id = create("a");
    assert_eq!(fixture.engine.register_show(SHOW, &live, &id, MADE_OF).await, Ok(ShowRegistration::New));
    assert_eq!(
        other.register_show(OTHER, &live, &id, MADE_OF).await,
        Ok(ShowRegistration::New),
        "the first engine died over it"
    );
    listed(&fixture, OTHER, &live, Phase::Created).await;
    let before = Ok(ShowRegistration::Existing(OTHER, live.clone()));
    assert_eq!(fixture.engine.register_show(SHOW, &live, &id, MADE_OF).await, before);
    assert_eq!(other.register_show(ShowId(3), &code("WISH"), &id, MADE_OF).await, before);
    assert_eq!(
        other.register_show(ShowId(4), &live, &id, 0).await,
        Ok(ShowRegistration::IdTaken),
        "it would make another show"
    );
    assert_eq!(
        fixture.engine.register_show(ShowId(4), &code("WISH"), &id, MADE_OF - 1).await,
        Ok(ShowRegistration::IdTaken)
    );
    assert_eq!(
        fixture.engine.register_show(SHOW, &live, &id, MADE_OF).await,
        before,
        "and takes nothing from the first"
    );
}

#[tokio::test]
async fn joins_find_their_show_by_its_code_and_those_of_no_show_are_refused() {
    let fixture = Fixture::start().await;
    let (ann, live) = (fixture.gateway(ANN).await, code("LIVE"));
    fixture.engine.register_show(SHOW, &live, &create("a"), MADE_OF).await.unwrap();
    listed(&fixture, SHOW, &live, Phase::Lobby).await;
    let joins: Vec<ToEngine> = (0..100).map(join).collect();
    joins.iter().for_each(|join| ann.send(join.clone()));
    ann.send(join_by("NONE", 7));
    let refused = ToGateway::JoinRefused {
        conn: ConnRef { gateway: ANN, conn: 7 },
        error: ErrorMessage::from(ErrorCode::UnknownShow),
    };
    assert_eq!(receive_some(&ann, 1).await, [refused]);
    let reached = receive_at(&fixture.engine, |message| matches!(message, ToEngine::Join(_)), 100).await;
    assert!(reached.iter().all(|received| received.show == Some(SHOW)));
    assert_eq!(messages(reached), joins);
}

#[tokio::test]
async fn a_hosts_command_reaches_its_show_and_is_refused_if_there_is_none() {
    let fixture = Fixture::start().await;
    let (ann, live) = (fixture.gateway(ANN).await, code("LIVE"));
    listed(&fixture, SHOW, &live, Phase::Lobby).await;
    let conn = ConnRef { gateway: ANN, conn: 1 };
    let command = |show, id| {
        let message = FromHost::Command(HostCommand { id: create(id), show, action: Action::OpenLobby });
        ToEngine::Host { conn, message }
    };
    let find = |show| ToEngine::Host { conn, message: FromHost::FindPlayers(FindPlayers { show, name: "Ann".into() }) };
    let sent = [command(SHOW, "1"), command(SHOW, "2"), find(SHOW), command(SHOW, "3")];
    sent.iter().for_each(|message| ann.send(message.clone()));
    let reached = receive_at(&fixture.engine, |message| matches!(message, ToEngine::Host { .. }), 4).await;
    assert_eq!(messages(reached), sent);

    ann.send(command(OTHER, "4"));
    ann.send(find(OTHER));
    let error = ErrorMessage::from(ErrorCode::UnknownShow);
    let refused = ToHost::Refused(Refused { id: create("4"), error: error.clone() });
    let refused = [refused, ToHost::Error(error)].map(|message| ToGateway::Host { conn, message });
    assert_eq!(receive_some(&ann, 2).await, refused);
}
