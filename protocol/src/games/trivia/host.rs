//! What hosts of trivia say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pack::Pack;
use super::settings::Settings;
use crate::binary::{Decode, Encode};
use crate::ids::{CommandId, ShowCode};

/// A new show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Create {
    /// The host's id for this command: sent again, it makes no second show.
    pub id: CommandId,
    /// What players type to join; the server finds one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ShowCode>,
    /// The questions.
    pub pack: Pack,
    /// How it is played.
    #[serde(default)]
    pub settings: Settings,
}
