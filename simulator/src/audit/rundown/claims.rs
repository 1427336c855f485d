//! Which claims count in a round of a quiz.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::journal::CountedClaim;
use klaxon_protocol::player::Phase;

use super::super::quiz::QuizBook;
use super::book::{QuizRound, RundownBook};

impl RundownBook {
    /// A claim that the journal counts. What the book does not count is a problem, unless the host's removal of the player or a
    /// correction of points came between its acceptance and its record.
    pub(super) fn count(&mut self, round: RoundId, claim: &CountedClaim) {
        let Some(part) = self.round.as_ref().map(|last| last.part) else { return };
        let Some(quiz) = self.quizzes.get_mut(&part) else { return };
        let CountedClaim { seat, key, value, at } = claim;
        let last = self.round.as_ref().filter(|last| last.id == round);
        let is_open = matches!(self.phase, Phase::Question | Phase::Closing);
        let Some(last) = last.filter(|last| is_open && !last.voided) else {
            let what = format!("a claim of seat {seat} counts in a round that is over");
            return self.problems.push((round, what));
        };
        if self.ledger.removed.contains(seat) {
            return;
        }
        let points = self.ledger.line(*seat).points;
        let was_corrected = self.rounds.get(&round).is_some_and(|round| round.corrected.contains(seat));
        let takes = quiz.last().is_some_and(|asked| asked.question.takes(*key, value, points));
        let why = match (quiz.keeps_out(*seat, &self.ledger), last.clock.elapsed(*at)) {
            (Some(why), _) => why,
            (None, None) => "that was read when the round was not open",
            (None, Some(_)) if !takes && was_corrected => return,
            (None, Some(_)) if !takes => "that is not possible",
            (None, Some(elapsed)) => {
                // The first one stands; promise 1 reports a second.
                if !quiz.has_answered(*seat, *key) {
                    quiz.count(*seat, *key, value, *at, elapsed);
                }
                return;
            }
        };
        self.problems.push((round, format!("a claim counts {why}: seat {seat}, key {key}, {value}")));
    }

    /// Keeps what replies to the claims of a round that begins are judged by.
    pub(super) fn note_round(&mut self, id: RoundId, begun_at: klaxon_protocol::time::Millis) {
        let Some(quiz) = self.quiz() else { return };
        let Some(asked) = quiz.last() else { return };
        let question = asked.question.clone();
        let is_wager = question.is_wager();
        let kept_out = self.ledger.all().filter(|&seat| quiz.keeps_out(seat, &self.ledger).is_some()).collect();
        let points = self.ledger.all().filter(|_| is_wager).map(|seat| self.ledger.line(seat).points).collect();
        let corrected = std::collections::BTreeSet::new();
        let part = self.part.unwrap_or_default();
        self.rounds.insert(id, QuizRound { part, question, begun_at, points, corrected, kept_out, voided: false });
    }
}

impl QuizRound {
    /// Whether a claim was possible for this seat.
    pub fn took(&self, seat: Option<Seat>, key: ClaimKey, value: &ClaimValue) -> bool {
        let points = seat.and_then(|seat| self.points.get(seat.index())).copied().unwrap_or_default();
        self.question.takes(key, value, points)
    }
}

impl QuizBook {
    fn has_answered(&self, seat: Seat, key: ClaimKey) -> bool {
        self.answer(seat).is_some_and(|values| values.contains_key(&key))
    }
}
