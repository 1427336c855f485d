//! The phases of a show, and what moves it from one to the next: the host, the script, or time.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::{Choice, Close, Question, QuestionId};
use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::player::{Phase, Resume, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::{Asked, Trivia, shuffle};
use crate::game::clock::RoundClock;
use crate::game::{Effect, Game};

/// After an engine outage an open question reopens this much later, to give phones time to reconnect.
const RECOVERY_LEAD: Span = Span(3_000);
/// It then stays open for at least this long, so that answers that were never acknowledged can be sent again.
const RECOVERY_LEAST: Span = Span(3_000);

impl Trivia {
    /// Enters a phase, and schedules the script's next step.
    pub(super) fn enter(&mut self, phase: Phase, now: Millis) {
        self.stage.phase = phase;
        self.plan_step(now);
    }

    pub(super) fn plan_step(&mut self, now: Millis) {
        let script = &self.settings.autopilot;
        let wait = match self.stage.phase {
            Phase::Lobby => Some(script.lobby),
            Phase::Closed => Some(script.suspense),
            Phase::Revealed => Some(script.pause),
            Phase::Created | Phase::Question | Phase::Closing | Phase::Ended => None,
        };
        let wait = wait.filter(|_| self.stage.autopilot);
        (self.stage.step, self.stage.step_left) =
            if self.stage.paused { (None, wait) } else { (wait.map(|wait| now + wait), None) };
    }

    /// Sends the next question.
    pub(super) fn ask(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let index = self.asked.len();
        let Some(next) = self.pack.get(index) else { return Err(ErrorCode::NoMoreQuestions.into()) };
        if self.nobody_left() {
            return Err(Refusal::because(
                ErrorCode::WrongPhase,
                "Nobody is in play: end the show, or void the last question.",
            ));
        }
        let id = QuestionId(u16::try_from(index + 1).expect("a pack has 500 questions at most"));
        let order: Vec<u8> = if self.settings.shuffle {
            shuffle::order(self.seed, id.0, next.choices.len())
        } else {
            (0..=u8::MAX).take(next.choices.len()).collect()
        };
        let right = order.iter().position(|&choice| choice == next.right.0).expect("a pack's right choices exist");
        let clock = RoundClock::new(now + self.settings.lead, next.open_for.unwrap_or(self.settings.open_for));
        let window = clock.window();
        let question = Question {
            seq: self.stage.seq.next(),
            at: now,
            question: id,
            total: self.total(),
            text: next.text.clone(),
            choices: order.iter().map(|&choice| next.choices[usize::from(choice)].clone()).collect(),
            category: next.category.clone(),
            opens_at: window.opens,
            closes_at: window.closes,
        };
        self.next_seq();
        self.seats.forget_answers();
        self.undo = None;
        self.asked.push(Asked {
            question: question.clone(),
            right: Choice(u8::try_from(right).expect("a question has 6 choices at most")),
            clock,
            counts: vec![0; order.len()],
            closed_at: None,
            reveal: None,
            voided: false,
        });
        self.enter(Phase::Question, now);
        Ok(vec![Effect::Tell(ToPlayer::Question(question), None)])
    }

    /// Whether no player is in play although some have joined. A show that no player ever joined can be played through.
    fn nobody_left(&self) -> bool {
        let began = !self.asked.is_empty() && self.people.roster.seated() > 0;
        self.eliminates() && began && self.seats.alive.count() == 0
    }

    /// Ends the running question's time.
    pub(super) fn close(&mut self, now: Millis) -> Vec<Effect> {
        let seq = self.next_seq();
        let asked = self.asked.last_mut().expect("a question is closed after it was asked");
        asked.clock.close(now);
        asked.closed_at = Some(now);
        let question = asked.id();
        self.enter(Phase::Closing, now);
        vec![Effect::Tell(ToPlayer::Close(Close { seq, at: now, question }), None)]
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.deadline().is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        match self.stage.phase {
            Phase::Question => Ok(self.close(now)),
            Phase::Closed => Ok(self.reveal(now)),
            Phase::Lobby | Phase::Revealed if self.asked.len() == self.pack.len() || self.nobody_left() => {
                Ok(self.end(now, true))
            }
            Phase::Lobby | Phase::Revealed => self.ask(now),
            Phase::Created | Phase::Closing | Phase::Ended => Ok(Vec::new()),
        }
    }

    /// Closes the question: all answers that count have been recorded.
    pub(super) fn tally(
        &mut self,
        now: Millis,
        question: QuestionId,
        silent: &[GatewayId],
    ) -> Result<Vec<Effect>, Refusal> {
        if self.closing() != Some(question) {
            return Err(ErrorCode::WrongPhase.into());
        }
        self.enter(Phase::Closed, now);
        let mut effects = Vec::new();
        if !silent.is_empty() {
            effects.push(Effect::Alert(AlertKind::SilentGateways { question, gateways: silent.to_vec() }));
        }
        Ok(effects)
    }

    /// Resumes after an engine outage: an open question gets back its remaining time, after a lead for phones to
    /// reconnect.
    pub(super) fn recover(&mut self, now: Millis, away: Span) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut closes_at = None;
        self.stage.step = self.stage.step.map(|step| step + away);
        if self.stage.phase == Phase::Question && !self.stage.paused {
            let seq = self.next_seq();
            let asked = self.asked.last_mut().expect("in this phase a question was asked");
            // Acknowledged answers were read no later than the last record, so that millisecond itself still counts.
            asked.clock.stop(now - away + Span(1));
            let opens = asked.clock.window().opens.max(now + RECOVERY_LEAD);
            asked.clock.go_for_at_least(opens, RECOVERY_LEAST);
            let window = asked.clock.window();
            closes_at = Some(window.closes);
            let resume = Resume {
                seq,
                at: now,
                question: Some(asked.id()),
                opens_at: Some(window.opens),
                closes_at: Some(window.closes),
            };
            effects.push(Effect::Tell(ToPlayer::Resume(resume), None));
        }
        effects.push(Effect::Alert(AlertKind::Recovered { away, closes_at }));
        effects
    }
}
