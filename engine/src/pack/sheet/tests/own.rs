//! Sheets for a quiz: several right answers, and a column with the kinds of questions.

use klaxon_protocol::games::quiz::{By, Kind, NumberAnswer, NumberScore, OneRight, QuizQuestion, SeveralRight, Stake};
use klaxon_protocol::games::trivia::Difficulty;
use rust_xlsxwriter::{Format as CellFormat, Workbook};

use super::super::super::{QuizPack, import_quiz_bytes};
use super::*;

fn quiz(name: &str, bytes: &[u8]) -> Result<Imported<QuizPack>, BadPack> {
    import_quiz_bytes(name, bytes, ReadOptions::default())
}

fn questions(text: &str) -> Vec<QuizQuestion> {
    quiz("friday.csv", text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}")).pack.into_questions()
}

#[test]
fn several_right_answers_are_a_question_of_a_quiz() {
    let sheet = TEMPLATE.replace("20,3\n", "20,\"1, 3\"\n");
    let questions = questions(&sheet);
    let choices = ["Carrot", "Turnip", "Fig", "Radish"].map(str::to_owned).to_vec();
    assert_eq!(
        questions[0].kind,
        Kind::Choices(SeveralRight { choices, right: vec![0, 2], by: By::All, weights: None })
    );
    assert_eq!(questions[0].open_for, Some(Span(20_000)));
    assert_eq!(questions[1].kind.name(), "choice");
    let refused = told(read(&sheet));
    assert!(refused.len() == 1 && refused[0].contains("one right choice; ask it in a quiz"), "{refused:?}");

    let blooket = BLOOKET.replace(",30,2,,,", ",300,\"2,1\",,,");
    let question = quiz("b.csv", blooket.as_bytes()).unwrap().pack.into_questions().remove(1);
    let Kind::Choices(several) = question.kind else { panic!("{question:?}") };
    assert_eq!((several.right, question.open_for), (vec![0, 1], Some(Span(300_000))));
}

#[test]
fn a_quiz_takes_more_choices_than_trivia() {
    let sheet = "Question,A,B,C,D,E,F,G,Correct\nWhich?,a,b,c,d,e,f,g,G\n";
    let Kind::Choice(one) = questions(sheet).remove(0).kind else { panic!() };
    assert_eq!((one.choices.len(), one.right), (7, 6));
    assert!(told(read(sheet))[0].contains("a question has 2 to 6 choices, this one has 7"));
}

/// With what each kind needs, and a row without a kind.
const KINDS: &str = "\
Friday quiz,,,,,,,,,,,,,,,,,,,\n\
Kind,Question,Answer 1,Answer 2,Answer 3,Correct answer,Time limit (sec),Points,Unit,Off,Zero,Places,Typos,By,Case,Most,Stake,Explanation,Difficulty,Least\n\
slide,Welcome!,,,,,5,,,,,,,,,,,,,\n\
,Which is a fruit?,Carrot,Fig,Radish,2,20,500,,,,,,,,,,Figs grow on trees.,easy,\n\
,Which are fruits?,Plum,Fig,Radish,\"1,2\",,,,,,,,share,,,,,,\n\
number,How long is it?,,,,-3.1,,,km,0.25,,,,,,100,,,,-100.5\n\
Number,When was it?,,,,1889,,,,,,\"500, 300\",,,,,,,,\n\
number,How many?,,,,12,,,,,10,,,,,,,,,\n\
number,How many exactly?,,,,7,,,,,,,,,,,,,,\n\
order,From small to large?,1,2,3,,,,,,,,,share,,,,,,\n\
text,Which river?,the Nile,,,Nile,,,,,,,1,,yes,,,,,\n\
poll,What next?,Tea,Cake,,,,,,,,,,,,,,,,\n\
words,Summer is...,,,,,,,,,,,,,,,,,,\n\
fastest,From small to large?,c,b,a,\"3,2,1\",,,,,,300;100,,,,,,,,\n\
buzzer,Who is it?,,,,,,,,,,,,,,,,,,\n\
buzzer,Which is it?,a,b,,B,,,,,,,,,,,,,,\n\
majority,Cats or dogs?,Cats,Dogs,,,,,,,,,,,,,,,,\n\
wager,How much?,,,,,,,,,,,,,,900,double_or_quit,,,\n\
choice,Yes or no?,Yes,No,,no,,,,,,,,,,,,,,\n\
,,,,,,,,,,,,,,,,,,,\n";

#[test]
fn a_column_with_kinds_makes_questions_of_all_kinds() {
    let pack = quiz("friday.csv", KINDS.as_bytes()).unwrap_or_else(|bad| panic!("{bad}")).pack;
    assert_eq!(pack.kinds().len(), 12, "{:?}", pack.kinds());
    assert_eq!(pack.questions[1].difficulty, Some(Difficulty::Easy));
    let read = pack.into_questions();
    assert_eq!((read[0].kind.name(), read[0].open_for), ("slide", Some(Span(5_000))));
    assert_eq!((read[1].points, read[1].explanation.as_deref()), (Some(500), Some("Figs grow on trees.")));
    let Kind::Choices(several) = &read[2].kind else { panic!() };
    assert_eq!((&several.right[..], several.by), (&[0, 1][..], By::Share));
    let number = |right, decimals, least, most, score| NumberAnswer { right, decimals, unit: None, least, most, score };
    let Kind::Number(length) = &read[3].kind else { panic!() };
    assert_eq!(length.unit.as_deref(), Some("km"));
    let within = NumberScore::Within { off: 25 };
    assert_eq!(NumberAnswer { unit: None, ..length.clone() }, number(-310, 2, -10_050, 10_000, within));
    for (index, wanted) in [
        (4, NumberScore::Nearest { places: vec![500, 300] }),
        (5, NumberScore::Curve { zero: 10 }),
        (6, NumberScore::Within { off: 0 }),
    ] {
        let Kind::Number(number) = &read[index].kind else { panic!("{index}") };
        assert_eq!((&number.score, number.decimals), (&wanted, 0));
    }
    let Kind::Order(order) = &read[7].kind else { panic!() };
    assert_eq!((&order.items[..], order.by), (&["1".to_owned(), "2".to_owned(), "3".to_owned()][..], By::Share));
    let Kind::Text(typed) = &read[8].kind else { panic!() };
    assert_eq!((typed.spellings.join("|"), typed.typos, typed.case), ("Nile|the Nile".to_owned(), 1, true));
    let Kind::Fastest(fastest) = &read[11].kind else { panic!() };
    assert_eq!((&fastest.right[..], &fastest.places[..]), (&[2, 1, 0][..], &[300, 100][..]));
    let Kind::Buzzer(buzzer) = &read[12].kind else { panic!() };
    assert_eq!((&buzzer.choices, buzzer.right), (&None, None));
    let Kind::Buzzer(buzzer) = &read[13].kind else { panic!() };
    assert_eq!(buzzer.right, Some(1));
    let Kind::Wager(wager) = &read[15].kind else { panic!() };
    assert_eq!((wager.most, wager.stake), (900, Stake::DoubleOrQuit));
    let yes_no = ["Yes", "No"].map(str::to_owned).to_vec();
    assert_eq!(read[16].kind, Kind::Choice(OneRight { choices: yes_no, right: 1 }));
}

const DOCS: &str = include_str!("../../../../../docs/packs.md");

#[test]
fn the_sheet_of_the_docs_is_a_pack_and_they_name_all_columns() {
    let (_, table) = DOCS.split_once("\n| Kind |").unwrap();
    let rows = table.lines().take_while(|line| !line.is_empty()).enumerate().filter(|(index, _)| *index != 1);
    let cells = |line: &str| {
        let line = line.trim_start_matches('|').trim_end_matches('|');
        line.split('|').map(|cell| format!("\"{}\"", cell.trim())).collect::<Vec<_>>().join(",")
    };
    let rows: Vec<String> =
        rows.map(|(index, line)| if index == 0 { format!("Kind,{}", cells(line)) } else { cells(line) }).collect();
    let kinds: Vec<&str> = questions(&rows.join("\n")).iter().map(|question| question.kind.name()).collect();
    assert_eq!(kinds, ["slide", "choice", "choices", "number", "number", "order", "text", "poll"]);
    let names = kind_columns::field_names();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let is_named = DOCS.contains(&format!("`{name}`")) || ["off", "zero"].contains(&name);
        assert!(is_named || name == "open_for", "{name}");
    }
}

/// The number with commas between thousands.
fn grouped(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}

#[test]
fn the_docs_have_the_limits() {
    for (limit, what) in [
        (MOST_READ, " all problems are told"),
        (grid::MOST_ROWS, " with content"),
        (grid::MOST_COLUMNS, " | further ones are not read"),
        (columns::HEADER_WITHIN, " | no header is found"),
        (workbook::MOST_PARTS, " parts"),
        (workbook::MOST_CELLS, ", in rows"),
        (workbook::MOST_PLACES, " places"),
    ] {
        let written = format!(" {}{what}", grouped(limit));
        assert!(DOCS.contains(&written), "{written}");
    }
    assert!(DOCS.contains(&format!("unpacked | {} MiB", workbook::MOST_UNPACKED >> 20)));
    assert!(DOCS.contains(&format!("{} MiB of text", workbook::MOST_TEXT >> 20)));
    assert!(DOCS.contains(&format!("| a file | {} MiB |", text::LARGEST_FILE >> 20)));
}

#[test]
fn a_workbook_with_kinds_is_read_the_same() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(KINDS.as_bytes());
    for (row, record) in (0..).zip(reader.records()) {
        for (column, cell) in (0..).zip(record.unwrap().iter()) {
            match cell.parse::<f64>() {
                Ok(number) => sheet.write(row, column, number).unwrap(),
                Err(_) => sheet.write(row, column, cell).unwrap(),
            };
        }
    }
    let read = quiz("friday.xlsx", &workbook.save_to_buffer().unwrap()).unwrap_or_else(|bad| panic!("{bad}"));
    assert_eq!(read.pack.into_questions(), questions(KINDS));
}

#[test]
fn every_mistake_in_a_sheet_with_kinds_is_told() {
    let sheet = "Kind,Question,Answer 1,Answer 2,Correct,Time,Points,Off,Zero,Typos,Decimals\n\
                 essay,Why?,,,,,,,,,\n\
                 number,How many?,5,,3;5,soon,,1,2,,\n\
                 number,How many?,,,3.14,,,,,,1\n\
                 poll,Which?,a,b,1,,5,,,,\n\
                 order,How?,a,b,1,,,,,,\n\
                 choice,Which?,a,b,\"1,2\",,,,,,\n\
                 text,Who?,,,,,,,,many,\n\
                 slide,Look!,,,,,,3,,,\n\
                 majority,Which?,a,a,,,,,,,\n\
                 choice,Which?,a,b,a,1,x,,,,\n";
    let expected = [
        "friday.csv:2: question 1: the kind is one of choice, choices, number, order,",
        "friday.csv:3: question 2: a question of kind `number` has no answers to choose from",
        "friday.csv:3: question 2: `right` is a number of at most 15 digits, such as -3.14, not \"3;5\"",
        "friday.csv:3: question 2: a question of kind `number` has one of Off, Zero and Places",
        "friday.csv:3: question 2: the time limit is a whole number of seconds, 1 to 600, not \"soon\"",
        "friday.csv:4: question 3: `decimals` is a whole number, and no less than the 2 that there are, not \"1\"",
        "friday.csv:5: question 4: a question of kind `poll` has no correct answer: leave that cell empty",
        "friday.csv:5: question 4: points: does not go together with kind `poll`",
        "friday.csv:6: question 5: a question of kind `order` has its answers in the right order",
        "friday.csv:7: question 6: a question of kind `choice` has one correct answer, and not 2; `choices` has several",
        "friday.csv:8: question 7: `typos` is a whole number, 0 to 3, not \"many\"",
        "friday.csv:8: question 7: spellings: 1 to 20, not 0",
        "friday.csv:9: question 8: there is no key \"off\" in a question of kind `slide`",
        "friday.csv:10: question 9: choices[1]: the choice \"a\" is there twice",
        "friday.csv:11: question 10: `points` is a whole number, 0 to 100000, not \"x\"",
    ];
    let lines = told(quiz("friday.csv", sheet.as_bytes()));
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}\nis not\n{start}\n{lines:#?}");
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    let twice = "Kind,Question,Points,Answer 1,points\nslide,Look!,,,\n";
    assert!(told(quiz("a.csv", twice.as_bytes()))[0].contains("\"Points\" (C), \"points\" (E)"));
    let wrong = "Kind,Question,Correct,Wrong 1\nchoice,Which?,a,b\n";
    assert!(told(quiz("a.csv", wrong.as_bytes()))[0].contains("\"Wrong 1\" (D) is not read beside a column Kind"));
}

/// A column that is called so, and holds something else, makes no other sheet of it.
#[test]
fn a_column_kind_of_other_things_is_not_imported() {
    let sheet = "Kind,Question,Answer 1,Answer 2,Correct,Points\ngeography,Which?,a,b,2,5\n";
    let imported = import("a.csv", sheet.as_bytes(), ReadOptions::default()).unwrap();
    assert_eq!(rights(&imported.pack), ["b"]);
    assert_eq!(imported.notes, ["column \"Kind\" (A) is not imported", "column \"Points\" (F) is not imported"]);
}

#[test]
fn merged_cells_are_noted_where_something_is_read() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.merge_range(0, 0, 0, 5, "A template", &CellFormat::new()).unwrap();
    for (column, cell) in (0..).zip(["Question", "Answer 1", "Answer 2", "Answer 3", "Correct", "Picture"]) {
        sheet.write(1, column, cell).unwrap();
    }
    for row in [2, 3] {
        for (column, cell) in (0..).zip(["Which?", "a", "b", "", "1"]) {
            sheet.write(row, column, cell).unwrap();
        }
    }
    sheet.merge_range(2, 2, 2, 3, "b and c", &CellFormat::new()).unwrap();
    sheet.merge_range(2, 5, 3, 5, "http://x", &CellFormat::new()).unwrap();
    let imported = import("q.xlsx", &workbook.save_to_buffer().unwrap(), ReadOptions::default()).unwrap();
    assert_eq!(imported.pack.questions[0].choices, ["a", "b and c"]);
    assert_eq!(imported.notes[0], "cells are merged, and what they hold counts for the first of them only: C3:D3");
    assert!(imported.notes[1..].iter().all(|note| note.contains("not imported")), "{:?}", imported.notes);
}

#[test]
fn rows_without_end_and_cells_far_to_the_right_are_refused() {
    let rows = format!("Question,Answer 1,Answer 2,Correct\n{}", "a\n".repeat(1_000_000));
    let lines = told(quiz("a.csv", rows.as_bytes()));
    assert!(
        lines[0].contains("more than 20000 rows") && lines[1].contains("of 19999 questions the first 10000"),
        "{lines:?}"
    );
    let cells = format!("Question,Answer 1,Answer 2,Correct\n{}", ",,x".repeat(1_000_000));
    assert!(quiz("a.csv", cells.as_bytes()).is_err());

    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for row in 0..20_000 {
        sheet.write(row, 255, 1).unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    assert!(told(quiz("a.xlsx", &bytes))[0].contains("the workbook has more than"));
}

#[test]
fn a_wrong_separator_and_a_formula_in_a_text_are_told_or_read() {
    let mixed = "Kind,Question,Answer 1,Answer 2,Correct\npoll;Which?;a;b;\n";
    assert!(
        told(quiz("a.csv", mixed.as_bytes()))[0].contains("no header row") || quiz("a.csv", mixed.as_bytes()).is_err()
    );
    let formula = "Kind,Question,Answer 1,Answer 2,Correct\npoll,=1+1,=A1,b,\n";
    let read = questions(formula);
    assert_eq!((read[0].text.as_str(), &read[0].kind.choices()[0][..]), ("=1+1", "=A1"));
}

proptest! {
    #[test]
    fn no_sheet_with_kinds_makes_the_reader_panic(
        at in any::<prop::sample::Index>(),
        splice in "[,;\t\"\n\r0-9a-z.\\-]{0,8}",
        skip in 0_usize..30,
        skip_bad in any::<bool>(),
    ) {
        let at = at.index(KINDS.len());
        let text = format!("{}{splice}{}", &KINDS[..at], KINDS.get(at + skip..).unwrap_or_default());
        let reading = ReadOptions { skip_bad, ..ReadOptions::default() };
        let read = import_quiz_bytes("a.csv", text.as_bytes(), reading);
        prop_assert!(read.map_or_else(|bad| !bad.problems.is_empty(), |read| !read.pack.questions.is_empty()));
    }

    #[test]
    fn no_kinds_and_cells_make_the_reader_panic(
        rows in prop::collection::vec(
            (prop::sample::select(vec!["", "choice", "choices", "number", "order", "text", "fastest", "buzzer", "wager", "poll"]), prop::collection::vec("[a-c0-9;.,-]{0,3}", 14)),
            1..6,
        ),
    ) {
        let mut sheet = "Kind,Question,Answer 1,Answer 2,Answer 3,Correct,Time,Off,Zero,Places,Weights,Least,Most,Decimals,Case\npoll,?,a,b,,,,,,,,,,,\n".to_owned();
        for (kind, cells) in rows {
            let cells: Vec<String> = cells.into_iter().map(|cell| format!("\"{cell}\"")).collect();
            sheet.push_str(&format!("{kind},{}\n", cells.join(",")));
        }
        let _ = quiz("a.csv", sheet.as_bytes());
        let _ = read(&sheet);
    }
}
