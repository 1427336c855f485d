//! The checker itself: histories that can be, and some that can't.

use klaxon_engine::arbiter::ClaimOutcome;
use klaxon_engine::round::SeatClaim;
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{ClaimKey, Fence, Seat};

use crate::history::{Broken, Call, Heard, History, Moment, check};

const PLACE: (QuestionId, u32) = (QuestionId(1), 5);
const FIRST: Heard1 = Heard1::Told(ClaimOutcome::First);
const TOO_LATE: Heard1 = Heard1::Told(ClaimOutcome::TooLate);

enum Heard1 {
    Told(ClaimOutcome),
    Refused,
    Unknown,
}
use Heard1::{Refused, Unknown};

fn before(choice: u8) -> Heard1 {
    Heard1::Told(ClaimOutcome::Before(ClaimValue::Bits(choice.into())))
}

fn claim(choice: u8) -> SeatClaim {
    SeatClaim { seat: Seat(PLACE.1), key: ClaimKey(0), value: ClaimValue::Bits((choice).into()) }
}

fn batch((called, returned): (Moment, Moment), claims: Vec<SeatClaim>, heard: Heard) -> Call {
    Call { fence: Fence(1), question: PLACE.0, claims, called, returned, heard }
}

/// A call with one claim.
fn call(when: (Moment, Moment), choice: u8, heard: Heard1) -> Call {
    let heard = match heard {
        Heard1::Told(outcome) => Heard::Standings(vec![outcome]),
        Refused => Heard::Refused,
        Unknown => Heard::Unknown,
    };
    batch(when, vec![claim(choice)], heard)
}

fn checked(calls: impl Into<Vec<Call>>) -> Result<(), Broken> {
    check(&History { calls: calls.into(), leases: vec![(Fence(1), 0)] })
}

#[test]
fn what_can_be_is_not_complained_of() {
    let histories = [
        vec![],
        vec![call((0, 1), 3, FIRST), call((2, 3), 3, before(3)), call((2, 4), 1, before(3))],
        // The reply of the one that counted came later than that of another, which began before it.
        vec![call((0, 3), 1, before(3)), call((2, 9), 3, FIRST)],
        // What nobody heard of counted, or did not.
        vec![call((0, 5), 3, Unknown), call((6, 7), 3, before(3))],
        vec![call((0, 5), 3, Unknown), call((6, 7), 1, FIRST), call((8, 9), 3, before(1))],
        // It counted after its caller had given up.
        vec![call((0, 1), 3, Unknown), call((2, 3), 1, Unknown), call((4, 5), 2, before(1))],
        vec![call((0, 1), 3, Refused), call((2, 3), 2, FIRST)],
        vec![call((0, 1), 3, Unknown), call((2, 3), 3, TOO_LATE)],
    ];
    for history in histories {
        let told = format!("{history:?}");
        assert_eq!(checked(history), Ok(()), "{told}");
    }
    let outcomes = Heard::Standings(vec![ClaimOutcome::First, ClaimOutcome::Before(ClaimValue::Bits(3))]);
    assert_eq!(checked([batch((0, 1), vec![claim(3), claim(1)], outcomes)]), Ok(()));
}

#[test]
fn two_claims_that_count_are_found() {
    assert_eq!(checked([call((0, 1), 3, FIRST), call((2, 3), 3, FIRST)]), Err(Broken::TwoFirsts(PLACE)));
    let both = Heard::Standings(vec![ClaimOutcome::First; 2]);
    assert_eq!(checked([batch((0, 1), vec![claim(3), claim(1)], both)]), Err(Broken::TwoFirsts(PLACE)));
}

#[test]
fn two_choices_that_count_are_found() {
    let two = Err(Broken::TwoChoices(PLACE));
    assert_eq!(checked([call((0, 1), 3, FIRST), call((2, 3), 1, before(1))]), two);
    assert_eq!(checked([call((0, 1), 3, Unknown), call((2, 3), 1, before(3)), call((2, 3), 1, before(1))]), two);
}

#[test]
fn a_choice_that_nobody_can_have_made_count_is_found() {
    let nobodys = Err(Broken::NobodysChoice(PLACE));
    assert_eq!(checked([call((0, 1), 3, before(3))]), nobodys);
    assert_eq!(checked([call((0, 1), 3, Refused), call((2, 3), 1, before(3))]), nobodys);
    assert_eq!(checked([call((0, 1), 2, Unknown), call((2, 3), 1, before(3))]), nobodys);
}

#[test]
fn a_reply_that_came_before_what_it_tells_of_is_found() {
    let early = Err(Broken::ToldTooEarly(PLACE));
    assert_eq!(checked([call((0, 1), 1, before(3)), call((2, 3), 3, FIRST)]), early);
    assert_eq!(checked([call((0, 1), 1, before(3)), call((2, 3), 3, Unknown)]), early);
    let turned_round = Heard::Standings(vec![ClaimOutcome::Before(ClaimValue::Bits(3)), ClaimOutcome::First]);
    assert_eq!(checked([batch((0, 1), vec![claim(1), claim(3)], turned_round)]), early);
}

#[test]
fn a_claim_that_counts_though_it_was_too_late_is_found() {
    let late = Err(Broken::CountedAfterTooLate(PLACE));
    assert_eq!(checked([call((0, 1), 3, TOO_LATE), call((2, 3), 1, FIRST)]), late);
    assert_eq!(checked([call((0, 1), 3, FIRST), call((2, 3), 1, TOO_LATE)]), late);
}

#[test]
fn an_answer_under_a_lease_that_was_over_is_found() {
    let leases = vec![(Fence(1), 0), (Fence(2), 5)];
    let history = |called| History { calls: vec![call((called, 9), 3, FIRST)], leases: leases.clone() };
    assert_eq!(check(&history(4)), Ok(()), "it may have been done before the lease was given");
    assert_eq!(check(&history(6)), Err(Broken::AnsweredUnderOldLease(Fence(1))));
}

#[test]
fn a_missing_standing_is_found() {
    let one = Heard::Standings(vec![ClaimOutcome::First]);
    assert_eq!(checked([batch((0, 1), vec![claim(3), claim(1)], one)]), Err(Broken::Incomplete));
}
