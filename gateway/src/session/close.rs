//! The WebSocket close codes that a client can meet, in one table.

use bytes::Bytes;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::{Frame, Utf8Bytes};

macro_rules! close_table {
    ($($variant:ident, $code:literal, $name:literal, $meaning:literal;)*) => {
        /// Why the server closes a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Close {
            $(#[doc = $meaning] $variant,)*
        }

        impl Close {
            /// Every reason, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The WebSocket close code; the server's own begin at 4000.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The close frame's reason.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, and what a client should do.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

close_table! {
    Left, 1000, "left", "You left; the seat stays and can be resumed, unless it is given to another player before the first round.";
    Protocol, 1002, "protocol_error", "What you sent is not WebSocket as RFC 6455 has it.";
    NotText, 1007, "not_text", "A text message was not UTF-8.";
    TooLarge, 1009, "too_large", "A message was larger than a player's may be.";
    Restart, 1012, "restart", "The server goes down: connect again after `goodbye`'s `retry` and resume.";
    TryLater, 1013, "try_later", "The server can't take you in now: connect again in a few seconds.";
    NeverJoined, 4001, "never_joined", "You did not join in time: connect again when you do.";
    Silent, 4002, "silent", "Nothing came from you for twice the `heartbeat`, not even the answer to a ping: connect again and resume.";
    TooMany, 4003, "too_many", "You have too many connections in this show: this was the oldest.";
    Dismissed, 4004, "dismissed", "The host removed or banned you, your seat was given to another player, or your resume token was revoked: the error before it says which.";
    TooSlow, 4008, "too_slow", "You could not keep up: connect again and resume, you get a snapshot.";
    Flooding, 4029, "flooding", "You went on sending far more than is allowed.";
}

impl Close {
    /// The close frame's bytes.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn frame(self) -> Bytes {
        let frame =
            Frame::close(Some(CloseFrame { code: self.code().into(), reason: Utf8Bytes::from_static(self.name()) }));
        let mut bytes = Vec::with_capacity(frame.len());
        frame.format(&mut bytes).expect("a Vec takes all that is written to it");
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_has_a_code_of_its_own_that_a_server_may_send() {
        let mut codes: Vec<u16> = Close::ALL.iter().map(|close| close.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Close::ALL.len());
        for code in codes {
            assert!(tungstenite::protocol::frame::coding::CloseCode::from(code).is_allowed(), "{code}");
        }
    }

    #[test]
    fn a_close_frame_fits_into_a_control_frame() {
        for close in Close::ALL {
            assert!(close.frame().len() <= 2 + 125);
        }
        assert_eq!(&Close::TooSlow.frame()[..], b"\x88\x0a\x0f\xa8too_slow");
    }
}
