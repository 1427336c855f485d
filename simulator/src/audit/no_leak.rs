//! Promise 3: before the question closes, the server sends nothing from which a player could infer the right choice.

use std::collections::BTreeMap;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{QuestionId, Snapshot, You};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{FromPlayer, Phase, ToPlayer};
use klaxon_protocol::time::Millis;
use serde_json::Value;

use super::claims::ClaimAnswer;
use super::finding::{Finding, Promise, Violation};
use super::reading::{Reading, as_millis, millis};
use super::rundown;
use crate::evidence::{Direction, Micros};
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 3,
    name: "no leak",
    sentence: "Nothing that lets a player know the right choice leaves the server before the question closes.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    nothing_beside_the_protocol(reading, &mut finding);
    replies_say_the_verdict_only(reading, &mut finding);
    let mut in_the_open = 0u64;
    if let Some(book) = &reading.rundown {
        in_the_open += rundown::keeps_secrets(reading, book, &mut finding);
    }
    let known = states_after(reading);
    for connection in 0..reading.connections.len() {
        in_the_open += nothing_early(reading, connection, &known, &mut finding);
    }
    finding.figure("frames received while a question was open", in_the_open);
    finding
}

/// Checks that a frame contains nothing beyond the protocol: no unknown field, no extra bytes.
fn nothing_beside_the_protocol(reading: &Reading<'_>, finding: &mut Finding) {
    for (codec, bytes, message) in reading.received_frames() {
        let plain = match codec {
            Codec::Json => serde_json::from_slice::<Value>(bytes).ok() == serde_json::to_value(message).ok(),
            Codec::Bincode => codec.encode(message) == bytes,
        };
        finding.check(plain, || {
            let violation = Violation::new("the frame holds more than the protocol knows");
            Violation { frame: Some(String::from_utf8_lossy(bytes).into_owned()), ..violation }
        });
    }
    for (index, log) in reading.evidence.connections.iter().enumerate() {
        let nonsense = log
            .entries
            .iter()
            .find(|entry| entry.direction == Direction::Received && reading.received(entry.frame).is_none());
        if let Some(entry) = nonsense {
            finding.broken(reading.violation(index, "a frame that can't be read").at(entry.at));
        }
    }
}

/// Checks that a reply does not show whether the claim is right: players who did the same receive the same bytes, and
/// those who claimed another value the same but for the value.
fn replies_say_the_verdict_only(reading: &Reading<'_>, finding: &mut Finding) {
    let mut kinds = 0u64;
    for (codec, bytes, message) in reading.received_frames() {
        let Some(reply) = ClaimAnswer::of(message) else { continue };
        kinds += 1;
        let plain = reply.of_its_verdict();
        finding.check(plain.is_some_and(|plain| codec.encode(&plain) == bytes), || {
            let violation = Violation::new("the reply is not the one that all get who did the same");
            let frame = String::from_utf8_lossy(bytes).into_owned();
            Violation { frame: Some(frame), ..violation.question(reply.claimed.round) }
        });
    }
    finding.figure("kinds of answer replies", kinds);
}

/// A player's own state as of the last result: in play, lives, score.
type State = (bool, u8, u32);

fn states_after(reading: &Reading<'_>) -> BTreeMap<(Seat, QuestionId), State> {
    let mut states = BTreeMap::new();
    for (index, connection) in reading.connections.iter().enumerate() {
        let Some(seat) = connection.seat else { continue };
        for (_, seen) in reading.walk(index) {
            if let Seen::Received(ToPlayer::Result(result)) = seen {
                states.insert((seat, result.question), (result.alive, result.lives, result.score));
            }
        }
    }
    states
}

/// What a connection has received about the last question.
struct Open {
    question: QuestionId,
    closes_at: Millis,
    closed: bool,
}

fn nothing_early(
    reading: &Reading<'_>,
    index: usize,
    known: &BTreeMap<(Seat, QuestionId), State>,
    finding: &mut Finding,
) -> u64 {
    let slack = as_millis(reading.options.clock_slack);
    let seat = reading.connections[index].seat;
    let mut open: Option<Open> = None;
    let mut in_the_open = 0;
    for (at, seen) in reading.walk(index) {
        let Seen::Received(message) = seen else {
            if let Seen::Sent(FromPlayer::Join(_)) = seen {
                open = None;
            }
            continue;
        };
        let early = |question: QuestionId| too_early(reading, open.as_ref(), question, at, slack);
        let leak = match message {
            ToPlayer::Reveal(reveal) => early(reveal.question).then_some((reveal.question, "the right choice")),
            ToPlayer::Result(result) => early(result.question).then_some((result.question, "the player's result")),
            ToPlayer::Standings(standings) => {
                early(standings.question).then_some((standings.question, "the standings"))
            }
            // The host may end the show while a question is open: then the winners are sent, and the question is over.
            ToPlayer::Podium(_) | ToPlayer::Prize(_) => open
                .as_ref()
                .filter(|open| not_closed_yet(reading, open.question, at, slack))
                .map(|open| (open.question, "who won")),
            ToPlayer::Snapshot(snapshot) => {
                snapshot_leak(snapshot, &|question| not_closed_yet(reading, question, at, slack))
            }
            ToPlayer::You(you) => open
                .as_ref()
                .filter(|open| early(open.question) && sends_something_new(reading, known, seat, open.question, you))
                .map(|open| (open.question, "the player's state")),
            _ => None,
        };
        if open.as_ref().is_some_and(|open| early(open.question)) {
            in_the_open += 1;
            finding.checked += 1;
        }
        if let Some((question, what)) = leak {
            let what = format!("{what} was told before the question closed");
            finding.broken(reading.violation(index, what).question(question).at(at).frame(message));
        }
        follow(&mut open, message);
    }
    in_the_open
}

/// Updates what the connection has received about the last question.
fn follow(open: &mut Option<Open>, message: &ToPlayer) {
    match message {
        ToPlayer::Question(asked) => {
            *open = Some(Open { question: asked.question, closes_at: asked.closes_at, closed: false });
        }
        ToPlayer::Snapshot(snapshot) => {
            let closed = snapshot.phase != Phase::Question || snapshot.voided;
            *open = snapshot.question.as_ref().map(|asked| Open {
                question: asked.question,
                closes_at: asked.closes_at,
                closed,
            });
        }
        _ => {
            let Some(open) = open else { return };
            match message {
                ToPlayer::Clock(clock) if clock.question == open.question => open.closes_at = clock.closes_at,
                ToPlayer::Resume(resume) => open.closes_at = resume.closes_at.unwrap_or(open.closes_at),
                ToPlayer::Close(close) if close.question == open.question => open.closed = true,
                ToPlayer::Void(void) if void.question == open.question => open.closed = true,
                ToPlayer::Podium(_) | ToPlayer::End(_) => open.closed = true,
                _ => {}
            }
        }
    }
}

/// Whether `at` is before the question's close, by what this connection received or by the journal.
fn too_early(reading: &Reading<'_>, open: Option<&Open>, question: QuestionId, at: Micros, slack: u64) -> bool {
    let now = millis(at).saturating_add(slack);
    let told = open.is_some_and(|open| open.question == question && !open.closed && now < open.closes_at.0);
    told || not_closed_yet(reading, question, at, slack)
}

/// Whether the journal closed the question only after `at`.
fn not_closed_yet(reading: &Reading<'_>, question: QuestionId, at: Micros, slack: u64) -> bool {
    let now = millis(at).saturating_add(slack);
    let windows = reading.journal.windows.get(&question);
    windows.is_some_and(|windows| windows.closed_at.is_none_or(|closed| now < closed.0))
}

fn snapshot_leak(snapshot: &Snapshot, early: &impl Fn(QuestionId) -> bool) -> Option<(QuestionId, &'static str)> {
    let asked = snapshot.question.as_ref().map(|question| question.question);
    if let Some(reveal) = &snapshot.reveal {
        let open = snapshot.phase == Phase::Question && !snapshot.voided && asked == Some(reveal.question);
        if open || early(reveal.question) {
            return Some((reveal.question, "the right choice (in a snapshot)"));
        }
    }
    let asked = asked.filter(|&question| early(question))?;
    snapshot.podium.is_some().then_some((asked, "who won (in a snapshot)"))
}

/// Whether a player who comes back while a question is open is sent something that the last result did not contain.
fn sends_something_new(
    reading: &Reading<'_>,
    known: &BTreeMap<(Seat, QuestionId), State>,
    seat: Option<Seat>,
    question: QuestionId,
    you: &You,
) -> bool {
    let before = QuestionId(question.0.saturating_sub(1));
    let Some(seat) = seat else { return false };
    let journal = &reading.journal;
    if journal.lives_given || journal.removed.contains(&seat) || journal.voided(before) || journal.voided(question) {
        return false;
    }
    known.get(&(seat, before)).is_some_and(|&state| state != (you.alive, you.lives, you.score))
}
