//! Which of a shard's connections are to be looked at: by the transport soon, and by the shard when time has passed.

use klaxon_protocol::time::Millis;
use slab::Slab;

use super::conn::Conn;
use super::patience::{Overdue, Patience};
use super::wheel::{Turn, Wheel};
use crate::transport::ConnKey;

/// Whom to look at. Each connection is on the wheel from when it opens, and what it says only moves its deadline away; so reading
/// from it, and its being there, cost nothing here.
pub(super) struct Agenda {
    patience: Patience,
    wheel: Wheel,
    dirty: Vec<ConnKey>,
}

impl Agenda {
    /// Nobody is to be looked at.
    pub fn new(patience: Patience) -> Self {
        Self { patience, wheel: Wheel::new(), dirty: Vec::new() }
    }

    /// The transport should look at this connection. Whatever begins to be waited for begins with this, but for a snapshot.
    pub fn mark(&mut self, conn: &mut Conn) {
        if !std::mem::replace(&mut conn.dirty, true) {
            self.dirty.push(conn.key);
        }
        if !conn.is_settled() {
            self.watch(conn);
        }
    }

    /// Something is waited for that may be up earlier than what was waited for so far.
    pub fn watch(&mut self, conn: &mut Conn) {
        conn.turn = self.wheel.hasten(conn.key.slot, conn.turn, self.patience.until(conn));
    }

    /// Puts a connection on the wheel that just opened, or whose turn is over.
    pub fn put(&mut self, conn: &mut Conn) {
        conn.turn = self.wheel.put(conn.key.slot, self.patience.until(conn));
    }

    /// The next turn that is over, and the slots whose connections have it unless they were hastened or are gone.
    pub fn pass(&mut self, now: Millis) -> Option<(Turn, Vec<u32>)> {
        self.wheel.pass(now)
    }

    /// What is overdue with a connection.
    pub fn overdue(&self, conn: &Conn, now: Millis) -> Option<Overdue> {
        self.patience.overdue(conn, now)
    }

    /// Hands out those whom the transport should look at, each once.
    pub fn take_dirty(&mut self, conns: &mut Slab<Conn>, into: &mut Vec<ConnKey>) {
        for key in &self.dirty {
            if let Some(conn) = conns.get_mut(key.slot as usize).filter(|conn| conn.key == *key) {
                conn.dirty = false;
            }
        }
        into.append(&mut self.dirty);
    }
}
