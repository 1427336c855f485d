//! The structure of the crates: no two files take from each other in a circle, a type's name has one meaning in a crate, and what all
//! games share names none of one game's things. The paths that docs/architecture.md draws are those of the code.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod paths;
mod source;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use source::Modules;

/// The root files of all targets. In none is a circle or a type's name with two meanings.
const TARGETS: [&str; 8] = [
    "protocol/src/lib.rs",
    "engine/src/lib.rs",
    "gateway/src/lib.rs",
    "gateway/src/klaxon/main.rs",
    "simulator/src/lib.rs",
    "simulator/src/bin/klaxon-swarm/main.rs",
    "simulator/src/bin/klaxon-bench/main.rs",
    "simulator/servers/src/lib.rs",
];
/// What all games share, and the crates that it is in. The scripts among it are Redis'.
const CORE_CRATES: [&str; 2] = ["engine/src/lib.rs", "gateway/src/lib.rs"];
const CORE: [&str; 12] = [
    "engine/src/bus",
    "engine/src/arbiter",
    "engine/src/journal",
    "engine/src/redis",
    "engine/src/round.rs",
    "engine/src/leases.rs",
    "gateway/src/hub",
    "gateway/src/transport",
    "gateway/src/session",
    "gateway/src/intake.rs",
    "gateway/src/subscriber.rs",
    "gateway/src/link.rs",
];
/// What is one game's alone. Each game has rounds and claims.
const GAMES_WORDS: [&str; 10] =
    ["question", "choice", "reveal", "lives", "trivia", "streak", "podium", "standings", "ticket", "draw"];

/// What is not the core's in the protocol: the games; the table of refusals, of which some are trivia's; the journal, whose records are of
/// trivia or of any other game.
const NOT_OF_THE_CORE: [&str; 3] = ["protocol/src/games", "protocol/src/error.rs", "protocol/src/journal"];
/// The games' words that version 1 of the wire put into messages of all games: fields, variants of the enums that hold every message, what
/// these take from trivia, and events that any game may have. There are no more of them.
const ON_THE_WIRE: [(&str, &[&str]); 9] = [
    ("protocol/src/host/hears.rs", &["lives", "question"]),
    ("protocol/src/host/says.rs", &["GiveLives", "MOST_LIVES", "Reveal", "lives", "trivia"]),
    ("protocol/src/ids/numbers.rs", &["QuestionId"]),
    ("protocol/src/player/decode.rs", &["trivia"]),
    ("protocol/src/player/events.rs", &["Podium", "question"]),
    (
        "protocol/src/player/hears.rs",
        &["Podium", "Question", "Reveal", "Standings", "podium", "question", "reveal", "trivia"],
    ),
    ("protocol/src/player/phase.rs", &["Question", "Revealed"]),
    ("protocol/src/player/says.rs", &["trivia"]),
    ("protocol/src/player/unordered.rs", &["Standings", "question"]),
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn shown(files: &[&Path]) -> String {
    let short = files.iter().map(|file| file.strip_prefix(top()).unwrap_or(file).display().to_string());
    short.collect::<Vec<_>>().join(", ")
}

/// The names that several types of a crate have, with the files that define them.
fn ambiguous(modules: &Modules) -> Vec<String> {
    let mut by_name: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    for module in &modules.0 {
        module.types.iter().for_each(|name| by_name.entry(name).or_default().push(&module.file));
    }
    let several = by_name.into_iter().filter(|(_, files)| files.len() > 1);
    several.map(|(name, files)| format!("{name}: {}", shown(&files))).collect()
}

#[test]
fn no_files_take_from_each_other_in_a_circle() {
    let mut found = String::new();
    for target in TARGETS {
        let modules = Modules::read(&top().join(target));
        for circle in modules.circles() {
            found += "\na circle:\n";
            for (taker, giver, names) in modules.ties(&circle) {
                found += &format!("  {} takes {names} of {}\n", shown(&[taker]), shown(&[giver]));
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn a_types_name_has_one_meaning_in_a_crate() {
    let ambiguous = TARGETS.iter().flat_map(|target| ambiguous(&Modules::read(&top().join(target))));
    assert_eq!(ambiguous.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The scripts in a folder and those inside it.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut scripts: Vec<_> =
        files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "lua")).collect();
    scripts.extend(folders.iter().flat_map(|folder| self::scripts(folder)));
    scripts
}

/// Where code at this path, a file's or a folder's, has a word of a game.
fn games_words(crates: &[Modules], path: &Path) -> Vec<String> {
    let modules = crates.iter().flat_map(|modules| &modules.0).map(|module| &*module.file);
    let files: Vec<&Path> = modules.filter(|file| file.starts_with(path)).collect();
    assert!(!files.is_empty(), "{}: no code is there", path.display());
    let scripts = scripts(path);
    let in_files = files.into_iter().map(|file| (file, words::named_in(file, &GAMES_WORDS)));
    let in_scripts = scripts.iter().map(|file| (&**file, words::named_in_script(file, &GAMES_WORDS)));
    let found = in_files.chain(in_scripts).filter(|(_, found)| !found.is_empty());
    found.map(|(file, found)| format!("{}: {found:?}", shown(&[file]))).collect()
}

/// No line is exempt.
#[test]
fn the_core_names_no_games_word() {
    let crates = CORE_CRATES.map(|target| Modules::read(&top().join(target)));
    let found: Vec<String> = CORE.iter().flat_map(|path| games_words(&crates, &top().join(path))).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_protocols_core_names_of_games_what_the_wire_has_and_no_more() {
    let protocol = Modules::read(&top().join("protocol/src/lib.rs"));
    let files = protocol.0.iter().map(|module| (shown(&[&module.file]), &*module.file));
    let of_the_core = files.filter(|(name, _)| !NOT_OF_THE_CORE.iter().any(|path| name.starts_with(path)));
    let words = of_the_core.map(|(name, file)| (name, words::named_in(file, &GAMES_WORDS)));
    let found: BTreeMap<String, Vec<String>> = words.filter(|(_, words)| !words.is_empty()).collect();
    let kept =
        ON_THE_WIRE.map(|(file, words)| (file.to_owned(), words.iter().map(|word| (*word).to_owned()).collect()));
    assert_eq!(found, BTreeMap::from(kept));
}

/// A crate of these files.
fn planted(files: &[(&str, &str)]) -> (tempfile::TempDir, Modules) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let modules = Modules::read(&folder.path().join("lib.rs"));
    (folder, modules)
}

fn file_names<'m>(modules: &'m Modules, circle: &[usize]) -> Vec<&'m str> {
    let mut names: Vec<&str> =
        circle.iter().map(|&index| modules.0[index].file.file_name().unwrap().to_str().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_circle_is_found_by_way_of_a_third_file_through_what_another_passes_on_and_in_paths_within_code() {
    let (_folder, modules) = planted(&[
        ("lib.rs", "mod a;\nmod b;\nmod inner;\n"),
        ("a.rs", "use crate::inner::Deep;\npub struct A(Deep);\n"),
        ("b.rs", "pub struct B;\npub fn b() -> usize { super::a::A::size() }\n"),
        ("inner/mod.rs", "mod deep;\npub use deep::Deep;\n"),
        ("inner/deep.rs", "use crate::b::{self, B};\npub struct Deep(B);\n"),
    ]);
    let circles = modules.circles();
    assert_eq!(circles.len(), 1, "{circles:?}");
    assert_eq!(file_names(&modules, &circles[0]), ["a.rs", "b.rs", "deep.rs"]);
}

#[test]
fn what_only_a_test_takes_or_another_crate_has_makes_no_circle() {
    let (_folder, modules) = planted(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "use crate::b::B;\npub struct A(B);\n"),
        ("b.rs", "use std::a::A;\npub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
    ]);
    assert_eq!(modules.circles(), Vec::<Vec<usize>>::new());
}

#[test]
fn a_second_meaning_of_a_types_name_is_found() {
    let (_folder, modules) = planted(&[
        ("lib.rs", "mod a;\nmod b;\npub struct Only;\n"),
        ("a.rs", "pub struct Line;\n#[cfg(test)]\nmod tests {\n    struct Only;\n}\n"),
        ("b.rs", "mod inner {\n    enum Line {}\n}\n"),
    ]);
    let found = ambiguous(&modules);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("Line: "), "{found:?}");
}

/// Each kind of place where a game's word can be, and a test.
const PLANTED: &str = r#"
use crate::shows::Question as Round;
fn of_choices(HTTPDraw: u8) {
    f("the\nlives");
    m!({ a.revealed_at(b"podium") });
}
#[error("{ticket} of")]
enum E {}
macro_rules! t { () => { trivia::X } }
impl E {
    #[cfg(test)]
    fn standings() {}
}
#[cfg(test)]
mod tests {
    fn streak() {}
}
"#;

#[test]
fn a_games_word_is_found_in_names_texts_macros_and_scripts_and_not_in_comments_and_tests() {
    let (folder, modules) = planted(&[
        ("lib.rs", "mod bus;\nmod hub;\nmod shows;\n"),
        ("shows.rs", "pub struct Question;\n"),
        ("bus/mod.rs", "mod inner;\nstruct Withdrawn { alive: bool, outstanding: u32, trivial: u8 }\n"),
        (
            "bus/inner.rs",
            "//! Of a question.\n/// Its choice.\nfn deliver() { call!(/** A reveal. */ 1, \"delivers\"); } // lives\n",
        ),
        ("bus/scripts/reveal.lua", "-- a question\nlocal round = KEYS[1] -- a choice\nlocal lastStreak = 1\n"),
        ("hub.rs", PLANTED),
    ]);
    let crates = [modules];
    let found = |path: &str| games_words(&crates, &folder.path().join(path));
    let [script] = &found("bus")[..] else { panic!("{:?}", found("bus")) };
    assert!(script.ends_with(r#"bus/scripts/reveal.lua: ["local lastStreak = 1"]"#), "{script}");
    let [file] = &found("hub.rs")[..] else { panic!("{:?}", found("hub.rs")) };
    let expected =
        r#"["HTTPDraw", "Question", "of_choices", "podium", "revealed_at", "the\nlives", "trivia", "{ticket} of"]"#;
    assert!(file.ends_with(&format!("hub.rs: {expected}")), "{file}");
}

/// What is wrong with the drawn paths; with `UPDATE_DOCS` the types are written anew.
fn wrong_in_drawing(document: &str) -> (Vec<String>, String) {
    let (mut wrong, mut mended) = (Vec::new(), document.to_owned());
    let drawn = paths::drawn(document, "## The two paths, function by function");
    assert_eq!(drawn.len(), 2, "the way in and the way out");
    for (path, steps) in drawn {
        let hops: Vec<usize> = steps.iter().filter_map(|step| step.hop).collect();
        if !hops.iter().copied().eq(1..=hops.len()) || hops.len() > 4 {
            wrong.push(format!("{path}: its hops are {hops:?}"));
        }
        for step in &steps {
            let place = format!("`{}` `{}`", step.file, step.function);
            let Some(types) = paths::types_of(&top().join(&step.file), &step.function) else {
                wrong.push(format!("{place}: there is no such function"));
                continue;
            };
            if types != step.types {
                wrong.push(format!("{place}: drawn are {:?}, its signature has {types:?}", step.types));
            }
            let cell = types.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
            for line in document.lines().filter(|line| line.contains(&format!("| {place} |"))) {
                let cells: Vec<&str> = line.split('|').collect();
                let new = format!("|{}|{}| {cell} |{}|", cells[1], cells[2], cells[4]);
                mended = mended.replace(line, &new);
            }
        }
    }
    (wrong, mended)
}

#[test]
fn the_drawn_paths_are_those_of_the_code() {
    let page = top().join("docs/architecture.md");
    let document = fs::read_to_string(&page).unwrap();
    let (wrong, mended) = wrong_in_drawing(&document);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, mended).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "docs/architecture.md does not draw what the code does:\n{}", wrong.join("\n"));
}

#[test]
fn a_type_that_is_missing_in_a_drawn_path_is_found_and_so_is_a_function_that_is_gone() {
    let document = fs::read_to_string(top().join("docs/architecture.md")).unwrap();
    let found = |document: &str| wrong_in_drawing(document).0.join("\n");
    assert!(found(&document.replacen(" `StampedAnswer`", "", 1)).contains("its signature has"));
    assert!(found(&document.replacen("`pre_check`", "`check_before`", 1)).contains("no such function"));
    assert!(found(&document.replacen("| 3 |", "| 5 |", 1)).contains("its hops are"));
}
