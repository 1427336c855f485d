//! The end of a show: the podium, and the results for the archive.

use std::cmp::Reverse;
use std::sync::Arc;

use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::ids::{Seat, ShowId};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, Mark, Phase, Place, Podium, Prize, ToPlayer};
use klaxon_protocol::time::Millis;

use super::Rundown;
use super::stage::of_part;
use crate::game::Effect;
use crate::game::places::ranked;
use crate::game::results::{Played, PlayerResults, RoundResult, ShowResults, ShowSummary};

/// How many players the podium lists.
const PLACES: usize = 100;

/// The order of the podium: by winnings, then by points, then who stayed in play longer.
type PodiumOrder = (Reverse<u64>, Reverse<i64>, Reverse<u16>);

impl Rundown {
    /// Ends the show: the part that is played is finished, then come the podium with all winnings, and the end.
    pub(super) fn end(&mut self, now: Millis, pay: bool) -> Vec<Effect> {
        let mut effects = self.finish(now, pay);
        effects.append(&mut self.end_all_suspensions(now));
        effects.append(&mut self.tell_team_places(now));
        let ranking = self.ranking();
        let podium = self.podium(now, &ranking);
        let personal = self.prizes();
        let end = Mark { seq: self.next_seq(), at: now };
        self.podium = Some(podium.clone());
        self.steps.ended_at = Some(now);
        (self.steps.paused, self.steps.autopilot) = (false, false);
        self.course.phase = Phase::Ended;
        self.plan_step(now);
        effects.push(Effect::Tell(ToPlayer::Podium(podium), Some(Arc::new(personal))));
        effects.push(Effect::Tell(ToPlayer::End(end), None));
        effects
    }

    fn podium(&mut self, now: Millis, ranking: &[(u32, Seat)]) -> Podium {
        let places = ranking.iter().take(PLACES).filter_map(|&(place, seat)| {
            let (name, line) = (self.people.roster.name(seat)?.clone(), self.ledger.line(seat));
            Some(Place { place, seat, name, score: line.score(), prize: line.winnings })
        });
        let paid_beyond: u64 = self.parts.iter().map(|part| part.paid_beyond()).sum();
        let (pot, paid) = (self.pot + paid_beyond, self.ledger.paid());
        Podium {
            places: places.collect(),
            winners: self.winners(ranking),
            pot,
            paid,
            rolled_over: pot.checked_sub(paid).expect("no part pays more than its prizes and what it says beyond them"),
            currency: self.setup.currency.clone(),
            seq: self.next_seq(),
            at: now,
        }
    }

    fn podium_order(&self, seat: Seat) -> PodiumOrder {
        let line = self.ledger.line(seat);
        (Reverse(line.winnings), Reverse(line.points), Reverse(line.out.map_or(u16::MAX, |round| round.0)))
    }

    /// All players whom the host did not remove or who had won by then, best first, with their places; ties share a place and are ordered
    /// by seat.
    fn ranking(&self) -> Vec<(u32, Seat)> {
        let counts = |seat: &Seat| !self.people.removed.contains(*seat) || self.ledger.line(*seat).winnings > 0;
        ranked((0..self.ledger.seats()).map(Seat).filter(counts), |seat| self.podium_order(seat))
    }

    /// How many won something. In a show without prizes: how many share the first place, if that takes more than having come.
    fn winners(&self, ranking: &[(u32, Seat)]) -> u32 {
        let did_something = |seat: Seat| self.ledger.line(seat).points > 0 || self.ledger.out() > 0;
        let won = |&&(place, seat): &&(u32, Seat)| match self.pot {
            0 => place == 1 && self.ledger.is_in_play(seat) && did_something(seat),
            _ => self.ledger.line(seat).winnings > 0,
        };
        u32::try_from(ranking.iter().filter(won).count()).expect("settings allow 10 million seats at most")
    }

    /// What each winner is told: those who won the same share a message.
    fn prizes(&self) -> Personal {
        let winnings = |seat| self.ledger.line(seat).winnings;
        let winners: Vec<Seat> = (0..self.ledger.seats()).map(Seat).filter(|&seat| winnings(seat) > 0).collect();
        let mut amounts: Vec<u64> = winners.iter().map(|&seat| winnings(seat)).collect();
        amounts.sort_unstable();
        amounts.dedup();
        let mut by_seat = vec![Personal::NONE; winners.last().map_or(0, |seat| seat.index() + 1)];
        for seat in winners {
            let shape = amounts.partition_point(|&other| other < winnings(seat));
            by_seat[seat.index()] = u32::try_from(shape).expect("there are no more amounts than seats");
        }
        let currency = &self.setup.currency;
        let shapes = amounts.into_iter().map(|amount| ToPlayer::Prize(Prize { amount, currency: currency.clone() }));
        Personal { shapes: shapes.collect(), by_seat }
    }

    /// None before the end.
    pub(super) fn show_results(&self, show: ShowId) -> Option<ShowResults> {
        let (ended_at, podium) = (self.steps.ended_at?, self.podium.as_ref()?);
        let summary = ShowSummary {
            show,
            code: self.code.clone(),
            title: self.title.clone(),
            played: Played::Game(game_name()),
            created_at: self.steps.created_at,
            ended_at,
            joined: self.people.roster.seated(),
            pot: podium.pot,
            currency: podium.currency.clone(),
            paid: podium.paid,
            rolled_over: podium.rolled_over,
        };
        let mut places = vec![0; self.ledger.seats() as usize];
        for (place, seat) in self.ranking() {
            places[seat.index()] = place;
        }
        let player = |seat: Seat| {
            let line = self.ledger.line(seat);
            Some(PlayerResults {
                seat,
                player: self.people.roster.kept_player(show, seat)?,
                name: self.people.roster.name(seat)?.clone(),
                alive: self.look().plays(seat),
                lives: line.lives,
                score: line.score(),
                right_answers: self.parts.iter().map(|part| part.right_claims(seat)).sum(),
                out_at: line.out,
                place: places[seat.index()],
                prize: line.winnings,
            })
        };
        let players = (0..self.ledger.seats()).map(Seat).filter_map(player).collect();
        let rounds = (0..).zip(&self.parts).flat_map(|(part, played)| {
            let results = played.results().into_iter();
            results
                .map(move |RoundResult { round, body: Body(body) }| RoundResult { round, body: of_part(part, &body) })
        });
        let rounds = self.team_results().into_iter().chain(rounds).collect();
        Some(ShowResults { summary, questions: Vec::new(), players, rounds })
    }
}
