//! The show by the book, as those who come in see it, and each player their own state.

use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Question, Snapshot, You};
use klaxon_protocol::time::Millis;

use super::{Book, Held, count};

impl Book {
    /// What a seat is told of itself now; without one, what a spectator is.
    pub fn you(&self, seat: Option<Seat>) -> You {
        let held = seat.and_then(|seat| Some((seat, self.seats.get(seat.index())?)));
        let Some((seat, held)) = held else {
            return You { alive: false, lives: 0, score: 0, rank: 0, answered: None, prize: None };
        };
        You {
            alive: held.alive,
            lives: held.lives,
            score: held.score,
            rank: self.rank_of(held),
            answered: self.asked.last().and_then(|asked| asked.answers.get(&seat)).map(|&(choice, _)| choice),
            prize: self.ending.as_ref().map(|ending| ending.prizes[seat.index()]),
        }
    }

    /// From 1; 0 for one who is out, or has no score that was ranked.
    pub fn rank_of(&self, held: &Held) -> u32 {
        if held.alive { self.ranks.get(&held.score).copied().unwrap_or(0) } else { 0 }
    }

    /// What one who comes in is told of the show now, as if it were taken at `at`.
    pub fn snapshot(&self, at: Millis) -> Snapshot {
        let asked = self.asked.last();
        Snapshot {
            seq: self.seq,
            at,
            title: self.title.clone(),
            phase: self.phase,
            mode: self.settings.mode,
            total: self.total(),
            joined: count(self.seats.len()),
            alive: self.alive(),
            pot: self.settings.pot,
            currency: self.settings.currency.clone(),
            paused: self.paused,
            question: asked.map(|asked| {
                let last = asked.clock.last();
                Question { opens_at: last.opens, closes_at: last.closes, ..asked.question.clone() }
            }),
            reveal: asked.and_then(|asked| asked.reveal.clone()),
            voided: asked.is_some_and(|asked| asked.voided.is_some()),
            podium: self.podium.clone(),
        }
    }

    /// Whether a snapshot says what the show is. How `closes_at` stands while the clock does is not the rules' to say.
    pub fn is_shown_by(&self, told: &Snapshot) -> bool {
        if (told.joined, told.alive, told.phase) != (count(self.seats.len()), self.alive(), self.phase) {
            return false;
        }
        let mut own = self.snapshot(told.at);
        if self.paused
            && let (Some(own), Some(told)) = (&mut own.question, &told.question)
        {
            (own.opens_at, own.closes_at) = (told.opens_at, told.closes_at);
        }
        own == *told
    }
}
