//! docs/journal.md says what a journal's bytes are: its tables are the code's, and a reader that knows the page only reads the journals
//! that were kept.

use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::ids::ClaimKey;
use klaxon_protocol::journal::{Command, CountedClaim, LARGEST_RECORD, MAGIC, Records, frame_record};
use klaxon_protocol::register::PersonRecords;

use crate::examples::{ANN, FIRST};
use crate::kept::{self, DOCS, GOLDEN};
use crate::layout::source::Source;
use crate::layout::{Content, Form, Layout, growth, page, reader};

const DOCUMENT: &str = "docs/journal.md";
const BEGIN: &str = "<!-- layouts: written by the tests -->\n";
const END: &str = "<!-- end of layouts -->";

fn document() -> String {
    std::fs::read_to_string(kept::path(DOCUMENT)).unwrap()
}

/// The layouts as they were when the last of them was added.
const KEPT: &str = "protocol/golden/journal.layouts.md";

fn layouts_of_the_code() -> Vec<Layout> {
    let source = Source::read(&kept::path("protocol/src"));
    let mut layouts = source.reachable("protocol/src/journal/mod.rs", "Record");
    for layout in source.reachable("protocol/src/register.rs", "PersonRecord") {
        if !layouts.contains(&layout) {
            layouts.push(layout);
        }
    }
    layouts
}

/// The part of the page that is written from the code, and what is around it.
fn parts(document: &str) -> (&str, &str, &str) {
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (layouts, after) = rest.split_once(END).unwrap();
    (before, layouts, after)
}

#[test]
fn the_page_has_every_command_and_event_with_its_number_and_fields() {
    let layouts = layouts_of_the_code();
    let document = document();
    let (before, _, after) = parts(&document);
    let written = page::written(&layouts);
    assert_eq!(page::read(&written), layouts, "what is written can be read back");
    kept::check(DOCS, DOCUMENT, &format!("{before}{BEGIN}{written}{END}{after}"));
}

#[test]
fn a_journal_that_could_be_read_can_be_read() {
    let layouts = layouts_of_the_code();
    let kept = std::fs::read_to_string(kept::path(KEPT)).unwrap();
    for root in ["Record", "PersonRecord"] {
        if let Err(problem) = growth::check(&page::read(&kept), &layouts, root) {
            panic!("journals of before could not be read any more: {problem}");
        }
    }
    kept::check(GOLDEN, KEPT, &page::written(&layouts));
}

#[test]
fn what_would_make_journals_unreadable_is_found() {
    let layouts = layouts_of_the_code();
    assert_eq!(growth::check(&layouts, &layouts, "Record"), Ok(()));
    let changed = |name: &str, change: fn(&mut Form)| {
        let mut changed = layouts.clone();
        change(&mut changed.iter_mut().find(|layout| layout.name == name).unwrap().form);
        (growth::check(&layouts, &changed, "Record"), growth::check(&changed, &layouts, "Record"))
    };
    let (grown, shrunk) = changed("Command", |form| {
        let Form::Variants(variants) = form else { panic!("a command is one of several") };
        variants.push(variants[4].clone());
    });
    assert!(grown.is_ok() && shrunk.unwrap_err().starts_with("Record: command: Command: "));
    let (moved, _) = changed("Command", |form| {
        let Form::Variants(variants) = form else { panic!("a command is one of several") };
        variants.swap(3, 4);
    });
    assert!(moved.unwrap_err().contains("variant 3, Host: "));
    let (shorter, longer) = changed("Notice", |form| {
        let Form::Fields(fields) = form else { panic!("a notice has fields") };
        fields.pop();
    });
    assert!(shorter.unwrap_err().contains("3 fields became 2") && longer.is_err());
    let (wider, _) = changed("Seat", |form| *form = Form::Same(crate::layout::Kind::U64));
    assert!(wider.unwrap_err().contains("U32 became U64"));
    let (emptied, _) = changed("Action", |form| {
        let Form::Variants(variants) = form else { panic!("an action is one of several") };
        variants[4].content = Content::Fields(Vec::new());
    });
    assert!(emptied.unwrap_err().contains("variant 4, Void: 1 fields became 0"));
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}

/// The journals that are kept in the repository, by name.
fn journals() -> Vec<(String, Vec<u8>)> {
    let kept = |name: &str| std::fs::read_to_string(kept::path(name)).unwrap();
    let old = ["shows", "stories", "apart"].map(|name| kept(&format!("engine/tests/old_journals/{name}.hex"))).concat();
    let old = old.lines().map(|line| line.split_once(' ').unwrap());
    // What stands apart from a journal is behind it.
    let old = old.map(|(name, hex)| (name.to_owned(), bytes(hex.split(' ').next().unwrap())));
    let examples = bytes(&kept("protocol/golden/journal.klxj.hex").replace('\n', ""));
    old.chain([("examples".to_owned(), examples)]).collect()
}

#[test]
fn who_knows_the_page_only_reads_every_field_of_every_kept_journal() {
    let document = document();
    let layouts = page::read(parts(&document).1);
    let mut count = 0;
    for (name, journal) in journals() {
        let bodies = reader::bodies(&journal).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let records: Vec<_> = Records::new(&journal).unwrap().map(|item| item.unwrap().1).collect();
        assert_eq!(bodies.len(), records.len(), "{name}");
        for (body, record) in bodies.iter().zip(&records) {
            let read = reader::read(&layouts, "Record", body).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert_eq!(read, format!("{record:?}"), "{name}");
        }
        count += records.len();
    }
    assert!(count > 1000, "{count} records are too few to prove anything");
}

#[test]
fn who_knows_the_page_only_reads_who_is_who() {
    let document = document();
    let layouts = page::read(parts(&document).1);
    let people =
        bytes(&std::fs::read_to_string(kept::path("protocol/golden/people.klxp.hex")).unwrap().replace('\n', ""));
    let bodies = reader::person_bodies(&people).unwrap();
    let records: Vec<_> = PersonRecords::new(&people).unwrap().map(|item| item.unwrap().1).collect();
    assert_eq!((bodies.len(), records.len()), (3, 3));
    for (body, record) in bodies.iter().zip(&records) {
        assert_eq!(reader::read(&layouts, "PersonRecord", body), Ok(format!("{record:?}")));
    }
    assert!(reader::bodies(&people).is_err());
}

/// Whether a journal can be read must not depend on the Unicode that its reader knows: there is no text of players in it that is checked by
/// tables of characters.
#[test]
fn a_claims_text_that_this_version_would_not_take_is_read_from_a_journal() {
    for text in [" ", "\u{3164}", "a\u{202e}b", "\u{fdd0}"] {
        assert!(ClaimText::parse(text).is_err(), "{text:?}");
        let mut record = crate::examples::records().pop().unwrap();
        let value = ClaimValue::Text(ClaimText::kept(text).unwrap());
        let claims = vec![CountedClaim { seat: ANN, key: ClaimKey(0), value, at: record.at }];
        record.command = Command::Claims { round: FIRST, claims };
        let mut journal = MAGIC.to_vec();
        frame_record(&record, &mut journal).unwrap();
        assert_eq!(Records::new(&journal).unwrap().next(), Some(Ok((MAGIC.len(), record))), "{text:?}");
    }
}

#[test]
fn who_knows_the_page_only_sees_that_bytes_were_changed() {
    let (_, journal) = journals().swap_remove(0);
    for at in [0, 5, 6, 9, 13, 17, 20, journal.len() - 1] {
        let mut damaged = journal.clone();
        damaged[at] ^= 1;
        assert!(reader::bodies(&damaged).is_err(), "{at}");
    }
    assert!(reader::bodies(&journal[..journal.len() - 1]).is_err());
}

/// The record that the page spells out, byte by byte.
#[test]
fn the_record_of_the_page_is_a_record() {
    let document = document();
    let block = document.split("```text record\n").nth(1).unwrap().split("```").next().unwrap();
    // A line is some bytes, two spaces, and what they mean.
    let hex: String = block.lines().filter_map(|line| line.split("  ").next()).collect();
    let journal = bytes(&hex.replace(' ', ""));
    let record = Records::new(&journal).unwrap().next().unwrap().unwrap().1;
    let body = reader::bodies(&journal).unwrap()[0];
    let layouts = page::read(parts(&document).1);
    assert_eq!(reader::read(&layouts, "Record", body), Ok(format!("{record:?}")));
}

#[test]
fn the_page_says_how_large_a_record_may_be() {
    assert!(document().contains(&format!("{} MiB", LARGEST_RECORD >> 20)));
}
