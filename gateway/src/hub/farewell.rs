//! Sending players away kindly: not all at the same moment, to where there is another gateway, and with no answer unreplied.

use klaxon_protocol::player::{Goodbye, ToPlayer};
use klaxon_protocol::time::Span;

use super::{Shard, frame};
use crate::session::Close;
use crate::transport::{Farewell, Moment};

/// How long clients should stay away when nobody else is there to take them in.
const RETRY: Span = Span(1_000);
/// The same when somebody is.
const RETRY_ELSEWHERE: Span = Span(100);
/// After a goodbye, answers that were on the way are heard for so long.
pub(super) const LAST_ANSWERS: Span = Span(500);

/// What one who is to go is told.
fn words(farewell: &Farewell, shard: u8, slot: u32) -> Goodbye {
    let others = &farewell.others;
    let to = usize::try_from(slot).unwrap_or(0).wrapping_add(usize::from(shard)).checked_rem(others.len());
    let to = to.and_then(|turn| others.get(turn)).cloned();
    let retry = if to.is_some() { RETRY_ELSEWHERE } else { RETRY };
    // Not everybody at the same moment: over as long again as they wait at least.
    Goodbye { retry: retry + Span(retry.0 / 8 * (slot % 8)), to }
}

impl Shard {
    /// Tells those who are to go that they are. They are still heard for a moment, for what they sent before they knew.
    pub(super) fn say_goodbye(&mut self, farewell: &Farewell, now: Moment) {
        for key in self.keys() {
            let Some(conn) = self.conn(key).filter(|conn| !conn.session.is_leaving() && key.slot < farewell.slots)
            else {
                continue;
            };
            if conn.unreplied.outstanding() > 0 && farewell.waits_for_replies {
                continue;
            }
            let (codec, told) = (conn.codec, conn.told_to_go.is_some());
            if !told {
                conn.told_to_go = Some(now.millis());
                let words = frame::frame(codec, &ToPlayer::Goodbye(words(farewell, key.shard, key.slot)));
                self.send(key, words, now.millis());
            }
            if !farewell.waits_for_replies {
                self.close(key, Close::Restart, None, now.millis());
            }
        }
    }

    /// How many slots connections have had so far.
    pub fn slots(&self) -> u32 {
        self.conns().iter().map(|(_, conn)| conn.key.slot + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn players_are_spread_evenly_over_the_others() {
        let others: Arc<[String]> = ["ws://b/play", "ws://c/play"].map(String::from).into();
        let farewell = Farewell { slots: 9, waits_for_replies: true, others };
        let to: Vec<_> = (0..4).map(|slot| words(&farewell, 1, slot).to.unwrap()).collect();
        assert_eq!(to, ["ws://c/play", "ws://b/play", "ws://c/play", "ws://b/play"]);
        assert!((0..99).all(|slot| words(&farewell, 0, slot).retry.0 < 2 * RETRY_ELSEWHERE.0));
    }

    #[test]
    fn alone_there_is_no_place_to_name() {
        let farewell = Farewell { slots: 9, waits_for_replies: true, others: Arc::new([]) };
        let words = words(&farewell, 0, 7);
        assert_eq!(words.to, None);
        assert!(words.retry > RETRY && words.retry.0 < 2 * RETRY.0);
    }
}
