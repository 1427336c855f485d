//! Messages of players: rate limits, joins, and the batching of answers.

use klaxon_protocol::claim::{Claim, ClaimForm, Verdict};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ConnRef, SeatRef, ShowId};
use klaxon_protocol::link::{JoinRequest, StampedAnswer, ToEngine};
use klaxon_protocol::player::{FromPlayer, Pong, ToPlayer};
use klaxon_protocol::time::Millis;

use super::Shard;
use crate::hub::frame::{self, ReplyKey};
use crate::intake::RateDecision;
use crate::session::{Admitted, Close, Place};
use crate::transport::{ConnKey, Timestamp};

impl Shard {
    /// Processes a player's message.
    pub(super) fn player_message(&mut self, key: ConnKey, message: FromPlayer, received: Timestamp, now: Timestamp) {
        let Some(conn) = self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key) else { return };
        if !matches!(message, FromPlayer::Ping(_)) {
            self.last_activity = now;
        }
        let at = received.millis();
        match message {
            FromPlayer::Ping(ping) => {
                // The client can't know how long its ping waited to be read; the middle of that time has the smallest
                // maximum error.
                let pong = Pong { sent: ping.sent, now: received.middle(now).millis() };
                let bytes = frame::frame(conn.codec, &ToPlayer::Pong(pong));
                self.send_droppable(key, bytes);
            }
            FromPlayer::Leave => self.close(key, Close::Left, None, at),
            FromPlayer::Join(join) => {
                let admitted = conn.session.join(join, &self.common.admission, at);
                self.request_seat(key, admitted, at);
            }
            FromPlayer::Reclaim(reclaim) => {
                let admitted = conn.session.reclaim(reclaim, &self.common.admission, at);
                self.request_seat(key, admitted, at);
            }
            FromPlayer::Answer(answer) => self.claim(key, ClaimForm::Answer, answer.into(), received),
            FromPlayer::Claim(claim) => match claim.problem() {
                None => self.claim(key, ClaimForm::Claim, claim, received),
                Some(refusal) => {
                    self.metrics.bad_messages += 1;
                    self.refuse(key, &refusal, at);
                }
            },
            FromPlayer::React(react) => match conn.session.joined() {
                Ok(place) => {
                    if let Some(room) = self.rooms.get(place.show) {
                        room.figures.reacted(react.emoji);
                    }
                }
                Err(refusal) => self.refuse(key, &refusal, at),
            },
        }
    }

    /// Whether a pong answers a ping of ours: then it counts neither for the rate limit nor as activity.
    pub(super) fn answers_ping(&mut self, key: ConnKey, now: Millis) -> bool {
        let conn = self.conns.get_mut(key.slot as usize);
        let Some(conn) = conn.filter(|conn| conn.key == key && !conn.session.is_leaving()) else { return false };
        let answers = conn.liveness.answer(now);
        if answers {
            self.timers.shorten(conn);
        }
        answers
    }

    /// Counts a frame for the metrics and the rate limit. Returns the connection's codec if the frame may be processed.
    pub(super) fn admit(&mut self, key: ConnKey, now: Timestamp) -> Option<Codec> {
        let limit = self.common.rate_limit;
        let conn = self.conn(key).filter(|conn| !conn.session.is_leaving())?;
        let is_active = conn.liveness.receive(now.millis());
        let codec = conn.codec;
        let decision = conn.limiter.check(now, limit);
        if is_active {
            self.last_activity = now;
        }
        self.metrics.messages += 1;
        match decision {
            RateDecision::Granted => return Some(codec),
            RateDecision::Refused => self.refuse(key, &Refusal::plain(ErrorCode::RateLimited), now.millis()),
            RateDecision::Flood => self.close(key, Close::Flooding, Some(ErrorCode::RateLimited), now.millis()),
        }
        self.metrics.rate_limited += 1;
        None
    }

    /// Requests a seat from the engine, or refuses the join.
    fn request_seat(&mut self, key: ConnKey, admitted: Result<Admitted, Refusal>, now: Millis) {
        let Admitted { code, player, name, role, proof } = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse(key, &refusal, now),
        };
        let conn = ConnRef { gateway: self.common.gateway, conn: key.to_wire() };
        let Some(origin) = self.conns.get(key.slot as usize).and_then(|conn| conn.session.origin()) else { return };
        self.common.pending_joins.begin(key);
        self.common.router.to_engine(ToEngine::Join(JoinRequest { conn, code, player, name, role, proof, origin }));
    }

    /// Processes a claim, from `answer` or `claim`.
    fn claim(&mut self, key: ConnKey, form: ClaimForm, claim: Claim, now: Timestamp) {
        let Some(conn) = self.conn(key) else { return };
        match conn.session.joined() {
            Ok(Place { show, seat: Some(seat) }) => self.answer(key, show, seat, (form, claim), now),
            Ok(Place { seat: None, .. }) => {
                let verdict = Verdict::Refused(ErrorCode::NotInPlay);
                self.reply(key, ReplyKey { form, round: claim.round, key: claim.key, verdict }, now.millis());
            }
            Err(refusal) => self.refuse(key, &refusal, now.millis()),
        }
    }

    fn answer(&mut self, key: ConnKey, show: ShowId, by: SeatRef, (form, claim): (ClaimForm, Claim), now: Timestamp) {
        let most = self.common.settings.outstanding_answers;
        let Some(conn) = self.conn(key) else { return };
        let Some(number) = conn.next_answer(now, most) else {
            self.metrics.rate_limited += 1;
            let refusal = Refusal::because(ErrorCode::RateLimited, "Answers of yours are still without a reply.");
            return self.refuse(key, &refusal, now.millis());
        };
        self.metrics.answers += 1;
        let stamped = StampedAnswer { conn: key.to_wire(), number, by, form, claim, at: now.millis() };
        if let Some(batch) = self.batches.push(show, stamped, now) {
            self.common.router.to_engine(ToEngine::Answers(batch));
        }
    }

    pub(super) fn reply(&mut self, key: ConnKey, reply: ReplyKey, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        let bytes = self.replies.get(reply, codec);
        self.send(key, bytes, now);
    }
}
