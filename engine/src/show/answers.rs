//! Answers on their way to being counted: sifted by the rules, claimed at the arbiter, recorded, replied to.

use std::collections::HashSet;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{GatewayId, QuestionId};
use klaxon_protocol::journal::{Command, CountedAnswer};
use klaxon_protocol::link::{AnswerBatch, Reply, ReplyBatch, StampedAnswer, ToGateway};
use klaxon_protocol::player::Verdict;
use klaxon_protocol::time::Span;

use super::Show;
use crate::arbiter::{ArbiterError, Claim, Standing as Claimed};
use crate::bus::Address;
use crate::game::Standing;

/// The pause before an arbiter that did not answer is asked again.
const ASK_AGAIN: Span = Span(20);

/// Answers that may count, all of one question, not yet claimed.
#[derive(Default)]
pub(super) struct Pending {
    question: Option<QuestionId>,
    answers: Vec<(GatewayId, StampedAnswer)>,
}

impl Show {
    /// Replies at once to what is decided, and keeps what must be claimed.
    pub(super) fn sift(&mut self, batch: AnswerBatch, pending: &mut Pending) {
        let mut replies = Vec::new();
        for answer in batch.answers {
            match self.game.standing(&answer) {
                Standing::Decided(verdict) => replies.push(reply(&answer, verdict)),
                Standing::Claim => {
                    pending.question = Some(answer.question);
                    pending.answers.push((batch.gateway, answer));
                }
            }
        }
        self.reply(batch.gateway, replies);
    }

    /// Claims what is pending, counts what was accepted, replies.
    ///
    /// # Errors
    /// If the show's lease is lost. An arbiter that can't be reached is asked until it answers: a claim can be repeated.
    pub(super) async fn claim(&mut self, pending: &mut Pending) -> Result<(), ArbiterError> {
        let Some(question) = pending.question.take() else { return Ok(()) };
        let answers = std::mem::take(&mut pending.answers);
        let claims: Vec<Claim> =
            answers.iter().map(|(_, answer)| Claim { seat: answer.seat, choice: answer.choice }).collect();
        let claimed = loop {
            match self.ports.arbiter.claim(self.id, self.fence, question, &claims).await {
                Ok(claimed) => break claimed,
                Err(ArbiterError::Unavailable(problem)) => {
                    tracing::warn!(show = %self.id, problem, "the arbiter does not answer; asking again");
                    tokio::time::sleep(ASK_AGAIN.to_std()).await;
                }
                Err(lost) => return Err(lost),
            }
        };
        let mut counted = Vec::with_capacity(answers.len());
        let mut seats = HashSet::with_capacity(answers.len());
        let mut replies: Vec<(GatewayId, Vec<Reply>)> = Vec::new();
        for ((gateway, answer), claimed) in answers.iter().zip(claimed) {
            let stands = match claimed {
                Claimed::First => Some(answer.choice),
                Claimed::Before(choice) => Some(choice),
                Claimed::TooLate => None,
            };
            let verdict = match stands {
                Some(choice) if choice == answer.choice => Verdict::Accepted(choice),
                Some(choice) => Verdict::AlreadyAnswered(choice),
                None => Verdict::Refused(ErrorCode::TooLate),
            };
            // A claim that the arbiter had before, and the game does not hold, counts too: it is written down before anybody is told.
            if let Some(choice) = stands
                && seats.insert(answer.seat)
            {
                counted.push(CountedAnswer { seat: answer.seat, choice, at: answer.at });
            }
            match replies.iter_mut().find(|(to, _)| to == gateway) {
                Some((_, replies)) => replies.push(reply(answer, verdict)),
                None => replies.push((*gateway, vec![reply(answer, verdict)])),
            }
        }
        metrics::counter!("klaxon_answers_counted_total").increment(counted.len() as u64);
        if !counted.is_empty() {
            self.apply(Command::Answers { question, answers: counted });
        }
        for (gateway, replies) in replies {
            self.reply(gateway, replies);
        }
        Ok(())
    }

    fn reply(&mut self, gateway: GatewayId, replies: Vec<Reply>) {
        if !replies.is_empty() {
            count_refusals(&replies);
            let batch = ReplyBatch { gateway, show: self.id, replies };
            self.outbox.push((Address::One(gateway), ToGateway::Replies(batch)));
        }
    }
}

/// Few codes stand in one batch, so each is counted once for all its answers.
fn count_refusals(replies: &[Reply]) {
    let mut refused: Vec<(ErrorCode, u64)> = Vec::new();
    for reply in replies {
        let code = match reply.verdict {
            Verdict::Accepted(_) => continue,
            Verdict::AlreadyAnswered(_) => ErrorCode::AlreadyAnswered,
            Verdict::Refused(code) => code,
        };
        match refused.iter_mut().find(|(known, _)| *known == code) {
            Some((_, times)) => *times += 1,
            None => refused.push((code, 1)),
        }
    }
    for (code, times) in refused {
        metrics::counter!("klaxon_answers_refused_total", "code" => code.code()).increment(times);
    }
}

fn reply(answer: &StampedAnswer, verdict: Verdict) -> Reply {
    Reply { conn: answer.conn, question: answer.question, verdict, read_at: answer.at }
}
