//! A player's behaviour in a question: plans actions, adapts them to changes of the clock, answers, retries, violates
//! the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Answer, AnswerReply, Choice, Question, QuestionId};
use klaxon_protocol::player::{FromPlayer, Ping, React};
use klaxon_protocol::time::{Millis, Span};
use rand::RngExt;

use super::super::actions::{Action, ActionKind, Device, actions};
use super::super::habits::Mischief;
use super::super::mischief::{self, Intrusion, intrude};
use super::{Chore, Person, SeenQuestion, local};

/// A ping is sent after an answer in this last part before the close.
const CLOSE_CALL: Span = Span(1000);

impl Person {
    pub(super) fn see(&mut self, question: &Question) {
        if self.seen.as_ref().is_some_and(|seen| seen.question.question >= question.question) {
            return self.move_clock(question.question, question.opens_at, question.closes_at);
        }
        self.world.progress.question.fetch_max(u32::from(question.question.0), Ordering::Relaxed);
        let right = self.world.key.right(question);
        let swarm = u32::try_from(self.world.plan.seats()).unwrap_or(u32::MAX);
        self.actions.retain(|action| action.stubborn);
        self.actions.extend(actions(self.world.plan.seed, &self.plan, question, right, swarm));
        self.seen = Some(SeenQuestion { question: question.clone(), closed: false, wanted: None, settled: false });
    }

    /// Moves the planned actions when the question's times have changed.
    pub(super) fn move_clock(&mut self, question: QuestionId, opens_at: Millis, closes_at: Millis) {
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == question) else { return };
        let before = seen.question.closes_at;
        seen.question.opens_at = opens_at;
        seen.question.closes_at = closes_at;
        for action in self.actions.iter_mut().filter(|action| action.question == question) {
            let moved = action.at.0.saturating_add(closes_at.0).saturating_sub(before.0);
            action.at = Millis(moved.max(if matches!(action.what, ActionKind::Answer(..)) { opens_at.0 } else { 0 }));
        }
    }

    pub(super) fn close(&mut self, question: QuestionId) {
        self.actions.retain(|action| action.stubborn || action.question != question);
        if let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == question) {
            seen.closed = true;
        }
    }

    pub(super) fn settle(&mut self, reply: &AnswerReply) {
        if reply.code == Some(ErrorCode::Unavailable) {
            return self.retry_after(Span(500));
        }
        // The answer is repeated after the pause.
        if reply.code == Some(ErrorCode::Paused) {
            return;
        }
        if let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == reply.question) {
            seen.settled = true;
        }
    }

    /// Sends the answer again if it has no reply yet.
    pub(super) fn retry(&mut self) {
        self.retry_after(Span(0));
    }

    pub(super) fn retry_after(&mut self, wait: Span) {
        let at = self.server_now() + wait;
        let Some(seen) = &self.seen else { return };
        if let (Some(choice), false, false) = (seen.wanted, seen.settled, seen.closed) {
            let question = seen.question.question;
            let at = at.max(seen.question.opens_at);
            self.actions.push(Action {
                at,
                question,
                stubborn: false,
                what: ActionKind::Answer(Device::First, choice),
            });
        }
    }

    pub(super) async fn perform(&mut self, action: &Action) {
        match action.what {
            ActionKind::Answer(device, choice) => {
                if let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == action.question)
                    && self.alive
                {
                    seen.wanted.get_or_insert(choice);
                    let closes_at = seen.question.closes_at;
                    if !self.is_in(device) {
                        // It is sent again after the next snapshot.
                        return;
                    }
                    self.answer(device, Answer { question: action.question, choice }).await;
                    // The pong proves when the answer had been read, so the audit knows that it was on time.
                    if closes_at.since(self.server_now()) < CLOSE_CALL {
                        self.send(device, &FromPlayer::Ping(Ping { sent: local() })).await;
                    }
                }
            }
            ActionKind::React(_) if !self.is_in(Device::First) => {}
            ActionKind::React(emoji) => self.send(Device::First, &FromPlayer::React(React { emoji })).await,
            ActionKind::Drop(back) => {
                self.lose(Device::First);
                self.later(back.to_std(), Chore::Open(Device::First));
            }
            ActionKind::Mischief(mischief) => self.misbehave(mischief, action.question).await,
        }
    }

    async fn answer(&mut self, device: Device, answer: Answer) {
        self.world.progress.answers.fetch_add(1, Ordering::Relaxed);
        self.send(device, &FromPlayer::Answer(answer)).await;
    }

    async fn misbehave(&mut self, mischief: Mischief, question: QuestionId) {
        let codec = self.plan.codec;
        let answer = Answer { question, choice: Choice(self.rng.random_range(0..2)) };
        let world = Arc::clone(&self.world);
        let own = self.plan.number;
        match mischief {
            Mischief::ForgesToken => {
                self.intruders.spawn(intrude(world, own, codec, Intrusion::Forged, answer));
            }
            Mischief::Steals(victim) => {
                self.intruders.spawn(intrude(world, victim, codec, Intrusion::Stolen, answer));
            }
            Mischief::AnswersUnjoined => {
                self.intruders.spawn(intrude(world, own, codec, Intrusion::Unjoined, answer));
            }
            Mischief::AnswersClosed => {
                let question = QuestionId(question.0.saturating_sub(1).max(1));
                self.answer(Device::First, Answer { question, ..answer }).await;
            }
            Mischief::AnswersEarly => self.answer(Device::First, answer).await,
            Mischief::AnswersWhenOut if self.alive => {}
            Mischief::AnswersWhenOut => self.answer(Device::First, answer).await,
            Mischief::ChoosesNothing => self.answer(Device::First, Answer { choice: Choice(77), ..answer }).await,
            Mischief::AnswersUnasked => self.send(Device::First, &mischief::unasked(answer.choice)).await,
            Mischief::ClaimsSeat(seat) => {
                self.send_bytes(Device::First, mischief::answer_for_seat(codec, answer, seat)).await;
            }
            Mischief::Floods => {
                for _ in 0..mischief::FLOOD {
                    self.send(Device::First, &mischief::flood_message()).await;
                }
            }
            Mischief::SendsTooMuch => self.send_bytes(Device::First, mischief::too_much()).await,
            Mischief::SendsNonsense => self.send_bytes(Device::First, mischief::nonsense(codec)).await,
            Mischief::SendsUnknownType => self.send_bytes(Device::First, mischief::unknown_type(codec)).await,
        }
    }
}
