//! A full show whose guests come and go: whose seats are given again, and what an engine knows of who is there.
//!
//! Who may abuse it: bots that join and leave; somebody who had a seat before, by the token of then or by an answer that was on its way; a
//! stranger who asks again and again (one census a minute). A gateway that never says who is there keeps its players' seats.

use klaxon_engine::game::Games;
use klaxon_engine::replay;
use klaxon_protocol::claim::{ClaimForm, Verdict};
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::Settings;
use klaxon_protocol::host::{Action, ToHost};
use klaxon_protocol::ids::{ConnRef, Generation, PlayerId, Seat, SeatRef, ShowId};
use klaxon_protocol::link::{JoinRequest, Present, Proof, StampedAnswer, ToEngine, ToGateway};
use tempfile::TempDir;

use crate::house::{GATEWAY, House, join_request, seat, settings, you};

fn small() -> Settings {
    Settings { seats: 2, ..settings() }
}

fn again(number: u32, generation: u32) -> SeatRef {
    SeatRef { seat: Seat(number), generation: Generation(generation) }
}

fn guest(number: u32) -> JoinRequest {
    JoinRequest { player: PlayerId::parse(&format!("guest-{number}")).unwrap(), ..join_request("LIVE", number) }
}

fn back(number: u32, show: ShowId) -> JoinRequest {
    JoinRequest { proof: Proof::Resume { show, issue: 0, may_sit: true }, ..guest(number) }
}

impl House {
    async fn seat_of(&mut self, number: u32) -> Option<SeatRef> {
        self.try_join(guest(number)).await.ok().and_then(|seated| seated.seat)
    }

    /// The connection of this number is gone, which had this seat.
    fn gone(&self, show: ShowId, conn: u64, seat: SeatRef, left: bool) {
        self.say(ToEngine::Gone { conn: ConnRef { gateway: GATEWAY, conn }, show, seat, left });
    }

    async fn census(&mut self) -> u32 {
        self.hear(|message| if let ToGateway::Census { census, .. } = message { Some(census) } else { None }).await
    }

    fn present(&self, show: ShowId, census: u32, players: &[(SeatRef, u64)]) {
        let players = players.to_vec();
        self.say(ToEngine::Present(Present { gateway: GATEWAY, show, census, players, is_last: true }));
    }

    async fn dismissal(&mut self) -> (SeatRef, ErrorCode) {
        self.hear(|message| match message {
            ToGateway::Dismiss { seat, code, .. } => Some((seat, code)),
            _ => None,
        })
        .await
    }

    async fn replays(&self, data: &TempDir, show: ShowId) {
        let journal = std::fs::read(data.path().join("journal").join(format!("{show}.klxj"))).unwrap();
        replay::replay(&Games::default(), &journal, |_, _| {}).unwrap();
    }
}

#[tokio::test]
async fn whoever_leaves_a_full_show_makes_room_and_has_nothing_there_any_more() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(small(), 2).await;
    assert_eq!([house.seat_of(1).await, house.seat_of(2).await], [Some(seat(0)), Some(seat(1))]);
    assert_eq!(house.seat_of(3).await, None);
    // An older connection's end, one of another generation, and of a seat that nobody has, are nobody's leaving.
    house.gone(show, 77, seat(0), true);
    house.gone(show, 1, again(0, 1), true);
    house.gone(show, 1, seat(9), true);
    assert_eq!(house.seat_of(3).await, None);
    for (left, came) in [(1, 3), (3, 4), (4, 5)] {
        let generation = u32::from(left != 1) + u32::from(left == 4);
        house.gone(show, left, again(0, generation), true);
        house.say(ToEngine::Join(guest(came)));
        assert_eq!(house.dismissal().await, (again(0, generation), ErrorCode::SeatGivenAway));
        let seated = house.hear(|message| if let ToGateway::Seated(seated) = message { Some(seated) } else { None });
        assert_eq!(seated.await.seat, Some(again(0, generation + 1)), "after the dismissal, so that it is not theirs");
    }
    let ErrorMessage { code, message, .. } = house.try_join(back(1, show)).await.unwrap_err();
    assert_eq!(code, ErrorCode::ShowFull);
    assert!(message.contains("given to another player"), "{message}");
    // With room they get another seat by the same token.
    house.command(show, "raise", Action::SetSeats { seats: 3 }).await;
    assert_eq!(house.try_join(back(1, show)).await.unwrap().seat, Some(seat(2)));
    house.command(show, "end", Action::End { pay: true }).await;
    house.replays(&data, show).await;
}

#[tokio::test]
async fn what_the_one_before_sent_is_refused_and_its_connection_closed_wherever_that_was_missed() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(small(), 2).await;
    house.seat_of(1).await.unwrap();
    house.seat_of(2).await.unwrap();
    house.gone(show, 1, seat(0), true);
    assert_eq!(house.seat_of(3).await, Some(again(0, 1)));
    house.command(show, "next", Action::Next).await;
    let at = house.clock.now();
    let answer = |conn, by| StampedAnswer {
        conn,
        number: 1,
        by,
        form: ClaimForm::Answer,
        claim: klaxon_fixtures::claim(1, 1),
        at,
    };
    let answers = vec![answer(1, seat(0)), answer(3, again(0, 1))];
    house.say(ToEngine::Answers(klaxon_protocol::link::AnswerBatch { gateway: GATEWAY, show, answers }));
    assert_eq!(house.dismissal().await, (seat(0), ErrorCode::SeatGivenAway));
    assert_eq!(house.verdicts().await, [(1, Verdict::Refused(ErrorCode::SeatGivenAway))]);
    assert_eq!(house.verdicts().await, [(3, Verdict::Accepted(klaxon_protocol::games::trivia::Choice(1).into()))]);
    // Nor is it shown the new player's state.
    let conn = ConnRef { gateway: GATEWAY, conn: 1 };
    house.say(ToEngine::Resync { conn, show, seat: Some(seat(0)) });
    assert_eq!(house.dismissal().await, (seat(0), ErrorCode::SeatGivenAway));
    house.gone(show, 3, again(0, 1), true);
    assert_eq!(house.seat_of(4).await, None, "no seat is given again once a question was asked");
    let again = house.try_join(guest(3)).await.unwrap();
    assert_eq!(you(&again).answered, Some(klaxon_protocol::games::trivia::Choice(1)));
    house.command(show, "end", Action::End { pay: true }).await;
    house.replays(&data, show).await;
}

#[tokio::test]
async fn a_goodbye_that_was_lost_is_found_out_by_a_census_and_who_is_named_keeps_the_seat() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(small(), 1).await;
    house.seat_of(1).await.unwrap();
    house.seat_of(2).await.unwrap();
    // Nobody said that 1 is gone.
    house.say(ToEngine::Join(guest(3)));
    let census = house.census().await;
    house.present(show, census, &[(seat(1), 2)]);
    // A stranger who asks on and on makes no further census.
    for _ in 0..20 {
        assert!(house.try_join(guest(3)).await.is_err());
    }
    assert!(!house.heard_meanwhile().await.iter().any(|said| matches!(said, ToGateway::Census { .. })));
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(house.seat_of(3).await, Some(again(0, 1)));
    assert_eq!(house.seat_of(4).await, None, "the other one is there");
}

#[tokio::test]
async fn after_a_restart_in_the_lobby_whoever_does_not_come_back_makes_room() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(small(), 1).await;
    house.seat_of(1).await.unwrap();
    house.gone(show, 1, seat(0), true);
    house.seat_of(2).await.unwrap();
    house.seat_of(3).await.unwrap();
    house.crash().await;

    let mut house = House::open(data.path()).await;
    let census = house.census().await;
    house.present(show, census, &[]);
    assert_eq!(house.try_join(back(2, show)).await.unwrap().seat, Some(seat(1)), "the show is as it was");
    assert!(house.try_join(guest(4)).await.is_err(), "and the other one has some time to come back");
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    let given = house.seat_of(4).await.unwrap();
    assert_eq!(given.seat, Seat(0));
    assert!(house.try_join(back(3, show)).await.is_err());
    let done = house.command(show, "lock", Action::LockLobby { on: true }).await;
    assert!(matches!(done, ToHost::Done(_)));
    assert_eq!(house.try_join(guest(5)).await.unwrap_err().code, ErrorCode::LobbyLocked);
    house.command(show, "end", Action::End { pay: true }).await;
    house.replays(&data, show).await;
}
