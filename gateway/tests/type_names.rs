//! A type's name has one meaning in each of these crates.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The folders of crates in which no two types have the same name.
const CRATES: [&str; 4] =
    ["simulator/src", "simulator/src/bin/klaxon-swarm", "simulator/src/bin/klaxon-bench", "simulator/servers/src"];

/// The Rust files below a folder with their code; programs beside a library, and tests, are left out.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() && !["bin", "tests"].contains(&name) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" {
                sources.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!sources.is_empty(), "nothing is at {}", folder.display());
    sources
}

/// The names of the types that a file defines outside of its tests.
fn types(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    code.filter_map(|line| {
        let mut words = line.split([' ', '<', '(', ';', ':', '{']).filter(|word| !word.is_empty());
        // A type within an `impl` is indented, and a trait's.
        let first = words.next().filter(|_| !line.starts_with(' '))?;
        let visibility = ["pub", "crate)", "super)"];
        let keyword = if visibility.contains(&first) { words.find(|word| !visibility.contains(word))? } else { first };
        ["struct", "enum", "trait", "type", "union"].contains(&keyword).then(|| words.next()).flatten()
    })
}

/// The names that are defined more than once, each with where.
fn ambiguous(sources: &[(String, String)]) -> Vec<(&str, Vec<&str>)> {
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, text) in sources {
        for name in types(text) {
            known.entry(name).or_default().push(file);
        }
    }
    known.into_iter().filter(|(_, files)| files.len() > 1).collect()
}

#[test]
fn no_two_types_have_the_same_name() {
    for folder in CRATES {
        let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder));
        assert_eq!(ambiguous(&sources), [], "names of types with two meanings in {folder}");
    }
}

#[test]
fn a_second_meaning_is_found_and_a_test_s_own_type_is_none() {
    let source = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let mut sources = vec![
        source("a.rs", "pub struct One<T>(T);\npub(crate) enum Two {}\nimpl X for One {\n    type Out = Two;\n}\n"),
        source(
            "b.rs",
            "type Three = u8;\nimpl X for u8 {\n    type Out = u8;\n}\n#[cfg(test)]\nmod tests {\nstruct One;\n}\n",
        ),
    ];
    assert_eq!(ambiguous(&sources), []);
    assert_eq!(types(&sources[0].1).chain(types(&sources[1].1)).collect::<Vec<_>>(), ["One", "Two", "Three"]);
    sources.push(source("c.rs", "trait Two: Sized {}\npub(super) struct Three;\n"));
    assert_eq!(ambiguous(&sources), [("Three", vec!["b.rs", "c.rs"]), ("Two", vec!["a.rs", "c.rs"])]);
}
