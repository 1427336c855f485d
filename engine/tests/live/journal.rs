//! What shows do while their journal fails, and what an engine does with journals that are damaged or long done.

use std::path::PathBuf;

use klaxon_engine::archive::Archive;
use klaxon_engine::game::Games;
use klaxon_engine::journal::{FileJournal, Journal, JournalError, SyncPolicy};
use klaxon_engine::replay::events;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Settings, TriviaShow};
use klaxon_protocol::host::{Action, AlertKind, Created, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, MAGIC, Record, Records, frame_record};
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use tempfile::TempDir;

use crate::house::{GATEWAY, House, pack, settings};

fn full() -> Option<JournalError> {
    Some(JournalError::Unavailable("the disk is full".into()))
}

fn never() -> Option<JournalError> {
    Some(JournalError::Fenced { show: ShowId(1), newest: Fence(9), found: Fence(1) })
}

fn file(data: &TempDir, show: ShowId) -> PathBuf {
    data.path().join("journal").join(format!("{show}.klxj"))
}

fn created(message: ToHost) -> Created {
    match message {
        ToHost::Created(created) => created,
        other => panic!("{other:?}"),
    }
}

fn refused(message: ToHost) -> Refused {
    match message {
        ToHost::Refused(refused) => refused,
        other => panic!("{other:?}"),
    }
}

async fn alert(house: &mut House, wanted: fn(&AlertKind) -> bool) {
    house.hear(|message| matches!(message, ToGateway::Alert { alert, .. } if wanted(&alert)).then_some(())).await;
}

#[tokio::test]
async fn nothing_leaves_a_show_before_its_journal_has_it() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;
    house.command(show, "next", Action::Next).await;
    house.journal.fail(full());
    house.answer(show, 1, house.clock.now(), &[(0, 1)]);
    alert(&mut house, |alert| matches!(alert, AlertKind::JournalFailing { .. })).await;
    house.say(ToEngine::Resync { conn: ConnRef { gateway: GATEWAY, conn: 0 }, show, seat: None });
    house.ask_to_join(1);
    house.ask_for(show, "close", Action::Close);
    house.journal.refused(3).await;
    assert_eq!(house.heard_meanwhile().await, [], "neither replies nor seats nor figures");
    assert_eq!(house.shows().await[0].joined, 1, "nor is the list ahead of the journal");
    house.journal.fail(None);
    assert_eq!(house.verdicts().await.len(), 1);
    alert(&mut house, |alert| matches!(alert, AlertKind::JournalBack)).await;
    house.hear(|message| matches!(message, ToGateway::Resynced(_)).then_some(())).await;
    house.hear(|message| matches!(message, ToGateway::Seated(_)).then_some(())).await;
    assert!(matches!(house.host_hears().await, ToHost::Done(_)));
}

#[tokio::test]
async fn a_question_that_waited_for_the_journal_is_given_its_time_again() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;
    house.journal.fail(full());
    house.ask_for(show, "next", Action::Next);
    // The sixth attempt comes 310 ms after the first.
    house.journal.refused(6).await;
    house.journal.fail(None);
    let question = |event| if let ToPlayer::Question(question) = event { Some(question) } else { None };
    let question = house.event(question).await;
    let resume = |event| if let ToPlayer::Resume(resume) = event { Some(resume) } else { None };
    let resume = house.event(resume).await;
    assert_eq!(resume.question, Some(question.question));
    let (opens, closes) = (resume.opens_at.unwrap(), resume.closes_at.unwrap());
    assert!(opens >= question.opens_at + Span(3_000), "phones get a moment");
    assert!(closes.since(opens) >= Span(59_000), "{closes:?} is nearly all of a minute after {opens:?}");
}

#[tokio::test]
async fn a_create_that_is_sent_again_while_it_is_written_is_answered_when_it_is() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    house.journal.fail(full());
    house.ask_to_create("create", "LIVE", settings(), 1);
    house.ask_to_create("create", "LIVE", settings(), 1);
    house.journal.refused(3).await;
    assert_eq!(house.shows().await, [], "there is no show before it is written");
    house.journal.fail(None);
    let first = created(house.host_hears().await);
    assert_eq!(created(house.host_hears().await), first);
    assert_eq!(house.shows().await.len(), 1);
}

#[tokio::test]
async fn a_show_that_can_not_be_written_at_all_refuses_those_who_wait_for_it() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    house.journal.fail(never());
    let create = refused(house.create("create", settings(), 1).await);
    assert_eq!((create.id.as_str(), create.error.code), ("create", ErrorCode::Unavailable));
    house.journal.fail(None);
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;

    house.journal.fail(never());
    house.ask_for(show, "next", Action::Next);
    house.ask_for(show, "close", Action::Close);
    for id in ["next", "close"] {
        let command = refused(house.host_hears().await);
        assert_eq!((command.id.as_str(), command.error.code), (id, ErrorCode::Unavailable));
    }
    assert_eq!(house.refused_join("LIVE", 0).await, ErrorCode::Unavailable, "it has not ended");
    house.journal.fail(None);
    house.crash().await;
    let mut house = House::open(data.path()).await;
    assert_eq!(house.join(0).await.view.phase, Phase::Lobby, "what is written goes on");
}

#[tokio::test]
async fn a_damaged_show_is_set_aside_and_keeps_no_other_down() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;
    house.ask_to_create("good", "GOOD", settings(), 1);
    let good = created(house.host_hears().await).show;
    house.crash().await;
    let whole = std::fs::read(file(&data, show)).unwrap();
    let second = Records::new(&whole).unwrap().nth(1).unwrap().unwrap().0;
    let mut changed = whole.clone();
    changed[second + 20] ^= 1;
    let of_another = [&whole[..], &std::fs::read(file(&data, good)).unwrap()[MAGIC.len()..]].concat();
    for (damaged, problem) in [(changed, "a changed byte"), (of_another, "a record of another show")] {
        std::fs::write(file(&data, show), &damaged).unwrap();

        let mut house = House::open(data.path()).await;
        assert_eq!(house.shows().await.iter().map(|line| line.show).collect::<Vec<_>>(), [good], "{problem}");
        assert_eq!(house.refused_join("LIVE", 0).await, ErrorCode::Unavailable);
        let command = refused(house.command(show, "next", Action::Next).await);
        assert_eq!(command.error.code, ErrorCode::Unavailable);
        let again = refused(house.create("create", settings(), 1).await);
        assert_eq!(again.error.code, ErrorCode::Unavailable, "it exists, but can't be hosted");
        assert_eq!(std::fs::read(file(&data, show)).unwrap(), damaged);
        house.crash().await;
    }
    let mut house = House::open(data.path()).await;
    assert_ne!(created(house.create("another", settings(), 1).await).show, show, "its code can be used again");
}

#[tokio::test]
async fn a_show_with_a_setting_of_a_newer_program_is_left_to_that_one() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(Settings { speed_points: false, ..settings() }, 1).await;
    house.crash().await;
    let mut records: Vec<Record> =
        Records::new(&std::fs::read(file(&data, show)).unwrap()).unwrap().map(|item| item.unwrap().1).collect();
    let Command::BeginGame { show: begun, .. } = &mut records[0].command else { panic!("its settings have names") };
    begun.setup.0["settings"]["encores"] = 3.into();
    let mut newer = MAGIC.to_vec();
    records.iter().for_each(|record| frame_record(record, &mut newer).unwrap());
    std::fs::write(file(&data, show), &newer).unwrap();

    let mut house = House::open(data.path()).await;
    assert_eq!(house.shows().await, []);
    let command = refused(house.command(show, "next", Action::Next).await);
    assert_eq!(command.error.code, ErrorCode::Unavailable);
    assert_eq!(std::fs::read(file(&data, show)).unwrap(), newer, "nothing is written to it");
}

/// A show that ended a day ago, as its journal has it.
fn old_show(id: ShowId, code: &str) -> Vec<Record> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let at = Millis(u64::try_from(now).unwrap()) - Span(24 * 3_600_000);
    let command = |id: &str| CommandId::parse(id).unwrap();
    let (pack, settings) = (pack(1), settings());
    let create = TriviaShow { id: command(code), code: ShowCode::parse(code).unwrap(), seed: 1, pack, settings };
    let begin = Command::begin(create);
    let mut game = Games::default().begin(at, begin.begun().unwrap()).unwrap();
    let commands = [
        Command::Host { id: command("open"), action: Action::OpenLobby },
        Command::Host { id: command("end"), action: Action::End { pay: true } },
    ];
    let record =
        |number, command, events, state| Record { show: id, number, fence: Fence(1), at, command, events, state };
    let mut records = vec![record(0, begin, vec![], game.state_hash())];
    for (number, command) in (1..).zip(commands) {
        let events = events(&game.apply(at, &command).unwrap()).cloned().collect();
        records.push(record(number, command, events, game.state_hash()));
    }
    records
}

#[tokio::test]
async fn a_show_that_is_long_over_is_archived_once_and_not_rebuilt_after() {
    let data = TempDir::new().unwrap();
    let (good, bad) = (ShowId(1), ShowId(2));
    let mut of_other_rules = old_show(bad, "BADS");
    of_other_rules[2].state ^= 1;
    let journal = FileJournal::open(&data.path().join("journal"), SyncPolicy::Never).await.unwrap();
    journal.append(&old_show(good, "GOOD")).await.unwrap();
    journal.append(&of_other_rules).await.unwrap();
    drop(journal);

    let mut house = House::open(data.path()).await;
    let shows = house.shows().await;
    assert_eq!(shows.iter().map(|line| (line.show, line.phase)).collect::<Vec<_>>(), [(good, Phase::Ended)]);
    assert_eq!(house.refused_join("GOOD", 0).await, ErrorCode::ShowEnded);
    assert_eq!(house.refused_join("BADS", 0).await, ErrorCode::Unavailable, "it does not replay");
    let archive = house.stop().await;
    assert!(archive.show(good).await.unwrap().is_some());

    let first = &old_show(bad, "BADS")[0].command;
    let mut game = Games::default().begin(Millis(1), first.begun().unwrap()).unwrap();
    let end = Command::Host { id: CommandId::parse("end").unwrap(), action: Action::End { pay: true } };
    game.apply(Millis(2), &end).unwrap();
    archive.store(&game.results(bad).unwrap()).await.unwrap();
    let mut house = House::open(data.path()).await;
    assert_eq!(house.shows().await.len(), 2, "what is in the archive needs no replay");
}

#[tokio::test]
async fn a_show_that_ended_is_in_the_archive_when_the_engine_has_stopped() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;
    house.command(show, "end", Action::End { pay: true }).await;
    let archive = house.stop().await;
    assert_eq!(archive.show(show).await.unwrap().map(|summary| summary.paid), Some(100));
}

#[tokio::test]
async fn after_a_crash_a_code_is_still_that_of_the_show_that_goes_on() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    for round in 0..5 {
        let show = created(house.create(&format!("create {round}"), settings(), 1).await).show;
        house.command(show, "end", Action::End { pay: true }).await;
    }
    let show = house.lobby(settings(), 1).await;
    house.crash().await;
    let mut house = House::open(data.path()).await;
    assert_eq!(house.join(0).await.show, show);
}
