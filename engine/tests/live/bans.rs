//! Bans of addresses, over the bus and after a crash. Who may abuse them stands in `engine/src/show/bans.rs`.

use klaxon_engine::game::Games;
use klaxon_engine::replay;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{Action, AlertKind, ToHost};
use klaxon_protocol::ids::{Seat, ShowId};
use klaxon_protocol::link::{JoinRequest, Proof, ToEngine, ToGateway};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::Role;
use tempfile::TempDir;

use crate::house::{House, join_request, settings};

/// Three addresses.
const HOME: Origin = Origin::of_hash(100);
const SCHOOL: Origin = Origin::of_hash(200);
const ELSEWHERE: Origin = Origin::of_hash(300);

const BY_TOKEN: Proof = Proof::Token { resumes: None, revoke: false };

fn from(origin: Origin, player: u32) -> JoinRequest {
    JoinRequest { origin, ..join_request("LIVE", player) }
}

/// With the resume token of this show, where guests are taken.
fn resuming(show: ShowId, request: JoinRequest) -> JoinRequest {
    JoinRequest { proof: Proof::Resume { show, issue: 0, may_sit: true }, ..request }
}

fn watching(request: JoinRequest) -> JoinRequest {
    JoinRequest { role: Role::Spectator, ..request }
}

fn ban(seat: u32, shared: bool) -> Action {
    Action::BanAddress { seat: Seat(seat), shared }
}

impl House {
    /// Their seat, or why not.
    async fn seat(&mut self, request: JoinRequest) -> Result<Option<u32>, ErrorCode> {
        self.try_join(request).await.map(|seated| seated.seat.map(|held| held.seat.0)).map_err(|error| error.code)
    }

    /// Does it, and says why if it is refused.
    async fn act(&mut self, show: ShowId, id: &str, action: Action) -> Result<bool, ErrorMessage> {
        match self.command(show, id, action).await {
            ToHost::Done(done) => Ok(done.again),
            ToHost::Refused(refused) => Err(refused.error),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nobody_new_without_an_operators_token_gets_a_seat_from_a_banned_address() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    assert_eq!(house.seat(from(ELSEWHERE, 0)).await, Ok(Some(0)));
    assert_eq!(house.seat(from(HOME, 1)).await, Ok(Some(1)));
    assert_eq!(house.act(show, "ban", ban(1, false)).await, Ok(false));

    // As a guest who cleared the page's storage, also by a token that a spectator got before, and by the old id.
    let refusal = house.try_join(from(HOME, 2)).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Banned);
    assert!(refusal.message.contains("address"), "{}", refusal.message);
    assert_eq!(house.seat(resuming(show, from(HOME, 3))).await, Err(ErrorCode::Banned));
    assert_eq!(house.seat(resuming(show, from(HOME, 1))).await, Err(ErrorCode::Banned));
    assert_eq!(house.seat(resuming(show, from(ELSEWHERE, 1))).await, Err(ErrorCode::Banned), "their id is banned, too");

    // They can watch, which earns them nothing.
    assert_eq!(house.seat(watching(from(HOME, 4))).await, Ok(None));
    // A neighbour who is no guest plays, and so does a guest from elsewhere, and who was in before, also from there.
    assert_eq!(house.seat(JoinRequest { proof: BY_TOKEN, ..from(HOME, 5) }).await, Ok(Some(2)));
    assert_eq!(house.seat(from(SCHOOL, 6)).await, Ok(Some(3)));
    assert_eq!(house.seat(resuming(show, from(HOME, 0))).await, Ok(Some(0)));

    assert_eq!(house.act(show, "lift", Action::LiftAddressBans).await, Ok(false));
    assert_eq!(house.seat(from(HOME, 2)).await, Ok(Some(4)));
    assert_eq!(house.seat(resuming(show, from(HOME, 1))).await, Err(ErrorCode::Banned), "their id stays banned");
    assert_eq!(house.act(show, "ban again", ban(1, true)).await, Ok(false));
    assert_eq!(house.seat(from(HOME, 7)).await, Err(ErrorCode::Banned));
    assert_eq!(house.act(show, "restore", Action::Restore { seat: Seat(1) }).await, Ok(false));
    assert_eq!(house.seat(from(HOME, 7)).await, Ok(Some(5)));
    assert_eq!(house.seat(resuming(show, from(HOME, 1))).await, Ok(Some(1)));
}

#[tokio::test]
async fn an_address_of_several_players_is_banned_only_if_the_host_says_so() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    for player in 0..30 {
        house.seat(from(if player < 5 { ELSEWHERE } else { SCHOOL }, player)).await.unwrap();
    }
    // One who was removed plays no more and is no neighbour.
    house.act(show, "remove", Action::Remove { seat: Seat(29), ban: false }).await.unwrap();
    let refused = house.act(show, "ban", ban(7, false)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::SharedAddress);
    assert!(refused.message.contains("23 other players come from there (seats 5, 6, 8, "), "{}", refused.message);
    assert!(refused.advice.contains("`shared: true`"), "{}", refused.advice);
    assert_eq!(house.seat(from(SCHOOL, 30)).await, Ok(Some(30)), "nothing is done");
    assert_eq!(house.seat(resuming(show, from(SCHOOL, 7))).await, Ok(Some(7)));

    assert_eq!(house.act(show, "ban all the same", ban(7, true)).await, Ok(false));
    assert_eq!(house.act(show, "ban all the same", ban(7, true)).await, Ok(true), "said again, it is not done again");
    assert_eq!(house.act(show, "ban all the same", ban(7, false)).await.unwrap_err().code, ErrorCode::IdTaken);
    assert_eq!(house.seat(from(SCHOOL, 31)).await, Err(ErrorCode::Banned));
    for neighbour in [5, 6, 8, 28, 30] {
        assert_eq!(
            house.seat(resuming(show, from(SCHOOL, neighbour))).await,
            Ok(Some(neighbour)),
            "who has a seat stays"
        );
    }
    assert_eq!(house.act(show, "nobody", ban(99, true)).await.unwrap_err().code, ErrorCode::UnknownSeat);
}

#[tokio::test]
async fn a_ban_stays_after_a_crash_and_an_address_that_is_not_known_then_is_not_guessed() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    for (origin, player) in [(HOME, 0), (SCHOOL, 1), (SCHOOL, 2), (ELSEWHERE, 3)] {
        house.seat(from(origin, player)).await.unwrap();
    }
    house.act(show, "ban", ban(0, false)).await.unwrap();
    house.crash().await;

    let mut house = House::open(data.path()).await;
    assert_eq!(house.seat(from(HOME, 4)).await, Err(ErrorCode::Banned));
    let unknown = house.act(show, "ban 1", ban(1, true)).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::UnknownAddress);
    assert!(unknown.advice.contains("`remove`"), "{}", unknown.advice);
    // Who comes back is known again, and those who did not may be neighbours.
    assert_eq!(house.seat(resuming(show, from(SCHOOL, 1))).await, Ok(Some(1)));
    let shared = house.act(show, "ban 1 again", ban(1, false)).await.unwrap_err();
    assert_eq!(shared.code, ErrorCode::SharedAddress);
    assert!(shared.message.contains("Of 2 players it is not known"), "{}", shared.message);
    assert_eq!(house.seat(resuming(show, from(ELSEWHERE, 2))).await, Ok(Some(2)), "from where they come now counts");
    assert_eq!(house.seat(resuming(show, from(ELSEWHERE, 3))).await, Ok(Some(3)));
    assert_eq!(house.act(show, "ban 1 at last", ban(1, false)).await, Ok(false));
    assert_eq!(house.seat(from(SCHOOL, 5)).await, Err(ErrorCode::Banned));

    house.act(show, "end", Action::End { pay: true }).await.unwrap();
    let journal = std::fs::read(data.path().join("journal").join(format!("{show}.klxj"))).unwrap();
    let mut lines = Vec::new();
    replay::replay(&Games::default(), &journal, |record, _| lines.push(replay::line(record))).unwrap();
    let noted = lines.iter().filter(|line| line.contains("the address of seat")).count();
    assert_eq!(noted, 2, "of nobody else anything is known of the address: {lines:#?}");
}

#[tokio::test]
async fn hosts_hear_that_bans_refuse_players_and_how_many() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.seat(from(SCHOOL, 0)).await.unwrap();
    house.act(show, "ban", ban(0, false)).await.unwrap();
    let mut told = Vec::new();
    for player in 1..=120 {
        house.say(ToEngine::Join(from(SCHOOL, player)));
    }
    while told.len() < 3 {
        told.push(
            house
                .hear(|message| match message {
                    ToGateway::Alert { alert: AlertKind::AddressBansRefuse { joins }, .. } => Some(joins),
                    _ => None,
                })
                .await,
        );
    }
    assert_eq!(told, [1, 10, 100]);
}
