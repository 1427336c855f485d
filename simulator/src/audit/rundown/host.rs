//! The host's actions.

use klaxon_protocol::games::quiz::QuizPlay;
use klaxon_protocol::games::rundown::{Event, HostPlay, OPEN_FOR, RoundTimes};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::{Body, Mark, Notice, Pause, Phase, Resume, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::book::{Personal, RundownBook};
use super::ledger::MOST_LIVES;

/// What a host can do that no promise is judged for yet: a show with it is not confirmed.
const UNJUDGED_PLAYS: [&str; 6] = ["take_back", "team", "player", "suspend", "extra_time", "accept"];

impl RundownBook {
    /// Applies a host's action. Returns the events that it leads to.
    pub(super) fn act(&mut self, now: Millis, action: &Action, told: &[ToPlayer]) -> Result<Vec<ToPlayer>, String> {
        if self.phase == Phase::Ended && !matches!(action, Action::ReissueToken { .. }) {
            return Err("the host does something after the end".to_owned());
        }
        let events = match action {
            Action::OpenLobby => {
                self.must_be_in(&[Phase::Created])?;
                self.phase = Phase::Lobby;
                vec![ToPlayer::Opened(Mark { seq: self.next_seq(), at: now })]
            }
            Action::Next => {
                self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
                self.must_run()?;
                self.advance(now, told)?
            }
            Action::Close => {
                self.must_be_in(&[Phase::Question])?;
                self.must_run()?;
                if !self.round.as_ref().is_some_and(|round| round.clock.has_opened(now)) {
                    return Err("a round is closed before it opens".to_owned());
                }
                vec![self.close(now)]
            }
            Action::Reveal => {
                self.must_be_in(&[Phase::Closed])?;
                self.reveal(now)?
            }
            Action::Void { reason } => {
                self.must_be_in(&[Phase::Question, Phase::Closing, Phase::Closed, Phase::Revealed])?;
                let is_last = |part| self.part == Some(part) && !self.finished;
                if !self.round.as_ref().is_some_and(|round| !round.voided && is_last(round.part)) {
                    return Err("a round is void that was void already, or whose part is over".to_owned());
                }
                self.void(now, reason)
            }
            Action::AdjustTime { by } => return self.adjust_time(now, *by),
            Action::Pause => return self.pause(now),
            Action::Resume => return self.resume(now),
            Action::Message { text } => {
                return Ok(vec![ToPlayer::Notice(Notice { seq: self.next_seq(), at: now, text: text.clone() })]);
            }
            Action::GiveLives { seat, lives } => return self.give_lives(*seat, *lives),
            Action::End { .. } => {
                self.must_be_in(&[Phase::Created, Phase::Lobby, Phase::Revealed])?;
                self.end(now, told)
            }
            Action::Autopilot { on } => {
                self.autopilot = *on;
                Vec::new()
            }
            Action::Play { body } => return self.play(now, body, told),
            Action::Remove { seat, .. } | Action::BanAddress { seat, .. } => {
                let missed = self.first_unsettled();
                self.removals.entry(*seat).or_insert(missed);
                self.ledger.removed.insert(*seat);
                self.removals_ever.insert(*seat);
                return Ok(Vec::new());
            }
            Action::Restore { seat } => {
                self.restore(*seat);
                return Ok(Vec::new());
            }
            Action::ReissueToken { .. }
            | Action::SetSeats { .. }
            | Action::LockLobby { .. }
            | Action::LiftAddressBans => return Ok(Vec::new()),
        };
        self.plan(now);
        Ok(events)
    }

    fn must_be_in(&self, phases: &[Phase]) -> Result<(), String> {
        if phases.contains(&self.phase) { Ok(()) } else { Err(format!("it can't be done in {:?}", self.phase)) }
    }

    fn must_run(&self) -> Result<(), String> {
        if self.paused { Err("the show is paused".to_owned()) } else { Ok(()) }
    }

    fn adjust_time(&mut self, now: Millis, by: i32) -> Result<Vec<ToPlayer>, String> {
        self.must_be_in(&[Phase::Question])?;
        self.must_run()?;
        let Some(round) = self.round.as_mut().filter(|round| !round.clock.has_opened(now)) else {
            return Err("the time of an open round is changed".to_owned());
        };
        let total = i64::try_from(round.clock.total).unwrap_or(0) + i64::from(by);
        let total = u32::try_from(total).ok().map(Span).filter(|total| OPEN_FOR.contains(total));
        let Some(total) = total else { return Err("a round is open for too long, or not long enough".to_owned()) };
        round.clock.set_total(total.0.into());
        let times = RoundTimes { round: round.id, opens_at: round.clock.opens(), closes_at: round.clock.closes() };
        Ok(vec![self.event(now, Phase::Question, &Event::Clock(times))])
    }

    fn pause(&mut self, now: Millis) -> Result<Vec<ToPlayer>, String> {
        self.must_run()?;
        if matches!(self.phase, Phase::Created | Phase::Ended) {
            return Err("a show is paused that is not played".to_owned());
        }
        let mut left = None;
        if let Some(round) = self.round.as_mut().filter(|_| self.phase == Phase::Question) {
            round.clock.stop(now);
            left = Some(Span(u32::try_from(round.clock.left(now)).unwrap_or(u32::MAX)));
        }
        self.paused = true;
        self.step_left = self.step.take().map(|step| step.since(now));
        Ok(vec![ToPlayer::Pause(Pause { seq: self.next_seq(), at: now, left })])
    }

    fn resume(&mut self, now: Millis) -> Result<Vec<ToPlayer>, String> {
        if !self.paused {
            return Err("a show is resumed that was not paused".to_owned());
        }
        self.paused = false;
        self.step = self.step_left.take().map(|left| now + left);
        let lead = self.setup.lead;
        let round = self.round.as_mut().filter(|_| self.phase == Phase::Question);
        let times = round.map(|round| {
            round.clock.go(now + lead, 0);
            (round.id, round.clock.opens(), round.clock.closes())
        });
        let (question, opens_at, closes_at) =
            (times.map(|times| times.0), times.map(|times| times.1), times.map(|times| times.2));
        Ok(vec![ToPlayer::Resume(Resume { seq: self.next_seq(), at: now, question, opens_at, closes_at })])
    }

    fn give_lives(&mut self, seat: Option<Seat>, lives: u8) -> Result<Vec<ToPlayer>, String> {
        if seat.is_some_and(|seat| !self.ledger.plays(seat)) {
            return Err("lives are given to a seat that is not in play".to_owned());
        }
        let seats: Vec<Seat> = seat.map_or_else(|| self.ledger.playing().collect(), |seat| vec![seat]);
        for seat in seats {
            let has = &mut self.ledger.line_mut(seat).lives;
            *has = has.saturating_add(lives).min(MOST_LIVES);
        }
        self.personal = seat.map_or(Personal::Lives, Personal::Own);
        Ok(Vec::new())
    }

    /// The first round whose settlement a player who is removed now misses.
    fn first_unsettled(&self) -> RoundId {
        let last = self.round.as_ref().map_or(0, |round| round.id.0);
        let is_settled = !matches!(self.phase, Phase::Question | Phase::Closing | Phase::Closed);
        RoundId(if is_settled { last.saturating_add(1) } else { last })
    }

    /// A player is back, who counts as silent in the rounds that were settled meanwhile.
    fn restore(&mut self, seat: Seat) {
        self.ledger.removed.remove(&seat);
        let Some(from) = self.removals.remove(&seat) else { return };
        let begun = self.part.map_or(0, |part| part + 1);
        for index in 0..begun {
            let before = self.ledger.line(seat);
            if let Some(quiz) = self.quizzes.get_mut(&index) {
                quiz.restored(seat, from, &mut self.ledger);
            }
            for later in index + 1..begun {
                if let Some(part) = self.setup.parts.get(usize::from(later)) {
                    self.ledger.forget(seat, part.keep, before);
                }
            }
        }
        self.personal = Personal::Own(seat);
    }

    fn play(&mut self, now: Millis, body: &Body, told: &[ToPlayer]) -> Result<Vec<ToPlayer>, String> {
        if let Ok(HostPlay { skip, points, .. }) = body.read::<HostPlay>()
            && (skip.is_some() || points.is_some())
        {
            if let Some(points) = points {
                let seat = points.seat;
                let line = self.ledger.line_mut(seat);
                line.points = line.points.saturating_add(points.by.into());
                if let Some(round) = self.round.as_ref().and_then(|round| self.rounds.get_mut(&round.id)) {
                    round.corrected.insert(seat);
                }
                self.personal = Personal::Own(seat);
                return Ok(Vec::new());
            }
            self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
            let events = self.finish(told);
            self.plan(now);
            return Ok(events);
        }
        if let Some(name) = body.0.keys().find(|name| UNJUDGED_PLAYS.contains(&name.as_str())) {
            return Err(format!("the audit has no rules of `{name}`"));
        }
        if self.finished || self.part.is_none() {
            return Err("the host does something in a part that is over".to_owned());
        }
        let before = self.seq;
        let is_quiz = self.quiz().is_some();
        let events = match body.read::<QuizPlay>() {
            Ok(QuizPlay { judge: Some(judgement), .. }) if is_quiz => self.judge(now, judgement)?,
            Ok(QuizPlay { hide: Some(word), .. }) if is_quiz => self.hide(now, &word)?,
            _ if is_quiz => return Err("a quiz has no such action".to_owned()),
            _ => self.follow_bingo(told),
        };
        if self.seq != before || self.step.is_none() {
            self.plan(now);
        }
        Ok(events)
    }
}
