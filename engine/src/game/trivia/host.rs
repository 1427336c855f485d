//! The host's actions, and the phases in which each is allowed.

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::{Clock, MOST_LIVES, OPEN_FOR, QuestionId, Void};
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::limits::TEXT_LENGTH;
use klaxon_protocol::player::{Mark, Notice, Pause, Phase, Resume, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::Trivia;
use super::rules::Rules;
use crate::game::{Effect, Game};

impl Trivia {
    pub(super) fn apply_action(&mut self, now: Millis, action: &Action) -> Result<Vec<Effect>, Refusal> {
        match action {
            Action::OpenLobby => self.open_lobby(now),
            Action::Next => {
                self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
                self.must_run()?;
                self.ask(now)
            }
            Action::Close => {
                self.must_be_in(&[Phase::Question])?;
                self.must_run()?;
                self.must_have_been_open(now)?;
                Ok(self.close(now))
            }
            Action::Reveal => {
                self.must_be_in(&[Phase::Closed])?;
                Ok(self.reveal(now))
            }
            Action::Void { reason } => self.void(now, reason),
            Action::AdjustTime { by } => self.adjust_time(now, *by),
            Action::Pause => self.pause(now),
            Action::Resume => self.resume(now),
            Action::Message { text } => {
                self.must_not_have_ended()?;
                check_text("text", text)?;
                let notice = Notice { seq: self.next_seq(), at: now, text: text.clone() };
                Ok(vec![Effect::Tell(ToPlayer::Notice(notice), None)])
            }
            Action::Remove { seat, ban } => self.remove(*seat, *ban),
            Action::GiveLives { seat, lives } => self.give_lives(*seat, *lives),
            Action::End { pay } => {
                self.must_not_have_ended()?;
                Ok(self.end(now, *pay))
            }
            Action::Autopilot { on } => {
                self.must_not_have_ended()?;
                self.stage.autopilot = *on;
                self.plan_step(now);
                Ok(Vec::new())
            }
            Action::ReissueToken { seat } => self.reissue_tokens(*seat),
            Action::SetSeats { seats } => self.set_seats(*seats),
            Action::LockLobby { on } => self.lock_lobby(*on),
            Action::Restore { seat } => self.restore(*seat),
            Action::BanAddress { seat, .. } => self.ban_address(*seat),
            Action::LiftAddressBans => self.lift_address_bans(),
            Action::Play { .. } => Err(Refusal::because(
                ErrorCode::BadArgument,
                "Trivia has no actions of its own: `play` is for other games.",
            )),
        }
    }

    fn must_be_in(&self, phases: &[Phase]) -> Result<(), Refusal> {
        if phases.contains(&self.stage.phase) {
            return Ok(());
        }
        let times: Vec<&str> = phases.iter().map(|&phase| when(phase)).collect();
        let detail = format!("{}; this can be done {}.", where_it_is(self.stage.phase), times.join(", or "));
        Err(Refusal::because(ErrorCode::WrongPhase, detail))
    }

    pub(super) fn must_not_have_ended(&self) -> Result<(), Refusal> {
        if self.stage.phase == Phase::Ended { Err(ErrorCode::ShowEnded.into()) } else { Ok(()) }
    }

    fn must_run(&self) -> Result<(), Refusal> {
        if self.stage.paused {
            return Err(Refusal::because(ErrorCode::Paused, "Resume it first."));
        }
        Ok(())
    }

    /// Refuses to close a question that has not opened: it can have no answers, so closing it by accident would
    /// eliminate all players.
    fn must_have_been_open(&self, now: Millis) -> Result<(), Refusal> {
        let asked = self.asked.last().filter(|asked| self.rules >= Rules::Second && !asked.clock.has_opened(now));
        let Some(asked) = asked else { return Ok(()) };
        let opens_in = asked.clock.window().opens.since(now);
        let detail = format!("The question opens in {opens_in}: close it after that, or void it to take it back.");
        Err(Refusal::because(ErrorCode::WrongPhase, detail))
    }

    fn open_lobby(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Created])?;
        let seq = self.next_seq();
        self.enter(Phase::Lobby, now);
        Ok(vec![Effect::Tell(ToPlayer::Opened(Mark { seq, at: now }), None)])
    }

    fn void(&mut self, now: Millis, reason: &str) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Question, Phase::Closing, Phase::Closed, Phase::Revealed])?;
        check_text("reason", reason)?;
        if self.asked.last().is_none_or(|asked| asked.voided) {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The last question is void already."));
        }
        self.take_back();
        let seq = self.next_seq();
        let alive = self.seats.alive.count();
        let asked = self.asked.last_mut().expect("in this phase a question was asked");
        asked.voided = true;
        asked.clock.close(now);
        asked.closed_at.get_or_insert(now);
        let void = Void { seq, at: now, question: asked.id(), reason: reason.to_owned(), alive };
        self.enter(Phase::Revealed, now);
        Ok(vec![Effect::Tell(ToPlayer::Void(void), Some(Arc::new(self.everybodys_state())))])
    }

    /// Voids the closing question because answers may be missing; it eliminates no players.
    pub(super) fn lose(&mut self, now: Millis, question: QuestionId, late: Span) -> Result<Vec<Effect>, Refusal> {
        if self.closing() != Some(question) {
            return Err(ErrorCode::WrongPhase.into());
        }
        let mut effects = self.void(now, "Not all answers could be counted, through no fault of yours.")?;
        effects.push(Effect::Alert(AlertKind::Outage { question, late }));
        Ok(effects)
    }

    fn adjust_time(&mut self, now: Millis, by: i32) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Question])?;
        self.must_run()?;
        let seq = self.stage.seq.next();
        let asked = self.asked.last_mut().expect("in this phase a question was asked");
        if asked.clock.has_opened(now) {
            return Err(Refusal::because(
                ErrorCode::WrongPhase,
                "The question is open: its time can't be changed any more.",
            ));
        }
        let total = i64::from(asked.clock.total().0) + i64::from(by);
        let total = u32::try_from(total).map(Span).ok().filter(|total| OPEN_FOR.contains(total)).ok_or_else(|| {
            let detail = format!(
                "`by`: the question would be open for {total} ms, allowed are {} to {}.",
                OPEN_FOR.start(),
                OPEN_FOR.end()
            );
            Refusal::because(ErrorCode::BadArgument, detail)
        })?;
        asked.clock.set_total(total);
        let window = asked.clock.window();
        let clock = Clock { seq, at: now, question: asked.id(), opens_at: window.opens, closes_at: window.closes };
        self.next_seq();
        Ok(vec![Effect::Tell(ToPlayer::Clock(clock), None)])
    }

    fn pause(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let phases = [Phase::Lobby, Phase::Question, Phase::Closing, Phase::Closed, Phase::Revealed];
        self.must_be_in(&phases)?;
        if self.stage.paused {
            return Err(Refusal::because(ErrorCode::Paused, "It is paused already."));
        }
        let in_question = self.stage.phase == Phase::Question;
        let asked = self.asked.last_mut().filter(|_| in_question);
        if asked.as_ref().and_then(|asked| asked.clock.runs_out()).is_some_and(|end| end <= now) {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The question's time is up."));
        }
        let left = asked.map(|asked| {
            asked.clock.stop(now);
            asked.clock.left(now)
        });
        self.stage.paused = true;
        self.stage.step_left = self.stage.step.take().map(|step| step.since(now));
        let pause = Pause { seq: self.next_seq(), at: now, left };
        Ok(vec![Effect::Tell(ToPlayer::Pause(pause), None)])
    }

    fn resume(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        self.must_not_have_ended()?;
        if !self.stage.paused {
            return Err(Refusal::because(ErrorCode::WrongPhase, "It is not paused."));
        }
        self.stage.paused = false;
        self.stage.step = self.stage.step_left.take().map(|left| now + left);
        let lead = self.settings.lead;
        let in_question = self.stage.phase == Phase::Question;
        let asked = self.asked.last_mut().filter(|_| in_question);
        let running = asked.map(|asked| {
            asked.clock.go(now + lead);
            (asked.id(), asked.clock.window())
        });
        let resume = Resume {
            seq: self.next_seq(),
            at: now,
            question: running.map(|(id, _)| id),
            opens_at: running.map(|(_, window)| window.opens),
            closes_at: running.map(|(_, window)| window.closes),
        };
        Ok(vec![Effect::Tell(ToPlayer::Resume(resume), None)])
    }

    fn give_lives(&mut self, seat: Option<Seat>, lives: u8) -> Result<Vec<Effect>, Refusal> {
        self.must_not_have_ended()?;
        if !(1..=MOST_LIVES).contains(&lives) {
            return Err(Refusal::because(ErrorCode::BadArgument, format!("`lives`: 1 to 99, not {lives}.")));
        }
        match seat {
            Some(seat) => {
                self.people.check_seat(seat)?;
                if !self.seats.is_alive(seat) {
                    return Err(ErrorCode::NotInPlay.into());
                }
                self.seats.give_lives(seat, lives);
            }
            None => {
                let alive: Vec<Seat> = self.seats.alive.iter().collect();
                alive.into_iter().for_each(|seat| self.seats.give_lives(seat, lives));
            }
        }
        self.seats.changed(&self.people);
        // Sent to these seats only, so the events in the journal are the same as before this message existed.
        let personal = match seat {
            Some(seat) => self.state_of(seat),
            None => self.state_of_all_in_play(),
        };
        Ok(vec![Effect::TellSome(Arc::new(personal))])
    }
}

/// The phase as a clause, for a refusal's detail.
const fn where_it_is(phase: Phase) -> &'static str {
    match phase {
        Phase::Created => "The lobby is not open yet",
        Phase::Lobby => "The show is in the lobby",
        Phase::Question => "A question is out",
        Phase::Closing => "The question's last answers are being handed in",
        Phase::Closed => "The question is closed and not revealed yet",
        Phase::Revealed => "The last question is revealed, or void",
        Phase::Ended => "The show is over",
    }
}

/// When an action that needs this phase is allowed, as a clause for a refusal's detail.
const fn when(phase: Phase) -> &'static str {
    match phase {
        Phase::Created => "before the lobby opens",
        Phase::Lobby => "in the lobby",
        Phase::Question => "while a question is out",
        Phase::Closing => "while its last answers are being handed in",
        Phase::Closed => "once a question is closed",
        Phase::Revealed => "after a reveal or a void",
        Phase::Ended => "after the end",
    }
}

fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    if TEXT_LENGTH.contains(&text.chars().count()) {
        return Ok(());
    }
    Err(Refusal::because(
        ErrorCode::BadArgument,
        format!("`{what}`: {} to {} characters.", TEXT_LENGTH.start(), TEXT_LENGTH.end()),
    ))
}
