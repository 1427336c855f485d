//! Players who mean well, in both codecs.

use klaxon_gateway::link::Clock;
use klaxon_protocol::claim::Verdict;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{AnswerReply, Choice, Outcome, PlayerResult, QuestionId, Reveal};
use klaxon_protocol::ids::{RoundId, Seat, SeatRef};
use klaxon_protocol::link::{Personal, ToEngine, ToGateway};
use klaxon_protocol::player::{Emoji, FromPlayer, Join, Ping, React, Role, ToPlayer};
use klaxon_protocol::time::Millis;

use crate::fixture::{Client, SHOW, answers_in, fixture, join, settings};

fn accepted(question: u16, choice: u8) -> ToPlayer {
    ToPlayer::AnswerReply(AnswerReply::new(QuestionId(question), &Verdict::Accepted(Choice(choice).into())))
}

#[tokio::test]
async fn a_player_joins_answers_and_gets_the_events_in_order() {
    let mut fixture = fixture(settings());
    for (codec, seat) in Codec::ALL.into_iter().zip(0..) {
        let (mut client, welcome) = Client::join(&fixture, codec).await;
        assert_eq!((welcome.show, welcome.seat, welcome.protocol), (SHOW, Some(Seat(seat)), 1));
        client.answer(1, 2).await;
        assert_eq!(client.receive().await, accepted(1, 2));
        let said: Vec<ToPlayer> = (0..20).map(|number| fixture.engine.notice(&number.to_string())).collect();
        for notice in said {
            assert_eq!(client.receive().await, notice);
        }
        let batch = fixture.engine.wait(answers_in).await;
        assert_eq!((batch.show, batch.answers.len(), batch.answers[0].by), (SHOW, 1, SeatRef::first(Seat(seat))));
    }
}

#[tokio::test]
async fn players_in_all_shards_get_every_event_once() {
    let fixture = fixture(settings());
    let mut clients = Vec::new();
    for number in 0..40 {
        clients.push(Client::join(&fixture, Codec::ALL[number % 2]).await.0);
    }
    let said: Vec<ToPlayer> = (0..30).map(|number| fixture.engine.notice(&number.to_string())).collect();
    for client in &mut clients {
        for notice in &said {
            assert_eq!(client.receive().await, *notice);
        }
    }
}

#[tokio::test]
async fn a_reveal_is_followed_at_once_by_ones_own_result() {
    let fixture = fixture(settings());
    let (mut right, _) = Client::join(&fixture, Codec::Json).await;
    let (mut wrong, _) = Client::join(&fixture, Codec::Bincode).await;
    let mut watcher = Client::connect(&fixture, Codec::Json).await;
    assert_eq!(watcher.join_as(Join { role: Role::Spectator, ..join() }).await.seat, None);
    let result = |outcome| {
        let alive = outcome == Outcome::Right;
        let question = QuestionId(1);
        ToPlayer::Result(PlayerResult { question, outcome, alive, lives: 0, gained: 0, score: 0, rank: 0 })
    };
    let shapes = vec![result(Outcome::Wrong), result(Outcome::Right)];
    let reveal = fixture.engine.event_with(
        |seq| {
            let (question, right, counts) = (QuestionId(1), Choice(0), vec![1, 1]);
            ToPlayer::Reveal(Reveal { seq, at: Millis(1), question, right, counts, silent: 0, alive: 1 })
        },
        Some(Personal { shapes, by_seat: vec![1, 0] }),
    );
    let notice = fixture.engine.notice("next");
    for (client, own) in [(&mut right, Some(Outcome::Right)), (&mut wrong, Some(Outcome::Wrong)), (&mut watcher, None)]
    {
        assert_eq!(client.receive().await, reveal);
        if let Some(outcome) = own {
            assert_eq!(client.receive().await, result(outcome));
        }
        assert_eq!(client.receive().await, notice);
    }
}

#[tokio::test]
async fn a_lost_player_comes_back_to_the_same_seat_and_the_newer_connection_has_the_display() {
    let fixture = fixture(settings());
    let (mut older, welcome) = Client::join(&fixture, Codec::Json).await;
    // One more in between, so that the two are in different shards or the same, as it comes.
    for _ in 0..2 {
        let mut newer = Client::connect(&fixture, Codec::Bincode).await;
        let again = newer.join_as(Join { resume: Some(welcome.resume.clone()), name: None, ..join() }).await;
        assert_eq!((again.seat, &again.name), (welcome.seat, &welcome.name));
        assert_eq!(older.receive_error().await, ErrorCode::Displaced);
        let notice = fixture.engine.notice("only for the newer");
        assert_eq!(newer.receive().await, notice);
        older.answer(1, 3).await;
        assert_eq!(older.receive().await, accepted(1, 3));
        newer.answer(1, 3).await;
        assert_eq!(newer.receive().await, accepted(1, 3));
        older = newer;
    }
}

#[tokio::test]
async fn a_refused_player_gets_the_reason_and_may_join_again() {
    let fixture = fixture(settings());
    let mut client = Client::connect(&fixture, Codec::Json).await;
    client.answer(1, 0).await;
    assert_eq!(client.receive_error().await, ErrorCode::NotJoined);
    fixture.engine.refuse(Some(ErrorCode::ShowFull));
    client.send(FromPlayer::Join(join())).await;
    assert_eq!(client.receive_error().await, ErrorCode::ShowFull);
    fixture.engine.refuse(None);
    client.join_as(join()).await;
    client.send(FromPlayer::Join(join())).await;
    assert_eq!(client.receive_error().await, ErrorCode::AlreadyJoined);
}

#[tokio::test]
async fn a_pong_has_the_servers_time_and_leaving_closes() {
    let fixture = fixture(settings());
    let (mut client, welcome) = Client::join(&fixture, Codec::Bincode).await;
    client.send(FromPlayer::Ping(Ping { sent: Millis(42) })).await;
    let ToPlayer::Pong(pong) = client.receive().await else { panic!("a ping is answered with a pong") };
    assert_eq!(pong.sent, Millis(42));
    assert!(pong.now >= welcome.now);
    client.send(FromPlayer::Leave).await;
    assert_eq!(client.rest().await, (vec![], Some(1000)));
}

#[tokio::test]
async fn answers_and_pongs_are_stamped_by_the_clock_that_closes_questions() {
    let mut fixture = fixture(settings());
    let (mut client, _) = Client::join(&fixture, Codec::Json).await;
    let before = Clock::of_process().now();
    client.answer(1, 0).await;
    client.send(FromPlayer::Ping(Ping { sent: Millis(1) })).await;
    let stamped = fixture.engine.wait(answers_in).await.answers[0].at;
    let pong = loop {
        if let ToPlayer::Pong(pong) = client.receive().await {
            break pong.now;
        }
    };
    let after = Clock::of_process().now();
    assert!(before <= stamped && stamped <= pong && pong <= after, "{before} {stamped} {pong} {after}");
}

#[tokio::test]
async fn reactions_are_summed_for_the_engine() {
    let mut fixture = fixture(settings());
    let mut clients = [Client::join(&fixture, Codec::Json).await.0, Client::join(&fixture, Codec::Json).await.0];
    for client in &mut clients {
        for _ in 0..3 {
            client.send(FromPlayer::React(React { emoji: Emoji::Fire })).await;
        }
    }
    let mut sum = 0;
    let reactions = |said| if let ToEngine::Reactions { show, counts } = said { Some((show, counts)) } else { None };
    while sum < 6 {
        let (show, counts) = fixture.engine.wait(reactions).await;
        assert_eq!((show, &counts[..5]), (SHOW, &[0; 5][..]));
        sum += counts[5];
    }
    assert_eq!(sum, 6);
}

#[tokio::test]
async fn at_a_barrier_all_shards_hand_in_what_they_read_first() {
    let mut fixture = fixture(settings());
    fixture.engine.mute(true);
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(Client::join(&fixture, Codec::Json).await.0);
    }
    let mut answered = 0;
    for client in &mut clients {
        client.answer(1, 0).await;
    }
    while answered < clients.len() {
        answered += fixture.engine.wait(answers_in).await.answers.len();
    }
    let round = RoundId(1);
    fixture.engine.send(ToGateway::Barrier { show: SHOW, round });
    let passed = |said| if let ToEngine::BarrierPassed { show, round, .. } = said { Some((show, round)) } else { None };
    assert_eq!(fixture.engine.wait(passed).await, (SHOW, round));
}

#[tokio::test]
async fn a_dismissed_player_is_closed_on_all_connections() {
    let fixture = fixture(settings());
    let (mut one, welcome) = Client::join(&fixture, Codec::Json).await;
    let mut two = Client::connect(&fixture, Codec::Json).await;
    two.join_as(Join { resume: Some(welcome.resume), ..join() }).await;
    fixture.engine.send(ToGateway::Dismiss { show: SHOW, seat: SeatRef::first(Seat(0)), code: ErrorCode::Banned });
    for client in [&mut one, &mut two] {
        let (messages, code) = client.rest().await;
        assert_eq!(code, Some(4004));
        assert!(matches!(messages.last(), Some(ToPlayer::Error(error)) if error.code == ErrorCode::Banned));
    }
}

#[tokio::test]
async fn hosts_get_events_without_personal_parts_and_figures_with_this_gateways_share() {
    let mut fixture = fixture(settings());
    let (mut client, _) = Client::join(&fixture, Codec::Json).await;
    client.answer(1, 0).await;
    assert_eq!(client.receive().await, accepted(1, 0));
    let personal = Personal { shapes: vec![], by_seat: vec![] };
    let event = fixture.engine.event_with(|seq| crate::fixture::notice(seq, "hello"), Some(personal));
    let ToGateway::Broadcast(broadcast) = fixture.hosts().await else { panic!("the event comes first") };
    assert_eq!((broadcast.message, broadcast.personal), (event, None));
    let figures = fixture.figures().await;
    assert_eq!((figures.connected, figures.latency.count, figures.shed), (1, 1, 0));
}
