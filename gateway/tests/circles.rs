//! No module of these crates imports another that imports it, however many are in between.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders of crates without circles.
const CRATES: [&str; 4] =
    ["simulator/src", "simulator/src/bin/klaxon-swarm", "simulator/src/bin/klaxon-bench", "simulator/servers/src"];

/// The modules of a crate by their paths, such as `swarm::players`, with their code; that of the crate's root is empty. Programs beside a
/// library, and files of tests, are left out.
fn modules(root: &Path) -> BTreeMap<String, String> {
    let mut modules = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() && !["bin", "tests"].contains(&name) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" {
                let inner = path.strip_prefix(root).unwrap().with_extension("");
                let mut parts: Vec<&str> = inner.iter().map(|part| part.to_str().unwrap()).collect();
                if ["mod", "lib", "main"].contains(parts.last().unwrap()) {
                    parts.pop();
                }
                modules.insert(parts.join("::"), code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(modules.len() > 1, "nothing is at {}", root.display());
    modules
}

/// The text without its tests and comments.
fn code(text: &str) -> String {
    let is_test = |rest: &str| rest.lines().nth(1).is_some_and(|line| line.ends_with("mod tests {"));
    let end = text.match_indices("#[cfg(test)]").find(|&(at, _)| is_test(&text[at..])).map_or(text.len(), |(at, _)| at);
    text[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line.trim(), " "])
        .collect()
}

/// Every path that a `use` imports, and every other that begins with `crate` or `super`.
fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (place, _) in code.match_indices("use ") {
        let begins = code[..place].chars().next_back().is_none_or(|before| [' ', ';'].contains(&before));
        if let Some((tree, _)) = code[place + 4..].split_once(';').filter(|_| begins) {
            expand("", tree, &mut paths);
        }
    }
    for start in ["crate::", "super::"] {
        for (place, _) in code.match_indices(start) {
            let end = |character: char| !character.is_alphanumeric() && character != '_' && character != ':';
            let path = code[place..].split(end).next().unwrap_or_default();
            let before = &code[..place];
            if !before.ends_with("in ") && !before.ends_with("::") {
                paths.push(path.trim_end_matches(':').to_owned());
            }
        }
    }
    paths
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((stem, branches)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        paths.push(format!("{before}{}", path.trim()));
        return;
    };
    let stem = format!("{before}{}", stem.trim());
    let (mut depth, mut branch) = (0, String::new());
    for character in branches.rsplit_once('}').map_or(branches, |(branches, _)| branches).chars() {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if character == ',' && depth == 0 {
            expand(&stem, &std::mem::take(&mut branch), paths);
        } else {
            branch.push(character);
        }
    }
    expand(&stem, &branch, paths);
}

/// The module that a path leads to, seen from `module`.
fn target<'m>(modules: &'m BTreeMap<String, String>, module: &str, path: &str) -> Option<&'m String> {
    let mut whole: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    for part in path.split("::").map(str::trim) {
        match part {
            "crate" => whole.clear(),
            "super" => drop(whole.pop()),
            "self" => {}
            name => whole.push(name),
        }
    }
    let known = |length: usize| modules.get_key_value(&whole[..length].join("::"));
    (1..=whole.len()).rev().find_map(known).map(|(name, _)| name).filter(|name| *name != module)
}

/// The modules that reach themselves by what they import.
fn in_circles(modules: &BTreeMap<String, String>) -> Vec<String> {
    let imports: BTreeMap<&String, BTreeSet<&String>> = modules
        .iter()
        .map(|(module, code)| (module, paths(code).iter().filter_map(|path| target(modules, module, path)).collect()))
        .collect();
    let reaches_itself = |module: &&String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*module]);
        while let Some(next) = open.pop() {
            open.extend(imports[next].iter().filter(|import| seen.insert(**import)));
        }
        seen.contains(*module)
    };
    modules.keys().filter(reaches_itself).cloned().collect()
}

#[test]
fn no_module_imports_itself_through_others() {
    for folder in CRATES {
        let modules = modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder));
        assert_eq!(in_circles(&modules), Vec::<String>::new(), "circles of modules in {folder}");
    }
}

#[test]
fn a_circle_is_found_and_what_only_hangs_on_it_is_not() {
    let modules = |sources: &[(&str, &str)]| -> BTreeMap<String, String> {
        sources.iter().map(|&(name, text)| (name.to_owned(), code(text))).collect()
    };
    let mut sources = vec![
        ("", "pub mod a;\npub mod b;\nuse b::{c::{Three, Four}, Five as Six};\n"),
        ("a", "//! See [`crate::b`].\nuse crate::b::{\n    c::Three,\n    Five,\n};\n"),
        ("b", "mod c;\npub use c::Three;\npub struct Five;\n"),
        ("b::c", "pub(in crate::b) struct Three;\n#[cfg(test)]\nmod tests {\n    use super::super::Five;\n}\n"),
    ];
    assert_eq!(in_circles(&modules(&sources)), Vec::<String>::new());
    sources[3].1 = "fn three() -> super::Five {}\n";
    assert_eq!(in_circles(&modules(&sources)), ["b", "b::c"]);
    sources[3].1 = "use crate::a::One;\n";
    assert_eq!(in_circles(&modules(&sources)), ["a", "b", "b::c"]);
}
