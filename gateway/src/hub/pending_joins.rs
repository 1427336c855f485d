//! Connections that asked for a seat and have no reply yet: until then it is not known which shows' events they need.

use std::collections::HashSet;

use parking_lot::Mutex;

use crate::transport::ConnKey;

/// Connections on their way into a show, over all shards.
#[derive(Default)]
pub(crate) struct PendingJoins(Mutex<HashSet<ConnKey>>);

impl PendingJoins {
    /// A connection asks for a seat.
    pub fn begin(&self, conn: ConnKey) {
        self.0.lock().insert(conn);
    }

    /// It is in its room, was refused, or is gone.
    pub fn end(&self, conn: ConnKey) {
        self.0.lock().remove(&conn);
    }

    /// Calls `act` while no join is pending, and none can begin. Not if one is.
    pub fn if_none(&self, act: impl FnOnce()) {
        let pending_joins = self.0.lock();
        if pending_joins.is_empty() {
            act();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_done_only_while_no_join_is_pending() {
        let pending_joins = PendingJoins::default();
        let key = ConnKey { shard: 0, slot: 1, use_of_slot: 1 };
        let mut done = 0;
        pending_joins.if_none(|| done += 1);
        pending_joins.begin(key);
        pending_joins.if_none(|| done += 10);
        pending_joins.end(key);
        pending_joins.end(key);
        pending_joins.if_none(|| done += 100);
        assert_eq!(done, 101);
    }
}
