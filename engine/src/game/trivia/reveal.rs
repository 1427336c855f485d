//! The reveal: its effect on every seat, and how it is undone.

use std::sync::Arc;

use klaxon_protocol::games::trivia::{Outcome, PlayerResult, QuestionId, Reveal, Settings};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Millis;

use super::points::points;
use super::ranking::Ranks;
use super::{Asked, Trivia};
use crate::game::Effect;
use crate::game::people::SeatSet;
use crate::game::personal::for_each_seat;

/// What is needed, beside the answers, to undo a reveal.
pub struct Undo {
    /// Seats that were in play.
    played: SeatSet,
    /// Seats that lost a life.
    life_lost: SeatSet,
    streaks: Vec<u8>,
    /// Players who were removed at the reveal and restored after it, and so count as silent in it.
    pub missed: Vec<Missed>,
}

/// What a question cost a player who counts as silent.
pub struct Missed {
    pub seat: Seat,
    /// The streak before it.
    pub streak: u8,
    /// True if it cost a life, false if it eliminated the player.
    pub life_lost: bool,
}

/// The invariant that makes undoing a reveal possible.
const TAKEN_BACK: &str = "a seat has what the last reveal gave it";

impl Trivia {
    /// Reveals the right choice, and applies the rules to every seat.
    pub(super) fn reveal(&mut self, now: Millis) -> Vec<Effect> {
        let asked = self.asked.last().expect("a question is revealed after it was asked");
        let (question, right, counts) = (asked.id(), asked.right, asked.counts.clone());
        let (gained, silent) = self.judge();
        self.seats.changed(&self.people);
        self.ranks = self.count_ranks();
        let reveal =
            Reveal { seq: self.next_seq(), at: now, question, right, counts, silent, alive: self.seats.alive.count() };
        let personal = self.results(question, &gained);
        self.asked.last_mut().expect("it was asked").reveal = Some(reveal.clone());
        self.enter(Phase::Revealed, now);
        let mut effects = vec![Effect::Tell(ToPlayer::Reveal(reveal), Some(Arc::new(personal)))];
        if self.settings.mode.scores() {
            effects.push(Effect::Tell(ToPlayer::Standings(self.standings(question)), None));
        }
        effects
    }

    /// Applies the last question to every seat in play. Returns the points that each seat gained, and how many in play
    /// were silent.
    fn judge(&mut self) -> (Vec<u32>, u32) {
        let (eliminates, scores) = (self.eliminates(), self.settings.mode.scores());
        let Settings { speed_points, streak_points, .. } = self.settings;
        let Asked { question, right, clock, .. } = self.asked.last().expect("a question is judged after it was asked");
        let (id, total) = (question.question, clock.total());
        let seats = &mut self.seats;
        let mut undo = Undo {
            played: seats.alive.clone(),
            life_lost: SeatSet::default(),
            streaks: seats.streak.clone(),
            missed: Vec::new(),
        };
        let mut gained = vec![0; if scores { seats.len() } else { 0 }];
        let mut silent = 0;
        for seat in undo.played.iter() {
            let index = seat.index();
            let choice = seats.choice(seat);
            if choice == Some(*right) {
                let elapsed = seats.elapsed(seat);
                if scores {
                    let streak = if streak_points { seats.streak[index] } else { 0 };
                    gained[index] = points(elapsed, total, streak, speed_points);
                    seats.score[index] += gained[index];
                }
                // Saturates at 255, far above the streak that earns points.
                seats.streak[index] = seats.streak[index].saturating_add(1);
                seats.rights[index] += 1;
                // Saturates at 49 days, which no real journal reaches.
                seats.time[index] = seats.time[index].saturating_add(elapsed.0);
            } else {
                silent += u32::from(choice.is_none());
                seats.streak[index] = 0;
                if eliminates && seats.lose(seat, id) {
                    undo.life_lost.insert(seat);
                }
            }
        }
        self.undo = Some(undo);
        (gained, silent)
    }

    /// Undoes the last reveal: eliminated players are in play again, and points and lives are as before.
    pub(super) fn take_back(&mut self) {
        let (Some(undo), Some(asked)) = (self.undo.take(), self.asked.last()) else { return };
        let (id, right, total) = (asked.id(), asked.right, asked.clock.total());
        let Settings { mode, speed_points, streak_points, .. } = self.settings;
        let scores = mode.scores();
        let seats = &mut self.seats;
        for seat in undo.played.iter() {
            let index = seat.index();
            if seats.choice(seat) == Some(right) {
                let elapsed = seats.elapsed(seat);
                if scores {
                    let streak = if streak_points { undo.streaks[index] } else { 0 };
                    let gained = points(elapsed, total, streak, speed_points);
                    seats.score[index] = seats.score[index].checked_sub(gained).expect(TAKEN_BACK);
                }
                seats.rights[index] = seats.rights[index].checked_sub(1).expect(TAKEN_BACK);
                seats.time[index] = seats.time[index].checked_sub(elapsed.0).expect(TAKEN_BACK);
            } else if undo.life_lost.contains(seat) {
                seats.give_lives(seat, 1);
            } else if seats.out_at[index] == id.0 {
                seats.out_at[index] = 0;
                if !self.people.removed.contains(seat) {
                    seats.alive.insert(seat);
                }
            }
            seats.streak[index] = undo.streaks[index];
        }
        for Missed { seat, streak, life_lost } in undo.missed {
            let index = seat.index();
            seats.streak[index] = streak;
            if life_lost {
                seats.give_lives(seat, 1);
            } else if seats.out_at[index] == id.0 {
                seats.out_at[index] = 0;
                if !self.people.removed.contains(seat) {
                    seats.alive.insert(seat);
                }
            }
        }
        seats.changed(&self.people);
        self.ranks = self.count_ranks();
    }

    pub(super) fn count_ranks(&self) -> Ranks {
        if self.settings.mode.scores() { Ranks::count(&self.seats) } else { Ranks::default() }
    }

    /// Each seat's result of the reveal.
    fn results(&self, question: QuestionId, gained: &[u32]) -> Personal {
        let (undo, asked) = self.undo.as_ref().zip(self.asked.last()).expect("results come right after a reveal");
        let seats = &self.seats;
        let outcome = |seat| match seats.choice(seat) {
            _ if !undo.played.contains(seat) => Outcome::Watched,
            None => Outcome::Silent,
            Some(choice) if choice == asked.right => Outcome::Right,
            Some(_) => Outcome::Wrong,
        };
        let result = |seat: Seat| {
            let alive = seats.is_alive(seat);
            let (lives, score) = (seats.lives[seat.index()], seats.score[seat.index()]);
            // Empty if the show has no points.
            let gained = if gained.is_empty() { 0 } else { gained[seat.index()] };
            PlayerResult { question, outcome: outcome(seat), alive, lives, gained, score, rank: 0 }
        };
        // Everything in which results differ, in 64 bits: a question has at most 1500 points, and a show 500 questions.
        let key = |seat| {
            let PlayerResult { outcome, alive, lives, gained, score, .. } = result(seat);
            outcome as u64
                | u64::from(alive) << 2
                | u64::from(lives) << 3
                | u64::from(gained) << 10
                | u64::from(score) << 32
        };
        for_each_seat(self.people.roster.seated(), key, |seat| {
            ToPlayer::Result(PlayerResult { rank: self.rank_of(seat), ..result(seat) })
        })
    }

    /// The personal state of every seat, for events that change it and have no result.
    pub(super) fn everybodys_state(&self) -> Personal {
        let key = |seat: Seat| {
            let answered = self.seats.choice(seat).map_or(0, |choice| u64::from(choice.0) + 1);
            let (lives, score) = (self.seats.lives[seat.index()], self.seats.score[seat.index()]);
            u64::from(self.seats.is_alive(seat)) | u64::from(lives) << 1 | answered << 8 | u64::from(score) << 32
        };
        for_each_seat(self.people.roster.seated(), key, |seat| ToPlayer::You(self.you(Some(seat))))
    }

    /// The personal state of each seat in play.
    pub(super) fn state_of_all_in_play(&self) -> Personal {
        let mut personal = self.everybodys_state();
        for (seat, shape) in (0..).map(Seat).zip(&mut personal.by_seat) {
            if !self.seats.is_alive(seat) {
                *shape = Personal::NONE;
            }
        }
        personal
    }

    /// The personal state of one seat.
    pub(super) fn state_of(&self, seat: Seat) -> Personal {
        let mut by_seat = vec![Personal::NONE; seat.index() + 1];
        by_seat[seat.index()] = 0;
        Personal { shapes: vec![ToPlayer::You(self.you(Some(seat)))], by_seat }
    }
}
