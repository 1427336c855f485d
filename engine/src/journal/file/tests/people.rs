//! Who is who, in a file beside the journal's: what is written before what, what a crash leaves, and that nothing is left of a person who
//! is forgotten.

use std::sync::atomic::Ordering;

use klaxon_protocol::apart::{Apart, Person, PersonOrigin};
use klaxon_protocol::games::trivia::Settings;
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::time::Millis;

use super::disk::{TestDisk, is_unavailable, open_on};
use super::*;
use crate::seal::SealKeys;

const ANN: &str = "ann.unusual@example.org";
const ANNS_NAME: &str = "Żofia Ümlautová";

fn person(player: &str) -> Person {
    let name = if player == ANN { ANNS_NAME } else { player };
    Person { player: PlayerId::parse(player).unwrap(), name: Name::parse(name).unwrap() }
}

fn with_command(number: u64, fence: u64, command: Command) -> Record {
    Record { command, events: vec![], ..record(SHOW, number, fence) }
}

fn sit(number: u64, fence: u64, player: &str) -> Record {
    let seat = Seat(u32::try_from(number).unwrap());
    with_command(number, fence, Command::Sit { seat, guest: false, who: Apart::known(person(player)) })
}

fn players(records: &[Record]) -> Vec<Option<&str>> {
    let player = |record: &Record| match &record.command {
        Command::Sit { who, .. } => Some(who.get().map(|person| person.player.as_str().to_owned())),
        _ => None,
    };
    let found: Vec<Option<String>> = records.iter().filter_map(player).collect();
    found.into_iter().map(|player| player.map(|player| &*player.leak())).collect()
}

fn people_path(directory: &TempDir) -> PathBuf {
    path(directory, SHOW).with_extension("klxp")
}

/// All bytes of all files in the directory.
fn all_bytes(directory: &TempDir) -> Vec<u8> {
    let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|file| std::fs::read(file).unwrap()).collect()
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn the_journal_names_nobody_and_who_is_who_comes_back() {
    let (journal, directory) = new_journal().await;
    let player = person(ANN).player;
    let from = Apart::known(PersonOrigin { player, origin: Origin::of_hash(0x1122_3344_5566_7788) });
    journal.append(&[sit(0, 1, ANN), sit(1, 1, "bob")]).await.unwrap();
    journal.append(&[with_command(2, 1, Command::SeatHasOrigin { seat: Seat(0), from })]).await.unwrap();
    drop(journal);
    let bytes = file(&directory, SHOW);
    assert!(!has(&bytes, ANN) && !has(&bytes, ANNS_NAME) && !has(&bytes, "bob"));
    let origin = 0x1122_3344_5566_7788_u64.to_le_bytes();
    assert!(!bytes.windows(8).any(|part| part == origin));
    let people = people_path(&directory);
    assert_eq!(std::fs::metadata(&people).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&people).unwrap();
    assert!(has(&bytes, ANN) && has(&bytes, ANNS_NAME));

    let journal = open(&directory).await;
    let records = journal.read(SHOW).await.unwrap().records;
    assert_eq!(players(&records), [Some(ANN), Some("bob")]);
    let Command::SeatHasOrigin { from, .. } = &records[2].command else { panic!("{records:?}") };
    assert_eq!(from.get().map(|from| from.origin), Some(Origin::of_hash(0x1122_3344_5566_7788)));
    assert_eq!(journal.tail(SHOW, 3).await.unwrap(), records, "a tail is of the same records");
    assert_eq!(players(&journal.tail(SHOW, 3).await.unwrap()), [None, None], "and names nobody");
    assert_eq!(journal.shows().await.unwrap(), [SHOW]);
    std::fs::remove_file(&people).unwrap();
    assert_eq!(players(&journal.read(SHOW).await.unwrap().records), [None, None], "without it everybody is forgotten");
}

#[tokio::test]
async fn a_crash_between_a_person_and_the_record_that_seats_them_loses_nothing_and_takes_nobody_for_another() {
    let (journal, directory) = new_journal().await;
    journal.append(&[sit(0, 1, "bob")]).await.unwrap();
    let before = file(&directory, SHOW).len();
    journal.append(&[sit(1, 1, ANN)]).await.unwrap();
    drop(journal);
    // The person was written and the record not, or not whole.
    for cut in [0, 1, 20] {
        let bytes = file(&directory, SHOW);
        std::fs::write(path(&directory, SHOW), &bytes[..before + cut]).unwrap();
        let journal = open(&directory).await;
        assert_eq!(players(&journal.read(SHOW).await.unwrap().records), [Some("bob")]);
        // The same record once more, and another one under the next lease.
        let next = if cut == 0 { sit(1, 1, ANN) } else { sit(1, 2, "cid") };
        let next_player = if cut == 0 { ANN } else { "cid" };
        journal.append(std::slice::from_ref(&next)).await.unwrap();
        drop(journal);
        let records = open(&directory).await.read(SHOW).await.unwrap().records;
        assert_eq!(players(&records), [Some("bob"), Some(next_player)]);
    }
    // A person half-written: they were acknowledged to nobody.
    let whole = std::fs::read(people_path(&directory)).unwrap();
    std::fs::write(people_path(&directory), [&whole[..], &whole[6..25]].concat()).unwrap();
    let journal = open(&directory).await;
    assert_eq!(players(&journal.read(SHOW).await.unwrap().records), [Some("bob"), Some("cid")]);
    journal.append(&[sit(2, 2, "dan")]).await.unwrap();
    drop(journal);
    let records = open(&directory).await.read(SHOW).await.unwrap().records;
    assert_eq!(players(&records), [Some("bob"), Some("cid"), Some("dan")]);
}

#[tokio::test]
async fn who_is_who_is_refused_and_left_alone_if_it_is_damaged() {
    let (journal, directory) = new_journal().await;
    journal.append(&[sit(0, 1, "bob"), sit(1, 1, ANN)]).await.unwrap();
    drop(journal);
    let mut bytes = std::fs::read(people_path(&directory)).unwrap();
    bytes[20] ^= 1;
    std::fs::write(people_path(&directory), &bytes).unwrap();
    let journal = open(&directory).await;
    assert!(matches!(journal.read(SHOW).await, Err(JournalError::Damaged { show: SHOW, offset: 6, .. })));
    let refused = journal.append(&[sit(2, 1, "cid")]).await;
    assert!(matches!(refused, Err(JournalError::Damaged { .. })), "{refused:?}");
    assert_eq!(std::fs::read(people_path(&directory)).unwrap(), bytes);
    journal.append(&[with_command(2, 1, Command::Tick)]).await.unwrap();
}

#[tokio::test]
async fn a_thousand_joins_in_one_append_cost_one_more_sync_and_others_none() {
    let disk = TestDisk::new();
    let (journal, _directory) = open_on(&disk, SyncPolicy::Always);
    let syncs = || disk.syncs.swap(0, Ordering::SeqCst);
    journal.append(&(0..1000).map(|number| sit(number, 1, &format!("p{number}"))).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(syncs(), 2, "one of who is who, one of the records");
    journal.append(&[with_command(1000, 1, Command::Tick)]).await.unwrap();
    assert_eq!(syncs(), 1);
    journal.append(&[sit(0, 1, "p0")]).await.unwrap();
    assert_eq!(syncs(), 0, "what is there already is not written again");
}

#[tokio::test]
async fn a_full_disk_fails_a_join_wherever_it_is_full_and_spoils_nothing() {
    let (_, sample) = (0, {
        let disk = TestDisk::new();
        let (journal, directory) = open_on(&disk, SyncPolicy::Always);
        journal.append(&[sit(0, 1, "bob")]).await.unwrap();
        let before = all_bytes(&directory).len();
        journal.append(&[sit(1, 1, ANN)]).await.unwrap();
        all_bytes(&directory).len() - before
    });
    for room in 0..sample {
        let disk = TestDisk::new();
        let (journal, directory) = open_on(&disk, SyncPolicy::Always);
        journal.append(&[sit(0, 1, "bob")]).await.unwrap();
        disk.room.store(room as u64, Ordering::SeqCst);
        assert!(is_unavailable(&journal.append(&[sit(1, 1, ANN)]).await));
        assert_eq!(players(&journal.read(SHOW).await.unwrap().records), [Some("bob")]);
        disk.room.store(u64::MAX, Ordering::SeqCst);
        journal.append(&[sit(1, 1, ANN), sit(2, 1, "cid")]).await.unwrap();
        drop(journal);
        let records = open(&directory).await.read(SHOW).await.unwrap().records;
        assert_eq!(players(&records), [Some("bob"), Some(ANN), Some("cid")]);
    }
}

#[tokio::test]
async fn a_person_takes_few_bytes_however_long_their_id_and_name_are() {
    let (journal, directory) = new_journal().await;
    let long =
        Person { player: PlayerId::parse(&"x".repeat(64)).unwrap(), name: Name::parse(&"名".repeat(24)).unwrap() };
    for (number, person) in [(0, person("guest-0123456789abcdef")), (1, long)] {
        let before = std::fs::metadata(people_path(&directory)).map_or(6, |file| file.len());
        let who = Apart::known(person);
        journal.append(&[with_command(number, 1, Command::Sit { seat: Seat(0), guest: false, who })]).await.unwrap();
        let bytes = std::fs::metadata(people_path(&directory)).unwrap().len() - before;
        assert!(bytes <= [75, 230][number as usize], "{bytes}");
    }
}

fn forget(forgotten: &Forgotten) -> (Vec<ShowId>, usize, Vec<ShowId>, usize) {
    let Forgotten { shows, records, named_in, unread } = forgotten;
    (shows.iter().copied().collect(), *records, named_in.iter().copied().collect(), unread.len())
}

#[tokio::test]
async fn of_a_person_who_is_forgotten_no_byte_is_left_and_all_others_stay() {
    let (journal, directory) = new_journal().await;
    let from = |player| Apart::known(PersonOrigin { player, origin: Origin::of_hash(0x1122_3344_5566_7788) });
    let origin = with_command(2, 1, Command::SeatHasOrigin { seat: Seat(0), from: from(person(ANN).player) });
    let other = |number, player| Record { show: OTHER, ..sit(number, 1, player) };
    journal.append(&[sit(0, 1, ANN), sit(1, 1, "bob"), origin, sit(3, 1, ANN)]).await.unwrap();
    journal.append(&[other(0, "bob"), other(1, ANN)]).await.unwrap();
    drop(journal);
    // As a crash in the middle of an earlier one leaves it.
    let old = std::fs::read(people_path(&directory)).unwrap();
    std::fs::write(people_path(&directory).with_extension("klxp-new"), &old).unwrap();
    let before = file(&directory, SHOW);

    let elsewhere =
        open(&directory).await.forget(&person(ANN).player, Some(ShowId(1234)), &SealKeys::default()).await.unwrap();
    assert_eq!(forget(&elsewhere), (vec![], 0, vec![], 0));
    let done = open(&directory).await.forget(&person(ANN).player, Some(SHOW), &SealKeys::default()).await.unwrap();
    assert_eq!(forget(&done), (vec![SHOW], 3, vec![], 0));
    assert_eq!(file(&directory, SHOW), before, "the journal stays as it is");
    let journal = open(&directory).await;
    assert_eq!(players(&journal.read(SHOW).await.unwrap().records), [None, Some("bob"), None]);
    assert_eq!(players(&journal.read(OTHER).await.unwrap().records), [Some("bob"), Some(ANN)], "in this show only");
    let done = journal.forget(&person(ANN).player, None, &SealKeys::default()).await.unwrap();
    assert_eq!(forget(&done), (vec![OTHER], 1, vec![], 0));
    let bytes = all_bytes(&directory);
    assert!(!has(&bytes, ANN) && !has(&bytes, ANNS_NAME) && has(&bytes, "bob"));
    assert!(!bytes.windows(8).any(|part| part == 0x1122_3344_5566_7788_u64.to_le_bytes()));

    // The show goes on.
    let journal = open(&directory).await;
    journal.append(&[sit(4, 2, "eve")]).await.unwrap();
    drop(journal);
    let records = open(&directory).await.read(SHOW).await.unwrap().records;
    assert_eq!(players(&records), [None, Some("bob"), None, Some("eve")]);
    let again = open(&directory).await.forget(&person(ANN).player, None, &SealKeys::default()).await.unwrap();
    assert_eq!(forget(&again), (vec![], 0, vec![], 0));
}

#[tokio::test]
async fn what_a_file_was_before_somebody_was_forgotten_is_overwritten() {
    let (journal, directory) = new_journal().await;
    journal.append(&[sit(0, 1, ANN)]).await.unwrap();
    drop(journal);
    // A second name of the file shows what becomes of its bytes.
    let second = directory.path().join("second-name");
    std::fs::hard_link(people_path(&directory), &second).unwrap();
    open(&directory).await.forget(&person(ANN).player, None, &SealKeys::default()).await.unwrap();
    let bytes = std::fs::read(&second).unwrap();
    assert!(!bytes.is_empty() && bytes.iter().all(|&byte| byte == 0));
}

#[tokio::test]
async fn journals_that_name_the_person_themselves_or_cant_be_read_are_told() {
    let (journal, directory) = new_journal().await;
    let create = klaxon_fixtures::trivia_show(klaxon_fixtures::pack(1, ["no", "yes"]), Settings::default());
    let Person { player, name } = person(ANN);
    let join = Command::Join { player: player.clone(), name, role: klaxon_protocol::player::Role::Player };
    journal.append(&[with_command(0, 1, Command::begin(create)), with_command(1, 1, join)]).await.unwrap();
    let other = Record { show: OTHER, at: Millis(9), ..sit(0, 1, "bob") };
    journal.append(&[other.clone(), Record { number: 1, ..other }]).await.unwrap();
    drop(journal);
    let people = path(&directory, OTHER).with_extension("klxp");
    let mut bytes = std::fs::read(&people).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&people, bytes).unwrap();
    let done = open(&directory).await.forget(&player, None, &SealKeys::default()).await.unwrap();
    // The damaged one is found twice: with its journal, and by itself.
    assert_eq!(forget(&done), (vec![], 0, vec![SHOW], 2));
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_whole_and_what_stands_before_the_damage_is_kept() {
    let (journal, directory) = new_journal().await;
    journal.append(&[sit(0, 1, ANN), sit(1, 1, "bob"), sit(2, 1, "cid")]).await.unwrap();
    let people = people_path(&directory);
    let mut bytes = std::fs::read(&people).unwrap();
    let bob = bytes.windows(3).position(|part| part == b"bob").unwrap();
    bytes[bob] ^= 1;
    std::fs::write(&people, &bytes).unwrap();
    assert!(matches!(journal.read(SHOW).await, Err(JournalError::Damaged { .. })));
    let aside = journal.set_people_aside(SHOW).await.unwrap();
    assert_eq!((aside.extension().unwrap(), std::fs::read(&aside).unwrap()), ("klxp-damaged".as_ref(), bytes));
    assert_eq!(std::fs::metadata(&people).unwrap().permissions().mode() & 0o777, 0o600);
    let again = journal.set_people_aside(SHOW).await;
    assert!(matches!(&again, Err(JournalError::Unavailable(problem)) if problem.contains("move it away")), "{again:?}");
    journal.append(&[sit(3, 1, "dan")]).await.unwrap();
    assert_eq!(players(&journal.read(SHOW).await.unwrap().records), [Some(ANN), None, None, Some("dan")]);
    let done = journal.forget(&person("bob").player, None, &SealKeys::default()).await.unwrap();
    assert_eq!((done.records, done.unread.len()), (0, 1));
    assert!(done.unread[0].contains("klxp-damaged: it was set aside as damaged; delete it"), "{:?}", done.unread);
}
