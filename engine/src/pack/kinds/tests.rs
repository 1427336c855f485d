//! Native packs of all kinds of questions: read, written, and damaged.

use std::path::Path;

use klaxon_protocol::games::quiz::{
    AfterWrong, Buzzer, By, Fastest, Kind, LARGEST_NUMBER, Majority, NumberAnswer, NumberScore, OneRight, Poll,
    RightOrder, SeveralRight, Slide, Stake, Tie, TypedAnswer, Wager, Words,
};
use klaxon_protocol::time::Span;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::super::question::asked;
use super::super::{
    BadPack, Format, PackedQuestion, QuizPack, ReadOptions, bundled, import_bytes, import_quiz_bytes, load, to_toml,
};
use super::*;

const EXAMPLE: &str = include_str!("../../../../docs/examples/packs/every_kind.toml");

fn read(text: &str, format: Format) -> Result<QuizPack, BadPack> {
    let name = format!("quiz.{format}");
    import_quiz_bytes(&name, text.as_bytes(), ReadOptions { format: Some(format), ..ReadOptions::default() })
        .map(|imported| imported.pack)
}

fn told<T: std::fmt::Debug>(result: Result<T, BadPack>) -> Vec<String> {
    result.unwrap_err().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn the_example_has_every_kind_and_is_the_same_in_toml_and_json() {
    let pack = read(EXAMPLE, Format::Toml).unwrap_or_else(|bad| panic!("{bad}"));
    assert_eq!(pack.kinds().len(), kinds().len(), "{:?}", pack.kinds());
    assert_eq!(read(&pack.to_json(), Format::Json).unwrap(), pack);
    assert_eq!(read(&pack.to_toml(), Format::Toml).unwrap(), pack);
    assert_eq!(pack.language.as_deref(), Some("en"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/packs/every_kind.toml");
    let questions = load(Path::new(path)).unwrap();
    assert_eq!(questions, pack.into_questions());
    let Kind::Fastest(fastest) = &questions[9].kind else { panic!("{:?}", questions[9]) };
    assert_eq!(fastest.right, [2]);
}

#[test]
fn the_example_of_the_docs_is_a_pack_of_all_kinds() {
    let docs = include_str!("../../../../docs/packs.md");
    let example = docs.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
    let kinds = read(example, Format::Toml).unwrap_or_else(|bad| panic!("{bad}")).kinds();
    assert_eq!(kinds.into_keys().collect::<Vec<_>>(), ["choice", "choices", "number", "text"]);
    assert!(docs.contains(&format!("| {} KiB |", super::super::tree::LARGEST_BROKEN_TOML >> 10)));
    for name in ONLY_IN_A_PACK.into_iter().chain([LANGUAGE]) {
        assert!(docs.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn any_key_that_trivia_does_not_have_makes_it_a_pack_for_a_quiz() {
    for (key, is_for_a_quiz) in
        [("kind", true), ("explanation", true), ("spellings", true), ("category", false), ("hint", false)]
    {
        let lines = told(read(&format!("titel = 't'\n[[questions]]\n{key} = 1\n"), Format::Toml));
        let keys =
            if is_for_a_quiz { "the keys are title, questions, language" } else { "the keys are title, questions" };
        assert!(lines.iter().any(|line| line.ends_with(keys)), "{key} {lines:#?}");
    }
}

#[test]
fn what_is_usual_is_not_written() {
    let written = read(EXAMPLE, Format::Toml).unwrap().to_toml();
    for usual in ["longest", "case", "marks", "least", "tie = \"all\"", "by = \"all\"", "stake"] {
        assert!(!written.contains(&format!("\n{usual}")), "{usual}\n{written}");
    }
    assert!(written.contains("\nright = \"Jupiter\"\n") && written.contains("\nright = [\"61\"]\n"), "{written}");
}

#[test]
fn a_pack_of_trivia_is_a_pack_of_choices() {
    let old = to_toml(&bundled());
    let pack = read(&old, Format::Toml).unwrap();
    assert_eq!(pack, bundled().into());
    assert_eq!(pack.kinds().into_iter().collect::<Vec<_>>(), [("choice", bundled().questions.len())]);
    assert_eq!(pack.clone().into_trivia(), Some(bundled()));
    let named = read(&pack.to_toml(), Format::Toml).unwrap();
    assert_eq!(named, pack);
}

#[test]
fn trivia_refuses_what_only_a_quiz_asks_and_says_so() {
    let told = told(import_bytes("quiz.toml", EXAMPLE.as_bytes(), ReadOptions::default()));
    assert_eq!(told.len(), 14, "{told:#?}");
    assert!(
        told[0].starts_with("quiz.toml:5: question 1: trivia has no questions of kind `slide`; ask it in a quiz"),
        "{told:#?}"
    );
    assert!(told[1].starts_with("quiz.toml:11: question 2: `explanation` is for a quiz"), "{told:#?}");
    assert!(
        told[2].contains("2 correct answers (\"Cucumber\", \"Tomato\"); a question of trivia has one right choice"),
        "{told:#?}"
    );
    // The last question is one that trivia can ask.
    assert!(told.iter().all(|line| !line.contains("question 15")), "{told:#?}");
    assert_eq!(read(EXAMPLE, Format::Toml).unwrap().into_trivia(), None);
}

#[test]
fn every_problem_of_every_question_is_told_with_its_line() {
    let lines = told(read(
        r#"title = "Friday quiz"
language = "English!"
licence = "CC0"
[[questions]]
kind = "chioce"
text = "?"
[[questions]]
kind = "choices"
text = " "
choices = ["a", "b", "b"]
right = ["a", "c"]
points = "many"
weights = [1, "x"]
[[questions]]
kind = "number"
right = 3.14
decimals = 9
score = { by = "within", of = 1 }
[[questions]]
text = "?"
choices = ["a", "b"]
right = 2
penalty = -1
right_one = "b"
[[questions]]
kind = "text"
text = "?"
spellings = [
  "Nile",
  "NILE",
]
[[questions]]
kind = "poll"
text = "?"
choices = "a or b"
points = 5
"#,
        Format::Toml,
    ));
    let expected = [
        "quiz.toml:3: there is no key \"licence\" here; the keys are title, questions, language",
        "quiz.toml: `language` is a tag such as \"en\", \"hi\" or \"pt-BR\", not \"English!\"",
        "quiz.toml:5: question 1: `kind` is one of choice, choices, number, order, text, poll,",
        "quiz.toml:9: question 2: text: has 1 to 500 characters",
        "quiz.toml:10: question 2: choices[2]: the choice \"b\" is there twice",
        "quiz.toml:11: question 2: `right` is \"c\", which is none of the choices \"a\", \"b\", \"b\"",
        "quiz.toml:12: question 2: `points` is a whole number, 0 to 100000, not \"many\"",
        "quiz.toml:13: question 2: `weights` is a list of whole numbers, not a list whose item 2 is a text",
        "quiz.toml:14: question 3: `text` is missing: What is asked",
        "quiz.toml:16: question 3: `right` is a whole number, not a fraction",
        "quiz.toml:17: question 3: decimals: 0 to 6, not 9",
        "quiz.toml:18: question 3: `score` can't have \"of\", or has it twice; its keys are by, off",
        "quiz.toml:22: question 4: `right` is the right choice's text in quotes, not its position, such as right = \"b\"",
        "quiz.toml:23: question 4: `penalty` is a whole number, 0 to 100000, not -1",
        "quiz.toml:24: question 4: there is no key \"right_one\" in a question of kind `choice`; the keys are category,",
        "quiz.toml:30: question 5: spellings[1]: is the same as spellings[0]",
        "quiz.toml:35: question 6: `choices` is a list of texts, not \"a or b\"",
        "quiz.toml:36: question 6: points: does not go together with kind `poll`",
    ];
    let mut lines = lines;
    lines.sort_by_key(|line| expected.iter().position(|start| line.starts_with(start)).unwrap_or(usize::MAX));
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}\nis not\n{start}\n{lines:#?}");
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
}

#[test]
fn what_stands_twice_in_json_and_what_is_null_is_told() {
    let lines = told(read(
        r#"{"title": "a", "questions": [
            {"kind": "poll", "text": "t", "text": "u", "choices": ["x", "y"], "category": null},
            {"kind": "number", "text": "t", "right": 1, "score": {"by": "within", "off": 1, "off": 2}},
            {"kind": "poll", "kind": "slide", "text": "t", "choices": ["x", "y"]},
            7]}"#,
        Format::Json,
    ));
    assert_eq!(
        lines,
        [
            "quiz.json: question 1: \"text\" stands twice",
            "quiz.json: question 1: `category` is a text in quotes, not null",
            "quiz.json: question 2: `score` can't have \"off\", or has it twice; its keys are by, off",
            "quiz.json: question 3: `kind` stands twice",
            "quiz.json: question 4: a question is a table of keys and values, not a number",
        ]
    );
}

#[test]
fn a_table_that_is_not_what_is_wanted_is_told_with_what_it_lacks() {
    let number = "title = 't'\n[[questions]]\nkind = 'number'\ntext = '?'\nright = 1\nscore = ";
    for (score, problem) in [
        ("{ by = \"within\" }", ": missing field `off`"),
        ("{ by = \"nearly\", off = 1 }", ": unknown variant `nearly`, expected one of `within`, `curve`, `nearest`"),
        ("3", ", not 3"),
    ] {
        let lines = told(read(&format!("{number}{score}\n"), Format::Toml));
        let is_told = lines[0].starts_with("quiz.toml:6: question 1: `score` is {by = ") && lines[0].ends_with(problem);
        assert!(lines.len() == 1 && is_told, "{lines:#?}");
    }
}

#[test]
fn what_may_be_a_mistake_is_noted() {
    let text = r#"title = "t"
[[questions]]
kind = "choice"
text = "Which city?"
choices = ["Köln", "Bonn", "koln "]
right = "Bonn"
[[questions]]
text = "which  CITY?"
choices = ["a", "b"]
right = "a"
"#;
    let imported = import_quiz_bytes("quiz.toml", text.as_bytes(), ReadOptions::default()).unwrap();
    assert_eq!(
        imported.notes,
        [
            "question 1 (line 2) has two choices that are almost the same, \"Köln\" and \"koln \"",
            "question 2 (line 7) asks the same as question 1 (line 2)",
        ]
    );
}

#[test]
fn what_is_bad_is_left_out_with_what_needs_it() {
    let text = r#"title = "t"
[[questions]]
kind = "slide"
text = "Welcome"
[[questions]]
kind = "wager"
text = "How much?"
[[questions]]
text = "Which?"
choices = ["a", "a"]
right = "a"
"#;
    let skip = ReadOptions { skip_bad: true, ..ReadOptions::default() };
    let imported = import_quiz_bytes("quiz.toml", text.as_bytes(), skip).unwrap();
    assert_eq!(imported.pack.kinds().into_iter().collect::<Vec<_>>(), [("slide", 1)]);
    let left_out = imported.left_out.unwrap();
    assert_eq!(left_out.questions, 2);
    assert!(left_out.to_string().contains("question 2: kind: a `wager` needs a question after it"), "{left_out}");
}

#[test]
fn a_file_that_is_hostile_is_refused_in_little_memory() {
    let many = format!("{{\"title\":\"t\",\"language\":\"en\",\"questions\":[{}{{}}]}}", "{},".repeat(600_000));
    let lines = told(read(&many, Format::Json));
    assert!(lines[0].contains("of 600001 questions the first 10000 are looked at"), "{}", lines[0]);
    let deep = format!("{{\"title\":\"t\",\"questions\":[{{\"kind\":{}", "[".repeat(100_000));
    assert!(told(read(&deep, Format::Json))[0].contains("this is not JSON: recursion limit exceeded"));
    let deep = format!("kind = 1\nquestions = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep, Format::Toml).is_err());
    let huge = format!("title = 't'\n[[questions]]\nkind = 'slide'\ntext = '{}'\n", "x".repeat(3_000_000));
    let lines = told(read(&huge, Format::Toml));
    assert!(lines.len() == 1 && lines[0].contains("has 1 to 500 characters, this one has 3000000"), "{lines:?}");
    let choices = "\"a\",".repeat(500_000);
    let wide = format!("title = 't'\n[[questions]]\nkind = 'poll'\ntext = '?'\nchoices = [{choices}]\n");
    let lines = told(read(&wide, Format::Toml));
    assert_eq!(lines, ["quiz.toml:5: question 1: `choices` has 500000 items; no list has more than 1000"]);
    let lines = told(read(&"=\n".repeat(200_000), Format::Toml));
    assert!(lines.len() == 1 && lines[0].starts_with("quiz.toml:1: this is not TOML"), "{lines:?}");
    let keys: String = (0..100_000).map(|number| format!("key_{number} = 1\n")).collect();
    let keys = format!("title = 't'\n[[questions]]\nkind = 'slide'\ntext = '?'\n{keys}");
    assert!(told(read(&keys, Format::Toml)).last().unwrap().ends_with("and 99000 more problems"));
    let units: Vec<u8> = [0xff, 0xfe].into_iter().chain(EXAMPLE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let utf_16 = import_quiz_bytes("quiz.toml", &units, ReadOptions::default());
    assert!(told(utf_16)[0].contains("the file is UTF-16; save it as UTF-8"));
    let windows = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    assert_eq!(read(&windows, Format::Toml).unwrap(), read(EXAMPLE, Format::Toml).unwrap());
}

fn any_text() -> impl Strategy<Value = String> {
    "[a-z]\\PC{0,10}|[\"'\\\\ ]?[a-z]{1,6}[\"']?"
}

fn any_choices() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(any_text(), 2..=6).prop_map(|choices| choices.into_iter().collect())
}

fn indexes(count: usize) -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<u8> = (0..).take(count).collect();
    subsequence(all, 1..=count)
}

fn any_several() -> impl Strategy<Value = Kind> {
    let choices = any_choices().prop_flat_map(|choices| (indexes(choices.len()), Just(choices)));
    (choices, select(vec![By::All, By::Share]), prop::option::of((1_i8..=100, -100_i8..=0))).prop_map(
        |((right, choices), by, weights)| {
            let weight = |index, (for_right, for_wrong)| if right.contains(&index) { for_right } else { for_wrong };
            let weights = weights.filter(|_| by == By::Share);
            let weights =
                weights.map(|weights| (0..).take(choices.len()).map(|index| weight(index, weights)).collect());
            Kind::Choices(SeveralRight { choices, right, by, weights })
        },
    )
}

fn any_places() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0_u32..=1000, 1..4).prop_map(|mut places| {
        places.sort_unstable_by(|a, b| b.cmp(a));
        places
    })
}

fn any_number() -> impl Strategy<Value = Kind> {
    let score = prop_oneof![
        (0_u64..1_000_000).prop_map(|off| NumberScore::Within { off }),
        (1_u64..1_000_000).prop_map(|zero| NumberScore::Curve { zero }),
        any_places().prop_map(|places| NumberScore::Nearest { places }),
    ];
    let ends = prop::option::of((0_i64..LARGEST_NUMBER / 2, 0_i64..LARGEST_NUMBER / 2));
    (-1_000_000_i64..1_000_000, 0_u8..=6, prop::option::of("[a-z°]{1,9}"), ends, score).prop_map(
        |(right, decimals, unit, ends, score)| {
            let (least, most) =
                ends.map_or((-LARGEST_NUMBER, LARGEST_NUMBER), |(below, above)| (right - below, right + above));
            Kind::Number(NumberAnswer { right, decimals, unit, least, most, score })
        },
    )
}

fn any_fastest() -> impl Strategy<Value = Kind> {
    (any_choices(), any::<Index>(), any::<bool>(), any_places()).prop_map(|(choices, right, is_order, places)| {
        let right = u8::try_from(right.index(choices.len())).unwrap();
        let all = (0..).take(choices.len()).collect::<Vec<u8>>();
        let right = if is_order { all.into_iter().rev().collect() } else { vec![right] };
        Kind::Fastest(Fastest { choices, right, places })
    })
}

fn any_buzzer() -> impl Strategy<Value = Kind> {
    let choices = prop::option::of((any_choices(), any::<Index>()));
    (choices, 100_u32..=10_000, select(vec![AfterWrong::Next, AfterWrong::Reopen, AfterWrong::Over])).prop_map(
        |(choices, window, wrong)| {
            let wrong = if choices.is_some() { AfterWrong::Over } else { wrong };
            let (choices, right) = choices
                .map(|(choices, right)| {
                    let right = u8::try_from(right.index(choices.len())).unwrap();
                    (choices, right)
                })
                .unzip();
            Kind::Buzzer(Buzzer { choices, right, window: Span(window), wrong })
        },
    )
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (any_choices(), any::<Index>()).prop_map(|(choices, right)| {
            let right = u8::try_from(right.index(choices.len())).unwrap();
            Kind::Choice(OneRight { choices, right })
        }),
        any_several(),
        any_number(),
        (any_choices(), select(vec![By::All, By::Share])).prop_map(|(items, by)| Kind::Order(RightOrder { items, by })),
        (prop::collection::btree_set("[a-z]{1,8}", 1..5), any::<(bool, bool)>(), 0_u8..=3, 64_u16..=256).prop_map(
            |(spellings, (case, marks), typos, longest)| {
                Kind::Text(TypedAnswer { spellings: spellings.into_iter().collect(), case, marks, typos, longest })
            }
        ),
        any_choices().prop_map(|choices| Kind::Poll(Poll { choices })),
        (1_u8..=5, 1_u16..=256, 1_u32..).prop_map(|(each, longest, players)| Kind::Words(Words {
            each,
            longest,
            players
        })),
        any_fastest(),
        any_buzzer(),
        (any_choices(), select(vec![Tie::All, Tie::None]))
            .prop_map(|(choices, tie)| Kind::Majority(Majority { choices, tie })),
        Just(Kind::Slide(Slide {})),
    ]
}

prop_compose! {
    fn any_packed()(
        text in any_text(),
        kind in any_kind(),
        texts in prop::array::uniform3(prop::option::of(any_text())),
        difficulty in prop::option::of(select(vec![Difficulty::Easy, Difficulty::Medium, Difficulty::Hard])),
        open_for in prop::option::of((500_u32..=600_000).prop_map(Span)),
        worth in prop_oneof![Just((None, None)), (0_u32..=100_000).prop_map(|points| (Some(points), None)), (2_u8..=10).prop_map(|times| (None, Some(times)))],
        speed in prop::option::of(0_u8..=100),
        penalty in prop::option::of(0_u32..=100_000),
    ) -> PackedQuestion {
        let is_scored = kind.has_right() && kind.places().is_none() && !matches!(kind, Kind::Buzzer(_));
        let [category, explanation, source] = texts;
        let (points, times) = if is_scored { worth } else { (None, None) };
        let speed = speed.filter(|_| is_scored);
        let penalty = penalty.filter(|_| is_scored);
        let question = QuizQuestion { category, explanation, open_for, points, times, speed, penalty, ..asked(text, kind) };
        PackedQuestion { question, difficulty, source }
    }
}

prop_compose! {
    fn any_wager()(most in 1_u32..=1_000_000_000, stake in select(vec![Stake::Points, Stake::DoubleOrQuit])) -> [PackedQuestion; 2] {
        let next = Kind::Choice(OneRight { choices: vec!["a".into(), "b".into()], right: 1 });
        [Kind::Wager(Wager { stake, most }), next].map(|kind| asked("?".into(), kind).into())
    }
}

prop_compose! {
    fn any_pack()(
        title in any_text(),
        language in prop::option::of("[a-z]{2}(-[A-Z]{2})?"),
        questions in prop::collection::vec(any_packed(), 1..5),
        wager in prop::option::of(any_wager()),
    ) -> QuizPack {
        QuizPack { title, language, questions: questions.into_iter().chain(wager.into_iter().flatten()).collect() }
    }
}

proptest! {
    #[test]
    fn a_pack_that_is_written_reads_back_as_itself(pack in any_pack()) {
        let quiz = super::super::question::usual_quiz(pack.clone().into_questions());
        let is_harmless = klaxon_protocol::text::problem(&pack.title, &(1..=500)).is_none();
        prop_assume!(is_harmless && quiz.problems().is_empty());
        for (written, format) in [(pack.to_toml(), Format::Toml), (pack.to_json(), Format::Json)] {
            prop_assert_eq!(read(&written, format).map_err(|bad| bad.to_string()), Ok(pack.clone()), "{}", written);
        }
    }

    #[test]
    fn a_good_pack_cut_or_garbled_is_a_pack_or_an_error(
        cut in any::<Index>(),
        splice in "[\\[\\]{}=\"'#.,\n a-z0-9]{0,6}",
        skip in 0_usize..40,
    ) {
        let json = read(EXAMPLE, Format::Toml).unwrap().to_json();
        for (whole, format) in [(EXAMPLE, Format::Toml), (json.as_str(), Format::Json)] {
            let cut = cut.index(whole.len());
            prop_assume!(whole.is_char_boundary(cut));
            let after = whole.get(cut + skip..).unwrap_or_default();
            for text in [whole[..cut].to_owned(), format!("{}{splice}{after}", &whole[..cut])] {
                for skip_bad in [false, true] {
                    let reading = ReadOptions { format: Some(format), skip_bad, ..ReadOptions::default() };
                    let read = import_quiz_bytes("quiz", text.as_bytes(), reading);
                    prop_assert!(read.map_or_else(|bad| !bad.problems.is_empty(), |read| !read.pack.questions.is_empty()));
                    let _ = import_bytes("quiz", text.as_bytes(), reading);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_any_reader_of_a_quiz_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), name in "\\PC{0,8}") {
        for format in Format::ALL {
            let _ = import_quiz_bytes(&name, &bytes, ReadOptions { format: Some(format), ..ReadOptions::default() });
        }
    }
}
