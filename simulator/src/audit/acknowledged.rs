//! Promise 2: an acknowledged answer is never lost.

use std::collections::HashMap;

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::{Outcome, PlayerResult, QuestionId, You};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::ToPlayer;

use super::claims::Claimed;
use super::finding::{Finding, Promise};
use super::reading::Reading;
use crate::evidence::Micros;
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 2,
    name: "acknowledged, never lost",
    sentence: "An answer that was acknowledged stands in the journal and in all that follows.",
};

/// For each seat and claim, when it was first accepted, and which value.
pub(super) type Acknowledged = HashMap<(Seat, Claimed), (Micros, Option<ClaimValue>)>;

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    let acknowledged = stand_in_the_journal(reading, &mut finding);
    let mut outcomes = 0u64;
    for (index, connection) in reading.connections.iter().enumerate() {
        let Some(seat) = connection.seat else { continue };
        let mut question = None;
        let mut joined = None;
        for (at, seen) in reading.walk(index) {
            match seen {
                Seen::Sent(klaxon_protocol::player::FromPlayer::Join(_)) => joined = Some(at),
                Seen::Received(ToPlayer::Snapshot(snapshot)) => {
                    question = snapshot.question.as_ref().map(|question| question.question);
                }
                Seen::Received(ToPlayer::Question(asked)) => question = Some(asked.question),
                Seen::Received(ToPlayer::You(you)) => {
                    let Some(question) = question else { continue };
                    let problem = forgotten(reading, &acknowledged, (seat, question), joined, you);
                    finding.check(problem.is_none(), || {
                        let what = problem.unwrap_or_default();
                        reading.violation(index, what).question(question).at(at).frame(&ToPlayer::You(*you))
                    });
                }
                Seen::Received(ToPlayer::Result(result)) => {
                    let problem = wrong_outcome(reading, seat, result);
                    outcomes += 1;
                    finding.check(problem.is_none(), || {
                        let what = problem.unwrap_or_default();
                        let frame = ToPlayer::Result(*result);
                        reading.violation(index, what).question(result.question).at(at).frame(&frame)
                    });
                }
                _ => {}
            }
        }
    }
    finding.figure("acknowledged answers", acknowledged.len());
    finding.figure("results compared", outcomes);
    finding
}

fn stand_in_the_journal(reading: &Reading<'_>, finding: &mut Finding) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for (index, connection) in reading.connections.iter().enumerate() {
        let Some(seat) = connection.seat else { continue };
        for (&claimed, exchange) in &connection.exchanges {
            for &(at, frame) in &exchange.received {
                let Some(reply) = reading.reply(frame).filter(|reply| reply.accepted) else { continue };
                let first = acknowledged.entry((seat, claimed)).or_insert_with(|| (at, reply.value.clone()));
                if at < first.0 {
                    *first = (at, reply.value.clone());
                }
                let counted = reading.journal.counted(claimed, seat);
                let stands = counted.is_some_and(|counted| Some(&counted.value) == reply.value.as_ref());
                finding.check(stands, || {
                    let what = match counted {
                        None => "acknowledged, and not in the journal".to_owned(),
                        Some(counted) => {
                            format!("acknowledged, and the journal has {}", claimed.words(&counted.value))
                        }
                    };
                    reading.violation(index, what).question(claimed.round).at(at).frame(reply.message)
                });
            }
        }
    }
    acknowledged
}

/// Why the answer in a player's state is wrong; none if it is right. A player who comes back after an acknowledgement
/// is sent the answer.
fn forgotten(
    reading: &Reading<'_>,
    acknowledged: &Acknowledged,
    (seat, question): (Seat, QuestionId),
    joined: Option<Micros>,
    you: &You,
) -> Option<String> {
    match you.answered {
        Some(told) => match reading.journal.answer(question, seat) {
            Some(counted) if counted == told => None,
            Some(counted) => Some(format!("told of choice {told}, the journal has {counted}")),
            None => Some(format!("told of choice {told}, the journal has none")),
        },
        None => {
            let (at, choice) = acknowledged.get(&(seat, Claimed::answer(question)))?;
            let before = joined.is_some_and(|joined| *at < joined);
            let excused = reading.journal.removed.contains(&seat) || reading.journal.voided(question);
            (before && !excused).then(|| match choice {
                Some(choice) => format!("choice {choice} was acknowledged before, and is forgotten"),
                None => "an answer was acknowledged before, and is forgotten".to_owned(),
            })
        }
    }
}

fn wrong_outcome(reading: &Reading<'_>, seat: Seat, result: &PlayerResult) -> Option<String> {
    if reading.journal.removed.contains(&seat) {
        return None;
    }
    let right = reading.journal.right(result.question)?;
    let counted = reading.journal.answer(result.question, seat);
    let fits = match result.outcome {
        Outcome::Right => counted == Some(right),
        Outcome::Wrong => counted.is_some_and(|choice| choice != right),
        Outcome::Silent | Outcome::Watched => counted.is_none(),
    };
    (!fits).then(|| {
        let counted = counted.map_or_else(|| "no answer".to_owned(), |choice| format!("choice {choice}"));
        format!("{:?}, and the journal counted {counted} where {right} is right", result.outcome)
    })
}
