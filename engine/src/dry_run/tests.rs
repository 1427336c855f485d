//! Shows that are played dry.

use std::path::Path;

use klaxon_protocol::games::rundown::PartKind;

use super::*;
use crate::show_file::{self, parse};

fn show(text: &str) -> PreparedShow {
    parse("show.toml", text.as_bytes(), Path::new("")).unwrap_or_else(|bad| panic!("{bad}"))
}

fn run(show: &PreparedShow) -> DryReport {
    play(show, DryOptions::default()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn example(name: &str) -> PreparedShow {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/shows").join(name);
    show_file::read(&path).unwrap_or_else(|bad| panic!("{bad}"))
}

const QUESTION: &str =
    "[[parts.questions]]\ntext = \"?\"\nkind = \"choice\"\nchoices = [\"a\", \"b\", \"c\"]\nright = 1\n";

/// A show with this quiz.
fn quiz(settings: &str, questions: &str) -> String {
    format!("title = \"t\"\nlead = \"1s\"\n[[parts]]\npart = \"quiz\"\n{settings}\n{questions}")
}

#[test]
fn every_example_is_played_to_its_end_without_a_warning() {
    for (name, rounds) in [("trivia.toml", 11), ("bingo75.toml", 20), ("mixed.json", 40)] {
        let show = example(name);
        let report = run(&show);
        assert_eq!(report.warnings, Vec::<String>::new(), "{name}");
        assert!(report.parts.iter().map(|part| part.rounds).sum::<u32>() >= rounds, "{report}");
        assert!(report.scripted && report.players == 100, "{report}");
        assert_eq!(run(&show), report, "the same seed plays the same show");
        let other = play(&show, DryOptions { seed: 2, ..DryOptions::default() }).unwrap();
        assert_ne!(other, report, "another seed plays another one");
    }
}

#[test]
fn lengths_are_what_the_rules_say() {
    // From the lobby to the first part, a break, three questions that are open to their end, and what is between them.
    let text = format!(
        "title = \"t\"\nlead = \"2s\"\nscript = {{ lobby = \"1min\", suspense = \"3s\", between = \"7s\" }}\n\
         [[parts]]\npart = \"break\"\ntext = \"Tea\"\nfor = \"90s\"\n\
         [[parts]]\npart = \"quiz\"\nopen_for = \"20s\"\n{QUESTION}{QUESTION}{QUESTION}open_for = \"5s\"\n"
    );
    let report = run(&show(&text));
    let question = |open_for: u64| 2_000 + open_for + 3_000 + 7_000;
    let quiz = 7_000 + 2 * question(20_000) + question(5_000);
    let lengths: Vec<u64> = report.parts.iter().map(|part| part.length).collect();
    assert_eq!((report.lobby, lengths), (60_000, vec![90_000, quiz]));
    assert_eq!(report.length, 60_000 + 90_000 + quiz);
    assert!(!report.scripted && report.to_string().contains("The host steers this show"), "{report}");
}

#[test]
fn prizes_are_told_by_name_with_what_they_paid() {
    let show = example("mixed.json");
    let report = run(&show);
    let bingo = &report.parts[1];
    let PartKind::Bingo(setup) = &show.setup.parts[1].kind else { panic!("it is bingo") };
    for (known, told) in setup.prizes.iter().zip(&bingo.prizes) {
        assert_eq!((&told.name, told.amount, told.paid), (&known.name, known.amount, known.amount), "{report}");
        assert!(told.winners > 0, "{report}");
    }
    assert_eq!((bingo.paid, report.paid, report.pot), (8500, 8500, 8500));
    assert!(report.winners > 0 && report.to_string().contains("paid: 85.00 GBP of 85.00 GBP, to "), "{report}");
    let points = report.parts[0].points.unwrap();
    assert!(points.least < points.median && points.median < points.most, "{points:?}");
    // The buzzers without choices.
    assert!(report.parts[3].waits >= 2 && report.parts[3].points.is_some(), "{report}");
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let warnings = |text: &str| run(&show(text)).warnings;
    let poll = "[[parts.questions]]\ntext = \"?\"\nkind = \"poll\"\nchoices = [\"a\", \"b\"]\n";
    assert_eq!(warnings(&quiz("", poll)), ["parts[0] (quiz): nobody won or lost anything in it"]);
    assert_eq!(warnings(&quiz("points = 0", QUESTION)), ["parts[0] (quiz): nobody won or lost anything in it"]);
    let long = "[[parts]]\npart = \"break\"\ntext = \"Sleep\"\nfor = \"1h\"\n".repeat(4);
    assert_eq!(warnings(&format!("title = \"t\"\n{long}")), ["the show takes 4 h 0 min"]);
    let few = play(&show(&format!("seats = 10\n{}", quiz("", QUESTION))), DryOptions::default()).unwrap();
    assert_eq!((few.players, few.warnings.len()), (10, 1));
    assert!(few.warnings[0].contains("10 seats"), "{few}");
}

#[test]
fn all_players_out_before_a_part_and_a_prize_that_nobody_wins_are_warned_of() {
    let last =
        "[[parts]]\npart = \"bingo\"\nballs = 75\nprizes = [{ name = \"Line\", pattern = \"line\", amount = 500 }]\n";
    let text = format!("{}{last}", quiz("mode = \"elimination\"", &QUESTION.repeat(100)));
    let report = play(&show(&text), DryOptions { players: 2, seed: 1 }).unwrap();
    let told = report.warnings.join("\n");
    assert!(told.contains("parts[1] (bingo): all players are out before it begins"), "{report}");
    assert!(told.contains("parts[1] (bingo): nobody won \"Line\" (5.00 EUR)"), "{report}");
    assert_eq!(report.parts[1].in_play, (0, 0));
}

#[test]
fn points_that_the_next_part_takes_away_are_told_of_the_part_that_gave_them() {
    let text =
        format!("{}[[parts]]\npart = \"break\"\ntext = \"Tea\"\nkeep = {{ points = false }}\n", quiz("", QUESTION));
    let report = run(&show(&text));
    assert!(report.parts[0].points.is_some_and(|points| points.most > 0), "{report}");
    assert_eq!(report.parts[1].points, None);
}

#[test]
fn a_public_value_is_given_by_the_host_of_the_dry_run() {
    let text = "title = \"t\"\n[[parts]]\npart = \"bingo\"\nballs = 90\npublic_value = \"the DAX\"\n\
                prizes = [{ name = \"House\", pattern = \"full_house\", amount = 100 }]\n";
    let report = run(&show(text));
    assert_eq!((report.warnings.len(), report.parts[0].waits, report.paid), (0, 1, 100), "{report}");
}

#[test]
fn a_show_without_players_ends_too() {
    for name in ["trivia.toml", "bingo75.toml", "mixed.json"] {
        let report = play(&example(name), DryOptions { players: 0, seed: 1 }).unwrap();
        assert_eq!((report.players, report.winners, report.paid), (0, 0, 0), "{report}");
    }
}
