//! The connections of a shard that need attention: from the reactor now, or from the shard when a deadline passes.

use klaxon_protocol::time::Millis;
use slab::Slab;

use super::conn::Conn;
use super::deadlines::{Deadlines, Expired};
use super::timer_wheel::{Bucket, TimerWheel};
use crate::transport::ConnKey;

/// Each connection is on the wheel from the moment it opens. Input only moves its deadline further away, so neither
/// reading from it nor keeping it open costs anything here.
pub(super) struct Timers {
    deadlines: Deadlines,
    wheel: TimerWheel,
    dirty: Vec<ConnKey>,
}

impl Timers {
    /// No connections yet.
    pub fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, wheel: TimerWheel::new(), dirty: Vec::new() }
    }

    /// Marks a connection for the reactor. Every wait, except the one for a snapshot, begins with this.
    pub fn mark(&mut self, conn: &mut Conn) {
        if !std::mem::replace(&mut conn.dirty, true) {
            self.dirty.push(conn.key);
        }
        if !conn.is_settled() {
            self.shorten(conn);
        }
    }

    /// Updates the wheel after a deadline was added that may be earlier than the others.
    pub fn shorten(&mut self, conn: &mut Conn) {
        conn.bucket = self.wheel.shorten(conn.key.slot, conn.bucket, self.deadlines.next(conn));
    }

    /// Adds a connection to the wheel that has just opened, or whose bucket has expired.
    pub fn start(&mut self, conn: &mut Conn) {
        conn.bucket = self.wheel.put(conn.key.slot, self.deadlines.next(conn));
    }

    /// The next expired bucket, and its slots. Their connections may be closed, or in another bucket by now.
    pub fn expire(&mut self, now: Millis) -> Option<(Bucket, Vec<u32>)> {
        self.wheel.expire(now)
    }

    /// The connection's deadline that has passed.
    pub fn expired(&self, conn: &Conn, now: Millis) -> Option<Expired> {
        self.deadlines.expired(conn, now)
    }

    /// Takes the connections that the reactor has to check, each once.
    pub fn take_dirty(&mut self, conns: &mut Slab<Conn>, into: &mut Vec<ConnKey>) {
        for key in &self.dirty {
            if let Some(conn) = conns.get_mut(key.slot as usize).filter(|conn| conn.key == *key) {
                conn.dirty = false;
            }
        }
        into.append(&mut self.dirty);
    }
}
