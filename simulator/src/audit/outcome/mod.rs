//! The outcome of a show for every seat, computed from the journal's commands by the rules.

use std::collections::BTreeMap;

use klaxon_protocol::games::trivia::{Choice, QuestionId};
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, FrameError};
use klaxon_protocol::player::{Podium, ToPlayer};
use klaxon_protocol::time::Millis;

use super::book::{Book, Orders};
use super::named::NamedRecords;
use super::rundown::{self, RundownBook};

/// The outcome of a show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// All players, by seat.
    pub players: Vec<Final>,
    /// The first answer of each seat to each question, and when it was read.
    pub answers: BTreeMap<(QuestionId, Seat), (Choice, Millis)>,
    /// The podium that all players must have been sent.
    pub podium: Option<Podium>,
}

/// The outcome for one player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Final {
    /// The player's id.
    pub player: PlayerId,
    /// The player's name.
    pub name: Name,
    /// Whether the seat was in play at the end.
    pub alive: bool,
    /// Extra lives left.
    pub lives: u8,
    /// Points.
    pub score: u32,
    /// The number of right answers to questions that count.
    pub right_answers: u32,
    /// The place, from 1; equal players share one; 0 for a player whom the host removed.
    pub place: u32,
    /// The prize, in minor units.
    pub prize: u64,
}

impl Outcome {
    /// The outcome of the show with this journal and these person records. Of the journal's events only the order of
    /// each question's choices is used. Commands that the rules refuse are ignored: promise 10 reports them.
    ///
    /// # Errors
    /// If the journal can't be read to its end.
    pub fn of(journal: &[u8], people: &[u8]) -> Result<Self, FrameError> {
        if let Some(book) = RundownBook::of(journal, people) {
            return Ok(rundown::outcome(&book));
        }
        let mut orders = Orders::new();
        let mut answers = BTreeMap::new();
        let mut records = Vec::new();
        for record in NamedRecords::new(journal, people)? {
            let record = record?;
            for event in &record.events {
                if let ToPlayer::Question(question) = event {
                    orders.insert(question.question, question.choices.clone());
                }
            }
            if let Command::Answers { question, answers: counted } = &record.command {
                for answer in counted {
                    answers.entry((*question, answer.seat)).or_insert((answer.choice, answer.at));
                }
            }
            records.push(record);
        }
        let mut book = Book::new(orders);
        for record in &records {
            // A refused command changes nothing.
            let _ = book.take(record);
        }
        let ending = book.ending.unwrap_or_default();
        let places: BTreeMap<Seat, u32> = ending.ranking.iter().map(|&(place, seat)| (seat, place)).collect();
        let players = (0..).map(Seat).zip(book.seats).map(|(seat, held)| Final {
            player: held.player,
            name: held.name,
            alive: held.alive,
            lives: held.lives,
            score: held.score,
            right_answers: held.rights,
            place: places.get(&seat).copied().unwrap_or_default(),
            prize: ending.prizes.get(seat.index()).copied().unwrap_or_default(),
        });
        Ok(Self { players: players.collect(), answers, podium: book.podium })
    }
}

#[cfg(test)]
mod tests;
