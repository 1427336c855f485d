//! Judging of one question: what its answers earn and cost, in the show itself or when its questions are judged again.

use klaxon_protocol::games::quiz::{AnswerOutcome, Buzzer, Kind, Quiz, Scoring, Wager};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;

use super::answers::SeatAnswers;
use super::floor::Buzzing;
use super::judge::points::{Timing, gained};
use super::judge::{Mark, buzzer, wager};
use super::marks::Marks;
use super::seats::QuizSeats;
use super::sheet::Rule;
use super::undo::{RevealUndo, lose};
use super::{AskedQuestion, QuizPart};
use crate::game::people::SeatSet;
use crate::game::rundown::{Ledger, Teams};

/// A question that is judged.
pub struct Judging<'q> {
    pub quiz: &'q Quiz,
    /// The questions that were asked up to this one, which is the last of them.
    pub asked: &'q [AskedQuestion],
    pub answers: &'q SeatAnswers,
    /// The seats that could answer it and were not removed since. Those of them count that are in play when it is judged.
    pub playing: &'q SeatSet,
    pub buzzing: Option<&'q Buzzing>,
    /// All the time that players had.
    pub total: Span,
    /// The teams, of which one member each can be paid by place.
    pub teams: Option<&'q Teams>,
}

/// What judging a question found.
#[derive(Default)]
pub struct Found {
    pub right_answers: u32,
    /// Those who are paid by place, best first.
    pub winners: Vec<Seat>,
    /// The most frequent choices, if these are right.
    pub frequent: Option<Vec<u8>>,
    pub all_stay: bool,
    /// Counted answers by choice, if there are choices.
    pub counts: Vec<u32>,
    /// How many seats answered.
    pub answered: u32,
}

impl Judging<'_> {
    /// Applies the question to every seat.
    pub fn judge(&self, ledger: &mut Ledger, seats: &mut QuizSeats, undo: &mut RevealUndo) -> Found {
        let (counts, answered) = self.counts(ledger);
        let found = match self.kind() {
            Kind::Buzzer(_) => self.judge_buzzer(ledger, seats, undo),
            Kind::Wager(wager) => {
                seats.stakes = self.stakes(wager, ledger);
                self.note_answers(ledger, undo)
            }
            kind if kind.has_right() => self.judge_all(&counts, ledger, seats, undo),
            _ => self.note_answers(ledger, undo),
        };
        Found { counts, answered, ..found }
    }

    fn last(&self) -> &AskedQuestion {
        self.asked.last().expect("a question is judged after it was asked")
    }

    fn kind(&self) -> &Kind {
        &self.quiz.questions[self.last().index].kind
    }

    /// The seats that the question counts for, in order.
    fn seats(&self, ledger: &Ledger) -> impl Iterator<Item = Seat> {
        self.playing.iter().filter(|&seat| ledger.is_in_play(seat))
    }

    /// The answers by choice, and how many there are; without those of seats that a correction of an earlier question took out of play.
    fn counts(&self, ledger: &Ledger) -> (Vec<u32>, u32) {
        let (values, mut counts) = (&self.last().sheet.values, self.last().counts.clone());
        let mut answered = self.answers.count();
        if self.quiz.mode.eliminates() {
            let is_out = |seat: Seat| self.playing.contains(seat) && !ledger.is_in_play(seat);
            for (_, bits, _) in self.answers.iter().filter(|(seat, _, _)| is_out(*seat)) {
                answered -= 1;
                if !counts.is_empty() {
                    values.count_choices(&mut counts, bits, |count| *count -= 1);
                }
            }
        }
        (counts, answered)
    }

    /// Applies a question that all can answer to every seat in play.
    fn judge_all(&self, counts: &[u32], ledger: &mut Ledger, seats: &mut QuizSeats, undo: &mut RevealUndo) -> Found {
        let quiz = self.quiz;
        let asked = self.last();
        let (eliminates, is_staked) = (quiz.mode.eliminates(), is_staked(quiz, self.asked));
        let playing: Vec<Seat> = self.seats(ledger).collect();
        let scoring = self.scoring();
        let lives_count = quiz.last_question_lives || !is_last_to_eliminate(quiz, asked.index);
        let places = self.kind().places().unwrap_or_default();
        let plays = |seat: Seat| self.playing.contains(seat) && ledger.is_in_play(seat);
        let marks = Marks::new(&asked.sheet.rules, self.answers, counts, places.len(), self.teams, plays);
        let mut found = Found { winners: marks.best().to_vec(), frequent: marks.frequent(), ..Found::default() };
        let any_right = || playing.iter().any(|&seat| marks.of(seat, self.answers.get(seat)).is_right());
        found.all_stay = eliminates && quiz.all_wrong_all_stay && !playing.is_empty() && !any_right();
        // A question without points leaves streaks as they are.
        let has_streak = scoring.points > 0 || !places.is_empty() || is_staked;
        for &seat in &playing {
            let index = seat.index();
            let mark = marks.of(seat, self.answers.get(seat));
            undo.outcomes[index] = outcome(mark);
            if quiz.mode.scores() {
                let (elapsed, total) = (self.answers.elapsed(seat), self.total);
                let timing = Timing { elapsed, total, streak: seats.streak(seat) };
                let earned = if is_staked {
                    wager::outcome(seats.stake(seat), mark)
                } else {
                    gained(scoring, places, mark, timing)
                };
                undo.give(ledger, seat, limited(quiz, ledger, seat, earned));
            }
            if mark.is_right() {
                found.right_answers += 1;
                seats.rights[index] = seats.rights[index].saturating_add(1);
            } else if eliminates && !found.all_stay {
                undo.note(seat, lose(ledger, seat, asked.round, lives_count));
            }
            if has_streak {
                seats.streaks[index] = if mark.is_right() { seats.streaks[index].saturating_add(1) } else { 0 };
            }
        }
        found
    }

    /// Pays those whose answers to a buzzer were judged. Streaks stay as they are, for only one player can answer.
    fn judge_buzzer(&self, ledger: &mut Ledger, seats: &mut QuizSeats, undo: &mut RevealUndo) -> Found {
        self.note_answers(ledger, undo);
        let scoring = Scoring { speed: 0, streak: 0, ..self.scoring() };
        let Some(buzzing) = self.buzzing else { return Found::default() };
        let (right, wrong) = self.buzzes(buzzing);
        let timing = Timing { elapsed: Span(0), total: Span(1), streak: 0 };
        let judged = wrong.iter().map(|&seat| (seat, Mark::Wrong));
        for (seat, mark) in judged.chain(right.map(|seat| (seat, Mark::Right))) {
            undo.outcomes[seat.index()] = outcome(mark);
            // Their removal after the judgement does not change it.
            let earned = gained(scoring, &[], mark, timing);
            undo.give(ledger, seat, limited(self.quiz, ledger, seat, earned));
            if mark.is_right() {
                let rights = &mut seats.rights[seat.index()];
                *rights = rights.saturating_add(1);
            }
        }
        Found { right_answers: u32::from(right.is_some()), winners: right.into_iter().collect(), ..Found::default() }
    }

    /// Who was right and who was wrong of those who buzzed: as the host judged or, with choices, as they chose.
    pub fn buzzes(&self, buzzing: &Buzzing) -> (Option<Seat>, Vec<Seat>) {
        match self.kind() {
            Kind::Buzzer(Buzzer { choices: Some(_), wrong, .. }) => {
                let rules = &self.last().sheet.rules;
                let is_one =
                    |said: Option<u64>| rules.iter().any(|rule| matches!(rule, Rule::Buzzer(right) if *right == said));
                let is_right = |seat| self.answers.get(seat).is_some_and(|said| is_one(Some(said)));
                buzzer::judge(&buzzing.order, is_right, *wrong)
            }
            _ => (buzzing.right, buzzing.wrong.clone()),
        }
    }

    /// What each seat stakes on the next question.
    fn stakes(&self, wager: &Wager, ledger: &Ledger) -> Vec<u32> {
        let stake = |seat: Seat| {
            let said = self.answers.get(seat);
            said.map_or(0, |said| wager::staked(wager.stake, wager.most, ledger.line(seat).points, said))
        };
        (0..ledger.seats()).map(Seat).map(stake).collect()
    }

    /// Notes who answered where nothing is right or wrong.
    fn note_answers(&self, ledger: &Ledger, undo: &mut RevealUndo) -> Found {
        for seat in self.seats(ledger) {
            let answered = self.answers.get(seat).is_some();
            undo.outcomes[seat.index()] = if answered { AnswerOutcome::Counted } else { AnswerOutcome::Silent };
        }
        Found::default()
    }

    /// How answers to this question are paid.
    fn scoring(&self) -> Scoring {
        let scoring = self.quiz.scoring(&self.quiz.questions[self.last().index]);
        // Not to be among the nearest is not wrong.
        let is_nearest = matches!(self.last().sheet.rules[..], [Rule::Nearest(_), ..]);
        if is_nearest { Scoring { penalty: 0, ..scoring } } else { scoring }
    }
}

impl QuizPart {
    /// The last question, to be judged with these seats playing.
    pub(super) fn judging<'q>(&'q self, playing: &'q SeatSet, total: Span, teams: Option<&'q Teams>) -> Judging<'q> {
        let Self { quiz, asked, answers, buzzing, .. } = self;
        Judging { quiz, asked, answers, playing, buzzing: buzzing.as_ref(), total, teams }
    }
}

/// Whether the last of these questions pays the stakes of the wager before it.
fn is_staked(quiz: &Quiz, asked: &[AskedQuestion]) -> bool {
    let [.., wager, asked] = asked else { return false };
    let is_wager = matches!(quiz.questions[wager.index].kind, Kind::Wager(_));
    is_wager && !wager.voided && wager.index + 1 == asked.index
}

/// Whether this question is the last one that can eliminate players.
pub fn is_last_to_eliminate(quiz: &Quiz, index: usize) -> bool {
    !quiz.questions.iter().skip(index + 1).any(|question| question.kind.eliminates())
}

const fn outcome(mark: Mark) -> AnswerOutcome {
    match mark {
        Mark::Silent => AnswerOutcome::Silent,
        Mark::Wrong => AnswerOutcome::Wrong,
        Mark::Partly(_) => AnswerOutcome::Partly,
        Mark::Right | Mark::Placed(_) => AnswerOutcome::Right,
    }
}

/// These points, which cost a seat no more than it has unless points can be below 0.
fn limited(quiz: &Quiz, ledger: &Ledger, seat: Seat, points: i64) -> i64 {
    if quiz.below_zero { points } else { points.max(-ledger.line(seat).points.max(0)) }
}
