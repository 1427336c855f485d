//! Promise 8: no client, whether slow, silent or hostile, makes memory grow without limit or delays another player.

use std::time::Duration;

use hdrhistogram::Histogram;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::player::{FromPlayer, LARGEST_MESSAGE, ToPlayer};

use super::claims::{ClaimAnswer, Claimed, SentClaim};
use super::finding::{Finding, Promise, Violation, milliseconds, tenths};
use super::reading::{Connection, Reading, after};
use crate::evidence::{Direction, Micros};
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 8,
    name: "bounded",
    sentence: "No client, slow, silent or hostile, grows memory or delays another player.",
};

/// The number of frames within a second that counts as a flood: ten times the protocol's sustained limit.
const FLOOD: usize = 100;
/// The close code of a connection on which no heartbeat was received.
const SILENT: u16 = 4002;

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    memory_is_bounded(reading, &mut finding);
    honest_players_are_not_delayed(reading, &mut finding);
    honest_players_are_not_shed(reading, &mut finding);
    floods_are_refused(reading, &mut finding);
    too_large_is_refused(reading, &mut finding);
    finding
}

fn memory_is_bounded(reading: &Reading<'_>, finding: &mut Finding) {
    let resident = &reading.evidence.resident;
    let (Some(&(_, first)), Some(&(at, peak))) = (resident.first(), resident.iter().max_by_key(|(_, bytes)| *bytes))
    else {
        return;
    };
    let options = reading.options;
    let joined = u64::from(reading.journal.holders.seats());
    let allowed = options.rss_base.saturating_add(joined.saturating_mul(options.rss_per_player));
    let growth = peak.saturating_sub(first);
    finding.check(growth <= allowed, || {
        Violation::new(format!("the server grew by {growth} bytes for {joined} players, {allowed} are allowed")).at(at)
    });
    finding.figure("resident at the start", kibibytes(first));
    finding.figure("resident at the peak", kibibytes(peak));
    if let Some(each) = growth.checked_div(joined) {
        finding.figure("grown per joined player", format!("{} KiB", tenths(each, 1024)));
    }
}

fn kibibytes(bytes: u64) -> String {
    format!("{} KiB", bytes / 1024)
}

/// A claim without a reply so far.
struct Waiting {
    claimed: Claimed,
    words: String,
    sent: Micros,
}

/// Checks that every claim on an honest connection has its reply within the limit. The first reply to a claim belongs
/// to the one that was sent first; an error, for example because the player has not joined yet, may be the reply to any of
/// them.
fn honest_players_are_not_delayed(reading: &Reading<'_>, finding: &mut Finding) {
    let limit = reading.options.reply_limit;
    let mut latencies = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).ok();
    for (index, connection) in reading.connections.iter().enumerate().filter(|(_, connection)| connection.honest) {
        let mut waiting: Vec<Waiting> = Vec::new();
        for (at, seen) in reading.walk(index) {
            match seen {
                Seen::Sent(message @ (FromPlayer::Answer(_) | FromPlayer::Claim(_))) => {
                    waiting.extend(SentClaim::of(message).map(|SentClaim { claimed, value }| Waiting {
                        claimed,
                        words: claimed.words(&value),
                        sent: at,
                    }));
                }
                Seen::Received(message @ (ToPlayer::AnswerReply(_) | ToPlayer::ClaimReply(_))) => {
                    let Some(ClaimAnswer { claimed, .. }) = ClaimAnswer::of(message) else { continue };
                    let first = waiting.iter().position(|waiting| waiting.claimed == claimed);
                    let Some(first) = first.map(|first| waiting.remove(first)) else { continue };
                    let took = at.0.saturating_sub(first.sent.0);
                    if let Some(latencies) = &mut latencies {
                        // The histogram resizes itself, so recording fails only if memory runs out.
                        let _ = latencies.record(took);
                    }
                    finding.check(at <= reading.due(first.sent), || {
                        let what = format!("the reply to {} took {} ms", first.words, took / 1000);
                        reading.violation(index, what).question(claimed.round).at(first.sent).frame(message)
                    });
                }
                Seen::Received(ToPlayer::Error(_)) if !waiting.is_empty() => {
                    waiting.remove(0);
                }
                _ => {}
            }
        }
        for unanswered in waiting {
            finding.check(!connection.open_at(reading.due(unanswered.sent)), || {
                let what = format!("{} had no reply within {} ms", unanswered.words, limit.as_millis());
                reading.violation(index, what).question(unanswered.claimed.round).at(unanswered.sent)
            });
        }
    }
    if let Some(latencies) = latencies.filter(|latencies| !latencies.is_empty()) {
        let at = |quantile| milliseconds(latencies.value_at_quantile(quantile));
        finding.figure("honest answers replied to", latencies.len());
        finding.figure("answer to reply, p50", at(0.5));
        finding.figure("answer to reply, p99", at(0.99));
        finding.figure("answer to reply, slowest", milliseconds(latencies.max()));
    }
}

fn honest_players_are_not_shed(reading: &Reading<'_>, finding: &mut Finding) {
    let mut shed = 0u64;
    for (index, connection) in reading.connections.iter().enumerate() {
        let too_slow = connection.errors.iter().find(|(_, code)| *code == ErrorCode::TooSlow);
        shed += u64::from(too_slow.is_some());
        if connection.honest {
            let code = reading.evidence.connections.get(index).and_then(|log| log.close_code);
            finding.check(code != Some(SILENT), || {
                reading.violation(index, "an honest player was taken for dead, though their client answers pings")
            });
            finding.check(too_slow.is_none(), || {
                let violation = reading.violation(index, "an honest player was cut off as too slow");
                too_slow.map_or_else(|| violation.clone(), |&(at, _)| violation.clone().at(at))
            });
        }
    }
    finding.figure("connections cut off as too slow", shed);
}

/// Checks that a flood is refused, or its connection closed.
fn floods_are_refused(reading: &Reading<'_>, finding: &mut Finding) {
    let mut floods = 0u64;
    for (index, log) in reading.evidence.connections.iter().enumerate() {
        let connection = &reading.connections[index];
        let sent: Vec<Micros> =
            log.entries.iter().filter(|entry| entry.direction == Direction::Sent).map(|entry| entry.at).collect();
        let Some(flood) = sent.windows(FLOOD).find(|window| {
            window
                .first()
                .zip(window.last())
                .is_some_and(|(&first, &last)| last <= after(first, Duration::from_secs(1)))
        }) else {
            continue;
        };
        let Some(&end) = flood.last() else { continue };
        floods += 1;
        let refusals = [ErrorCode::RateLimited, ErrorCode::TooLarge, ErrorCode::TooSlow];
        let refused = log.close_code.is_some() || has_error(connection, &refusals);
        finding.check(refused || !connection.open_at(reading.due(end)), || {
            let what = format!("{FLOOD} messages within a second, and none refused");
            reading.violation(index, what).at(end)
        });
    }
    finding.figure("floods", floods);
}

/// Checks that a connection that sends too large a message is closed.
fn too_large_is_refused(reading: &Reading<'_>, finding: &mut Finding) {
    let mut oversized = 0u64;
    for (index, log) in reading.evidence.connections.iter().enumerate() {
        let large = log.entries.iter().find(|entry| {
            entry.direction == Direction::Sent && reading.evidence.frames.get(entry.frame).1.len() > LARGEST_MESSAGE
        });
        let Some(large) = large else { continue };
        oversized += 1;
        let cut_off = !reading.connections[index].open_at(reading.due(large.at));
        finding
            .check(cut_off, || reading.violation(index, "sent too large a message, and was not cut off").at(large.at));
    }
    finding.figure("messages too large", oversized);
}

fn has_error(connection: &Connection, codes: &[ErrorCode]) -> bool {
    connection.errors.iter().any(|(_, code)| codes.contains(code))
}
