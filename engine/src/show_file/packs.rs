//! The questions of a quiz from a pack.

use std::path::Path;

use klaxon_protocol::games::quiz::QuizQuestion;

use crate::pack;

/// The questions of the pack with this path from a folder, or of the pack that comes with Klaxon.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub fn questions_of(folder: &Path, path: &str) -> Result<Vec<QuizQuestion>, Vec<String>> {
    let path = if path == pack::BUNDLED { path.into() } else { folder.join(path) };
    pack::load(&path).map_err(|bad| bad.to_string().lines().map(str::to_owned).collect())
}
