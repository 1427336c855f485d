//! What was asked, what was heard and when; and whether "the first wins, once" explains it.
//!
//! Each question's seat is a register that is set once. So there is no search: a history is linearizable if one claim can have been
//! the first, before everything that was heard of it.

use std::collections::HashMap;

use klaxon_engine::arbiter::ClaimOutcome;
use klaxon_engine::round::SeatClaim;
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::Fence;

use crate::Place;

/// Nanoseconds since the history began.
pub type Moment = u64;

/// All that was done and heard.
#[derive(Debug, Default)]
pub struct History {
    pub calls: Vec<Call>,
    /// Each lease's token, and when it was known to be given.
    pub leases: Vec<(Fence, Moment)>,
}

/// A batch of claims.
#[derive(Debug)]
pub struct Call {
    pub fence: Fence,
    pub question: QuestionId,
    pub claims: Vec<SeatClaim>,
    pub called: Moment,
    pub returned: Moment,
    pub heard: Heard,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Standings(Vec<ClaimOutcome>),
    /// It changed nothing: the lease was another's.
    Refused,
    /// It may have been done at any time after the call, or never.
    Unknown,
}

/// How a history breaks the rule.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// Two claims were told that they are the first.
    TwoFirsts(Place),
    /// Two choices were told to have counted.
    TwoChoices(Place),
    /// A choice counted that nobody claimed, or whose claims were all refused.
    NobodysChoice(Place),
    /// It was told that a claim had counted before that claim was made.
    ToldTooEarly(Place),
    /// A claim counted though it was too late for another to.
    CountedAfterTooLate(Place),
    /// A call was answered under this token when a newer lease had been given.
    AnsweredUnderOldLease(Fence),
    /// A call was told of more or fewer claims than it made.
    Incomplete,
}

/// One claim in its call.
struct Asked {
    call: usize,
    at: usize,
    choice: ClaimValue,
    called: Moment,
    returned: Moment,
    outcome: Option<ClaimOutcome>,
}

impl Asked {
    /// Whether all of this was over before that began.
    fn precedes(&self, that: &Self) -> bool {
        let in_one_call = self.call == that.call && self.at < that.at;
        in_one_call || self.returned < that.called
    }
}

/// Finds the first thing that can't be.
pub fn check(history: &History) -> Result<(), Broken> {
    let mut seats: HashMap<Place, Vec<Asked>> = HashMap::new();
    for (number, call) in history.calls.iter().enumerate() {
        let (outcomes, returned) = match &call.heard {
            Heard::Refused => continue,
            Heard::Unknown => (None, Moment::MAX),
            Heard::Standings(outcomes) => (Some(outcomes), call.returned),
        };
        if let Some(outcomes) = outcomes {
            if outcomes.len() != call.claims.len() {
                return Err(Broken::Incomplete);
            }
            if history.leases.iter().any(|&(fence, given)| fence > call.fence && given < call.called) {
                return Err(Broken::AnsweredUnderOldLease(call.fence));
            }
        }
        for (at, claim) in call.claims.iter().enumerate() {
            let outcome = outcomes.map(|outcomes| outcomes[at].clone());
            let asked = Asked { call: number, at, choice: claim.value.clone(), called: call.called, returned, outcome };
            seats.entry((call.question, claim.seat.0)).or_default().push(asked);
        }
    }
    seats.into_iter().try_for_each(|(place, asked)| check_seat(place, &asked))
}

fn check_seat(place: Place, asked: &[Asked]) -> Result<(), Broken> {
    let told = |wanted: ClaimOutcome| asked.iter().filter(move |asked| asked.outcome.as_ref() == Some(&wanted));
    if told(ClaimOutcome::First).count() > 1 {
        return Err(Broken::TwoFirsts(place));
    }
    let first = told(ClaimOutcome::First).next();
    let counted = |asked: &Asked| match &asked.outcome {
        Some(ClaimOutcome::First) => Some(asked.choice.clone()),
        Some(ClaimOutcome::Before(choice)) => Some(choice.clone()),
        _ => None,
    };
    let Some(choice) = asked.iter().find_map(counted) else { return Ok(()) };
    if asked.iter().filter_map(counted).any(|other| other != choice) {
        return Err(Broken::TwoChoices(place));
    }
    if told(ClaimOutcome::TooLate).next().is_some() {
        return Err(Broken::CountedAfterTooLate(place));
    }
    // The one that was told so; or if that was never heard, one of those whose reply is unknown.
    let may_be_first = |asked: &&Asked| match first {
        Some(first) => std::ptr::eq(first, *asked),
        None => asked.outcome.is_none() && asked.choice == choice,
    };
    let mut candidates = asked.iter().filter(may_be_first).peekable();
    if candidates.peek().is_none() {
        return Err(Broken::NobodysChoice(place));
    }
    let told_of_it = || asked.iter().filter(|asked| matches!(asked.outcome, Some(ClaimOutcome::Before(_))));
    let explains = |first: &Asked| told_of_it().all(|told| !told.precedes(first));
    if candidates.any(explains) { Ok(()) } else { Err(Broken::ToldTooEarly(place)) }
}
