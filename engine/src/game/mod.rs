//! The games: pure state machines. No async, no clock, no I/O; randomness comes from a recorded seed only.
//!
//! A game's input is a [`Command`] with a time; its output is a list of [`Effect`]s. The same commands at the same
//! times give the same effects and the same [`Game::state_hash`], also in a replay.

pub mod bingo;
mod clock;
mod done;
pub mod people;
mod personal;
mod places;
pub mod preload;
mod prizes;
pub mod quiz;
pub mod results;
pub mod rundown;
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
use klaxon_protocol::player::{Body, Phase, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

pub use self::done::Done;
use self::people::People;
use self::results::ShowResults;
use crate::round::{Round, SeatClaim};

/// An effect of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A message to all players; the seats in the personal part get their own message right after it.
    Tell(ToPlayer, Option<Arc<Personal>>),
    /// Messages to the seats in the personal part only.
    TellSome(Arc<Personal>),
    /// Closes all connections of a player, with this error.
    Dismiss(SeatRef, ErrorCode),
    /// An alert for the hosts.
    Alert(AlertKind),
}

/// How a player who asks to join is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A new seat, by [`Command::Sit`].
    New,
    /// With the seat that the player already has.
    Back(Seat),
    /// Without a seat, as a spectator.
    Watch,
}

/// The rules' check of a claim before it is sent to the arbiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreCheck {
    /// The claim counts if the arbiter accepts it.
    MayCount {
        /// The players' time that had passed when the claim was read: since the opening, pauses excluded.
        elapsed: Span,
    },
    /// The verdict is known without the arbiter.
    Decided(Verdict),
}

/// The numbers about a game that its host sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameFigures {
    /// The last question that was asked.
    pub question: Option<QuestionId>,
    /// How many questions the show has.
    pub total: u16,
    /// Players with a seat.
    pub joined: u32,
    /// Players in play.
    pub alive: u32,
    /// Counted answers by choice.
    pub answers: Vec<u32>,
    /// The time left until the question closes.
    pub time_left: Option<Span>,
    /// Whether the show is paused.
    pub paused: bool,
    /// Whether the script runs the show.
    pub autopilot: bool,
    /// When the script takes its next step.
    pub next_step: Option<Millis>,
}

/// The state of one show of a game. Trivia is built in; other games are registered in [`Games`].
pub trait Game: Send + 'static {
    /// Applies a command at this time.
    ///
    /// # Errors
    /// Why the command can't be applied now; the state is unchanged.
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal>;

    /// When [`Command::Tick`] must be applied next.
    fn deadline(&self) -> Option<Millis>;

    /// The round that was begun last.
    fn round(&self) -> Option<Round>;

    /// The claims in that round that count so far.
    fn counted(&self) -> Vec<SeatClaim>;

    /// The command that records claims which the arbiter accepted.
    fn count(&self, round: RoundId, claims: Vec<CountedClaim>) -> Command {
        Command::Claims { round, claims }
    }

    /// The round that is closing, whose claims in flight are still awaited; [`Command::Tally`] ends it.
    fn closing(&self) -> Option<RoundId>;

    /// A hash of the game's whole state.
    fn state_hash(&self) -> u64;

    /// The show's phase.
    fn phase(&self) -> Phase;

    /// The sequence number of the last event.
    fn seq(&self) -> Seq;

    /// The players.
    fn people(&self) -> &People;

    /// Whether guests' seats can be given to other players, which ends with the first round.
    fn gives_seats(&self) -> bool;

    /// How a player would be admitted in this role.
    ///
    /// # Errors
    /// Why the player is not admitted.
    fn entry(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode>;

    /// Checks a claim that was read at this time, before it is sent to the arbiter.
    fn pre_check(&self, seat: SeatRef, claim: &Claim, at: Millis) -> PreCheck;

    /// Whether this host's command was executed before.
    ///
    /// # Errors
    /// `id_taken` if another command was done under its id.
    fn was_done(&self, id: &CommandId, action: &Action) -> Result<bool, Refusal>;

    /// A snapshot of the show for players who join.
    fn view(&self, now: Millis) -> View;

    /// A seat's own state; without a seat, a spectator's.
    fn own(&self, seat: Option<Seat>) -> ToPlayer;

    /// The figures for hosts.
    fn figures(&self, now: Millis) -> GameFigures;

    /// Players whose names contain this text, at most `limit`.
    fn find(&self, text: &str, limit: usize) -> Vec<PlayerLine>;

    /// The show's title.
    fn title(&self) -> &str;

    /// The code that players type to join.
    fn code(&self) -> &ShowCode;

    /// The show's results, for the archive; none before the end.
    fn results(&self, show: ShowId) -> Option<ShowResults>;

    /// How long to wait for gateways at the close of a round, at most.
    fn barrier(&self) -> Span;
}

impl dyn Game {
    /// How many players have a seat.
    #[must_use]
    pub fn joined(&self) -> u32 {
        self.people().roster.seated()
    }

    /// Whether a full show may give this seat to another player when the seat's player has disconnected.
    #[must_use]
    pub fn is_for_guests(&self, seat: Seat) -> bool {
        self.gives_seats() && self.people().is_for_guests(seat)
    }

    /// The seat of a removed player that a full show may give to another player.
    #[must_use]
    pub fn vacant_seat(&self) -> Option<Seat> {
        self.people().vacant_seat().filter(|_| self.gives_seats())
    }
}

/// Creates shows of a game.
pub trait GameRules: Send + Sync + 'static {
    /// The edition of new shows. `apart`: whether their journal keeps who players are apart; else it must be an edition whose
    /// [`People`] are not.
    fn newest(&self, apart: bool) -> RulesVersion;

    /// Begins a show under this edition of the game's rules.
    ///
    /// # Errors
    /// `bad_settings`, with all problems; `unavailable` for an edition that this program does not have.
    fn begin(&self, now: Millis, rules: RulesVersion, show: &BegunGame) -> Result<Box<dyn Game>, Refusal>;

    /// The setup of a new show, as its first record has it: with what the server draws at random, such as a secret seed.
    ///
    /// # Errors
    /// `bad_settings` if the host sent what only the server may draw.
    fn prepare(&self, setup: &Body, random: &mut dyn FnMut() -> [u8; 32]) -> Result<Body, Refusal> {
        let _ = random;
        Ok(setup.clone())
    }

    /// Undoes [`Self::prepare`]: the setup as the host sent it, by which a repeated `create_game` is recognised.
    fn as_sent(&self, setup: &Body) -> Body {
        setup.clone()
    }
}

/// The games that an engine plays: trivia and rundowns, and those that were added.
#[derive(Clone, Default)]
pub struct Games {
    others: BTreeMap<GameName, Arc<dyn GameRules>>,
}

impl Games {
    /// Adds a game.
    #[must_use]
    pub fn with(mut self, name: GameName, rules: impl GameRules) -> Self {
        self.others.insert(name, Arc::new(rules));
        self
    }

    /// The edition of new shows of this game. `apart`: whether their journal keeps who players are apart.
    ///
    /// # Errors
    /// `unavailable` if it is not played here.
    pub fn newest(&self, game: &GameName, apart: bool) -> Result<RulesVersion, Refusal> {
        Ok(self.rules(game)?.newest(apart))
    }

    /// Begins a show from its first record.
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

    /// The setup of a new show of this game, as its first record has it.
    ///
    /// # Errors
    /// As [`GameRules::prepare`]; `unknown_game` if it is not played here.
    pub fn prepare(
        &self,
        game: &GameName,
        setup: &Body,
        random: &mut dyn FnMut() -> [u8; 32],
    ) -> Result<Body, Refusal> {
        if is_trivia(game) { Ok(setup.clone()) } else { self.rules(game)?.prepare(setup, random) }
    }

    /// The setup of this game as its host sent it.
    #[must_use]
    pub fn as_sent(&self, game: &GameName, setup: &Body) -> Body {
        self.rules(game).map_or_else(|_| setup.clone(), |rules| rules.as_sent(setup))
    }

    fn rules(&self, game: &GameName) -> Result<&dyn GameRules, Refusal> {
        if *game == klaxon_protocol::games::rundown::game_name() {
            return Ok(&rundown::RundownRules);
        }
        let unknown = || {
            let others: String = self.others.keys().map(|name| format!("`{name}`, ")).collect();
            Refusal::because(
                ErrorCode::UnknownGame,
                format!("`{game}` is not played here; there is {others}`rundown`."),
            )
        };
        self.others.get(game).map(|rules| &**rules).ok_or_else(unknown)
    }
}
