//! Draining: players are sent to other gateways, spread over time, and not before their answers have replies.

use klaxon_protocol::player::{Goodbye, ToPlayer};
use klaxon_protocol::time::Span;

use super::Shard;
use crate::hub::frame;
use crate::session::Close;
use crate::transport::{ConnKey, Drain, Timestamp};

/// How long clients should wait before they reconnect, if there is no other gateway.
const RETRY: Span = Span(1_000);
/// How long clients should wait if there is another gateway.
const RETRY_ELSEWHERE: Span = Span(100);

/// The `goodbye` of a connection.
fn goodbye(drain: &Drain, shard: u8, slot: u32) -> Goodbye {
    let others = &drain.others;
    let to = usize::try_from(slot).unwrap_or(0).wrapping_add(usize::from(shard)).checked_rem(others.len());
    let to = to.and_then(|turn| others.get(turn)).cloned();
    let retry = if to.is_some() { RETRY_ELSEWHERE } else { RETRY };
    // The waits are spread between this minimum and twice as long.
    Goodbye { retry: retry + Span(retry.0 / 8 * (slot % 8)), to }
}

impl Shard {
    /// Sends the `goodbye`s that are due. These connections are still read for a moment, for answers that were under
    /// way.
    pub(super) fn send_goodbyes(&mut self, drain: &Drain, now: Timestamp) {
        let keys: Vec<ConnKey> = self.conns.iter().map(|(_, conn)| conn.key).collect();
        for key in keys {
            let Some(conn) = self.conn(key).filter(|conn| !conn.session.is_leaving() && key.slot < drain.slots) else {
                continue;
            };
            if conn.unreplied.outstanding() > 0 && drain.waits_for_replies {
                continue;
            }
            let (codec, was_sent) = (conn.codec, conn.goodbye_sent.is_some());
            if !was_sent {
                conn.goodbye_sent = Some(now.millis());
                let goodbye = frame::frame(codec, &ToPlayer::Goodbye(goodbye(drain, key.shard, key.slot)));
                self.send(key, goodbye, now.millis());
            }
            if !drain.waits_for_replies {
                self.close(key, Close::Restart, None, now.millis());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn players_are_spread_evenly_over_the_others() {
        let others: Arc<[String]> = ["ws://b/play", "ws://c/play"].map(String::from).into();
        let drain = Drain { slots: 9, waits_for_replies: true, others };
        let to: Vec<_> = (0..4).map(|slot| goodbye(&drain, 1, slot).to.unwrap()).collect();
        assert_eq!(to, ["ws://c/play", "ws://b/play", "ws://c/play", "ws://b/play"]);
        assert!((0..99).all(|slot| goodbye(&drain, 0, slot).retry.0 < 2 * RETRY_ELSEWHERE.0));
    }

    #[test]
    fn alone_there_is_no_place_to_name() {
        let drain = Drain { slots: 9, waits_for_replies: true, others: Arc::new([]) };
        let goodbye = goodbye(&drain, 0, 7);
        assert_eq!(goodbye.to, None);
        assert!(goodbye.retry > RETRY && goodbye.retry.0 < 2 * RETRY.0);
    }
}
