//! The enums that stand inside of messages.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Difficulty, Mode, NobodyLeft, Outcome, PrizeRule};
use klaxon_protocol::player::{Emoji, Phase, Role};

use super::{Variants, variants};

variants!(Role { Player = "player", Spectator = "spectator", });
variants!(Emoji { Clap = "👏", Heart = "❤️", Laugh = "😂", Wow = "😮", Sad = "😢", Fire = "🔥", });
variants!(Phase {
    Created = "created",
    Lobby = "lobby",
    Question = "question",
    Closing = "closing",
    Closed = "closed",
    Revealed = "revealed",
    Ended = "ended",
});
variants!(Outcome { Right = "right", Wrong = "wrong", Silent = "silent", Watched = "watched", });
variants!(Difficulty { Easy = "easy", Medium = "medium", Hard = "hard", });
variants!(Mode { Elimination = "elimination", Points = "points", Both = "both", });
variants!(NobodyLeft { Rollover = "rollover", LastStanding = "last_standing", });
variants!(PrizeRule { Split = "split", Podium { .. } = "podium", });

/// A word of the wire in both codecs.
pub struct Word {
    /// The enum that it is of.
    pub of: &'static str,
    /// Its name.
    pub name: &'static str,
    pub json: String,
    pub bincode: Vec<u8>,
}

fn spell<T>(words: &mut Vec<Word>, of: &'static str, values: &[T], name: impl Fn(&T) -> &'static str)
where
    T: serde::Serialize + klaxon_protocol::binary::Encode,
{
    words.extend(values.iter().map(|value| Word {
        of,
        name: name(value),
        json: String::from_utf8(Codec::Json.encode(value)).unwrap(),
        bincode: Codec::Bincode.encode(value),
    }));
}

/// Values in their enum's order, none left out.
fn spell_all<T>(words: &mut Vec<Word>, of: &'static str, values: &[T])
where
    T: serde::Serialize + klaxon_protocol::binary::Encode + Variants,
{
    let names: Vec<_> = values.iter().map(Variants::variant).collect();
    assert_eq!(names, T::NAMES, "examples of {of}");
    spell(words, of, values, Variants::variant);
}

/// Every word of every enum that stands inside of messages.
pub fn words() -> Vec<Word> {
    let mut words = Vec::new();
    let all = &mut words;
    spell_all(all, "Role", &[Role::Player, Role::Spectator]);
    spell_all(all, "Emoji", &Emoji::ALL);
    spell_all(
        all,
        "Phase",
        &[Phase::Created, Phase::Lobby, Phase::Question, Phase::Closing, Phase::Closed, Phase::Revealed, Phase::Ended],
    );
    spell_all(all, "Outcome", &[Outcome::Right, Outcome::Wrong, Outcome::Silent, Outcome::Watched]);
    spell_all(all, "Difficulty", &[Difficulty::Easy, Difficulty::Medium, Difficulty::Hard]);
    spell_all(all, "Mode", &[Mode::Elimination, Mode::Points, Mode::Both]);
    spell_all(all, "NobodyLeft", &[NobodyLeft::Rollover, NobodyLeft::LastStanding]);
    spell_all(all, "PrizeRule", &[PrizeRule::Split, PrizeRule::Podium { weights: vec![50, 30, 20] }]);
    spell(all, "ErrorCode", ErrorCode::ALL, |code| code.code());
    words
}
