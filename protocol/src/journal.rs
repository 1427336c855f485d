//! The records of the journal: every command and event of a show, in order, and the framing of a record in bytes.

use std::marker::PhantomData;

use crate::apart::{Apart, Person, PersonOrigin};
use crate::binary::{self, Decode, Encode};
use crate::claim::ClaimValue;
use crate::error::Refusal;
use crate::games::trivia::{Choice, FirstSettings, Pack, QuestionId, TriviaShow, is_trivia};
use crate::host::Action;
use crate::ids::{ClaimKey, CommandId, Fence, GameName, GatewayId, Name, PlayerId, RoundId, Seat, ShowCode, ShowId};
use crate::origin::Origin;
use crate::player::{Body, Role, ToPlayer};
use crate::time::{Millis, Span};

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

/// The first bytes of a journal: `KLXJ` and the format's version.
pub const MAGIC: [u8; 6] = *b"KLXJ\x01\x00";
/// The largest record, in bytes.
pub const LARGEST_RECORD: u32 = 64 << 20;
/// Limit of the memory, in bytes, that a record may declare for its vectors before the elements are read. No valid
/// record comes near it.
pub const CLAIM_LIMIT: usize = 8 * LARGEST_RECORD as usize;
/// The length of a record's head, in bytes: its length, the length's checksum, the record's checksum; 32 bits each,
/// little-endian.
const HEAD: usize = 12;

/// A record is larger than [`LARGEST_RECORD`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a journal record is larger than 64 MiB")]
pub struct RecordTooLarge;

/// What stands in frames, one behind another, in a file of its own kind.
pub trait InFrames: Encode + Decode<()> {
    /// The first bytes of such a file.
    const MAGIC: [u8; 6];
}

impl InFrames for Record {
    const MAGIC: [u8; 6] = MAGIC;
}

/// Appends a record to `out` in the journal's framing.
///
/// # Errors
/// If the record is larger than [`LARGEST_RECORD`].
pub fn frame_record<T: InFrames>(record: &T, out: &mut Vec<u8>) -> Result<(), RecordTooLarge> {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    binary::encode_into(record, out);
    let body = &out[start + HEAD..];
    let Some(length) = u32::try_from(body.len()).ok().filter(|&length| length <= LARGEST_RECORD) else {
        out.truncate(start);
        return Err(RecordTooLarge);
    };
    let checksum = crc32fast::hash(body);
    let length = length.to_le_bytes();
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..start + 8].copy_from_slice(&crc32fast::hash(&length).to_le_bytes());
    out[start + 8..start + 12].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// The length of the framed record at the front of these bytes; none if its head is incomplete or invalid.
#[must_use]
pub fn framed_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(..4)?;
    let sum = bytes.get(4..8)?;
    let right = crc32fast::hash(length).to_le_bytes() == sum;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    right.then_some(HEAD + length as usize)
}

/// Why a journal's bytes can't be read to their end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// These are not a journal's bytes, or those of another version.
    #[error("this is not a journal of version 1: it does not begin with KLXJ")]
    NotAJournal,
    /// The last record is incomplete, because of a crash: all records before `offset` are valid.
    #[error("the last record, at byte {offset}, was cut short")]
    Torn {
        /// The end of the valid records.
        offset: usize,
    },
    /// A record is damaged and valid ones follow it, or it is intact and can't be decoded: nothing may be cut off here.
    #[error("the record at byte {offset} is damaged: {problem}")]
    Damaged {
        /// Where the damaged record begins.
        offset: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads a journal's bytes, record by record, each with the offset at which it begins.
pub type Records<'a> = Frames<'a, Record>;

/// Reads the bytes of a file of frames, one record after another, each with the offset at which it begins.
pub struct Frames<'a, T> {
    bytes: &'a [u8],
    offset: usize,
    failed: bool,
    records: PhantomData<T>,
}

impl<'a, T: InFrames> Frames<'a, T> {
    /// A reader of a whole file, its first bytes ([`InFrames::MAGIC`]) included. No bytes at all are an empty one.
    ///
    /// # Errors
    /// [`FrameError::NotAJournal`], or [`FrameError::Torn`] at 0 if not even the first bytes were written.
    pub fn new(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let begin = |offset| Self { bytes, offset, failed: false, records: PhantomData };
        if bytes.starts_with(&T::MAGIC) {
            Ok(begin(T::MAGIC.len()))
        } else if bytes.is_empty() {
            Ok(begin(0))
        } else if T::MAGIC.starts_with(bytes) {
            Err(FrameError::Torn { offset: 0 })
        } else {
            Err(FrameError::NotAJournal)
        }
    }

    /// Where the next record begins.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// An invalid tail is torn, unless a valid record follows somewhere in it: then it is damage.
    fn verdict(&self, problem: &'static str) -> FrameError {
        let offset = self.offset;
        let followed = (offset + 1..self.bytes.len()).any(|start| check_frame(&self.bytes[start..]).is_ok());
        if followed { FrameError::Damaged { offset, problem } } else { FrameError::Torn { offset } }
    }
}

/// The encoded record at the front of `bytes`, if it is complete and its checksums match.
fn check_frame(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let (Some(length), Some(length_sum), Some(sum)) = (word(0), word(4), word(8)) else {
        return Err("its head is not whole");
    };
    if crc32fast::hash(&length.to_le_bytes()) != length_sum || length == 0 || length > LARGEST_RECORD {
        return Err("its length does not match its checksum");
    }
    let Some(body) = bytes.get(HEAD..HEAD + length as usize) else {
        return Err("it is longer than what follows");
    };
    if crc32fast::hash(body) != sum {
        return Err("it does not match its checksum");
    }
    Ok(body)
}

impl<T: InFrames> Iterator for Frames<'_, T> {
    type Item = Result<(usize, T), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.offset >= self.bytes.len() {
            return None;
        }
        let start = self.offset;
        let read = check_frame(&self.bytes[start..]).map_err(|problem| self.verdict(problem)).and_then(|body| {
            let record = binary::decode::<T, CLAIM_LIMIT>(body);
            // No crash makes a matching checksum: somebody meant this, and it may not be cut off.
            let damaged = FrameError::Damaged { offset: start, problem: "it is not a record of this version" };
            record.map(|record| (record, body.len())).map_err(|_| damaged)
        });
        match read {
            Ok((record, length)) => {
                self.offset += HEAD + length;
                Some(Ok((start, record)))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(records: u64) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = MAGIC.to_vec();
        let mut starts = Vec::new();
        for number in 0..records {
            starts.push(bytes.len());
            let record = Record {
                show: ShowId(7),
                number,
                fence: Fence(1),
                at: Millis(number),
                command: Command::Tick,
                events: vec![],
                state: number * 31,
            };
            frame_record(&record, &mut bytes).unwrap();
        }
        (bytes, starts)
    }

    fn read(bytes: &[u8]) -> (usize, Option<FrameError>) {
        let mut whole = 0;
        for item in Records::new(bytes).unwrap() {
            match item {
                Ok(_) => whole += 1,
                Err(error) => return (whole, Some(error)),
            }
        }
        (whole, None)
    }

    #[test]
    fn a_tail_cut_anywhere_loses_only_the_cut_record() {
        let (bytes, starts) = journal(3);
        assert_eq!(read(&bytes), (3, None));
        for end in starts[2] + 1..bytes.len() {
            assert_eq!(read(&bytes[..end]), (2, Some(FrameError::Torn { offset: starts[2] })));
        }
    }

    #[test]
    fn any_flipped_bit_in_the_middle_is_refused_with_its_offset() {
        let (bytes, starts) = journal(3);
        for at in starts[1]..starts[2] {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let (whole, error) = read(&damaged);
                assert_eq!(whole, 1);
                assert!(
                    matches!(error, Some(FrameError::Damaged { offset, .. }) if offset == starts[1]),
                    "{at} {error:?}"
                );
            }
        }
    }

    #[test]
    fn a_whole_record_that_nobody_here_understands_is_never_taken_for_a_torn_one() {
        let (mut bytes, _) = journal(2);
        let offset = bytes.len();
        let body = [0xff; 20];
        let length = 20_u32.to_le_bytes();
        bytes.extend(length);
        bytes.extend(crc32fast::hash(&length).to_le_bytes());
        bytes.extend(crc32fast::hash(&body).to_le_bytes());
        bytes.extend(body);
        let (whole, error) = read(&bytes);
        assert_eq!(whole, 2);
        assert!(matches!(error, Some(FrameError::Damaged { offset: at, .. }) if at == offset), "{error:?}");
    }

    #[test]
    fn other_files_are_not_taken_for_journals() {
        assert_eq!(Records::new(b"PK\x03\x04....").err(), Some(FrameError::NotAJournal));
        assert_eq!(Records::new(b"KL").err(), Some(FrameError::Torn { offset: 0 }));
        assert_eq!(read(b""), (0, None));
    }
}
