//! Parts of quiz in the report: each question with how it was answered.

use std::collections::{BTreeMap, HashSet};

use klaxon_protocol::games::quiz::{Corrected, QuizEvent};
use klaxon_protocol::games::rundown::OfPart;
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::ToPlayer;
use serde::Serialize;
use serde_json::Value;

use crate::evidence::PlayerNumber;
use crate::messages::RoundNews;
use crate::report::words::{count, percent};
use crate::report::{Block, Column, Table, TableRow};

/// A question of a quiz.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QuizLine {
    /// The index of its part.
    pub part: u8,
    /// Its number in the part.
    pub number: u16,
    /// Its last round: a buzzer can have several.
    pub round: u16,
    /// How many rounds it had.
    pub rounds: u32,
    /// Its kind.
    pub kind: String,
    /// Its text.
    pub text: String,
    /// The number of players who received it.
    pub seen_by: u32,
    /// The number of players whose answers counted in its last round.
    pub answered: u32,
    /// Those of them in play who were right.
    pub right: u32,
    /// Those who were paid by place, or for a buzz.
    pub paid: u32,
    /// Players in play after it.
    pub in_play: u32,
    /// Whether it was voided.
    pub voided: bool,
}

/// The questions of all parts of quiz, by the events that players received. `seen_by` has the players who received each round.
pub(super) fn lines<'m>(
    events: impl Iterator<Item = &'m ToPlayer>,
    seen_by: &BTreeMap<RoundId, HashSet<PlayerNumber>>,
) -> Vec<QuizLine> {
    let mut lines: BTreeMap<(u8, u16), QuizLine> = BTreeMap::new();
    // A round that is opened again asks its question again, so the question's line is the one of its last round. The same
    // event in another codec is another frame.
    let (mut asked_in, mut voided) = (BTreeMap::new(), HashSet::new());
    for event in events {
        if let Some(RoundNews::Voided(round)) = RoundNews::of(event) {
            voided.insert(round);
        }
        let ToPlayer::GameEvent(told) = event else { continue };
        let Ok(OfPart { part, event }) = told.body.read::<OfPart<QuizEvent>>() else { continue };
        match event {
            QuizEvent::Question(asked) => {
                let Some(round) = told.round else { continue };
                let line = lines.entry((part, asked.number)).or_default();
                (line.part, line.number, line.text) = (part, asked.number, asked.text);
                line.kind = told.body.0.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
                line.round = line.round.max(round.0);
                asked_in.insert(round, (part, asked.number));
            }
            QuizEvent::Reveal(reveal) | QuizEvent::Corrected(Corrected { reveal, .. }) => {
                let line = lines.entry((part, reveal.number)).or_default();
                (line.answered, line.right, line.in_play) = (reveal.answered, reveal.right_answers, reveal.in_play);
                line.paid = u32::try_from(reveal.winners.len()).unwrap_or(u32::MAX);
            }
            QuizEvent::Quiz { .. } | QuizEvent::Floor(_) | QuizEvent::Prizes(_) | QuizEvent::Words { .. } => {}
        }
    }
    for (round, question) in asked_in {
        let Some(line) = lines.get_mut(&question) else { continue };
        line.rounds += 1;
        line.voided |= voided.contains(&round);
        let seen = seen_by.get(&round).map_or(0, HashSet::len);
        line.seen_by = line.seen_by.max(u32::try_from(seen).unwrap_or(u32::MAX));
    }
    lines.into_values().filter(|line| line.rounds > 0).collect()
}

/// A table for each part.
pub(super) fn tables(lines: &[QuizLine]) -> Vec<Block> {
    lines.chunk_by(|one, other| one.part == other.part).map(table).collect()
}

fn table(lines: &[QuizLine]) -> Block {
    let columns = [
        Column::number(""),
        Column::text("kind"),
        Column::text("question").cut_at(40),
        Column::number("asked"),
        Column::number("answered"),
        Column::number("right"),
        Column::number(""),
        Column::number("paid"),
        Column::number("in play"),
        Column::text(""),
    ];
    let answered: u64 = lines.iter().map(|line| u64::from(line.answered)).sum();
    let rounds: u32 = lines.iter().map(|line| line.rounds).sum();
    let part = lines.first().map_or(0, |line| line.part) + 1;
    let note = format!("{} questions in {rounds} rounds, {} answers", lines.len(), count(answered));
    let mut table = Table::new(format!("quiz, part {part}"), note, &columns);
    table.rows.extend(lines.iter().map(|line| {
        let opened = if line.rounds > 1 { format!("opened {} times", line.rounds) } else { String::new() };
        TableRow::from([
            line.number.to_string().into(),
            line.kind.as_str().into(),
            line.text.as_str().into(),
            count(line.seen_by.into()).into(),
            count(line.answered.into()).into(),
            count(line.right.into()).into(),
            format!("{:.0} %", percent(line.right.into(), line.answered.into())).into(),
            count(line.paid.into()).into(),
            count(line.in_play.into()).into(),
            if line.voided { "voided".to_owned() } else { opened }.into(),
        ])
    }));
    Block::Table(table)
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::Seq;
    use klaxon_protocol::player::{Body, GameEvent, Phase};
    use klaxon_protocol::time::Millis;
    use serde_json::json;

    use super::*;

    fn event(phase: Phase, round: Option<u16>, body: &Value) -> ToPlayer {
        let (seq, at, round) = (Seq(1), Millis(0), round.map(RoundId));
        ToPlayer::GameEvent(GameEvent { seq, at, phase, round, body: Body::of(body) })
    }

    fn question(round: u16, number: u16) -> ToPlayer {
        let body = json!({
            "event": "question", "part": 2, "number": number, "total": 2, "kind": "buzzer", "text": "Who?", "opens_at": 0, "closes_at": 1,
        });
        event(Phase::Question, Some(round), &body)
    }

    #[test]
    fn a_question_has_one_line_however_often_it_is_opened() {
        let reveal = json!({
            "event": "reveal", "part": 2, "number": 1, "round": 5, "answered": 9, "right_answers": 1, "winners": [3], "in_play": 20,
        });
        let slide = json!({
            "event": "question", "part": 2, "number": 3, "total": 3, "kind": "slide", "text": "That was all.", "for": 500,
        });
        let void = json!({ "event": "void", "part": 2, "round": 6, "reason": "not fair" });
        let events = [
            question(4, 1),
            question(5, 1),
            // The same in another codec.
            question(5, 1),
            event(Phase::Revealed, None, &reveal),
            question(6, 2),
            event(Phase::Revealed, None, &void),
            event(Phase::Revealed, None, &slide),
        ];
        let players = |count| (0..count).map(PlayerNumber).collect::<HashSet<_>>();
        let seen_by = BTreeMap::from([(RoundId(4), players(8)), (RoundId(5), players(7)), (RoundId(6), players(6))]);
        let lines = lines(events.iter(), &seen_by);
        let line = QuizLine { part: 2, kind: "buzzer".into(), text: "Who?".into(), ..QuizLine::default() };
        let first = QuizLine {
            number: 1,
            round: 5,
            rounds: 2,
            seen_by: 8,
            answered: 9,
            right: 1,
            paid: 1,
            in_play: 20,
            ..line.clone()
        };
        let second = QuizLine { number: 2, round: 6, rounds: 1, seen_by: 6, voided: true, ..line };
        assert_eq!(lines, [first, second]);
        assert_eq!(tables(&lines).len(), 1);
    }
}
