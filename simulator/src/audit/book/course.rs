//! The course of a show by the rules: questions, closes, reveals and the end, caused by the host, by the script or by
//! time.

use klaxon_protocol::games::trivia::{Choice, Close, PackQuestion, Question, QuestionId, Reveal};
use klaxon_protocol::player::{Mark, Phase, Podium, Resume, Standings, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::podium::{Ending, leaders};
use super::seats::{judge, ranks};
use super::{Asked, Book, Refused};

/// After a crash an open question opens again this much later, and stays open at least this long.
const BACK: Span = Span(3000);

impl Book {
    /// Enters a phase and plans the script's next step from its start.
    pub(super) fn enter(&mut self, phase: Phase, now: Millis) {
        self.phase = phase;
        self.plan_step(now);
    }

    pub(super) fn plan_step(&mut self, now: Millis) {
        let script = &self.settings.autopilot;
        let wait = match self.phase {
            Phase::Lobby => Some(script.lobby),
            Phase::Closed => Some(script.suspense),
            Phase::Revealed => Some(script.pause),
            Phase::Created | Phase::Question | Phase::Closing | Phase::Ended => None,
        };
        let wait = wait.filter(|_| self.autopilot);
        self.step = wait.filter(|_| !self.paused).map(|wait| now + wait);
        self.step_left = wait.filter(|_| self.paused);
    }

    /// Carries out the step that is due, if any.
    pub(super) fn tick(&mut self, now: Millis) -> Vec<ToPlayer> {
        let due = match self.phase {
            Phase::Question => self.asked.last().and_then(|asked| asked.clock.runs_out()),
            _ => self.step,
        };
        if due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        match self.phase {
            Phase::Question => self.close(now),
            Phase::Closed => self.reveal(now),
            Phase::Lobby | Phase::Revealed if self.asked.len() == self.pack.len() || self.nobody_left() => {
                self.end(now, true)
            }
            Phase::Lobby | Phase::Revealed => self.ask(now).unwrap_or_default(),
            Phase::Created | Phase::Closing | Phase::Ended => Vec::new(),
        }
    }

    /// Whether questions were asked, but no seat is left in play (elimination only): no question can be asked.
    pub(super) fn nobody_left(&self) -> bool {
        self.settings.mode.eliminates() && !self.asked.is_empty() && !self.seats.is_empty() && self.alive() == 0
    }

    pub(super) fn ask(&mut self, now: Millis) -> Result<Vec<ToPlayer>, Refused> {
        let index = self.asked.len();
        let Some(next) = self.pack.get(index) else { return Err("there is no further question".into()) };
        if self.nobody_left() {
            return Err("nobody is in play".into());
        }
        let id = QuestionId(u16::try_from(index + 1).unwrap_or(u16::MAX));
        let choices = match self.orders.get(&id) {
            Some(sent) if self.settings.shuffle && same_choices(sent, next) => sent.clone(),
            _ => next.choices.clone(),
        };
        let right = next.choices.get(next.right.index());
        let right = choices.iter().position(|choice| Some(choice) == right).unwrap_or_default();
        let total = next.open_for.unwrap_or(self.settings.open_for);
        let (text, category) = (next.text.clone(), next.category.clone());
        let clock = super::Clock::new(now + self.settings.lead, total);
        let question = Question {
            seq: self.next_seq(),
            at: now,
            question: id,
            total: self.total(),
            text,
            choices,
            category,
            opens_at: clock.last().opens,
            closes_at: clock.last().closes,
        };
        self.changes.clear();
        self.asked.push(Asked {
            counts: vec![0; question.choices.len()],
            question: question.clone(),
            right: Choice(u8::try_from(right).unwrap_or_default()),
            clock,
            answers: super::RoundAnswers::new(),
            reveal: None,
            voided: None,
            pauses: Vec::new(),
        });
        self.enter(Phase::Question, now);
        Ok(vec![ToPlayer::Question(question)])
    }

    /// Closes the running question.
    pub(super) fn close(&mut self, now: Millis) -> Vec<ToPlayer> {
        let seq = self.next_seq();
        let Some(asked) = self.asked.last_mut() else { return Vec::new() };
        asked.clock.close(now);
        let question = asked.question.question;
        self.enter(Phase::Closing, now);
        vec![ToPlayer::Close(Close { seq, at: now, question })]
    }

    /// Reveals the closing question: its answers are complete.
    pub(super) fn tally(&mut self, now: Millis, question: QuestionId) -> Result<Vec<ToPlayer>, Refused> {
        if self.closing() != Some(question) {
            return Err(format!("question {question} is not closing"));
        }
        self.enter(Phase::Closed, now);
        Ok(Vec::new())
    }

    pub(super) fn closing(&self) -> Option<QuestionId> {
        self.asked.last().filter(|_| self.phase == Phase::Closing).map(|asked| asked.question.question)
    }

    pub(super) fn reveal(&mut self, now: Millis) -> Vec<ToPlayer> {
        let seq = self.next_seq();
        let Some(asked) = self.asked.last_mut() else { return Vec::new() };
        let (question, right) = (asked.question.question, asked.right);
        let mode = self.settings.mode;
        let mut judged = judge(&mut self.seats, &self.settings, question, right, asked.clock.total(), &asked.answers);
        let alive = super::count(self.seats.iter().filter(|held| held.alive).count());
        let (counts, silent) = (asked.counts.clone(), judged.silent);
        let reveal = Reveal { seq, at: now, question, right, counts, silent, alive };
        asked.reveal = Some(reveal.clone());
        self.changes = judged.changes;
        self.rank();
        for (held, result) in self.seats.iter().zip(&mut judged.results) {
            result.rank = self.rank_of(held);
        }
        self.results.insert(question, judged.results);
        if mode.scores() {
            let leaders = leaders(&self.seats, |held| self.rank_of(held));
            self.standings.insert(question, Standings { question, leaders });
        }
        self.enter(Phase::Revealed, now);
        let standings = self.standings.get(&question).cloned().map(ToPlayer::Standings);
        std::iter::once(ToPlayer::Reveal(reveal)).chain(standings).collect()
    }

    pub(super) fn rank(&mut self) {
        if self.settings.mode.scores() {
            self.ranks = ranks(&self.seats);
        }
    }

    /// The podium with the prizes, then the end.
    pub(super) fn end(&mut self, now: Millis, pays: bool) -> Vec<ToPlayer> {
        let ending = Ending::of(&self.settings, &self.seats, pays);
        let pot = self.settings.pot;
        let podium = Podium {
            seq: self.next_seq(),
            at: now,
            winners: ending.winners,
            places: ending.places(&self.seats),
            pot,
            paid: ending.paid(),
            rolled_over: pot - ending.paid(),
            currency: self.settings.currency.clone(),
        };
        self.ending = Some(ending);
        self.podium = Some(podium.clone());
        let end = Mark { seq: self.next_seq(), at: now };
        (self.paused, self.autopilot) = (false, false);
        self.enter(Phase::Ended, now);
        vec![ToPlayer::Podium(podium), ToPlayer::End(end)]
    }

    /// Continues after a time without an engine: an open question gets the time that was left.
    pub(super) fn recover(&mut self, now: Millis, away: Span) -> Vec<ToPlayer> {
        self.step = self.step.map(|step| step + away);
        if self.phase != Phase::Question || self.paused {
            return Vec::new();
        }
        let seq = self.next_seq();
        let Some(asked) = self.asked.last_mut() else { return Vec::new() };
        // Answers that were read in the millisecond of the last step count.
        let stopped = now - away + Span(1);
        asked.clock.stop(stopped);
        let opens = asked.clock.last().opens.max(now + BACK);
        asked.pauses.push((stopped, Some(opens)));
        asked.clock.go(opens, BACK);
        vec![ToPlayer::Resume(resume_of(seq, now, Some(asked)))]
    }
}

/// The event that the clock runs again, with the question's new times.
pub(super) fn resume_of(seq: klaxon_protocol::ids::Seq, at: Millis, asked: Option<&Asked>) -> Resume {
    Resume {
        seq,
        at,
        question: asked.map(|asked| asked.question.question),
        opens_at: asked.map(|asked| asked.clock.last().opens),
        closes_at: asked.map(|asked| asked.clock.last().closes),
    }
}

/// Whether these are the question's choices, in any order.
fn same_choices(sent: &[String], question: &PackQuestion) -> bool {
    let (mut sent, mut own) = (sent.to_vec(), question.choices.clone());
    sent.sort_unstable();
    own.sort_unstable();
    sent == own
}
