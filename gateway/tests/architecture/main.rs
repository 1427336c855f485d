//! The structure of the crates: no two files take from each other in a circle, and a type's name has one meaning in a crate.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use source::Modules;

/// The root files of all targets: no circle is left in any.
const WITHOUT_CIRCLES: [&str; 8] = [
    "protocol/src/lib.rs",
    "engine/src/lib.rs",
    "gateway/src/lib.rs",
    "gateway/src/klaxon/main.rs",
    "simulator/src/lib.rs",
    "simulator/src/bin/klaxon-swarm/main.rs",
    "simulator/src/bin/klaxon-bench/main.rs",
    "simulator/servers/src/lib.rs",
];
/// Those in which each type's name has one meaning.
const WITHOUT_AMBIGUITY: [&str; 7] = [
    "engine/src/lib.rs",
    "gateway/src/lib.rs",
    "gateway/src/klaxon/main.rs",
    "simulator/src/lib.rs",
    "simulator/src/bin/klaxon-swarm/main.rs",
    "simulator/src/bin/klaxon-bench/main.rs",
    "simulator/servers/src/lib.rs",
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
    for target in WITHOUT_CIRCLES {
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
    let ambiguous = WITHOUT_AMBIGUITY.iter().flat_map(|target| ambiguous(&Modules::read(&top().join(target))));
    assert_eq!(ambiguous.collect::<Vec<_>>(), Vec::<String>::new());
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
