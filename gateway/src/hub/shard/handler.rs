//! The shard's implementation of the interface to its reactor.

use std::net::IpAddr;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::ConnRef;
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::player::FromPlayer;

use super::{IDLE_AFTER, Shard};
use crate::hub::ToShard;
use crate::hub::conn::{Conn, Delivery};
use crate::hub::deadlines::CLOSE_TIMEOUT;
use crate::hub::rooms::{Content, FanOut};
use crate::session::Close;
use crate::transport::{ConnKey, ConnectionHandler, Drain, Fault, Payload, SocketAction, Timestamp};

/// Members that fan-outs reach in one piece of work; then the reactor writes to them and reads answers.
const MEMBERS_PER_PIECE: usize = 1024;
/// The cost of any other message, such as a join, in members: it takes about as long.
const MESSAGE_COST: usize = 32;
/// Ticks between two sweeps of the rooms: five seconds.
const TICKS_PER_SWEEP: u64 = 50;

impl ConnectionHandler for Shard {
    type Message = ToShard;

    fn opened(&mut self, codec: Codec, peer: IpAddr, now: Timestamp) -> ConnKey {
        self.last_activity = now;
        self.opened = self.opened.wrapping_add(1);
        let entry = self.conns.vacant_entry();
        let slot = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        debug_assert!(slot < 1 << 24, "a shard has fewer connections than slots in a key");
        let key = ConnKey { shard: self.number, slot, generation: self.opened };
        let mut conn = Conn::new(key, codec, self.common.origins.of(peer), now);
        self.timers.start(&mut conn);
        entry.insert(conn);
        self.metrics.opened[codec as usize] += 1;
        key
    }

    fn message(&mut self, key: ConnKey, message: Payload<'_>, received: Timestamp, now: Timestamp) {
        let Some(codec) = self.admit(key, received) else { return };
        // The codec decides how a message is decoded, whatever the kind of its frame.
        match FromPlayer::decode(codec, message.bytes()) {
            Ok(message) => self.player_message(key, message, received, now),
            Err(refusal) => {
                self.metrics.bad_messages += 1;
                self.refuse(key, &refusal, received.millis());
            }
        }
    }

    fn control_frame(&mut self, key: ConnKey, pong: Bytes, now: Timestamp) {
        if pong.is_empty() && self.answers_ping(key, now.millis()) {
            return;
        }
        if self.admit(key, now).is_some() {
            self.send_droppable(key, pong);
        }
    }

    fn fault(&mut self, key: ConnKey, fault: Fault, now: Timestamp) {
        let (close, code) = match fault {
            Fault::TooLarge => (Close::TooLarge, Some(ErrorCode::TooLarge)),
            Fault::NotText => (Close::NotText, Some(ErrorCode::BadMessage)),
            Fault::Protocol => (Close::Protocol, None),
        };
        self.metrics.bad_messages += 1;
        self.close(key, close, code, now.millis());
    }

    fn close_frame(&mut self, key: ConnKey, reply: Bytes, now: Timestamp) {
        self.leave_show(key, false);
        let Some(conn) = self.conn(key).filter(|conn| !conn.session.is_leaving()) else { return };
        conn.outbox.drop_droppable();
        conn.outbox.push(reply, false);
        conn.leave(now.millis());
        self.mark(key);
    }

    fn closed(&mut self, key: ConnKey) {
        self.leave_show(key, false);
        if let Some(codec) = self.conn(key).map(|conn| conn.codec) {
            self.conns.remove(key.slot as usize);
            self.metrics.closed[codec as usize] += 1;
        }
    }

    fn is_reading(&self, key: ConnKey) -> bool {
        self.conns.get(key.slot as usize).is_some_and(|conn| conn.key == key && !conn.session.is_leaving())
    }

    /// Messages for a single connection are processed at once; barriers once all input before them has been read; a
    /// show's messages in order, by [`Self::work`].
    fn receive(&mut self, message: ToShard, now: Timestamp) {
        self.last_activity = now;
        match message.show() {
            Some(show) => self.queue.push(show, message),
            None => self.process(message, now),
        }
    }

    fn work(&mut self, now: Timestamp) -> bool {
        let mut left = MEMBERS_PER_PIECE;
        while left > 0
            && let Some((show, mut queue)) = self.queue.take_next()
        {
            while left > 0 {
                if let Some(fan_out) = queue.fan_out.take() {
                    let reached;
                    (reached, queue.fan_out) = self.fan_out(show, fan_out, left, now);
                    left = left.saturating_sub(reached);
                    break;
                }
                let Some(message) = queue.messages.pop_front() else { break };
                match Content::of(message) {
                    Ok(content) => queue.fan_out = Some(FanOut::new(content)),
                    Err(message) => {
                        self.process(message, now);
                        left = left.saturating_sub(MESSAGE_COST);
                    }
                }
            }
            self.queue.put_back(show, queue);
        }
        !self.queue.is_empty()
    }

    fn unprocessed(&self) -> usize {
        self.queue.len() + self.barriers.len()
    }

    fn has_pending_input(&self) -> bool {
        !self.batches.is_empty() || !self.barriers.is_empty()
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.last_activity.0) >= IDLE_AFTER && !self.rooms.any_open()
    }

    fn flush(&mut self) {
        for batch in self.batches.take_all() {
            self.common.router.to_engine(ToEngine::Answers(batch));
        }
    }

    fn read_up_to(&mut self, time: Timestamp) {
        if self.barriers.can_pass(time) {
            self.flush();
            self.barriers.pass(time, &self.common);
        }
    }

    /// Takes no time for connections whose timers have not expired.
    fn tick(&mut self, now: Timestamp) {
        while let Some((bucket, slots)) = self.timers.expire(now.millis()) {
            for slot in slots {
                self.timer_expired(slot, bucket, now.millis());
            }
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_PER_SWEEP) {
            self.snapshots.forget();
            self.rooms.sweep(&self.conns, |show| self.queue.has_fan_out(show));
        }
        self.metrics.publish();
    }

    fn take_dirty(&mut self, into: &mut Vec<ConnKey>) {
        self.timers.take_dirty(&mut self.conns, into);
    }

    fn lend(&mut self, key: ConnKey) -> Option<Bytes> {
        let frame = self.conn(key)?.outbox.lend()?;
        self.metrics.bytes += frame.len() as u64;
        Some(frame)
    }

    fn wrote(&mut self, key: ConnKey) -> bool {
        let Some(conn) = self.conn(key) else { return false };
        conn.outbox.wrote();
        !conn.outbox.is_empty() || conn.session.is_leaving() || conn.delivery != Delivery::InSync
    }

    /// Requests a snapshot for a connection that missed events.
    fn outbox_empty(&mut self, key: ConnKey) {
        let gateway = self.common.gateway;
        let Some(conn) = self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key) else { return };
        if conn.take_snapshot_request()
            && let Some(place) = conn.session.place()
        {
            self.timers.shorten(conn);
            self.metrics.resyncs += 1;
            let conn = ConnRef { gateway, conn: key.to_wire() };
            self.common.router.to_engine(ToEngine::Resync { conn, show: place.show, seat: place.seat });
        }
    }

    fn socket_action(&self, key: ConnKey, now: Timestamp) -> SocketAction {
        match self.conns.get(key.slot as usize).filter(|conn| conn.key == key) {
            None => SocketAction::Close,
            Some(conn) => match conn.session.leaving_since() {
                None => SocketAction::Keep,
                Some(since) if now.millis().since(since) >= CLOSE_TIMEOUT => SocketAction::Close,
                Some(_) if conn.outbox.is_empty() => SocketAction::ShutDown,
                Some(_) => SocketAction::Flush,
            },
        }
    }

    fn drain(&mut self, drain: Drain, now: Timestamp) {
        self.send_goodbyes(&drain, now);
    }

    fn len(&self) -> usize {
        self.conns.len()
    }

    fn slots(&self) -> u32 {
        self.conns.iter().map(|(_, conn)| conn.key.slot + 1).max().unwrap_or(0)
    }
}
