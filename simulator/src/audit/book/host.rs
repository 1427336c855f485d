//! The host's actions by the rules, and when each is allowed.

use klaxon_protocol::games::trivia::{Clock as NewTimes, OPEN_FOR, QuestionId, Void};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::RulesVersion;
use klaxon_protocol::player::{Mark, Notice, Pause, Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::course::resume_of;
use super::seats::take_back;
use super::{Book, Clock, Held, Refused};

/// The notice about a question whose answers could not all be counted.
const OUTAGE: &str = "Not all answers could be counted, through no fault of yours.";

impl Book {
    pub(super) fn obey(&mut self, now: Millis, action: &Action) -> Result<Vec<ToPlayer>, Refused> {
        let allowed = match action {
            Action::OpenLobby => self.phase == Phase::Created,
            Action::Next => matches!(self.phase, Phase::Lobby | Phase::Revealed) && !self.paused,
            Action::Close => self.phase == Phase::Question && !self.paused && self.may_close(now),
            Action::Reveal => self.phase == Phase::Closed,
            Action::AdjustTime { .. } => self.phase == Phase::Question && !self.paused,
            Action::Void { .. } => self.may_void(),
            Action::Pause => self.may_pause(now),
            Action::Resume => self.phase != Phase::Ended && self.paused,
            Action::Message { .. }
            | Action::Remove { .. }
            | Action::GiveLives { .. }
            | Action::End { .. }
            | Action::Autopilot { .. } => self.phase != Phase::Ended,
            Action::ReissueToken { .. } => self.edition >= RulesVersion(2),
            Action::SetSeats { .. }
            | Action::LockLobby { .. }
            | Action::Restore { .. }
            | Action::BanAddress { .. }
            | Action::LiftAddressBans => self.edition >= RulesVersion(2) && self.phase != Phase::Ended,
            Action::Play { .. } => false,
        };
        if !allowed {
            return Err(format!("a host can't do {action:?} in {:?}, paused: {}", self.phase, self.paused));
        }
        match action {
            Action::OpenLobby => {
                let seq = self.next_seq();
                self.enter(Phase::Lobby, now);
                Ok(vec![ToPlayer::Opened(Mark { seq, at: now })])
            }
            Action::Next => self.ask(now),
            Action::Close => Ok(self.close(now)),
            Action::Reveal => Ok(self.reveal(now)),
            Action::Void { reason } => Ok(self.void(now, reason)),
            Action::AdjustTime { by } => self.adjust(now, *by),
            Action::Pause => Ok(self.pause(now)),
            Action::Resume => Ok(self.resume(now)),
            Action::Message { text } => {
                Ok(vec![ToPlayer::Notice(Notice { seq: self.next_seq(), at: now, text: text.clone() })])
            }
            Action::Remove { seat, .. } => self.remove(*seat),
            Action::GiveLives { seat: Some(seat), lives } => self.at_seat(*seat, |held| held.give_lives(*lives)),
            Action::GiveLives { seat: None, lives } => {
                self.seats.iter_mut().filter(|held| held.alive).for_each(|held| held.give_lives(*lives));
                Ok(Vec::new())
            }
            Action::End { pay } => Ok(self.end(now, *pay)),
            Action::Autopilot { on } => {
                self.autopilot = *on;
                self.plan_step(now);
                Ok(Vec::new())
            }
            // No effect on the show: the seat keeps its answers and winnings, whoever has the tokens.
            Action::ReissueToken { seat } => self.at_seat(*seat, |_| ()),
            Action::SetSeats { seats } => self.set_seats(*seats),
            Action::LockLobby { on } => {
                self.locked = *on;
                Ok(Vec::new())
            }
            Action::Restore { seat } => self.restore(*seat),
            Action::BanAddress { seat, .. } => {
                // Without that record the next engine of the show would lose the ban.
                if self.named_by_address.take() != Some(*seat) {
                    return Err(format!("the address of seat {seat} is banned, and the journal does not say which"));
                }
                self.remove(*seat)
            }
            Action::LiftAddressBans | Action::Play { .. } => Ok(Vec::new()),
        }
    }

    /// Whether the question may be closed: from edition 2 on not before it is open.
    fn may_close(&self, now: Millis) -> bool {
        self.edition < RulesVersion(2) || self.asked.last().is_some_and(|asked| asked.clock.has_opened(now))
    }

    fn may_void(&self) -> bool {
        matches!(self.phase, Phase::Question | Phase::Closing | Phase::Closed | Phase::Revealed)
            && self.asked.last().is_some_and(|asked| asked.voided.is_none())
    }

    fn may_pause(&self, now: Millis) -> bool {
        match self.phase {
            Phase::Question => !self.paused && self.runs_out().is_none_or(|end| end > now),
            Phase::Created | Phase::Ended => false,
            Phase::Lobby | Phase::Closing | Phase::Closed | Phase::Revealed => !self.paused,
        }
    }

    fn runs_out(&self) -> Option<Millis> {
        self.asked.last().and_then(|asked| asked.clock.runs_out())
    }

    fn at_seat(&mut self, seat: Seat, change: impl FnOnce(&mut Held)) -> Result<Vec<ToPlayer>, Refused> {
        let held = self.seats.get_mut(seat.index()).ok_or_else(|| format!("there is no seat {seat}"))?;
        change(held);
        Ok(Vec::new())
    }

    /// Voids the last question.
    fn void(&mut self, now: Millis, reason: &str) -> Vec<ToPlayer> {
        take_back(&mut self.seats, std::mem::take(&mut self.changes));
        self.rank();
        let (seq, alive) = (self.next_seq(), self.alive());
        let Some(asked) = self.asked.last_mut() else { return Vec::new() };
        asked.voided = Some(now);
        asked.clock.close(now);
        let void = Void { seq, at: now, question: asked.question.question, reason: reason.to_owned(), alive };
        self.enter(Phase::Revealed, now);
        vec![ToPlayer::Void(void)]
    }

    /// Voids the closing question, as answers to it may be missing.
    pub(super) fn outage(&mut self, now: Millis, question: QuestionId) -> Result<Vec<ToPlayer>, Refused> {
        if self.closing() != Some(question) || !self.may_void() {
            return Err(format!("question {question} is not closing"));
        }
        Ok(self.void(now, OUTAGE))
    }

    fn adjust(&mut self, now: Millis, by: i32) -> Result<Vec<ToPlayer>, Refused> {
        let seq = self.seq.next();
        let asked = self.asked.last_mut().filter(|asked| !asked.clock.has_opened(now));
        let asked = asked.ok_or("the question is open: its time can't be changed")?;
        let total = i64::from(asked.clock.total().0) + i64::from(by);
        let total = u32::try_from(total).ok().map(Span).filter(|total| OPEN_FOR.contains(total));
        let total = total.ok_or("no question is open for so long, or so short")?;
        asked.clock = Clock::new(asked.clock.last().opens, total);
        let (opens_at, closes_at) = (asked.clock.last().opens, asked.clock.last().closes);
        let question = asked.question.question;
        self.next_seq();
        Ok(vec![ToPlayer::Clock(NewTimes { seq, at: now, question, opens_at, closes_at })])
    }

    fn pause(&mut self, now: Millis) -> Vec<ToPlayer> {
        let asked = self.asked.last_mut().filter(|_| self.phase == Phase::Question);
        let left = asked.map(|asked| {
            asked.clock.stop(now);
            asked.pauses.push((now, None));
            asked.clock.left(now)
        });
        self.paused = true;
        self.step_left = self.step.take().map(|step| step.since(now));
        vec![ToPlayer::Pause(Pause { seq: self.next_seq(), at: now, left })]
    }

    fn resume(&mut self, now: Millis) -> Vec<ToPlayer> {
        self.paused = false;
        self.step = self.step_left.take().map(|left| now + left);
        let seq = self.next_seq();
        let lead = self.settings.lead;
        let asked = self.asked.last_mut().filter(|_| self.phase == Phase::Question);
        let asked = asked.map(|asked| {
            asked.clock.go(now + lead, Span(0));
            if let Some((_, opens)) = asked.pauses.last_mut() {
                *opens = Some(now + lead);
            }
            &*asked
        });
        vec![ToPlayer::Resume(resume_of(seq, now, asked))]
    }
}
