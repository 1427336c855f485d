//! From rows to results and back.

use klaxon_protocol::ids::{BadText, Choice, Name, PlayerId, QuestionId, Seat, ShowId};
use klaxon_protocol::pack::Difficulty;
use klaxon_protocol::settings::Mode;
use klaxon_protocol::time::Millis;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite};

use super::super::{ArchiveError, HardQuestion, PlayerResults, QuestionResult, ShowSummary, Winner};

pub(super) const fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Elimination => "elimination",
        Mode::Points => "points",
        Mode::Both => "both",
    }
}

pub(super) const fn difficulty_text(difficulty: Difficulty) -> &'static str {
    match difficulty {
        Difficulty::Easy => "easy",
        Difficulty::Medium => "medium",
        Difficulty::Hard => "hard",
    }
}

fn unreadable(column: &str, value: &str) -> ArchiveError {
    ArchiveError::Unavailable(format!("a row's {column} is {value:?}"))
}

/// A column's value.
fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, ArchiveError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(|error| ArchiveError::Unavailable(error.to_string()))
}

/// A column's number, of any of our types.
fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &str) -> Result<T, ArchiveError> {
    let stored: i64 = get(row, column)?;
    T::try_from(stored).map_err(|_| unreadable(column, &stored.to_string()))
}

/// A column's text, as one of our names.
fn text<T: std::str::FromStr<Err = BadText>>(row: &SqliteRow, column: &str) -> Result<T, ArchiveError> {
    let stored: &str = get(row, column)?;
    stored.parse().map_err(|_| unreadable(column, stored))
}

pub(super) fn summary(row: &SqliteRow) -> Result<ShowSummary, ArchiveError> {
    Ok(ShowSummary {
        show: text::<ShowId>(row, "show")?,
        code: text(row, "code")?,
        title: get(row, "title")?,
        mode: match get(row, "mode")? {
            "elimination" => Mode::Elimination,
            "points" => Mode::Points,
            "both" => Mode::Both,
            other => return Err(unreadable("mode", other)),
        },
        created_at: Millis(number(row, "created_at")?),
        ended_at: Millis(number(row, "ended_at")?),
        joined: number(row, "joined")?,
        pot: number(row, "pot")?,
        currency: get(row, "currency")?,
        paid: number(row, "paid")?,
        rolled_over: number(row, "rolled_over")?,
    })
}

pub(super) fn player(row: &SqliteRow) -> Result<PlayerResults, ArchiveError> {
    Ok(PlayerResults {
        seat: Seat(number(row, "seat")?),
        player: text::<PlayerId>(row, "player")?,
        name: text::<Name>(row, "name")?,
        alive: get(row, "alive")?,
        lives: number(row, "lives")?,
        score: number(row, "score")?,
        right_answers: number(row, "right_answers")?,
        out_at: get::<Option<u16>>(row, "out_at")?.map(QuestionId),
        place: number(row, "place")?,
        prize: number(row, "prize")?,
    })
}

/// A show's questions from rows of one choice each, in order.
pub(super) fn questions(rows: &[SqliteRow]) -> Result<Vec<QuestionResult>, ArchiveError> {
    let mut questions: Vec<QuestionResult> = Vec::new();
    for row in rows {
        let question = QuestionId(number(row, "question")?);
        if questions.last().is_none_or(|last| last.question != question) {
            questions.push(QuestionResult {
                question,
                text: get(row, "text")?,
                category: get(row, "category")?,
                difficulty: match get(row, "difficulty")? {
                    None => None,
                    Some("easy") => Some(Difficulty::Easy),
                    Some("medium") => Some(Difficulty::Medium),
                    Some("hard") => Some(Difficulty::Hard),
                    Some(other) => return Err(unreadable("difficulty", other)),
                },
                choices: Vec::new(),
                right: Choice(number(row, "right_choice")?),
                counts: Vec::new(),
                silent: number(row, "silent")?,
                voided: get(row, "voided")?,
                asked_at: Millis(number(row, "asked_at")?),
                closed_at: Millis(number(row, "closed_at")?),
            });
        }
        if let Some(last) = questions.last_mut() {
            last.choices.push(get(row, "choice_text")?);
            last.counts.push(number(row, "choice_answers")?);
        }
    }
    Ok(questions)
}

pub(super) fn hard_question(row: &SqliteRow) -> Result<HardQuestion, ArchiveError> {
    Ok(HardQuestion {
        show: text::<ShowId>(row, "show")?,
        question: QuestionId(number(row, "question")?),
        text: get(row, "text")?,
        category: get(row, "category")?,
        right_answers: number(row, "right_answers")?,
        answers: number(row, "answers")?,
    })
}

pub(super) fn winner(row: &SqliteRow) -> Result<Winner, ArchiveError> {
    Ok(Winner {
        player: text::<PlayerId>(row, "player")?,
        name: text::<Name>(row, "name")?,
        shows: number(row, "shows")?,
        won: number(row, "won")?,
    })
}
