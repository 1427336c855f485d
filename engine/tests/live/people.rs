//! A show whose journal names nobody: who is who outlives a takeover, and a person can be forgotten while the show replays as it was.
//!
//! Who may abuse it:
//!
//! - A player who joins again and again: a join that gives no new seat writes nothing. A new seat writes one record here and one in the journal, and
//!   seats are limited; in a full show a guest's seat is given on only when its guest is gone, as ever.
//! - A neighbour who reads the file: it is as private as the journal (mode 600), and whoever reads the journal alone finds no names.
//! - A host, who sees names as before: they are in the show, not in its journal. What hosts write themselves is in the journal.
//! - Somebody who deletes the file: all are forgotten, the show replays, and nobody comes back to their seat.

use std::path::Path;

use klaxon_engine::archive::Archive;
use klaxon_engine::game::Games;
use klaxon_engine::journal::{FileJournal, SyncPolicy};
use klaxon_engine::replay::{replay, replay_with};
use klaxon_engine::seal::SealKeys;
use klaxon_protocol::apart::{forgotten, unnamed};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, ToHost};
use klaxon_protocol::ids::{ConnRef, Name, PlayerId, Seat, ShowId};
use klaxon_protocol::journal::{Records, RulesVersion};
use klaxon_protocol::link::{JoinRequest, Proof, ToEngine};
use klaxon_protocol::player::Phase;
use klaxon_protocol::register::Register;
use tempfile::TempDir;

use crate::faults::FaultyJournal;
use crate::house::{GATEWAY, House, join_request, seat, settings};

const NAMES: [&str; 4] = ["Żofia Ümlautová", "Quetzalcoatl", "Bartholomew", "Øystein Ångström"];

fn player(number: usize) -> PlayerId {
    let kind = if number == 2 { "guest-unusual-" } else { "unusual.person+" };
    PlayerId::parse(&format!("{kind}{number}@example.org")).unwrap()
}

fn request(number: usize) -> JoinRequest {
    let conn = ConnRef { gateway: GATEWAY, conn: number as u64 };
    let name = Some(Name::parse(NAMES[number]).unwrap());
    JoinRequest { conn, player: player(number), name, ..join_request("LIVE", 0) }
}

/// All bytes below the directory, file by file.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

/// The files that hold one of these texts.
fn holding(directory: &Path, texts: &[&str]) -> Vec<String> {
    let holds = |bytes: &[u8]| texts.iter().any(|text| bytes.windows(text.len()).any(|part| part == text.as_bytes()));
    files(directory).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(file, _)| file).collect()
}

fn journal(data: &Path, show: ShowId) -> Vec<u8> {
    std::fs::read(data.join("journal").join(format!("{show}.klxj"))).unwrap()
}

fn people(data: &Path, show: ShowId) -> Register {
    Register::read(&std::fs::read(data.join("journal").join(format!("{show}.klxp"))).unwrap()).unwrap()
}

/// Plays a show with a takeover in the middle to its end.
async fn played(data: &Path) -> ShowId {
    let mut house = House::open(data).await;
    let show = house.lobby(settings(), 2).await;
    for (number, name) in NAMES.into_iter().enumerate().take(3) {
        let seated = house.try_join(request(number)).await.unwrap();
        assert_eq!((seated.seat, seated.name.as_str()), (Some(seat(number as u32)), name));
    }
    house.command(show, "banned", Action::BanAddress { seat: Seat(2), shared: true }).await;
    house.command(show, "next", Action::Next).await;
    house.crash().await;

    let mut house = House::open(data).await;
    let back =
        house.try_join(JoinRequest { proof: Proof::Resume { show, issue: 0, may_sit: false }, ..request(0) }).await;
    let back = back.unwrap();
    assert_eq!((back.seat, back.name.as_str()), (Some(seat(0)), NAMES[0]), "who is who outlives a takeover");
    assert_eq!(house.try_join(request(2)).await.unwrap_err().code, ErrorCode::Banned);
    let same_name = JoinRequest { player: player(3), ..request(1) };
    house.command(show, "void", Action::Void { reason: "Once more.".into() }).await;
    house.command(show, "lift", Action::LiftAddressBans).await;
    let _ = house.try_join(same_name).await;
    house.command(show, "next again", Action::Next).await;
    house.answer(show, 2, house.clock.now(), &[(0, 1)]);
    house.verdicts().await;
    house.command(show, "close", Action::Close).await;
    while house.shows().await[0].phase != Phase::Closed {}
    house.command(show, "reveal", Action::Reveal).await;
    house.command(show, "end", Action::End { pay: true }).await;
    let archive = house.stop().await;
    let podium = archive.podium(show, 10).await.unwrap();
    assert_eq!((podium[0].player.clone(), podium[0].name.as_str(), podium[0].prize), (player(0), NAMES[0], 100));
    archive.close().await;
    show
}

#[tokio::test]
async fn a_person_can_be_forgotten_and_the_show_replays_as_it_was() {
    let data = TempDir::new().unwrap();
    let show = played(data.path()).await;
    let bytes = journal(data.path(), show);
    let all: Vec<&str> = NAMES.into_iter().chain(["unusual"]).collect();
    let of_journal = |files: Vec<String>| files.into_iter().filter(|file| file.ends_with("klxj")).count();
    assert_eq!(of_journal(holding(data.path(), &all)), 0, "the journal names nobody");
    let mut states = Vec::new();
    let named =
        replay_with(&Games::default(), &bytes, people(data.path(), show), |record, _| states.push(record.state));
    let named = named.unwrap();
    assert_eq!(named.game.people().roster.name(Seat(0)).unwrap().as_str(), NAMES[0]);
    let results = named.game.results(show).unwrap();

    let journals = FileJournal::open(&data.path().join("journal"), SyncPolicy::Always).await.unwrap();
    let done = journals.forget(&player(0), None, &SealKeys::default()).await.unwrap();
    assert_eq!((done.records, done.shows.contains(&show)), (1, true));
    let archive = klaxon_engine::archive::SqlArchive::open_file(&data.path().join("archive.sqlite")).await.unwrap();
    assert_eq!(archive.forget(&player(0), None).await.unwrap(), [show]);
    let podium = archive.podium(show, 10).await.unwrap();
    assert_eq!(
        (&podium[0].player, &podium[0].name, podium[0].prize),
        (&forgotten(show, Seat(0)), &unnamed(Seat(0)), 100)
    );
    assert_eq!(podium[1].name.as_str(), NAMES[1], "others stay");
    assert_eq!(archive.history_of(&player(0), 10).await.unwrap(), []);
    archive.close().await;
    assert_eq!(holding(data.path(), &[NAMES[0], player(0).as_str()]), Vec::<String>::new());
    assert_eq!(journal(data.path(), show), bytes);

    let mut again = Vec::new();
    let replayed =
        replay_with(&Games::default(), &bytes, people(data.path(), show), |record, _| again.push(record.state))
            .unwrap();
    assert_eq!(again, states);
    let after = replayed.game.results(show).unwrap();
    assert_eq!(after.summary, results.summary);
    assert_eq!(after.players[1..], results.players[1..]);
    let mut first = results.players[0].clone();
    (first.player, first.name) = (forgotten(show, Seat(0)), unnamed(Seat(0)));
    assert_eq!(after.players[0], first, "points and prizes stay");
    // And with nobody known at all.
    assert_eq!(replay(&Games::default(), &bytes, |_, _| {}).unwrap().game.state_hash(), *states.last().unwrap());

    // The server that starts again stores nothing of them.
    let mut house = House::open(data.path()).await;
    assert_eq!(house.shows().await.len(), 1);
    let archive = house.stop().await;
    assert_eq!(archive.results(show).await.unwrap().unwrap().players[0], first);
    archive.close().await;
    assert_eq!(holding(data.path(), &[NAMES[0], player(0).as_str()]), Vec::<String>::new());
}

#[tokio::test]
async fn a_show_goes_on_after_somebody_in_it_was_forgotten() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    for number in 0..3 {
        house.try_join(request(number)).await.unwrap();
    }
    house.command(show, "banned", Action::BanAddress { seat: Seat(2), shared: true }).await;
    house.crash().await;
    let journals = FileJournal::open(&data.path().join("journal"), SyncPolicy::Always).await.unwrap();
    // With them goes from where they came.
    assert_eq!(journals.forget(&player(2), Some(show), &SealKeys::default()).await.unwrap().records, 2);
    let mut house = House::open(data.path()).await;
    let back = house.try_join(request(2)).await.unwrap();
    assert_eq!(back.seat, Some(seat(3)), "who is forgotten is somebody new, and their ban is forgotten with them");
    house.command(show, "reissue", Action::ReissueToken { seat: Seat(2) }).await;
    house.command(show, "restore", Action::Restore { seat: Seat(2) }).await;
    house.command(show, "remove", Action::Remove { seat: Seat(2), ban: true }).await;
    house.command(show, "next", Action::Next).await;
    house.command(show, "end", Action::End { pay: true }).await;
    let archive = house.stop().await;
    let seats: Vec<String> =
        archive.results(show).await.unwrap().unwrap().players.iter().map(|player| player.name.to_string()).collect();
    assert_eq!(seats, [NAMES[0], NAMES[1], "Player 3", NAMES[2]]);
    replay(&Games::default(), &journal(data.path(), show), |_, _| {}).unwrap();
}

#[tokio::test]
async fn a_show_that_an_engine_of_before_began_goes_on_by_its_edition_and_new_ones_begin_by_the_newest() {
    let data = TempDir::new().unwrap();
    let file = FileJournal::open(&data.path().join("journal"), SyncPolicy::Always).await.unwrap();
    let mut house = House::open_with(data.path(), FaultyJournal::of_before(file)).await;
    let old = house.lobby(settings(), 1).await;
    house.try_join(request(0)).await.unwrap();
    house.crash().await;

    let mut house = House::open(data.path()).await;
    let back = JoinRequest { proof: Proof::Resume { show: old, issue: 0, may_sit: false }, ..request(0) };
    let back = house.try_join(back).await.unwrap();
    assert_eq!((back.seat, back.name.as_str()), (Some(seat(0)), NAMES[0]));
    assert_eq!(house.try_join(request(1)).await.unwrap().seat, Some(seat(1)));
    house.ask_to_create("newer", "NEWER", settings(), 1);
    let ToHost::Created(new) = house.host_hears().await else { panic!("not created") };
    house.command(new.show, "open newer", Action::OpenLobby).await;
    let third = JoinRequest { conn: ConnRef { gateway: GATEWAY, conn: 9 }, ..join_request("NEWER", 7) };
    house.try_join(JoinRequest { player: player(2), name: request(2).name, ..third }).await.unwrap();
    for show in [old, new.show] {
        house.command(show, &format!("next {show}"), Action::Next).await;
        house.command(show, &format!("end {show}"), Action::End { pay: true }).await;
    }
    house.stop().await.close().await;

    let editions = [old, new.show].map(|show| {
        let bytes = journal(data.path(), show);
        assert!(replay(&Games::default(), &bytes, |_, _| {}).is_ok());
        let first = Records::new(&bytes).unwrap().next().unwrap().unwrap().1;
        first.command.begun().unwrap().rules
    });
    assert_eq!(editions, [RulesVersion::WITH_NAMES, RulesVersion::NEWEST]);
    let journals = data.path().join("journal");
    let beside = |show: ShowId| journals.join(format!("{show}.klxp")).exists();
    assert_eq!([beside(old), beside(new.show)], [false, true]);
    for name in &NAMES[..2] {
        assert_eq!(holding(&journals, &[name]), [journals.join(format!("{old}.klxj")).display().to_string()]);
    }
    assert_eq!(holding(&journals, &[NAMES[2]]), [journals.join(format!("{}.klxp", new.show)).display().to_string()]);
}

#[tokio::test]
async fn joins_that_give_no_new_seat_write_nothing() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.try_join(request(0)).await.unwrap();
    let sizes = || {
        [
            journal(data.path(), show).len(),
            files(data.path()).iter().filter(|(file, _)| file.ends_with("klxp")).map(|(_, bytes)| bytes.len()).sum(),
        ]
    };
    let before = sizes();
    for round in 0..100 {
        let conn = ConnRef { gateway: GATEWAY, conn: 1000 + round };
        let back = house.try_join(JoinRequest { conn, ..request(0) }).await.unwrap();
        assert_eq!(back.seat, Some(seat(0)));
        house.say(ToEngine::Gone { show, conn, seat: seat(0), left: true });
    }
    assert_eq!(sizes(), before);
}
