//! The records of the journal: every command and event of a show, in order.

mod framing;

use crate::apart::{Apart, Person, PersonOrigin};
use crate::binary::{Decode, Encode};
use crate::claim::ClaimValue;
use crate::error::Refusal;
use crate::games::trivia::{Choice, FirstSettings, Pack, QuestionId, TriviaShow, is_trivia};
use crate::host::Action;
use crate::ids::{ClaimKey, CommandId, Fence, GameName, GatewayId, Name, PlayerId, RoundId, Seat, ShowCode, ShowId};
use crate::origin::Origin;
use crate::player::{Body, Role, ToPlayer};
use crate::time::{Millis, Span};

pub use self::framing::*;

/// One step of a show: what was done, when, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Record {
    /// Which show.
    pub show: ShowId,
    /// The record's place in the show's journal, from 0, without holes.
    pub number: u64,
    /// The lease under which it was written.
    pub fence: Fence,
    /// The time that the rules were given.
    pub at: Millis,
    /// What was done.
    pub command: Command,
    /// The events that came of it, as everybody hears them.
    pub events: Vec<ToPlayer>,
    /// The hash of the show's state after it.
    pub state: u64,
}

/// Which edition of the rules a show is played by. It is named in the show's first record, so that a journal replays by the rules that
/// wrote it, however they were mended since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct RulesVersion(pub u16);

impl RulesVersion {
    /// The first edition, whose journals begin with [`Command::Create`] and name no edition.
    pub const FIRST: Self = Self(1);
    /// The newest edition whose journals name players. New shows are played by it where the journal can't keep names apart.
    pub const WITH_NAMES: Self = Self(2);
    /// The edition of new shows.
    pub const NEWEST: Self = Self(3);
}

/// What can be done to a show. The rules accept nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Command {
    /// The show begins to exist under [`RulesVersion::FIRST`]; read from old journals only. New ones begin with [`Command::Begin`].
    Create(Box<CreateShow>),
    /// A player takes a seat.
    Join {
        /// Who.
        player: PlayerId,
        /// What they are called, already unlike all others.
        name: Name,
        /// To play or to watch; watchers are not recorded.
        role: Role,
    },
    /// Answers to a question of trivia that the arbiter accepted.
    Answers {
        /// To which question.
        question: QuestionId,
        /// In the order in which they were accepted.
        answers: Vec<CountedAnswer>,
    },
    /// A host's action.
    Host {
        /// The host's id for it.
        id: CommandId,
        /// What to do.
        action: Action,
    },
    /// Time passed: whatever was due is done.
    Tick,
    /// Every gateway handed in its answers, or the barrier's limit passed.
    Tally {
        /// At the close of which round.
        round: RoundId,
        /// Gateways that did not hand in theirs.
        silent: Vec<GatewayId>,
    },
    /// The engine was away.
    Recovered {
        /// Since the last record.
        away: Span,
    },
    /// Answers in the closing round may be missing, because what carries or counts them was away: it is void.
    Outage {
        /// Which round.
        round: RoundId,
        /// How long after its close the answers could be counted again.
        late: Span,
    },
    /// The show begins to exist; the first record of its journal.
    Begin {
        /// By which rules it is played.
        rules: RulesVersion,
        /// How it begins.
        show: Box<CreateShow>,
    },
    /// The player of this seat asked that earlier resume tokens be refused.
    Reissue {
        /// Whose.
        seat: Seat,
    },
    /// A new player takes the seat of a guest who is gone or was removed: the show is full, and its first question is still to come.
    Reseat {
        /// Which seat.
        seat: Seat,
        /// Who takes it.
        player: PlayerId,
        /// What they are called, already unlike all others.
        name: Name,
    },
    /// From where the player of this seat comes. It stands before a host's `ban_address`, whose journal could not be played again without.
    SeatOrigin {
        /// Which seat.
        seat: Seat,
        /// From where.
        origin: Origin,
    },
    /// Claims that the arbiter accepted, in a game other than trivia.
    Claims {
        /// In which round.
        round: RoundId,
        /// In the order in which they were accepted.
        claims: Vec<CountedClaim>,
    },
    /// A show of any game begins to exist; the first record of its journal. Of trivia only those that [`Command::Begin`] has not all of.
    BeginGame {
        /// By which edition of the game's rules it is played.
        rules: RulesVersion,
        /// How it begins.
        show: Box<BegunGame>,
    },
    /// Another command, and the record's state: both can be read with the service's key only.
    Sealed {
        /// Both.
        sealed: Sealed,
        /// What stands apart from that command, sealed by itself: it can be taken away and the rest still be opened.
        person: Apart<Sealed>,
    },
    /// Somebody takes a seat: the next one, or in a full show before its first question that of a guest who is gone or was removed. Who
    /// it is stands apart from the journal.
    Sit {
        /// Which seat.
        seat: Seat,
        /// Whether they are a guest: before the first question a guest's seat can be given to others.
        guest: bool,
        /// Who; none if that is forgotten.
        who: Apart<Person>,
    },
    /// It is known from where the player of this seat comes. It stands before a host's `ban_address`, as [`Self::SeatOrigin`] does, and
    /// the origin apart from the journal.
    SeatHasOrigin {
        /// Which seat.
        seat: Seat,
        /// From where; none if that is forgotten.
        from: Apart<PersonOrigin>,
    },
}

impl Command {
    /// The first command of a new show of trivia: of the two that there are the first that has all of it, so that a program that knows no
    /// other can play the show as well.
    #[must_use]
    pub fn begin(show: TriviaShow) -> Self {
        Self::begin_by(RulesVersion::NEWEST, show)
    }

    /// The same of a show that is played by this edition of the rules.
    #[must_use]
    pub fn begin_by(rules: RulesVersion, show: TriviaShow) -> Self {
        let Some(settings) = show.settings.first() else {
            return Self::BeginGame { rules, show: Box::new(show.into()) };
        };
        let TriviaShow { id, code, seed, pack, .. } = show;
        Self::Begin { rules, show: Box::new(CreateShow { id, code, seed, pack, settings }) }
    }

    /// The show that begins with this command, if one does.
    #[must_use]
    pub fn begun(&self) -> Option<Begun<'_>> {
        let trivia = |rules, show| Begun { rules, show: BegunShow::Trivia(show) };
        match self {
            Self::Create(show) => Some(trivia(RulesVersion::FIRST, &**show)),
            Self::Begin { rules, show } => Some(trivia(*rules, &**show)),
            Self::BeginGame { rules, show } => Some(Begun { rules: *rules, show: BegunShow::Game(show) }),
            _ => None,
        }
    }
}

/// A show as its first record has it.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'c> {
    /// By which edition of its rules it is played.
    pub rules: RulesVersion,
    /// How it begins.
    pub show: BegunShow<'c>,
}

/// Which game begins, and how.
#[derive(Debug, Clone, Copy)]
pub enum BegunShow<'c> {
    /// Trivia, with its first settings only.
    Trivia(&'c CreateShow),
    /// Any game.
    Game(&'c BegunGame),
}

impl<'c> Begun<'c> {
    /// The host's id for the command.
    #[must_use]
    pub const fn id(&self) -> &'c CommandId {
        match self.show {
            BegunShow::Trivia(show) => &show.id,
            BegunShow::Game(show) => &show.id,
        }
    }

    /// What players type to join.
    #[must_use]
    pub const fn code(&self) -> &'c ShowCode {
        match self.show {
            BegunShow::Trivia(show) => &show.code,
            BegunShow::Game(show) => &show.code,
        }
    }

    /// The show, if it is one of trivia.
    ///
    /// # Errors
    /// `bad_settings`, by name, for what this program does not know of it.
    #[must_use]
    pub fn trivia(&self) -> Option<Result<TriviaShow, Refusal>> {
        match self.show {
            BegunShow::Trivia(show) => Some(Ok(show.clone().into())),
            BegunShow::Game(show) => is_trivia(&show.game).then(|| show.try_into()),
        }
    }

    /// What the show is called.
    #[must_use]
    pub fn title(&self) -> &'c str {
        match self.show {
            BegunShow::Trivia(show) => &show.pack.title,
            BegunShow::Game(show) => &show.title,
        }
    }
}

/// A show of trivia, as it begins with its first settings only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct CreateShow {
    /// The host's id for the command.
    pub id: CommandId,
    /// What players type to join.
    pub code: ShowCode,
    /// All that is random in the show comes from here.
    pub seed: u64,
    /// The questions.
    pub pack: Pack,
    /// How it is played.
    pub settings: FirstSettings,
}

/// A show of any game, as it begins.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct BegunGame {
    /// The host's id for the command.
    pub id: CommandId,
    /// What players type to join.
    pub code: ShowCode,
    /// All that is random in the show comes from here.
    pub seed: u64,
    /// Which game.
    pub game: GameName,
    /// What the show is called.
    pub title: String,
    /// How many can play.
    pub seats: u32,
    /// The longest wait for gateways at a close.
    pub barrier: Span,
    /// The game's own part.
    pub setup: Body,
}

/// Bytes that can be read with one of the service's keys only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Sealed {
    /// Which key. It tells nothing of the key itself.
    pub key: u64,
    /// The nonce (24 bytes), what is encrypted, and the tag (16 bytes).
    pub bytes: Vec<u8>,
}

/// A claim that counts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct CountedClaim {
    /// Whose.
    pub seat: Seat,
    /// Which of the seat's claims.
    pub key: ClaimKey,
    /// What it says.
    pub value: ClaimValue,
    /// When it was read.
    pub at: Millis,
}

/// An answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct CountedAnswer {
    /// Whose.
    pub seat: Seat,
    /// Which choice.
    pub choice: Choice,
    /// When it was read.
    pub at: Millis,
}
