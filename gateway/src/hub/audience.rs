//! What the engine says, on its way to a shard's connections: who is in which room, and the fan-out.

use std::sync::Arc;

use klaxon_protocol::codec::{Codec, PROTOCOL_VERSION};
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::ids::{QuestionId, SeatRef, Seq, ShowId};
use klaxon_protocol::link::{Reply, Resynced, Seated};
use klaxon_protocol::player::{Phase, Snapshot, ToPlayer, Welcome};

use super::census::Count;
use super::conn::KeepsUp;
use super::figures::ShowFigures;
use super::incoming::Raised;
use super::{Event, ForShard, Shard, frame};
use crate::session::{Close, Holder, Place};
use crate::transport::{ConnKey, Moment};

/// After so many connections of fan-outs the transport gets its turn, to write to them and to read answers.
const CHUNK: usize = 1024;
/// Anything else, such as a join, takes its time as so many of them.
const PIECE: usize = 32;

/// One show's connections in this shard.
pub(super) struct Room {
    pub figures: Arc<ShowFigures>,
    /// Connections that are in, those without the display as well.
    pub connections: usize,
    /// Whether a question is out.
    pub asking: bool,
    /// Whether no question was sent yet: the engine wants to know who goes.
    pub in_lobby: bool,
    /// Who is sent the events. Some may have left since; whoever comes upon them takes them out.
    members: Vec<ConnKey>,
}

/// Something on its way through a show's room.
pub(super) struct FanOut {
    what: Passing,
    /// The next member's place.
    next: usize,
}

/// What passes through a room.
enum Passing {
    /// An event, to be sent.
    Event(Arc<Event>),
    /// Word that so much was said.
    Said(Seq),
    /// A count of those who are here.
    Census(Count),
}

/// Whether no question was asked yet.
const fn is_lobby(phase: Phase) -> bool {
    matches!(phase, Phase::Created | Phase::Lobby)
}

impl FanOut {
    const fn of(what: Passing) -> Self {
        Self { what, next: 0 }
    }
}

/// Who comes in while the clock stands still did not hear the event that says what is left.
pub(super) fn append_pause(codec: Codec, snapshot: &Snapshot, bytes: &mut Vec<u8>) {
    if let Some(paused) = snapshot.pause() {
        frame::append(codec, &ToPlayer::Paused(paused), bytes);
    }
}

impl Shard {
    /// The link or another shard has something for this one. What is one connection's own is dealt with at once, barriers when all
    /// is read that had come before, and a show's by [`Self::work`] in the order in which it came.
    pub fn hear(&mut self, message: ForShard, now: Moment) {
        self.stirred = now;
        let show = match &message {
            ForShard::Event(show, _)
            | ForShard::Said(show, _)
            | ForShard::Dismiss(show, ..)
            | ForShard::Moved(show, _) => *show,
            ForShard::Seated(seated) => seated.show,
            ForShard::Resynced(resynced) => resynced.show,
            ForShard::Census(census) => census.show(),
            ForShard::Replies(..)
            | ForShard::Barrier(_)
            | ForShard::JoinRefused(..)
            | ForShard::Displace(_)
            | ForShard::Evict(_) => return self.act(message, now),
        };
        self.turns.add(show, message);
    }

    /// Does the next piece of what is to do for shows, one after the other. Whether there is more.
    pub fn work(&mut self, now: Moment) -> bool {
        let mut left = CHUNK;
        while left > 0
            && let Some((show, mut lane)) = self.turns.begin()
        {
            while left > 0 {
                if let Some(fan_out) = lane.fan_out.take() {
                    let reached;
                    (reached, lane.fan_out) = self.go_on(show, fan_out, left, now);
                    left = left.saturating_sub(reached);
                    break;
                }
                match lane.queue.pop_front() {
                    None => break,
                    Some(ForShard::Event(_, event)) => lane.fan_out = Some(FanOut::of(Passing::Event(event))),
                    Some(ForShard::Said(_, seq)) => lane.fan_out = Some(FanOut::of(Passing::Said(seq))),
                    Some(ForShard::Census(census)) => {
                        lane.fan_out = Some(FanOut::of(Passing::Census(Count::of(census))));
                    }
                    Some(other) => {
                        self.act(other, now);
                        left = left.saturating_sub(PIECE);
                    }
                }
            }
            self.turns.end(show, lane);
        }
        !self.turns.is_empty()
    }

    /// Does what is not a fan-out.
    fn act(&mut self, message: ForShard, now: Moment) {
        match message {
            ForShard::Replies(show, replies) => self.hear_replies(show, &replies, now),
            ForShard::Barrier(barrier) => self.barriers.push(Raised { barrier, at: now }),
            ForShard::Seated(seated) => self.hear_seated(*seated, now),
            ForShard::Resynced(resynced) => self.hear_resynced(&resynced, now),
            ForShard::JoinRefused(key, error) => self.hear_refused(key, error, now),
            ForShard::Dismiss(show, seat, code) => self.dismiss(show, seat, code, now),
            ForShard::Displace(key) => self.displace(key, now),
            ForShard::Evict(key) => self.close(key, Close::TooMany, None, now.millis()),
            ForShard::Moved(show, seats) => self.lose_display(show, &seats, now),
            // Those are fan-outs.
            ForShard::Event(..) | ForShard::Said(..) | ForShard::Census(_) => {}
        }
    }

    /// Reaches at most `most` further members. How many it did, and what is left of the fan-out.
    fn go_on(&mut self, show: ShowId, mut fan_out: FanOut, most: usize, now: Moment) -> (usize, Option<FanOut>) {
        let room_for = self.common.settings.outbox_bytes;
        let Some(room) = self.rooms.get_mut(&show) else {
            if let Passing::Census(count) = &mut fan_out.what {
                count.hand_in(&self.common, true);
            }
            return (0, None);
        };
        if let Passing::Event(event) = &fan_out.what {
            room.asking = event.asks().unwrap_or(room.asking);
            room.in_lobby &= !event.opens_question();
        }
        let mut reached = 0;
        while reached < most {
            let Some(&key) = room.members.get(fan_out.next) else { break };
            let here = self.conns.get_mut(key.slot as usize).filter(|conn| {
                conn.key == key && conn.display && conn.session.place().is_some_and(|place| place.show == show)
            });
            let Some(conn) = here else {
                room.members.swap_remove(fan_out.next);
                continue;
            };
            match &mut fan_out.what {
                Passing::Event(event) => {
                    if event.opens_question() {
                        conn.expect_no_replies();
                    }
                    conn.send_event(event, room_for, now.millis());
                }
                Passing::Said(seq) => {
                    conn.expect_no_replies();
                    conn.has_missed(*seq, now.millis());
                }
                Passing::Census(count) => {
                    if let Some(seat) = conn.session.place().and_then(|place| place.seat) {
                        count.add(seat, key);
                    }
                }
            }
            self.agenda.mark(conn);
            reached += 1;
            fan_out.next += 1;
        }
        if matches!(fan_out.what, Passing::Event(_)) {
            self.counts.frames += reached as u64;
        }
        let more = fan_out.next < room.members.len();
        if let Passing::Census(count) = &mut fan_out.what {
            count.hand_in(&self.common, !more);
        }
        (reached, more.then_some(fan_out))
    }

    fn hear_seated(&mut self, seated: Seated, now: Moment) {
        let key = ConnKey::from_wire(seated.conn.conn);
        let (place, phase) = (Place { show: seated.show, seat: seated.seat }, seated.snapshot.phase);
        let Some(conn) = self.conn(key).filter(|conn| !conn.session.is_leaving()) else {
            // One that went away meanwhile no longer wants a seat.
            if let (Some(seat), true) = (place.seat, is_lobby(phase)) {
                self.say_gone(key, place.show, seat, false);
            }
            return;
        };
        // One that is in has its seat: engines may say things twice.
        let Some(code) = conn.session.seated(place) else { return };
        conn.seen = seated.snapshot.seq;
        let codec = conn.codec;
        self.take_in(key, place, phase);
        self.common.arrivals.end(key);
        let common = &self.common;
        let holder =
            Holder { code: &code, show: seated.show, player: &seated.player, name: &seated.name, issue: seated.issue };
        let welcome = ToPlayer::Welcome(Welcome {
            protocol: PROTOCOL_VERSION,
            session: key.to_string(),
            resume: common.doors.resume_token(holder, now.millis()),
            show: seated.show,
            seat: seated.seat.map(|held| held.seat),
            name: seated.name.clone(),
            now: now.millis(),
            heartbeat: common.settings.heartbeat,
        });
        let mut bytes = Vec::new();
        frame::append(codec, &welcome, &mut bytes);
        bytes.extend_from_slice(&self.snapshots.get(codec, &seated.snapshot));
        frame::append(codec, &ToPlayer::You(seated.you), &mut bytes);
        append_pause(codec, &seated.snapshot, &mut bytes);
        self.counts.joins += 1;
        tracing::debug!(session = %key, show = %seated.show, seat = ?seated.seat, "in");
        self.send(key, bytes.into(), now.millis());
    }

    fn hear_resynced(&mut self, resynced: &Resynced, now: Moment) {
        let key = ConnKey::from_wire(resynced.conn.conn);
        let Some(conn) = self.conn(key) else { return };
        let is_here = conn.session.place().is_some_and(|place| place.show == resynced.show);
        if !is_here || conn.pace == KeepsUp::Yes {
            return;
        }
        conn.pace = KeepsUp::Yes;
        conn.seen = resynced.snapshot.seq;
        if !conn.display {
            return;
        }
        let codec = conn.codec;
        let mut bytes = self.snapshots.get(codec, &resynced.snapshot).to_vec();
        frame::append(codec, &ToPlayer::You(resynced.you), &mut bytes);
        append_pause(codec, &resynced.snapshot, &mut bytes);
        self.send(key, bytes.into(), now.millis());
    }

    /// Puts a connection into its room, and the player's older ones aside.
    fn take_in(&mut self, key: ConnKey, place: Place, phase: Phase) {
        let common = Arc::clone(&self.common);
        let room = self.rooms.entry(place.show).or_insert_with(|| Room {
            figures: common.figures.of(place.show),
            connections: 0,
            asking: false,
            in_lobby: true,
            members: Vec::new(),
        });
        room.asking |= phase == Phase::Question;
        room.in_lobby &= is_lobby(phase);
        room.members.push(key);
        room.connections += 1;
        room.figures.connected();
        let Some(seat) = place.seat else { return };
        let aside = common.players.enter(place.show, seat, key, common.settings.connections_per_player);
        if let Some(older) = aside.displaced {
            common.outside.shard(older.shard, ForShard::Displace(older));
        }
        if let Some(oldest) = aside.evicted {
            common.outside.shard(oldest.shard, ForShard::Evict(oldest));
        }
    }

    fn hear_refused(&mut self, key: ConnKey, error: ErrorMessage, now: Moment) {
        let Some(conn) = self.conn(key) else { return };
        let codec = conn.codec;
        if conn.session.refused(now.millis()) {
            self.common.arrivals.end(key);
            self.counts.banned += u64::from(error.code == ErrorCode::Banned);
            let bytes = frame::frame(codec, &ToPlayer::Error(error));
            self.send(key, bytes, now.millis());
        }
    }

    fn hear_replies(&mut self, show: ShowId, replies: &[Reply], now: Moment) {
        let mut latencies: Vec<u64> = Vec::with_capacity(replies.len());
        let mut of: Option<QuestionId> = None;
        let figures = self.rooms.get(&show).map(|room| Arc::clone(&room.figures));
        for reply in replies {
            let key = ConnKey::from_wire(reply.conn);
            let Some(conn) = self.conn(key) else { continue };
            let Some(micros) = conn.answered(reply.number, reply.read_at, now) else {
                self.counts.replies_again += 1;
                continue;
            };
            self.reply(key, reply.question, reply.verdict, now.millis());
            self.counts.replied(micros);
            if of.is_some_and(|of| of != reply.question)
                && let (Some(figures), Some(of)) = (&figures, of)
            {
                figures.replied(of, &latencies);
                latencies.clear();
            }
            of = Some(reply.question);
            latencies.push(micros);
        }
        if let (Some(figures), Some(of)) = (figures, of) {
            figures.replied(of, &latencies);
        }
    }

    fn dismiss(&mut self, show: ShowId, seat: SeatRef, code: ErrorCode, now: Moment) {
        for key in self.common.players.of(show, seat) {
            if self.conn(key).is_some() {
                self.close(key, Close::Dismissed, Some(code), now.millis());
            }
        }
    }

    fn displace(&mut self, key: ConnKey, now: Moment) {
        let Some(conn) = self.conn(key) else { return };
        conn.display = false;
        self.refuse(key, &ErrorCode::Displaced.into(), now.millis());
    }

    /// These players came in at another gateway. Each shard looks for its own of their connections, in the order in which it hears
    /// of them, so that one who comes back here at once keeps the display.
    fn lose_display(&mut self, show: ShowId, seats: &[SeatRef], now: Moment) {
        let common = Arc::clone(&self.common);
        for &seat in seats {
            for key in common.players.of(show, seat) {
                if self.conn(key).is_some_and(|conn| conn.display) {
                    self.displace(key, now);
                }
            }
        }
    }

    /// Closes empty rooms, and takes out of the others who is no longer there, once those are as many as the ones who are.
    pub(super) fn sweep_rooms(&mut self) {
        self.snapshots.forget();
        // A displaced connection's reactions still count for its show, so it keeps the room open.
        self.rooms.retain(|_, room| room.connections > 0);
        let conns = &self.conns;
        for (show, room) in &mut self.rooms {
            // A fan-out knows members by their places.
            if room.members.len() <= 2 * room.connections || self.turns.pass_through(*show) {
                continue;
            }
            room.members.retain(|key| conns.get(key.slot as usize).is_some_and(|conn| conn.key == *key));
            room.members.shrink_to(2 * room.connections);
        }
    }
}
