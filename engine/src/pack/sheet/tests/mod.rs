mod own;
mod workbooks;

use klaxon_protocol::games::trivia::{Choice, Pack};
use klaxon_protocol::time::Span;
use proptest::prelude::*;

use super::super::{BadPack, Format, Imported, ReadOptions, import_bytes, parse};
use super::*;

fn read(text: &str) -> Result<Pack, BadPack> {
    parse("friday.csv", text.as_bytes(), Format::Sheet, None)
}

fn import(name: &str, bytes: &[u8], reading: ReadOptions<'_>) -> Result<Imported, BadPack> {
    import_bytes(name, bytes, reading)
}

fn told<T>(result: Result<T, BadPack>) -> Vec<String> {
    result.err().expect("it is refused").to_string().lines().map(str::to_owned).collect()
}

fn texts(pack: &Pack) -> Vec<&str> {
    pack.questions.iter().map(|question| question.text.as_str()).collect()
}

fn rights(pack: &Pack) -> Vec<&str> {
    pack.questions.iter().map(|question| question.choices[question.right.index()].as_str()).collect()
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
    let plain = "Question,Answer 1,Answer 2,Answer 3,Answer 4,Time,Correct\nWhich?,a,b,c,d,10,4\n\nReally?,x,y,,,,2\n";
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

/// The first answer would be lost, or each taken for the one before it.
#[test]
fn answers_that_are_numbered_from_0_are_refused() {
    for header in ["question,option0,option1,option2,answer", "Question,Answer 0,Answer 1,Answer 2,Correct answer"] {
        let told = told(read(&format!("{header}\nWhich?,a,b,c,1\nWho?,d,e,f,2\n")));
        assert!(told[0].contains("0\" (B) would be answer 0: number the answers from 1 on"), "{told:?}");
    }
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
                 Which?,a,b,,,9999999999,\n";
    let expected = [
        "friday.csv:2: question 1: 2 correct answers (\"a\", \"c\"); a question of trivia has one right choice; \
         ask it in a quiz, which is a part of a running order (docs/rules/quiz.md)",
        "friday.csv:3: question 2: the correct answer is the number, the letter or the text of one answer, not \"two\"",
        "friday.csv:3: question 2: the time limit is a whole number of seconds, 1 to 600, not \"soon\"",
        "friday.csv:3: question 2: text has 1 to 500 characters, this one has 0",
        "friday.csv:3: question 2: the choice \"a\" stands twice",
        "friday.csv:5: question 4: the correct answer is number 4, and there is no answer 4",
        "friday.csv:5: question 4: a question has 2 to 6 choices, this one has 1",
        "friday.csv:5: question 4: a question is open for 500 ms to 600 s, this one for 0 s",
        "friday.csv:6: question 5: the correct answer is missing: the number, the letter or the text of one answer",
        "friday.csv:6: question 5: the time limit is a whole number of seconds, 1 to 600, not \"9999999999\"",
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

/// Blooket's template as it is exported: two rows of titles, line breaks inside the header's cells, many empty columns.
const BLOOKET: &str = "\
\"Blooket\nImport Template\",,,,,,,,,,\n\
,,,,,,,,,,\n\
Question #,Question Text,Answer 1,Answer 2,\"Answer 3\n(Optional)\",\"Answer 4\n(Optional)\",\
\"Time Limit (sec)\n(Max: 300 seconds)\",\"Correct Answer(s)\n(Only include Answer #)\",,,\n\
1,What is 1 + 1?,1,2,3,4,20,2,,,\n\
2,Which is a fruit?,Carrot,Fig,,,30,2,,,\n\
3,,,,,,,,,,\n";

#[test]
fn blookets_template_gives_its_texts_and_not_its_numbers() {
    let imported = import("b.csv", BLOOKET.as_bytes(), ReadOptions::default()).unwrap();
    assert_eq!(texts(&imported.pack), ["What is 1 + 1?", "Which is a fruit?"]);
    assert_eq!(rights(&imported.pack), ["2", "Fig"]);
    assert_eq!(imported.pack.questions[1].open_for, Some(Span(30_000)));
    assert_eq!(imported.notes, ["column \"Question #\" (A) is not imported"]);
}

#[test]
fn the_column_with_the_text_is_taken_whatever_stands_before_it() {
    for (header, row) in [
        ("Question type,Question", "quiz,{}"),
        ("Question,Question type", "{},quiz"),
        ("Question #,Question", "{n},{}"),
        ("Question No.,Question ID,Question Text", "{n},X{n},{}"),
        ("Question,Question Text", "{n},{}"),
        ("Question,Question Text", "Q{n}.,{}"),
        ("Question,Text", "Quiz,{}"),
        ("Question Category,Question Points,Question Image,Question", "Art,10,http://a/b.png,{}"),
        ("Text,Question", "{},{n}"),
        ("Question kind of thing,Question", "quiz,{}"),
        ("Question set name,Your question", "A,{}"),
        ("Question (number),Question (text)", "{n},{}"),
        ("#,Prompt", "{n},{}"),
        ("question_id,questionText", "{n},{}"),
    ] {
        let row = |number: usize, text: &str| row.replace("{n}", &number.to_string()).replace("{}", text);
        let sheet = format!(
            "{header},Answer 1,Answer 2,Correct\n{},a,b,1\n{},a,b,2\n{},a,b,b\n",
            row(1, "Which?"),
            row(2, "What?"),
            row(3, "Who?")
        );
        let pack = read(&sheet).unwrap_or_else(|bad| panic!("{header}: {bad}"));
        assert_eq!(texts(&pack), ["Which?", "What?", "Who?"], "{header}");
    }
}

#[test]
fn columns_that_can_not_be_told_apart_are_refused_with_their_names() {
    let rows = "Which?,What?,a,b,1\nWhy?,Where?,a,b,2\n";
    for header in
        ["Question,Question text", "Prompt,Question", "Question (en),Question (de)", "Main question,Other question"]
    {
        let told = told(read(&format!("{header},Answer 1,Answer 2,Correct\n{rows}")));
        for name in header.split(',') {
            assert!(told[0].contains(&format!("{name:?}")) && told[0].contains("what is asked"), "{told:?}");
        }
        assert!(told[0].starts_with("friday.csv:1: "), "{told:?}");
    }
    let told = |sheet: &str| told(read(sheet))[0].clone();
    let twice = told("Question,Answer 1,Answer 1,Answer 2,Correct\nWhich?,a,b,c,1\n");
    assert!(twice.contains("several columns can be the same: \"Answer 1\" (B), \"Answer 1\" (C)"), "{twice}");
    let twice = told("Question,Answer 1,Option B,Answer 2,Correct\nWhich?,a,b,c,1\n");
    assert!(twice.contains("\"Option B\" (C), \"Answer 2\" (D)"), "{twice}");
    let twice = told("Question,Answer 1,Answer 2,Correct,Right answer\nWhich?,a,b,1,2\n");
    assert!(twice.contains("\"Correct\" (D), \"Right answer\" (E)"), "{twice}");
    let none = told("Question,Wording of it,Answer 1,Answer 2,Correct\n1,Which?,a,b,1\n2,Why?,a,b,2\n");
    assert!(none.contains("\"Question\" (A) holds no texts") && none.contains("\"Wording of it\" (B)"), "{none}");
    let empty = "Question,Answer 1,Answer 2,Answer 2,Correct\nWhich?,a,b,,1\n";
    assert_eq!(read(empty).unwrap().questions[0].choices, ["a", "b"], "an empty column is no second one");
}

#[test]
fn what_is_not_imported_is_named() {
    let sheet = "Question,Answer 1,Answer 2,Correct,Image link,Points,Answer explanation,Empty,\n\
                 Which?,a,b,1,http://x/y.png,10,because,,extra\n";
    let notes = import("a.csv", sheet.as_bytes(), ReadOptions::default()).unwrap().notes;
    assert_eq!(
        notes,
        [
            "column \"Image link\" (E) is not imported",
            "column \"Points\" (F) is not imported",
            "column \"Answer explanation\" (G) is not imported",
            "column \"\" (I) is not imported",
        ]
    );
}

#[test]
fn what_is_bad_is_left_out_and_named_if_that_is_wished() {
    let sheet = "Question,Answer 1,Answer 2,Answer 3,Correct\nA?,a,b,,1\nB?,a,b,c,\"1,3\"\nC?,a,,,1\n,a,b,,2\nD?,a,b,,B\nE?,a,a,,1\n";
    assert_eq!(told(read(sheet)).len(), 4);
    let skip = ReadOptions { skip_bad: true, ..ReadOptions::default() };
    let imported = import("a.csv", sheet.as_bytes(), skip).unwrap();
    assert_eq!(texts(&imported.pack), ["A?", "D?"]);
    let left_out = imported.left_out.unwrap();
    assert_eq!(left_out.questions, 4);
    assert_eq!(
        left_out.to_string().lines().collect::<Vec<_>>(),
        [
            "a.csv:3: question 2: 2 correct answers (\"a\", \"c\"); a question of trivia has one right choice; \
             ask it in a quiz, which is a part of a running order (docs/rules/quiz.md)",
            "a.csv:4: question 3: a question has 2 to 6 choices, this one has 1",
            "a.csv:5: question 4: text has 1 to 500 characters, this one has 0",
            "a.csv:7: question 6: the choice \"a\" stands twice",
        ]
    );
    let whole = import("a.csv", b"Question,Answer 1,Answer 2,Correct\nA?,a,b,1\n", skip).unwrap();
    assert_eq!((whole.pack.questions.len(), whole.left_out), (1, None));
    let none = told(import("a.csv", b"Question,Answer 1,Answer 2,Correct\nA?,a,b,3\n", skip));
    assert!(none[0].contains("1 to 500 questions, this one has 0") && none.len() == 2, "{none:?}");
    assert!(told(import("a.csv", b"Question,Answer 1\nA?,a\n", skip))[0].contains("no column"));
    let toml = "title = 'a'\n[[questions]]\ntext = 'A?'\nchoices = ['a', 'b']\nright = 'a'\n[[questions]]\ntext = 'B?'\nchoices = ['a', 'b']\nright = 'c'\n";
    let imported = import("a.toml", toml.as_bytes(), skip).unwrap();
    assert_eq!((texts(&imported.pack), imported.left_out.unwrap().questions), (vec!["A?"], 1));
}

#[test]
fn more_bad_rows_than_are_told_are_all_left_out() {
    let bad = "B?,a,b,9\n".repeat(3_000);
    let sheet = format!("Question,Answer 1,Answer 2,Correct\n{bad}A?,a,b,1\n");
    let imported = import("a.csv", sheet.as_bytes(), ReadOptions { skip_bad: true, ..ReadOptions::default() }).unwrap();
    assert_eq!(texts(&imported.pack), ["A?"]);
    assert_eq!(imported.left_out.unwrap().questions, 3_000);
}

#[test]
fn sheets_with_the_right_answer_apart_by_letter_or_by_text() {
    let gimkit = "Gimkit Spreadsheet Import Template,,,,\n\
                  Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2 (Optional),Incorrect Answer 3 (Optional)\n\
                  Which?,d,b,c,a\nWhat?,10,9,,\n";
    let pack = read(gimkit).unwrap();
    assert_eq!(pack.questions[0].choices, ["a", "b", "c", "d"], "nothing tells which is right");
    assert_eq!((rights(&pack), pack.questions[1].choices.len()), (vec!["d", "10"], 2));

    let letters = "Question\tA\tB\tC\tD\tAnswer\nWhich?\tx\ty\tz\tw\tC\nWhat?\tx\ty\t\t\tb)\n";
    assert_eq!(rights(&read(letters).unwrap()), ["z", "y"]);
    let texts = "Question;Option A;Option B;Correct answer\r\nWhich?;Mars;Venus;venus\r\nWhat?;Yes;No;Yes\r\n";
    assert_eq!(rights(&read(texts).unwrap()), ["Venus", "Yes"]);
    let mac = "Question,Answer 1,Answer 2,Correct\rWhich?,a,b,2\rWhat?,a,b,1\r";
    assert_eq!(rights(&read(mac).unwrap()), ["b", "a"]);
    let cards = told(parse("cards.tsv", b"Mars\tRed planet\nVenus\tHot planet\n", Format::Sheet, None));
    assert!(cards[0].contains("no wrong answers to choose from"), "{cards:?}");
}

#[test]
fn a_number_among_numbers_is_read_as_the_sheet_says() {
    let sheet = |header: &str, rows: &str| read(&format!("Question,Answer 1,Answer 2,Answer 3,{header}\n{rows}"));
    let ambiguous = told(sheet("Correct", "How many?,2,3,4,2\n"));
    assert!(ambiguous[0].contains("can be answer 2, \"3\", or the answer with this text"), "{ambiguous:?}");
    let by_number = sheet("Correct", "How many?,2,3,4,2\nWhich?,a,b,c,3\n").unwrap();
    assert_eq!(rights(&by_number), ["3", "c"]);
    let by_text = sheet("Correct", "How many?,2,3,4,2\nWhich?,a,b,c,c\nWhich one?,d,e,f,e\n");
    assert!(by_text.is_err() || rights(&by_text.unwrap())[0] == "2");
    assert_eq!(rights(&sheet("Correct answer(s) - choose at least one", "How many?,2,3,4,2\n").unwrap()), ["3"]);
}

#[test]
fn a_comma_without_quotes_shifts_nothing() {
    let told = told(read("Question,Answer 1,Answer 2,Correct\nA fruit, not a root?,a,b,1\nWhich?,a,b,2\n"));
    assert_eq!(
        told,
        [
            "friday.csv:2: question 1: the row has 5 cells and the header 4: a text with the separator in it stands in quotes"
        ]
    );
}

#[test]
fn a_header_that_is_explained_or_repeated_is_no_question() {
    let wayground = "Question Text,Question Type,Option 1,Option 2,Option 3,Correct Answer,Time in seconds,Image Link\n\
        \"Text of the question\n(required)\",\"Question Type\n(default is Multiple Choice)\",\"Text for option 1\n(required)\",\
        \"Text for option 2\n(required)\",\"Text for option 3\n(optional)\",The correct option choice (between 1-5),Time in seconds (optional),Link\n\
        Which?,Multiple Choice,a,b,c,2,30,http://x\nQuestion Text,Question Type,Option 1,Option 2,Option 3,Correct Answer,Time,Image Link\n\
        What?,Multiple Choice,a,b,,1,20,\n";
    let pack = read(wayground).unwrap();
    assert_eq!((texts(&pack), rights(&pack)), (vec!["Which?", "What?"], vec!["b", "a"]));
}

#[test]
fn a_csv_in_other_encodings_is_read_the_same() {
    let text = "Question;Answer 1;Answer 2;Correct\r\n\"Größe\nvon \"\"X\"\"?\";Café;Tee;1\r\n";
    let pack = read(text).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let utf_16: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let windows: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [[b"\xff\xfe", &utf_16[..]].concat(), utf_16, windows.clone()] {
        assert_eq!(parse("friday.csv", &bytes, Format::guess("friday.txt", &bytes), None).unwrap(), pack);
    }
    let notes = import("friday.csv", &windows, ReadOptions::default()).unwrap().notes;
    assert!(notes[0].contains("read as Windows-1252") && notes[0].contains("Größe"), "{notes:?}");
}

#[test]
fn times_are_read_in_the_columns_unit() {
    for (header, cell, time) in [
        ("Time", "20", 20_000),
        ("Time limit (sec)", "20.0", 20_000),
        ("Time", "20 sec", 20_000),
        ("Time", "00:00:20", 20_000),
        ("Time", "1:30", 90_000),
        ("Time (ms)", "1500", 1_500),
        ("Time in minutes", "2", 120_000),
    ] {
        let pack = read(&format!("Question,Answer 1,Answer 2,Correct,{header}\nWhich?,a,b,1,{cell}\n")).unwrap();
        assert_eq!(pack.questions[0].open_for, Some(Span(time)), "{header} {cell}");
    }
}

proptest! {
    #[test]
    fn no_sheet_makes_the_reader_panic(rows in "([a-z0-9]{0,3}[,;\t\"\n\r]{0,2}){0,40}|\\PC{0,60}") {
        let _ = read(&rows);
        let _ = read(&format!("Question,Answer 1,Answer 2,Answer 4,Time,Correct\n{rows}"));
        let _ = read(&format!("{TEMPLATE}{rows}"));
        let _ = read(&format!("{BLOOKET}{rows}"));
    }

    #[test]
    fn no_header_makes_the_reader_panic(
        names in prop::collection::vec(prop::sample::select(vec!["Question", "Question #", "Text", "Answer 1", "Answer 2", "A", "Option B",
            "Correct", "Answer", "Wrong 1", "Time", "Type", "", "Question type", "Title"]), 1..9),
        rows in "([a-c1-3]{0,2},){0,40}",
    ) {
        let _ = read(&format!("{}\n{rows}\n{rows}", names.join(",")));
    }
}
