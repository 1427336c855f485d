//! What every arbiter must do, whatever it is made of.
//!
//! An implementation's tests say `arbiter_contract!(EXPRESSION, CASES)`. The expression, which may `.await`, makes a new arbiter that
//! knows nothing of the shows used here, and whatever must live as long as it does. Of the courses made up at random so many are
//! played.

mod leases;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::ids::{ClaimKey, Fence, RoundId, Seat, ShowId};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

pub use leases::*;

use super::{Arbiter, ArbiterError, ClaimOutcome};
use crate::round::{ClaimSpace, ClaimValues, Round, SEATS, SeatClaim};

const SHOW: ShowId = ShowId(u64::MAX);
const OTHER: ShowId = ShowId(7);
const Q1: Round = round(1);
/// One claim of a seat, of 6 values, as in trivia.
const CHOICES: ClaimSpace = ClaimSpace::one_below(6);

const fn round(id: u16) -> Round {
    Round { id: RoundId(id), space: CHOICES }
}

fn claim(seat: u32, choice: u8) -> SeatClaim {
    SeatClaim { seat: Seat(seat), key: ClaimKey(0), value: ClaimValue::Bits(choice.into()) }
}

fn text(text: &str) -> ClaimValue {
    ClaimValue::Text(ClaimText::parse(text).unwrap())
}

fn before(choice: u8) -> ClaimOutcome {
    ClaimOutcome::Before(ClaimValue::Bits(choice.into()))
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

pub async fn rounds_and_shows_do_not_know_of_each_other(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    let other = arbiter.lease(OTHER, Fence(0)).await.unwrap().fence;
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(arbiter.claim(OTHER, other, Q1, &[claim(1, 2)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(arbiter.claim(SHOW, fence, round(2), &[claim(1, 3)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 0)]).await.unwrap(), [before(1)]);
    arbiter.close(OTHER, other, Q1.id).await.unwrap();
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
    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), claim(1, 3), claim(2, 0), claim(2, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1), before(1), ClaimOutcome::TooLate, ClaimOutcome::TooLate]);

    arbiter.close(SHOW, fence, RoundId(2)).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, round(2), &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::TooLate]);
    let next = leased(&arbiter).await;
    let outcomes = arbiter.claim(SHOW, next, Q1, &[claim(2, 2)]).await.unwrap();
    assert_eq!(outcomes, [ClaimOutcome::TooLate], "a new lease does not open a closed round");
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

    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
    arbiter.restore(SHOW, fence, Q1, &[claim(7, 1)]).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(7, 1), claim(8, 1)]).await.unwrap();
    assert_eq!(outcomes, [before(1), ClaimOutcome::TooLate], "the restored counts, and closed stays closed");
}

pub async fn claims_are_kept_for_the_newest_round_and_the_one_before(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.claim(SHOW, fence, round(2), &[claim(1, 2)]).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 0)]).await.unwrap(), [before(1)]);
    arbiter.close(SHOW, fence, RoundId(3)).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), claim(2, 1)]).await.unwrap();
    assert_eq!(outcomes, [ClaimOutcome::TooLate, ClaimOutcome::TooLate]);
    arbiter.restore(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::TooLate]);
    assert_eq!(arbiter.claim(SHOW, fence, round(2), &[claim(1, 0)]).await.unwrap(), [before(2)]);
    arbiter.restore(SHOW, fence, round(u16::MAX), &[claim(1, 1)]).await.unwrap();
    let outcomes = arbiter.claim(SHOW, fence, round(u16::MAX), &[claim(1, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1)]);
    assert_eq!(arbiter.claim(SHOW, fence, round(3), &[claim(5, 0)]).await.unwrap(), [ClaimOutcome::TooLate]);
}

pub async fn an_impossible_claim_refuses_its_whole_batch(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    for bad in [claim(SEATS, 0), claim(u32::MAX, 0), claim(2, 6), claim(2, u8::MAX)] {
        let refused = ArbiterError::BadClaim(bad.clone());
        assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), bad.clone()]).await, Err(refused.clone()));
        assert_eq!(arbiter.restore(SHOW, fence, Q1, &[claim(1, 1), bad]).await, Err(refused));
    }
    let (one_too_many, text) =
        (SeatClaim { key: ClaimKey(1), ..claim(2, 0) }, SeatClaim { value: text("no"), ..claim(2, 0) });
    for bad in [one_too_many, text] {
        let refused = ArbiterError::BadClaim(bad.clone());
        assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), bad]).await, Err(refused));
    }
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 0)]).await.unwrap(), [ClaimOutcome::First]);
}

pub async fn each_key_of_a_seat_is_a_claim_of_its_own(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    // Two of four values are three bits each, and still in an array; three of seven are not.
    for (id, space) in [(1, ClaimValues::Below(4)), (2, ClaimValues::Below(7)), (3, ClaimValues::Any)].into_iter() {
        let space = ClaimSpace { keys: if id == 1 { 2 } else { 3 }, values: space };
        let round = Round { id: RoundId(id), space };
        let claim = |seat, key, bits| SeatClaim { key: ClaimKey(key), ..claim(seat, bits) };
        let last = space.keys - 1;
        let batch = [claim(4, 0, 3), claim(4, last, 2), claim(5, 0, 1), claim(4, last, 0), claim(SEATS - 1, last, 3)];
        let outcomes = arbiter.claim(SHOW, fence, round, &batch).await.unwrap();
        let first = ClaimOutcome::First;
        assert_eq!(outcomes, [first.clone(), first.clone(), first.clone(), before(2), first], "{space:?}");
        arbiter.restore(SHOW, fence, round, &[claim(4, last, 1), claim(9, last, 0)]).await.unwrap();
        arbiter.close(SHOW, fence, round.id).await.unwrap();
        let again = [claim(4, 0, 0), claim(4, last, 2), claim(5, last, 1), claim(9, last, 3), claim(9, 0, 3)];
        let outcomes = arbiter.claim(SHOW, fence, round, &again).await.unwrap();
        let late = ClaimOutcome::TooLate;
        assert_eq!(outcomes, [before(3), before(1), late.clone(), before(0), late], "{space:?}");
    }
}

pub async fn large_numbers_and_texts_are_claimed_as_small_ones_are(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    let round = Round { id: RoundId(1), space: ClaimSpace { keys: 1, values: ClaimValues::Any } };
    let longest = "é".repeat(128);
    let values = [ClaimValue::Bits(u64::MAX), text("1"), ClaimValue::Bits(1), text(&longest), text("\"x = ' \\")];
    let batch = |values: &[ClaimValue]| -> Vec<SeatClaim> {
        let claims = values
            .iter()
            .zip(0..)
            .map(|(value, seat)| SeatClaim { value: value.clone(), ..claim(seat * 1_900_000, 0) });
        claims.collect()
    };
    let outcomes = arbiter.claim(SHOW, fence, round, &batch(&values)).await.unwrap();
    assert_eq!(outcomes, vec![ClaimOutcome::First; values.len()]);
    let mut others = values.clone();
    others.rotate_left(1);
    let stands: Vec<_> = values.iter().cloned().map(ClaimOutcome::Before).collect();
    assert_eq!(arbiter.claim(SHOW, fence, round, &batch(&others)).await.unwrap(), stands);
    let many: Vec<SeatClaim> =
        (0..3_000).map(|seat| SeatClaim { value: text(&longest), ..claim(seat * 3_001, 0) }).collect();
    let outcomes = arbiter.claim(SHOW, fence, round, &many).await.unwrap();
    assert_eq!(outcomes[0], ClaimOutcome::Before(ClaimValue::Bits(u64::MAX)));
    assert_eq!(outcomes[1..], vec![ClaimOutcome::First; 2_999]);
}

pub async fn a_forgotten_show_is_as_if_it_had_never_been(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap();
    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
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
                let claims: Vec<SeatClaim> = (0..SEATS_CLAIMED).map(|seat| claim(seat, task % 6)).collect();
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
        let told: Vec<ClaimOutcome> = heard.iter().map(|outcomes| outcomes[seat].clone()).collect();
        let firsts: Vec<usize> = (0..told.len()).filter(|&task| told[task] == ClaimOutcome::First).collect();
        let [first] = firsts[..] else { panic!("seat {seat} was counted {} times", firsts.len()) };
        let others = told.iter().filter(|outcome| **outcome == before((first % 6) as u8));
        assert_eq!(others.count(), told.len() - 1, "seat {seat}: {told:?}");
    }
}

pub async fn a_batch_of_any_size_is_judged_in_its_order(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    // Each seat three times, near ones and far ones by turns.
    let seat = |number: u32| (number % 1_700) * 5_801 % SEATS;
    let batch: Vec<SeatClaim> = (0..5_100).map(|number| claim(seat(number), (number / 850 % 6) as u8)).collect();
    let mut counted = HashMap::new();
    let expected: Vec<ClaimOutcome> = (batch.iter())
        .map(|claim| match counted.entry(claim.seat) {
            Entry::Occupied(first) => ClaimOutcome::Before(ClaimValue::clone(first.get())),
            Entry::Vacant(none) => {
                none.insert(claim.value.clone());
                ClaimOutcome::First
            }
        })
        .collect();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &batch).await.unwrap(), expected);

    let restored: Vec<SeatClaim> = (0..1_700).map(|number| claim(seat(number), 5)).collect();
    arbiter.restore(SHOW, fence, Q1, &restored).await.unwrap();
    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &batch).await.unwrap(), vec![before(5); batch.len()]);
}

/// What can be done to an arbiter, and by whom: the newest leaseholder or the one before.
#[derive(Debug, Clone)]
pub enum Step {
    Lease,
    Claim { stale: bool, round: u16, claims: Vec<(u32, u8)> },
    Close { stale: bool, round: u16 },
    Restore { round: u16, claims: HashMap<u32, u8> },
    Forget,
}

/// Plays so many courses for a test in this file.
pub fn runner(cases: u32, source_file: &'static str) -> TestRunner {
    TestRunner::new(ProptestConfig { source_file: Some(source_file), ..ProptestConfig::with_cases(cases) })
}

pub fn values() -> impl Strategy<Value = ClaimValues> {
    prop_oneof![Just(ClaimValues::Below(6)), Just(ClaimValues::Any)]
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let claims = || prop::collection::vec((0..6_u32, 0..6_u8), 0..8);
    let step = prop_oneof![
        1 => Just(Step::Lease),
        8 => (prop::bool::weighted(0.1), 1..5_u16, claims())
            .prop_map(|(stale, round, claims)| Step::Claim { stale, round, claims }),
        2 => (prop::bool::weighted(0.1), 1..5_u16).prop_map(|(stale, round)| Step::Close { stale, round }),
        2 => (1..5_u16, claims())
            .prop_map(|(round, claims)| Step::Restore { round, claims: claims.into_iter().collect() }),
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
    /// Whether the round's claims are kept.
    fn sees(&mut self, round: u16) -> bool {
        self.newest = self.newest.max(round);
        round + 1 >= self.newest
    }

    fn claim(&mut self, round: u16, (seat, choice): (u32, u8)) -> ClaimOutcome {
        if !self.sees(round) {
            return ClaimOutcome::TooLate;
        }
        match self.counted.get(&(round, seat)) {
            Some(&counted) => before(counted),
            None if self.closed.contains(&round) => ClaimOutcome::TooLate,
            None => {
                self.counted.insert((round, seat), choice);
                ClaimOutcome::First
            }
        }
    }
}

pub async fn it_does_as_the_simplest_arbiter_does(arbiter: impl Arbiter, values: ClaimValues, steps: Vec<Step>) {
    let of = |id| Round { id: RoundId(id), space: ClaimSpace { keys: 1, values } };
    let mut model = Model::default();
    let mut fences = (Fence(0), leased(&arbiter).await);
    for step in steps {
        let (old, newest) = fences;
        match step {
            Step::Lease => fences = (newest, arbiter.lease(SHOW, Fence(0)).await.unwrap().fence),
            Step::Claim { stale: true, round, claims } => {
                let claims: Vec<SeatClaim> = claims.into_iter().map(|(seat, choice)| claim(seat, choice)).collect();
                let heard = arbiter.claim(SHOW, old, of(round), &claims).await;
                assert_eq!(heard, Err(ArbiterError::Fenced { newest }));
            }
            Step::Claim { stale: false, round, claims } => {
                let batch: Vec<SeatClaim> = claims.iter().map(|&(seat, choice)| claim(seat, choice)).collect();
                let heard = arbiter.claim(SHOW, newest, of(round), &batch).await.unwrap();
                model.sees(round);
                let expected: Vec<_> = claims.into_iter().map(|claim| model.claim(round, claim)).collect();
                assert_eq!(heard, expected);
            }
            Step::Close { stale: true, round } => {
                let heard = arbiter.close(SHOW, old, RoundId(round)).await;
                assert_eq!(heard, Err(ArbiterError::Fenced { newest }));
            }
            Step::Close { stale: false, round } => {
                arbiter.close(SHOW, newest, RoundId(round)).await.unwrap();
                if model.sees(round) {
                    model.closed.insert(round);
                }
            }
            Step::Restore { round, claims } => {
                let batch: Vec<SeatClaim> = claims.iter().map(|(&seat, &choice)| claim(seat, choice)).collect();
                arbiter.restore(SHOW, newest, of(round), &batch).await.unwrap();
                if model.sees(round) {
                    model.counted.extend(claims.into_iter().map(|(seat, choice)| ((round, seat), choice)));
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
            rounds_and_shows_do_not_know_of_each_other
            an_empty_batch_is_answered_by_nothing
            each_lease_is_larger_and_refuses_those_before_it
            a_token_that_was_never_given_opens_nothing
            after_the_close_only_what_counted_counts
            what_the_journal_holds_counts_after_a_restore
            claims_are_kept_for_the_newest_round_and_the_one_before
            an_impossible_claim_refuses_its_whole_batch
            each_key_of_a_seat_is_a_claim_of_its_own
            large_numbers_and_texts_are_claimed_as_small_ones_are
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
                .run(&(contract::values(), contract::steps()), |(values, steps)| {
                    runtime.block_on(async {
                        let (arbiter, _beside) = $make;
                        contract::it_does_as_the_simplest_arbiter_does(arbiter, values, steps).await;
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
