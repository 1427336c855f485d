//! Packs: from files of several formats to the questions of a show.
//!
//! [`read`] takes a file, [`parse`] its bytes; both tell everything that is wrong at once. [`to_toml`] writes a pack in
//! the native form, so that reading one format and writing that is an import.

mod bundled;
mod draft;
mod encoding;
mod form;
mod kahoot;
mod native;
mod opentdb;
mod problem;
mod text;
mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use klaxon_protocol::pack::Pack;
use serde::de::IgnoredAny;

pub use bundled::bundled;
pub use encoding::Encoding;
pub use form::{schema, to_toml};
pub use problem::{BadPack, Problem};
pub use text::LARGEST_FILE;

use draft::Draft;
use problem::{Findings, Place};

/// How a pack file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Klaxon's own, in TOML.
    Toml,
    /// Klaxon's own, in JSON.
    Json,
    /// The Open Trivia Database's JSON; with no encoding, it is found out.
    OpenTdb(Option<Encoding>),
    /// Kahoot's spreadsheet as CSV.
    Kahoot,
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
        Self::Kahoot,
    ];

    /// The format of a file by its name's extension and, where that leaves it open, by what it holds.
    #[must_use]
    pub fn guess(name: &str, bytes: &[u8]) -> Self {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
        // A file that can't be decoded is refused for that, whatever its format.
        let text = text::decode(bytes).unwrap_or_default();
        match extension.as_deref() {
            Some("toml") => Self::Toml,
            Some("csv" | "tsv") => Self::Kahoot,
            Some("json") => Self::guess_json(&text),
            _ if text.trim_start().starts_with('{') => Self::guess_json(&text),
            _ if kahoot::looks_like_one(&text) => Self::Kahoot,
            _ => Self::Toml,
        }
    }

    fn guess_json(text: &str) -> Self {
        let is_api_answer = match serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text) {
            Ok(keys) => keys.contains_key("response_code") || keys.contains_key("results"),
            // Broken JSON is told as that in either format.
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
            Self::Kahoot => f.write_str("kahoot"),
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
        Self::ALL
            .into_iter()
            .find(|format| format.to_string() == name.to_lowercase())
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Reads a pack file of at most 4 MiB; with no format, it is guessed from name and content.
///
/// # Errors
/// Everything that is wrong with the file, or why it can't be read.
pub fn read(path: &Path, format: Option<Format>) -> Result<Pack, BadPack> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let limit = LARGEST_FILE as u64 + 1;
    if let Err(error) = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        let mut findings = Findings::new(&name);
        findings.add(Place::default(), format!("the file can't be read: {error}"));
        return Err(findings.into_bad_pack());
    }
    let format = format.unwrap_or_else(|| Format::guess(&name, &bytes));
    parse(&name, &bytes, format, None)
}

/// Reads a pack file's bytes. `name` is what errors call it; `title` goes before the title that the file has, and a file of a
/// format without titles is called by its name otherwise.
///
/// # Errors
/// Everything that is wrong with the file: first what keeps it from being read at all (its encoding, its syntax), else
/// every problem of every question.
pub fn parse(name: &str, bytes: &[u8], format: Format, title: Option<&str>) -> Result<Pack, BadPack> {
    let mut findings = Findings::new(name);
    let text = match text::decode(bytes) {
        Ok(text) => text,
        Err(problem) => {
            findings.add(Place::default(), problem);
            return Err(findings.into_bad_pack());
        }
    };
    match draft(&text, name, format, title, &mut findings) {
        Some(draft) => draft.finish(findings),
        None => Err(findings.into_bad_pack()),
    }
}

/// What could be read; nothing if the syntax is broken.
fn draft(text: &str, name: &str, format: Format, title: Option<&str>, findings: &mut Findings) -> Option<Draft> {
    let stem = Path::new(name).file_stem().map_or_else(|| "untitled".into(), |stem| stem.to_string_lossy());
    match format {
        Format::Toml => Some(native::read(tree::from_toml(text, findings)?, title, findings)),
        Format::Json => Some(native::read(tree::from_json(text, findings)?, title, findings)),
        Format::OpenTdb(encoding) => {
            Some(opentdb::read(tree::from_json(text, findings)?, encoding, title.unwrap_or(&stem), findings))
        }
        Format::Kahoot => Some(kahoot::read(text, title.unwrap_or(&stem), findings)),
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
            ("quiz.CSV", b"anything", Format::Kahoot),
            ("quiz.json", b"{\"title\": \"response_code\"}", Format::Json),
            ("quiz.json", b"{\"response_code\": 0, \"results\": []}", Format::OpenTdb(None)),
            ("quiz.json", b"{\"results\": []}", Format::OpenTdb(None)),
            ("quiz.json", b"{\"response_code\": 0, \"results\": [", Format::OpenTdb(None)),
            ("quiz.json", b"[]", Format::Json),
            ("quiz", b"\xef\xbb\xbf {\"title\": \"a\"}", Format::Json),
            ("quiz.txt", sheet, Format::Kahoot),
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
        let unknown = "xlsx".parse::<Format>().unwrap_err().to_string();
        assert!(
            unknown.starts_with("there is no pack format \"xlsx\"; the formats are toml, json, opentdb,"),
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
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_whatever_its_format() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endless.toml");
        File::create(&path).unwrap().set_len(LARGEST_FILE as u64 * 1000).unwrap();
        for format in [None, Some(Format::Kahoot), Some(Format::Json)] {
            assert!(read(&path, format).unwrap_err().to_string().contains("4 MiB"));
        }
    }

    #[test]
    fn what_one_format_reads_the_native_form_keeps() {
        let sheet = "Question,Answer 1,Answer 2,Time,Correct\n\"He said \"\"no\"\"\",a\\b,'c',10,2\n";
        let pack = parse("a.csv", sheet.as_bytes(), Format::Kahoot, Some("A \"quoted\" title")).unwrap();
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
