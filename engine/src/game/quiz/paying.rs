//! The prizes of a quiz: who wins what at its end.

use std::cmp::Reverse;

use klaxon_protocol::games::quiz::{NAMED, PrizeWinner, PrizesPaid, QuizEvent, QuizPrizes};
use klaxon_protocol::games::rundown::Standing;
use klaxon_protocol::games::trivia::NobodyLeft;
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::link::Personal;
use serde::Serialize;

use super::QuizPart;
use crate::game::personal::for_each_seat_by;
use crate::game::places::ranked;
use crate::game::prizes::{by_place, evenly};
use crate::game::rundown::Stage;

/// What a winner is told.
#[derive(Serialize)]
struct WonPrize {
    prize: Won,
    #[serde(flatten)]
    standing: Standing,
}

/// A place, and what it won.
#[derive(Serialize)]
struct Won {
    place: u32,
    amount: u64,
}

impl QuizPart {
    /// Pays the prizes, and tells who won.
    pub(super) fn pay(&self, stage: &mut Stage<'_>) {
        let Some(prizes) = &self.quiz.prizes else { return };
        let pot = prizes.pot().expect("a setup with more to win than a number can hold is refused");
        let won = if stage.pays && self.has_counted() { self.won(stage, prizes) } else { Vec::new() };
        let mut by_seat = vec![None; stage.ledger.seats() as usize];
        for &PrizeWinner { place, seat, amount } in &won {
            stage.ledger.pay(seat, amount);
            by_seat[seat.index()] = Some((place, amount));
        }
        let paid = won.iter().map(|winner| winner.amount).sum();
        let count = u32::try_from(won.len()).expect("settings allow 10 million seats at most");
        let personal = told_to_winners(stage, &by_seat);
        let winners = won.into_iter().take(NAMED).collect();
        stage.tell_between(QuizEvent::Prizes(PrizesPaid { pot, paid, count, winners }), personal);
    }

    /// Whether a question with a right answer counts: before that nobody has done anything to win.
    fn has_counted(&self) -> bool {
        let counts = |asked: &super::AskedQuestion| asked.reveal.is_some() && !asked.voided;
        self.asked.iter().any(|asked| counts(asked) && self.kind(asked.index).has_right())
    }

    /// Those who win something, best first.
    fn won(&self, stage: &Stage<'_>, prizes: &QuizPrizes) -> Vec<PrizeWinner> {
        let all = (0..stage.ledger.seats()).map(Seat);
        let points = |seat: Seat| stage.ledger.line(seat).points;
        let order = |seat: Seat| Reverse(if self.quiz.mode.scores() { points(seat) } else { 0 });
        let playing = all.filter(|&seat| stage.plays(seat));
        let (ranking, amounts) = match prizes {
            QuizPrizes::Survivors { pot, nobody_left } => {
                let mut ranking = ranked(playing, order);
                if ranking.is_empty() && *nobody_left == NobodyLeft::LastStanding {
                    ranking = ranked(self.last_standing(stage), order);
                }
                let amounts = if ranking.is_empty() { Vec::new() } else { evenly(*pot, ranking.len()) };
                (ranking, amounts)
            }
            QuizPrizes::Places { amounts } => {
                let ranking = ranked(playing.filter(|&seat| points(seat) > 0), order);
                let places: Vec<u32> = ranking.iter().map(|&(place, _)| place).collect();
                (ranking, by_place(amounts, &places))
            }
        };
        let won = ranking.into_iter().zip(amounts).filter(|(_, amount)| *amount > 0);
        won.map(|((place, seat), amount)| PrizeWinner { place, seat, amount }).collect()
    }

    /// Those who were the last to leave, all in one question of this quiz.
    fn last_standing<'s>(&self, stage: &'s Stage<'_>) -> impl Iterator<Item = Seat> + use<'s> {
        let first = self.asked.first().map_or(RoundId(u16::MAX), |asked| asked.round);
        let left_at = move |seat: Seat| {
            let out = stage.ledger.line(seat).out.filter(|round| *round >= first);
            out.filter(|_| !stage.look().is_kept_out(seat))
        };
        let all = move || (0..stage.ledger.seats()).map(Seat);
        let last = all().filter_map(left_at).max();
        all().filter(move |&seat| last.is_some() && left_at(seat) == last)
    }
}

/// The winners' messages: those who won the same and have the same share one.
fn told_to_winners(stage: &Stage<'_>, by_seat: &[Option<(u32, u64)>]) -> Personal {
    let won = |seat: Seat| by_seat.get(seat.index()).copied().flatten();
    let key = |seat: Seat| {
        let Some((place, amount)) = won(seat) else { return [u64::MAX; 5] };
        let Standing { in_play, lives, points, winnings } = stage.standing(seat);
        let small = u64::from(in_play) | u64::from(lives) << 1;
        [u64::from(place), amount, small, points.cast_unsigned(), winnings]
    };
    let message = |seat: Seat| {
        let (place, amount) = won(seat).unwrap_or_default();
        stage.own(WonPrize { prize: Won { place, amount }, standing: stage.standing(seat) })
    };
    let mut personal = for_each_seat_by(stage.ledger.seats(), key, message);
    for (seat, shape) in (0..).map(Seat).zip(&mut personal.by_seat) {
        if won(seat).is_none() {
            *shape = Personal::NONE;
        }
    }
    personal
}
