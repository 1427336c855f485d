//! What a show must have come to for everybody who had a seat, by the rule book and the journal's commands.

use std::collections::BTreeMap;

use klaxon_protocol::games::trivia::{Choice, QuestionId};
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, FrameError};
use klaxon_protocol::player::{Podium, ToPlayer};
use klaxon_protocol::time::Millis;

use super::book::{Book, Orders};
use super::named::NamedRecords;

/// What a show came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Everybody who had a seat, by seat.
    pub players: Vec<Final>,
    /// The answers that count, and when each was read: the first one of each seat.
    pub answers: BTreeMap<(QuestionId, Seat), (Choice, Millis)>,
    /// The podium that everybody must have been shown.
    pub podium: Option<Podium>,
}

/// What a player came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Final {
    /// Who.
    pub player: PlayerId,
    /// What they were called.
    pub name: Name,
    /// Whether they were in play at the end.
    pub alive: bool,
    /// Extra lives left.
    pub lives: u8,
    /// Points.
    pub score: u32,
    /// How many of their answers were right, in questions that count.
    pub right_answers: u32,
    /// Their place, from 1; equals share one; 0 for one whom the host took out.
    pub place: u32,
    /// What they win, in minor units.
    pub prize: u64,
}

impl Outcome {
    /// What the show with this journal, and with what stands apart from it, came to. Of its events only the order of each question's choices is read. What the rules refuse
    /// is left out: promise 10 reports it.
    ///
    /// # Errors
    /// If the journal can't be read to its end.
    pub fn of(journal: &[u8], people: &[u8]) -> Result<Self, FrameError> {
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
            // What is refused changes nothing.
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
