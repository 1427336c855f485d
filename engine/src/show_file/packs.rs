//! The questions of a quiz from a pack.

use std::path::Path;

use klaxon_protocol::games::quiz::QuizQuestion;

use crate::pack::{self, QuizPack};

/// The name of the pack that comes with Klaxon, in place of a file's.
const BUNDLED: &str = "bundled";

/// The questions of the pack with this path from a folder.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub fn questions_of(folder: &Path, path: &str) -> Result<Vec<QuizQuestion>, Vec<String>> {
    if path == BUNDLED {
        return Ok(QuizPack::from(pack::bundled()).into_questions());
    }
    pack::load(&folder.join(path)).map_err(|bad| bad.to_string().lines().map(str::to_owned).collect())
}
