//! Who is before whom at the end, who wins, and how much.

use std::cmp::Reverse;

use klaxon_protocol::games::trivia::{NobodyLeft, Settings};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Leader, Place};

use super::prizes::divide;
use super::seats::Held;

/// How many places a podium names, and how many lead the standings.
const PLACES: usize = 100;
const LEADERS: usize = 10;

/// How the show ended.
#[derive(Debug, Default, Clone)]
pub struct Ending {
    /// Everybody whom the host did not take out, best first.
    pub ranking: Vec<(u32, Seat)>,
    /// How many win something; without a pot, how many would have.
    pub winners: u32,
    /// What each seat wins.
    pub prizes: Vec<u64>,
}

impl Ending {
    /// The podium as things stand; there are no winners unless it `pays`.
    pub fn of(settings: &Settings, seats: &[Held], pays: bool) -> Self {
        let ranking = ranking(seats);
        let winners = if pays { winners(settings, seats, &ranking) } else { 0 };
        let places: Vec<u32> = ranking.iter().take(winners).map(|&(place, _)| place).collect();
        let mut prizes = vec![0; seats.len()];
        for (part, &(_, seat)) in divide(settings.pot, &settings.prize, &places).into_iter().zip(&ranking) {
            prizes[seat.index()] = part;
        }
        // Where there is something to win, a player whose part is nothing is no winner.
        let winners = if settings.pot > 0 { prizes.iter().filter(|&&prize| prize > 0).count() } else { winners };
        Self { ranking, winners: u32::try_from(winners).unwrap_or(u32::MAX), prizes }
    }

    /// What is paid.
    pub fn paid(&self) -> u64 {
        self.prizes.iter().sum()
    }

    /// The places that everybody is shown.
    pub fn places(&self, seats: &[Held]) -> Vec<Place> {
        let shown = self.ranking.iter().take(PLACES);
        let place = |&(place, seat): &(u32, Seat)| {
            let held = &seats[seat.index()];
            Place { place, seat, name: held.name.clone(), score: held.score, prize: self.prizes[seat.index()] }
        };
        shown.map(place).collect()
    }
}

/// In play before out, later out before earlier, more points before fewer, less time before more; equals share a place and stand by
/// seat.
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

/// How many from the top of the ranking may win.
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

/// The best by points among those in play; equals stand by seat.
pub fn leaders(seats: &[Held], rank_of: impl Fn(&Held) -> u32) -> Vec<Leader> {
    let mut best: Vec<(Seat, &Held)> = (0..).map(Seat).zip(seats).filter(|(_, held)| held.alive).collect();
    best.sort_by_key(|(seat, held)| (Reverse(held.score), *seat));
    let leader =
        |(seat, held): (Seat, &Held)| Leader { rank: rank_of(held), seat, name: held.name.clone(), score: held.score };
    best.into_iter().take(LEADERS).map(leader).collect()
}
