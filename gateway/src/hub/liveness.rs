//! Whether a client is still there: when its last message came, and the ping that is sent if none comes.
//!
//! A browser answers WebSocket pings by itself, also in a hidden tab, where a page's own timers run once a minute. At most one ping
//! of a connection is unanswered, so they do not pile up for a client that does not read, or does not answer; and only the pong that answers
//! a ping is free of the rate limit, so unsolicited pongs are a flood like any other.

use bytes::Bytes;
use klaxon_protocol::time::{Millis, Span};

/// A ping without payload, the same bytes for all.
pub(super) const PING: Bytes = Bytes::from_static(&[0x89, 0x00]);

/// A client that sends two messages within this time does more than keep the connection alive.
const ACTIVE_WITHIN: Span = Span(1000);

/// When the last message of a client came, and whether it has answered its ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    /// It sent a message then, other than an answer to a ping.
    Active { at: Millis },
    /// It answered a ping then, and sent nothing since.
    Answered { at: Millis },
    /// It was pinged then, and nothing came since.
    Pinged { at: Millis },
    /// It sent a message then, but its pong is still to come.
    ActiveSincePing { at: Millis },
}

impl Liveness {
    /// A message comes now. Whether the client does more than keep the connection alive.
    pub fn receive(&mut self, now: Millis) -> bool {
        let (before, next) = match *self {
            Self::Active { at } => (Some(at), Self::Active { at: now }),
            Self::Answered { .. } => (None, Self::Active { at: now }),
            Self::Pinged { .. } => (None, Self::ActiveSincePing { at: now }),
            Self::ActiveSincePing { at } => (Some(at), Self::ActiveSincePing { at: now }),
        };
        *self = next;
        before.is_some_and(|before| now.since(before) < ACTIVE_WITHIN)
    }

    /// It sends a pong now. Whether a ping asked for that.
    pub fn answer(&mut self, now: Millis) -> bool {
        let asked = matches!(self, Self::Pinged { .. } | Self::ActiveSincePing { .. });
        if asked {
            *self = Self::Answered { at: now };
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Millis = Millis(5_000);

    #[test]
    fn one_pong_answers_one_ping_even_if_a_message_came_in_between() {
        let mut liveness = Liveness::Pinged { at: AT };
        assert!(liveness.answer(AT) && !liveness.answer(AT));
        let mut liveness = Liveness::Pinged { at: AT };
        liveness.receive(AT);
        assert_eq!(liveness, Liveness::ActiveSincePing { at: AT });
        assert!(liveness.answer(AT) && !liveness.answer(AT));
        assert!(!Liveness::Active { at: AT }.answer(AT));
    }

    #[test]
    fn two_messages_within_a_second_are_activity_and_a_pong_is_none() {
        let mut liveness = Liveness::Active { at: AT };
        assert!(!liveness.receive(AT + ACTIVE_WITHIN));
        assert!(liveness.receive(AT + ACTIVE_WITHIN + Span(999)));
        let mut liveness = Liveness::Pinged { at: AT };
        liveness.answer(AT);
        assert!(!liveness.receive(AT + Span(1)));
        assert!(liveness.receive(AT + Span(2)));
    }
}
