//! Messages of engines and other shards to connections.

use std::sync::Arc;

use klaxon_protocol::codec::{Codec, PROTOCOL_VERSION};
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::ids::{RoundId, SeatRef, ShowId};
use klaxon_protocol::link::{Reply, Resynced, Seated, ToGateway, View};
use klaxon_protocol::player::{Phase, ToPlayer, Welcome};

use super::Shard;
use crate::hub::ToShard;
use crate::hub::conn::Delivery;
use crate::hub::frame::{self, ReplyKey};
use crate::hub::rooms::{Content, FanOut};
use crate::session::{Close, Holder, Place};
use crate::transport::{ConnKey, Timestamp};

/// Appends how much time a paused round has left: a player who joins during the pause has missed the event with it.
pub(in crate::hub) fn append_pause(codec: Codec, view: &View, bytes: &mut Vec<u8>) {
    if let Some(paused) = view.paused {
        frame::append(codec, &ToPlayer::Paused(paused), bytes);
    }
}

impl Shard {
    /// Processes a message that is not a fan-out.
    pub(super) fn process(&mut self, message: ToShard, now: Timestamp) {
        match message {
            ToShard::Engine(message) => match &*message {
                ToGateway::Replies(batch) => self.send_replies(batch.show, &batch.replies, now),
                ToGateway::Seated(seated) => self.seated(seated, now),
                ToGateway::Resynced(resynced) => self.resynced(resynced, now),
                ToGateway::JoinRefused { conn, error } => {
                    self.join_refused(ConnKey::from_wire(conn.conn), error.clone(), now);
                }
                ToGateway::Dismiss { show, seat, code } => self.dismiss(*show, *seat, *code, now),
                ToGateway::Moved { show, seats, .. } => self.displace_seats(*show, seats, now),
                // The subscriber does not pass on messages for hosts, and turns the others into fan-outs.
                _ => debug_assert!(false, "not a message for a shard"),
            },
            ToShard::Barrier(barrier) => self.barriers.add(barrier, now),
            ToShard::Displace(key) => self.displace(key, now),
            ToShard::Evict(key) => self.close(key, Close::TooMany, None, now.millis()),
            ToShard::Event(..) | ToShard::Census(_) => debug_assert!(false, "those are fan-outs"),
        }
    }

    /// Continues a fan-out with at most `most` members. Returns how many it reached, and the fan-out if members are
    /// left.
    pub(super) fn fan_out(
        &mut self,
        show: ShowId,
        mut fan_out: FanOut,
        most: usize,
        now: Timestamp,
    ) -> (usize, Option<FanOut>) {
        let outbox_bytes = self.common.settings.players.limits.outbox_bytes;
        let Some(room) = self.rooms.get_mut(show) else {
            if let Content::Census(count) = &mut fan_out.content {
                count.hand_in(&self.common, true);
            }
            return (0, None);
        };
        if let Content::Event(event) = &fan_out.content {
            room.open = event.opens().unwrap_or(room.open);
            room.in_lobby &= !event.begins_round();
        }
        let mut reached = 0;
        while reached < most {
            let Some(&key) = room.members.get(fan_out.next) else { break };
            let member = self.conns.get_mut(key.slot as usize).filter(|conn| {
                conn.key == key && conn.display && conn.session.place().is_some_and(|place| place.show == show)
            });
            let Some(conn) = member else {
                room.members.swap_remove(fan_out.next);
                continue;
            };
            match &mut fan_out.content {
                Content::Event(event) => {
                    if event.begins_round() {
                        conn.expect_no_replies();
                    }
                    conn.send_event(event, outbox_bytes, now.millis());
                }
                Content::LastSeq(seq) => {
                    conn.expect_no_replies();
                    conn.has_missed(*seq, now.millis());
                }
                Content::Census(count) => {
                    if let Some(seat) = conn.session.place().and_then(|place| place.seat) {
                        count.add(seat, key);
                    }
                }
            }
            self.timers.mark(conn);
            reached += 1;
            fan_out.next += 1;
        }
        if matches!(fan_out.content, Content::Event(_)) {
            self.metrics.frames += reached as u64;
        }
        let more = fan_out.next < room.members.len();
        if let Content::Census(count) = &mut fan_out.content {
            count.hand_in(&self.common, !more);
        }
        (reached, more.then_some(fan_out))
    }

    fn seated(&mut self, seated: &Seated, now: Timestamp) {
        let key = ConnKey::from_wire(seated.conn.conn);
        let (place, phase) = (Place { show: seated.show, seat: seated.seat }, seated.view.phase);
        let Some(conn) = self.conn(key).filter(|conn| !conn.session.is_leaving()) else {
            // It disconnected before the seat arrived.
            if let (Some(seat), true) = (place.seat, phase.is_lobby()) {
                self.report_gone(key, place.show, seat, false);
            }
            return;
        };
        // Ignored if it has joined already: an engine may send a seat twice.
        let Some(code) = conn.session.seated(place) else { return };
        conn.last_seq = seated.view.seq;
        let codec = conn.codec;
        self.enter_room(key, place, phase);
        self.common.pending_joins.end(key);
        let common = &self.common;
        let holder =
            Holder { code: &code, show: seated.show, player: &seated.player, name: &seated.name, issue: seated.issue };
        let welcome = ToPlayer::Welcome(Welcome {
            protocol: PROTOCOL_VERSION,
            session: key.to_string(),
            resume: common.admission.resume_token(holder, now.millis()),
            show: seated.show,
            seat: seated.seat.map(|held| held.seat),
            name: seated.name.clone(),
            now: now.millis(),
            heartbeat: common.settings.players.limits.heartbeat,
            newest: PROTOCOL_VERSION.into(),
        });
        let mut bytes = Vec::new();
        frame::append(codec, &welcome, &mut bytes);
        bytes.extend_from_slice(&self.snapshots.get(codec, &seated.view));
        frame::append(codec, &seated.own, &mut bytes);
        append_pause(codec, &seated.view, &mut bytes);
        self.metrics.joins += 1;
        tracing::debug!(session = %key, show = %seated.show, seat = ?seated.seat, "joined");
        self.send(key, bytes.into(), now.millis());
    }

    fn resynced(&mut self, resynced: &Resynced, now: Timestamp) {
        let key = ConnKey::from_wire(resynced.conn.conn);
        let Some(conn) = self.conn(key) else { return };
        let is_here = conn.session.place().is_some_and(|place| place.show == resynced.show);
        if !is_here || conn.delivery == Delivery::InSync {
            return;
        }
        conn.delivery = Delivery::InSync;
        conn.last_seq = resynced.view.seq;
        if !conn.display {
            return;
        }
        let codec = conn.codec;
        let mut bytes = self.snapshots.get(codec, &resynced.view).to_vec();
        frame::append(codec, &resynced.own, &mut bytes);
        append_pause(codec, &resynced.view, &mut bytes);
        self.send(key, bytes.into(), now.millis());
    }

    /// Adds a connection to its room, and displaces or evicts the player's older ones.
    fn enter_room(&mut self, key: ConnKey, place: Place, phase: Phase) {
        let common = &self.common;
        self.rooms.enter(place.show, key, phase, || common.figures.of(place.show));
        let Some(seat) = place.seat else { return };
        let replaced = common.players.enter(place.show, seat, key, common.settings.connections_per_player);
        if let Some(older) = replaced.displaced {
            common.router.to_shard(older.shard, ToShard::Displace(older));
        }
        if let Some(oldest) = replaced.evicted {
            common.router.to_shard(oldest.shard, ToShard::Evict(oldest));
        }
    }

    fn join_refused(&mut self, key: ConnKey, error: ErrorMessage, now: Timestamp) {
        let Some(conn) = self.conn(key) else { return };
        let codec = conn.codec;
        if conn.session.refused(now.millis()) {
            self.common.pending_joins.end(key);
            self.metrics.banned += u64::from(error.code == ErrorCode::Banned);
            let bytes = frame::frame(codec, &ToPlayer::Error(error));
            self.send(key, bytes, now.millis());
        }
    }

    fn send_replies(&mut self, show: ShowId, replies: &[Reply], now: Timestamp) {
        let mut latencies: Vec<u64> = Vec::with_capacity(replies.len());
        let mut of: Option<RoundId> = None;
        let figures = self.rooms.get(show).map(|room| Arc::clone(&room.figures));
        for reply in replies {
            let key = ConnKey::from_wire(reply.conn);
            let Some(conn) = self.conn(key) else { continue };
            let Some(micros) = conn.answered(reply.number, reply.read_at, now) else {
                self.metrics.replies_again += 1;
                continue;
            };
            let Reply { form, round, key: claim, ref verdict, .. } = *reply;
            let verdict = verdict.clone();
            self.reply(key, ReplyKey { form, round, key: claim, verdict }, now.millis());
            self.metrics.replied(micros);
            if of.is_some_and(|of| of != reply.round)
                && let (Some(figures), Some(of)) = (&figures, of)
            {
                figures.replied(of, &latencies);
                latencies.clear();
            }
            of = Some(reply.round);
            latencies.push(micros);
        }
        if let (Some(figures), Some(of)) = (figures, of) {
            figures.replied(of, &latencies);
        }
    }

    fn dismiss(&mut self, show: ShowId, seat: SeatRef, code: ErrorCode, now: Timestamp) {
        for key in self.common.players.of(show, seat) {
            if self.conn(key).is_some() {
                self.close(key, Close::Dismissed, Some(code), now.millis());
            }
        }
    }

    fn displace(&mut self, key: ConnKey, now: Timestamp) {
        let Some(conn) = self.conn(key) else { return };
        conn.display = false;
        self.refuse(key, &ErrorCode::Displaced.into(), now.millis());
    }

    /// Displaces the connections of players who joined at another gateway. Each shard does this for its own
    /// connections, in the order of the show's messages, so that a player who comes back here right away keeps the
    /// events.
    fn displace_seats(&mut self, show: ShowId, seats: &[SeatRef], now: Timestamp) {
        let common = Arc::clone(&self.common);
        for &seat in seats {
            for key in common.players.of(show, seat) {
                if self.conn(key).is_some_and(|conn| conn.display) {
                    self.displace(key, now);
                }
            }
        }
    }
}
