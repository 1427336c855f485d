//! Connections that asked for a seat and have no reply yet: until the reply it is not known which show they join.

use std::collections::HashSet;

use parking_lot::Mutex;

use crate::transport::ConnKey;

/// Connections with a pending join, over all shards.
#[derive(Default)]
pub(crate) struct PendingJoins(Mutex<HashSet<ConnKey>>);

impl PendingJoins {
    /// Adds a connection that asked for a seat.
    pub fn begin(&self, conn: ConnKey) {
        self.0.lock().insert(conn);
    }

    /// Removes a connection that joined, was refused, or was closed.
    pub fn end(&self, conn: ConnKey) {
        self.0.lock().remove(&conn);
    }

    /// Calls `act` if no join is pending, and blocks new ones meanwhile.
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
        let key = ConnKey { shard: 0, slot: 1, generation: 1 };
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
