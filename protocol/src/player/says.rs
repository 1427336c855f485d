//! What a player says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};
use crate::claim::Claim;
use crate::games::trivia::Answer;
use crate::ids::ShowCode;
use crate::time::Millis;

/// The largest message a player may send, in bytes.
pub const LARGEST_MESSAGE: usize = 4096;

/// What a player says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum FromPlayer {
    /// The first message: into a show.
    Join(Join),
    /// A choice for the running question.
    Answer(Answer),
    /// Asks for the server's time.
    Ping(Ping),
    /// An emoji; summed with everybody's and shown as counts.
    React(React),
    /// Goodbye; the seat stays and can be resumed.
    Leave,
    /// Instead of `join`: back to one's own seat, and every earlier resume token of it is refused from now on.
    Reclaim(Reclaim),
    /// A claim in the running round, in any game.
    Claim(Claim),
}

/// The `type`s of [`FromPlayer`], to tell an unknown type from a malformed message.
pub const FROM_PLAYER_TYPES: &[&str] = &["join", "answer", "ping", "react", "leave", "reclaim", "claim"];

/// Into a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Join {
    /// Which show.
    pub show: ShowCode,
    /// What to be called; another player's name gets a number behind it. The server finds one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// To play or to watch.
    #[serde(default)]
    pub role: Role,
    /// Who this is: a JWT, where the server wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The `resume` of an earlier welcome: back to that seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

/// Back to one's own seat, and nobody else comes there with a resume token that was made before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Reclaim {
    /// Which show.
    pub show: ShowCode,
    /// Who this is: a JWT. A resume token alone does not do.
    pub token: String,
}

/// To play or to watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Role {
    /// Has a seat and answers.
    #[default]
    Player,
    /// Watches only.
    Spectator,
}

/// Asks for the server's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Ping {
    /// The player's own clock in milliseconds; comes back in the pong as it was.
    pub sent: Millis,
}

/// An emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct React {
    /// Which one.
    pub emoji: Emoji,
}

/// The emojis there are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode, JsonSchema,
)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Emoji {
    /// Applause.
    #[serde(rename = "👏")]
    Clap,
    /// Love. Also understood without the variation selector that asks for the coloured picture.
    #[serde(rename = "❤️", alias = "❤")]
    Heart,
    /// Laughter.
    #[serde(rename = "😂")]
    Laugh,
    /// Surprise.
    #[serde(rename = "😮")]
    Wow,
    /// Sorrow.
    #[serde(rename = "😢")]
    Sad,
    /// Excitement.
    #[serde(rename = "🔥")]
    Fire,
}

impl Emoji {
    /// Every emoji, in the order in which counts are kept.
    pub const ALL: [Self; 6] = [Self::Clap, Self::Heart, Self::Laugh, Self::Wow, Self::Sad, Self::Fire];
}
