//! Rate limits for a connection, and the batches in which its answers are sent to the engine.

use std::collections::HashMap;
use std::time::Duration;

use klaxon_protocol::ids::{GatewayId, ShowId};
use klaxon_protocol::link::{AnswerBatch, StampedAnswer};

use crate::settings::GatewaySettings;
use crate::transport::Timestamp;

/// The rate limit for messages of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimit {
    /// Average time between two messages, in microseconds.
    every: u64,
    /// The time that a burst may be ahead of the average rate, in microseconds.
    burst: u64,
}

impl RateLimit {
    /// The limit in these settings.
    pub fn new(settings: &GatewaySettings) -> Self {
        let every = 1_000_000 / u64::from(settings.players.limits.messages_per_second.max(1));
        Self { every: every.max(1), burst: every.max(1) * u64::from(settings.burst.max(1)) }
    }
}

/// One connection's use of the rate limit, by the generic cell rate algorithm (ITU-T I.371), in a single number.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    /// The theoretical arrival time: when all messages so far would have arrived at the average rate, in microseconds
    /// since 1970.
    theoretical_arrival: u64,
    refused: u16,
}

/// Whether a message may be processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateDecision {
    Granted,
    Refused,
    /// Refused, as one of too many in a row.
    Flood,
}

impl RateLimiter {
    /// Counts a message, and decides whether it may be processed.
    pub fn check(&mut self, now: Timestamp, limit: RateLimit) -> RateDecision {
        if self.theoretical_arrival <= now.0 {
            self.theoretical_arrival = now.0;
            self.refused = 0;
        }
        if self.theoretical_arrival - now.0 + limit.every > limit.burst {
            self.refused += 1;
            return if self.refused >= GatewaySettings::FLOOD { RateDecision::Flood } else { RateDecision::Refused };
        }
        self.theoretical_arrival += limit.every;
        RateDecision::Granted
    }
}

/// Answers that were read and not sent to the engine yet, by show. A full batch is sent at once, so none exceeds its
/// limit.
pub(crate) struct Batches {
    gateway: GatewayId,
    max_answers: usize,
    max_wait: u64,
    shows: HashMap<ShowId, Batch>,
}

struct Batch {
    first: Timestamp,
    answers: Vec<StampedAnswer>,
}

impl Batches {
    /// Batches of at most `max_answers`. An answer in a batch waits at most `max_wait` while others arrive.
    pub fn new(gateway: GatewayId, max_answers: usize, max_wait: Duration) -> Self {
        let max_wait = u64::try_from(max_wait.as_micros()).unwrap_or(u64::MAX);
        Self { gateway, max_answers: max_answers.max(1), max_wait, shows: HashMap::new() }
    }

    /// Adds an answer; returns the batch if it is full or has waited long enough.
    pub fn push(&mut self, show: ShowId, answer: StampedAnswer, now: Timestamp) -> Option<AnswerBatch> {
        let batch = self.shows.entry(show).or_insert_with(|| Batch { first: now, answers: Vec::new() });
        batch.answers.push(answer);
        let due = batch.answers.len() >= self.max_answers || now.0.saturating_sub(batch.first.0) >= self.max_wait;
        if due { self.take(show) } else { None }
    }

    /// The show's batch, if there is one.
    pub fn take(&mut self, show: ShowId) -> Option<AnswerBatch> {
        let batch = self.shows.remove(&show)?;
        Some(AnswerBatch { gateway: self.gateway, show, answers: batch.answers })
    }

    /// All batches.
    pub fn take_all(&mut self) -> Vec<AnswerBatch> {
        let gateway = self.gateway;
        self.shows.drain().map(|(show, batch)| AnswerBatch { gateway, show, answers: batch.answers }).collect()
    }

    /// Whether any answer waits.
    pub fn is_empty(&self) -> bool {
        self.shows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klaxon_protocol::claim::{Claim, ClaimForm, ClaimValue};
    use klaxon_protocol::ids::{ClaimKey, RoundId, Seat, SeatRef};
    use klaxon_protocol::time::Millis;

    /// 10 a second, 20 at once.
    const LIMIT: RateLimit = RateLimit { every: 100_000, burst: 2_000_000 };

    fn granted(limiter: &mut RateLimiter, at: u64, messages: u32) -> u32 {
        (0..messages).map(|_| u32::from(limiter.check(Timestamp(at), LIMIT) == RateDecision::Granted)).sum()
    }

    #[test]
    fn twenty_at_once_then_ten_a_second() {
        let mut limiter = RateLimiter::default();
        let start = 1_700_000_000_000_000;
        assert_eq!(granted(&mut limiter, start, 30), 20);
        assert_eq!(granted(&mut limiter, start + 1_000_000, 30), 10);
        assert_eq!(granted(&mut limiter, start + 60_000_000, 30), 20);
    }

    #[test]
    fn one_who_never_stops_is_a_flood_and_one_who_pauses_is_forgiven() {
        let mut limiter = RateLimiter::default();
        granted(&mut limiter, 5, 20 + 199);
        assert_eq!(limiter.check(Timestamp(5), LIMIT), RateDecision::Flood);
        let mut limiter = RateLimiter::default();
        granted(&mut limiter, 5, 20 + 199);
        assert_eq!(limiter.check(Timestamp(3_000_000), LIMIT), RateDecision::Granted);
        assert_eq!(granted(&mut limiter, 3_000_000, 100), 19);
        assert_eq!(limiter.check(Timestamp(3_000_000), LIMIT), RateDecision::Refused);
    }

    fn answer(conn: u64) -> StampedAnswer {
        StampedAnswer {
            conn,
            number: 1,
            by: SeatRef::first(Seat(1)),
            form: ClaimForm::Answer,
            claim: Claim { round: RoundId(1), key: ClaimKey(0), value: ClaimValue::Bits(0) },
            at: Millis(0),
        }
    }

    #[test]
    fn answers_go_together_by_number_or_by_time_and_each_show_apart() {
        let mut batches = Batches::new(GatewayId(1), 3, Duration::from_micros(300));
        assert_eq!(batches.push(ShowId(1), answer(1), Timestamp(0)), None);
        assert_eq!(batches.push(ShowId(2), answer(2), Timestamp(10)), None);
        assert_eq!(batches.push(ShowId(1), answer(3), Timestamp(20)), None);
        let full = batches.push(ShowId(1), answer(4), Timestamp(30)).unwrap();
        assert_eq!(full.answers.iter().map(|answer| answer.conn).collect::<Vec<_>>(), [1, 3, 4]);
        let late = batches.push(ShowId(2), answer(5), Timestamp(310)).unwrap();
        assert_eq!((late.show, late.answers.len()), (ShowId(2), 2));
        assert!(batches.is_empty());
    }
}
