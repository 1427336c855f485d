//! The order of the players at the end, the winners, and their prizes.

use std::cmp::Reverse;

use klaxon_protocol::games::trivia::{NobodyLeft, Settings};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Leader, Place};

use super::prizes::divide;
use super::seats::Held;

/// The number of places on a podium, and of leaders in the standings.
const PLACES: usize = 100;
const LEADERS: usize = 10;

/// How the show ended.
#[derive(Debug, Default, Clone)]
pub struct Ending {
    /// All players whom the host did not remove, with their places, best first.
    pub ranking: Vec<(u32, Seat)>,
    /// The number of seats with a prize; without a pot, of those that would have one.
    pub winners: u32,
    /// The prize of each seat.
    pub prizes: Vec<u64>,
}

impl Ending {
    /// The ending in the current state; without winners unless `pays`.
    pub fn of(settings: &Settings, seats: &[Held], pays: bool) -> Self {
        let ranking = ranking(seats);
        let winners = if pays { winners(settings, seats, &ranking) } else { 0 };
        let places: Vec<u32> = ranking.iter().take(winners).map(|&(place, _)| place).collect();
        let mut prizes = vec![0; seats.len()];
        for (part, &(_, seat)) in divide(settings.pot, &settings.prize, &places).into_iter().zip(&ranking) {
            prizes[seat.index()] = part;
        }
        // If there is a pot, a player whose share is 0 is not a winner.
        let winners = if settings.pot > 0 { prizes.iter().filter(|&&prize| prize > 0).count() } else { winners };
        Self { ranking, winners: u32::try_from(winners).unwrap_or(u32::MAX), prizes }
    }

    /// The sum of the prizes.
    pub fn paid(&self) -> u64 {
        self.prizes.iter().sum()
    }

    /// The places on the podium that all players are sent.
    pub fn places(&self, seats: &[Held]) -> Vec<Place> {
        let shown = self.ranking.iter().take(PLACES);
        let place = |&(place, seat): &(u32, Seat)| {
            let held = &seats[seat.index()];
            Place { place, seat, name: held.name.clone(), score: held.score, prize: self.prizes[seat.index()] }
        };
        shown.map(place).collect()
    }
}

/// The ranking: seats in play before seats that are out, later out before earlier, more points before fewer, less time
/// before more. Equal seats share a place and are ordered by seat number.
fn ranking(seats: &[Held]) -> Vec<(u32, Seat)> {
    let merit = |held: &Held| {
        let out_at = if held.alive { u16::MAX } else { held.out_at };
        (Reverse(out_at), Reverse(held.score), held.time)
    };
    let ranked = (0..).map(Seat).zip(seats).filter(|(_, held)| held.removed.is_none());
    let mut ranked: Vec<_> = ranked.map(|(seat, held)| (merit(held), seat)).collect();
    ranked.sort_unstable();
    let mut ranking: Vec<(u32, Seat)> = Vec::with_capacity(ranked.len());
    for (index, (merit, seat)) in ranked.iter().enumerate() {
        let equal = index.checked_sub(1).filter(|&before| ranked[before].0 == *merit);
        let place = equal.map_or_else(|| u32::try_from(index + 1).unwrap_or(u32::MAX), |before| ranking[before].0);
        ranking.push((place, *seat));
    }
    ranking
}

/// The number of entries from the top of the ranking that may win.
fn winners(settings: &Settings, seats: &[Held], ranking: &[(u32, Seat)]) -> usize {
    let first =
        |wins: &dyn Fn(&Held) -> bool| ranking.iter().take_while(|(_, seat)| wins(&seats[seat.index()])).count();
    if !settings.mode.eliminates() {
        return first(&|held| held.score > 0);
    }
    let alive = first(&|held| held.alive);
    if alive > 0 || settings.nobody_left == NobodyLeft::Rollover {
        return alive;
    }
    let last = ranking.first().map(|(_, seat)| seats[seat.index()].out_at);
    first(&|held| Some(held.out_at) == last)
}

/// The seats in play with the most points; equal ones are ordered by seat number.
pub fn leaders(seats: &[Held], rank_of: impl Fn(&Held) -> u32) -> Vec<Leader> {
    let mut best: Vec<(Seat, &Held)> = (0..).map(Seat).zip(seats).filter(|(_, held)| held.alive).collect();
    best.sort_by_key(|(seat, held)| (Reverse(held.score), *seat));
    let leader =
        |(seat, held): (Seat, &Held)| Leader { rank: rank_of(held), seat, name: held.name.clone(), score: held.score };
    best.into_iter().take(LEADERS).map(leader).collect()
}
