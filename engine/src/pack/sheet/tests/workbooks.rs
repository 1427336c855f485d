//! Excel workbooks, as a spreadsheet writes them and as nobody should.

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Formula, Workbook};

use super::*;

/// A workbook with one sheet of these rows.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(*cells) {
            sheet.write(row, column, *cell).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

const HEADER: [&str; 5] = [
    "Question - max 120 characters",
    "Answer 1",
    "Answer 2",
    "Time limit (sec) – 5, 10 or 20 secs",
    "Correct answer(s) - choose at least one",
];

#[test]
fn an_excel_workbook_is_read_as_it_is() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.merge_range(0, 1, 0, 5, "Quiz template: add questions and answers", &CellFormat::new()).unwrap();
    for (column, name) in (1..).zip(HEADER) {
        sheet.write(7, column, name).unwrap();
    }
    sheet.write(7, 6, "Image link").unwrap();
    for (row, (text, one, two, right)) in
        (8..).zip([("How many?", 2.0, 0.1 + 0.2, 1.0), ("  How\nmany\u{a0}more? ", 1e15, -3.0, 2.0)])
    {
        sheet.write(row, 0, row - 7).unwrap();
        sheet.write(row, 1, text).unwrap();
        sheet.write(row, 2, one).unwrap();
        sheet.write(row, 3, two).unwrap();
        sheet.write(row, 4, 20).unwrap();
        sheet.write(row, 5, right).unwrap();
    }
    sheet.write(8, 6, "http://x").unwrap();
    // Row 11 is empty; then there are a boolean, dates and formulas.
    let date = CellFormat::new().set_num_format("d mmm yyyy");
    sheet.write(11, 1, "True?").unwrap();
    sheet.write(11, 2, true).unwrap();
    sheet.write(11, 3, false).unwrap();
    sheet.write(11, 5, 1).unwrap();
    sheet.write(12, 1, Formula::new("=A1").set_result("When?")).unwrap();
    sheet.write_datetime_with_format(12, 2, ExcelDateTime::from_ymd(1969, 7, 20).unwrap(), &date).unwrap();
    sheet.write_datetime_with_format(12, 3, ExcelDateTime::from_ymd(1969, 7, 21).unwrap(), &date).unwrap();
    sheet.write(12, 5, Formula::new("=1+0").set_result("1")).unwrap();
    let bytes = workbook.save_to_buffer().unwrap();

    let imported = import("Friday quiz.xlsx", &bytes, ReadOptions::default()).unwrap();
    assert_eq!(imported.pack.title, "Friday quiz");
    assert_eq!(texts(&imported.pack), ["How many?", "How many\u{a0}more?", "True?", "When?"]);
    let choices: Vec<_> = imported.pack.questions.iter().map(|question| question.choices.clone()).collect();
    assert_eq!(choices, [["2", "0.3"], ["1000000000000000", "-3"], ["True", "False"], ["1969-07-20", "1969-07-21"]]);
    assert_eq!(rights(&imported.pack), ["2", "-3", "True", "1969-07-20"]);
    assert_eq!(imported.pack.questions[0].open_for, Some(Span(20_000)));
    let notes = imported.notes.join("\n");
    for part in [
        "dates are read as 2026-12-31, however the sheet shows them: C13, D13",
        "50 % as 0.5: D9",
        "column \"Image link\" (G) is not",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
fn what_is_wrong_in_a_workbook_is_told_with_the_number_of_its_row() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0..).zip(HEADER) {
        sheet.write(2, column, name).unwrap();
    }
    for (column, cell) in (0..).zip(["Which?", "a", "b", "20", "1,2"]) {
        sheet.write(4, column, cell).unwrap();
    }
    for (column, cell) in (0..).zip(["Which?", "a", "b", "20", "1"]) {
        sheet.write(5, column, cell).unwrap();
    }
    sheet.write(5, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    // A spreadsheet took 1,3 for a number, and 1/3 for a date.
    for row in [6, 7] {
        sheet.write(row, 0, "Which?").unwrap();
        sheet.write(row, 1, "a").unwrap();
        sheet.write(row, 2, "b").unwrap();
    }
    sheet.write(6, 4, 1.3).unwrap();
    let date = CellFormat::new().set_num_format("d-mmm");
    sheet.write_datetime_with_format(7, 4, ExcelDateTime::from_ymd(2026, 3, 1).unwrap(), &date).unwrap();
    let told = told(import("quiz.xlsx", &workbook.save_to_buffer().unwrap(), ReadOptions::default()));
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("quiz.xlsx:5: question 1: 2 correct answers (\"a\", \"b\")"), "{told:?}");
    assert!(told[1].starts_with("quiz.xlsx:6: question 2: cell B6 holds the error #DIV/0!"), "{told:?}");
    assert!(told[2].ends_with("not \"1.3\"") && told[3].ends_with("not \"2026-03-01\""), "{told:?}");
}

#[test]
fn of_several_sheets_the_one_with_a_header_is_read_or_one_is_chosen() {
    let two = |second_has_header: bool| {
        let mut workbook = Workbook::new();
        let notes = workbook.add_worksheet().set_name("Read me").unwrap();
        notes.write(0, 0, "How to fill in questions").unwrap();
        for (name, has_header) in [("Easy", true), ("Hard", second_has_header)] {
            let sheet = workbook.add_worksheet().set_name(name).unwrap();
            let header = if has_header { HEADER } else { ["x", "y", "z", "", ""] };
            for (column, cell) in (0..).zip(header) {
                sheet.write(0, column, cell).unwrap();
            }
            for (column, cell) in (0..).zip([name, "a", "b", "20", "1"]) {
                sheet.write(1, column, cell).unwrap();
            }
        }
        let hidden = workbook.add_worksheet().set_name("Hidden").unwrap().set_hidden(true);
        for (column, cell) in (0..).zip(HEADER) {
            hidden.write(0, column, cell).unwrap();
        }
        workbook.save_to_buffer().unwrap()
    };
    let imported = import("q.xlsx", &two(false), ReadOptions::default()).unwrap();
    assert_eq!(texts(&imported.pack), ["Easy"]);
    assert_eq!(imported.notes, ["the sheet \"Easy\" is read; not read: \"Read me\", \"Hard\""]);
    let refused = told(import("q.xlsx", &two(true), ReadOptions::default()));
    assert_eq!(refused, ["q.xlsx: several sheets have questions: \"Easy\", \"Hard\"; `--sheet NAME` chooses one"]);
    let hard = ReadOptions { sheet: Some("Hard"), ..ReadOptions::default() };
    assert_eq!(texts(&import("q.xlsx", &two(true), hard).unwrap().pack), ["Hard"]);
    assert!(told(import("q.xlsx", &two(false), hard))[0].contains("no header row"));
    let none = ReadOptions { sheet: Some("None"), ..ReadOptions::default() };
    assert!(told(import("q.xlsx", &two(true), none))[0].contains("there is no sheet \"None\"; the sheets are"));
    assert!(told(import("q.csv", b"a", hard))[0].contains("only an xlsx file has sheets"));
    assert!(told(import("q.toml", b"a", hard))[0].contains("only an xlsx file has sheets"));
}

#[test]
fn a_file_that_is_no_workbook_or_unpacks_to_too_much_is_refused() {
    let old = [workbook::OLD_EXCEL, &[0; 600]].concat();
    assert!(told(import("q.xls", &old, ReadOptions::default()))[0].contains("save it as xlsx"));
    for bytes in [
        &b"PK\x03\x04"[..],
        b"PK\x03\x04 no zip at all",
        &zip_of(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")]),
    ] {
        assert!(
            told(import("q.xlsx", bytes, ReadOptions::default()))[0].contains("no Excel workbook that can be read")
        );
    }
    let zeros = vec![0; 40 << 20];
    let bomb = zip_of(&[("xl/workbook.xml", &zeros)]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert!(told(import("q.xlsx", &bomb, ReadOptions::default()))[0].contains("more than 32 MiB"));
    let parts: Vec<(String, &[u8])> = (0..1_001).map(|part| (part.to_string(), &b""[..])).collect();
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert!(told(import("q.xlsx", &zip_of(&parts), ReadOptions::default()))[0].contains("1001 parts"));
}

fn zip_of(parts: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_long_text_that_stands_in_many_cells_and_a_cell_far_away_cost_little() {
    let long = "x".repeat(30_000);
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for row in 0..2_000 {
        sheet.write(row, 0, long.as_str()).unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    assert!(told(import("q.xlsx", &bytes, ReadOptions::default()))[0].contains("16 MiB of text"));

    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, cell) in (0..).zip(HEADER) {
        sheet.write(0, column, cell).unwrap();
    }
    for (column, cell) in (0..).zip(["Which?", "a", "b", "20", "1"]) {
        sheet.write(1_048_575, column, cell).unwrap();
    }
    sheet.write(1_048_575, 16_383, "far away").unwrap();
    let pack = import("q.xlsx", &workbook.save_to_buffer().unwrap(), ReadOptions::default()).unwrap().pack;
    assert_eq!(texts(&pack), ["Which?"]);
}

proptest! {
    #[test]
    fn no_bytes_of_a_workbook_make_the_reader_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = workbook(&[&HEADER, &["Which?", "a", "b", "20", "1"]]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = import("q.xlsx", &bytes, ReadOptions::default());
    }
}
