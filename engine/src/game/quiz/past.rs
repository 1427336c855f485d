//! The past of a quiz, from which its questions are judged again: what the seats had at first, and each step that changed it since.

use std::collections::{BTreeMap, VecDeque};

use klaxon_protocol::games::quiz::{Kind, Late, QuizLeader, Right};
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::time::{Millis, Span};

use super::answers::SeatAnswers;
use super::floor::Buzzing;
use super::judging::{Found, Judging};
use super::reveal::count_as_silent;
use super::seats::QuizSeats;
use super::sheet::accepts;
use super::undo::RevealUndo;
use super::{QuizPart, telling};
use crate::game::people::SeatSet;
use crate::game::rundown::{HostChange, Ledger, Look, Teams};

/// How many bytes of answers are kept beside those to the last question: eight questions of a million players, all of most shows. In tests
/// less, so that they have more.
const KEPT_BYTES: usize = if cfg!(test) { 6_000 } else { 96_000_000 };

/// What is needed to judge questions again.
pub struct Past {
    /// What seats had before the first step.
    ledger: Ledger,
    seats: QuizSeats,
    /// The mean of all points then.
    mean: i64,
    steps: VecDeque<PastStep>,
    /// How much memory they take.
    bytes: usize,
}

/// Something that changed what seats have.
enum PastStep {
    Judged(Box<JudgedQuestion>),
    /// The host gave points or lives.
    Given {
        change: HostChange,
        kept_out: SeatSet,
    },
    /// A player came, and began with the mean.
    Taken(Seat),
    /// A player was restored, and counts as silent from this round on.
    Silent {
        seat: Seat,
        from: RoundId,
        kept_out: SeatSet,
    },
    /// The question at this place is void, whether it was revealed by then or not.
    Void {
        at: usize,
        kept_out: SeatSet,
    },
}

/// A question that was revealed.
struct JudgedQuestion {
    /// Its place among those that were asked.
    at: usize,
    playing: SeatSet,
    total: Span,
    buzzing: Option<Buzzing>,
    /// None if it is the last one, or if nothing is right or wrong in it.
    answers: Option<SeatAnswers>,
    /// Whom the host kept out of play at its reveal.
    kept_out: SeatSet,
}

/// The outcome of judging questions again.
pub struct Again {
    pub ledger: Ledger,
    pub seats: QuizSeats,
    /// The mean of all points, as those begin with it who come late.
    pub mean: i64,
    /// The questions from the one that is corrected on.
    pub judged: Vec<JudgedAgain>,
    /// What was done to each seat by that one, and by the last one.
    undos: BTreeMap<usize, RevealUndo>,
    /// The place of the last one.
    last: Option<usize>,
    /// Whether all stayed in a question because all were wrong; none if it is void.
    all_stay: BTreeMap<usize, Option<bool>>,
}

/// A question that was judged again.
pub struct JudgedAgain {
    pub at: usize,
    pub found: Found,
    /// How many are in play after it.
    pub in_play: u32,
    pub leaders: Vec<QuizLeader>,
}

impl PastStep {
    /// About how much memory it takes, in bytes.
    fn bytes(&self) -> usize {
        let beside = match self {
            Self::Judged(question) => question.answers.as_ref().map_or(0, SeatAnswers::bytes),
            Self::Given { kept_out, .. } | Self::Silent { kept_out, .. } | Self::Void { kept_out, .. } => {
                size_of_val(kept_out.words())
            }
            Self::Taken(_) => 0,
        };
        size_of::<Self>() + beside
    }
}

impl Past {
    /// Before the first reveal of a quiz.
    fn new(ledger: &Ledger, mean: i64) -> Self {
        let seats = QuizSeats::default();
        Self { ledger: ledger.scratch(), seats, mean, steps: VecDeque::new(), bytes: 0 }
    }

    fn questions(&self) -> impl DoubleEndedIterator<Item = &JudgedQuestion> {
        self.steps
            .iter()
            .filter_map(|step| if let PastStep::Judged(question) = step { Some(&**question) } else { None })
    }

    fn last(&mut self) -> Option<&mut JudgedQuestion> {
        let questions = self.steps.iter_mut().rev();
        questions
            .into_iter()
            .find_map(|step| if let PastStep::Judged(question) = step { Some(&mut **question) } else { None })
    }

    /// How much it is, for the hash of the state: its content follows from what the hash has covered.
    pub fn size(&self) -> u64 {
        self.steps.len() as u64
    }
}

impl Again {
    fn new(ledger: Ledger, seats: QuizSeats, mean: i64) -> Self {
        Self { ledger, seats, mean, judged: Vec::new(), undos: BTreeMap::new(), last: None, all_stay: BTreeMap::new() }
    }

    /// What the question at this place did to each seat.
    pub fn undo(&self, at: usize) -> &RevealUndo {
        &self.undos[&at]
    }

    pub fn take_undo(&mut self, at: usize) -> Option<RevealUndo> {
        self.undos.remove(&at)
    }

    /// Takes a step of this quiz; `from`: the place of the question that is corrected.
    fn take(&mut self, quiz: &QuizPart, step: &PastStep, from: usize, teams: Option<&Teams>) {
        self.seats.grow(self.ledger.seats());
        match step {
            PastStep::Judged(question) => self.judge(quiz, question, from, teams),
            PastStep::Given { change: HostChange::Points { seat, by }, .. } => {
                self.ledger.add_points(*seat, (*by).into());
            }
            PastStep::Given { change: HostChange::Lives { seat: Some(seat), lives }, .. } => {
                if self.ledger.is_in_play(*seat) {
                    self.ledger.give_lives(*seat, *lives);
                }
            }
            PastStep::Given { change: HostChange::Lives { seat: None, lives }, kept_out } => {
                for seat in (0..self.ledger.seats()).map(Seat) {
                    if self.ledger.is_in_play(seat) && !kept_out.contains(seat) {
                        self.ledger.give_lives(seat, *lives);
                    }
                }
            }
            PastStep::Taken(seat) => {
                assert_eq!(seat.0, self.ledger.seats(), "seats are taken in order");
                self.ledger.open(Millis(0));
                self.ledger.add_points(*seat, self.mean);
            }
            PastStep::Silent { seat, from, kept_out } => {
                let asked = &quiz.asked[..self.last.map_or(0, |last| last + 1)];
                let all_stay = |at: usize| self.all_stay.get(&at).copied().unwrap_or_else(|| asked[at].all_stay());
                let undo = self.last.and_then(|last| self.undos.get_mut(&last));
                let of = (&mut self.ledger, &mut self.seats, undo);
                count_as_silent((&quiz.quiz, asked, &all_stay), of, (*seat, *from));
                self.mean = quiz.mean_of(&self.ledger, kept_out);
            }
            PastStep::Void { at, kept_out } => {
                if let Some(undo) = self.undos.remove(at).filter(|_| self.last == Some(*at)) {
                    undo.take_back(&mut self.ledger, &mut self.seats);
                    self.all_stay.insert(*at, None);
                }
                self.mean = quiz.mean_of(&self.ledger, kept_out);
            }
        }
    }

    fn judge(&mut self, part: &QuizPart, question: &JudgedQuestion, from: usize, teams: Option<&Teams>) {
        let JudgedQuestion { at, playing, total, buzzing, answers, kept_out, .. } = question;
        let mut undo = RevealUndo::new(self.ledger.seats(), &self.seats.streaks);
        let is_last = *at + 1 == part.asked.len();
        let none = SeatAnswers::default();
        let answers = answers.as_ref().unwrap_or(if is_last { &part.answers } else { &none });
        let asked = &part.asked[..=*at];
        let (buzzing, total) = (buzzing.as_ref(), *total);
        let judging = Judging { quiz: &part.quiz, asked, answers, playing, buzzing, total, teams };
        let found = judging.judge(&mut self.ledger, &mut self.seats, &mut undo);
        self.last = Some(*at);
        self.all_stay.insert(*at, Some(found.all_stay));
        self.undos.retain(|other, _| *other == from);
        self.undos.insert(*at, undo);
        self.mean = part.mean_of(&self.ledger, kept_out);
        if *at >= from {
            let plays = |seat: Seat| self.ledger.is_in_play(seat) && !kept_out.contains(seat);
            let leaders = if part.shows_ranks() { telling::leaders(&self.ledger, plays) } else { Vec::new() };
            let kept_out = kept_out.iter().filter(|&seat| self.ledger.is_in_play(seat)).count();
            let in_play = self.ledger.seats() - self.ledger.out() - u32::try_from(kept_out).expect("they are seats");
            self.judged.push(JudgedAgain { at: *at, found, in_play, leaders });
        }
    }
}

impl QuizPart {
    /// Begins the past before the first reveal.
    pub(super) fn begin_past(&mut self, ledger: &Ledger) {
        if self.past.is_none() {
            self.past = Some(Past::new(ledger, self.course.first_points));
        }
    }

    /// The last question was revealed, with these seats playing.
    pub(super) fn note_judged(&mut self, look: &Look<'_>, playing: SeatSet, total: Span) {
        let (at, buzzing) = (self.asked.len() - 1, self.buzzing.clone());
        let kept_out = look.kept_out();
        let question = JudgedQuestion { at, playing, total, buzzing, answers: None, kept_out };
        self.note(PastStep::Judged(Box::new(question)));
    }

    /// The last question is void.
    pub(super) fn note_void(&mut self, look: &Look<'_>) {
        self.note(PastStep::Void { at: self.asked.len() - 1, kept_out: look.kept_out() });
    }

    /// The host gave points or lives.
    pub(super) fn note_given(&mut self, look: &Look<'_>, change: HostChange) {
        self.note(PastStep::Given { change, kept_out: look.kept_out() });
    }

    /// A player came.
    pub(super) fn note_taken(&mut self, seat: Seat) {
        self.note(PastStep::Taken(seat));
    }

    /// A player was restored.
    pub(super) fn note_silent(&mut self, look: &Look<'_>, seat: Seat, from: RoundId) {
        self.note(PastStep::Silent { seat, from, kept_out: look.kept_out() });
    }

    /// Before the first reveal nothing is noted.
    fn note(&mut self, step: PastStep) {
        if let Some(past) = &mut self.past {
            past.bytes += step.bytes();
            past.steps.push_back(step);
        }
    }

    /// Keeps the answers to the last question, which the next one would clear. Of the oldest questions only what followed from them is
    /// kept, if there are too many answers.
    pub(super) fn keep_answers(&mut self, teams: Option<&Teams>) {
        let Some(asked) = self.asked.last() else { return };
        let (at, kind) = (self.asked.len() - 1, &self.quiz.questions[asked.index].kind);
        let matters = kind.has_right() || matches!(kind, Kind::Wager(_));
        let Some(question) = self.past.as_mut().and_then(Past::last).filter(|last| matters && last.at == at) else {
            return;
        };
        let answers = self.answers.take();
        let bytes = answers.bytes();
        question.answers = Some(answers);
        self.past.as_mut().expect("it was just looked at").bytes += bytes;
        while self.past.as_ref().is_some_and(|past| past.bytes > KEPT_BYTES && past.questions().count() > 1) {
            self.drop_oldest(teams);
        }
    }

    fn drop_oldest(&mut self, teams: Option<&Teams>) {
        let Some(mut past) = self.past.take() else { return };
        let (ledger, seats) = (std::mem::take(&mut past.ledger), std::mem::take(&mut past.seats));
        let mut again = Again::new(ledger, seats, past.mean);
        while let Some(step) = past.steps.pop_front() {
            past.bytes -= step.bytes();
            again.take(self, &step, usize::MAX, teams);
            if matches!(past.steps.front(), Some(PastStep::Judged(_))) {
                break;
            }
        }
        (past.ledger, past.seats, past.mean) = (again.ledger, again.seats, again.mean);
        self.past = Some(past);
    }

    /// The places of the questions that can be judged again.
    pub(super) fn can_be_judged_again(&self, at: usize) -> bool {
        self.past.iter().flat_map(Past::questions).any(|question| question.at == at)
    }

    /// Judges all questions that are kept again, with the teams of now; those from this one on are listed.
    ///
    /// # Panics
    /// If no question was revealed.
    pub(super) fn judge_again(&self, from: usize, teams: Option<&Teams>) -> Again {
        let past = self.past.as_ref().expect("a question was revealed");
        let mut again = Again::new(past.ledger.scratch(), past.seats.scratch(), past.mean);
        past.steps.iter().for_each(|step| again.take(self, step, from, teams));
        again
    }

    /// A question's answers are marked by its rules of now.
    pub(super) fn mark_texts(&mut self, at: usize) {
        let is_last = at + 1 == self.asked.len();
        let rules = &self.asked[at].sheet.rules;
        let kept = self.past.iter_mut().flat_map(|past| &mut past.steps);
        let kept = kept.filter_map(|step| if let PastStep::Judged(question) = step { Some(question) } else { None });
        let mut kept = kept.filter(|question| question.at == at).filter_map(|question| question.answers.as_mut());
        if let Some(answers) = if is_last { Some(&mut self.answers) } else { kept.next() } {
            answers.mark_texts(|text| accepts(rules, text));
        }
    }

    /// The questions' results are these now.
    pub(super) fn note_corrected(&mut self, judged: &[JudgedAgain]) {
        for JudgedAgain { at, found, in_play, leaders } in judged {
            let asked = &mut self.asked[*at];
            let Some(reveal) = &mut asked.reveal else { continue };
            reveal.in_play = *in_play;
            reveal.leaders.clone_from(leaders);
            if self.quiz.questions[asked.index].kind.has_right() {
                let Found { right_answers, winners, frequent, all_stay, counts, answered } = found;
                reveal.right = frequent.clone().map(Right::Choices).or_else(|| asked.sheet.right.clone());
                (reveal.right_answers, reveal.answered, reveal.all_stay) = (*right_answers, *answered, *all_stay);
                reveal.also.clone_from(&asked.sheet.also);
                reveal.counts.clone_from(counts);
                reveal.winners.clone_from(winners);
            }
        }
    }

    /// The mean of the points of those who play, if those who come late begin with it; else 0.
    fn mean_of(&self, ledger: &Ledger, kept_out: &SeatSet) -> i64 {
        if self.quiz.late == Late::Nothing {
            return 0;
        }
        let seats = (0..ledger.seats()).map(Seat).filter(|&seat| ledger.is_in_play(seat) && !kept_out.contains(seat));
        let points = seats.map(|seat| i128::from(ledger.line(seat).points));
        let (sum, count) = points.fold((0_i128, 0_i128), |(sum, count), points| (sum + points, count + 1));
        i64::try_from(sum.div_euclid(count.max(1))).expect("a mean is no more than the most")
    }
}
