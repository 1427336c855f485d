//! Shows as files: the running order of a show in TOML or JSON, with questions from packs. docs/shows.md has the format.
//!
//! [`read`] takes a file, [`parse`] its bytes; both report all problems at once.

mod form;
mod packs;
mod problem;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use klaxon_protocol::codec::shape::{Misfit, Misfits, mend};
use klaxon_protocol::games::rundown::{Setup, game_name};
use klaxon_protocol::host::CreateGame;
use klaxon_protocol::ids::{CommandId, ShowCode};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Span;
use serde::Deserialize as _;
use serde_json::Value;

use form::{OF_THE_SHOW, PACK, QUESTIONS, ShowForm};
use source::Content;

pub use form::schema;
pub use packs::questions_of;
pub use problem::{BadShow, ShowProblem};

/// The largest file of a show, in bytes: what a host may send.
pub const LARGEST_SHOW: usize = klaxon_protocol::host::LARGEST_HOST_MESSAGE;

/// A show that was read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedShow {
    /// What it is called.
    pub title: String,
    /// What players type to join; the server finds one if there is none.
    pub code: Option<ShowCode>,
    /// How many can play.
    pub seats: u32,
    /// How long gateways are waited for at the close of a round, at most.
    pub barrier: Span,
    /// The running order.
    pub setup: Setup,
    /// The same as it is sent to the server.
    body: Body,
}

impl PreparedShow {
    /// The command that creates the show.
    #[must_use]
    pub fn create(&self, id: CommandId) -> CreateGame {
        let Self { title, code, seats, barrier, body, .. } = self.clone();
        CreateGame { id, code, game: game_name(), title, seats, barrier, setup: body }
    }
}

/// Reads a show's file; its name ends in `.json` if it is JSON, and is TOML otherwise. Packs are looked for beside it.
///
/// # Errors
/// Everything that is wrong with the file and its packs, or why it can't be read.
pub fn read(path: &Path) -> Result<PreparedShow, BadShow> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let limit = LARGEST_SHOW as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| BadShow::of(&name, format!("the file can't be read: {error}")))?;
    parse(&name, &bytes, path.parent().unwrap_or(Path::new("")))
}

/// Reads a show's file. Packs are looked for in this folder.
///
/// # Errors
/// As [`read`].
pub fn parse(name: &str, bytes: &[u8], folder: &Path) -> Result<PreparedShow, BadShow> {
    if bytes.len() > LARGEST_SHOW {
        return Err(BadShow::of(name, format!("the file has more than {LARGEST_SHOW} bytes (4 MiB)")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        BadShow::of(name, format!("the file is not UTF-8 in line {line}; save it as UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let content = if is_json { source::from_json(text) } else { source::from_toml(text) };
    let Content { mut value, lines } = content.map_err(|problems| BadShow::new(name, problems))?;

    let mut misfits = take_packs(&mut value, folder);
    let Misfits { told: of_shape, left_out } = mend(&form::fields(), &mut value, time_of);
    misfits.extend(of_shape);
    let mut told = Vec::new();
    match ShowForm::deserialize(&value) {
        Ok(form) => {
            let show = show_of(form, value);
            told.extend(problems_of(&show).into_iter().filter(|line| means_something(line, &misfits)));
            if told.is_empty() && misfits.is_empty() {
                return Ok(show);
            }
        }
        // What is no table is told as such, and nothing more can be said of it.
        Err(error) if misfits.is_empty() => told.push(error.to_string()),
        Err(_) => {}
    }
    told.extend(misfits.into_iter().map(|misfit| misfit.told));
    let problem = |told: String| ShowProblem { line: line_of(&told, &lines), column: None, told };
    let mut bad = BadShow::new(name, told.into_iter().map(problem).collect());
    bad.left_out += left_out;
    Err(bad)
}

/// Puts the questions of packs into the quizzes that name them. Returns what is wrong with the packs.
fn take_packs(value: &mut Value, folder: &Path) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    let parts = value.get_mut("parts").and_then(Value::as_array_mut);
    for (index, part) in parts.into_iter().flatten().enumerate() {
        let Some(part) = part.as_object_mut().filter(|part| part.get("part").is_some_and(|kind| kind == "quiz")) else {
            continue;
        };
        let Some(pack) = part.remove(PACK) else { continue };
        let mut wrong = |line: String| {
            let (path, replaced) = (format!("parts[{index}].{PACK}"), format!("parts[{index}].{QUESTIONS}"));
            misfits.push(Misfit { told: format!("{path}: {line}"), path, replaced, fields: Vec::new() });
        };
        if part.contains_key(QUESTIONS) {
            wrong(format!("the quiz has {QUESTIONS} of its own; it is one or the other"));
            continue;
        }
        let questions = match &pack {
            Value::String(pack) => questions_of(folder, pack),
            _ => Err(vec!["expected a text, the path of a file".into()]),
        };
        let questions = questions.unwrap_or_else(|lines| {
            lines.into_iter().for_each(&mut wrong);
            Vec::new()
        });
        part.insert(QUESTIONS.into(), serde_json::to_value(questions).unwrap_or_default());
    }
    misfits
}

fn show_of(form: ShowForm, mut value: Value) -> PreparedShow {
    let ShowForm { title, code, seats, barrier, setup, .. } = form;
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !OF_THE_SHOW.contains(&name.as_str()));
    }
    PreparedShow { title, code, seats, barrier, setup, body: Body::of(&value) }
}

/// Everything that is wrong with what the fields say.
fn problems_of(show: &PreparedShow) -> Vec<String> {
    let id = CommandId::parse("check").expect("this is an id");
    show.create(id).problems().into_iter().chain(show.setup.problems()).collect()
}

/// Whether a problem is one of the file, and not a consequence of a misfit.
fn means_something(line: &str, misfits: &[Misfit]) -> bool {
    let path = path_in(line);
    let is_within = |outer: &str| {
        let rest = path.strip_prefix(outer);
        rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
    };
    misfits.iter().all(|misfit| {
        let around = misfit.path.rfind('.').map_or("", |end| &misfit.path[..end]);
        let is_named = misfit.fields.iter().any(|field| line.contains(&format!("`{field}`")));
        !(is_within(&misfit.replaced) || is_named && is_within(around))
    })
}

/// The path with which a line begins.
fn path_in(line: &str) -> &str {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    &line[..line.find(|c| !is_of_path(c)).unwrap_or(line.len())]
}

/// The line of the file that a problem is about: that of its field, or of the nearest thing around it.
fn line_of(told: &str, lines: &BTreeMap<String, usize>) -> Option<usize> {
    let mut path = path_in(told);
    loop {
        if let Some(line) = lines.get(path) {
            return Some(*line);
        }
        path = &path[..path.rfind(['.', '['])?];
    }
}

/// A length of time as people write it, in milliseconds.
fn time_of(text: &str) -> Option<u32> {
    let time = humantime::parse_duration(text).ok()?;
    let is_whole = time.subsec_nanos().is_multiple_of(1_000_000);
    u32::try_from(time.as_millis()).ok().filter(|_| is_whole)
}
