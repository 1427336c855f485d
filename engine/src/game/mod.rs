//! The games: pure state machines. No async, no clock, no I/O, no randomness but a recorded seed.
//!
//! What a game is told, it is told as a [`Command`] with the time; what comes of it, it returns as [`Effect`]s. The same commands
//! at the same times give the same effects and the same [`Game::state_hash`], today and in a replay.

pub mod results;
pub mod trivia;

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::{Action, AlertKind, PlayerLine};
use klaxon_protocol::ids::{Choice, CommandId, Name, PlayerId, QuestionId, Seat, SeatRef, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, CreateShow, RulesVersion};
use klaxon_protocol::link::Personal;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Phase, Role, Snapshot, ToPlayer, Verdict, You};
use klaxon_protocol::time::{Millis, Span};

use self::results::ShowResults;

/// What comes of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Everybody hears this; some hear something of their own right after it.
    Tell(ToPlayer, Option<Arc<Personal>>),
    /// Some hear something of their own, and nobody else hears anything.
    TellSome(Arc<Personal>),
    /// All connections of a player are closed.
    Dismiss(SeatRef, ErrorCode),
    /// The hosts must know.
    Alert(AlertKind),
}

/// What a player who wants in gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A new seat, by [`Command::Join`].
    New,
    /// The seat they have.
    Back(Seat),
    /// No seat any more: they watch.
    Watch,
}

/// What the rules know of an answer before the arbiter is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreCheck {
    /// It counts if the arbiter accepts its claim; this much of the players' time had passed when it was read.
    MayCount {
        /// From the opening, without pauses.
        elapsed: Span,
    },
    /// It needs no claim.
    Decided(Verdict),
}

/// The numbers about a game that its host sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameFigures {
    /// The last question that was asked.
    pub question: Option<QuestionId>,
    /// How many there are.
    pub total: u16,
    /// Players with a seat.
    pub joined: u32,
    /// Players in play.
    pub alive: u32,
    /// Counted answers by choice.
    pub answers: Vec<u32>,
    /// Until the question closes.
    pub time_left: Option<Span>,
    /// Whether the clock stands still.
    pub paused: bool,
    /// Whether the script runs the show.
    pub autopilot: bool,
    /// When the script's next step comes.
    pub next_step: Option<Millis>,
}

/// A game that shows are played by. Trivia is one; another is a folder beside it and a line in [`create`].
pub trait Game: Send + 'static {
    /// Does what the command says, at this time.
    ///
    /// # Errors
    /// Why it can't be done now; then nothing has changed.
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal>;

    /// When [`Command::Tick`] must be applied next.
    fn deadline(&self) -> Option<Millis>;

    /// The question that was asked last, and the choices that count for it so far.
    fn counted(&self) -> Option<(QuestionId, Vec<(Seat, Choice)>)>;

    /// The question whose answers in flight are waited for: [`Command::Tally`] ends it.
    fn closing(&self) -> Option<QuestionId>;

    /// A hash of all that the game knows.
    fn state_hash(&self) -> u64;

    /// Where the show is.
    fn phase(&self) -> Phase;

    /// What one who wants in would get, to play or to watch.
    ///
    /// # Errors
    /// Why they get nothing at all.
    fn entry(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode>;

    /// A name for a new player, unlike all others in the show.
    fn unused_name(&self, wanted: Option<&Name>) -> Name;

    /// What the seat's player is called.
    fn name_of(&self, seat: Seat) -> Option<&Name>;

    /// How many have a seat.
    fn joined(&self) -> u32;

    /// Who sits there.
    fn player_of(&self, seat: Seat) -> Option<&PlayerId>;

    /// The seat as its player has it.
    fn held(&self, seat: Seat) -> SeatRef;

    /// Whether all seats are taken.
    fn is_full(&self) -> bool;

    /// Whether a full show may give this seat to another player, if its own is gone.
    fn is_for_guests(&self, seat: Seat) -> bool;

    /// A seat that a full show may give to another player, for its own was removed.
    fn vacant_seat(&self) -> Option<Seat>;

    /// Whether the host took this seat's player out.
    fn is_removed(&self, seat: Seat) -> bool;

    /// Whether nobody new whom no operator's token names gets a seat from there.
    fn bans(&self, origin: Origin) -> bool;

    /// How often the player's resume tokens were revoked; those that were made before the last time are refused.
    fn token_issue(&self, player: &PlayerId) -> u32;

    /// The last event.
    fn seq(&self) -> Seq;

    /// What the rules know of an answer that was read at this time, before it is claimed.
    fn pre_check(&self, seat: SeatRef, question: QuestionId, choice: Choice, at: Millis) -> PreCheck;

    /// Whether this host's command was done before.
    ///
    /// # Errors
    /// `id_taken` if another command was done under its id.
    fn was_done(&self, id: &CommandId, action: &Action) -> Result<bool, Refusal>;

    /// The show as it is, for those who come in.
    fn snapshot(&self, now: Millis) -> Snapshot;

    /// A seat's own state; without one, that of somebody who watches.
    fn you(&self, seat: Option<Seat>) -> You;

    /// The numbers for the host.
    fn figures(&self, now: Millis) -> GameFigures;

    /// Players whose names hold this text, at most `limit`.
    fn find(&self, text: &str, limit: usize) -> Vec<PlayerLine>;

    /// What the show is called.
    fn title(&self) -> &str;

    /// What players type to join.
    fn code(&self) -> &ShowCode;

    /// How it ended, for the archive; none before the end.
    fn results(&self, show: ShowId) -> Option<ShowResults>;

    /// The longest wait for gateways at a close.
    fn barrier(&self) -> Span;
}

/// A show's game, played by this edition of the rules.
///
/// # Errors
/// `bad_pack` or `bad_settings`, with everything that is wrong; `unavailable` for rules that this program does not have.
pub fn create(now: Millis, rules: RulesVersion, show: &CreateShow) -> Result<Box<dyn Game>, Refusal> {
    Ok(Box::new(trivia::Trivia::create(now, rules, show)?))
}
