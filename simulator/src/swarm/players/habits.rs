//! The habits of a player.

use klaxon_protocol::ids::Seat;

use crate::evidence::PlayerNumber;

/// How a player behaves in every question.
#[derive(Debug, Clone, PartialEq)]
pub struct Habits {
    /// The probability that the player knows the right choice, 0 to 1; otherwise the player guesses.
    pub skill: f64,
    /// The quality of the network.
    pub network: Network,
    /// How the player taps on choices.
    pub tapping: Tapping,
    /// Whether the player has a second device in the same show, and answers on both.
    pub two_devices: bool,
    /// Whether the player sometimes answers after the close.
    pub dawdles: bool,
    /// Whether the player's page is in a hidden tab: it sends no heartbeats, and only the browser's pongs show that it
    /// is connected.
    pub hidden_tab: bool,
    /// Whether the player violates the protocol.
    pub cheats: bool,
}

impl Habits {
    /// Whether all own connections of the player follow the protocol and have a working network.
    #[must_use]
    pub const fn honest(&self) -> bool {
        !self.cheats && matches!(self.network, Network::Good)
    }
}

/// The quality of a player's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It works.
    Good,
    /// It delays sent messages, and loses the connection in the middle of questions.
    Bad,
}

/// How a player taps on a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tapping {
    /// Once.
    Once,
    /// Twice on the same choice.
    Twice,
    /// On one choice, then on another.
    Wavers,
}

/// A violation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Answers the previous question, which is closed.
    AnswersClosed,
    /// Answers before the question opens.
    AnswersEarly,
    /// Answers with a choice that the question does not have.
    ChoosesNothing,
    /// Answers a question that was never asked.
    AnswersUnasked,
    /// Answers although the seat is out of play.
    AnswersWhenOut,
    /// Adds another seat's number to the answer.
    ClaimsSeat(Seat),
    /// Joins on another connection with the player's own resume token, of which one character is changed.
    ForgesToken,
    /// Joins with another player's resume token and answers as that player.
    Steals(PlayerNumber),
    /// Answers on a connection that never joined.
    AnswersUnjoined,
    /// Sends 100 messages at once.
    Floods,
    /// Sends a message of 8 KiB.
    SendsTooMuch,
    /// Sends bytes that can't be decoded.
    SendsNonsense,
    /// Sends a message of an unknown type.
    SendsUnknownType,
}
