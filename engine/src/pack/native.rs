//! Klaxon's own packs, in TOML or JSON. Every key is checked: a misspelt one is an error, not ignored.

use klaxon_protocol::games::trivia::PackQuestion;
use klaxon_protocol::time::Span;

use super::draft::{Draft, Drafted, MOST_READ, at_most, blank_question, choice_at, wrong_choice_count};
use super::form::{PACK_KEYS, QUESTION_KEYS, SCHEMA_KEY};
use super::kinds::{self, LANGUAGE, read_difficulty, read_right};
use super::problem::{Findings, SourcePlace};
use super::tree::{Fields, Node, Value};

/// Reads a native file: of all kinds of questions, or of trivia's, as what it holds says. `title` overrides the file's own.
pub(super) fn read(root: Node, title: Option<&str>, findings: &mut Findings) -> Draft {
    let mut draft = Draft::unread(title);
    let is_for_a_quiz = kinds::are_in(&root);
    let Some(mut pack) = Fields::of(root, "a pack", SourcePlace::default(), findings) else {
        return draft;
    };
    pack.take(SCHEMA_KEY);
    let own_title = match title {
        Some(_) => pack.text("title"),
        None => {
            let node = pack.need("title", "what the show is called");
            node.and_then(|node| pack.text_of(node, "`title`"))
        }
    };
    draft.title = draft.title.or(own_title);
    let questions = pack.need("questions", "at least one [[questions]]");
    if is_for_a_quiz {
        draft.language = pack.text(LANGUAGE);
        pack.refuse_the_rest(&[PACK_KEYS, &[LANGUAGE]].concat());
    } else {
        pack.refuse_the_rest(PACK_KEYS);
    }
    let Some(questions) = questions else { return draft };
    let place = SourcePlace { line: questions.line, question: None };
    match questions.value {
        Value::List(items) => {
            let items = at_most(MOST_READ, items, place, findings);
            let read_question = if is_for_a_quiz { kinds::read_question } else { read_question };
            let numbered = items.into_iter().enumerate();
            draft.questions = numbered.map(|(index, item)| read_question(item, index + 1, findings)).collect();
        }
        other => findings.add(place, format!("`questions` is a list of questions, not {}", other.kind())),
    }
    draft
}

fn read_question(node: Node, number: usize, findings: &mut Findings) -> Drafted {
    let mut question = blank_question();
    let place = SourcePlace { line: node.line, question: Some(number) };
    let Some(mut fields) = Fields::of(node, "a question", place, findings) else {
        return Drafted::new(question, place);
    };
    let text = fields.need("text", "what is asked");
    if let Some(text) = text.and_then(|node| fields.text_of(node, "`text`")) {
        question.text = text;
    }
    let choices = fields.need("choices", "a list of 2 to 6 texts");
    let right = fields.need("right", "the right choice's text");
    read_choices(&mut fields, choices, right, &mut question);
    question.category = fields.text("category");
    question.source = fields.text("source");
    question.difficulty = read_difficulty(&mut fields);
    if let Some(node) = fields.take("open_for") {
        question.open_for = read_open_for(&mut fields, &node);
    }
    let place = fields.place();
    fields.refuse_the_rest(QUESTION_KEYS);
    Drafted::new(question, place)
}

fn read_choices(fields: &mut Fields<'_>, choices: Option<Node>, right: Option<Node>, question: &mut PackQuestion) {
    let line = choices.as_ref().and_then(|node| node.line);
    let choices = choices.and_then(|node| fields.texts_of(node, "`choices`"));
    let count_problem = choices.as_ref().and_then(|choices| wrong_choice_count(choices.len()));
    let count_is_fine = count_problem.is_none();
    if let Some(problem) = count_problem {
        fields.tell(line, problem);
    }
    if let Some(right) = right
        && let Some(position) = read_right(fields, right, choices.as_deref())
        && count_is_fine
    {
        question.right = choice_at(position);
    }
    if let Some(choices) = choices
        && count_is_fine
    {
        question.choices = choices;
    }
}

fn read_open_for(fields: &mut Fields<'_>, node: &Node) -> Option<Span> {
    match node.value {
        Value::Integer(number) => {
            // The range is checked with the pack, but a number that does not fit a span has to be reported here.
            let span = u32::try_from(number).ok().map(Span);
            if span.is_none() {
                fields.tell(node.line, format!("`open_for` is 500 to 600000 (milliseconds), not {number}"));
            }
            span
        }
        ref other => {
            fields.tell(node.line, format!("`open_for` is a whole number of milliseconds, not {}", other.kind()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::{Choice, Difficulty, Pack};
    use proptest::prelude::*;

    use super::super::{BadPack, Format, parse, to_toml};
    use super::*;

    fn toml(text: &str) -> Result<Pack, BadPack> {
        parse("quiz.toml", text.as_bytes(), Format::Toml, None)
    }

    fn json(text: &str) -> Result<Pack, BadPack> {
        parse("quiz.json", text.as_bytes(), Format::Json, None)
    }

    fn told(result: Result<Pack, BadPack>) -> Vec<String> {
        result.unwrap_err().to_string().lines().map(str::to_owned).collect()
    }

    const GOOD: &str = r#"
title = "Friday quiz"

[[questions]]
text = "Which planet is the largest?"
choices = ["Saturn", "Jupiter", "Neptune"]
right = "Jupiter"
category = "Space"
difficulty = "easy"
open_for = 15000
source = "NASA, Jupiter Facts"

[[questions]]
text = "Is 91 a prime number?"
choices = ["Yes", "No"]
right = "No"
"#;

    #[test]
    fn a_pack_is_read_from_toml_and_the_same_from_json() {
        let pack = toml(GOOD).unwrap();
        assert_eq!(pack.title, "Friday quiz");
        assert_eq!(pack.questions.len(), 2);
        let first = &pack.questions[0];
        assert_eq!((first.right, first.open_for), (Choice(1), Some(Span(15_000))));
        assert_eq!(first.difficulty, Some(Difficulty::Easy));
        assert_eq!(first.source.as_deref(), Some("NASA, Jupiter Facts"));
        assert_eq!(pack.questions[1].right, Choice(1));
        let same = r#"{"$schema": "pack.json", "title": "Friday quiz", "questions": [
            {"text": "Which planet is the largest?", "choices": ["Saturn", "Jupiter", "Neptune"], "right": "Jupiter",
             "category": "Space", "difficulty": "easy", "open_for": 15000, "source": "NASA, Jupiter Facts"},
            {"text": "Is 91 a prime number?", "choices": ["Yes", "No"], "right": "No"}]}"#;
        assert_eq!(json(same).unwrap(), pack);
    }

    #[test]
    fn the_example_of_the_docs_is_a_pack() {
        let docs = include_str!("../../../docs/packs.md");
        let (_, rest) = docs.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert_eq!(toml(example).unwrap().questions.len(), 2);
        for key in PACK_KEYS.iter().chain(QUESTION_KEYS) {
            assert!(docs.contains(&format!("| `{key}` |")), "{key} is not in the table");
        }
    }

    #[test]
    fn a_file_from_windows_reads_the_same() {
        let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
        assert_eq!(toml(&windows).unwrap(), toml(GOOD).unwrap());
    }

    #[test]
    fn a_time_out_of_range_is_told_as_it_was_written() {
        for (written, wanted) in [
            ("4294967296", "`open_for` is 500 to 600000 (milliseconds), not 4294967296"),
            ("9223372036854775807", "`open_for` is 500 to 600000 (milliseconds), not 9223372036854775807"),
            ("-1", "`open_for` is 500 to 600000 (milliseconds), not -1"),
            ("4294967295", "a question is open for 500 ms to 600 s, this one for 4294967295 ms"),
        ] {
            let lines = told(toml(&GOOD.replace("open_for = 15000", &format!("open_for = {written}"))));
            assert!(lines[0].contains(wanted), "{lines:?}");
            let json =
                r#"{"title": "t", "questions": [{"text": "t", "choices": ["a", "b"], "right": "a", "open_for": N}]}"#;
            let lines = told(parse("quiz.json", json.replace('N', written).as_bytes(), Format::Json, None));
            assert!(lines[0].contains(wanted), "{lines:?}");
        }
    }

    #[test]
    fn every_problem_of_every_question_is_told_with_its_line() {
        let lines = told(toml(
            r#"titel = "Friday quiz"
[[questions]]
text = "Which planet is the largest?"
choices = ["Saturn", "Jupiter"]
right = "jupiter"
dificulty = "easy"
open_for = 3
[[questions]]
text = " "
choices = ["Yes", "No", "Yes"]
right = 2
difficulty = "tricky"
[[questions]]
choices = ["one"]
open_for = "10 s"
"#,
        ));
        let expected = [
            "quiz.toml:1: `title` is missing",
            "quiz.toml:1: there is no key \"titel\" here; the keys are title, questions",
            "quiz.toml:2: question 1: a question is open for 500 ms to 600 s, this one for 3 ms",
            "quiz.toml:5: question 1: `right` is \"jupiter\", which is none of the choices \"Saturn\", \"Jupiter\"",
            "quiz.toml:6: question 1: there is no key \"dificulty\" here",
            "quiz.toml:8: question 2: text has 1 to 500 characters",
            "quiz.toml:8: question 2: the choice \"Yes\" stands twice",
            "quiz.toml:11: question 2: `right` is the right choice's text in quotes, not its position, such as right = \"No\"",
            "quiz.toml:12: question 2: the difficulty is easy, medium or hard, not \"tricky\"",
            "quiz.toml:13: question 3: `text` is missing",
            "quiz.toml:13: question 3: `right` is missing",
            "quiz.toml:14: question 3: a question has 2 to 6 choices, this one has 1",
            "quiz.toml:15: question 3: `open_for` is a whole number of milliseconds, not a text",
        ];
        assert_eq!(lines.len(), expected.len(), "{lines:#?}");
        for (line, start) in lines.iter().zip(expected) {
            assert!(line.starts_with(start), "{line}\nis not\n{start}");
        }
    }

    #[test]
    fn broken_toml_is_told_line_by_line() {
        let lines = told(toml("title = \"a\"\nquestions == 3\ntext = 'x\n\nright = = 1\n"));
        assert!(lines.iter().any(|line| line.starts_with("quiz.toml:2: this is not TOML: ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("quiz.toml:3: ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("quiz.toml:5: ")), "{lines:?}");
        assert_eq!(lines.len(), 3, "{lines:?}");
    }

    #[test]
    fn a_key_that_stands_twice_is_told() {
        let lines = told(toml("title = \"a\"\ntitle = \"b\"\n"));
        assert!(lines[0].starts_with("quiz.toml:2: this is not TOML: duplicate key"), "{lines:?}");
        let lines = told(json(
            r#"{"title": "a", "title": "b", "questions": [{"text": "t", "choices": ["x", "y"], "right": "x", "right": "y"}]}"#,
        ));
        assert_eq!(lines, ["quiz.json: `title` stands twice", "quiz.json: question 1: `right` stands twice"]);
    }

    #[test]
    fn broken_json_is_told_with_its_line() {
        let lines = told(json("{\n  \"title\": \"a\",\n  \"questions\": [}\n"));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("quiz.json:3: this is not JSON: "), "{lines:?}");
    }

    #[test]
    fn values_of_the_wrong_kind_are_told_by_their_kind() {
        let lines = told(json(
            r#"{"title": 1, "questions": [7, {"text": null, "choices": ["x", 2, true], "right": 1.5, "open_for": -1},
            {"text": "t", "choices": "x or y", "right": "x", "open_for": 1e99}]}"#,
        ));
        let expected = [
            "quiz.json: `title` is a text in quotes, not a number",
            "quiz.json: question 1: a question is a table of keys and values, not a number",
            "quiz.json: question 2: `text` is a text in quotes, not null",
            "quiz.json: question 2: `choices`: item 2 is a text in quotes, not a number",
            "quiz.json: question 2: `choices`: item 3 is a text in quotes, not true or false",
            "quiz.json: question 2: `right` is a text in quotes, not a fraction",
            "quiz.json: question 2: `open_for` is 500 to 600000 (milliseconds), not -1",
            "quiz.json: question 3: `choices` is a list of texts, not a text",
            "quiz.json: question 3: `open_for` is a whole number of milliseconds, not a fraction",
        ];
        assert_eq!(lines, expected);
        assert_eq!(told(json("[]")), ["quiz.json: a pack is a table of keys and values, not a list"]);
        let lines = told(toml("title = 'a'\nquestions = 3"));
        assert_eq!(lines, ["quiz.toml:2: `questions` is a list of questions, not a number"]);
    }

    #[test]
    fn a_pack_without_questions_is_told() {
        let lines = told(toml("title = 'a'\nquestions = []"));
        assert_eq!(lines, ["quiz.toml: a pack has 1 to 500 questions, this one has 0"]);
    }

    #[test]
    fn line_breaks_and_tabs_in_a_text_become_blanks() {
        let lines = "title = \"\"\"\nA\tquiz\"\"\"\n[[questions]]\ntext = \"\"\"\nHow many\n  lines? \n\"\"\"\n\
                     choices = [\"on\\ne\", \"two\"]\nright = \"two\"\n";
        let pack = toml(lines).unwrap();
        assert_eq!((pack.title.as_str(), pack.questions[0].text.as_str()), ("A quiz", "How many lines?"));
        assert_eq!(pack.questions[0].choices, ["on e", "two"]);
    }

    #[test]
    fn a_title_that_is_given_goes_before_the_files_own() {
        let pack = parse("quiz.toml", GOOD.as_bytes(), Format::Toml, Some("Saturday quiz")).unwrap();
        assert_eq!(pack.title, "Saturday quiz");
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let depth = 200_000;
        assert!(toml(&format!("title = {}", "[".repeat(depth))).is_err());
        assert!(toml(&format!("title = {}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
        assert!(toml(&format!("{}a = 1", "a.".repeat(depth))).is_err());
        assert!(json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
    }

    prop_compose! {
        fn any_question()(
            text in "\\PC{1,40}|[ -~]{1,30}",
            choices in prop::collection::btree_set("\\PC{1,12}|[\"'\\\\ ]?[a-z]{1,3}[\"']?", 2..=6),
            right in any::<prop::sample::Index>(),
            category in prop::option::of("[a-z]\\PC{0,12}"),
            difficulty in prop::option::of(prop::sample::select(
                vec![Difficulty::Easy, Difficulty::Medium, Difficulty::Hard],
            )),
            open_for in prop::option::of((500_u32..=600_000).prop_map(Span)),
            source in prop::option::of("\\PC{0,12}"),
        ) -> PackQuestion {
            let right = choice_at(right.index(choices.len()));
            PackQuestion {
                text, choices: choices.into_iter().collect(), right, category, difficulty, open_for, source,
            }
        }
    }

    proptest! {
        #[test]
        fn a_pack_that_is_written_reads_back_as_itself(
            title in "[a-z]\\PC{0,20}",
            questions in prop::collection::vec(any_question(), 1..5),
        ) {
            let pack = Pack { title, questions };
            prop_assume!(pack.problems().is_empty());
            let written = to_toml(&pack);
            prop_assert_eq!(toml(&written).map_err(|bad| bad.to_string()), Ok(pack), "{}", written);
        }

        #[test]
        fn no_text_makes_the_native_reader_panic(text in "\\PC{0,200}") {
            let _ = toml(&text);
            let _ = json(&text);
        }

        #[test]
        fn a_good_pack_cut_or_garbled_never_panics(
            cut in 0..GOOD.len(),
            splice in "[\\[\\]{}=\"'#.,\n a-z0-9]{0,6}",
        ) {
            let _ = toml(&GOOD[..cut]);
            let _ = toml(&format!("{}{splice}{}", &GOOD[..cut], &GOOD[cut..]));
        }
    }
}
