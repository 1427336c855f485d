//! The games: pure state machines. No async, no clock, no I/O, no randomness but a recorded seed.
//!
//! What a game is told, it is told as a [`Command`] with the time; what comes of it, it returns as [`Effect`]s. The same commands
//! at the same times give the same effects and the same [`Game::state_hash`], today and in a replay.

pub mod bingo;
mod done;
pub mod people;
pub mod results;
pub mod trivia;

use std::collections::BTreeMap;
use std::sync::Arc;

use klaxon_protocol::claim::{Claim, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::{QuestionId, TriviaShow, is_trivia};
use klaxon_protocol::host::{Action, AlertKind, PlayerLine};
use klaxon_protocol::ids::{CommandId, GameName, PlayerId, RoundId, Seat, SeatRef, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{Begun, BegunGame, BegunShow, Command, CountedClaim, RulesVersion};
use klaxon_protocol::link::{Personal, View};
use klaxon_protocol::player::{Phase, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

pub use self::done::Done;
use self::people::People;
use self::results::ShowResults;
use crate::round::{Round, SeatClaim};

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

/// What the rules know of a claim before the arbiter is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreCheck {
    /// It counts if the arbiter accepts it; this much of the players' time had passed when it was read.
    MayCount {
        /// From the opening, without pauses.
        elapsed: Span,
    },
    /// The arbiter need not be asked.
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

/// A game that shows are played by. Trivia is one; others are known to [`Games`].
pub trait Game: Send + 'static {
    /// Does what the command says, at this time.
    ///
    /// # Errors
    /// Why it can't be done now; then nothing has changed.
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal>;

    /// When [`Command::Tick`] must be applied next.
    fn deadline(&self) -> Option<Millis>;

    /// The round that was begun last.
    fn round(&self) -> Option<Round>;

    /// The claims that count in it so far.
    fn counted(&self) -> Vec<SeatClaim>;

    /// The command that records claims which the arbiter accepted.
    fn count(&self, round: RoundId, claims: Vec<CountedClaim>) -> Command {
        Command::Claims { round, claims }
    }

    /// The round whose claims in flight are waited for: [`Command::Tally`] ends it.
    fn closing(&self) -> Option<RoundId>;

    /// A hash of all that the game knows.
    fn state_hash(&self) -> u64;

    /// Where the show is.
    fn phase(&self) -> Phase;

    /// The last event.
    fn seq(&self) -> Seq;

    /// The players.
    fn people(&self) -> &People;

    /// Whether guests' seats can be given to other players: the first round is still to come.
    fn gives_seats(&self) -> bool;

    /// What one who wants in would get, to play or to watch.
    ///
    /// # Errors
    /// Why they get nothing at all.
    fn entry(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode>;

    /// What the rules know of a claim that was read at this time, before the arbiter is asked.
    fn pre_check(&self, seat: SeatRef, claim: &Claim, at: Millis) -> PreCheck;

    /// Whether this host's command was done before.
    ///
    /// # Errors
    /// `id_taken` if another command was done under its id.
    fn was_done(&self, id: &CommandId, action: &Action) -> Result<bool, Refusal>;

    /// The show as it is, for those who come in.
    fn view(&self, now: Millis) -> View;

    /// A seat's own state; without one, that of somebody who watches.
    fn own(&self, seat: Option<Seat>) -> ToPlayer;

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

impl dyn Game {
    /// How many have a seat.
    #[must_use]
    pub fn joined(&self) -> u32 {
        self.people().roster.seated()
    }

    /// Whether a full show may give this seat to another player, if its own is gone.
    #[must_use]
    pub fn is_for_guests(&self, seat: Seat) -> bool {
        self.gives_seats() && self.people().is_for_guests(seat)
    }

    /// A seat that a full show may give to another player, for its own was removed.
    #[must_use]
    pub fn vacant_seat(&self) -> Option<Seat> {
        self.people().vacant_seat().filter(|_| self.gives_seats())
    }
}

/// How shows of a game begin.
pub trait GameRules: Send + Sync + 'static {
    /// The edition of new shows.
    fn newest(&self) -> RulesVersion;

    /// A show of the game, played by this edition of its rules.
    ///
    /// # Errors
    /// `bad_settings`, with everything that is wrong; `unavailable` for rules that this program does not have.
    fn begin(&self, now: Millis, rules: RulesVersion, show: &BegunGame) -> Result<Box<dyn Game>, Refusal>;
}

/// The games that an engine plays: trivia, and those that were added.
#[derive(Clone, Default)]
pub struct Games {
    others: BTreeMap<GameName, Arc<dyn GameRules>>,
}

impl Games {
    /// These games and one more.
    #[must_use]
    pub fn with(mut self, name: GameName, rules: impl GameRules) -> Self {
        self.others.insert(name, Arc::new(rules));
        self
    }

    /// The edition of new shows of this game.
    ///
    /// # Errors
    /// `unavailable` if it is not played here.
    pub fn newest(&self, game: &GameName) -> Result<RulesVersion, Refusal> {
        Ok(self.rules(game)?.newest())
    }

    /// The show that begins.
    ///
    /// # Errors
    /// `bad_pack` or `bad_settings`, with everything that is wrong; `unavailable` for games and rules that this program does not have.
    pub fn begin(&self, now: Millis, Begun { rules, show }: Begun<'_>) -> Result<Box<dyn Game>, Refusal> {
        let show: TriviaShow = match show {
            BegunShow::Trivia(show) => show.clone().into(),
            BegunShow::Game(show) if is_trivia(&show.game) => show.try_into()?,
            BegunShow::Game(show) => return self.rules(&show.game)?.begin(now, rules, show),
        };
        Ok(Box::new(trivia::Trivia::create(now, rules, show)?))
    }

    fn rules(&self, game: &GameName) -> Result<&dyn GameRules, Refusal> {
        let unknown = || {
            let others = self.others.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let here = if others.is_empty() { "trivia alone, by `create`".to_owned() } else { others };
            Refusal::because(ErrorCode::UnknownGame, format!("`{game}` is not played here; there is {here}."))
        };
        self.others.get(game).map(|rules| &**rules).ok_or_else(unknown)
    }
}
