//! Packs: from files of several formats to the questions of a show.
//!
//! [`read`] takes a file for a show of trivia, [`load`] one for a quiz; both report all problems at once. [`to_toml`] and
//! [`QuizPack::to_toml`] write a pack in the native formats, so reading another format and writing the result is an import.

mod bundled;
mod doubts;
mod draft;
mod encoding;
mod form;
mod kind_fields;
mod kinds;
mod native;
mod opentdb;
mod problem;
mod question;
mod quiz_form;
mod sheet;
mod text;
mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use klaxon_protocol::games::quiz::QuizQuestion;
use klaxon_protocol::games::trivia::Pack;
use serde::de::IgnoredAny;

pub use bundled::bundled;
pub use encoding::Encoding;
pub use form::{schema, to_json, to_toml};
pub use problem::{BadPack, Problem};
pub use question::{PackedQuestion, QuizPack};
pub use quiz_form::quiz_schema;
pub use text::LARGEST_FILE;

use draft::Draft;
use problem::{Findings, SourcePlace};

/// The name of the pack that comes with Klaxon, accepted wherever a pack file is.
pub const BUNDLED: &str = "bundled";

/// The format of a pack file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Klaxon's own, in TOML: of trivia's questions, or of all kinds.
    Toml,
    /// The same in JSON.
    Json,
    /// The Open Trivia Database's JSON; the encoding is detected if none is given.
    OpenTdb(Option<Encoding>),
    /// A spreadsheet (CSV, TSV, xlsx) with a column for the question and for each answer: Kahoot's, Blooket's and others' templates.
    Sheet,
}

impl Format {
    /// Every format, by its name on a command line.
    pub const ALL: [Self; 8] = [
        Self::Toml,
        Self::Json,
        Self::OpenTdb(None),
        Self::OpenTdb(Some(Encoding::Html)),
        Self::OpenTdb(Some(Encoding::Url3986)),
        Self::OpenTdb(Some(Encoding::UrlLegacy)),
        Self::OpenTdb(Some(Encoding::Base64)),
        Self::Sheet,
    ];

    /// Alternative names of `Sheet`: templates, and kinds of files.
    const SHEETS: [&str; 8] = ["kahoot", "blooket", "quizizz", "wayground", "gimkit", "csv", "tsv", "xlsx"];

    /// The format of a file by its extension and, if that is ambiguous, by its content.
    #[must_use]
    pub fn guess(name: &str, bytes: &[u8]) -> Self {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
        if bytes.starts_with(sheet::ZIP) {
            return Self::Sheet;
        }
        // A file that can't be decoded is reported as such later, whatever the format.
        let text = text::decode_sheet(bytes).map(|(text, _)| text).unwrap_or_default();
        match extension.as_deref() {
            Some("toml") => Self::Toml,
            Some("csv" | "tsv" | "xlsx" | "xlsm" | "xls") => Self::Sheet,
            Some("json") => Self::guess_json(&text),
            _ if text.trim_start().starts_with('{') => Self::guess_json(&text),
            _ if sheet::looks_like_one(&text) => Self::Sheet,
            _ => Self::Toml,
        }
    }

    fn guess_json(text: &str) -> Self {
        let is_api_answer = match serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text) {
            Ok(keys) => keys.contains_key("response_code") || keys.contains_key("results"),
            // Broken JSON is reported as such in either format.
            Err(_) => text.contains("\"response_code\""),
        };
        if is_api_answer { Self::OpenTdb(None) } else { Self::Json }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml => f.write_str("toml"),
            Self::Json => f.write_str("json"),
            Self::OpenTdb(None) => f.write_str("opentdb"),
            Self::OpenTdb(Some(encoding)) => write!(f, "opentdb-{encoding}"),
            Self::Sheet => f.write_str("sheet"),
        }
    }
}

/// A name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no pack format {}; the formats are {}", problem::excerpt(.0), Format::ALL.map(|format| format.to_string()).join(", "))]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let lower = name.to_lowercase();
        if Self::SHEETS.contains(&lower.as_str()) {
            return Ok(Self::Sheet);
        }
        Self::ALL.into_iter().find(|format| format.to_string() == lower).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Options for reading a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions<'r> {
    /// Its format; with none, it is guessed from name and content.
    pub format: Option<Format>,
    /// The sheet of a spreadsheet that is read; with none, it is the only one that has a header.
    pub sheet: Option<&'r str>,
    /// Leave out questions that can't be played, instead of refusing the file.
    pub skip_bad: bool,
    /// Overrides the title in the file. Without it, a file of a format without titles gets its file name as the title.
    pub title: Option<&'r str>,
}

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported<P = Pack> {
    /// The questions that can be played.
    pub pack: P,
    /// Notes about what was not imported, what was guessed, and what may be a mistake; a sentence each.
    pub notes: Vec<String>,
    /// The questions that were left out, and why; only with `skip_bad`.
    pub left_out: Option<BadPack>,
}

/// Reads a pack file of at most 4 MiB for a show of trivia; with no format, it is guessed from name and content.
///
/// # Errors
/// Everything that is wrong with the file, or why it can't be read. Questions that trivia can't ask are among that.
pub fn read(path: &Path, format: Option<Format>) -> Result<Pack, BadPack> {
    import(path, ReadOptions { format, ..ReadOptions::default() }).map(|imported| imported.pack)
}

/// Reads the questions of a pack, in any format, for a quiz. The path may be [`BUNDLED`].
///
/// # Errors
/// Everything that is wrong with the file, whatever the quiz's settings, or why it can't be read.
pub fn load(path: &Path) -> Result<Vec<QuizQuestion>, BadPack> {
    import_quiz(path, ReadOptions::default()).map(|imported| imported.pack.into_questions())
}

/// As [`read`], with notes and further options.
///
/// # Errors
/// As [`read`].
pub fn import(path: &Path, reading: ReadOptions<'_>) -> Result<Imported, BadPack> {
    if path == Path::new(BUNDLED) {
        return Ok(Imported { pack: bundled(), notes: Vec::new(), left_out: None });
    }
    import_bytes(&path.display().to_string(), &bytes_of(path)?, reading)
}

/// As [`load`], with notes and further options.
///
/// # Errors
/// As [`load`].
pub fn import_quiz(path: &Path, reading: ReadOptions<'_>) -> Result<Imported<QuizPack>, BadPack> {
    if path == Path::new(BUNDLED) {
        return Ok(Imported { pack: bundled().into(), notes: Vec::new(), left_out: None });
    }
    import_quiz_bytes(&path.display().to_string(), &bytes_of(path)?, reading)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, BadPack> {
    let mut bytes = Vec::new();
    let limit = LARGEST_FILE as u64 + 1;
    if let Err(error) = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        let mut findings = Findings::new(&path.display().to_string());
        findings.add(SourcePlace::default(), format!("the file can't be read: {error}"));
        return Err(findings.into_bad_pack());
    }
    Ok(bytes)
}

/// Reads a pack file's bytes. `name` is its name in errors; `title` overrides the title in the file, and a file of a
/// format without titles gets its name as the title otherwise.
///
/// # Errors
/// Everything that is wrong with the file: first what keeps it from being read at all (its encoding, its syntax), else
/// every problem of every question.
pub fn parse(name: &str, bytes: &[u8], format: Format, title: Option<&str>) -> Result<Pack, BadPack> {
    import_bytes(name, bytes, ReadOptions { format: Some(format), title, ..ReadOptions::default() })
        .map(|imported| imported.pack)
}

/// As [`parse`], with notes and further options.
///
/// # Errors
/// As [`parse`].
pub fn import_bytes(name: &str, bytes: &[u8], reading: ReadOptions<'_>) -> Result<Imported, BadPack> {
    let mut findings = Findings::new(name);
    match draft(name, bytes, reading, &mut findings) {
        Some(draft) => draft.into_trivia(findings, reading.skip_bad),
        None => Err(findings.into_bad_pack()),
    }
}

/// As [`import_bytes`], for a quiz.
///
/// # Errors
/// As [`import_quiz`].
pub fn import_quiz_bytes(name: &str, bytes: &[u8], reading: ReadOptions<'_>) -> Result<Imported<QuizPack>, BadPack> {
    let mut findings = Findings::new(name);
    match draft(name, bytes, reading, &mut findings) {
        Some(draft) => draft.into_quiz(findings, reading.skip_bad),
        None => Err(findings.into_bad_pack()),
    }
}

/// What could be read; none if the syntax is broken.
fn draft(name: &str, bytes: &[u8], reading: ReadOptions<'_>, findings: &mut Findings) -> Option<Draft> {
    let stem = Path::new(name).file_stem().map_or_else(|| "untitled".into(), |stem| stem.to_string_lossy());
    let title = reading.title;
    let format = reading.format.unwrap_or_else(|| Format::guess(name, bytes));
    if format != Format::Sheet && reading.sheet.is_some() {
        findings.add(SourcePlace::default(), "only an xlsx file has sheets to choose from");
        return None;
    }
    let text = match format {
        Format::Sheet => String::new(),
        _ => match text::decode(bytes) {
            Ok(text) => text,
            Err(problem) => {
                findings.add(SourcePlace::default(), problem);
                return None;
            }
        },
    };
    let is_guess = reading.format.is_none() && !name.to_lowercase().ends_with(".toml") && !text.contains("[[");
    if format == Format::Toml && is_guess && tree::from_toml(&text, &mut Findings::new(name)).is_none() {
        findings.add(
            SourcePlace::default(),
            "what this is can't be told: it is no TOML, no JSON, and no sheet with a header row. Other forms (Aiken, GIFT, Moodle's XML) are \
             not read: write the questions into a spreadsheet, a row each, as docs/packs.md has it",
        );
        return None;
    }
    match format {
        Format::Toml => Some(native::read(tree::from_toml(&text, findings)?, title, findings)),
        Format::Json => Some(native::read(tree::from_json(&text, findings)?, title, findings)),
        Format::OpenTdb(encoding) => {
            Some(opentdb::read(tree::from_json(&text, findings)?, encoding, title.unwrap_or(&stem), findings))
        }
        Format::Sheet => {
            if bytes.len() > LARGEST_FILE {
                findings.add(SourcePlace::default(), text::too_large());
                return None;
            }
            Some(sheet::read(bytes, title.unwrap_or(&stem), reading.sheet, findings))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_format_is_guessed_from_the_name_and_from_what_the_file_holds() {
        let sheet = b"Question;Answer 1;Answer 2;Time;Correct\n";
        for (name, bytes, format) in [
            ("quiz.toml", &b"anything"[..], Format::Toml),
            ("quiz.xlsx", b"PK\x03\x04", Format::Sheet),
            ("quiz", b"PK\x03\x04", Format::Sheet),
            ("quiz.CSV", b"anything", Format::Sheet),
            ("quiz.json", b"{\"title\": \"response_code\"}", Format::Json),
            ("quiz.json", b"{\"response_code\": 0, \"results\": []}", Format::OpenTdb(None)),
            ("quiz.json", b"{\"results\": []}", Format::OpenTdb(None)),
            ("quiz.json", b"{\"response_code\": 0, \"results\": [", Format::OpenTdb(None)),
            ("quiz.json", b"[]", Format::Json),
            ("quiz", b"\xef\xbb\xbf {\"title\": \"a\"}", Format::Json),
            ("quiz.txt", sheet, Format::Sheet),
            ("quiz.txt", b"title = 'a'", Format::Toml),
            ("quiz", b"\xff\x00", Format::Toml),
        ] {
            assert_eq!(Format::guess(name, bytes), format, "{name} {}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_format_has_one_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for name in Format::SHEETS {
            assert_eq!(name.parse(), Ok(Format::Sheet));
        }
        let unknown = "docx".parse::<Format>().unwrap_err().to_string();
        assert!(
            unknown.starts_with("there is no pack format \"docx\"; the formats are toml, json, opentdb,"),
            "{unknown}"
        );
    }

    #[test]
    fn a_file_is_read_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Friday quiz.csv");
        std::fs::write(&path, "Question,Answer 1,Answer 2,Correct\nWhich?,a,b,2\n").unwrap();
        assert_eq!(read(&path, None).unwrap().title, "Friday quiz");
        let bad = read(&path, Some(Format::Json)).unwrap_err().to_string();
        assert!(bad.starts_with(&format!("{}:1: this is not JSON", path.display())), "{bad}");
        let bad = read(&folder.path().join("none.toml"), None).unwrap_err().to_string();
        assert!(bad.contains("none.toml: the file can't be read: "), "{bad}");
        assert!(read(folder.path(), None).is_err());
        let questions = load(&path).unwrap();
        assert_eq!((questions.len(), questions[0].kind.name(), questions[0].text.as_str()), (1, "choice", "Which?"));
        assert_eq!(load(Path::new(BUNDLED)).unwrap().len(), bundled().questions.len());
        assert!(load(&folder.path().join("none.toml")).is_err());
    }

    /// Each of their lines would be a mistake in TOML.
    #[test]
    fn what_other_programs_write_is_told_to_be_none_of_ours() {
        for (name, text) in [
            ("aiken.txt", "What is 2+2?\nA. 3\nB. 4\nANSWER: B\n"),
            ("quiz.gift", "::Q1:: What is 2+2? {=4 ~3 ~5}\n\nTwo plus two equals four.{T}\n"),
            ("moodle.xml", "<?xml version=\"1.0\"?>\n<quiz><question type=\"multichoice\"/></quiz>\n"),
            ("quiz", "1. What is 2+2?\na) 3\nb) 4 *\n"),
        ] {
            let told = import_bytes(name, text.as_bytes(), ReadOptions::default()).unwrap_err().to_string();
            assert!(
                told.lines().count() == 1 && told.contains("Aiken, GIFT") && told.contains("docs/packs.md"),
                "{told}"
            );
        }
        for (name, text) in [("quiz.toml", "What?\n"), ("quiz.txt", "title = 'a'\n[[questions]]\ntext = What?\n")] {
            let told = import_bytes(name, text.as_bytes(), ReadOptions::default()).unwrap_err().to_string();
            assert!(told.contains("this is not TOML"), "{told}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_whatever_its_format() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endless.toml");
        File::create(&path).unwrap().set_len(LARGEST_FILE as u64 * 1000).unwrap();
        for format in [None, Some(Format::Sheet), Some(Format::Json)] {
            assert!(read(&path, format).unwrap_err().to_string().contains("4 MiB"));
        }
    }

    #[test]
    fn what_one_format_reads_the_native_form_keeps() {
        let sheet = "Question,Answer 1,Answer 2,Time,Correct\n\"He said \"\"no\"\"\",a\\b,'c',10,2\n";
        let pack = parse("a.csv", sheet.as_bytes(), Format::Sheet, Some("A \"quoted\" title")).unwrap();
        assert_eq!(parse("a.toml", to_toml(&pack).as_bytes(), Format::Toml, None).unwrap(), pack);
    }

    proptest! {
        #[test]
        fn no_bytes_make_any_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), name in "\\PC{0,8}") {
            let _ = Format::guess(&name, &bytes);
            for format in Format::ALL {
                let _ = parse(&name, &bytes, format, None);
            }
        }
    }
}
