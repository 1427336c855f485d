//! What clients send, on its way to the engine: checked, answers stamped and put together.

use std::sync::Arc;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ConnRef, QuestionId, SeatRef, ShowId};
use klaxon_protocol::link::{JoinRequest, StampedAnswer, ToEngine};
use klaxon_protocol::player::{Answer, FromPlayer, Pong, ToPlayer, Verdict};
use klaxon_protocol::time::Millis;

use super::{Barrier, Shard, frame};
use crate::intake::Allowance;
use crate::session::{Admitted, Close, Step};
use crate::transport::{ConnKey, Fault, Moment};

/// A barrier that waits until all is read that had come before it.
pub(super) struct Raised {
    pub barrier: Arc<Barrier>,
    /// When it was heard of.
    pub at: Moment,
}

impl Shard {
    /// A message was read now, that came then.
    pub fn message(&mut self, key: ConnKey, bytes: &[u8], came: Moment, now: Moment) {
        let Some(codec) = self.admits(key, came) else { return };
        let message = match FromPlayer::decode(codec, bytes) {
            Ok(message) => message,
            Err(refusal) => {
                self.counts.bad_messages += 1;
                return self.refuse(key, &refusal, came.millis());
            }
        };
        let Some(conn) = self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key) else { return };
        if !matches!(message, FromPlayer::Ping(_)) {
            self.stirred = now;
        }
        match conn.session.hear(message, &self.common.doors, came.millis()) {
            Step::Refuse(refusal) => self.refuse(key, &refusal, came.millis()),
            Step::Ask(admitted) => self.ask(key, admitted),
            Step::Answer(show, seat, answer) => self.answer(key, show, seat, answer, came),
            Step::NotInPlay(question) => {
                self.reply(key, question, Verdict::Refused(ErrorCode::NotInPlay), came.millis());
            }
            Step::React(show, emoji) => {
                if let Some(room) = self.rooms.get(&show) {
                    room.figures.reacted(emoji);
                }
            }
            Step::Pong(sent) => {
                // The client can't know how long the ping waited here; from the middle of that it is as far to either end.
                let pong = Pong { sent, now: came.middle(now).millis() };
                let bytes = frame::frame(codec, &ToPlayer::Pong(pong));
                self.offer(key, bytes);
            }
            Step::Leave => self.close(key, Close::Left, None, came.millis()),
            Step::Ignore => {}
        }
    }

    /// The client sent a WebSocket ping or pong; `pong` are the bytes that answer it, none if it was a pong itself.
    pub fn pinged(&mut self, key: ConnKey, pong: Bytes, now: Moment) {
        if pong.is_empty() && self.answers_ping(key, now.millis()) {
            return;
        }
        if self.admits(key, now).is_some() {
            self.offer(key, pong);
        }
    }

    /// Whether a pong that came now answers our ping: then it costs the client nothing, and hurries nobody.
    fn answers_ping(&mut self, key: ConnKey, now: Millis) -> bool {
        let conn = self.conns.get_mut(key.slot as usize);
        let Some(conn) = conn.filter(|conn| conn.key == key && !conn.session.is_leaving()) else { return false };
        let answers = conn.liveness.answer(now);
        if answers {
            self.agenda.watch(conn);
        }
        answers
    }

    /// What the client sent is no message.
    pub fn failed(&mut self, key: ConnKey, fault: Fault, now: Moment) {
        let (close, code) = match fault {
            Fault::TooLarge => (Close::TooLarge, Some(ErrorCode::TooLarge)),
            Fault::NotText => (Close::NotText, Some(ErrorCode::BadMessage)),
            Fault::Protocol => (Close::Protocol, None),
        };
        self.counts.bad_messages += 1;
        self.close(key, close, code, now.millis());
    }

    /// The client closes; `reply` is the close frame that answers it.
    pub fn leaving(&mut self, key: ConnKey, reply: Bytes, now: Moment) {
        self.vacate(key, false);
        let Some(conn) = self.conn(key).filter(|conn| !conn.session.is_leaving()) else { return };
        conn.outbox.drop_what_can_be_missed();
        conn.outbox.push(reply, false);
        conn.leave(now.millis());
        self.mark(key);
    }

    /// Hands all answers that were read to the engine.
    pub fn flush_answers(&mut self) {
        for batch in self.batches.take_all() {
            self.common.outside.engine(ToEngine::Answers(batch));
        }
    }

    /// Whether answers wait for [`Self::flush_answers`].
    pub fn has_answers(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Passes the barriers before which all is read, and hands it in first. All that had come by then is read; however much clients go
    /// on sending, that is soon after any barrier.
    pub fn pass_barriers(&mut self, read_to: Moment) {
        if !self.barriers.iter().any(|raised| raised.at < read_to) {
            return;
        }
        self.flush_answers();
        let common = &self.common;
        self.barriers.retain(|raised| {
            let waits = raised.at >= read_to;
            if !waits {
                raised.barrier.pass(common);
            }
            waits
        });
    }

    /// Counts something that the client sent; returns its codec if it may be acted on.
    fn admits(&mut self, key: ConnKey, now: Moment) -> Option<Codec> {
        let pace = self.common.pace;
        let conn = self.conn(key).filter(|conn| !conn.session.is_leaving())?;
        let talkative = conn.liveness.speak(now.millis());
        let codec = conn.codec;
        let allowance = conn.limiter.ask(now, pace);
        if talkative {
            self.stirred = now;
        }
        self.counts.messages += 1;
        match allowance {
            Allowance::Granted => return Some(codec),
            Allowance::Refused => self.refuse(key, &Refusal::plain(ErrorCode::RateLimited), now.millis()),
            Allowance::Flood => self.close(key, Close::Flooding, Some(ErrorCode::RateLimited), now.millis()),
        }
        self.counts.rate_limited += 1;
        None
    }

    fn ask(&self, key: ConnKey, admitted: Admitted) {
        let conn = ConnRef { gateway: self.common.gateway, conn: key.to_wire() };
        let Some(origin) = self.conns.get(key.slot as usize).and_then(|conn| conn.session.origin()) else { return };
        let Admitted { code, player, name, role, proof } = admitted;
        self.common.arrivals.begin(key);
        self.common.outside.engine(ToEngine::Join(JoinRequest { conn, code, player, name, role, proof, origin }));
    }

    fn answer(&mut self, key: ConnKey, show: ShowId, by: SeatRef, answer: Answer, now: Moment) {
        let most = self.common.settings.outstanding_answers;
        let Some(conn) = self.conn(key) else { return };
        let Some(number) = conn.next_answer(now, most) else {
            self.counts.rate_limited += 1;
            let refusal = Refusal::because(ErrorCode::RateLimited, "Answers of yours are still without a reply.");
            return self.refuse(key, &refusal, now.millis());
        };
        self.counts.answers += 1;
        let Answer { question, choice } = answer;
        let stamped = StampedAnswer { conn: key.to_wire(), number, by, question, choice, at: now.millis() };
        if let Some(batch) = self.batches.push(show, stamped, now) {
            self.common.outside.engine(ToEngine::Answers(batch));
        }
    }

    pub(super) fn reply(&mut self, key: ConnKey, question: QuestionId, verdict: Verdict, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        let bytes = self.replies.get(question, verdict, codec);
        self.send(key, bytes, now);
    }
}
