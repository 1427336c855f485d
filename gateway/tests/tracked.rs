//! `make lint` finds what was committed by accident: a file that is no text, or that nothing names.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A repository with these files and the script, which looks at it.
fn lint(files: &[(&str, &[u8])]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/tracked");
    let written = fs::read(script).unwrap();
    let run = "sh .ci/tracked".as_bytes();
    for (name, bytes) in files.iter().chain(&[(".ci/tracked", &written[..]), ("Makefile", run)]) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let git = |arguments: &[&str]| {
        assert!(Command::new("git").args(arguments).current_dir(&folder).status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    Command::new("sh").arg(".ci/tracked").current_dir(&folder).output().unwrap()
}

/// What it says about these files, beside what is all right.
fn complaints(files: &[(&str, &[u8])]) -> Vec<String> {
    let fine: &[(&str, &[u8])] = &[
        ("room/Cargo.toml", b"[package]"),
        ("room/src/lib.rs", b"mod part;\npub mod whole;\nconst PACK: &str = include_str!(\"../packs/one.toml\");"),
        ("room/src/part.rs", b"const FOLDER: &str = \"golden/journals\";"),
        ("room/src/whole/mod.rs", b"#[cfg(test)]\nmod tests;"),
        ("room/src/whole/tests.rs", b"fn path(name: &str) { format!(\"golden/{name}.hex\"); path(\"words\") }"),
        ("room/tests/outside.rs", b"mod shared;"),
        ("room/tests/shared/mod.rs", b""),
        ("room/packs/one.toml", b"title = 1"),
        ("room/golden/words.hex", b"00"),
        ("room/golden/journals/any.hex", b"00"),
    ];
    let output = lint(&[fine, files].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said.lines().filter(|line| !line.contains("git rm")).map(str::to_owned).collect()
}

#[test]
fn what_is_text_and_named_is_all_right() {
    assert_eq!(complaints(&[]), Vec::<String>::new());
}

#[test]
fn a_binary_file_fails_though_something_names_it() {
    let archive = [("suite-1.0.tar.gz", &b"\x1f\x8b\0\0\0"[..]), ("README.md", b"see suite-1.0.tar.gz")];
    assert_eq!(complaints(&archive), ["lint: binary: suite-1.0.tar.gz"]);
}

#[test]
fn a_file_that_nothing_names_fails_wherever_it_is() {
    let orphans: [(&str, &[u8]); 7] = [
        ("notes.txt", b"notes.txt names itself"),
        ("docs/old.md", b""),
        ("room/src/forgotten.rs", b"fn nobody() {}"),
        ("room/src/whole/part.rs", b"// There is a module of this name elsewhere."),
        ("room/tests/unshared/mod.rs", b""),
        ("room/golden/worlds.hex", b"00"),
        ("room/packs/two.toml", b""),
    ];
    for (name, bytes) in orphans {
        assert_eq!(complaints(&[(name, bytes)]), [format!("lint: nothing names it: {name}")]);
    }
}
