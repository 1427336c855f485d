//! Coming back with a resume token by several gateways, and over engines: each gateway finds the show that a token is of by itself,
//! and each engine knows from the journal which tokens are revoked. A token that is not of the code's show costs a gateway one look
//! at the directory, whoever sends it.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, FromHost, HostCommand, ToHost};
use klaxon_protocol::ids::{CommandId, Seat, SeatRef, ShowId};
use klaxon_protocol::link::{Proof, ToGateway};
use klaxon_protocol::player::{Phase, Role, ToPlayer};
use tempfile::TempDir;

use super::engines::{Engine, Player, create, fixture, journal, player};
use crate::bus::contract::{ANN, BEN};

const BY_TOKEN: Proof = Proof::Token { resumes: None, revoke: false };

fn resume(show: ShowId, issue: u32) -> Proof {
    Proof::Resume { show, issue, may_sit: false }
}

async fn lobby(host: &Player, id: &str) -> ShowId {
    let ToHost::Created(created) = host.asks(create(id, 2)).await else { panic!("not created") };
    host.commands(created.show, &format!("open {id}"), Action::OpenLobby).await;
    created.show
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_shows_token_shows_its_podium_at_every_gateway_and_opens_nothing_in_the_next_show() {
    let (fixture, data) = (fixture().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&fixture, "first", journal.clone()).await;
    let (ann, ben) = (player(&fixture, ANN).await, player(&fixture, BEN).await);
    let old = lobby(&ann, "last week").await;
    for (number, gateway) in [&ann, &ben].into_iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        let seated = gateway.join_as(number, Role::Player, BY_TOKEN).await.unwrap();
        assert_eq!((seated.show, seated.seat), (old, Some(SeatRef::first(Seat(number)))));
    }
    ann.commands(old, "end", Action::End { pay: true }).await;
    let new = lobby(&ben, "this week").await;
    assert_ne!(old, new);

    let check = async |taken: u32| {
        for gateway in [&ann, &ben] {
            for number in 0..2 {
                for proof in [resume(old, 0), Proof::Token { resumes: Some(old), revoke: false }] {
                    let back = gateway.join_as(number, Role::Player, proof).await.unwrap();
                    assert_eq!((back.show, back.seat), (old, Some(SeatRef::first(Seat(number)))));
                    let podium =
                        matches!(&back.view.message, ToPlayer::Snapshot(snapshot) if snapshot.podium.is_some());
                    assert_eq!((back.view.phase, podium), (Phase::Ended, true));
                }
            }
            let watched = gateway.join_as(7, Role::Spectator, resume(old, 0)).await.unwrap();
            assert_eq!((watched.show, watched.seat), (old, None));
            // One of a show that nobody knows, and one that would be let in as a guest.
            for may_sit in [false, true] {
                let forgotten = Proof::Resume { show: ShowId(1), issue: 0, may_sit };
                let refused = gateway.join_as(0, Role::Player, forgotten).await;
                assert_eq!(refused.unwrap_err(), ErrorCode::BadToken);
                // Of one who never had a seat there.
                let no_seat = Proof::Resume { show: old, issue: 0, may_sit };
                let watching = gateway.join_as(8, Role::Player, no_seat).await.unwrap();
                assert_eq!((watching.show, watching.seat), (old, None));
            }
        }
        let seated = ben.join_as(100 + taken, Role::Player, BY_TOKEN).await.unwrap();
        assert_eq!(
            (seated.show, seated.seat),
            (new, Some(SeatRef::first(Seat(taken)))),
            "nobody else has a seat in the new show"
        );
    };
    check(0).await;
    first.kill().await;
    let second = Engine::start(&fixture, "second", journal).await;
    check(1).await;
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_is_refused_at_all_gateways_whichever_engine_has_the_show() {
    let (fixture, data) = (fixture().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&fixture, "first", journal.clone()).await;
    let (ann, ben) = (player(&fixture, ANN).await, player(&fixture, BEN).await);
    let show = lobby(&ann, "create").await;
    ann.join_as(0, Role::Player, BY_TOKEN).await.unwrap();
    ben.join_as(1, Role::Player, BY_TOKEN).await.unwrap();
    assert_eq!(ben.join_as(0, Role::Player, resume(show, 0)).await.unwrap().issue, 0);

    // Of the one by the host, of the other by the owner at the other gateway.
    let action = Action::ReissueToken { seat: Seat(0) };
    let command = HostCommand { id: CommandId::parse("reissue").unwrap(), show, action };
    ben.send_as_host(FromHost::Command(command));
    let reissued =
        ben.wait_for(|message| if let ToGateway::Reissued(reissued) = message { Some(reissued) } else { None }).await;
    assert_eq!((reissued.seat, reissued.issue), (Seat(0), 1));
    let reclaim = Proof::Token { resumes: None, revoke: true };
    assert_eq!(ann.join_as(1, Role::Player, reclaim).await.unwrap().issue, 1);

    let check = async || {
        for gateway in [&ann, &ben] {
            for number in 0..2 {
                for role in [Role::Player, Role::Spectator] {
                    let refused = gateway.join_as(number, role, resume(show, 0)).await;
                    assert_eq!(refused.unwrap_err(), ErrorCode::TokenRevoked);
                }
                let back = gateway.join_as(number, Role::Player, resume(show, 1)).await.unwrap();
                assert_eq!((back.seat, back.issue), (Some(SeatRef::first(Seat(number))), 1));
            }
        }
    };
    check().await;
    first.kill().await;
    let second = Engine::start(&fixture, "second", journal.clone()).await;
    check().await;
    // It stays so when the show is over, and a new one has its code.
    ann.commands(show, "end", Action::End { pay: true }).await;
    lobby(&ben, "next").await;
    check().await;
    second.kill().await;
    let third = Engine::start(&fixture, "third", journal).await;
    check().await;
    third.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creates_id_is_for_one_show_whichever_engine_is_asked() {
    let (fixture, data) = (fixture().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let engines =
        [Engine::start(&fixture, "one", journal.clone()).await, Engine::start(&fixture, "two", journal).await];
    let ann = player(&fixture, ANN).await;
    let ToHost::Created(created) = ann.asks(create("create", 2)).await else { panic!("not created") };
    // Engines take turns: each is asked for the same show and for another.
    for questions in [2, 3, 3, 2].repeat(5) {
        match ann.asks(create("create", questions)).await {
            ToHost::Created(again) if questions == 2 => assert_eq!(again, created),
            ToHost::Refused(refused) if questions == 3 => assert_eq!(refused.error.code, ErrorCode::IdTaken),
            other => panic!("{questions} questions: {other:?}"),
        }
    }
    for engine in engines {
        engine.kill().await;
    }
}
