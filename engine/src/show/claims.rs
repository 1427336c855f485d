//! Counting of answers: checked by the rules, claimed at the arbiter, recorded, replied to.

use std::collections::HashSet;

use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{ClaimKey, GatewayId, RoundId, Seat};
use klaxon_protocol::journal::CountedClaim;
use klaxon_protocol::link::{AnswerBatch, Reply, ReplyBatch, StampedAnswer, ToGateway};
use klaxon_protocol::time::Span;

use super::Show;
use super::outbox::by_gateway;
use super::stopping::StopReason;
use crate::arbiter::{ArbiterError, ClaimOutcome};
use crate::game::PreCheck;
use crate::round::SeatClaim;

/// The pause before an arbiter that did not answer is asked again.
const RETRY_PAUSE: Span = Span(20);

/// Answers of one round that may count and are not claimed yet. Its size is limited by the messages of one turn.
#[derive(Default)]
pub(super) struct ClaimBatch {
    round: Option<RoundId>,
    answers: Vec<(GatewayId, StampedAnswer)>,
}

/// The results of a batch of claims.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    /// The claims to record: each that is the first for its key.
    counted: Vec<CountedClaim>,
    replies: Vec<(GatewayId, Vec<Reply>)>,
}

impl ClaimBatch {
    fn add(&mut self, gateway: GatewayId, answer: StampedAnswer) {
        let round = *self.round.get_or_insert(answer.claim.round);
        assert_eq!(round, answer.claim.round, "only answers in the last round may count");
        self.answers.push((gateway, answer));
    }

    fn claims(&self) -> Vec<SeatClaim> {
        let claim = |StampedAnswer { by, claim: Claim { key, value, .. }, .. }: &StampedAnswer| SeatClaim {
            seat: by.seat,
            key: *key,
            value: value.clone(),
        };
        self.answers.iter().map(|(_, answer)| claim(answer)).collect()
    }

    /// Turns the arbiter's outcomes into claims to record and replies.
    fn judge(self, outcomes: &[ClaimOutcome]) -> Judged {
        assert_eq!(outcomes.len(), self.answers.len(), "an arbiter gives one outcome for each claim");
        let counted = counted(&self.answers, outcomes);
        let judged = self.answers.into_iter().zip(outcomes);
        let replies = judged.map(|((gateway, answer), outcome)| {
            let verdict = verdict(&answer.claim.value, outcome);
            (gateway, reply(answer, verdict))
        });
        Judged { counted, replies: by_gateway(replies) }
    }
}

impl Show {
    /// Replies to answers whose verdict is known without the arbiter, and adds the others to `claims`.
    pub(super) fn pre_check(&mut self, batch: AnswerBatch, claims: &mut ClaimBatch) {
        let mut replies = Vec::new();
        for answer in batch.answers {
            match self.game.pre_check(answer.by, &answer.claim, answer.at) {
                PreCheck::Decided(verdict) => {
                    if verdict == Verdict::Refused(ErrorCode::SeatGivenAway) {
                        self.dismiss_stale(batch.gateway, answer.by);
                    }
                    replies.push(reply(answer, verdict));
                }
                PreCheck::MayCount { .. } => claims.add(batch.gateway, answer),
            }
        }
        self.reply(batch.gateway, replies);
    }

    /// Claims a batch at the arbiter, records what was accepted, and replies.
    ///
    /// # Errors
    /// If the show's lease is lost. If the arbiter is unavailable the call is repeated until it answers, as claiming is
    /// idempotent.
    pub(super) async fn claim(&mut self, batch: &mut ClaimBatch) -> Result<(), StopReason> {
        let batch = std::mem::take(batch);
        let Some(id) = batch.round else { return Ok(()) };
        let round =
            self.game.round().filter(|round| round.id == id).expect("what may count is claimed in the last round");
        let claims = batch.claims();
        let outcomes = loop {
            match self.ports.arbiter.claim(self.id, self.lease.fence(), round, &claims).await {
                Ok(outcomes) => break outcomes,
                Err(ArbiterError::Unavailable(problem)) => {
                    tracing::warn!(problem, "the arbiter did not answer a batch of claims; trying again");
                    self.wait_for_the_store(RETRY_PAUSE).await;
                }
                Err(ArbiterError::NoLease) => self.retake_lease().await?,
                Err(refused) => return Err(refused.into()),
            }
        };
        let Judged { counted, replies } = batch.judge(&outcomes);
        metrics::counter!("klaxon_answers_counted_total").increment(counted.len() as u64);
        if !counted.is_empty() {
            self.apply(self.game.count(id, counted));
        }
        for (gateway, replies) in replies {
            self.reply(gateway, replies);
        }
        Ok(())
    }

    fn reply(&mut self, gateway: GatewayId, replies: Vec<Reply>) {
        if !replies.is_empty() {
            count_refusals(&replies);
            self.outbox.send_to_gateway(gateway, ToGateway::Replies(ReplyBatch { gateway, show: self.id, replies }));
        }
    }
}

/// A batch has few different codes, so the counter is incremented once per code.
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

/// The claims of a batch to record: each that is the first for its key. One that the arbiter accepted earlier and that
/// the game does not have counts too: it has to be recorded before a reply reports it.
fn counted(answers: &[(GatewayId, StampedAnswer)], outcomes: &[ClaimOutcome]) -> Vec<CountedClaim> {
    let count = |StampedAnswer { by, claim, at, .. }: &StampedAnswer, value: &ClaimValue| CountedClaim {
        seat: by.seat,
        key: claim.key,
        value: value.clone(),
        at: *at,
    };
    let judged = || answers.iter().zip(outcomes).map(|((_, answer), outcome)| (answer, outcome));
    let mut counted: Vec<CountedClaim> = judged()
        .filter(|(_, outcome)| **outcome == ClaimOutcome::First)
        .map(|(answer, _)| count(answer, &answer.claim.value))
        .collect();
    let mut before = judged().filter_map(|(answer, outcome)| match outcome {
        ClaimOutcome::Before(value) => Some((answer, value)),
        ClaimOutcome::First | ClaimOutcome::TooLate => None,
    });
    // In most batches there is none, and then no set is allocated.
    if let Some(one) = before.next() {
        let mut known: HashSet<(Seat, ClaimKey)> = counted.iter().map(|claim| (claim.seat, claim.key)).collect();
        let all = std::iter::once(one).chain(before);
        let unknown = all.filter(|(answer, _)| known.insert((answer.by.seat, answer.claim.key)));
        let unknown: Vec<CountedClaim> = unknown.map(|(answer, value)| count(answer, value)).collect();
        counted.extend(unknown);
    }
    counted
}

fn verdict(value: &ClaimValue, outcome: &ClaimOutcome) -> Verdict {
    match outcome {
        ClaimOutcome::First => Verdict::Accepted(value.clone()),
        ClaimOutcome::Before(counted) if counted == value => Verdict::Accepted(counted.clone()),
        ClaimOutcome::Before(counted) => Verdict::AlreadyAnswered(counted.clone()),
        ClaimOutcome::TooLate => Verdict::Refused(ErrorCode::TooLate),
    }
}

fn reply(StampedAnswer { conn, number, form, claim, at, .. }: StampedAnswer, verdict: Verdict) -> Reply {
    let Claim { round, key, .. } = claim;
    Reply { conn, number, form, round, key, verdict, read_at: at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klaxon_protocol::claim::ClaimForm;
    use klaxon_protocol::ids::SeatRef;
    use klaxon_protocol::time::Millis;

    const NO: ClaimValue = ClaimValue::Bits(0);
    const YES: ClaimValue = ClaimValue::Bits(1);

    fn batch(answers: &[(u32, u32, ClaimValue, u64)]) -> ClaimBatch {
        let mut batch = ClaimBatch::default();
        for (gateway, seat, value, at) in answers {
            let claim = Claim { round: RoundId(1), key: ClaimKey(0), value: value.clone() };
            let (by, at, form) = (SeatRef::first(Seat(*seat)), Millis(*at), ClaimForm::Answer);
            let answer = StampedAnswer { conn: u64::from(*seat), number: 0, by, form, claim, at };
            batch.add(GatewayId(*gateway), answer);
        }
        batch
    }

    #[test]
    fn of_each_seat_one_claim_is_counted_also_one_that_only_the_arbiter_remembers() {
        let batch =
            batch(&[(1, 5, NO, 1), (1, 1, YES, 2), (1, 5, YES, 3), (1, 7, NO, 4), (1, 8, YES, 5), (1, 7, YES, 6)]);
        let outcomes = [
            ClaimOutcome::Before(YES),
            ClaimOutcome::First,
            ClaimOutcome::Before(YES),
            ClaimOutcome::First,
            ClaimOutcome::TooLate,
            ClaimOutcome::Before(NO),
        ];
        let Judged { counted, replies } = batch.judge(&outcomes);
        let counted: Vec<_> = counted.iter().map(|answer| (answer.seat.0, answer.value.clone(), answer.at.0)).collect();
        assert_eq!(counted, [(1, YES, 2), (7, NO, 4), (5, YES, 1)]);
        let verdicts: Vec<Verdict> = replies[0].1.iter().map(|reply| reply.verdict.clone()).collect();
        assert_eq!(
            verdicts,
            [
                Verdict::AlreadyAnswered(YES),
                Verdict::Accepted(YES),
                Verdict::Accepted(YES),
                Verdict::Accepted(NO),
                Verdict::Refused(ErrorCode::TooLate),
                Verdict::AlreadyAnswered(NO),
            ]
        );
    }

    #[test]
    fn each_gateway_gets_the_replies_to_its_own_answers_in_their_order() {
        let batch = batch(&[(2, 5, NO, 1), (1, 6, NO, 2), (2, 7, NO, 3)]);
        let claims: Vec<u32> = batch.claims().iter().map(|claim| claim.seat.0).collect();
        assert_eq!(claims, [5, 6, 7]);
        let Judged { counted, replies } = batch.judge(&[ClaimOutcome::First, ClaimOutcome::First, ClaimOutcome::First]);
        let conns: Vec<(u32, Vec<u64>)> = replies
            .into_iter()
            .map(|(gateway, replies)| (gateway.0, replies.iter().map(|reply| reply.conn).collect()))
            .collect();
        assert_eq!((counted.len(), conns), (3, vec![(2, vec![5, 7]), (1, vec![6])]));
    }

    #[test]
    #[should_panic(expected = "one outcome for each claim")]
    fn an_arbiter_that_leaves_a_claim_out_is_a_fault() {
        batch(&[(1, 5, NO, 1), (1, 6, NO, 1)]).judge(&[ClaimOutcome::First]);
    }
}
