//! Kahoot's quiz spreadsheet, saved as CSV.

use csv::StringRecord;
use klaxon_protocol::ids::Choice;
use klaxon_protocol::pack::PackQuestion;
use klaxon_protocol::time::Span;

use super::draft::{Draft, blank_question, choice_at, wrong_choice_count};
use super::problem::{Findings, Place, excerpt};

/// The most answers a sheet can have columns for.
const MOST_ANSWERS: usize = 6;

/// A row and the line where it starts.
#[derive(Debug)]
struct Row {
    line: usize,
    cells: StringRecord,
}

impl Row {
    fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default().trim()
    }
}

/// Where the sheet's columns are.
#[derive(Debug, Default)]
struct Columns {
    question: Option<usize>,
    answers: [Option<usize>; MOST_ANSWERS],
    time: Option<usize>,
    correct: Option<usize>,
}

impl Columns {
    /// The columns that a row names, if it is a header. Kahoot's own names go on ("Question - max 120 characters").
    fn named_by(row: &StringRecord) -> Self {
        let mut columns = Self::default();
        for (index, cell) in row.iter().enumerate() {
            let name = cell.trim().to_lowercase();
            let place = if name.starts_with("question") {
                &mut columns.question
            } else if name.starts_with("time") {
                &mut columns.time
            } else if name.starts_with("correct") {
                &mut columns.correct
            } else if let Some(answer) = answer_number(&name) {
                &mut columns.answers[answer - 1]
            } else {
                continue;
            };
            place.get_or_insert(index);
        }
        columns
    }

    /// The needed columns that are not there. There may be no time: the show's own setting counts then.
    fn missing(&self) -> Vec<&'static str> {
        [
            ("Question", self.question),
            ("Answer 1", self.answers[0]),
            ("Answer 2", self.answers[1]),
            ("Correct answer", self.correct),
        ]
        .into_iter()
        .filter(|(_, column)| column.is_none())
        .map(|(name, _)| name)
        .collect()
    }
}

/// The number in "answer 3 - max 75 characters".
fn answer_number(name: &str) -> Option<usize> {
    let rest = name.strip_prefix("answer")?.trim_start();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok().filter(|number| (1..=MOST_ANSWERS).contains(number))
}

/// A sheet as its separator splits it, from the header on.
#[derive(Debug)]
struct Sheet {
    header: usize,
    columns: Columns,
    rows: Vec<Row>,
}

impl Sheet {
    /// The sheet under the separator with which most of a header is there.
    fn split(text: &str) -> Option<Self> {
        b",;\t"
            .iter()
            .filter_map(|&separator| Self::split_by(separator, text))
            .min_by_key(|sheet| sheet.columns.missing().len())
    }

    fn split_by(separator: u8, text: &str) -> Option<Self> {
        let mut rows = rows(separator, text);
        let at = rows.iter().position(|row| {
            // Kahoot's instructions speak of questions and answers too, but never in cells of their own.
            let columns = Columns::named_by(&row.cells);
            columns.missing().len() <= 2
        })?;
        let mut rows = rows.drain(at..);
        let header = rows.next()?;
        Some(Self { header: header.line, columns: Columns::named_by(&header.cells), rows: rows.collect() })
    }
}

fn rows(separator: u8, text: &str) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(text.as_bytes());
    let lines = super::text::Lines::of(text);
    let mut rows = Vec::new();
    // The text is UTF-8 and rows may differ in length, so nothing is left that could be an error.
    for cells in reader.records().map_while(Result::ok) {
        let start = cells.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        // The position is that of the empty lines before the row, if there are any.
        let empty = text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start_matches('\n').len());
        rows.push(Row { line: lines.line(start + empty), cells });
    }
    rows
}

/// Whether the text looks like such a sheet.
pub(super) fn looks_like_one(text: &str) -> bool {
    Sheet::split(text).is_some()
}

/// Reads a sheet.
pub(super) fn read(text: &str, title: &str, findings: &mut Findings) -> Draft {
    let mut draft = Draft { title: Some(title.to_owned()), questions: vec![(blank_question(), Place::default())] };
    let Some(sheet) = Sheet::split(text) else {
        findings.add(
            Place::default(),
            "no header row; it names the columns Question, Answer 1, Answer 2, up to Answer 6, Time limit, \
             Correct answer, separated by commas, semicolons or tabs",
        );
        return draft;
    };
    let missing = sheet.columns.missing();
    if !missing.is_empty() {
        let place = Place { line: Some(sheet.header), question: None };
        findings.add(place, format!("the header row has no column {}", missing.join(", ")));
        return draft;
    }
    draft.questions.clear();
    for row in &sheet.rows {
        let columns = &sheet.columns;
        // A row that nobody filled in may still have its number and time.
        let written = columns.question.into_iter().chain(columns.answers.into_iter().flatten()).chain(columns.correct);
        if written.into_iter().all(|column| row.cell(column).is_empty()) {
            continue;
        }
        let place = Place { line: Some(row.line), question: Some(draft.questions.len() + 1) };
        draft.questions.push((read_row(row, columns, &mut |problem| findings.add(place, problem)), place));
    }
    draft
}

fn read_row(row: &Row, columns: &Columns, tell: &mut dyn FnMut(String)) -> PackQuestion {
    let mut question = blank_question();
    row.cell(columns.question.unwrap_or(usize::MAX)).clone_into(&mut question.text);
    // Each answer with its number: an empty one in the middle does not renumber those after it.
    let answers: Vec<(usize, &str)> = (1..)
        .zip(columns.answers)
        .filter_map(|(number, column)| Some((number, row.cell(column?))))
        .filter(|(_, answer)| !answer.is_empty())
        .collect();
    let right = match read_correct(row.cell(columns.correct.unwrap_or(usize::MAX)), &answers) {
        Ok(right) => right,
        Err(problem) => {
            tell(problem);
            Choice(0)
        }
    };
    match wrong_choice_count(answers.len()) {
        Some(problem) => tell(problem),
        None => {
            question.choices = answers.into_iter().map(|(_, answer)| answer.to_owned()).collect();
            question.right = right;
        }
    }
    if let Some(column) = columns.time {
        match read_time(row.cell(column)) {
            Ok(open_for) => question.open_for = open_for,
            Err(problem) => tell(problem),
        }
    }
    question
}

/// Which choice the number of the right answer means.
fn read_correct(cell: &str, answers: &[(usize, &str)]) -> Result<Choice, String> {
    let numbers: Vec<&str> = cell
        .split(|c: char| matches!(c, ',' | ';' | '/' | '&') || c.is_whitespace())
        .filter(|s| !s.is_empty())
        .collect();
    let number = match numbers[..] {
        [] => return Err("the correct answer is missing: the number of one answer".to_owned()),
        [number] => number,
        _ => {
            return Err(format!(
                "{} correct answers ({}); a question of Klaxon has one right choice",
                numbers.len(),
                excerpt(cell)
            ));
        }
    };
    let wanted: usize = number.parse().map_err(|_| {
        format!("the correct answer is the number of one answer, 1 to {MOST_ANSWERS}, not {}", excerpt(cell))
    })?;
    answers
        .iter()
        .position(|&(number, _)| number == wanted)
        .map(choice_at)
        .ok_or_else(|| format!("the correct answer is number {wanted}, and there is no answer {wanted}"))
}

/// A time limit in whole seconds; none if the cell is empty.
fn read_time(cell: &str) -> Result<Option<Span>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    let span = cell.parse::<u32>().ok().and_then(|seconds| seconds.checked_mul(1000)).map(Span);
    span.map(Some)
        .ok_or_else(|| format!("the time limit is a whole number of seconds, 1 to 600, not {}", excerpt(cell)))
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::pack::Pack;
    use proptest::prelude::*;

    use super::super::{BadPack, Format, parse};
    use super::*;

    fn read(text: &str) -> Result<Pack, BadPack> {
        parse("friday.csv", text.as_bytes(), Format::Kahoot, None)
    }

    fn told(result: Result<Pack, BadPack>) -> Vec<String> {
        result.unwrap_err().to_string().lines().map(str::to_owned).collect()
    }

    /// As the template comes out of a spreadsheet: instructions, an empty row, the header in row 6, rows without questions.
    const TEMPLATE: &str = "\
,Quiz template,,,,,,\n\
,\"Add questions, at least two answer alternatives, time limit and choose correct answers\",,,,,,\n\
,Remember: questions have a limit of 120 characters,,,,,,\n\
,,,,,,,\n\
\n\
,Question - max 120 characters,Answer 1 - max 75 characters,Answer 2 - max 75 characters,\
Answer 3 - max 75 characters,Answer 4 - max 75 characters,\
\"Time limit (sec) – 5, 10, 20, 30, 60, 90, 120, or 240 secs\",Correct answer(s) - choose at least one\n\
1,\"Which is a fruit, not a root?\",Carrot,Turnip,Fig,Radish,20,3\n\
2,Is tea a drink?,Yes,No,,,5,1\n\
3,,,,,,20,\n\
4,,,,,,,\n";

    #[test]
    fn kahoots_template_is_read() {
        let pack = read(TEMPLATE).unwrap();
        assert_eq!(pack.title, "friday");
        assert_eq!(pack.questions.len(), 2);
        let first = &pack.questions[0];
        assert_eq!(first.text, "Which is a fruit, not a root?");
        assert_eq!(first.choices, ["Carrot", "Turnip", "Fig", "Radish"]);
        assert_eq!((first.right, first.open_for), (Choice(2), Some(Span(20_000))));
        let second = &pack.questions[1];
        assert_eq!(second.choices, ["Yes", "No"]);
        assert_eq!((second.right, second.open_for), (Choice(0), Some(Span(5_000))));
    }

    #[test]
    fn semicolons_tabs_a_byte_order_mark_and_windows_line_ends_read_the_same() {
        let plain =
            "Question,Answer 1,Answer 2,Answer 3,Answer 4,Time,Correct\nWhich?,a,b,c,d,10,4\n\nReally?,x,y,,,,2\n";
        let pack = read(plain).unwrap();
        assert_eq!(pack.questions[0].right, Choice(3));
        assert_eq!(pack.questions[1].open_for, None);
        for separator in [";", "\t"] {
            let other = format!("\u{feff}{}", plain.replace(',', separator).replace('\n', "\r\n"));
            assert_eq!(read(&other).unwrap(), pack, "{separator:?}");
        }
        let unquoted = "sep=;\n;Quiz template;;;;;;\n;Question - max 120 characters;Answer 1;Answer 2;Answer 3;Answer 4;\
                        Time limit (sec) – 5, 10, 20, or 240 secs;Correct answer(s)\n\
                        1;Which?;a;b;c;d;10;4\n2;Really?;x;y;;;;2\n";
        assert_eq!(read(unquoted).unwrap(), pack);
    }

    #[test]
    fn an_empty_answer_in_the_middle_does_not_renumber_the_others() {
        let pack = read("Question,Answer 1,Answer 2,Answer 3,Answer 4,Time,Correct\nWhich?,a,,c,d,10,4\n").unwrap();
        assert_eq!(pack.questions[0].choices, ["a", "c", "d"]);
        assert_eq!(pack.questions[0].right, Choice(2));
    }

    #[test]
    fn a_text_may_go_over_lines_and_the_lines_after_it_are_counted_right() {
        let sheet = "Question,Answer 1,Answer 2,Time,Correct\n\"Two\nlines?\",a,b,10,1\n\n\nWhich?,a,b,10,9\n";
        assert_eq!(
            told(read(sheet)),
            ["friday.csv:6: question 2: the correct answer is number 9, and there is no answer 9"]
        );
        assert_eq!(read(&sheet.replace(",9", ",2")).unwrap().questions[0].text, "Two lines?");
    }

    #[test]
    fn every_problem_of_every_row_is_told_with_its_line() {
        let sheet = "Question,Answer 1,Answer 2,Answer 3,Answer 4,Time limit (sec),Correct answer(s)\n\
                     Which?,a,b,c,d,20,\"1,3\"\n\
                     ,a,a,,,soon,two\n\
                     Fine?,yes,no,,,20,1\n\
                     Which?,a,,,,0,4\n\
                     Which?,a,b,,,9999999999,\n\
                     Which?,a,b,,,4294968,1\n";
        let expected = [
            "friday.csv:2: question 1: 2 correct answers (\"1,3\"); a question of Klaxon has one right choice",
            "friday.csv:3: question 2: the correct answer is the number of one answer, 1 to 6, not \"two\"",
            "friday.csv:3: question 2: the time limit is a whole number of seconds, 1 to 600, not \"soon\"",
            "friday.csv:3: question 2: text has 1 to 500 characters, this one has 0",
            "friday.csv:3: question 2: the choice \"a\" stands twice",
            "friday.csv:5: question 4: the correct answer is number 4, and there is no answer 4",
            "friday.csv:5: question 4: a question has 2 to 6 choices, this one has 1",
            "friday.csv:5: question 4: a question is open for 500 ms to 600 s, this one for 0 s",
            "friday.csv:6: question 5: the correct answer is missing: the number of one answer",
            "friday.csv:6: question 5: the time limit is a whole number of seconds, 1 to 600, not \"9999999999\"",
            "friday.csv:7: question 6: the time limit is a whole number of seconds, 1 to 600, not \"4294968\"",
        ];
        assert_eq!(told(read(sheet)), expected);
    }

    #[test]
    fn a_sheet_without_its_header_is_told_what_is_missing() {
        assert!(told(read("Which?,a,b,c,d,20,1\n"))[0].starts_with("friday.csv: no header row; it names the columns"));
        let lines = told(read("\nQuestion;Answer 1;Answer 2;Time\nWhich?;a;b;20\n"));
        assert_eq!(lines, ["friday.csv:2: the header row has no column Correct answer"]);
        let lines = told(read("Question,Answer 1,Answer 2,Correct\n"));
        assert_eq!(lines, ["friday.csv: a pack has 1 to 500 questions, this one has 0"]);
    }

    proptest! {
        #[test]
        fn no_sheet_makes_the_reader_panic(rows in "([a-z0-9]{0,3}[,;\t\"\n\r]{0,2}){0,40}|\\PC{0,60}") {
            let _ = read(&rows);
            let _ = read(&format!("Question,Answer 1,Answer 2,Answer 4,Time,Correct\n{rows}"));
            let _ = read(&format!("{TEMPLATE}{rows}"));
        }
    }
}
