//! The questions of a quiz from a pack.

use std::path::Path;

use klaxon_protocol::games::quiz::{Kind, OneRight, QuizQuestion};
use klaxon_protocol::games::trivia::{Pack, PackQuestion};

use crate::pack;

/// The name of the pack that comes with Klaxon, in place of a file's.
const BUNDLED: &str = "bundled";

/// The questions of the pack with this path from a folder.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub fn questions_of(folder: &Path, path: &str) -> Result<Vec<QuizQuestion>, Vec<String>> {
    let pack = if path == BUNDLED { Ok(pack::bundled()) } else { pack::read(&folder.join(path), None) };
    let Pack { questions, .. } = pack.map_err(|bad| bad.to_string().lines().map(str::to_owned).collect::<Vec<_>>())?;
    Ok(questions.into_iter().map(question_of).collect())
}

/// A question of a pack in a quiz.
fn question_of(PackQuestion { text, choices, right, category, open_for, .. }: PackQuestion) -> QuizQuestion {
    QuizQuestion {
        text,
        kind: Kind::Choice(OneRight { choices, right: right.0 }),
        category,
        explanation: None,
        open_for,
        points: None,
        times: None,
        speed: None,
        penalty: None,
    }
}
