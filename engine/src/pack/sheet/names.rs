//! What a column is for, by its name.

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The question's text, by an exact name.
    Text,
    /// Perhaps the question's text: the name contains a word for questions, and others.
    PerhapsText,
    /// An answer, by its number; answers are numbered from 1, but not by everybody.
    Answer(usize),
    /// An answer that is wrong.
    Wrong,
    /// Which answer is right.
    Correct,
    /// "Answer", without a number: the right answer, if no other column has it.
    OneAnswer,
    /// How long the question is open.
    Time(Unit),
    /// Something else.
    Other,
}

/// What a time is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
}

const QUESTION: &[&str] = &["question", "questions", "prompt", "stem", "clue", "q"];
/// Words that stand beside or for it.
const WORDING: &[&str] = &["text", "wording", "statement", "query"];
const PERHAPS_WORDING: &[&str] = &["title", "content", "body"];
const ANSWER: &[&str] =
    &["answer", "answers", "option", "options", "choice", "choices", "alternative", "response", "ans", "opt"];
const CORRECT: &[&str] = &["correct", "right", "solution"];
const WRONG: &[&str] = &["incorrect", "wrong", "distractor", "distractors"];
const TIME: &[&str] = &["time", "timer", "seconds", "secs", "sec", "duration", "countdown", "timelimit"];
const SMALL_WORDS: &[&str] = &["the", "of", "a", "an", "your", "for", "to", "here", "enter", "write"];
/// A column whose name has one of these holds nothing that is asked or answered.
const SOMETHING_ELSE: &[&str] = &[
    "#",
    "№",
    "no",
    "nr",
    "num",
    "number",
    "numbers",
    "id",
    "index",
    "order",
    "position",
    "serial",
    "sequence",
    "row",
    "type",
    "types",
    "kind",
    "format",
    "style",
    "points",
    "point",
    "score",
    "marks",
    "weight",
    "pts",
    "image",
    "images",
    "picture",
    "pictures",
    "img",
    "photo",
    "media",
    "video",
    "audio",
    "sound",
    "youtube",
    "url",
    "urls",
    "link",
    "links",
    "file",
    "attachment",
    "gif",
    "alt",
    "explanation",
    "explanations",
    "explain",
    "feedback",
    "hint",
    "hints",
    "rationale",
    "comment",
    "comments",
    "note",
    "notes",
    "reason",
    "description",
    "instructions",
    "category",
    "categories",
    "topic",
    "subject",
    "tag",
    "tags",
    "theme",
    "difficulty",
    "level",
    "source",
    "reference",
    "language",
    "date",
    "timestamp",
    "created",
    "updated",
    "submitted",
    "author",
    "status",
    "group",
    "set",
    "bank",
    "section",
    "part",
    "round",
    "page",
    "count",
    "total",
    "chapter",
    "unit",
    "standard",
    "skill",
    "version",
    "code",
    "randomize",
    "shuffle",
    "zone",
];

/// What a column with this name is for.
pub(super) fn role(name: &str) -> Role {
    let words = words(base(name));
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    // In "Answer no. 3" it belongs to the number.
    let has_something_else = || {
        let number_words = ["#", "no", "nr", "number"];
        words.iter().any(|word| SOMETHING_ELSE.contains(&word.as_str()) && !number_words.contains(&word.as_str()))
    };
    if words.is_empty() {
        return Role::Other;
    }
    if has(WRONG) {
        return if has_something_else() { Role::Other } else { Role::Wrong };
    }
    if has(CORRECT) || words == ["answer", "key"] {
        return if has_something_else() || has(TIME) { Role::Other } else { Role::Correct };
    }
    if has(TIME) {
        return if has_something_else() { Role::Other } else { Role::Time(unit(name)) };
    }
    if has(ANSWER) && !has(QUESTION) {
        return if has_something_else() { Role::Other } else { answer(&words) };
    }
    if let [letter] = words.as_slice()
        && let Some(number) = answer_number(letter)
        && letter.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return Role::Answer(number);
    }
    if has(SOMETHING_ELSE) || !(has(QUESTION) || has(WORDING) || has(PERHAPS_WORDING)) {
        return Role::Other;
    }
    let rest = |word: &&String| ![QUESTION, WORDING, SMALL_WORDS].iter().any(|list| list.contains(&word.as_str()));
    let is_more = words.iter().any(|word| rest(&word) && !(has(QUESTION) && PERHAPS_WORDING.contains(&word.as_str())));
    match (is_more, has(QUESTION) || words.len() == 1) {
        (false, _) => Role::Text,
        (true, true) => Role::PerhapsText,
        (true, false) => Role::Other,
    }
}

/// The role of an answer's column: "answer 3", "option c", "text for option 2", or "answer" alone.
fn answer(words: &[String]) -> Role {
    let passed_over = [ANSWER, SMALL_WORDS, WORDING, &["#", "no", "nr", "number"]];
    // The article is a letter, too: "a" is one only where no other word is.
    let is_passed = |word: &String| word != "a" && passed_over.iter().any(|list| list.contains(&word.as_str()));
    let rest: Vec<&String> = words.iter().filter(|word| !is_passed(word)).collect();
    match rest[..] {
        [] if words.len() == 1 => Role::OneAnswer,
        [word] => answer_number(word).map_or(Role::Other, Role::Answer),
        _ => Role::Other,
    }
}

fn answer_number(word: &str) -> Option<usize> {
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(letter @ 'a'..='j'), None) => Some(usize::from(u8::try_from(letter).ok()? - b'a') + 1),
        _ => word.parse().ok().filter(|number| *number <= 99),
    }
}

fn unit(name: &str) -> Unit {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&["ms", "milliseconds", "millis"]) {
        Unit::Milliseconds
    } else if has(&["minutes", "minute", "mins"]) && !has(&["seconds", "secs", "sec"]) {
        Unit::Minutes
    } else {
        Unit::Seconds
    }
}

/// Whether the name of the column with the right answer asks for the answer's number.
pub(super) fn asks_for_number(name: &str) -> bool {
    let words = words(name);
    let has = |word: &str| words.iter().any(|other| other == word);
    has("#") || has("number") || has("index") || has("no") || (has("choose") && has("least"))
}

/// The name itself, without what explains it: "Question" of "Question - max 120 characters".
fn base(name: &str) -> &str {
    let ends = ["(", "[", "{", ":", " - ", " – ", " — "];
    let end = ends.iter().filter_map(|end| name.find(end)).min().unwrap_or(name.len());
    let base = name[..end].trim();
    if base.is_empty() { name } else { base }
}

/// The words of a name, in lower case; letters and digits are words apart, and so are the parts of "correctAnswer".
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in name.chars().take(200) {
        let is_mark = matches!(c, '#' | '№');
        let begins = is_mark
            || !c.is_alphanumeric()
            || (before.is_lowercase() && c.is_uppercase())
            || before.is_numeric() != c.is_numeric();
        if begins && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if is_mark {
            words.push(c.to_string());
        } else if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_columns_are_for() {
        for (role_of, names) in [
            (
                Role::Text,
                &[
                    "Question",
                    "QUESTION TEXT",
                    "Question\nText",
                    "Question - max 120 characters",
                    "question_text",
                    "questionText",
                    "Text of the question",
                    "Question (required)",
                    "Text",
                    "Prompt",
                    "Question title",
                    "Questions",
                    "Enter your question here",
                    "Question:",
                    "Q",
                    "Question stem",
                ][..],
            ),
            (Role::PerhapsText, &["Quiz question", "Question in English", "Title"]),
            (
                Role::Answer(1),
                &[
                    "Answer 1",
                    "answer1",
                    "Answer 1 - max 75 characters",
                    "Option A",
                    "optionA",
                    "A",
                    "a)",
                    "Choice #1",
                    "Answer no. 1",
                    "Text for option 1",
                    "Answer 1\n(Optional)",
                    "Option 1:",
                    "Answer A",
                ],
            ),
            (Role::Answer(3), &["Answer 3\n(Optional)", "C", "option_c", "Alternative 3"]),
            (Role::Wrong, &["Incorrect Answer 1", "Wrong answer", "Distractor 2", "Incorrect Answer 2 (Optional)"]),
            (
                Role::Correct,
                &[
                    "Correct Answer(s)\n(Only include Answer #)",
                    "Correct answer(s) - choose at least one",
                    "Correct",
                    "Right answer",
                    "correct_answer",
                    "CorrectAnswer",
                    "Answer key",
                    "Solution",
                    "Correct option",
                    "Correct\nAnswer",
                ],
            ),
            (Role::OneAnswer, &["Answer", "Answers"]),
            (
                Role::Time(Unit::Seconds),
                &[
                    "Time limit (sec) – 5, 10, 20, or 240 secs",
                    "Time Limit (sec)\n(Max: 300 seconds)",
                    "Time in seconds",
                    "Timer",
                    "Time per question",
                    "Question time",
                ],
            ),
            (Role::Time(Unit::Milliseconds), &["Time (ms)"]),
            (Role::Time(Unit::Minutes), &["Time in minutes"]),
            (
                Role::Other,
                &[
                    "Question #",
                    "Question type",
                    "Question No.",
                    "Question ID",
                    "Question number",
                    "Question image",
                    "Image Link",
                    "Answer explanation",
                    "Correct answer explanation",
                    "Answer 1 image",
                    "Points",
                    "Question category",
                    "#",
                    "Question points",
                    "Timestamp",
                    "Difficulty",
                    "Link",
                    "",
                    "Score",
                    "Correct answer feedback",
                    "Answer type",
                    "Nr.",
                ],
            ),
        ] {
            for name in names {
                assert_eq!(role(name), role_of, "{name:?}");
            }
        }
    }

    #[test]
    fn some_names_ask_for_a_number() {
        assert!(asks_for_number("Correct Answer(s)\n(Only include Answer #)"));
        assert!(asks_for_number("Correct answer(s) - choose at least one"));
        assert!(!asks_for_number("Correct answer"));
    }
}
