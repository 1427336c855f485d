//! What a reveal did to each seat, and how it is undone.

use klaxon_protocol::games::quiz::AnswerOutcome;
use klaxon_protocol::ids::{RoundId, Seat};

use super::QuizPart;
use super::seats::QuizSeats;
use crate::game::people::SeatSet;
use crate::game::rundown::{Ledger, Lost, Stage};

/// What the last reveal did.
pub struct RevealUndo {
    /// By seat.
    pub outcomes: Vec<AnswerOutcome>,
    /// By seat: the points that it gained, or lost if below 0.
    pub gained: Vec<i64>,
    life_lost: SeatSet,
    out: SeatSet,
    /// The streaks before it.
    pub streaks: Vec<u8>,
}

impl RevealUndo {
    /// Of a reveal that has not done anything yet.
    pub fn new(seats: u32, streaks: &[u8]) -> Self {
        let seats = usize::try_from(seats).expect("settings allow 10 million seats at most");
        Self {
            outcomes: vec![AnswerOutcome::Watched; seats],
            gained: vec![0; seats],
            life_lost: SeatSet::default(),
            out: SeatSet::default(),
            streaks: streaks.to_vec(),
        }
    }

    /// Gives or takes points, and keeps that.
    pub fn give(&mut self, ledger: &mut Ledger, seat: Seat, points: i64) {
        ledger.add_points(seat, points);
        self.gained[seat.index()] += points;
    }

    /// Takes back what it did.
    pub fn take_back(&self, ledger: &mut Ledger, seats: &mut QuizSeats) {
        for (seat, (outcome, gained)) in (0..).map(Seat).zip(self.outcomes.iter().zip(&self.gained)) {
            if *gained != 0 {
                ledger.add_points(seat, -gained);
            }
            if *outcome == AnswerOutcome::Right {
                let rights = &mut seats.rights[seat.index()];
                *rights = rights.checked_sub(1).expect("a seat has what the last reveal gave it");
            }
        }
        self.life_lost.iter().for_each(|seat| ledger.give_lives(seat, 1));
        self.out.iter().for_each(|seat| ledger.put_back(seat));
        for (streak, before) in seats.streaks.iter_mut().zip(&self.streaks) {
            *streak = *before;
        }
    }

    /// Keeps what a wrong answer cost the seat.
    pub fn note(&mut self, seat: Seat, lost: Lost) {
        match lost {
            Lost::Life => self.life_lost.insert(seat),
            Lost::Out => self.out.insert(seat),
            Lost::Nothing => {}
        }
    }
}

/// Takes a life or, without one or if lives don't count, takes the seat out of play.
pub fn lose(ledger: &mut Ledger, seat: Seat, round: RoundId, lives_count: bool) -> Lost {
    if lives_count || !ledger.is_in_play(seat) {
        return ledger.lose(seat, round);
    }
    ledger.take_out(seat, round);
    Lost::Out
}

impl QuizPart {
    /// Undoes the last reveal: points, lives and streaks are as before it, and those whom it eliminated are in play again.
    pub(super) fn take_back(&mut self, stage: &mut Stage<'_>) {
        let Some(undo) = self.undo.take() else { return };
        undo.take_back(stage.ledger, &mut self.seats);
        self.seats.changed();
    }
}
