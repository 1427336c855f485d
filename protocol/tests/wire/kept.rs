//! Files that are written from the code and kept beside it, so that a change of the wire is seen in a diff.

use std::path::PathBuf;

/// A file of the repository, by its path from the root.
pub fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", name].iter().collect()
}

/// The environment variables that have these files written anew.
pub const GOLDEN: &str = "UPDATE_GOLDEN";
pub const SCHEMA: &str = "UPDATE_SCHEMA";
pub const DOCS: &str = "UPDATE_DOCS";

/// Checks that the file holds `wanted`, or makes it so if the environment has `update`.
pub fn check(update: &str, name: &str, wanted: &str) {
    let path = path(name);
    if std::env::var_os(update).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept == wanted {
        return;
    }
    let lines = kept.lines().count().max(wanted.lines().count());
    let number = (0..lines).find(|&at| kept.lines().nth(at) != wanted.lines().nth(at)).unwrap_or(lines);
    panic!(
        "{name} is not what the code writes, first in line {}:\n  kept: {}\n   now: {}\n\
         Clients in the field were written from what is kept. If the change is meant and docs/protocol.md allows it within this \
         version, run `{update}=1 cargo test -p klaxon-protocol --test wire` and commit the difference.",
        number + 1,
        kept.lines().nth(number).unwrap_or("(nothing)"),
        wanted.lines().nth(number).unwrap_or("(nothing)"),
    );
}
