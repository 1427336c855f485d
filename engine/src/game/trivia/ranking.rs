//! Ranks, the podium, and prizes.

use std::cmp::Reverse;
use std::sync::Arc;

use klaxon_protocol::games::trivia::{NobodyLeft, QuestionId};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Leader, Mark, Phase, Place, Podium, Prize, Standings, ToPlayer};
use klaxon_protocol::time::Millis;

use super::Trivia;
use super::points::STEP;
use super::rules::Rules;
use super::seats::Seats;
use crate::game::Effect;
use crate::game::places::ranked;
use crate::game::prizes::divide;

/// How many players the standings list.
const LEADERS: usize = 10;
/// How many players the podium lists.
const PLACES: usize = 100;

/// Ranks by points, of the players in play.
#[derive(Default)]
pub struct Ranks {
    /// By score in steps: the number of players with a higher score, plus 1; 0 if no player has this score.
    by_score: Vec<u32>,
}

impl Ranks {
    /// Computes the ranks of all players in play.
    pub fn count(seats: &Seats) -> Self {
        let mut by_score: Vec<u32> = Vec::new();
        for seat in seats.alive.iter() {
            let step = step_of(seats.score[seat.index()]);
            if step >= by_score.len() {
                by_score.resize(step + 1, 0);
            }
            by_score[step] += 1;
        }
        let mut before = 0;
        for count in by_score.iter_mut().rev() {
            let here = *count;
            *count = if here == 0 { 0 } else { before + 1 };
            before += here;
        }
        Self { by_score }
    }

    /// The rank of a player in play with this score, from 1; 0 if the show has no points.
    pub fn of(&self, score: u32) -> u32 {
        self.by_score.get(step_of(score)).copied().unwrap_or(0)
    }
}

/// All scores are multiples of [`STEP`].
fn step_of(score: u32) -> usize {
    (score / STEP) as usize
}

/// The final order: players in play first, then by later elimination, more points, less time for the right answers.
type Merit = (Reverse<u16>, Reverse<u32>, u32);

impl Trivia {
    /// The players with the most points.
    pub(super) fn standings(&self, question: QuestionId) -> Standings {
        let mut best: Vec<(Reverse<u32>, Seat)> = Vec::with_capacity(LEADERS + 1);
        for seat in self.seats.alive.iter() {
            let key = (Reverse(self.seats.score[seat.index()]), seat);
            if best.len() == LEADERS && best.last().is_some_and(|last| *last < key) {
                continue;
            }
            let place = best.partition_point(|other| *other < key);
            best.insert(place, key);
            best.truncate(LEADERS);
        }
        let leaders = best.into_iter().filter_map(|(Reverse(score), seat)| {
            let name = self.people.roster.name(seat)?.clone();
            Some(Leader { rank: self.ranks.of(score), seat, name, score })
        });
        Standings { question, leaders: leaders.collect() }
    }

    fn merit(&self, seat: Seat) -> Merit {
        let index = seat.index();
        let out_at = if self.seats.is_alive(seat) { u16::MAX } else { self.seats.out_at[index] };
        (Reverse(out_at), Reverse(self.seats.score[index]), self.seats.time[index])
    }

    /// All players whom the host did not remove, best first, with their places; ties share a place and are ordered by
    /// seat.
    pub(super) fn ranking(&self) -> Vec<(u32, Seat)> {
        let seats = (0..self.people.roster.seated()).map(Seat).filter(|&seat| !self.people.removed.contains(seat));
        ranked(seats, |seat| self.merit(seat))
    }

    /// How many players from the top of the ranking are eligible for a prize.
    fn eligible(&self, ranking: &[(u32, Seat)]) -> usize {
        let counts = |wins: &dyn Fn(Seat) -> bool| ranking.iter().take_while(|&&(_, seat)| wins(seat)).count();
        if !self.eliminates() {
            return counts(&|seat| self.seats.score[seat.index()] > 0);
        }
        let alive = counts(&|seat| self.seats.is_alive(seat));
        if alive > 0 || self.settings.nobody_left == NobodyLeft::Rollover {
            return alive;
        }
        let last = ranking.first().map_or(0, |&(_, seat)| self.seats.out_at[seat.index()]);
        counts(&|seat| self.seats.out_at[seat.index()] == last)
    }

    /// Ends the show: the podium with the prizes, then the end. A question that was not revealed does not count.
    pub(super) fn end(&mut self, now: Millis, pay: bool) -> Vec<Effect> {
        let ranking = self.ranking();
        let winners = &ranking[..if pay { self.eligible(&ranking) } else { 0 }];
        let places: Vec<u32> = winners.iter().map(|&(place, _)| place).collect();
        let parts = divide(self.settings.pot, &self.settings.prize, &places);
        let paid: u64 = parts.iter().sum();
        assert!(parts.is_empty() || paid == self.settings.pot, "prizes sum to {paid} of {}", self.settings.pot);
        let prize_of = |index: usize| parts.get(index).copied().unwrap_or(0);
        let named = ranking.iter().take(PLACES).enumerate().filter_map(|(index, &(place, seat))| {
            let name = self.people.roster.name(seat)?.clone();
            let score = self.seats.score[seat.index()];
            Some(Place { place, seat, name, score, prize: prize_of(index) })
        });
        let podium = Podium {
            seq: self.stage.seq.next(),
            at: now,
            winners: self.count_winners(&parts),
            places: named.collect(),
            pot: self.settings.pot,
            paid,
            rolled_over: self.settings.pot - paid,
            currency: self.settings.currency.clone(),
        };
        let mut prizes: Vec<(Seat, u64)> =
            winners.iter().zip(parts).filter(|(_, part)| *part > 0).map(|(&(_, seat), part)| (seat, part)).collect();
        prizes.sort_unstable();
        let personal = self.prize_messages(&prizes);
        self.prizes = prizes;
        self.podium = Some(podium.clone());
        self.next_seq();
        let end = Mark { seq: self.next_seq(), at: now };
        self.stage.ended_at = Some(now);
        self.stage.paused = false;
        self.stage.autopilot = false;
        self.enter(Phase::Ended, now);
        vec![Effect::Tell(ToPlayer::Podium(podium), Some(Arc::new(personal))), Effect::Tell(ToPlayer::End(end), None)]
    }

    /// How many of the eligible players win, given their parts of the pot. With a pot, a player whose part is 0 does
    /// not win; without a pot all eligible players win.
    fn count_winners(&self, parts: &[u64]) -> u32 {
        let counts_all = self.rules < Rules::Second || self.settings.pot == 0;
        let winners = parts.iter().filter(|&&part| counts_all || part > 0).count();
        u32::try_from(winners).expect("settings allow 10 million seats at most")
    }

    fn prize_messages(&self, prizes: &[(Seat, u64)]) -> Personal {
        let mut amounts: Vec<u64> = prizes.iter().map(|&(_, amount)| amount).collect();
        amounts.sort_unstable();
        amounts.dedup();
        let mut by_seat = vec![Personal::NONE; prizes.last().map_or(0, |&(seat, _)| seat.index() + 1)];
        for &(seat, amount) in prizes {
            let shape = amounts.partition_point(|&other| other < amount);
            by_seat[seat.index()] = u32::try_from(shape).expect("there are no more amounts than seats");
        }
        let currency = &self.settings.currency;
        let shapes = amounts.into_iter().map(|amount| ToPlayer::Prize(Prize { amount, currency: currency.clone() }));
        Personal { shapes: shapes.collect(), by_seat }
    }
}
