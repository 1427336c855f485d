//! The end of a show: who has which place, and what was won.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Place, Podium, ToPlayer};
use klaxon_protocol::time::Millis;

use super::super::bingo::BingoBook;
use super::super::outcome::{Final, Outcome};
use super::book::RundownBook;

/// How many places a podium has.
const PLACES: usize = 100;

/// More is better: winnings, then points, then how long the seat stayed in play.
type Merit = (u64, i64, u16);

impl RundownBook {
    fn merit(&self, seat: Seat) -> Merit {
        let line = self.ledger.line(seat);
        (line.winnings, line.points, line.out.map_or(u16::MAX, |round| round.0))
    }

    /// All who have a place, best first: equals share one, and are in order of seats.
    fn ranking(&self) -> Vec<(u32, Seat)> {
        let counts = |seat: &Seat| !self.ledger.removed.contains(seat) || self.ledger.line(*seat).winnings > 0;
        let mut seats: Vec<Seat> = self.ledger.all().filter(counts).collect();
        seats.sort_by_key(|&seat| (Reverse(self.merit(seat)), seat));
        let mut ranking: Vec<(u32, Seat)> = Vec::with_capacity(seats.len());
        for (place, seat) in (1..).zip(seats) {
            let equal = ranking.last().filter(|(_, above)| self.merit(*above) == self.merit(seat));
            ranking.push((equal.map_or(place, |&(place, _)| place), seat));
        }
        ranking
    }

    /// What can be won in all parts together.
    pub(super) fn pot(&self) -> u64 {
        self.setup.pot().unwrap_or_default()
    }

    pub(super) fn make_podium(&mut self, now: Millis) -> ToPlayer {
        let ranking = self.ranking();
        let paid: u64 = self.ledger.all().map(|seat| self.ledger.line(seat).winnings).sum();
        let pot = self.pot() + self.bingo.as_ref().map_or(0, BingoBook::paid_beyond);
        let anyone_out = self.ledger.all().any(|seat| self.ledger.line(seat).out.is_some());
        let is_winner = |&&(place, seat): &&(u32, Seat)| {
            let line = self.ledger.line(seat);
            if self.pot() > 0 {
                line.winnings > 0
            } else {
                place == 1 && line.out.is_none() && (line.points > 0 || anyone_out)
            }
        };
        let score = |seat: Seat| u32::try_from(self.ledger.line(seat).points.max(0)).unwrap_or(u32::MAX);
        let places = ranking.iter().take(PLACES).filter_map(|&(place, seat)| {
            let (_, name) = self.people.get(seat.index())?;
            let prize = self.ledger.line(seat).winnings;
            Some(Place { place, seat, name: name.clone(), score: score(seat), prize })
        });
        let podium = Podium {
            places: places.collect(),
            winners: u32::try_from(ranking.iter().filter(is_winner).count()).unwrap_or(u32::MAX),
            pot,
            paid,
            rolled_over: pot.saturating_sub(paid),
            currency: self.setup.currency.clone(),
            seq: self.seq.next(),
            at: now,
        };
        self.next_seq();
        self.podium = Some(podium.clone());
        ToPlayer::Podium(podium)
    }
}

/// What a show came to for each seat, to compare the database with.
pub(in crate::audit) fn outcome(book: &RundownBook) -> Outcome {
    let places: BTreeMap<Seat, u32> = book.ranking().into_iter().map(|(place, seat)| (seat, place)).collect();
    let players = book.ledger.all().zip(&book.people).map(|(seat, (player, name))| {
        let line = book.ledger.line(seat);
        let won = book.bingo.as_ref().map_or(0, |bingo| bingo.won_by(seat));
        Final {
            player: player.clone(),
            name: name.clone(),
            alive: book.ledger.plays(seat),
            lives: line.lives,
            score: u32::try_from(line.points.max(0)).unwrap_or(u32::MAX),
            right_answers: won + book.quizzes.values().map(|quiz| quiz.rights(seat)).sum::<u32>(),
            place: places.get(&seat).copied().unwrap_or_default(),
            prize: line.winnings,
        }
    });
    Outcome { players: players.collect(), answers: BTreeMap::new(), podium: book.podium.clone() }
}
