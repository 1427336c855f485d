//! Shows' files: what is read, and how mistakes are told.

use std::path::Path;

use klaxon_protocol::games::quiz::Kind;
use klaxon_protocol::games::rundown::PartKind;
use klaxon_protocol::ids::CommandId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const GOOD: &str = r#"
title = "An evening"
code = "EVENING"
seats = 200
barrier = "200ms"
lead = "1.5s"
lives = 1
currency = "GBP"

[script]
on = true
lobby = "2min"
between = 4000

[[parts]]
part = "quiz"
open_for = "15s"
mode = "both"

[[parts.questions]]
text = "Which planet is the largest?"
kind = "choice"
choices = ["Jupiter", "Mars"]
right = 0

[[parts.questions]]
text = "When was the Eiffel Tower opened?"
kind = "number"
right = 1889
score = { by = "nearest", places = [500, 300] }

[[parts]]
part = "break"
text = "Tea!"
for = "5min"
keep = { points = false }

[[parts]]
part = "bingo"
balls = 90
prizes = [{ name = "Full house", pattern = "full_house", amount = 10_00 }]
settings = { pace = "2s", window = 3000 }
"#;

fn in_json() -> Value {
    json!({
        "$schema": "../../schema/show.json", "title": "An evening", "code": "EVENING", "seats": 200, "barrier": 200, "lead": 1500, "lives": 1,
        "currency": "GBP", "script": { "on": true, "lobby": "2min", "between": "4s", "suspense": null },
        "parts": [
            { "part": "quiz", "open_for": 15000, "mode": "both", "questions": [
                { "text": "Which planet is the largest?", "kind": "choice", "choices": ["Jupiter", "Mars"], "right": 0 },
                { "text": "When was the Eiffel Tower opened?", "kind": "number", "right": 1889,
                  "score": { "by": "nearest", "places": [500, 300] } },
            ] },
            { "part": "break", "text": "Tea!", "for": 300_000, "keep": { "points": false } },
            { "part": "bingo", "balls": 90, "prizes": [{ "name": "Full house", "pattern": "full_house", "amount": 1000 }],
              "settings": { "pace": 2000, "window": 3000 } },
        ],
    })
}

fn toml(text: &str) -> Result<PreparedShow, BadShow> {
    parse("show.toml", text.as_bytes(), Path::new(""))
}

fn json_of(value: &Value) -> Result<PreparedShow, BadShow> {
    parse("show.json", value.to_string().as_bytes(), Path::new(""))
}

fn told(read: Result<PreparedShow, BadShow>) -> Vec<String> {
    read.unwrap_err().to_string().lines().map(str::to_owned).collect()
}

/// The good file with a piece of it replaced.
fn with(piece: &str, other: &str) -> Vec<String> {
    assert!(GOOD.contains(piece), "{piece}");
    told(toml(&GOOD.replacen(piece, other, 1)))
}

#[test]
fn toml_and_json_are_the_same_show() {
    let show = toml(GOOD).unwrap_or_else(|bad| panic!("{bad}"));
    assert_eq!(json_of(&in_json()).unwrap_or_else(|bad| panic!("{bad}")), show);
    assert_eq!(
        (show.title.as_str(), show.seats, show.barrier, show.setup.lead),
        ("An evening", 200, Span(200), Span(1500))
    );
    assert_eq!((show.setup.script.lobby, show.setup.script.between), (Span(120_000), Span(4000)));
    let kinds: Vec<&str> = show.setup.parts.iter().map(|part| part.kind.name()).collect();
    assert_eq!(kinds, ["quiz", "break", "bingo"]);
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert_eq!(toml(&windows).unwrap(), show);
}

#[test]
fn the_command_has_the_setup_as_the_wire_has_it() {
    let show = toml(GOOD).unwrap();
    let create = show.create(CommandId::parse("c").unwrap());
    assert_eq!(create.problems(), Vec::<String>::new());
    assert_eq!(create.setup.read_known::<Setup>().unwrap(), show.setup);
    assert_eq!(create.setup.0["script"]["lobby"], 120_000);
    assert!(!create.setup.0.contains_key("title") && !create.setup.0.contains_key("code"));
}

#[test]
fn all_mistakes_are_told_at_once_by_line_and_path() {
    let wrong = r#"
titel = "An evening"
seats = 0
lives = 100
currency = "eur"
colour = "red"

[script]
lobby = "soon"

[[parts]]
part = "quiz"
mode = "elimintion"
open_for = "1h"
streek = 50

[[parts.questions]]
text = "Which planet is the largest?"
kind = "choice"
choices = ["Jupiter", "Mars"]
right = "Jupiter"

[[parts.questions]]
text = "Which?"
kind = "chioce"
choices = []

[[parts.questions]]
text = "Which?"
kind = "choice"
choices = ["a", "a"]
right = 7

[[parts]]
part = "brake"

[[parts]]
part = "bingo"
balls = 80
prizes = [{ name = "Frame", pattern = "frame", amount = -5 }]

[[parts]]
part = "break"
text = " "
for = 2.5
"#;
    let expected = [
        "show.toml:2: titel is not known here; is `title` meant?",
        "show.toml:3: seats: 1 to 10000000, not 0",
        "show.toml:4: lives: 0 to 99, not 100",
        "show.toml:5: currency: three capital letters of ISO 4217, such as EUR",
        "show.toml:6: colour is not known here; there is ",
        "show.toml:9: script.lobby: expected milliseconds, or a time such as \"10s\", \"1.5s\" or \"2min\", got \"soon\"",
        "show.toml:13: parts[0].mode: expected one of \"elimination\", \"points\", \"both\", got \"elimintion\"; is \"elimination\" meant?",
        "show.toml:14: parts[0].open_for: 500 ms to 600 s, not 3600 s",
        "show.toml:15: parts[0].streek is not known here; is `streak` meant?",
        "show.toml:21: parts[0].questions[0].right: expected a whole number, 0 to 255, got \"Jupiter\"",
        "show.toml:25: parts[0].questions[1].kind: expected one of \"choice\",",
        "show.toml:31: parts[0].questions[2].choices[1]: the choice \"a\" is there twice",
        "show.toml:32: parts[0].questions[2].right: there is no choice 7, the last one is 1",
        "show.toml:35: parts[1].part: expected one of \"break\", \"bingo\", \"quiz\", got \"brake\"; is \"break\" meant?",
        "show.toml:39: parts[2].balls: expected 75 or 90, got 80",
        "show.toml:40: parts[2].prizes[0].amount: expected a whole number, 0 to 9007199254740991, got -5",
        "show.toml:44: parts[3].text has 1 to 500 characters, at least one of which can be seen; this one is blank",
        "show.toml:45: parts[3].for: expected milliseconds, or a time such as \"10s\", \"1.5s\" or \"2min\", got 2.5",
    ];
    let lines = told(toml(wrong));
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}\nis not\n{start}");
    }
}

#[test]
fn each_kind_of_mistake_is_told_alone() {
    for (piece, other, expected) in [
        ("title = \"An evening\"", "", "title is missing"),
        ("title = \"An evening\"", "title = 7", "title: expected a text, got 7"),
        ("code = \"EVENING\"", "code = \"no\"", "code: "),
        ("seats = 200", "seats = \"many\"", "seats: expected a whole number, 1 to 10000000, got \"many\""),
        ("barrier = \"200ms\"", "barrier = \"20s\"", "barrier: 10 to 10000 (milliseconds), not 20000"),
        ("lead = \"1.5s\"", "lead = \"1.5ms\"", "lead: expected milliseconds"),
        ("lead = \"1.5s\"", "lead = -1", "lead: expected milliseconds"),
        ("on = true", "on = \"yes\"", "script.on: expected true or false, got \"yes\""),
        ("[script]", "[skript]", "skript is not known here; is `script` meant?"),
        ("right = 0", "rigth = 0", "parts[0].questions[0].rigth is not known here; is `right` meant?"),
        ("right = 0", "", "parts[0].questions[0].right is missing"),
        ("right = 0", "right = 0\nweights = [1]", "parts[0].questions[0].weights is not known here; "),
        (
            "by = \"nearest\"",
            "by = \"guess\"",
            "parts[0].questions[1].score.by: expected one of \"within\", \"curve\", \"nearest\", got \"guess\"",
        ),
        ("by = \"nearest\", ", "", "parts[0].questions[1].score.by is missing: one of"),
        ("keep = { points = false }", "keep = \"all\"", "parts[1].keep: expected an object, got \"all\""),
        (
            "pattern = \"full_house\"",
            "pattern = \"frame\"",
            "parts[2].prizes[0].pattern: \"frame\" is no pattern with 90 balls",
        ),
        ("prizes = [{", "prizes = 3\nunread = [{", "parts[2].prizes: expected a list, got 3"),
        ("settings = { pace", "settings = { seed", "parts[2].settings.seed is not known here; there is"),
        ("text = \"Tea!\"", "text = \"Tea!\"\nseed = \"00\"", "parts[1].seed is not known here"),
    ] {
        let lines = with(piece, other);
        assert!(lines.iter().any(|line| line.contains(expected)), "{other}: {lines:#?}");
        assert!(lines.len() == 1 || other.contains("unread"), "{other}: {lines:#?}");
    }
}

#[test]
fn broken_syntax_is_told_by_line_and_column() {
    let lines = told(toml("title = \"a\"\nseats == 3\nlives = = 1\n"));
    assert!(lines[0].starts_with("show.toml:2:8: this is not TOML: "), "{lines:?}");
    assert!(lines[1].starts_with("show.toml:3:9: this is not TOML: "), "{lines:?}");
    let lines = told(toml("title = \"a\"\nseats = 2026-01-01\n"));
    assert_eq!(lines, ["show.toml:2:9: seats: a date or time has no place in a show"]);
    let lines = told(parse("show.json", b"{\n  \"title\": \"a\",\n  \"parts\": [}\n", Path::new("")));
    assert!(lines.len() == 1 && lines[0].starts_with("show.json:3:13: this is not JSON: "), "{lines:?}");
    let lines = told(parse("show.json", b"{\"title\": \"a\", \"title\": \"b\"}", Path::new("")));
    assert!(lines[0].ends_with("\"title\" stands twice"), "{lines:?}");
    assert!(told(parse("show.json", b"[]", Path::new("")))[0].contains("expected an object, got a list"));
    assert!(told(parse("show.toml", b"title = '\xff'", Path::new("")))[0].contains("not UTF-8 in line 1"));
    assert!(told(parse("show.toml", &vec![b'#'; LARGEST_SHOW + 1], Path::new("")))[0].contains("4 MiB"));
}

#[test]
fn mistakes_in_json_have_paths() {
    let mut wrong = in_json();
    wrong["parts"][0]["questions"][1]["score"]["places"] = json!([1, "2"]);
    let prize = wrong["parts"][2]["prizes"][0].as_object_mut().unwrap();
    prize.remove("amount");
    prize.insert("ammount".into(), json!(3));
    assert_eq!(
        told(json_of(&wrong)),
        [
            "show.json: parts[0].questions[1].score.places[1]: expected a whole number, 0 to 100000, got \"2\"",
            "show.json: parts[2].prizes[0].ammount is not known here; is `amount` meant?",
        ]
    );
}

#[test]
fn nothing_of_a_file_acts_on_a_terminal() {
    let lines = told(toml("title = \"\\u001b[2J\"\n\"\\u001b[2J\" = 1\nparts = []\n"));
    assert!(lines.len() >= 2 && lines.iter().all(|line| !line.contains('\u{1b}')), "{lines:?}");
}

#[test]
fn questions_come_from_a_pack_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let pack = "title = \"Sums\"\n[[questions]]\ntext = \"2 + 2?\"\nchoices = [\"3\", \"4\"]\nright = \"4\"\nopen_for = 5000\n";
    std::fs::write(folder.path().join("sums.toml"), pack).unwrap();
    let show = |part: &str| {
        let text = format!("title = \"t\"\n[[parts]]\npart = \"quiz\"\n{part}\n");
        std::fs::write(folder.path().join("show.toml"), text).unwrap();
        read(&folder.path().join("show.toml"))
    };
    let read = show("pack = \"sums.toml\"").unwrap_or_else(|bad| panic!("{bad}"));
    let PartKind::Quiz(quiz) = &read.setup.parts[0].kind else { panic!("it is a quiz") };
    let Kind::Choice(choice) = &quiz.questions[0].kind else { panic!("packs have choices") };
    assert_eq!(
        (choice.choices[usize::from(choice.right)].as_str(), quiz.questions[0].open_for),
        ("4", Some(Span(5000)))
    );
    assert!(show("pack = \"bundled\"").is_ok());

    let lines = told(show("pack = \"sums.toml\"\nquestions = []"));
    assert!(lines[0].contains("parts[0].pack: the quiz has questions of its own"), "{lines:?}");
    let lines = told(show("pack = \"none.toml\""));
    assert!(
        lines.len() == 1 && lines[0].contains("parts[0].pack: ") && lines[0].contains("can't be read"),
        "{lines:?}"
    );
    std::fs::write(folder.path().join("sums.toml"), pack.replace("right = \"4\"", "right = \"5\"\nhard = 1")).unwrap();
    let lines = told(show("pack = \"sums.toml\""));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.contains("show.toml:4: parts[0].pack: ") && line.contains("question 1: ")),
        "{lines:?}"
    );
    // What the settings of the quiz do not allow is told of a pack's questions as of all others.
    std::fs::write(folder.path().join("sums.toml"), pack).unwrap();
    let lines = told(show("pack = \"sums.toml\"\nmode = \"elimination\"\nsurvival = { shrink = 10, least = 1000 }"));
    assert!(lines.len() == 1 && lines[0].contains("parts[0].questions[0].open_for"), "{lines:?}");
    assert!(told(show("pack = 7"))[0].contains("parts[0].pack: expected a text"));
    assert!(told(show(""))[0].contains("parts[0].questions is missing"));
}

#[test]
fn nesting_without_end_and_a_flood_of_mistakes_are_refused_soon() {
    let depth = 200_000;
    assert!(toml(&format!("title = {}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
    assert!(toml(&format!("{}a = 1", "a.".repeat(depth))).is_err());
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse("show.json", nested.as_bytes(), Path::new("")).is_err());
    let flood = format!("title = 't'\nparts = []\n{}", "[[parts.x]]\n".repeat(10_000));
    assert!(toml(&flood).is_err());
    let bad = toml(&format!("title = 't'\n{}", "[[parts]]\npart = 'brake'\n".repeat(20_000))).unwrap_err();
    assert_eq!((bad.problems.len(), bad.problems.len() + bad.left_out), (1_000, 20_001), "and that there are too many");
}

proptest! {
    #[test]
    fn a_show_that_is_cut_or_garbled_never_panics(
        cut in 0..GOOD.len(),
        splice in "[\\[\\]{}=\"'#.,\n a-z0-9]{0,6}",
    ) {
        let _ = toml(&GOOD[..cut]);
        let _ = toml(&format!("{}{splice}{}", &GOOD[..cut], &GOOD[cut..]));
        let json = in_json().to_string();
        let cut = cut % json.len();
        let garbled = format!("{}{splice}{}", &json[..cut], &json[cut..]);
        let _ = parse("show.json", garbled.as_bytes(), Path::new(""));
    }
}
