//! What players send, on its way to the engine: how often they may, answers in batches, and the frames that reply to them.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::{GatewayId, QuestionId, ShowId};
use klaxon_protocol::link::{AnswerBatch, StampedAnswer};
use klaxon_protocol::player::{AnswerReply, ToPlayer, Verdict};

use crate::hub::frame;
use crate::settings::GatewaySettings;
use crate::transport::Moment;

/// How often a connection may speak: so often on average, so much at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Microseconds between two messages on average.
    every: u64,
    /// How many microseconds' worth of messages may come at once.
    burst: u64,
}

impl Pace {
    /// The operator's choice.
    pub fn new(settings: &GatewaySettings) -> Self {
        let every = 1_000_000 / u64::from(settings.messages_per_second.max(1));
        Self { every: every.max(1), burst: every.max(1) * u64::from(settings.burst.max(1)) }
    }
}

/// What one connection has used of its pace (the generic cell rate algorithm: one number).
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    /// When all that came would have come at the average pace, in microseconds since 1970.
    paid_until: u64,
    refused: u16,
}

/// Whether a message may be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    Granted,
    Refused,
    /// Refused, and too often.
    Flood,
}

impl Limiter {
    /// A message came.
    pub fn ask(&mut self, now: Moment, pace: Pace) -> Allowance {
        if self.paid_until <= now.0 {
            self.paid_until = now.0;
            self.refused = 0;
        }
        if self.paid_until - now.0 + pace.every > pace.burst {
            self.refused += 1;
            return if self.refused >= GatewaySettings::FLOOD { Allowance::Flood } else { Allowance::Refused };
        }
        self.paid_until += pace.every;
        Allowance::Granted
    }
}

/// Answers that were read and not handed on yet, by show.
pub(crate) struct Batches {
    gateway: GatewayId,
    most: usize,
    longest: u64,
    shows: HashMap<ShowId, Batch>,
}

struct Batch {
    first: Moment,
    answers: Vec<StampedAnswer>,
}

impl Batches {
    /// Batches of at most `most` answers, of which none waits for `longest` while others come.
    pub fn new(gateway: GatewayId, most: usize, longest: Duration) -> Self {
        let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        Self { gateway, most: most.max(1), longest, shows: HashMap::new() }
    }

    /// Adds an answer; returns the batch if it is time to hand it on.
    pub fn push(&mut self, show: ShowId, answer: StampedAnswer, now: Moment) -> Option<AnswerBatch> {
        let batch = self.shows.entry(show).or_insert_with(|| Batch { first: now, answers: Vec::new() });
        batch.answers.push(answer);
        let due = batch.answers.len() >= self.most || now.0.saturating_sub(batch.first.0) >= self.longest;
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

/// So many reply frames are kept: some questions' worth in several shows, and never more whatever clients make up.
const KEPT_REPLIES: usize = 512;

/// The reply frames, shared by all whose answer met the same verdict.
#[derive(Default)]
pub(crate) struct ReplyFrames(HashMap<(QuestionId, Verdict, Codec), Bytes>);

impl ReplyFrames {
    /// The frame that replies this.
    pub fn get(&mut self, question: QuestionId, verdict: Verdict, codec: Codec) -> Bytes {
        if self.0.len() >= KEPT_REPLIES {
            self.0.clear();
        }
        let make = || frame::frame(codec, &ToPlayer::AnswerReply(AnswerReply::new(question, verdict)));
        self.0.entry((question, verdict, codec)).or_insert_with(make).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klaxon_protocol::error::ErrorCode;
    use klaxon_protocol::ids::{Choice, Seat, SeatRef};
    use klaxon_protocol::time::Millis;

    /// 10 a second, 20 at once.
    const PACE: Pace = Pace { every: 100_000, burst: 2_000_000 };

    fn granted(limiter: &mut Limiter, at: u64, messages: u32) -> u32 {
        (0..messages).map(|_| u32::from(limiter.ask(Moment(at), PACE) == Allowance::Granted)).sum()
    }

    #[test]
    fn twenty_at_once_then_ten_a_second() {
        let mut limiter = Limiter::default();
        let start = 1_700_000_000_000_000;
        assert_eq!(granted(&mut limiter, start, 30), 20);
        assert_eq!(granted(&mut limiter, start + 1_000_000, 30), 10);
        assert_eq!(granted(&mut limiter, start + 60_000_000, 30), 20);
    }

    #[test]
    fn one_who_never_stops_is_a_flood_and_one_who_pauses_is_forgiven() {
        let mut limiter = Limiter::default();
        granted(&mut limiter, 5, 20 + 199);
        assert_eq!(limiter.ask(Moment(5), PACE), Allowance::Flood);
        let mut limiter = Limiter::default();
        granted(&mut limiter, 5, 20 + 199);
        assert_eq!(limiter.ask(Moment(3_000_000), PACE), Allowance::Granted);
        assert_eq!(granted(&mut limiter, 3_000_000, 100), 19);
        assert_eq!(limiter.ask(Moment(3_000_000), PACE), Allowance::Refused);
    }

    fn answer(conn: u64) -> StampedAnswer {
        StampedAnswer {
            conn,
            number: 1,
            by: SeatRef::first(Seat(1)),
            question: QuestionId(1),
            choice: Choice(0),
            at: Millis(0),
        }
    }

    #[test]
    fn answers_go_together_by_number_or_by_time_and_each_show_apart() {
        let mut batches = Batches::new(GatewayId(1), 3, Duration::from_micros(300));
        assert_eq!(batches.push(ShowId(1), answer(1), Moment(0)), None);
        assert_eq!(batches.push(ShowId(2), answer(2), Moment(10)), None);
        assert_eq!(batches.push(ShowId(1), answer(3), Moment(20)), None);
        let full = batches.push(ShowId(1), answer(4), Moment(30)).unwrap();
        assert_eq!(full.answers.iter().map(|answer| answer.conn).collect::<Vec<_>>(), [1, 3, 4]);
        let late = batches.push(ShowId(2), answer(5), Moment(310)).unwrap();
        assert_eq!((late.show, late.answers.len()), (ShowId(2), 2));
        assert!(batches.is_empty());
    }

    #[test]
    fn reply_frames_are_shared_and_never_too_many() {
        let mut frames = ReplyFrames::default();
        let verdict = Verdict::Accepted(Choice(1));
        let one = frames.get(QuestionId(1), verdict, Codec::Json);
        assert_eq!(one.as_ptr(), frames.get(QuestionId(1), verdict, Codec::Json).as_ptr());
        for question in 0..u16::MAX {
            frames.get(QuestionId(question), Verdict::Refused(ErrorCode::NotInPlay), Codec::Bincode);
        }
        assert!(frames.0.len() <= KEPT_REPLIES);
    }
}
