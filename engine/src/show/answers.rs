//! Answers on their way to being counted: sifted by the rules, claimed at the arbiter, recorded, replied to.

use std::collections::HashSet;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{GatewayId, QuestionId, Seat};
use klaxon_protocol::journal::{Command, CountedAnswer};
use klaxon_protocol::link::{AnswerBatch, Reply, ReplyBatch, StampedAnswer, ToGateway};
use klaxon_protocol::player::Verdict;
use klaxon_protocol::time::Span;

use super::Show;
use super::lost::Lost;
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
                Standing::Decided(verdict) => {
                    if verdict == Verdict::Refused(ErrorCode::SeatGivenAway) {
                        self.dismiss_stale(batch.gateway, answer.by);
                    }
                    replies.push(reply(&answer, verdict));
                }
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
    pub(super) async fn claim(&mut self, pending: &mut Pending) -> Result<(), Lost> {
        let Some(question) = pending.question.take() else { return Ok(()) };
        let answers = std::mem::take(&mut pending.answers);
        let claims: Vec<Claim> =
            answers.iter().map(|(_, answer)| Claim { seat: answer.by.seat, choice: answer.choice }).collect();
        let claimed = loop {
            match self.ports.arbiter.claim(self.id, self.fence, question, &claims).await {
                Ok(claimed) => break claimed,
                Err(ArbiterError::Unavailable(problem)) => {
                    tracing::warn!(show = %self.id, problem, "the arbiter does not answer; asking again");
                    self.wait_for_the_store(ASK_AGAIN).await;
                }
                Err(ArbiterError::NoLease) => self.regain().await?,
                Err(lost) => return Err(lost.into()),
            }
        };
        let counted = to_count(&answers, &claimed);
        let mut replies: Vec<(GatewayId, Vec<Reply>)> = Vec::new();
        for ((gateway, answer), claimed) in answers.iter().zip(claimed) {
            let reply = reply(answer, verdict(answer, claimed));
            match replies.iter_mut().find(|(to, _)| to == gateway) {
                Some((_, replies)) => replies.push(reply),
                None => replies.push((*gateway, vec![reply])),
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

/// What is to be counted of a batch: each claim that is the seat's first. A claim that the arbiter had before, and the game does
/// not hold, counts too: it is written down before anybody is told.
fn to_count(answers: &[(GatewayId, StampedAnswer)], claimed: &[Claimed]) -> Vec<CountedAnswer> {
    let count = |answer: &StampedAnswer, choice| CountedAnswer { seat: answer.by.seat, choice, at: answer.at };
    let judged = || answers.iter().zip(claimed).map(|((_, answer), claimed)| (answer, claimed));
    let mut counted: Vec<CountedAnswer> = judged()
        .filter(|(_, claimed)| **claimed == Claimed::First)
        .map(|(answer, _)| count(answer, answer.choice))
        .collect();
    let mut before = judged().filter_map(|(answer, claimed)| match claimed {
        Claimed::Before(choice) => Some((answer, *choice)),
        Claimed::First | Claimed::TooLate => None,
    });
    if let Some(one) = before.next() {
        let mut seats: HashSet<Seat> = counted.iter().map(|answer| answer.seat).collect();
        let lost = std::iter::once(one).chain(before).filter(|(answer, _)| seats.insert(answer.by.seat));
        let lost: Vec<CountedAnswer> = lost.map(|(answer, choice)| count(answer, choice)).collect();
        counted.extend(lost);
    }
    counted
}

fn verdict(answer: &StampedAnswer, claimed: Claimed) -> Verdict {
    match claimed {
        Claimed::First => Verdict::Accepted(answer.choice),
        Claimed::Before(choice) if choice == answer.choice => Verdict::Accepted(choice),
        Claimed::Before(choice) => Verdict::AlreadyAnswered(choice),
        Claimed::TooLate => Verdict::Refused(ErrorCode::TooLate),
    }
}

fn reply(answer: &StampedAnswer, verdict: Verdict) -> Reply {
    Reply { conn: answer.conn, number: answer.number, question: answer.question, verdict, read_at: answer.at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klaxon_protocol::ids::{Choice, SeatRef};
    use klaxon_protocol::time::Millis;

    #[test]
    fn of_each_seat_one_claim_is_counted_also_one_that_only_the_arbiter_remembers() {
        let (no, yes) = (Choice(0), Choice(1));
        let answer = |seat, choice, at| {
            let (by, at) = (SeatRef::first(Seat(seat)), Millis(at));
            (GatewayId(1), StampedAnswer { conn: 0, number: 0, by, question: QuestionId(1), choice, at })
        };
        let answers = [
            answer(5, no, 1),
            answer(1, yes, 2),
            answer(5, yes, 3),
            answer(7, no, 4),
            answer(8, yes, 5),
            answer(7, yes, 6),
        ];
        let claimed = [
            Claimed::Before(yes),
            Claimed::First,
            Claimed::Before(yes),
            Claimed::First,
            Claimed::TooLate,
            Claimed::Before(no),
        ];
        let counted: Vec<_> = to_count(&answers, &claimed)
            .into_iter()
            .map(|answer| (answer.seat.0, answer.choice, answer.at.0))
            .collect();
        assert_eq!(counted, [(1, yes, 2), (7, no, 4), (5, yes, 1)]);
        let verdicts = answers.iter().zip(claimed).map(|((_, answer), claimed)| verdict(answer, claimed));
        assert_eq!(
            verdicts.collect::<Vec<_>>(),
            [
                Verdict::AlreadyAnswered(yes),
                Verdict::Accepted(yes),
                Verdict::Accepted(yes),
                Verdict::Accepted(no),
                Verdict::Refused(ErrorCode::TooLate),
                Verdict::AlreadyAnswered(no),
            ]
        );
    }
}
