//! The Open Trivia Database's JSON, as its API sends it, in each of its encodings.

use klaxon_protocol::games::trivia::PackQuestion;

use super::draft::{Draft, Drafted, MOST_READ, at_most, blank_question, choice_at, difficulty_named, in_fixed_order};
use super::encoding::Encoding;
use super::problem::{Findings, SourcePlace, excerpt};
use super::tree::{Fields, Node, Value};

/// One result as it was sent, still encoded.
#[derive(Debug)]
struct OpenTdbResult {
    place: SourcePlace,
    kind: Option<String>,
    difficulty: Option<String>,
    category: Option<String>,
    question: Option<String>,
    correct: Option<String>,
    incorrect: Option<Vec<String>>,
}

impl OpenTdbResult {
    fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.kind, &self.difficulty, &self.category, &self.question, &self.correct]
            .into_iter()
            .flatten()
            .chain(self.incorrect.iter().flatten())
            .map(String::as_str)
    }
}

/// Reads what the API sent. `encoding` is found out if it is not given.
pub(super) fn read(root: Node, encoding: Option<Encoding>, title: &str, findings: &mut Findings) -> Draft {
    let mut draft = Draft::unread(Some(title));
    let Some(mut answer) = Fields::of(root, "the API's answer", SourcePlace::default(), findings) else {
        return draft;
    };
    if let Some(code) = answer.take("response_code")
        && let Some(problem) = refused(&code.value)
    {
        answer.tell(None, problem);
        return draft;
    }
    let Some(results) = answer.need("results", "the list of questions") else {
        return draft;
    };
    let items = match results.value {
        Value::List(items) => items,
        other => {
            answer.tell(None, format!("`results` is a list of questions, not {}", other.kind()));
            return draft;
        }
    };
    let items = at_most(MOST_READ, items, SourcePlace::default(), findings);
    let sent: Vec<OpenTdbResult> =
        items.into_iter().enumerate().map(|(index, item)| read_result(item, index + 1, findings)).collect();
    let encoding = encoding.unwrap_or_else(|| Encoding::detect(sent.iter().flat_map(OpenTdbResult::texts)));
    draft.questions =
        sent.into_iter().map(|sent| Drafted::new(question_of(&sent, encoding, findings), sent.place)).collect();
    draft
}

/// Why the API sent no questions, if the response has a reason.
fn refused(code: &Value) -> Option<String> {
    let meaning = match code {
        Value::Integer(0) => return None,
        Value::Integer(1) => "it has too few questions of this kind",
        Value::Integer(2) => "a parameter of the request was wrong",
        Value::Integer(3) => "it does not know the session token",
        Value::Integer(4) => "the session token has seen every question of this kind",
        Value::Integer(5) => "too many requests; it takes one every 5 seconds",
        _ => "only `response_code` 0 comes with questions",
    };
    Some(format!("the Open Trivia Database refused the request: {meaning}"))
}

fn read_result(node: Node, number: usize, findings: &mut Findings) -> OpenTdbResult {
    let place = SourcePlace { line: node.line, question: Some(number) };
    let mut sent = OpenTdbResult {
        place,
        kind: None,
        difficulty: None,
        category: None,
        question: None,
        correct: None,
        incorrect: None,
    };
    let Some(mut fields) = Fields::of(node, "a result", place, findings) else {
        return sent;
    };
    let mut needed = |key: &str, wanted: &str| {
        let node = fields.need(key, wanted)?;
        fields.text_of(node, &format!("`{key}`"))
    };
    sent.kind = needed("type", "multiple or boolean");
    sent.question = needed("question", "what is asked");
    sent.correct = needed("correct_answer", "the right choice");
    sent.difficulty = fields.text("difficulty");
    sent.category = fields.text("category");
    let incorrect = fields.need("incorrect_answers", "the list of wrong choices");
    sent.incorrect = incorrect.and_then(|node| fields.texts_of(node, "`incorrect_answers`"));
    sent
}

/// Decodes one result's texts, and reports what can't be decoded.
struct Decoder<'f> {
    encoding: Encoding,
    place: SourcePlace,
    findings: &'f mut Findings,
}

impl Decoder<'_> {
    fn text(&mut self, key: &str, text: Option<&String>) -> Option<String> {
        match self.encoding.decode(text?) {
            Ok(decoded) => Some(decoded),
            Err(problem) => {
                self.findings.add(self.place, format!("`{key}`: {problem}"));
                None
            }
        }
    }

    /// All of the texts, or none if one of them can't be decoded.
    fn texts(&mut self, key: &str, texts: Option<&Vec<String>>) -> Option<Vec<String>> {
        let texts = texts?;
        let decoded: Vec<String> = texts.iter().filter_map(|text| self.text(key, Some(text))).collect();
        (decoded.len() == texts.len()).then_some(decoded)
    }
}

fn question_of(sent: &OpenTdbResult, encoding: Encoding, findings: &mut Findings) -> PackQuestion {
    let mut question = blank_question();
    let place = sent.place;
    let mut decoder = Decoder { encoding, place, findings };
    let kind = decoder.text("type", sent.kind.as_ref());
    let difficulty = decoder.text("difficulty", sent.difficulty.as_ref());
    question.category = decoder.text("category", sent.category.as_ref());
    if let Some(text) = decoder.text("question", sent.question.as_ref()) {
        question.text = text;
    }
    let correct = decoder.text("correct_answer", sent.correct.as_ref());
    let incorrect = decoder.texts("incorrect_answers", sent.incorrect.as_ref());
    question.source = Some("Open Trivia Database, opentdb.com (CC BY-SA 4.0)".to_owned());
    match difficulty.as_deref().map(difficulty_named) {
        Some(Ok(difficulty)) => question.difficulty = Some(difficulty),
        Some(Err(problem)) => findings.add(place, problem),
        None => {}
    }
    let choices = match (kind.as_deref(), correct, incorrect) {
        (None, ..) | (_, None, _) | (_, _, None) => return question,
        (Some("boolean"), Some(correct), Some(incorrect)) => boolean(&correct, &incorrect),
        (Some("multiple"), Some(correct), Some(incorrect)) => {
            let (choices, right) = in_fixed_order(correct, incorrect);
            Ok((choices, right.index()))
        }
        (Some(other), ..) => Err(format!("`type` is multiple or boolean, not {}", excerpt(other))),
    };
    match choices {
        Ok((choices, right)) => {
            question.choices = choices;
            question.right = choice_at(right);
        }
        Err(problem) => findings.add(place, problem),
    }
    question
}

/// The choices and the right one's position, or what is wrong.
type Choices = Result<(Vec<String>, usize), String>;

fn boolean(correct: &str, incorrect: &[String]) -> Choices {
    match (correct, incorrect) {
        ("True", [wrong]) if wrong == "False" => Ok((vec!["True".to_owned(), "False".to_owned()], 0)),
        ("False", [wrong]) if wrong == "True" => Ok((vec!["True".to_owned(), "False".to_owned()], 1)),
        _ => Err(format!(
            "a boolean question is answered by True or False, and the other is wrong; here {} is right and {} wrong",
            excerpt(correct),
            excerpt(&incorrect.join(", "))
        )),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use klaxon_protocol::games::trivia::{Choice, Difficulty, Pack};
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::super::{BadPack, Format, ReadOptions, import_quiz_bytes, parse};
    use super::*;

    fn read(answer: &Json, encoding: Option<Encoding>) -> Result<Pack, BadPack> {
        parse("friday.json", answer.to_string().as_bytes(), Format::OpenTdb(encoding), None)
    }

    fn told(result: Result<Pack, BadPack>) -> Vec<String> {
        result.unwrap_err().to_string().lines().map(str::to_owned).collect()
    }

    type Encode = fn(&str) -> String;

    /// An answer of the API whose texts went through `encode`.
    fn answer(encode: Encode) -> Json {
        let texts = |texts: &[&str]| texts.iter().map(|text| encode(text)).collect::<Vec<_>>();
        json!({ "response_code": 0, "results": [
            {
                "type": encode("multiple"), "difficulty": encode("hard"), "category": encode("Science & Nature"),
                "question": encode("What is \"C++\" for 100% of café guests?"),
                "correct_answer": encode("A language"), "incorrect_answers": texts(&["a drink", "Zebra", "Ünder"]),
            },
            {
                "type": encode("boolean"), "difficulty": encode("easy"), "category": encode("General Knowledge"),
                "question": encode("Is the sea salty?"),
                "correct_answer": encode("True"), "incorrect_answers": texts(&["False"]),
            },
            {
                "type": encode("multiple"), "difficulty": encode("medium"), "category": encode("Mathematics"),
                "question": encode("What is 30 times 40?"),
                "correct_answer": encode("1,200"), "incorrect_answers": texts(&["120", "12,000", "70"]),
            },
        ]})
    }

    fn html(text: &str) -> String {
        text.replace('&', "&amp;").replace('"', "&quot;").replace('é', "&eacute;").replace('Ü', "&#220;")
    }

    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

    fn url3986(text: &str) -> String {
        utf8_percent_encode(text, ESCAPED).to_string()
    }

    fn url_legacy(text: &str) -> String {
        url3986(text).replace("%20", "+").replace('~', "%7E")
    }

    fn base64(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn each_encoding_is_found_out_and_gives_the_same_pack() {
        let encodings: [(Encoding, Encode); 4] = [
            (Encoding::Html, html),
            (Encoding::Url3986, url3986),
            (Encoding::UrlLegacy, url_legacy),
            (Encoding::Base64, base64),
        ];
        let pack = read(&answer(html), None).unwrap();
        assert_eq!(pack.title, "friday");
        assert_eq!(pack.questions[0].text, "What is \"C++\" for 100% of café guests?");
        assert_eq!(pack.questions[0].category.as_deref(), Some("Science & Nature"));
        assert_eq!(pack.questions[0].difficulty, Some(Difficulty::Hard));
        for (encoding, encode) in encodings {
            assert_eq!(read(&answer(encode), None).unwrap(), pack, "{encoding} is found out");
            assert_eq!(read(&answer(encode), Some(encoding)).unwrap(), pack, "{encoding} is given");
        }
    }

    #[test]
    fn a_quiz_gets_the_same_questions_of_kind_choice() {
        let bytes = answer(html).to_string();
        let quiz = import_quiz_bytes("friday.json", bytes.as_bytes(), ReadOptions::default()).unwrap().pack;
        assert_eq!(quiz.kinds().into_iter().collect::<Vec<_>>(), [("choice", 3)]);
        assert_eq!(quiz, read(&answer(html), None).unwrap().into());
        assert!(quiz.questions.iter().all(|packed| packed.source.as_deref().unwrap().contains("CC BY-SA")));
    }

    #[test]
    fn choices_stand_by_letter_or_by_number_wherever_that_puts_the_right_one() {
        let pack = read(&answer(html), None).unwrap();
        assert_eq!(pack.questions[0].choices, ["a drink", "A language", "Zebra", "Ünder"]);
        assert_eq!(pack.questions[0].right, Choice(1));
        assert_eq!(pack.questions[2].choices, ["70", "120", "1,200", "12,000"]);
        assert_eq!(pack.questions[2].right, Choice(2));
    }

    #[test]
    fn a_boolean_question_is_true_or_false_in_that_order() {
        let mut answer = answer(html);
        let pack = read(&answer, None).unwrap();
        assert_eq!(pack.questions[1].choices, ["True", "False"]);
        assert_eq!(pack.questions[1].right, Choice(0));
        answer["results"][1]["correct_answer"] = "False".into();
        answer["results"][1]["incorrect_answers"] = json!(["True"]);
        assert_eq!(read(&answer, None).unwrap().questions[1].right, Choice(1));
    }

    #[test]
    fn every_problem_of_every_result_is_told_with_its_number() {
        let mut answer = answer(html);
        answer["results"][0]["type"] = "essay".into();
        answer["results"][0]["difficulty"] = "brutal".into();
        answer["results"][1]["correct_answer"] = "Yes".into();
        answer["results"][2].as_object_mut().unwrap().remove("question");
        answer["results"][2]["incorrect_answers"] = json!(["120", 7, null]);
        answer["results"].as_array_mut().unwrap().push(json!("a text"));
        let lines = told(read(&answer, None));
        let expected = [
            "friday.json: question 1: the difficulty is easy, medium or hard, not \"brutal\"",
            "friday.json: question 1: `type` is multiple or boolean, not \"essay\"",
            "friday.json: question 2: a boolean question is answered by True or False, and the other is wrong; \
             here \"Yes\" is right and \"False\" wrong",
            "friday.json: question 3: `question` is missing: what is asked",
            "friday.json: question 3: `incorrect_answers`: item 2 is a text in quotes, not a number",
            "friday.json: question 3: `incorrect_answers`: item 3 is a text in quotes, not null",
            "friday.json: question 4: a result is a table of keys and values, not a text",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn texts_that_are_not_in_the_given_encoding_are_told() {
        let lines = told(read(&answer(html), Some(Encoding::Base64)));
        assert!(lines.len() > 10, "{lines:#?}");
        assert!(lines.iter().all(|line| line.contains("is not base64")), "{lines:#?}");
        let mut latin = answer(url3986);
        latin["results"][0]["question"] = "caf%E9".into();
        let lines = told(read(&latin, None));
        assert_eq!(lines, ["friday.json: question 1: `question`: \"caf%E9\" is not percent-encoded UTF-8"]);
    }

    #[test]
    fn a_refusal_of_the_api_is_told_in_words() {
        let lines = told(read(&json!({ "response_code": 5, "results": [] }), None));
        assert_eq!(
            lines,
            [
                "friday.json: the Open Trivia Database refused the request: too many requests; it takes one every 5 seconds"
            ]
        );
        assert!(told(read(&json!({ "results": 1 }), None))[0].contains("`results` is a list"));
        assert!(told(read(&json!({ "response_code": 0 }), None))[0].contains("`results` is missing"));
    }

    #[test]
    fn a_wrong_choice_that_is_the_right_one_too_is_told() {
        let mut answer = answer(html);
        answer["results"][0]["incorrect_answers"] = json!(["A language", "Zebra"]);
        assert_eq!(told(read(&answer, None)), ["friday.json: question 1: the choice \"A language\" stands twice"]);
    }

    proptest! {
        #[test]
        fn no_texts_make_the_reader_panic(
            kind in "multiple|boolean|bXVsdGlwbGU=|\\PC{0,5}",
            texts in prop::collection::vec("[&#x0-9;%+=a-zA-Z ]{0,12}|\\PC{0,12}|&#[0-9]{1,9};|%[0-9A-F]{2}", 0..8),
            correct in "\\PC{0,12}|NaN|-?[0-9]{1,3}",
            encoding in prop::option::of(prop::sample::select(Encoding::ALL.to_vec())),
        ) {
            let question = texts.concat();
            let result = json!({
                "type": kind, "question": question, "correct_answer": correct, "incorrect_answers": texts,
                "difficulty": "easy", "category": correct,
            });
            let _ = read(&json!({ "response_code": 0, "results": [result] }), encoding);
        }
    }
}
