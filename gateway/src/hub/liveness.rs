//! Whether a client is still connected: when its last message arrived, and the ping that is sent if it is silent.
//!
//! A browser answers WebSocket pings by itself, also in a hidden tab, where timers of a page run once a minute. A
//! connection has at most one unanswered ping, so pings do not pile up for a client that does not read or answer. Only
//! the pong that answers a ping is exempt from the rate limit, so unsolicited pongs count as a flood.

use bytes::Bytes;
use klaxon_protocol::time::{Millis, Span};

/// A ping without payload, the same bytes for all.
pub(super) const PING: Bytes = Bytes::from_static(&[0x89, 0x00]);

/// A client that sends two messages within this time is active, not only keeping the connection alive.
const ACTIVE_WITHIN: Span = Span(1000);

/// When the client's last message arrived, and whether it has answered its ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    /// The last message was not an answer to a ping.
    Active { at: Millis },
    /// The last message answered a ping.
    Answered { at: Millis },
    /// A ping was sent then, and nothing has arrived since.
    Pinged { at: Millis },
    /// A message has arrived since the ping, but no pong yet.
    ActiveSincePing { at: Millis },
}

impl Liveness {
    /// Processes a message. Returns whether the client is active, not only keeping the connection alive.
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

    /// Processes a pong. Returns whether it answers a ping.
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
