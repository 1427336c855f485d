//! What those can do who read and write Redis and Kafka, and have no key.

use klaxon_protocol::apart::Person;
use klaxon_protocol::games::trivia::{Choice, Pack, PackQuestion, Settings, TriviaShow};
use klaxon_protocol::ids::{CommandId, Fence, Name, PlayerId, Seat, ShowCode};
use klaxon_protocol::player::{Lobby, ToPlayer};
use klaxon_protocol::time::Millis;
use proptest::prelude::*;

use super::*;

const SECRET: &str = "4f8d1ce0a7b3926e5d08f1c2b7a69e34";
const OTHER: &str = "91b7c5d3e0f2a4860c9d8e7f6a5b4c32";

fn keys(secrets: &[&str]) -> SealKeys {
    SealKeys::of_secrets(secrets)
}

fn question(text: &str, right: u8) -> PackQuestion {
    PackQuestion::new(text, ["Quito", "Lima", "Sucre"], Choice(right))
}

fn begin(right: u8, seed: u64) -> Command {
    let pack = Pack { title: "Capitals".into(), questions: vec![question("The highest capital?", right)] };
    let (id, code) = (CommandId::parse("create").unwrap(), ShowCode::parse("LIVE").unwrap());
    Command::begin(TriviaShow { id, code, seed, pack, settings: Settings::default() })
}

fn record(number: u64, command: Command) -> Record {
    let events = vec![ToPlayer::Lobby(Lobby { joined: 3 })];
    let state = 0x0123_4567_89ab_cdef;
    Record { show: ShowId(7), number, fence: Fence(2), at: Millis(1_000), command, events, state }
}

fn open(keys: &SealKeys, record: Record) -> Result<Record, SealError> {
    RecordOpener::default().open(keys, record)
}

fn opened(keys: &SealKeys, bytes: Vec<u8>) -> Result<Vec<u8>, UnsealError> {
    Ok(open_journal(keys, bytes, Register::default())?.0)
}

fn framed(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame_record(record, &mut bytes).unwrap();
    bytes
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_reader_without_the_key_finds_no_question_no_seed_and_no_state_in_a_record() {
    let seed = 0x5eed_5eed_5eed_5eed_u64;
    let plain = record(0, begin(1, seed));
    let sealed = keys(&[SECRET]).seal_record(&plain);
    for secret in [&b"highest"[..], b"Quito", b"Capitals", &seed.to_le_bytes(), &plain.state.to_le_bytes()] {
        assert!(contains(&framed(&plain), secret), "the test looks for what is there");
        assert!(!contains(&framed(&sealed), secret), "{secret:?}");
    }
    assert_eq!(sealed.events, plain.events, "everybody has heard these");
    assert_eq!(open(&keys(&[SECRET]), sealed), Ok(plain));
}

#[test]
fn right_choices_show_neither_in_the_length_nor_in_a_hash_of_what_is_sealed() {
    let keys = keys(&[SECRET]);
    let lengths = [0, 1, 2].map(|right| framed(&keys.seal_record(&record(0, begin(right, 1 << 40)))).len());
    assert_eq!(lengths, [lengths[0]; 3]);
    let hash = 0xfeed;
    assert_ne!(keys.blind(hash), hash);
    assert_eq!(keys.blind(hash), keys.blind(hash));
    assert_ne!(keys.blind(hash), SealKeys::of_secrets(&[OTHER]).blind(hash));
    assert_eq!(SealKeys::default().blind(hash), hash, "without a key it is as it was");
}

#[test]
fn a_nonce_comes_again_only_with_the_same_text_in_the_same_place() {
    let keys = keys(&[SECRET]);
    let nonce = |record: &Record| match keys.seal_record(record).command {
        Command::Sealed { sealed: Sealed { bytes, .. }, .. } => bytes[..NONCE].to_vec(),
        other => panic!("{other:?}"),
    };
    let first = record(1, Command::Tick);
    assert_eq!(keys.seal_record(&first), keys.seal_record(&first), "an append that is repeated writes the same bytes");
    let mut others = vec![first.clone(); 6];
    others[0].number = 2;
    others[1].fence = Fence(3);
    others[2].show = ShowId(8);
    others[3].at = Millis(1_001);
    others[4].state ^= 1;
    others[5].events.clear();
    for other in others {
        assert_ne!(nonce(&other), nonce(&first), "{other:?}");
    }
}

#[test]
fn what_is_sealed_can_not_be_moved_to_another_show_record_lease_time_or_event() {
    let keys = keys(&[SECRET]);
    let sealed = keys.seal_record(&record(1, Command::Tick));
    let mut moved = vec![sealed.clone(); 6];
    moved[0].show = ShowId(8);
    moved[1].number = 2;
    moved[2].fence = Fence(3);
    moved[3].at = Millis(999);
    moved[4].events = vec![ToPlayer::Lobby(Lobby { joined: 4 })];
    moved[5].command = keys.seal_record(&record(2, Command::Tick)).command;
    for moved in moved {
        assert!(matches!(open(&keys, moved.clone()), Err(SealError::Changed { .. })), "{moved:?}");
    }
    assert!(open(&keys, sealed).is_ok());
}

#[test]
fn what_is_sealed_for_the_bus_opens_in_its_stream_only_and_never_as_a_record() {
    let keys = keys(&[SECRET]);
    let sealed = keys.seal_entry(Stream::Input(ShowId(7)), b"messages").unwrap();
    assert_eq!(keys.open_entry(Stream::Input(ShowId(7)), &sealed), Ok(b"messages".to_vec()));
    for other in [Stream::Input(ShowId(8)), Stream::Requests, Stream::HostReplies(GatewayId(7))] {
        assert!(keys.open_entry(other, &sealed).is_err(), "{other:?}");
    }
    let as_record =
        Record { command: Command::Sealed { sealed, person: Apart::unknown() }, ..record(0, Command::Tick) };
    assert!(matches!(open(&keys, as_record), Err(SealError::Changed { .. })));
}

#[test]
fn without_the_key_or_with_another_one_it_is_told_which_key_is_missing_and_what_to_do() {
    let sealed = keys(&[SECRET]).seal_record(&record(0, begin(1, 2)));
    let Command::Sealed { sealed: Sealed { key, .. }, .. } = sealed.command else { panic!("it is sealed") };
    for (held, known) in [(SealKeys::default(), "has no key"), (keys(&[OTHER]), "has ")] {
        let error = open(&held, sealed.clone()).unwrap_err();
        assert!(matches!(error, SealError::NoKey { .. }));
        let told = error.to_string();
        assert!(told.contains(&format!("{key:016x}")) && told.contains(known), "{told}");
        assert!(told.contains("seal-key-file") && told.contains("Nothing is lost"), "{told}");
        assert!(!told.contains(SECRET) && !told.contains(OTHER) && !format!("{held:?}").contains(OTHER), "{told}");
    }
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens() {
    let before = keys(&[SECRET]).seal_record(&record(0, Command::Tick));
    let rotated = keys(&[OTHER, SECRET]);
    let after = rotated.seal_record(&record(1, Command::Tick));
    assert!(open_records(&rotated, [before.clone(), after.clone()]).is_ok());
    assert!(open(&keys(&[OTHER]), after.clone()).is_ok() && open(&keys(&[SECRET]), after).is_err());
    assert!(matches!(open_records(&keys(&[OTHER]), [before]), Err((0, SealError::NoKey { .. }))));
}

#[test]
fn records_of_before_the_key_are_read_and_none_without_a_seal_after_a_sealed_one() {
    let keys = keys(&[SECRET]);
    let plain: Vec<Record> = (0..4).map(|number| record(number, Command::Tick)).collect();
    let mixed = [plain[0].clone(), plain[1].clone(), keys.seal_record(&plain[2]), keys.seal_record(&plain[3])];
    assert_eq!(open_records(&keys, mixed.clone()), Ok(plain.clone()));
    let mut forged = mixed;
    forged[3] = plain[3].clone();
    assert_eq!(open_records(&keys, forged), Err((3, SealError::NotSealed { number: 3 })));
    assert_eq!(open_records(&SealKeys::default(), plain.clone()), Ok(plain), "old journals need no key");
}

#[test]
fn a_journal_that_is_saved_is_opened_and_one_that_is_not_sealed_stays_as_it_is() {
    let keys = keys(&[SECRET]);
    let plain: Vec<Record> =
        [begin(2, 9), Command::Tick].into_iter().zip(0..).map(|(command, number)| record(number, command)).collect();
    let journal = |records: &mut dyn Iterator<Item = Record>| {
        records.fold(MAGIC.to_vec(), |bytes, record| [bytes, framed(&record)].concat())
    };
    let open_bytes = journal(&mut plain.iter().cloned());
    let sealed_bytes = journal(&mut plain.iter().map(|record| keys.seal_record(record)));
    assert_eq!(opened(&keys, sealed_bytes.clone()).unwrap(), open_bytes);
    let error = opened(&SealKeys::default(), sealed_bytes.clone()).unwrap_err();
    assert!(matches!(error, UnsealError::Record(0, SealError::NoKey { .. })), "{error}");
    let torn = [&open_bytes[..], &[1, 2, 3]].concat();
    assert_eq!(opened(&keys, torn.clone()).unwrap(), torn);
    assert!(matches!(opened(&keys, [&sealed_bytes[..], &[1, 2, 3]].concat()), Err(UnsealError::Frame(_))));
}

#[test]
fn what_stands_apart_is_sealed_by_itself_for_its_own_record_and_the_rest_opens_without_it() {
    let keys = keys(&[SECRET]);
    let sit = |number, name: &str| {
        let person = Person { player: PlayerId::parse(name).unwrap(), name: Name::parse(name).unwrap() };
        record(number, Command::Sit { seat: Seat(0), guest: false, who: Apart::known(person) })
    };
    let name_in = |record: Result<Record, SealError>| match record.unwrap().command {
        Command::Sit { who, .. } => who.get().map(|person| person.name.as_str().to_owned()),
        command => panic!("{command:?}"),
    };
    let (ann, bob) = (keys.seal_record(&sit(3, "Annabella")), keys.seal_record(&sit(4, "Bob")));
    let (person, others) = (ann.apart().unwrap(), bob.apart().unwrap());
    let mut bytes = framed(&ann);
    frame_record(&person, &mut bytes).unwrap();
    assert!(!contains(&bytes, b"Annabella"), "neither of both tells it without the key");
    assert_eq!(keys.seal_record(&sit(3, "Annabella")).apart(), Some(person.clone()), "again it has the same bytes");
    assert_eq!(name_in(open(&keys, ann.clone())), Some("Annabella".to_owned()));
    assert_eq!(keys.open_person(person.clone()).unwrap().data.player().unwrap().as_str(), "Annabella");
    let error = SealKeys::default().open_person(person.clone()).unwrap_err();
    assert!(matches!(error, SealError::NoKey { .. }), "{error}");

    // Taken away, put in the place of another, or not sealed: it counts as missing, and the record opens.
    let with = |data: Option<PersonalData>| {
        let mut bytes = MAGIC.to_vec();
        frame_record(&ann, &mut bytes).unwrap();
        let mut bare = Records::new(&bytes).unwrap().next().unwrap().unwrap().1;
        if let Some(data) = data {
            bare.command.put_apart(data);
        }
        open(&keys, bare)
    };
    assert_eq!(name_in(with(Some(person.data.clone()))), Some("Annabella".to_owned()));
    let plain = sit(3, "Mallory").apart().unwrap().data;
    for data in [None, Some(others.data.clone()), Some(plain)] {
        assert_eq!(name_in(with(data)), None);
    }
    let moved = PersonRecord { number: 3, ..others };
    assert!(matches!(keys.open_person(moved), Err(SealError::Changed { .. })));
}

proptest! {
    #[test]
    fn no_byte_of_a_sealed_part_can_be_changed_cut_off_or_added(at: prop::sample::Index, bit in 0_u8..8, cut: prop::sample::Index) {
        let keys = keys(&[SECRET]);
        let sealed = keys.seal_record(&record(3, Command::Tick));
        let Command::Sealed { sealed: Sealed { key, bytes }, person } = sealed.command.clone() else { panic!("it is sealed") };
        let with = |bytes| {
            let command = Command::Sealed { sealed: Sealed { key, bytes }, person: person.clone() };
            Record { command, ..sealed.clone() }
        };
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= 1 << bit;
        let longer = [&bytes[..], &[0]].concat();
        for bytes in [changed, bytes[..cut.index(bytes.len())].to_vec(), longer] {
            prop_assert_eq!(open(&keys, with(bytes)), Err(SealError::Changed { key }));
        }
    }
}

/// Known bytes: what was sealed once is opened for ever.
#[test]
fn what_this_program_sealed_first_is_sealed_so_for_ever() {
    let sealed = keys(&[SECRET]).seal_record(&record(0, Command::Tick));
    let hex: String = framed(&sealed).iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = "4700000098bf8727a3e80a52070002fbe8030efd35c6fdcc599375af325d68a082eccd9c52404f0f0111b9c6d9\
                9105cc8e8f014c8c5708168a3189c6d5e1e7133faf2c1e3c1d0df6750c763dbf315801030300";
    assert_eq!(hex, kept);
}
