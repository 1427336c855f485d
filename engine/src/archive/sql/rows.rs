//! From rows to results and back.

use klaxon_protocol::games::trivia::{Choice, Difficulty, Mode, QuestionId};
use klaxon_protocol::ids::{BadText, Fence, Name, PlayerId, RoundId, Seat, ShowId};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

use super::super::{
    ArchiveError, HardQuestion, Played, PlayerResults, QuestionResult, RoundResult, ShowSummary, Winner,
};
use super::batch::{ArchivedAnswer, JournalState, Progress};
use super::{Offset, Partition};

/// What `read` makes of each row.
pub(super) fn each<T>(
    rows: &[AnyRow],
    read: impl Fn(&AnyRow) -> Result<T, ArchiveError>,
) -> Result<Vec<T>, ArchiveError> {
    rows.iter().map(read).collect()
}

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
fn get<'r, T>(row: &'r AnyRow, column: &str) -> Result<T, ArchiveError>
where
    T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    row.try_get(column).map_err(|error| ArchiveError::Unavailable(error.to_string()))
}

/// A column's number, of any of our types.
fn number<T: TryFrom<i64>>(row: &AnyRow, column: &str) -> Result<T, ArchiveError> {
    let stored: i64 = get(row, column)?;
    T::try_from(stored).map_err(|_| unreadable(column, &stored.to_string()))
}

/// A column's yes or no.
fn flag(row: &AnyRow, column: &str) -> Result<bool, ArchiveError> {
    Ok(number::<u8>(row, column)? != 0)
}

/// A column's text, as one of our names.
fn text<T: std::str::FromStr<Err = BadText>>(row: &AnyRow, column: &str) -> Result<T, ArchiveError> {
    // MySQL holds players' ids as bytes.
    let stored: &str = match get(row, column) {
        Ok(text) => text,
        Err(error) => {
            str::from_utf8(get(row, column).map_err(|_| error)?).map_err(|_| unreadable(column, "no text"))?
        }
    };
    stored.parse().map_err(|_| unreadable(column, stored))
}

pub(super) fn summary(row: &AnyRow) -> Result<ShowSummary, ArchiveError> {
    Ok(ShowSummary {
        show: text::<ShowId>(row, "show")?,
        code: text(row, "code")?,
        title: get(row, "title")?,
        played: match (get::<Option<&str>>(row, "game")?, get(row, "mode")?) {
            (Some(game), _) => Played::Game(game.parse().map_err(|_| unreadable("game", game))?),
            (None, "elimination") => Played::Trivia(Mode::Elimination),
            (None, "points") => Played::Trivia(Mode::Points),
            (None, "both") => Played::Trivia(Mode::Both),
            (None, other) => return Err(unreadable("mode", other)),
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

pub(super) fn player(row: &AnyRow) -> Result<PlayerResults, ArchiveError> {
    Ok(PlayerResults {
        seat: Seat(number(row, "seat")?),
        player: text::<PlayerId>(row, "player")?,
        name: text::<Name>(row, "name")?,
        alive: flag(row, "alive")?,
        lives: number(row, "lives")?,
        score: number(row, "score")?,
        right_answers: number(row, "right_answers")?,
        out_at: match get::<Option<i64>>(row, "out_at")? {
            None => None,
            Some(_) => Some(QuestionId(number(row, "out_at")?)),
        },
        place: number(row, "place")?,
        prize: number(row, "prize")?,
    })
}

/// A show's questions from rows of one choice each, in order.
pub(super) fn questions(rows: &[AnyRow]) -> Result<Vec<QuestionResult>, ArchiveError> {
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
                voided: flag(row, "voided")?,
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

pub(super) fn round(row: &AnyRow) -> Result<RoundResult, ArchiveError> {
    let body: &str = get(row, "body")?;
    let fields = serde_json::from_str(body).map_err(|_| unreadable("body", body))?;
    Ok(RoundResult { round: RoundId(number(row, "round")?), body: Body(fields) })
}

pub(super) fn hard_question(row: &AnyRow) -> Result<HardQuestion, ArchiveError> {
    Ok(HardQuestion {
        show: text::<ShowId>(row, "show")?,
        question: QuestionId(number(row, "question")?),
        text: get(row, "text")?,
        category: get(row, "category")?,
        right_answers: number(row, "right_answers")?,
        answers: number(row, "answers")?,
    })
}

pub(super) fn winner(row: &AnyRow) -> Result<Winner, ArchiveError> {
    Ok(Winner {
        player: text::<PlayerId>(row, "player")?,
        name: text::<Name>(row, "name")?,
        shows: number(row, "shows")?,
        won: number(row, "won")?,
    })
}

pub(super) fn answer(row: &AnyRow, show: ShowId) -> Result<ArchivedAnswer, ArchiveError> {
    Ok(ArchivedAnswer {
        show,
        question: QuestionId(number(row, "question")?),
        seat: Seat(number(row, "seat")?),
        choice: Choice(number(row, "choice")?),
        read_at: Millis(number(row, "read_at")?),
    })
}

pub(super) fn progress(row: &AnyRow) -> Result<Progress, ArchiveError> {
    let state = number(row, "state")?;
    Ok(Progress {
        show: text::<ShowId>(row, "show")?,
        partition: Partition(number(row, "partition")?),
        first: Offset(number(row, "first_offset")?),
        next: number(row, "next_number")?,
        fence: Fence(number(row, "fence")?),
        state: JournalState::of(state).ok_or_else(|| unreadable("state", &state.to_string()))?,
    })
}

/// Where a player is named: the show, its key in this database, and the seat.
pub(super) fn seat_of(row: &AnyRow) -> Result<(ShowId, i64, Seat), ArchiveError> {
    Ok((text(row, "show")?, get(row, "show_id")?, Seat(number(row, "seat")?)))
}

pub(super) fn offset(row: &AnyRow) -> Result<(Partition, Offset), ArchiveError> {
    Ok((Partition(number(row, "partition")?), Offset(number(row, "next_offset")?)))
}
