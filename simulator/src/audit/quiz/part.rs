//! One part of quiz by the rule book: its questions, the answers to the last one, and what it keeps of each seat.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{AnswerOutcome, Kind, Late, Quiz, QuizEvent, QuizReveal, Stake, WordCount};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};

use super::super::rundown::{MOST_LIVES, SeatLedger};
use super::cloud::{cloud, word};
use super::marks::AnswersBySeat;
use super::question::{QuestionBook, open_for};

/// A part of quiz.
#[derive(Debug, Clone)]
pub(in crate::audit) struct QuizBook {
    pub(super) quiz: Quiz,
    begun: usize,
    slide: Option<QuestionBook>,
    /// The points with which those begin who come now.
    first_points: i64,
    nobody_left: bool,
    /// The questions that were asked, in order; slides are none.
    asked: Vec<AskedBook>,
    pub(super) answers: AnswersBySeat,
    pub(super) hidden: BTreeSet<String>,
    /// Right answers directly before the next question.
    pub(super) streaks: BTreeMap<Seat, u32>,
    pub(super) rights: BTreeMap<Seat, u32>,
    /// What each seat staked on the next question, after a wager.
    pub(super) stakes: Option<BTreeMap<Seat, u32>>,
    /// Those who came when the last question's time was up.
    pub(super) late: BTreeSet<Seat>,
    unanswered: BTreeSet<Seat>,
    last_answer: Option<Millis>,
    pub(super) buzzing: Option<BuzzBook>,
    pub(super) undo: Option<Undo>,
}

/// A buzzer that is being played.
#[derive(Debug, Clone, Default)]
pub(super) struct BuzzBook {
    /// When the first buzz of the open round was read.
    pub first_at: Option<Millis>,
    /// Those who buzzed in the last round, in the order of their stamps.
    pub order: Vec<Seat>,
    /// How many of them had the floor.
    pub heard: usize,
    /// Who has the floor.
    pub floor: Option<Seat>,
    pub wrong: Vec<Seat>,
    pub right: Option<Seat>,
}

/// A question that was asked.
#[derive(Debug, Clone)]
pub(in crate::audit) struct AskedBook {
    pub question: QuestionBook,
    /// Its last round.
    pub round: RoundId,
    pub counts: Vec<u32>,
    pub settled: bool,
    pub voided: bool,
    pub reveal: Option<QuizReveal>,
}

/// What the last reveal did to each seat.
#[derive(Debug, Clone)]
pub(super) struct Undo {
    /// How many seats there were.
    pub seats: u32,
    /// Of those whom the question counts for.
    pub outcomes: BTreeMap<Seat, AnswerOutcome>,
    pub gained: BTreeMap<Seat, i64>,
    pub life_lost: BTreeSet<Seat>,
    pub out: BTreeSet<Seat>,
    pub streaks: BTreeMap<Seat, u32>,
}

/// What begins.
#[derive(Debug)]
pub(in crate::audit) struct Begun {
    pub event: QuizEvent,
    /// How long it is open; none for a slide.
    pub open_for: Option<Span>,
}

impl QuizBook {
    pub const fn new(quiz: Quiz) -> Self {
        Self {
            quiz,
            begun: 0,
            slide: None,
            first_points: 0,
            nobody_left: false,
            asked: Vec::new(),
            answers: AnswersBySeat::new(),
            hidden: BTreeSet::new(),
            streaks: BTreeMap::new(),
            rights: BTreeMap::new(),
            stakes: None,
            late: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            last_answer: None,
            buzzing: None,
            undo: None,
        }
    }

    pub fn last(&self) -> Option<&AskedBook> {
        self.asked.last()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut AskedBook> {
        self.asked.last_mut()
    }

    pub(super) const fn eliminates(&self) -> bool {
        self.quiz.mode.eliminates()
    }

    pub const fn is_over(&self) -> bool {
        self.begun >= self.quiz.questions.len() || self.nobody_left
    }

    pub(super) const fn shows_ranks(&self) -> bool {
        self.quiz.leaderboard && self.quiz.mode.scores()
    }

    /// Whether the last question pays the stakes of the wager before it.
    pub(super) fn is_staked(&self) -> bool {
        self.asked.len() > 1 && self.follows_wager(self.asked.len() - 1)
    }

    fn follows_wager(&self, place: usize) -> bool {
        place.checked_sub(1).and_then(|before| self.asked.get(before)).is_some_and(|wager| {
            let next = self.asked.get(place).map_or(self.begun, |asked| asked.question.index);
            wager.question.is_wager() && !wager.voided && wager.question.index + 1 == next
        })
    }

    /// How long the script shows the slide that is shown.
    pub fn shows_for(&self) -> Option<Span> {
        self.slide.as_ref().map(|slide| open_for(&self.quiz, slide.index))
    }

    /// What a seat has answered to the last question, by key.
    pub fn answer(&self, seat: Seat) -> Option<&BTreeMap<ClaimKey, ClaimValue>> {
        self.answers.get(&seat).map(|answer| &answer.values)
    }

    /// Whether no question that eliminates comes after this one.
    pub(super) fn is_last_to_eliminate(&self, index: usize) -> bool {
        !self.quiz.questions[index + 1..].iter().any(|question| question.kind.eliminates())
    }

    /// The next question or slide, whose order of choices is in `told`.
    pub fn go_on(&mut self, round: RoundId, told: Option<&Body>, ledger: &SeatLedger) -> Begun {
        let (index, place) = (self.begun, self.asked.len());
        let is_staked = self.follows_wager(place);
        let question = QuestionBook::of(&self.quiz, index, is_staked, told);
        self.begun += 1;
        let event = QuizEvent::Question(question.asked.clone());
        if question.is_slide() {
            self.slide = Some(question);
            return Begun { event, open_for: None };
        }
        self.slide = None;
        if !is_staked {
            self.stakes = None;
        }
        self.undo = None;
        self.buzzing = matches!(question.question.kind, Kind::Buzzer(_)).then(BuzzBook::default);
        let counts = vec![0; question.counted_choices()];
        self.asked.push(AskedBook { question, round, counts, settled: false, voided: false, reveal: None });
        self.open(ledger);
        Begun { event, open_for: Some(open_for(&self.quiz, index)) }
    }

    /// The buzzers are opened again, in this round.
    pub fn reopen(&mut self, round: RoundId, ledger: &SeatLedger) -> Option<Begun> {
        let asked = self.asked.last_mut()?;
        (asked.round, asked.settled) = (round, false);
        let (event, index) = (QuizEvent::Question(asked.question.asked.clone()), asked.question.index);
        let was_wrong = self.buzzing.take().map(|buzzing| buzzing.wrong).unwrap_or_default();
        self.buzzing = Some(BuzzBook { wrong: was_wrong, ..BuzzBook::default() });
        self.open(ledger);
        Some(Begun { event, open_for: Some(open_for(&self.quiz, index)) })
    }

    fn open(&mut self, ledger: &SeatLedger) {
        self.answers.clear();
        self.hidden.clear();
        self.late.clear();
        self.last_answer = None;
        self.unanswered = if self.quiz.close_when_all { ledger.playing().collect() } else { BTreeSet::new() };
    }

    /// Why this seat can't answer the last question, if it can't.
    pub fn keeps_out(&self, seat: Seat, ledger: &SeatLedger) -> Option<&'static str> {
        let was_wrong = self.buzzing.as_ref().is_some_and(|buzzing| buzzing.wrong.contains(&seat));
        if !ledger.plays(seat) {
            Some("of a seat that is not in play")
        } else if self.late.contains(&seat) {
            Some("of a seat that came too late for the question")
        } else {
            was_wrong.then_some("of a seat that was wrong already")
        }
    }

    /// Counts an answer that was read after this much of the players' time.
    pub fn count(&mut self, seat: Seat, key: ClaimKey, value: &ClaimValue, at: Millis, elapsed: u64) {
        let answer = self.answers.entry(seat).or_default();
        answer.elapsed = elapsed;
        answer.values.insert(key, value.clone());
        if let (Some(asked), ClaimValue::Bits(bits)) = (self.asked.last_mut(), value) {
            let is_set = matches!(asked.question.question.kind, Kind::Choices(_));
            for (choice, count) in (0_u32..).zip(&mut asked.counts) {
                let is_chosen = if is_set { bits >> choice & 1 == 1 } else { *bits == u64::from(choice) };
                *count += u32::from(is_chosen);
            }
        }
        if let Some(buzzing) = &mut self.buzzing {
            buzzing.first_at = Some(buzzing.first_at.map_or(at, |first| first.min(at)));
        }
        if self.unanswered.remove(&seat) {
            self.last_answer = self.last_answer.max(Some(at));
        }
    }

    /// When the open round closes, if that is before its time is up.
    pub fn closes_early(&self) -> Option<Millis> {
        self.buzzes_close().or_else(|| self.last_answer.filter(|_| self.unanswered.is_empty()))
    }

    /// All answers are in. Returns what is told, and whether the question is revealed by it.
    pub fn settle(&mut self, ledger: &mut SeatLedger, total: u64) -> (Option<QuizEvent>, bool) {
        let Some(asked) = self.asked.last_mut() else { return (None, false) };
        asked.settled = true;
        match asked.question.question.kind.clone() {
            Kind::Buzzer(_) => (self.settle_buzzes(ledger), false),
            Kind::Wager(wager) => {
                let mut stakes = BTreeMap::new();
                for (&seat, answer) in &self.answers {
                    let Some(ClaimValue::Bits(bits)) = answer.values.get(&ClaimKey(0)) else { continue };
                    let has = ledger.line(seat).points.max(0).min(wager.most.into());
                    let stake = match wager.stake {
                        // Points that the host took meanwhile can't be staked.
                        Stake::Points => i64::try_from(*bits).ok().filter(|&stake| stake <= has).unwrap_or(0),
                        Stake::DoubleOrQuit if *bits == 1 => has,
                        Stake::DoubleOrQuit => 0,
                    };
                    stakes.insert(seat, u32::try_from(stake).unwrap_or(u32::MAX));
                }
                self.stakes = Some(stakes);
                (Some(self.reveal(ledger, total)), true)
            }
            _ => (None, false),
        }
    }

    /// The last question is void. Returns whether it was revealed.
    pub fn void(&mut self, ledger: &mut SeatLedger) -> bool {
        let undo = self.undo.take();
        if let Some(undo) = &undo {
            for (&seat, &gained) in &undo.gained {
                ledger.line_mut(seat).points -= gained;
            }
            for (&seat, &outcome) in &undo.outcomes {
                if outcome == AnswerOutcome::Right {
                    *self.rights.entry(seat).or_default() -= 1;
                }
            }
            for &seat in &undo.life_lost {
                let lives = &mut ledger.line_mut(seat).lives;
                *lives = (*lives + 1).min(MOST_LIVES);
            }
            undo.out.iter().for_each(|&seat| ledger.line_mut(seat).out = None);
            self.streaks.clone_from(&undo.streaks);
        }
        self.buzzing = None;
        if let Some(asked) = self.asked.last_mut() {
            (asked.voided, asked.settled, asked.reveal) = (true, true, None);
            if asked.question.is_wager() {
                self.stakes = None;
            }
        }
        self.note_state(ledger);
        undo.is_some()
    }

    /// What follows from the state of all seats after a reveal or a void.
    pub(super) fn note_state(&mut self, ledger: &SeatLedger) {
        let playing: Vec<i128> = ledger.playing().map(|seat| ledger.line(seat).points.into()).collect();
        self.nobody_left = self.eliminates() && playing.is_empty() && ledger.seats() > 0;
        if self.quiz.late == Late::Mean {
            let seats = i128::try_from(playing.len().max(1)).unwrap_or(i128::MAX);
            self.first_points = i64::try_from(playing.iter().sum::<i128>().div_euclid(seats)).unwrap_or(0);
        }
    }

    /// A new player takes this seat.
    pub fn sits(&mut self, seat: Seat, phase: Phase, ledger: &mut SeatLedger) {
        ledger.line_mut(seat).points += self.first_points;
        match phase {
            Phase::Question if self.quiz.close_when_all => _ = self.unanswered.insert(seat),
            Phase::Closing | Phase::Closed => _ = self.late.insert(seat),
            _ => {}
        }
    }

    /// Whether new players can come: in elimination until its first question closes.
    pub fn takes_players(&self) -> bool {
        let mut eliminating = self.asked.iter().filter(|asked| asked.question.question.kind.eliminates());
        let first_is_open = eliminating.next().is_none_or(|first| !first.settled);
        !self.eliminates() || (first_is_open && eliminating.next().is_none())
    }

    /// A player who was removed before `from` was settled is silent in the questions since.
    pub fn restored(&mut self, seat: Seat, from: RoundId, ledger: &mut SeatLedger) {
        let last = self.asked.len().saturating_sub(1);
        for index in 0..self.asked.len() {
            let asked = &self.asked[index];
            let kind = &asked.question.question.kind;
            let Some(reveal) = asked.reveal.as_ref().filter(|_| asked.round >= from && !asked.voided) else { continue };
            if !kind.eliminates() {
                continue;
            }
            let (round, all_stay) = (asked.round, reveal.all_stay);
            let pay = super::question::Pay::of(&self.quiz, &asked.question.question);
            let lives_count = self.quiz.last_question_lives || !self.is_last_to_eliminate(asked.question.index);
            if pay.points > 0 || kind.places().is_some() {
                self.streaks.insert(seat, 0);
            }
            if self.eliminates() && !all_stay {
                let undo = self.undo.as_mut().filter(|_| index == last);
                take_life(ledger, seat, round, lives_count, undo);
            }
        }
        self.note_state(ledger);
    }

    /// The host takes a word out. Returns the words that are left, if they had been revealed.
    pub fn hide(&mut self, hidden: &str) -> Result<Option<QuizEvent>, String> {
        let asked = self.asked.last().filter(|asked| !asked.voided && self.slide.is_none());
        let Some(Kind::Words(of)) = asked.map(|asked| asked.question.question.kind.clone()) else {
            return Err("a word is taken out of a question that has no words".to_owned());
        };
        self.hidden.insert(word(hidden));
        let words: Vec<WordCount> = cloud(&self.answers, &self.hidden, of.players);
        let Some(reveal) = self.asked.last_mut().and_then(|asked| asked.reveal.as_mut()) else { return Ok(None) };
        reveal.words.clone_from(&words);
        Ok(Some(QuizEvent::Words { words }))
    }

    pub fn finish(&mut self) {
        (self.slide, self.undo, self.stakes) = (None, None, None);
    }

    pub(super) const fn slide(&self) -> Option<&QuestionBook> {
        self.slide.as_ref()
    }

    /// How many of the seat's answers were right.
    pub fn rights(&self, seat: Seat) -> u32 {
        self.rights.get(&seat).copied().unwrap_or_default()
    }
}

/// A wrong or missing answer costs a life or, without one, the place in the show.
pub(super) fn take_life(
    ledger: &mut SeatLedger,
    seat: Seat,
    round: RoundId,
    lives_count: bool,
    undo: Option<&mut Undo>,
) {
    let line = ledger.line_mut(seat);
    if line.out.is_some() {
        return;
    }
    if lives_count && line.lives > 0 {
        line.lives -= 1;
        undo.into_iter().for_each(|undo| _ = undo.life_lost.insert(seat));
    } else {
        line.out = Some(round);
        undo.into_iter().for_each(|undo| _ = undo.out.insert(seat));
    }
}
