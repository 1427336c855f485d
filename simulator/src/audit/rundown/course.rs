//! What moves a show on: the host, the script, and time.

use klaxon_protocol::games::bingo::BingoEvent;
use klaxon_protocol::games::rundown::{Break, Event, PartKind, RoundTimes};
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::{Body, Mark, Phase, Resume, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::super::quiz::{AfterJudgement, Begun, QuizBook};
use super::book::{Personal, RoundBook, RundownBook};
use super::clock::ClockBook;
use klaxon_protocol::games::quiz::{Judgement, QuizEvent};

/// After an outage an open round opens again this much later, and stays open for as long at least, in ms.
const RECOVERY: u64 = 3_000;

impl RundownBook {
    fn part_kind(&self) -> Option<&PartKind> {
        Some(&self.setup.parts.get(usize::from(self.part?))?.kind)
    }

    fn is_bingo(&self) -> bool {
        matches!(self.part_kind(), Some(PartKind::Bingo(_)))
    }

    fn is_part_over(&self) -> bool {
        match self.part_kind() {
            Some(PartKind::Quiz(_)) => self.quiz().is_none_or(QuizBook::is_over),
            Some(PartKind::Bingo(_)) => {
                self.part.is_none_or(|part| self.bingo.as_ref().is_none_or(|bingo| bingo.is_over(part)))
            }
            Some(PartKind::Break(_) | PartKind::Preload(_) | PartKind::Podium(_)) | None => true,
        }
    }

    /// Whether nothing is left to be played.
    fn is_played(&self) -> bool {
        let is_last = self.part.is_some_and(|part| usize::from(part) + 1 == self.setup.parts.len());
        is_last && (self.finished || self.is_part_over())
    }

    /// The events of bingo at the front of a record, which the book of bingo judges.
    pub(super) fn follow_bingo(&mut self, told: &[ToPlayer]) -> Vec<ToPlayer> {
        let part = self.part.map(u64::from);
        let is_own = |event: &&ToPlayer| match event {
            ToPlayer::GameEvent(event) => {
                event.body.0.get("part").and_then(serde_json::Value::as_u64) == part
                    && event.body.read::<BingoEvent>().is_ok()
            }
            _ => false,
        };
        let mut followed = Vec::new();
        for event in told.iter().take_while(is_own) {
            let ToPlayer::GameEvent(event) = event else { break };
            let mut event = event.clone();
            event.seq = self.next_seq();
            self.phase = event.phase;
            if let Ok(times) = event.body.read::<RoundTimes>()
                && event.round.is_some()
            {
                let clock = ClockBook::new(times.opens_at, times.closes_at.since(times.opens_at));
                let round = self.begin_round(clock);
                let out = self.ledger.all().filter(|&seat| self.ledger.line(seat).out.is_some());
                self.outs.insert(round.id, out.collect());
                event.round = Some(round.id);
                self.round = Some(round);
            }
            followed.push(ToPlayer::GameEvent(event));
        }
        followed
    }

    fn begin_round(&self, clock: ClockBook) -> RoundBook {
        let id = RoundId(self.round.as_ref().map_or(0, |round| round.id.0).saturating_add(1));
        RoundBook { id, part: self.part.unwrap_or_default(), clock, voided: false }
    }

    /// The next round of the part, or the next part.
    pub(super) fn advance(&mut self, now: Millis, told: &[ToPlayer]) -> Result<Vec<ToPlayer>, String> {
        if self.part.is_none() || self.finished || self.is_part_over() {
            return self.next_part(now, told);
        }
        if self.is_bingo() {
            return Ok(self.follow_bingo(told));
        }
        let next = self.begin_round(ClockBook::new(now, Span(0))).id;
        let body = told.first().and_then(body);
        let Some((quiz, ledger)) = self.quiz_and_ledger() else { return Err("there is nothing to go on with".into()) };
        let begun = quiz.go_on(next, body, ledger);
        Ok(vec![self.begin(now, &begun)])
    }

    /// A question of a quiz begins, or a slide.
    fn begin(&mut self, now: Millis, Begun { event, open_for }: &Begun) -> ToPlayer {
        let Some(open_for) = *open_for else { return self.event(now, self.between(), event) };
        let opens_at = now + self.setup.lead;
        let round = self.begin_round(ClockBook::new(opens_at, open_for));
        let (id, closes_at) = (round.id, round.clock.closes());
        self.round = Some(round);
        self.note_round(id, now);
        let mut event = self.event(now, Phase::Question, event);
        if let ToPlayer::GameEvent(event) = &mut event {
            event.round = Some(id);
            event.body.0.extend(Body::of(&RoundTimes { round: id, opens_at, closes_at }).0);
        }
        event
    }

    fn next_part(&mut self, now: Millis, told: &[ToPlayer]) -> Result<Vec<ToPlayer>, String> {
        let next = self.part.map_or(0, |part| part + 1);
        let Some(keep) = self.setup.parts.get(usize::from(next)).map(|part| part.keep) else {
            return Err("all parts are over".to_owned());
        };
        let mut events = self.finish(told);
        (self.part, self.finished, self.part_began_at) = (Some(next), false, now);
        self.ledger.begin_part(keep);
        match self.part_kind().cloned() {
            Some(PartKind::Break(Break { text, lasts })) => {
                let phase = self.between();
                events.push(self.event(now, phase, &Event::Break { text, lasts }));
            }
            Some(PartKind::Bingo(_)) => {
                let begins = self.follow_bingo(&told[events.len().min(told.len())..]);
                if begins.is_empty() {
                    return Err("a part of bingo begins, and is not told".to_owned());
                }
                events.extend(begins);
            }
            // What the audit has no rules of is told by [`RundownBook::unjudged`].
            Some(PartKind::Quiz(_) | PartKind::Preload(_) | PartKind::Podium(_)) | None => {}
        }
        Ok(events)
    }

    /// The part is over, whatever is left of it.
    pub(super) fn finish(&mut self, told: &[ToPlayer]) -> Vec<ToPlayer> {
        if self.part.is_none() || self.finished {
            return Vec::new();
        }
        self.finished = true;
        if let Some((quiz, _)) = self.quiz_and_ledger() {
            quiz.finish();
        }
        if self.is_bingo() { self.follow_bingo(told) } else { Vec::new() }
    }

    /// Time passed, or the script takes its next step.
    pub(super) fn tick(&mut self, now: Millis, told: &[ToPlayer]) -> Result<Vec<ToPlayer>, String> {
        let is_due = self.step.is_some_and(|step| step <= now) || (self.follows_script() && !told.is_empty());
        let events = match self.phase {
            Phase::Question if self.closes().is_some_and(|closes| closes <= now) => vec![self.close(now)],
            Phase::Closed if is_due => self.reveal(now)?,
            Phase::Lobby | Phase::Revealed if is_due && self.is_played() => self.end(now, told),
            Phase::Lobby | Phase::Revealed if is_due => self.advance(now, told)?,
            _ => return Ok(Vec::new()),
        };
        self.plan(now);
        Ok(events)
    }

    /// Whether the steps of the script are taken as they come: in bingo they wait for tickets, which the book does not time.
    fn follows_script(&self) -> bool {
        self.autopilot && !self.paused && self.is_bingo()
    }

    /// When the script takes its next step.
    pub(super) fn plan(&mut self, now: Millis) {
        let wait = self.wait().filter(|_| self.autopilot);
        (self.step, self.step_left) = if self.paused { (None, wait) } else { (wait.map(|wait| now + wait), None) };
    }

    /// How long the script waits for its next step.
    fn wait(&self) -> Option<Span> {
        let script = &self.setup.script;
        let usual = match self.phase {
            Phase::Lobby if self.part.is_none() => return Some(script.lobby),
            Phase::Lobby | Phase::Revealed => script.between,
            Phase::Closed => script.suspense,
            _ => return None,
        };
        match self.part_kind() {
            Some(PartKind::Break(Break { lasts, .. })) => Some(*lasts),
            Some(PartKind::Bingo(_)) => None,
            Some(PartKind::Quiz(_)) if self.phase == Phase::Closed => {
                Some(usual).filter(|_| !self.quiz().is_some_and(QuizBook::has_floor))
            }
            Some(PartKind::Quiz(_)) => Some(self.quiz().and_then(QuizBook::shows_for).unwrap_or(usual)),
            Some(PartKind::Preload(_) | PartKind::Podium(_)) | None => Some(usual),
        }
    }

    pub(super) fn close(&mut self, now: Millis) -> ToPlayer {
        let round = self.round.as_mut().map_or(RoundId(0), |round| {
            round.clock.close(now);
            round.id
        });
        self.event(now, Phase::Closing, &Event::Close { round })
    }

    pub(super) fn must_close(&self, round: RoundId) -> Result<(), String> {
        let is_closing = self.phase == Phase::Closing && self.round.as_ref().is_some_and(|last| last.id == round);
        if is_closing { Ok(()) } else { Err(format!("round {round} is settled, and was not closed")) }
    }

    /// All claims are in.
    pub(super) fn tally(&mut self, now: Millis, round: RoundId, told: &[ToPlayer]) -> Result<Vec<ToPlayer>, String> {
        self.must_close(round)?;
        if self.is_bingo() {
            return Ok(self.follow_bingo(told));
        }
        let total = self.total();
        let Some((quiz, ledger)) = self.quiz_and_ledger() else { return Ok(Vec::new()) };
        let (event, is_revealed) = quiz.settle(ledger, total);
        self.phase = Phase::Closed;
        let phase = if is_revealed { Phase::Revealed } else { Phase::Closed };
        if is_revealed {
            self.personal = Personal::Results;
        }
        Ok(event.map(|event| self.event(now, phase, &event)).into_iter().collect())
    }

    fn total(&self) -> u64 {
        self.round.as_ref().map_or(1, |round| round.clock.total)
    }

    pub(super) fn reveal(&mut self, now: Millis) -> Result<Vec<ToPlayer>, String> {
        let total = self.total();
        let Some((quiz, ledger)) = self.quiz_and_ledger() else { return Err("there is nothing to reveal".into()) };
        if quiz.has_floor() {
            return Err("a buzzer is revealed, and its answer was not judged".to_owned());
        }
        let event = quiz.reveal(ledger, total);
        self.personal = Personal::Results;
        Ok(vec![self.event(now, Phase::Revealed, &event)])
    }

    /// The host judges who has the floor.
    pub(super) fn judge(&mut self, now: Millis, judgement: Judgement) -> Result<Vec<ToPlayer>, String> {
        if self.phase != Phase::Closed {
            return Err("an answer is judged, and the round is not closed".to_owned());
        }
        let next = self.begin_round(ClockBook::new(now, Span(0))).id;
        let Some((quiz, ledger)) = self.quiz_and_ledger() else { return Err("there is nobody to judge".into()) };
        match quiz.judge_floor(judgement, ledger)? {
            AfterJudgement::Floor(event) => Ok(vec![self.event(now, Phase::Closed, &event)]),
            AfterJudgement::Reopens => {
                let begun = quiz.reopen(next, ledger);
                Ok(begun.map(|begun| self.begin(now, &begun)).into_iter().collect())
            }
            AfterJudgement::Over => self.reveal(now),
        }
    }

    /// The host takes a word out of a word cloud.
    pub(super) fn hide(&mut self, now: Millis, word: &str) -> Result<Vec<ToPlayer>, String> {
        let Some((quiz, _)) = self.quiz_and_ledger() else { return Err("there are no words".into()) };
        let event: Option<QuizEvent> = quiz.hide(word)?;
        let phase = self.phase;
        Ok(event.map(|event| self.event(now, phase, &event)).into_iter().collect())
    }

    /// The last round is void.
    pub(super) fn void(&mut self, now: Millis, reason: &str) -> Vec<ToPlayer> {
        let Some(round) = &mut self.round else { return Vec::new() };
        round.voided = true;
        round.clock.close(now);
        let (id, reason) = (round.id, reason.to_owned());
        if let Some(round) = self.rounds.get_mut(&id) {
            round.voided = true;
        }
        if let Some((quiz, ledger)) = self.quiz_and_ledger()
            && quiz.void(ledger)
        {
            self.personal = Personal::Standings;
        }
        vec![self.event(now, Phase::Revealed, &Event::Void { round: id, reason })]
    }

    /// The engine was away: an open round gets back its time.
    pub(super) fn recover(&mut self, now: Millis, away: Span) -> Vec<ToPlayer> {
        self.step = self.step.map(|step| step + away);
        if self.phase != Phase::Question || self.paused {
            return Vec::new();
        }
        let Some(round) = &mut self.round else { return Vec::new() };
        // What was read in the millisecond of the last record still counts.
        round.clock.stop(now - away + Span(1));
        let opens = round.clock.opens().max(Millis(now.0 + RECOVERY));
        round.clock.go(opens, RECOVERY);
        let (id, opens_at, closes_at) = (round.id, round.clock.opens(), round.clock.closes());
        self.not_before = Millis(opens_at.0 + RECOVERY);
        vec![ToPlayer::Resume(Resume {
            seq: self.next_seq(),
            at: now,
            question: Some(id),
            opens_at: Some(opens_at),
            closes_at: Some(closes_at),
        })]
    }

    /// The show ends: the part is over, then come podium and end.
    pub(super) fn end(&mut self, now: Millis, told: &[ToPlayer]) -> Vec<ToPlayer> {
        let mut events = self.finish(told);
        events.push(self.make_podium(now));
        (self.paused, self.autopilot) = (false, false);
        self.phase = Phase::Ended;
        events.push(ToPlayer::End(Mark { seq: self.next_seq(), at: now }));
        events
    }
}

fn body(event: &ToPlayer) -> Option<&Body> {
    match event {
        ToPlayer::GameEvent(event) => Some(&event.body),
        _ => None,
    }
}
