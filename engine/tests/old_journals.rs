//! Journals are kept for ever: those that the first edition of the rules wrote must replay to every event and every state they recorded.
//!
//! `old_journals/shows.hex` are whole shows of a server that wrote no edition yet (of each mode, with a split and a podium, with pauses,
//! a void, and kills in mid-question); `stories.hex` are commands of any kind in any order, as the hostile tests of the rules make them.
//! A line is a journal: its name, and its bytes in hexadecimal. These files only grow.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use klaxon_engine::game::Games;
use klaxon_engine::replay::{ReplayError, replay};
use klaxon_protocol::games::trivia::{Mode, PrizeRule};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{
    Begun, BegunGame, BegunShow, Command, MAGIC, Record, Records, RulesVersion, frame_record,
};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

const SHOWS: &str = include_str!("old_journals/shows.hex");
const STORIES: &str = include_str!("old_journals/stories.hex");

/// The journals' names and bytes.
fn journals() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    SHOWS.lines().chain(STORIES.lines()).map(|line| {
        let (name, hex) = line.split_once(' ').unwrap();
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        (name, digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect())
    })
}

fn records(bytes: &[u8]) -> Vec<Record> {
    Records::new(bytes).unwrap().map(|item| item.unwrap().1).collect()
}

#[test]
fn journals_of_the_first_edition_replay_to_every_event_and_state_they_recorded() {
    for (name, bytes) in journals() {
        let recorded = records(&bytes);
        assert_eq!(recorded[0].command.begun().map(|begun| begun.rules), Some(RulesVersion::FIRST), "{name}");
        let rebuilt = replay(&Games::default(), &bytes, |_, _| {}).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rebuilt.records, recorded.len() as u64, "{name}");
    }
}

/// What a record is an example of.
fn kinds(record: &Record) -> BTreeSet<&'static str> {
    let mut kinds = BTreeSet::new();
    if let Some(Ok(show)) = record.command.begun().and_then(|begun| begun.trivia()) {
        kinds.insert(match show.settings.mode {
            Mode::Elimination => "elimination",
            Mode::Points => "points",
            Mode::Both => "both",
        });
        kinds.insert(match show.settings.prize {
            PrizeRule::Split => "split",
            PrizeRule::Podium { .. } => "podium",
        });
    }
    match &record.command {
        Command::Recovered { .. } => kinds.insert("kill"),
        Command::Tally { silent, .. } if !silent.is_empty() => kinds.insert("silent gateway"),
        Command::Host { action: Action::Pause, .. } => kinds.insert("pause"),
        Command::Host { action: Action::Remove { .. }, .. } => kinds.insert("remove"),
        Command::Host { action: Action::GiveLives { .. }, .. } => kinds.insert("give lives"),
        Command::Host { action: Action::AdjustTime { .. }, .. } => kinds.insert("adjust time"),
        Command::Host { action: Action::Close, .. } => kinds.insert("close"),
        _ => false,
    };
    kinds.extend(record.events.iter().filter_map(|event| match event {
        ToPlayer::Void(_) => Some("void"),
        ToPlayer::Podium(podium) if podium.paid > 0 => Some("paid"),
        _ => None,
    }));
    kinds
}

#[test]
fn each_kind_of_step_is_in_a_kept_journal() {
    let found: BTreeSet<_> =
        journals().flat_map(|(_, bytes)| records(&bytes)).flat_map(|record| kinds(&record)).collect();
    let all = BTreeSet::from([
        "adjust time",
        "both",
        "close",
        "elimination",
        "give lives",
        "kill",
        "paid",
        "pause",
        "podium",
        "points",
        "remove",
        "silent gateway",
        "split",
        "void",
    ]);
    assert_eq!(found, all);
}

/// Begins a show with a setting that version 1 of the wire does not have in bincode.
fn newer_show() -> BegunGame {
    let (_, bytes) = journals().next().unwrap();
    let first = records(&bytes).swap_remove(0);
    let mut show = first.command.begun().and_then(|begun| begun.trivia()).unwrap().unwrap();
    show.settings.speed_points = false;
    let Command::BeginGame { show, .. } = Command::begin(show) else { panic!("its settings have names") };
    *show
}

fn replayed(show: BegunGame) -> Result<u64, ReplayError> {
    let (rules, at) = (RulesVersion::NEWEST, Millis(7));
    let command = Command::BeginGame { rules, show: Box::new(show) };
    let mut state = 0;
    if let Some(begun) = command.begun()
        && let Ok(game) = Games::default().begin(at, begun)
    {
        state = game.state_hash();
    }
    let mut bytes = MAGIC.to_vec();
    let record = Record { show: ShowId(1), number: 0, fence: Fence(1), at, command, events: vec![], state };
    frame_record(&record, &mut bytes).unwrap();
    replay(&Games::default(), &bytes, |_, _| {}).map(|rebuilt| rebuilt.records)
}

#[test]
fn a_journal_with_a_setting_that_this_program_does_not_have_is_refused_by_its_name() {
    assert_eq!(replayed(newer_show()).unwrap(), 1);
    let mut unknown = newer_show();
    unknown.setup.0["settings"]["encores"] = 3.into();
    let error = replayed(unknown).unwrap_err();
    assert!(matches!(error, ReplayError::Refused { number: 0, .. }));
    assert!(error.to_string().contains("`settings.encores` is not known here"), "{error}");
}

#[test]
fn a_show_whose_settings_all_were_there_before_is_written_as_it_was() {
    let (_, bytes) = journals().next().unwrap();
    let first = records(&bytes).swap_remove(0).command;
    let Command::Create(old) = &first else { panic!("it is of the first edition") };
    let show = first.begun().and_then(|begun| begun.trivia()).unwrap().unwrap();
    let again = Command::begin(show);
    assert!(matches!(again, Command::Begin { rules: RulesVersion::NEWEST, show } if show == *old));
}

#[test]
fn a_journal_of_an_edition_that_this_program_does_not_have_is_refused_by_its_number() {
    let (_, bytes) = journals().next().unwrap();
    let mut first = records(&bytes).swap_remove(0);
    let Some(Begun { show: BegunShow::Trivia(show), .. }) = first.command.begun() else { panic!("it is of trivia") };
    let show = Box::new(show.clone());
    first.command = Command::Begin { rules: RulesVersion(77), show };
    let mut bytes = MAGIC.to_vec();
    frame_record(&first, &mut bytes).unwrap();
    let Err(error) = replay(&Games::default(), &bytes, |_, _| {}) else {
        panic!("it was played by rules that nobody knows")
    };
    assert!(matches!(error, ReplayError::Refused { number: 0, .. }));
    assert!(error.to_string().contains("edition 77 "), "{error}");
}
