//! The show as it is sent to others: snapshots, each player's state, the host's figures.

use klaxon_protocol::games::trivia::{Snapshot, You};
use klaxon_protocol::host::PlayerLine;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Millis;

use super::{Asked, Trivia};
use crate::game::GameFigures;

impl Trivia {
    pub(super) fn snapshot(&self, now: Millis) -> Snapshot {
        let asked = self.asked.last();
        Snapshot {
            seq: self.stage.seq,
            at: now,
            title: self.title.clone(),
            phase: self.stage.phase,
            mode: self.settings.mode,
            total: self.total(),
            joined: self.people.roster.seated(),
            alive: self.seats.alive.count(),
            pot: self.settings.pot,
            currency: self.settings.currency.clone(),
            paused: self.stage.paused,
            question: asked.map(|asked| asked.question_now(now)),
            reveal: asked.and_then(|asked| asked.reveal.clone()),
            voided: asked.is_some_and(|asked| asked.voided),
            podium: self.podium.clone(),
        }
    }

    /// Between a question and its reveal only `answered` changes here, so this does not disclose the right choice.
    pub(super) fn you(&self, seat: Option<Seat>) -> You {
        let Some(seat) = seat.filter(|&seat| self.people.has_seat(seat)) else {
            return You { alive: false, lives: 0, score: 0, rank: 0, answered: None, prize: None };
        };
        You {
            alive: self.seats.is_alive(seat),
            lives: self.seats.lives[seat.index()],
            score: self.seats.score[seat.index()],
            rank: self.rank_of(seat),
            answered: self.seats.choice(seat),
            prize: self.podium.is_some().then(|| self.prize_of(seat)),
        }
    }

    /// The rank by points, from 1; 0 if the seat is not in play or there are no points.
    pub(super) fn rank_of(&self, seat: Seat) -> u32 {
        if self.seats.is_alive(seat) { self.ranks.of(self.seats.score[seat.index()]) } else { 0 }
    }

    pub(super) fn view_figures(&self, now: Millis) -> GameFigures {
        let asked = self.asked.last();
        GameFigures {
            question: asked.map(Asked::id),
            total: self.total(),
            joined: self.people.roster.seated(),
            alive: self.seats.alive.count(),
            answers: asked.map(|asked| asked.counts.clone()).unwrap_or_default(),
            time_left: asked.filter(|_| self.stage.phase == Phase::Question).map(|asked| asked.clock.left(now)),
            paused: self.stage.paused,
            autopilot: self.stage.autopilot,
            next_step: self.stage.step,
        }
    }

    pub(super) fn view_players(&self, text: &str, limit: usize) -> Vec<PlayerLine> {
        let line = |seat: Seat| {
            let index = seat.index();
            Some(PlayerLine {
                seat,
                name: self.people.roster.name(seat)?.clone(),
                alive: self.seats.is_alive(seat),
                lives: self.seats.lives[index],
                score: self.seats.score[index],
            })
        };
        self.people.roster.find(text).filter_map(line).take(limit).collect()
    }
}
