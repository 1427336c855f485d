//! The encoded bytes of every example, kept in `protocol/golden/`.
//!
//! `*.jsonl` hold the JSON exactly as it is sent, a message a line; `*.hex` the bincode bytes, with a label before each.

use std::collections::BTreeSet;
use std::fmt::Write;

use klaxon_protocol::binary::{self, Encode};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::host::{FROM_HOST_TYPES, FromHost, ToHost};
use klaxon_protocol::journal::{MAGIC, Records, frame_record};
use klaxon_protocol::player::{FROM_PLAYER_TYPES, FromPlayer, ToPlayer};
use klaxon_protocol::register::{PEOPLE_MAGIC, PersonRecords};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::examples::{self, Variants};
use crate::kept::{self, GOLDEN};

/// Fails if a variant is without example.
fn nothing_is_missing<'a, T: Variants + 'a>(what: &str, examples: impl IntoIterator<Item = &'a T>) {
    let shown: BTreeSet<_> = examples.into_iter().map(Variants::variant).collect();
    let missing: Vec<_> = T::NAMES.iter().filter(|&name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "{what} has no example of {missing:?}: add one to tests/wire/examples");
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn labelled<T: Variants + Encode>(messages: &[T]) -> String {
    let width = T::NAMES.iter().map(|name| name.len()).max().unwrap_or(0);
    messages.iter().fold(String::new(), |mut lines, message| {
        let bytes = binary::encode(message);
        let _ = writeln!(lines, "{:width$} {}", message.variant(), hex(&bytes));
        lines
    })
}

fn check_both<T: Variants + Serialize + Encode>(name: &str, messages: &[T]) {
    nothing_is_missing(name, messages);
    let mut json = String::new();
    for message in messages {
        let line = String::from_utf8(Codec::Json.encode(message)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["type"], message.variant(), "the tag is the variant's name");
        json.push_str(&line);
        json.push('\n');
    }
    kept::check(GOLDEN, &format!("protocol/golden/{name}.jsonl"), &json);
    kept::check(GOLDEN, &format!("protocol/golden/{name}.hex"), &labelled(messages));
}

#[test]
fn what_players_say_is_written_as_it_was() {
    check_both("from_player", &examples::from_player());
}

#[test]
fn what_players_hear_is_written_as_it_was() {
    check_both("to_player", &examples::to_player());
}

#[test]
fn what_hosts_say_is_written_as_it_was() {
    let messages = examples::from_host();
    let actions = messages.iter().filter_map(|message| match message {
        FromHost::Command(command) => Some(&command.action),
        _ => None,
    });
    nothing_is_missing("Action", actions);
    check_both("from_host", &messages);
}

#[test]
fn what_hosts_hear_is_written_as_it_was() {
    let messages = examples::to_host();
    let alerts = messages.iter().filter_map(|message| match message {
        ToHost::Alert(alert) => Some(&alert.alert),
        _ => None,
    });
    nothing_is_missing("AlertKind", alerts);
    check_both("to_host", &messages);
}

#[test]
fn what_gateways_say_is_written_as_it_was() {
    let messages = examples::to_engine();
    nothing_is_missing("to_engine", &messages);
    kept::check(GOLDEN, "protocol/golden/to_engine.hex", &labelled(&messages));
}

#[test]
fn what_engines_say_is_written_as_it_was() {
    let messages = examples::to_gateway();
    nothing_is_missing("to_gateway", &messages);
    kept::check(GOLDEN, "protocol/golden/to_gateway.hex", &labelled(&messages));
}

#[test]
fn the_words_inside_of_messages_are_spelled_as_they_were() {
    let lines = examples::words().iter().fold(String::new(), |mut lines, word| {
        let json = &word.json;
        let _ = writeln!(lines, "{:10} {:20} {} {json}", word.of, word.name, hex(&word.bincode));
        lines
    });
    kept::check(GOLDEN, "protocol/golden/words.txt", &lines);
}

/// A line for the magic, then for each record a line for its head (length and two checksums) and one for its body.
#[test]
fn a_journal_is_framed_as_it_was() {
    let records = examples::records();
    nothing_is_missing("journal Command", records.iter().map(|record| &record.command));
    let mut journal = MAGIC.to_vec();
    let mut lines = hex(&MAGIC) + "\n";
    for record in &records {
        let start = journal.len();
        frame_record(record, &mut journal).unwrap();
        let (head, body) = journal[start..].split_at(12);
        let _ = writeln!(lines, "{}\n{}", hex(head), hex(body));
    }
    let back: Vec<_> = Records::new(&journal).unwrap().map(|item| item.unwrap().1).collect();
    assert_eq!(back, records);
    kept::check(GOLDEN, "protocol/golden/journal.klxj.hex", &lines);
}

#[test]
fn what_stands_apart_from_a_journal_is_framed_as_it_was() {
    let people = examples::people();
    let mut file = PEOPLE_MAGIC.to_vec();
    people.iter().for_each(|person| frame_record(person, &mut file).unwrap());
    let back: Vec<_> = PersonRecords::new(&file).unwrap().map(|item| item.unwrap().1).collect();
    assert_eq!((back.len(), back), (3, people));
    kept::check(GOLDEN, "protocol/golden/people.klxp.hex", &(hex(&file) + "\n"));
}

#[test]
fn the_lists_of_known_types_are_the_enums() {
    assert_eq!(FROM_PLAYER_TYPES, FromPlayer::NAMES);
    assert_eq!(FROM_HOST_TYPES, FromHost::NAMES);
}

#[test]
fn a_message_has_a_seq_in_its_bytes_exactly_if_it_is_an_event() {
    for message in examples::to_player() {
        if matches!(message, ToPlayer::Snapshot(_) | ToPlayer::GameSnapshot(_)) {
            continue;
        }
        let json = serde_json::to_value(&message).unwrap();
        assert_eq!(json.get("seq").and_then(serde_json::Value::as_u64), message.seq().map(|seq| seq.0), "{json}");
    }
}

#[test]
fn what_is_not_there_is_left_out_never_null() {
    let written = [
        examples::from_player().iter().map(|message| Codec::Json.encode(message)).collect::<Vec<_>>(),
        examples::to_player().iter().map(|message| Codec::Json.encode(message)).collect(),
        examples::from_host().iter().map(|message| Codec::Json.encode(message)).collect(),
        examples::to_host().iter().map(|message| Codec::Json.encode(message)).collect(),
    ];
    for line in written.concat() {
        let line = String::from_utf8(line).unwrap();
        assert!(!line.contains("null"), "{line}");
    }
}

#[test]
fn an_unknown_field_changes_nothing() {
    fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(messages: &[T]) {
        for message in messages {
            let mut json = serde_json::to_value(message).unwrap();
            json.as_object_mut().unwrap().insert("mood".into(), serde_json::json!({ "sure": [true] }));
            assert_eq!(serde_json::from_value::<T>(json).unwrap(), *message);
        }
    }
    check(&examples::from_player());
    check(&examples::to_player());
    check(&examples::from_host());
    check(&examples::to_host());
}
