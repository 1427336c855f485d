//! What kind of person a player is.

use klaxon_protocol::ids::Seat;

use crate::evidence::PlayerNumber;

/// How a player behaves in every question.
#[derive(Debug, Clone, PartialEq)]
pub struct Habits {
    /// How likely they know the right choice, 0 to 1; otherwise they guess.
    pub skill: f64,
    /// What their network does.
    pub network: Network,
    /// How they tap.
    pub tapping: Tapping,
    /// Whether they have a second device in the same show, and answer on both.
    pub two_devices: bool,
    /// Whether they sometimes answer after the close.
    pub dawdles: bool,
    /// Whether their page is in a hidden tab: it sends no heartbeats, and all that shows that it is there is their browser's
    /// answers to pings.
    pub hidden_tab: bool,
    /// Whether they do what no client should.
    pub cheats: bool,
}

impl Habits {
    /// Whether all of this player's own connections keep the rules and work.
    #[must_use]
    pub const fn honest(&self) -> bool {
        !self.cheats && matches!(self.network, Network::Good)
    }
}

/// What a player's network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It works.
    Good,
    /// It delays what is sent, and loses the connection in the middle of questions.
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

/// Something no client should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Answers the question before, which is closed.
    AnswersClosed,
    /// Answers before the question opens.
    AnswersEarly,
    /// Chooses what is not there.
    ChoosesNothing,
    /// Answers a question that was never asked.
    AnswersUnasked,
    /// Answers although out of play.
    AnswersWhenOut,
    /// Says in the answer that it is another seat's.
    ClaimsSeat(Seat),
    /// Comes with their own resume token with a changed character, on another connection.
    ForgesToken,
    /// Comes with another player's resume token and answers for them.
    Steals(PlayerNumber),
    /// Answers on a connection that never joined.
    AnswersUnjoined,
    /// Sends 100 messages at once.
    Floods,
    /// Sends 8 KiB in a message.
    SendsTooMuch,
    /// Sends what can't be read.
    SendsNonsense,
    /// Sends a type of message that there is not.
    SendsUnknownType,
}
