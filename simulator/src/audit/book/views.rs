//! A show's state by the rules as snapshots, and each player's own state.

use klaxon_protocol::games::trivia::{Question, Snapshot, You};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Paused, Phase};
use klaxon_protocol::time::Millis;

use super::{Book, Held, count};

impl Book {
    /// The state that a seat is sent now; if none, a spectator's.
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

    /// The rank, from 1; 0 for a seat that is out, or whose score was not ranked yet.
    pub fn rank_of(&self, held: &Held) -> u32 {
        if held.alive { self.ranks.get(&held.score).copied().unwrap_or(0) } else { 0 }
    }

    /// The snapshot of the show for a player who joins now, as if it were taken at `at`.
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
                // While the clock is stopped, `closes_at` is given as if it ran again from now on.
                let closes_at = self.told_of_pause().and_then(|pause| pause.left).map_or(last.closes, |left| at + left);
                Question { opens_at: last.opens, closes_at, ..asked.question.clone() }
            }),
            reveal: asked.and_then(|asked| asked.reveal.clone()),
            voided: asked.is_some_and(|asked| asked.voided.is_some()),
            podium: self.podium.clone(),
        }
    }

    /// The pause that a player who joins now is sent, if the show is in one.
    pub fn told_of_pause(&self) -> Option<Paused> {
        let asked = self.asked.last().filter(|_| self.phase == Phase::Question);
        self.paused.then(|| Paused { left: asked.map(|asked| asked.clock.left(Millis(0))) })
    }

    /// Whether a snapshot agrees with the show's state.
    pub fn is_shown_by(&self, told: &Snapshot) -> bool {
        if (told.joined, told.alive, told.phase) != (count(self.seats.len()), self.alive(), self.phase) {
            return false;
        }
        self.snapshot(told.at) == *told
    }
}
