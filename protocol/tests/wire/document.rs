//! docs/protocol.md says what the code does: its examples are messages, its tables are the code's.

use std::collections::BTreeSet;
use std::fmt::Write;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, AlertKind, FromHost, ToHost};
use klaxon_protocol::ids::Name;
use klaxon_protocol::name::{COMPANIONS, MOST_BYTES, MOST_CHARACTERS, MOST_MARKS, RESERVED};
use klaxon_protocol::player::{FromPlayer, LARGEST_MESSAGE, ToPlayer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::examples::Variants;
use crate::kept::{self, DOCS};
use crate::reference::reference;

const DOCUMENT: &str = "docs/protocol.md";

fn document() -> String {
    std::fs::read_to_string(kept::path(DOCUMENT)).unwrap()
}

/// A code block, with all that follows the three backticks before it.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(document.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some(Block { line: number, info: info.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block is not closed");
    blocks
}

/// Whether all that `told` has is in `read` too.
fn holds(read: &Value, told: &Value) -> bool {
    match (read, told) {
        (Value::Object(read), Value::Object(told)) => {
            told.iter().all(|(name, told)| read.get(name).is_some_and(|read| holds(read, told)))
        }
        (Value::Array(read), Value::Array(told)) => {
            read.len() == told.len() && read.iter().zip(told).all(|(read, told)| holds(read, told))
        }
        (read, told) => read == told,
    }
}

/// The message in a line of the document; nothing in the line may be lost on the reader.
fn read<T: Serialize + DeserializeOwned>(line: &str) -> Result<T, String> {
    let told: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let message: T = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&message).map_err(|error| error.to_string())?;
    if holds(&written, &told) { Ok(message) } else { Err(format!("the message is {written}")) }
}

/// What the server writes must stand in the document exactly as it is written.
fn read_heard<T: Serialize + DeserializeOwned + klaxon_protocol::binary::Encode>(line: &str) -> Result<T, String> {
    let message: T = read(line)?;
    let written = String::from_utf8(Codec::Json.encode(&message)).map_err(|error| error.to_string())?;
    if written == line { Ok(message) } else { Err(format!("it is written as {written}")) }
}

/// The names of all messages that the document shows.
#[derive(Default)]
struct Shown {
    from_player: BTreeSet<&'static str>,
    to_player: BTreeSet<&'static str>,
    from_host: BTreeSet<&'static str>,
    to_host: BTreeSet<&'static str>,
    actions: BTreeSet<&'static str>,
    alerts: BTreeSet<&'static str>,
}

impl Shown {
    fn add(&mut self, speaker: &str, line: &str) -> Result<(), String> {
        match speaker {
            "player says" => {
                self.from_player.insert(read::<FromPlayer>(line)?.variant());
            }
            "player hears" => {
                self.to_player.insert(read_heard::<ToPlayer>(line)?.variant());
            }
            "host says" => {
                let message: FromHost = read(line)?;
                self.from_host.insert(message.variant());
                if let FromHost::Command(command) = message {
                    self.actions.insert(command.action.variant());
                }
            }
            "host hears" => {
                let message: ToHost = read_heard(line)?;
                self.to_host.insert(message.variant());
                match message {
                    ToHost::Alert(alert) => _ = self.alerts.insert(alert.alert.variant()),
                    ToHost::Event(event) => _ = self.to_player.insert(event.event.variant()),
                    _ => {}
                }
            }
            other => return Err(format!("a json block is one of `json player says`, ...: not {other:?}")),
        }
        Ok(())
    }
}

#[test]
fn every_example_is_a_message_and_every_message_has_an_example() {
    let mut shown = Shown::default();
    for block in blocks(&document()) {
        let Some(speaker) = block.info.strip_prefix("json") else { continue };
        for (number, line) in (block.line + 1..).zip(block.text.lines()) {
            if let Err(problem) = shown.add(speaker.trim(), line) {
                panic!("{DOCUMENT}:{number}: {problem}\n{line}");
            }
        }
    }
    for (what, names, shown) in [
        ("players say", FromPlayer::NAMES, shown.from_player),
        ("players hear", ToPlayer::NAMES, shown.to_player),
        ("hosts say", FromHost::NAMES, shown.from_host),
        ("hosts hear", ToHost::NAMES, shown.to_host),
        ("hosts do", Action::NAMES, shown.actions),
        ("hosts are alerted of", AlertKind::NAMES, shown.alerts),
    ] {
        let missing: Vec<_> = names.iter().filter(|&name| !shown.contains(name)).collect();
        assert!(missing.is_empty(), "{DOCUMENT} shows no example of what {what}: {missing:?}");
    }
}

#[test]
fn every_bincode_example_is_the_json_before_it() {
    fn check<T: Serialize + DeserializeOwned + klaxon_protocol::binary::Encode>(json: &str, bytes: &str) {
        let message: T = serde_json::from_str(json).unwrap();
        assert_eq!(crate::golden::hex(&Codec::Bincode.encode(&message)), bytes, "{json}");
    }
    let blocks = blocks(&document());
    let mut checked = 0;
    for pair in blocks.windows(2) {
        let [before, block] = pair else { continue };
        if block.info != "text bincode" {
            continue;
        }
        // A line is some bytes, two spaces, and what they mean.
        let bytes: String = block.text.lines().filter_map(|line| line.split("  ").next()).collect();
        let bytes = bytes.replace(' ', "");
        match before.info.as_str() {
            "json player says" => check::<FromPlayer>(&before.text, &bytes),
            "json player hears" => check::<ToPlayer>(&before.text, &bytes),
            "json host says" => check::<FromHost>(&before.text, &bytes),
            other => panic!("before a bincode block stands its JSON, not {other:?}"),
        }
        checked += 1;
    }
    assert!(checked >= 2, "the document shows bincode of what a player says and hears");
}

/// Puts `inner` between the document's markers of that name.
fn check_between(marker: &str, inner: &str) {
    let document = document();
    let (begin, end) = (format!("<!-- {marker}: written by the tests -->\n"), format!("<!-- end of {marker} -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("{DOCUMENT} has no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{DOCUMENT} has no {end}"));
    kept::check(DOCS, DOCUMENT, &format!("{before}{begin}{inner}{end}{after}"));
}

/// One test for all, for they would write the same file at the same time.
#[test]
fn the_tables_of_the_document_are_the_code_s() {
    let mut table = String::from("| | code | what happened | what to do |\n| ---: | --- | --- | --- |\n");
    for (number, code) in ErrorCode::ALL.iter().enumerate() {
        let _ = writeln!(table, "| {number} | `{code}` | {} | {} |", code.sentence(), code.advice());
    }
    check_between("errors", &table);
    check_between("reference", &reference());
}

#[test]
fn the_document_names_the_subprotocols_and_limits() {
    let document = document();
    for codec in Codec::ALL {
        assert!(document.contains(&format!("`{}`", codec.subprotocol())));
    }
    assert!(document.contains(&format!("{LARGEST_MESSAGE} bytes")));
}

#[test]
fn the_document_has_the_rules_of_names() {
    let document = document();
    let rules = document.split("## Names\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let words: String = rules.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("> {}", RESERVED.join(" "))), "the reserved words are {RESERVED:?}");
    assert!(words.contains(&format!("({})", COMPANIONS.join(" "))), "the words beside them are {COMPANIONS:?}");
    assert!(words.contains(&format!("1 to {MOST_CHARACTERS} characters")));
    assert!(words.contains(&format!("{MOST_BYTES} bytes")) && words.contains(&format!("more than {MOST_MARKS} marks")));
    // The examples are what the rules make of them.
    for refused in ["H0st", "H o s t", "Hóst", "h0$t", "ʜᴏsᴛ", "SERVER: you won"] {
        assert!(words.contains(&format!("`{refused}`")) && Name::parse(refused).is_err(), "{refused}");
    }
    for taken in ["Ann Host", "Host Ann", "Host-Smith", "Hostetler"] {
        assert!(words.contains(&format!("`{taken}`")) && Name::parse(taken).is_ok(), "{taken}");
    }
}

/// What GitHub makes of a heading, to link to it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let read = |name: &str| std::fs::read_to_string(kept::path("docs").join(name)).unwrap();
    for name in ["protocol.md", "journal.md"] {
        let document = read(name);
        for link in document.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            assert!(kept::path("docs").join(file).exists(), "{name}: there is no docs/{file}");
            if place.is_empty() {
                continue;
            }
            let target = if file.is_empty() { document.clone() } else { read(file) };
            let mut headings = target.lines().filter(|line| line.starts_with('#'));
            let is_there = headings.any(|line| anchor(line.trim_start_matches('#').trim_start()) == place);
            assert!(is_there, "{name}: no heading is {link}");
        }
    }
}

#[test]
fn the_example_client_is_as_short_as_the_document_says() {
    let client = std::fs::read_to_string(kept::path("docs/examples/client.py")).unwrap();
    assert!(client.lines().count() <= 40 && document().contains("in 40 lines"));
}
