//! docs/architecture.md says what must never depend on what; here it is held.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files at or under these paths.
fn sources(paths: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = paths.iter().map(|path| top().join(path)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "nothing is at {paths:?}");
    found
}

/// Code lines of these files that hold one of the words.
fn mentions(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    matching(files, |line| words.iter().any(|word| line.contains(word)))
}

/// Code lines of these files of which this is so; tests and comments may say what they want.
fn matching(files: &[PathBuf], is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let is_test = |file: &Path| file.strip_prefix(top()).unwrap().iter().any(|part| part == "tests");
    for file in files.iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && is_wanted(line) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

fn dependencies(room: &str) -> Vec<String> {
    let text = fs::read_to_string(top().join(room).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().cloned().collect()
}

#[test]
fn a_panic_ends_the_released_server_whole() {
    let manifest: toml::Table = fs::read_to_string(top().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["profile"]["release"]["panic"].as_str(), Some("abort"));
}

#[test]
fn rooms_depend_only_on_what_is_below_them() {
    let forbidden = [
        ("protocol", vec!["klaxon-engine", "klaxon-gateway", "klaxon-simulator", "tokio"]),
        ("engine", vec!["klaxon-gateway", "klaxon-simulator"]),
        ("gateway", vec!["klaxon-simulator"]),
        ("simulator", vec!["klaxon-engine", "klaxon-gateway"]),
    ];
    for (room, forbidden) in forbidden {
        let known = dependencies(room);
        assert!(known.contains(&"serde".to_owned()), "{room} has other dependencies than this test can see");
        for name in forbidden {
            assert!(!known.iter().any(|dependency| dependency == name), "{room} depends on {name}");
        }
    }
}

#[test]
fn the_gateway_knows_the_engine_in_its_link_only() {
    let files = sources(&["gateway/src"]);
    let others: Vec<PathBuf> = files
        .into_iter()
        .filter(|file| !file.ends_with("link.rs") && !file.iter().any(|part| part == "klaxon"))
        .collect();
    assert_eq!(mentions(&others, &["klaxon_engine::"]), Vec::<String>::new());
    assert!(
        !mentions(&sources(&["gateway/src/link.rs"]), &["klaxon_engine::"]).is_empty(),
        "this test looks for the wrong name"
    );
}

#[test]
fn one_file_names_the_library_of_the_binary_encoding() {
    let crates = ["protocol", "engine", "gateway", "simulator"];
    let path = format!("{}::", "bincode");
    let mut files = sources(&crates);
    files.retain(|file| fs::read_to_string(file).unwrap().contains(&path));
    assert_eq!(files, [top().join("protocol/src/binary.rs")]);
    // The engine for what the derive macros write out.
    let with_it = crates.into_iter().filter(|name| dependencies(name).iter().any(|known| known == "bincode"));
    assert_eq!(with_it.collect::<Vec<_>>(), ["protocol", "engine"]);
}

/// Only the command line reads files of packs and shows, and plays shows dry: an engine is given a pack, or a setup.
#[test]
fn files_are_read_by_modules_that_nothing_else_of_the_engine_needs() {
    let of = |folder: &str, files: &[PathBuf]| -> Vec<PathBuf> {
        let folder = top().join(folder);
        files.iter().filter(|file| file.starts_with(&folder)).cloned().collect()
    };
    let mut others = sources(&["engine/src"]);
    let folders = ["engine/src/pack", "engine/src/show_file", "engine/src/dry_run"];
    let [packs, shows, dry] = folders.map(|folder| of(folder, &others));
    others.retain(|file| ![&packs, &shows, &dry].iter().any(|files| files.contains(file)));
    let libraries = ["calamine::", "csv::", "encoding_rs::", "html_escape::", "toml::", "zip::", "humantime::"];
    let modules = ["crate::pack", "super::pack", "crate::show_file", "crate::dry_run"];
    assert_eq!(mentions(&others, &[&libraries[..], &modules].concat()), Vec::<String>::new());
    let runtime = ["tokio", "async "];
    assert_eq!(mentions(&packs, &[&runtime[..], &["use crate::"]].concat()), Vec::<String>::new());
    assert_eq!(mentions(&shows, &[&runtime[..], &["crate::game", "crate::dry_run"]].concat()), Vec::<String>::new());
    assert_eq!(mentions(&dry, &[&runtime[..], &["crate::pack", "std::fs"]].concat()), Vec::<String>::new());
    let mut gateway = sources(&["gateway/src"]);
    gateway.retain(|file| !file.ends_with("klaxon/packs.rs") && !file.ends_with("klaxon/check.rs"));
    let modules = ["klaxon_engine::pack", "klaxon_engine::show_file", "klaxon_engine::dry_run"];
    assert_eq!(mentions(&gateway, &modules), Vec::<String>::new());
    for library in libraries {
        assert!(!mentions(&[&packs[..], &shows].concat(), &[library]).is_empty(), "{library} is named otherwise");
    }
}

#[test]
fn the_game_has_no_clock_no_io_and_no_chance() {
    let words = [
        "tokio",
        "async ",
        "std::time",
        "std::fs",
        "std::net",
        "SystemTime",
        "Instant::",
        "rand::random",
        "crate::arbiter",
        "crate::archive",
        "crate::bus",
        "crate::clock",
        "crate::journal",
        "crate::replay",
        "crate::show",
    ];
    assert_eq!(mentions(&sources(&["engine/src/game"]), &words), Vec::<String>::new());
}

#[test]
fn the_audit_is_pure_and_knows_nothing_but_the_evidence() {
    let words = [
        "tokio",
        "async ",
        ".await",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::",
        "klaxon_servers",
        "crate::swarm",
        "crate::bench",
        "crate::report",
        "crate::socket",
    ];
    assert_eq!(mentions(&sources(&["simulator/src/audit"]), &words), Vec::<String>::new());
}

#[test]
fn the_bench_knows_no_swarm_and_what_both_use_knows_neither() {
    let forbidden = [
        ("simulator/src/bench", vec!["crate::swarm", "crate::audit"]),
        ("simulator/src/evidence.rs", vec!["crate::", "tokio"]),
        ("simulator/src/messages", vec!["crate::swarm", "crate::audit", "crate::bench", "crate::report", "tokio"]),
        ("simulator/src/report", vec!["crate::swarm", "crate::audit", "crate::bench", "crate::evidence", "tokio"]),
        ("simulator/src/socket", vec!["crate::swarm", "crate::audit", "crate::bench", "crate::report"]),
        ("simulator/src/swarm", vec!["crate::bench"]),
        ("simulator/servers/src", vec!["klaxon_simulator", "klaxon_protocol", "klaxon_engine"]),
    ];
    for (part, words) in forbidden {
        assert_eq!(mentions(&sources(&[part]), &words), Vec::<String>::new(), "in {part}");
    }
}

/// Whether a line of code takes something from the machine.
type IsTaken = fn(&str) -> bool;

/// What is taken from the machine, and which files of engine and gateway may. All others get the time from a `Clock` or from tokio, whose time a
/// test can stop, numbers from a `Random`, which may have a seed, and tasks from the runtime that they are in: `engine/tests/virtual_time.rs`
/// plays a show twice alike by that.
const OF_THE_MACHINE: [(IsTaken, &[&str]); 4] = [
    (
        |line| line.contains("SystemTime::now") || line.contains("Utc::now"),
        &["engine/src/clock.rs", "gateway/src/transport/receive_time.rs"],
    ),
    (|line| line.contains("std::time::") && line.contains("Instant"), &["gateway/src/transport"]),
    (
        |line| {
            ["thread::spawn", "thread::Builder", "spawn_blocking", "thread::sleep"]
                .iter()
                .any(|word| line.contains(word))
        },
        &[
            "engine/src/archive/sql/mod.rs",
            "engine/src/compute.rs",
            "engine/src/journal/file/mod.rs",
            "engine/src/journal/kafka",
            "gateway/src/console/mod.rs",
            "gateway/src/gateway.rs",
            "protocol/src/round_trip.rs",
            "gateway/src/transport",
        ],
    ),
    (
        |line| ["rand::random", "rand::rng", "getrandom", "OsRng", "SysRng"].iter().any(|word| line.contains(word)),
        &[
            "engine/src/random.rs",
            "gateway/src/console/mod.rs",
            "gateway/src/klaxon",
            "gateway/src/private_file/mod.rs",
        ],
    ),
];

#[test]
fn time_chance_and_threads_come_from_the_machine_in_few_files() {
    for (is_taken, allowed) in OF_THE_MACHINE {
        let allowed: Vec<PathBuf> = allowed.iter().map(|path| top().join(path)).collect();
        let (known, others): (Vec<PathBuf>, Vec<PathBuf>) = sources(&["protocol/src", "engine/src", "gateway/src"])
            .into_iter()
            .partition(|file| allowed.iter().any(|allowed| file.starts_with(allowed)));
        assert_eq!(matching(&others, is_taken), Vec::<String>::new());
        for path in allowed {
            let here: Vec<PathBuf> = known.iter().filter(|file| file.starts_with(&path)).cloned().collect();
            assert!(!matching(&here, is_taken).is_empty(), "{} needs no place in the list", path.display());
        }
    }
}

#[test]
fn sessions_intake_and_hub_have_no_socket_and_never_wait() {
    let words = ["tokio", ".await", "async ", "std::net::TcpStream", "std::thread"];
    let files = sources(&["gateway/src/session", "gateway/src/intake.rs", "gateway/src/hub"]);
    assert_eq!(mentions(&files, &words), Vec::<String>::new());
}
