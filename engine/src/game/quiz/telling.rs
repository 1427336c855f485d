//! What a quiz tells: each seat's result, what those see who join, and the results for the archive.

use std::cmp::Reverse;

use klaxon_protocol::games::quiz::{
    AnswerOutcome, Answered, Asked, QuizEvent, QuizLeader, QuizOwn, QuizReveal, QuizView, SeatResult,
};
use klaxon_protocol::games::rundown::Standing;
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, ToPlayer};
use serde::Serialize;

use super::judge::best::smallest;
use super::sheet::QuestionSheet;
use super::undo::RevealUndo;
use super::{AskedQuestion, QuizPart};
use crate::game::personal::for_each_seat_by;
use crate::game::results::RoundResult;
use crate::game::rundown::{Ledger, Stage};

/// How many leaders a reveal names.
const LEADERS: usize = 10;

/// A seat's result, with what it has after it.
#[derive(Serialize)]
struct ResultAndStanding {
    result: SeatResult,
    #[serde(flatten)]
    standing: Standing,
}

/// A round for the archive.
#[derive(Serialize)]
struct ArchivedRound<'q> {
    question: &'q Asked,
    #[serde(skip_serializing_if = "Option::is_none")]
    reveal: Option<&'q QuizReveal>,
    voided: bool,
}

/// The players in play with the most points: of equal ones the lower seats.
pub fn leaders(ledger: &Ledger, plays: impl Fn(Seat) -> bool) -> Vec<QuizLeader> {
    let playing = (0..ledger.seats()).map(Seat).filter(|&seat| plays(seat));
    let best = smallest(LEADERS, playing.map(|seat| (Reverse(ledger.line(seat).points), seat)));
    let mut leaders: Vec<QuizLeader> = Vec::with_capacity(best.len());
    for (place, (Reverse(points), seat)) in (1..).zip(best) {
        let rank = leaders.last().filter(|last| last.points == points).map_or(place, |last| last.rank);
        leaders.push(QuizLeader { rank, seat, points });
    }
    leaders
}

/// What a reveal did to the seat, without its rank; none if the seat came since.
pub fn result_of(round: RoundId, undo: &RevealUndo, winners: &[Seat], seat: Seat) -> Option<SeatResult> {
    let outcome = *undo.outcomes.get(seat.index())?;
    let is_right = outcome == AnswerOutcome::Right;
    let place = winners.iter().zip(1..).find(|(winner, _)| is_right && **winner == seat).map(|(_, place)| place);
    Some(SeatResult { round, outcome, gained: undo.gained[seat.index()], place, rank: None })
}

impl QuizPart {
    /// Whether players are told who leads, and their ranks.
    pub(super) const fn shows_ranks(&self) -> bool {
        self.quiz.leaderboard && self.quiz.mode.scores()
    }

    /// Each seat's result of the last reveal.
    pub(super) fn results_of_seats(&self, stage: &Stage<'_>) -> Personal {
        let ranks = if self.shows_ranks() { PointRanks::of(stage) } else { PointRanks::default() };
        let standing = |seat: Seat| stage.standing(seat);
        let result = |seat: Seat| self.result(seat).expect("results come right after a reveal");
        // Everything in which results differ: ranks follow from points and who is in play.
        let key = |seat: Seat| {
            let (result, Standing { in_play, lives, points, winnings }) = (result(seat), standing(seat));
            let place = u64::from(result.place.unwrap_or(0));
            let small = u64::from(in_play) | u64::from(lives) << 1 | (result.outcome as u64) << 8 | place << 16;
            [small, result.gained.cast_unsigned(), points.cast_unsigned(), winnings]
        };
        for_each_seat_by(stage.ledger.seats(), key, |seat| {
            let standing = standing(seat);
            let rank = ranks.of_points(standing.points).filter(|_| standing.in_play);
            stage.own(ResultAndStanding { result: SeatResult { rank, ..result(seat) }, standing })
        })
    }

    /// What each seat has, after a change to all.
    pub(super) fn standings_of_seats(stage: &Stage<'_>) -> Personal {
        let standing = |seat: Seat| stage.standing(seat);
        let key = |seat: Seat| {
            let Standing { in_play, lives, points, winnings } = standing(seat);
            [u64::from(in_play) | u64::from(lives) << 1, points.cast_unsigned(), winnings]
        };
        let message = |seat: Seat| -> ToPlayer { stage.own(standing(seat)) };
        for_each_seat_by(stage.ledger.seats(), key, message)
    }

    /// The seat's result of the last reveal, without its rank.
    fn result(&self, seat: Seat) -> Option<SeatResult> {
        let (asked, undo) = (self.last()?, self.undo.as_ref()?);
        result_of(asked.round, undo, &asked.reveal.as_ref()?.winners, seat)
    }

    /// The quiz for players who join.
    pub(super) fn view_body(&self) -> Body {
        let slide = self
            .course
            .on_slide
            .then(|| QuestionSheet::new(&self.quiz, usize::from(self.course.begun) - 1, &self.seed).asked);
        let last = self.last().filter(|_| slide.is_none());
        Body::of(&QuizView {
            prizes: self.quiz.prizes.clone(),
            question: slide.or_else(|| last.map(|asked| asked.sheet.asked.clone())),
            floor: last.and_then(|_| self.floor()),
            reveal: last.and_then(|asked| asked.reveal.clone()),
            voided: last.is_some_and(|asked| asked.voided),
        })
    }

    /// What a seat has. Between a question and its reveal nothing here depends on what is right.
    pub(super) fn own_body(&self, seat: Seat) -> Body {
        let keys = self.last().into_iter().flat_map(|asked| asked.sheet.values.keys());
        let answered = keys.filter_map(|key| Some(Answered { key, value: self.answers.value(seat, key)? })).collect();
        let result = self.result(seat);
        let stake = Some(self.seats.stake(seat)).filter(|_| !self.seats.stakes.is_empty());
        Body::of(&QuizOwn { answered, stake, result })
    }

    /// The results of its rounds for the archive.
    pub(super) fn archived(&self) -> Vec<RoundResult> {
        let round = |asked: &AskedQuestion| {
            let AskedQuestion { sheet, reveal, voided, round, .. } = asked;
            let body = Body::of(&ArchivedRound { question: &sheet.asked, reveal: reveal.as_ref(), voided: *voided });
            RoundResult { round: *round, body }
        };
        self.asked.iter().map(round).collect()
    }

    /// Tells the word cloud again, without a word that was in it.
    pub(super) fn tell_words(&mut self, stage: &mut Stage<'_>, players: u32) {
        let words = self.answers.cloud.most_frequent(players);
        let Some(reveal) = self.must_last().reveal.as_mut() else { return };
        reveal.words.clone_from(&words);
        stage.tell(stage.phase(), QuizEvent::Words { words });
    }
}

/// PointRanks by points, of the players in play.
#[derive(Default)]
pub struct PointRanks {
    /// All points, most first.
    points: Vec<Reverse<i64>>,
}

impl PointRanks {
    pub fn of(stage: &Stage<'_>) -> Self {
        let playing = (0..stage.ledger.seats()).map(Seat).filter(|&seat| stage.plays(seat));
        let mut points: Vec<Reverse<i64>> = playing.map(|seat| Reverse(stage.ledger.line(seat).points)).collect();
        points.sort_unstable();
        Self { points }
    }

    /// The rank of a player in play with these points, from 1; none without ranks.
    pub fn of_points(&self, points: i64) -> Option<u32> {
        let before = self.points.partition_point(|other| *other < Reverse(points));
        u32::try_from(before + 1).ok().filter(|_| !self.points.is_empty())
    }
}
