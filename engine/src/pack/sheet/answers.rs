//! Which answers are marked as right in a sheet: by number, by letter or by text.

use super::super::problem::excerpt;

/// The meaning of the cells with the right answer, if it is ambiguous: "2" can be the second answer or the answer "2".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convention {
    /// The answer's number or letter.
    Number,
    /// Its text.
    Text,
    /// The sheet does not decide it.
    Unknown,
}

/// An answer with its number, from 1: an empty one in the middle does not renumber those after it.
pub(super) type AnswerCell<'s> = (usize, &'s str);

impl Convention {
    /// The convention of the rows in which the cell has a single meaning.
    pub fn of<'s>(rows: impl Iterator<Item = (&'s str, Vec<AnswerCell<'s>>)>) -> Self {
        let (mut numbers, mut texts) = (0_usize, 0_usize);
        for (cell, answers) in rows {
            match (by_text(cell, &answers), number(cell)) {
                (None, Some(number)) if at(number, &answers).is_some() => numbers += 1,
                (Some(_), None) => texts += 1,
                _ => {}
            }
        }
        match (numbers, texts) {
            (1.., 0) => Self::Number,
            (0, 1..) => Self::Text,
            _ => Self::Unknown,
        }
    }
}

/// The positions of the answers that a cell refers to: one, or several in a list.
pub(super) fn right_ones(cell: &str, answers: &[AnswerCell<'_>], convention: Convention) -> Result<Vec<usize>, String> {
    if cell.is_empty() {
        return Err("the correct answer is missing: the number, the letter or the text of one answer".to_owned());
    }
    match one(cell, answers, convention) {
        Some(found) => found.map(|found| vec![found]),
        None => several(cell, answers, convention),
    }
}

/// The position of the one answer that a text refers to, or why it can't be told; none if it names none.
fn one(text: &str, answers: &[AnswerCell<'_>], convention: Convention) -> Option<Result<usize, String>> {
    let found = match (by_text(text, answers), number(text)) {
        (None, None) => return None,
        (Some(by_text), None) => Ok(by_text),
        (None, Some(number)) => at(number, answers)
            .ok_or_else(|| format!("the correct answer is number {number}, and there is no answer {number}")),
        (Some(by_text), Some(number)) => match (at(number, answers), convention) {
            (None, _) | (_, Convention::Text) => Ok(by_text),
            (Some(numbered), _) if numbered == by_text => Ok(by_text),
            (Some(numbered), Convention::Number) => Ok(numbered),
            (Some(numbered), Convention::Unknown) => {
                let is_letter = text.chars().any(char::is_alphabetic);
                let instead = if is_letter { "number" } else { "letter, A to F" };
                Err(format!(
                    "the correct answer {} can be answer {number}, {}, or the answer with this text; write its {instead}",
                    excerpt(text),
                    excerpt(answers[numbered].1)
                ))
            }
        },
    };
    Some(found)
}

/// The positions of a list of right answers, each once.
fn several(cell: &str, answers: &[AnswerCell<'_>], convention: Convention) -> Result<Vec<usize>, String> {
    let is_separator = |c: char| matches!(c, ',' | ';' | '/' | '&' | '|' | '+' | '\n');
    let mut parts: Vec<&str> = cell.split(is_separator).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() < 2 {
        parts = cell.split_whitespace().filter(|part| !matches!(*part, "and" | "or")).collect();
    }
    let mut named = Vec::new();
    for part in parts {
        let Some(found) = one(part, answers, convention) else {
            named.clear();
            break;
        };
        let found = found?;
        if !named.contains(&found) {
            named.push(found);
        }
    }
    if named.is_empty() {
        return Err(format!(
            "the correct answer is the number, the letter or the text of one answer, not {}",
            excerpt(cell)
        ));
    }
    Ok(named)
}

/// The position of the answer with this number.
fn at(wanted: usize, answers: &[AnswerCell<'_>]) -> Option<usize> {
    answers.iter().position(|&(number, _)| number == wanted)
}

/// The position of the answer with this text; case is ignored if no answer matches exactly.
fn by_text(cell: &str, answers: &[AnswerCell<'_>]) -> Option<usize> {
    let exactly = answers.iter().position(|&(_, text)| text == cell);
    exactly.or_else(|| {
        let wanted = cell.to_lowercase();
        let mut alike = (0..answers.len()).filter(|&index| answers[index].1.to_lowercase() == wanted);
        alike.next().filter(|_| alike.next().is_none())
    })
}

/// The number in "2", "2.0", "#2", "Answer 2", "b", "B)" or "Option B".
fn number(cell: &str) -> Option<usize> {
    let lower = cell.to_lowercase();
    let mut text = lower.as_str();
    for word in ["answer", "option", "choice", "#"] {
        text = text.strip_prefix(word).map_or(text, str::trim_start);
    }
    let text = text.trim_start_matches('(').trim_end_matches([')', '.', ':']);
    let text = text.strip_suffix(".0").unwrap_or(text);
    if let Ok(number) = text.parse::<usize>() {
        return Some(number);
    }
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter @ 'a'..='z'), None) => Some(usize::from(u8::try_from(letter).ok()? - b'a') + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANETS: &[AnswerCell<'_>] = &[(1, "Mars"), (2, "Venus"), (4, "Earth")];
    const NUMBERS: &[AnswerCell<'_>] = &[(1, "2"), (2, "3"), (3, "4"), (4, "1")];

    fn rights(cell: &str, answers: &[AnswerCell<'_>]) -> Result<Vec<usize>, String> {
        right_ones(cell, answers, Convention::Unknown)
    }

    fn right(cell: &str, answers: &[AnswerCell<'_>]) -> Result<usize, String> {
        rights(cell, answers).map(|rights| {
            assert_eq!(rights.len(), 1, "{cell}");
            rights[0]
        })
    }

    #[test]
    fn an_answer_is_named_by_number_letter_or_text() {
        for cell in [
            "2", "2.0", "#2", "Answer 2", "b", "B", "B)", "(b)", "b.", "Option B", "Venus", "venus", "2,2", "2, B",
            "B and 2",
        ] {
            assert_eq!(right(cell, PLANETS), Ok(1), "{cell}");
        }
        assert_eq!(right("4", PLANETS), Ok(2));
        assert_eq!(right("D", PLANETS), Ok(2));
    }

    #[test]
    fn several_are_named_in_a_list_in_any_way() {
        for cell in ["1,2", "1;2", "1 2", "A, B", "Mars, Venus", "Mars / Venus", "1 and 2", "1&2", "1, 2, 1", "a or b"]
        {
            assert_eq!(rights(cell, PLANETS), Ok(vec![0, 1]), "{cell}");
        }
        assert_eq!(rights("4, 1", PLANETS), Ok(vec![2, 0]));
        assert!(rights("1, 3", PLANETS).unwrap_err().contains("there is no answer 3"));
        // Each of them is what the rest of the sheet says.
        assert!(rights("2, 3", NUMBERS).unwrap_err().contains("can be answer 2"));
        assert_eq!(right_ones("2, 3", NUMBERS, Convention::Number), Ok(vec![1, 2]));
        assert_eq!(right_ones("2, 3", NUMBERS, Convention::Text), Ok(vec![0, 1]));
    }

    #[test]
    fn none_is_refused() {
        for cell in ["AB and 1", "Pluto", "1.3", "two", "Mars, Pluto", "-1", "TRUE", "?"] {
            assert!(right(cell, PLANETS).unwrap_err().contains("text of one answer, not"), "{cell}");
        }
        assert!(right("3", PLANETS).unwrap_err().contains("there is no answer 3"));
        assert!(right("0", PLANETS).unwrap_err().contains("there is no answer 0"));
        assert!(right("", PLANETS).unwrap_err().contains("missing"));
        assert!(right("a", &[(1, "x"), (2, "y")]).is_ok());
    }

    #[test]
    fn a_number_that_is_also_an_answer_is_what_the_rest_of_the_sheet_says() {
        assert!(right("2", NUMBERS).unwrap_err().contains("can be answer 2, \"3\", or the answer with this text"));
        assert_eq!(right_ones("2", NUMBERS, Convention::Number), Ok(vec![1]));
        assert_eq!(right_ones("2", NUMBERS, Convention::Text), Ok(vec![0]));
        assert_eq!(right("A", NUMBERS), Ok(0));
        assert_eq!(right("2", &[(1, "1"), (2, "2")]), Ok(1));
        assert!(right("2", NUMBERS).unwrap_err().ends_with("write its letter, A to F"));
        let letters = &[(1, "B"), (2, "A")][..];
        assert!(right("A", letters).unwrap_err().ends_with("write its number"));
        assert_eq!(right("1", letters), Ok(0));
        let rows = |cells: &[&'static str]| -> Vec<_> { cells.iter().map(|&cell| (cell, PLANETS.to_vec())).collect() };
        assert_eq!(Convention::of(rows(&["1", "b", "1,2"]).into_iter()), Convention::Number);
        assert_eq!(Convention::of(rows(&["Mars", "Earth"]).into_iter()), Convention::Text);
        assert_eq!(Convention::of(rows(&["Mars", "1"]).into_iter()), Convention::Unknown);
        assert_eq!(Convention::of(std::iter::once(("2", NUMBERS.to_vec()))), Convention::Unknown);
    }
}
