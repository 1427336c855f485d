//! The host's actions, and the phases in which each is allowed.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{Event, HostPlay, OPEN_FOR, Yes};
use klaxon_protocol::host::Action;
use klaxon_protocol::limits::TEXT_LENGTH;
use klaxon_protocol::player::{Body, Mark, Notice, Pause, Phase, Resume, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::Rundown;
use crate::game::Effect;

impl Rundown {
    pub(super) fn apply_action(&mut self, now: Millis, action: &Action) -> Result<Vec<Effect>, Refusal> {
        if let Action::ReissueToken { seat } = action {
            return Ok(vec![self.people.revoke_tokens(*seat)?]);
        }
        self.must_not_have_ended()?;
        if let Some(done) = self.apply_to_people(now, action) {
            return done;
        }
        match action {
            Action::OpenLobby => {
                self.must_be_in(&[Phase::Created])?;
                self.course.phase = Phase::Lobby;
                let opened = Mark { seq: self.next_seq(), at: now };
                self.plan_step(now);
                Ok(vec![Effect::Tell(ToPlayer::Opened(opened), None)])
            }
            Action::Next => {
                self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
                self.must_run()?;
                self.advance(now)
            }
            Action::Close => {
                self.must_be_in(&[Phase::Question])?;
                self.must_run()?;
                self.must_have_been_open(now)?;
                Ok(self.close(now))
            }
            Action::Reveal => {
                self.must_be_in(&[Phase::Closed])?;
                self.reveal(now)
            }
            Action::Void { reason } => self.void(now, reason),
            Action::AdjustTime { by } => self.adjust_time(now, *by),
            Action::Pause => self.pause(now),
            Action::Resume => self.resume(now),
            Action::Message { text } => {
                check_text("text", text)?;
                let notice = Notice { seq: self.next_seq(), at: now, text: text.clone() };
                Ok(vec![Effect::Tell(ToPlayer::Notice(notice), None)])
            }
            Action::GiveLives { seat, lives } => self.give_lives(*seat, *lives),
            Action::End { pay } => {
                if !pay && self.ledger.paid() > 0 {
                    let detail = "Prizes were won, and what was won is won: end the show with `pay`.";
                    return Err(Refusal::because(ErrorCode::BadArgument, detail));
                }
                self.must_be_in(&[Phase::Created, Phase::Lobby, Phase::Revealed])?;
                Ok(self.end(now, *pay))
            }
            Action::Autopilot { on } => {
                self.steps.autopilot = *on;
                self.plan_step(now);
                Ok(Vec::new())
            }
            Action::Play { body } => self.play(now, body),
            Action::Remove { .. }
            | Action::ReissueToken { .. }
            | Action::SetSeats { .. }
            | Action::LockLobby { .. }
            | Action::Restore { .. }
            | Action::BanAddress { .. }
            | Action::LiftAddressBans => unreachable!("these are applied to the players"),
        }
    }

    /// An action of the rundown, or of the part that the show is in.
    fn play(&mut self, now: Millis, body: &Body) -> Result<Vec<Effect>, Refusal> {
        if HostPlay::NAMES.iter().any(|name| body.0.contains_key(*name)) {
            let bad = |problem| Refusal::because(ErrorCode::BadArgument, problem);
            if body.0.len() > 1 {
                return Err(bad("one action at a time".into()));
            }
            return match body.read_known().map_err(bad)? {
                HostPlay { skip: Some(Yes), .. } => self.skip(now),
                HostPlay { take_back: Some(Yes), .. } => self.take_back(),
                HostPlay { points: Some(points), .. } => self.give_points(points),
                HostPlay { team: Some(team), .. } => self.set_team(now, team),
                HostPlay { player: Some(player), .. } => self.add_player(now, player),
                HostPlay { suspend: Some(suspend), .. } => self.suspend(suspend),
                HostPlay { extra_time: Some(given), .. } => self.give_extra_time(given),
                HostPlay { .. } => Err(bad("the action is empty".into())),
            };
        }
        let part = self.played_part()?;
        let before = self.course.seq;
        let effects = self.attempt(part, now, |part, stage| part.play(stage, body))?;
        if self.course.seq != before || self.steps.step.is_none() {
            self.plan_step(now);
        }
        Ok(effects)
    }

    /// Ends the part that the show is in, whatever is left of it.
    fn skip(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
        self.played_part()?;
        let effects = self.finish(now, true);
        self.plan_step(now);
        Ok(effects)
    }

    /// The part that the show is in.
    fn played_part(&self) -> Result<u8, Refusal> {
        let part = self.steps.part.filter(|_| !self.steps.finished);
        part.ok_or_else(|| {
            Refusal::because(ErrorCode::WrongPhase, "No part is being played: `next` begins the next one.")
        })
    }

    pub(super) fn must_be_in(&self, phases: &[Phase]) -> Result<(), Refusal> {
        if phases.contains(&self.course.phase) {
            return Ok(());
        }
        let times: Vec<&str> = phases.iter().map(|&phase| when(phase)).collect();
        let detail = format!("{}; this can be done {}.", where_it_is(self.course.phase), times.join(", or "));
        Err(Refusal::because(ErrorCode::WrongPhase, detail))
    }

    pub(super) fn must_not_have_ended(&self) -> Result<(), Refusal> {
        if self.course.phase == Phase::Ended { Err(ErrorCode::ShowEnded.into()) } else { Ok(()) }
    }

    fn must_run(&self) -> Result<(), Refusal> {
        if self.steps.paused {
            return Err(Refusal::because(ErrorCode::Paused, "Resume it first."));
        }
        Ok(())
    }

    /// Refuses to close a round that has not opened: it can have no claims, so closing it by accident would cost all players.
    fn must_have_been_open(&self, now: Millis) -> Result<(), Refusal> {
        let Some(round) = self.course.round.as_ref().filter(|round| !round.clock.has_opened(now)) else {
            return Ok(());
        };
        let opens_in = round.times().opens_at.since(now);
        let detail = format!("The round opens in {opens_in}: close it after that, or void it to take it back.");
        Err(Refusal::because(ErrorCode::WrongPhase, detail))
    }

    fn void(&mut self, now: Millis, reason: &str) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Question, Phase::Closing, Phase::Closed, Phase::Revealed])?;
        check_text("reason", reason)?;
        let round = self.last_round();
        let (part, is_void) = (round.part, round.voided);
        if is_void {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The last round is void already."));
        }
        if self.steps.part != Some(part) || self.steps.finished {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The last round's part is over: its results stand."));
        }
        let effects = self.attempt(part, now, |part, stage| part.void(stage, reason))?;
        self.must_be_revealed();
        self.note_void(now);
        self.plan_step(now);
        Ok(effects)
    }

    fn adjust_time(&mut self, now: Millis, by: i32) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Question])?;
        self.must_run()?;
        let round = self.last_round();
        if round.clock.has_opened(now) {
            let detail = "The round is open: its time can't be changed any more.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        }
        let total = i64::from(round.clock.total().0) + i64::from(by);
        let total = u32::try_from(total).map(Span).ok().filter(|total| OPEN_FOR.contains(total)).ok_or_else(|| {
            let (least, most) = (OPEN_FOR.start(), OPEN_FOR.end());
            let detail = format!("`by`: the round would be open for {total} ms, allowed are {least} to {most}.");
            Refusal::because(ErrorCode::BadArgument, detail)
        })?;
        round.clock.set_total(total);
        let (part, times) = (round.part, round.times());
        let (_, mut stage) = self.on_stage(part, now);
        stage.tell(Phase::Question, Event::Clock(times));
        Ok(stage.effects)
    }

    fn pause(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Lobby, Phase::Question, Phase::Closing, Phase::Closed, Phase::Revealed])?;
        if self.steps.paused {
            return Err(Refusal::because(ErrorCode::Paused, "It is paused already."));
        }
        let mut left = None;
        if self.course.phase == Phase::Question {
            if self.closes().is_some_and(|end| end <= now) {
                return Err(Refusal::because(ErrorCode::WrongPhase, "The round's time is up."));
            }
            let clock = &mut self.last_round().clock;
            clock.stop(now);
            left = Some(clock.left(now));
        }
        self.steps.paused = true;
        self.steps.step_left = self.steps.step.take().map(|step| step.since(now));
        let pause = Pause { seq: self.next_seq(), at: now, left };
        Ok(vec![Effect::Tell(ToPlayer::Pause(pause), None)])
    }

    fn resume(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if !self.steps.paused {
            return Err(Refusal::because(ErrorCode::WrongPhase, "It is not paused."));
        }
        self.steps.paused = false;
        self.steps.step = self.steps.step_left.take().map(|left| now + left);
        let lead = self.setup.lead;
        let mut times = None;
        if self.course.phase == Phase::Question {
            let round = self.last_round();
            round.clock.go(now + lead);
            times = Some(round.times());
        }
        let resume = Resume {
            seq: self.next_seq(),
            at: now,
            question: times.map(|times| times.round),
            opens_at: times.map(|times| times.opens_at),
            closes_at: times.map(|times| times.closes_at),
        };
        Ok(vec![Effect::Tell(ToPlayer::Resume(resume), None)])
    }
}

/// The phase as a clause, for a refusal's detail.
const fn where_it_is(phase: Phase) -> &'static str {
    match phase {
        Phase::Created => "The lobby is not open yet",
        Phase::Lobby => "No round has begun yet",
        Phase::Question => "A round is open: close it, or void it",
        Phase::Closing => "The round's last claims are being handed in",
        Phase::Closed => "The round is closed and not revealed yet",
        Phase::Revealed => "The last round is revealed, or void",
        Phase::Ended => "The show is over",
    }
}

/// When an action that needs this phase is allowed, as a clause for a refusal's detail.
const fn when(phase: Phase) -> &'static str {
    match phase {
        Phase::Created => "before the lobby opens",
        Phase::Lobby => "before the first round",
        Phase::Question => "while a round is open",
        Phase::Closing => "while its last claims are being handed in",
        Phase::Closed => "once a round is closed",
        Phase::Revealed => "after a reveal or a void",
        Phase::Ended => "after the end",
    }
}

fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    if TEXT_LENGTH.contains(&text.chars().count()) {
        return Ok(());
    }
    let (least, most) = (TEXT_LENGTH.start(), TEXT_LENGTH.end());
    Err(Refusal::because(ErrorCode::BadArgument, format!("`{what}`: {least} to {most} characters.")))
}
