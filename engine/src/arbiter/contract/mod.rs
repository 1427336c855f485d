//! What every arbiter must do, whatever it is made of.
//!
//! An implementation's tests say `arbiter_contract!(EXPRESSION, CASES)`. The expression, which may `.await`, makes a new arbiter that
//! knows nothing of the shows used here, and whatever must live as long as it does. Of the courses made up at random so many are
//! played.

mod leases;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use klaxon_protocol::ids::{Choice, Fence, QuestionId, Seat, ShowId};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

pub use leases::*;

use super::{Arbiter, ArbiterError, Claim, ClaimOutcome, SEATS};

const SHOW: ShowId = ShowId(u64::MAX);
const OTHER: ShowId = ShowId(7);
const Q1: QuestionId = QuestionId(1);

fn claim(seat: u32, choice: u8) -> Claim {
    Claim { seat: Seat(seat), choice: Choice(choice) }
}

fn before(choice: u8) -> ClaimOutcome {
    ClaimOutcome::Before(Choice(choice))
}

async fn leased(arbiter: &impl Arbiter) -> Fence {
    arbiter.lease(SHOW, Fence(0)).await.unwrap().fence
}

pub async fn the_first_claim_of_a_seat_counts_and_a_retry_is_told_so(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    let batch = [claim(0, 2), claim(5, 0), claim(0, 1), claim(5, 0), claim(SEATS - 1, 5)];
    let outcomes = arbiter.claim(SHOW, fence, Q1, &batch).await.unwrap();
    assert_eq!(outcomes, [ClaimOutcome::First, ClaimOutcome::First, before(2), before(0), ClaimOutcome::First]);
    let again = arbiter.claim(SHOW, fence, Q1, &batch).await.unwrap();
    assert_eq!(again, [before(2), before(0), before(2), before(0), before(5)]);
}

pub async fn questions_and_shows_do_not_know_of_each_other(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    let other = arbiter.lease(OTHER, Fence(0)).await.unwrap().fence;
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(arbiter.claim(OTHER, other, Q1, &[claim(1, 2)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(arbiter.claim(SHOW, fence, QuestionId(2), &[claim(1, 3)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 0)]).await.unwrap(), [before(1)]);
    arbiter.close(OTHER, other, Q1).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(2, 0)]).await.unwrap(), [ClaimOutcome::First]);
    arbiter.forget(OTHER, other).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(2, 1)]).await.unwrap(), [before(0)]);
}

pub async fn an_empty_batch_is_answered_by_nothing(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[]).await.unwrap(), []);
    arbiter.restore(SHOW, fence, Q1, &[]).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(0, 0)]).await.unwrap(), [ClaimOutcome::First]);
}

pub async fn after_the_close_only_what_counted_counts(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.close(SHOW, fence, Q1).await.unwrap();
    arbiter.close(SHOW, fence, Q1).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), claim(1, 3), claim(2, 0), claim(2, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1), before(1), ClaimOutcome::TooLate, ClaimOutcome::TooLate]);

    arbiter.close(SHOW, fence, QuestionId(2)).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, QuestionId(2), &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::TooLate]);
    let next = leased(&arbiter).await;
    let outcomes = arbiter.claim(SHOW, next, Q1, &[claim(2, 2)]).await.unwrap();
    assert_eq!(outcomes, [ClaimOutcome::TooLate], "a new lease does not open a closed question");
}

pub async fn what_the_journal_holds_counts_after_a_restore(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    arbiter.claim(SHOW, fence, Q1, &[claim(3, 3), claim(4, 4)]).await.unwrap();
    for _ in 0..2 {
        arbiter.restore(SHOW, fence, Q1, &[claim(1, 1), claim(900, 2), claim(3, 0)]).await.unwrap();
        let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(1, 5), claim(900, 2), claim(3, 3), claim(4, 1)]).await;
        assert_eq!(outcomes.unwrap(), [before(1), before(2), before(0), before(4)]);
    }
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(2, 2)]).await.unwrap(), [ClaimOutcome::First]);

    arbiter.close(SHOW, fence, Q1).await.unwrap();
    arbiter.restore(SHOW, fence, Q1, &[claim(7, 1)]).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(7, 1), claim(8, 1)]).await.unwrap();
    assert_eq!(outcomes, [before(1), ClaimOutcome::TooLate], "the restored counts, and closed stays closed");
}

pub async fn claims_are_kept_for_the_newest_question_and_the_one_before(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.claim(SHOW, fence, QuestionId(2), &[claim(1, 2)]).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 0)]).await.unwrap(), [before(1)]);
    arbiter.close(SHOW, fence, QuestionId(3)).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), claim(2, 1)]).await.unwrap();
    assert_eq!(outcomes, [ClaimOutcome::TooLate, ClaimOutcome::TooLate]);
    arbiter.restore(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.close(SHOW, fence, Q1).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::TooLate]);
    assert_eq!(arbiter.claim(SHOW, fence, QuestionId(2), &[claim(1, 0)]).await.unwrap(), [before(2)]);
    arbiter.restore(SHOW, fence, QuestionId(u16::MAX), &[claim(1, 1)]).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, QuestionId(u16::MAX), &[claim(1, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1)]);
    assert_eq!(arbiter.claim(SHOW, fence, QuestionId(3), &[claim(5, 0)]).await.unwrap(), [ClaimOutcome::TooLate]);
}

pub async fn an_impossible_claim_refuses_its_whole_batch(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    for bad in [claim(SEATS, 0), claim(u32::MAX, 0), claim(2, 6), claim(2, u8::MAX)] {
        let refused = ArbiterError::BadClaim(bad);
        assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), bad]).await, Err(refused.clone()));
        assert_eq!(arbiter.restore(SHOW, fence, Q1, &[claim(1, 1), bad]).await, Err(refused));
    }
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 0)]).await.unwrap(), [ClaimOutcome::First]);
}

pub async fn a_forgotten_show_is_as_if_it_had_never_been(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.close(SHOW, fence, Q1).await.unwrap();
    arbiter.forget(SHOW, fence).await.unwrap();
    arbiter.forget(SHOW, fence).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await, Err(ArbiterError::NoLease));
    let next = arbiter.lease(SHOW, fence).await.unwrap().fence;
    assert!(next > fence);
    assert_eq!(arbiter.claim(SHOW, next, Q1, &[claim(1, 2)]).await.unwrap(), [ClaimOutcome::First]);
}

pub async fn of_many_at_once_exactly_one_counts_and_all_others_hear_which(arbiter: impl Arbiter) {
    const SEATS_CLAIMED: u32 = 500;
    const TASKS: u8 = 12;
    let arbiter = Arc::new(arbiter);
    let fence = leased(&*arbiter).await;
    let start = Arc::new(tokio::sync::Barrier::new(usize::from(TASKS)));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (arbiter, start) = (Arc::clone(&arbiter), Arc::clone(&start));
            tokio::spawn(async move {
                let claims: Vec<Claim> = (0..SEATS_CLAIMED).map(|seat| claim(seat, task % 6)).collect();
                start.wait().await;
                let mut outcomes = Vec::new();
                for batch in claims.chunks(16) {
                    outcomes.extend(arbiter.claim(SHOW, fence, Q1, batch).await.unwrap());
                }
                outcomes
            })
        })
        .collect();
    let mut heard = Vec::new();
    for task in tasks {
        heard.push(task.await.unwrap());
    }
    for seat in 0..SEATS_CLAIMED as usize {
        let told: Vec<ClaimOutcome> = heard.iter().map(|outcomes| outcomes[seat]).collect();
        let firsts: Vec<usize> = (0..told.len()).filter(|&task| told[task] == ClaimOutcome::First).collect();
        let [first] = firsts[..] else { panic!("seat {seat} was counted {} times", firsts.len()) };
        let others = told.iter().filter(|&&outcome| outcome == before((first % 6) as u8));
        assert_eq!(others.count(), told.len() - 1, "seat {seat}: {told:?}");
    }
}

pub async fn a_batch_of_any_size_is_judged_in_its_order(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    // Each seat three times, near ones and far ones by turns.
    let seat = |number: u32| (number % 1_700) * 5_801 % SEATS;
    let batch: Vec<Claim> = (0..5_100).map(|number| claim(seat(number), (number / 850 % 6) as u8)).collect();
    let mut counted = HashMap::new();
    let expected: Vec<ClaimOutcome> = (batch.iter())
        .map(|claim| match counted.insert(claim.seat, claim.choice) {
            None => ClaimOutcome::First,
            Some(first) => {
                counted.insert(claim.seat, first);
                ClaimOutcome::Before(first)
            }
        })
        .collect();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &batch).await.unwrap(), expected);

    let restored: Vec<Claim> = (0..1_700).map(|number| claim(seat(number), 5)).collect();
    arbiter.restore(SHOW, fence, Q1, &restored).await.unwrap();
    arbiter.close(SHOW, fence, Q1).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &batch).await.unwrap(), vec![before(5); batch.len()]);
}

/// What can be done to an arbiter, and by whom: the newest leaseholder or the one before.
#[derive(Debug, Clone)]
pub enum Step {
    Lease,
    Claim { stale: bool, question: u16, claims: Vec<(u32, u8)> },
    Close { stale: bool, question: u16 },
    Restore { question: u16, claims: HashMap<u32, u8> },
    Forget,
}

/// Plays so many courses for a test in this file.
pub fn runner(cases: u32, source_file: &'static str) -> TestRunner {
    TestRunner::new(ProptestConfig { source_file: Some(source_file), ..ProptestConfig::with_cases(cases) })
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let claims = || prop::collection::vec((0..6_u32, 0..6_u8), 0..8);
    let step = prop_oneof![
        1 => Just(Step::Lease),
        8 => (prop::bool::weighted(0.1), 1..5_u16, claims())
            .prop_map(|(stale, question, claims)| Step::Claim { stale, question, claims }),
        2 => (prop::bool::weighted(0.1), 1..5_u16).prop_map(|(stale, question)| Step::Close { stale, question }),
        2 => (1..5_u16, claims())
            .prop_map(|(question, claims)| Step::Restore { question, claims: claims.into_iter().collect() }),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..40)
}

/// The simplest arbiter: everything is kept, and looked at anew each time.
#[derive(Default)]
struct Model {
    counted: HashMap<(u16, u32), u8>,
    closed: HashSet<u16>,
    newest: u16,
}

impl Model {
    /// Whether the question's claims are kept.
    fn sees(&mut self, question: u16) -> bool {
        self.newest = self.newest.max(question);
        question + 1 >= self.newest
    }

    fn claim(&mut self, question: u16, (seat, choice): (u32, u8)) -> ClaimOutcome {
        if !self.sees(question) {
            return ClaimOutcome::TooLate;
        }
        match self.counted.get(&(question, seat)) {
            Some(&counted) => before(counted),
            None if self.closed.contains(&question) => ClaimOutcome::TooLate,
            None => {
                self.counted.insert((question, seat), choice);
                ClaimOutcome::First
            }
        }
    }
}

pub async fn it_does_as_the_simplest_arbiter_does(arbiter: impl Arbiter, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut fences = (Fence(0), leased(&arbiter).await);
    for step in steps {
        let (old, newest) = fences;
        match step {
            Step::Lease => fences = (newest, arbiter.lease(SHOW, Fence(0)).await.unwrap().fence),
            Step::Claim { stale: true, question, claims } => {
                let claims: Vec<Claim> = claims.into_iter().map(|(seat, choice)| claim(seat, choice)).collect();
                let heard = arbiter.claim(SHOW, old, QuestionId(question), &claims).await;
                assert_eq!(heard, Err(ArbiterError::Fenced { newest }));
            }
            Step::Claim { stale: false, question, claims } => {
                let batch: Vec<Claim> = claims.iter().map(|&(seat, choice)| claim(seat, choice)).collect();
                let heard = arbiter.claim(SHOW, newest, QuestionId(question), &batch).await.unwrap();
                model.sees(question);
                let expected: Vec<_> = claims.into_iter().map(|claim| model.claim(question, claim)).collect();
                assert_eq!(heard, expected);
            }
            Step::Close { stale: true, question } => {
                let heard = arbiter.close(SHOW, old, QuestionId(question)).await;
                assert_eq!(heard, Err(ArbiterError::Fenced { newest }));
            }
            Step::Close { stale: false, question } => {
                arbiter.close(SHOW, newest, QuestionId(question)).await.unwrap();
                if model.sees(question) {
                    model.closed.insert(question);
                }
            }
            Step::Restore { question, claims } => {
                let batch: Vec<Claim> = claims.iter().map(|(&seat, &choice)| claim(seat, choice)).collect();
                arbiter.restore(SHOW, newest, QuestionId(question), &batch).await.unwrap();
                if model.sees(question) {
                    model.counted.extend(claims.into_iter().map(|(seat, choice)| ((question, seat), choice)));
                }
            }
            Step::Forget => {
                arbiter.forget(SHOW, newest).await.unwrap();
                model = Model::default();
                fences = (newest, arbiter.lease(SHOW, newest).await.unwrap().fence);
            }
        }
    }
}

/// Runs the contract against the arbiter that the expression makes.
macro_rules! arbiter_contract {
    ($make:expr, $cases:expr) => {
        $crate::arbiter::contract::arbiter_contract! { @ $make;
            the_first_claim_of_a_seat_counts_and_a_retry_is_told_so
            questions_and_shows_do_not_know_of_each_other
            an_empty_batch_is_answered_by_nothing
            each_lease_is_larger_and_refuses_those_before_it
            a_token_that_was_never_given_opens_nothing
            after_the_close_only_what_counted_counts
            what_the_journal_holds_counts_after_a_restore
            claims_are_kept_for_the_newest_question_and_the_one_before
            an_impossible_claim_refuses_its_whole_batch
            a_forgotten_show_is_as_if_it_had_never_been
            of_many_at_once_exactly_one_counts_and_all_others_hear_which
            leases_taken_at_once_are_all_different
            a_lease_that_is_given_back_goes_on_until_another_is_taken
            each_lease_is_renewed_or_told_why_not
            a_lease_says_for_how_long_nobody_had_the_show
            a_batch_of_any_size_is_judged_in_its_order
        }
        #[test]
        fn it_does_as_the_simplest_arbiter_does() {
            use $crate::arbiter::contract;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // A server that the arbiters share lives as long as one of them.
            let _first = runtime.block_on(async { $make });
            contract::runner($cases, file!())
                .run(&contract::steps(), |steps| {
                    runtime.block_on(async {
                        let (arbiter, _beside) = $make;
                        contract::it_does_as_the_simplest_arbiter_does(arbiter, steps).await;
                    });
                    Ok(())
                })
                .unwrap();
        }
    };
    (@ $make:expr; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let (arbiter, _beside) = $make;
                $crate::arbiter::contract::$rule(arbiter).await;
            }
        )*
    };
}
pub(crate) use arbiter_contract;
