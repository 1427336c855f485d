//! What moves a show on: the host, the script, or time.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::Event;
use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::{GatewayId, RoundId};
use klaxon_protocol::player::{Phase, Resume, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::stage::BegunRound;
use super::{Part, Rundown, Wait};
use crate::game::{Effect, Game};

/// After an engine outage an open round reopens this much later, to give phones time to reconnect.
const RECOVERY_LEAD: Span = Span(3_000);
/// It then stays open for at least this long, so that claims that were never acknowledged can be sent again.
const RECOVERY_LEAST: Span = Span(3_000);

impl Rundown {
    /// Schedules the script's next step.
    pub(super) fn plan_step(&mut self, now: Millis) {
        let wait = self.wait().filter(|_| self.steps.autopilot);
        (self.steps.step, self.steps.step_left) =
            if self.steps.paused { (None, wait) } else { (wait.map(|wait| now + wait), None) };
    }

    /// How long the script waits in this phase; none if it waits for something else.
    fn wait(&self) -> Option<Span> {
        let script = &self.setup.script;
        let usual = match self.course.phase {
            Phase::Lobby if self.steps.part.is_none() => return Some(script.lobby),
            Phase::Lobby | Phase::Revealed => script.between,
            Phase::Closed => script.suspense,
            Phase::Created | Phase::Question | Phase::Closing | Phase::Ended => return None,
        };
        match self.current().map_or(Wait::Usual, |part| part.wait(self.course.phase)) {
            Wait::Usual => Some(usual),
            Wait::For(wait) => Some(wait),
            Wait::ForHost => None,
        }
    }

    /// The round that was begun last.
    ///
    /// # Panics
    /// If there was none.
    pub(super) fn last_round(&mut self) -> &mut BegunRound {
        self.course.round.as_mut().expect("in this phase a round was begun")
    }

    /// When the open round closes for all without extra time; none while the show is paused.
    pub(super) fn closes(&self) -> Option<Millis> {
        let runs_out = self.course.round.as_ref()?.clock.runs_out()?;
        let early = self.part_of_round().and_then(|part| part.closes_early(&self.look()));
        let early = early.map(|early| early.max(self.steps.not_before));
        Some(runs_out.min(early.unwrap_or(runs_out)))
    }

    /// The next round of the part, or the next part.
    pub(super) fn advance(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.course.round.as_ref().is_some_and(|round| round.id.0 == u16::MAX) {
            return Err(Refusal::because(ErrorCode::NoMoreQuestions, "A show has 65535 rounds at most."));
        }
        let going_on = self.steps.part.filter(|_| !self.steps.finished && !self.current().is_none_or(Part::is_over));
        let effects = match going_on {
            Some(part) => self.attempt(part, now, |part, stage| part.next(stage))?,
            None => self.next_part(now)?,
        };
        let phase = self.course.phase;
        assert!(!matches!(phase, Phase::Closing | Phase::Closed), "a step of a part leaves the show in {phase:?}");
        self.plan_step(now);
        Ok(effects)
    }

    fn next_part(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let next = self.steps.part.map_or(0, |part| part + 1);
        let Some(setup) = self.setup.parts.get(usize::from(next)) else {
            return Err(Refusal::because(ErrorCode::NoMoreQuestions, "All parts are over: end the show."));
        };
        let keep = setup.keep;
        let mut effects = self.finish(now, true);
        (self.steps.part, self.steps.finished) = (Some(next), false);
        self.ledger.begin_part(keep);
        let (part, mut stage) = self.on_stage(next, now);
        part.begin(&mut stage);
        effects.append(&mut stage.effects);
        Ok(effects)
    }

    /// Finishes the part that the show is in, if that was not done yet; `pays`: with its prizes.
    pub(super) fn finish(&mut self, now: Millis, pays: bool) -> Vec<Effect> {
        let Some(part) = self.steps.part.filter(|_| !self.steps.finished) else { return Vec::new() };
        self.steps.finished = true;
        let (part, mut stage) = self.on_stage(part, now);
        stage.pays = pays;
        part.finish(&mut stage);
        stage.effects
    }

    /// Ends the open round's time.
    pub(super) fn close(&mut self, now: Millis) -> Vec<Effect> {
        let round = self.last_round();
        round.clock.close(now);
        round.closed_at = Some(now);
        let (part, round) = (round.part, round.id);
        let (_, mut stage) = self.on_stage(part, now);
        stage.tell(Phase::Closing, Event::Close { round });
        let effects = stage.effects;
        self.plan_step(now);
        effects
    }

    /// Reveals the closed round.
    pub(super) fn reveal(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let part = self.last_round().part;
        let effects = self.attempt(part, now, |part, stage| part.reveal(stage))?;
        self.must_be_revealed();
        self.plan_step(now);
        Ok(effects)
    }

    /// Does what is due. What the script can't do now, it leaves to the host.
    pub(super) fn tick(&mut self, now: Millis) -> Vec<Effect> {
        if self.deadline().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let closes = self.ends().filter(|_| self.course.phase == Phase::Question);
        if closes.is_none_or(|closes| self.delayed_until().is_some_and(|due| due < closes))
            && let Some(effects) = self.act_late(now)
        {
            return effects;
        }
        if self.timer().is_some_and(|due| due <= now) {
            return self.on_timer(now);
        }
        let step = match self.course.phase {
            Phase::Question => Ok(self.close(now)),
            Phase::Closed => self.reveal(now),
            Phase::Lobby | Phase::Revealed if self.is_played() => Ok(self.end(now, true)),
            Phase::Lobby | Phase::Revealed => self.advance(now),
            Phase::Created | Phase::Closing | Phase::Ended => Ok(Vec::new()),
        };
        step.unwrap_or_else(|_| {
            self.steps.step = None;
            Vec::new()
        })
    }

    /// When the part has something to do between rounds.
    pub(super) fn timer(&self) -> Option<Millis> {
        let is_between = matches!(self.course.phase, Phase::Lobby | Phase::Revealed) && !self.steps.finished;
        self.current().filter(|_| is_between)?.timer()
    }

    fn on_timer(&mut self, now: Millis) -> Vec<Effect> {
        let Some(part) = self.steps.part else { return Vec::new() };
        let (part, mut stage) = self.on_stage(part, now);
        part.on_timer(&mut stage);
        let effects = stage.effects;
        if self.timer().is_none() {
            self.plan_step(now);
        }
        effects
    }

    /// Whether no part and no round is left.
    fn is_played(&self) -> bool {
        let is_last = self.steps.part.is_some_and(|part| usize::from(part) + 1 == self.parts.len());
        is_last && (self.steps.finished || self.current().is_none_or(Part::is_over))
    }

    /// Settles the closed round: all claims that count have been recorded.
    pub(super) fn tally(&mut self, now: Millis, round: RoundId, silent: &[GatewayId]) -> Result<Vec<Effect>, Refusal> {
        if self.closing() != Some(round) {
            return Err(ErrorCode::WrongPhase.into());
        }
        let part = self.last_round().part;
        let (part, mut stage) = self.on_stage(part, now);
        part.settle(&mut stage);
        let mut effects = stage.effects;
        let phase = self.course.phase;
        assert!(matches!(phase, Phase::Closed | Phase::Revealed), "a settled round is left in {phase:?}");
        if !silent.is_empty() {
            effects.push(Effect::Alert(AlertKind::SilentGateways { question: round, gateways: silent.to_vec() }));
        }
        self.plan_step(now);
        Ok(effects)
    }

    /// Voids the closing round because claims may be missing.
    pub(super) fn lose(&mut self, now: Millis, round: RoundId, late: Span) -> Result<Vec<Effect>, Refusal> {
        if self.closing() != Some(round) {
            return Err(ErrorCode::WrongPhase.into());
        }
        let part = self.last_round().part;
        self.note_void(now);
        let (part, mut stage) = self.on_stage(part, now);
        part.lost(&mut stage, "Not all claims could be counted, through no fault of yours.");
        let mut effects = stage.effects;
        self.must_be_revealed();
        effects.push(Effect::Alert(AlertKind::Outage { question: round, late }));
        self.plan_step(now);
        Ok(effects)
    }

    /// The last round is void.
    pub(super) fn note_void(&mut self, now: Millis) {
        let round = self.last_round();
        round.voided = true;
        round.clock.close(now);
        let id = round.id;
        self.voided.insert(id);
        self.voids.note(&id);
    }

    pub(super) fn must_be_revealed(&self) {
        assert_eq!(self.course.phase, Phase::Revealed, "a round that is revealed or void is over");
    }

    /// Resumes after an engine outage: an open round gets back its remaining time, after a lead for phones to reconnect.
    pub(super) fn recover(&mut self, now: Millis, away: Span) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut closes_at = None;
        self.steps.step = self.steps.step.map(|step| step + away);
        if self.course.phase == Phase::Question && !self.steps.paused {
            let seq = self.next_seq();
            let round = self.last_round();
            // Acknowledged claims were read no later than the last record, so that millisecond itself still counts.
            round.clock.stop(now - away + Span(1));
            let opens = round.clock.window().opens.max(now + RECOVERY_LEAD);
            round.clock.go_for_at_least(opens, RECOVERY_LEAST);
            let times = round.times();
            self.steps.not_before = times.opens_at + RECOVERY_LEAST;
            closes_at = Some(times.closes_at);
            let resume = Resume {
                seq,
                at: now,
                question: Some(times.round),
                opens_at: Some(times.opens_at),
                closes_at: Some(times.closes_at),
            };
            effects.push(Effect::Tell(ToPlayer::Resume(resume), None));
        }
        effects.push(Effect::Alert(AlertKind::Recovered { away, closes_at }));
        effects
    }
}
