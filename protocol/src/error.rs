//! The one table of refusals: each has a code for programs, a sentence for people, and what to do about it.
//!
//! docs/protocol.md prints this table; a test there fails when the two differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};

macro_rules! error_table {
    ($($variant:ident, $code:literal, $sentence:literal, $advice:literal;)*) => {
        /// Why something was refused. On the wire it is its snake_case code.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode, JsonSchema,
        )]
        #[cfg_attr(test, derive(proptest_derive::Arbitrary))]
        pub enum ErrorCode {
            $(#[doc = $sentence] #[serde(rename = $code)] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as programs see it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What happened, for people.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// What to do about it, for people and client writers.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

error_table! {
    // Messages
    BadMessage, "bad_message", "The message could not be read.", "Send one message of docs/protocol.md per WebSocket frame, in the codec you chose.";
    UnknownType, "unknown_type", "There is no message of this type.", "Check `type` against docs/protocol.md and your protocol version.";
    TooLarge, "too_large", "The message is larger than a player's message may be.", "Send at most 4096 bytes in a message; the connection is closed.";
    RateLimited, "rate_limited", "Too many messages in a short time.", "Send at most 10 messages a second on average; the message was not acted on.";
    TooSlow, "too_slow", "This connection could not keep up with the show.", "Connect again and resume; you get a snapshot.";
    // Joining
    NotJoined, "not_joined", "Join a show first.", "Send `join` as the first message.";
    AlreadyJoined, "already_joined", "This connection has joined already.", "Open another connection to join another show.";
    UnknownShow, "unknown_show", "There is no show with this code.", "Check the code; the lobby may not be open yet.";
    ShowEnded, "show_ended", "This show is over.", "Join another show.";
    ShowFull, "show_full", "This show has no seat left.", "Join as a spectator.";
    BadName, "bad_name", "This name can't be used.", "Choose 1 to 24 characters without control characters.";
    BadToken, "bad_token", "The token is not valid here.", "Get a new token, or join without one if guests are allowed.";
    TokenRequired, "token_required", "This server takes no guests.", "Join with a `token` from the service that runs the show.";
    Removed, "removed", "The host removed you from this show.", "You can't answer any more in this show.";
    Banned, "banned", "The host banned you from this show.", "You can't join this show again.";
    Displaced, "displaced", "The show goes on at your newer connection.", "Answers from here still count as yours; connect again to see the show here.";
    NoCapacity, "no_capacity", "The server is full.", "Try again in a few seconds.";
    Unavailable, "unavailable", "The server can't do this right now.", "Try again in a few seconds.";
    ShuttingDown, "shutting_down", "The server is going down.", "Connect again after the goodbye's `retry` and resume.";
    // Answers
    AlreadyAnswered, "already_answered", "Another choice of yours counted for this question.", "The reply's `choice` is the one that counted.";
    TooLate, "too_late", "Time was up for this question.", "Wait for the next question.";
    TooEarly, "too_early", "This question is not open yet.", "Answer from `opens_at` on.";
    NotInPlay, "not_in_play", "You are not in play.", "Spectators and eliminated players can't answer.";
    UnknownQuestion, "unknown_question", "This question was never asked here.", "Answer the `question` that was sent last.";
    BadChoice, "bad_choice", "The question has no such choice.", "Choose from 0 to the number of choices less 1.";
    Paused, "paused", "The show is paused.", "Answer again after `resume`.";
    Voided, "voided", "The question was voided.", "Wait for the next question.";
    // Hosts
    Unauthorized, "unauthorized", "The admin token is missing or wrong.", "Send `Authorization: Bearer TOKEN` with the token from the server's token file.";
    WrongPhase, "wrong_phase", "The show is not at a point where this can be done.", "Look at the show's phase and do the steps in order.";
    NoMoreQuestions, "no_more_questions", "All questions of the pack have been asked.", "End the show.";
    UnknownSeat, "unknown_seat", "There is no such seat in this show.", "Find the player by name first.";
    BadSettings, "bad_settings", "These settings can't make a show.", "The detail names the setting and what is allowed.";
    BadPack, "bad_pack", "This pack can't be played.", "The detail names the question and what is wrong with it.";
    CodeTaken, "code_taken", "Another show uses this code.", "Choose another code or leave it out.";
    BadArgument, "bad_argument", "A value of this command is out of its range.", "The detail says what is allowed.";
    UnsupportedProtocol, "unsupported_protocol", "None of the offered subprotocols is spoken here.", "Offer `klaxon.v1.json` or `klaxon.v1.bincode`.";
    IdTaken, "id_taken", "Another command has this id.", "Give each new command an id of its own; what is sent again under the same id must be the same command.";
    // Joining, added later
    TokenRevoked, "token_revoked", "This resume token was replaced by a newer one.", "Use the newest `resume`; if somebody took it, `reclaim` the seat with your `token`, or ask the host for a new one.";
    LobbyLocked, "lobby_locked", "The host lets no more players in.", "Join as a spectator, or ask the host.";
    SeatGivenAway, "seat_given_away", "Your seat has another player now: you were gone, or removed, and the show was full.", "Join again, as a new player if there is a seat, or as a spectator.";
    // Hosts, added later
    SharedAddress, "shared_address", "Other players may come from the same address.", "Say `shared: true` to ban it all the same, or only `remove` the player.";
    UnknownAddress, "unknown_address", "It is not known from which address this player comes.", "`remove` them: if they come back as another player, that one's address is known.";
    // Games
    UnknownGame, "unknown_game", "This server does not play this game.", "Name one of the games in the refusal's detail, or send `create` for trivia.";
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A refusal: the code, and what only this case can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {sentence}{separator}{detail}", sentence = code.sentence(), separator = if detail.is_empty() { "" } else { " " })]
pub struct Refusal {
    /// Which row of the table.
    pub code: ErrorCode,
    /// More about this case, for people; may be empty.
    pub detail: String,
}

impl Refusal {
    /// A refusal that needs no more words than the table's.
    #[must_use]
    pub const fn plain(code: ErrorCode) -> Self {
        Self { code, detail: String::new() }
    }

    /// A refusal that says more about this case.
    pub fn because(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::plain(code)
    }
}

/// A refusal on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ErrorMessage {
    /// Which row of the table in docs/protocol.md.
    pub code: ErrorCode,
    /// What happened, for people.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

impl From<&Refusal> for ErrorMessage {
    fn from(refusal: &Refusal) -> Self {
        let mut message = refusal.code.sentence().to_owned();
        if !refusal.detail.is_empty() {
            message.push(' ');
            message.push_str(&refusal.detail);
        }
        Self { code: refusal.code, message, advice: refusal.code.advice().to_owned() }
    }
}

impl From<ErrorCode> for ErrorMessage {
    fn from(code: ErrorCode) -> Self {
        (&Refusal::plain(code)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_for_programs_and_in_json() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        }
    }

    #[test]
    fn every_refusal_says_what_happened_and_what_to_do() {
        for code in ErrorCode::ALL {
            assert!(code.sentence().ends_with('.'), "{code}");
            assert!(code.advice().ends_with('.'), "{code}");
        }
    }
}
