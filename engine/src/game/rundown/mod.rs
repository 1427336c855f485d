//! Rundown: a show's running order, whose parts are games and breaks. The rule book is docs/rules/rundown.md.

mod advance;
mod breaks;
mod delay;
mod ending;
mod entry;
mod extra_time;
mod host;
mod interlude;
mod leaders;
mod ledger;
mod look;
mod part;
mod people;
mod rules;
mod stage;
mod suspending;
mod teams;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use klaxon_protocol::binary::Encode;
use klaxon_protocol::claim::Claim;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::Setup;
use klaxon_protocol::host::{Action, PlayerLine};
use klaxon_protocol::ids::{CommandId, PlayerId, RoundId, Seat, SeatRef, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{BegunGame, Command};
use klaxon_protocol::link::View;
use klaxon_protocol::player::{Phase, Podium, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

pub use self::ledger::{Ledger, Line, Lost};
pub use self::look::Look;
pub use self::part::{Counted, HostChange, Part, Wait, hash};
pub use self::rules::RundownRules;
pub use self::stage::{Opening, Stage};
pub use self::teams::Teams;

use self::delay::Delayed;
use self::extra_time::ExtraTimes;
use self::stage::Course;
use super::done::Done;
use super::people::{Chain, People};
use super::results::ShowResults;
use super::{Effect, Entry, Game, GameFigures, PreCheck};
use crate::round::{Round, SeatClaim};

/// A show of a rundown.
pub struct Rundown {
    code: ShowCode,
    title: String,
    barrier: Span,
    setup: Setup,
    course: Course,
    steps: Steps,
    /// What waits for the stream.
    delayed: Delayed,
    done: Done,
    /// The rounds that are void.
    voided: BTreeSet<RoundId>,
    /// A hash over these rounds.
    voids: Chain,
    parts: Vec<Box<dyn Part>>,
    people: People,
    ledger: Ledger,
    teams: Option<Teams>,
    /// What can be won in all parts together, in minor units.
    pot: u64,
    /// For each seat whose player is removed: the first round that the player missed.
    removals: HashMap<Seat, RoundId>,
    extra_times: ExtraTimes,
    podium: Option<Podium>,
}

/// What moves the show on, and which part it is in.
#[derive(Debug, Clone, Encode)]
struct Steps {
    created_at: Millis,
    ended_at: Option<Millis>,
    /// The part that began last.
    part: Option<u8>,
    /// Whether that part was finished: nothing of it can be changed any more.
    finished: bool,
    paused: bool,
    autopilot: bool,
    /// When the script takes its next step; none while the show is paused.
    step: Option<Millis>,
    /// How long until the script's next step, while the show is paused.
    step_left: Option<Span>,
    /// Before this a part can't close a round early: after an outage players send again what was not acknowledged.
    not_before: Millis,
}

impl Rundown {
    fn new(now: Millis, show: &BegunGame, setup: Setup, parts: Vec<Box<dyn Part>>) -> Self {
        let mut done = Done::default();
        done.add_create(show.id.clone());
        Self {
            code: show.code.clone(),
            title: show.title.clone(),
            barrier: show.barrier,
            course: Course { phase: Phase::Created, seq: Seq(0), round: None },
            steps: Steps {
                created_at: now,
                ended_at: None,
                part: None,
                finished: false,
                paused: false,
                autopilot: setup.script.on,
                step: None,
                step_left: None,
                not_before: now,
            },
            delayed: Delayed::default(),
            done,
            voided: BTreeSet::new(),
            voids: Chain::default(),
            parts,
            people: People::new(show.seed, show.seats, true),
            ledger: Ledger::new(setup.lives),
            teams: setup.teams.clone().map(Teams::new),
            pot: setup.pot().expect("a setup with more to win than a number can hold is refused"),
            removals: HashMap::new(),
            extra_times: ExtraTimes::default(),
            podium: None,
            setup,
        }
    }

    /// The part that the show is in.
    fn current(&self) -> Option<&dyn Part> {
        Some(&*self.parts[usize::from(self.steps.part?)])
    }

    /// The part of the round that was begun last.
    fn part_of_round(&self) -> Option<&dyn Part> {
        Some(&*self.parts[usize::from(self.course.round.as_ref()?.part)])
    }

    fn look(&self) -> Look<'_> {
        Look { people: &self.people, ledger: &self.ledger, teams: self.teams.as_ref() }
    }

    /// A part, and the stage on which it acts now.
    fn on_stage(&mut self, part: u8, now: Millis) -> (&mut dyn Part, Stage<'_>) {
        let stage = Stage {
            now,
            people: &self.people,
            ledger: &mut self.ledger,
            teams: self.teams.as_ref(),
            part,
            paused: self.steps.paused,
            lead: self.setup.lead,
            pays: true,
            course: &mut self.course,
            effects: Vec::new(),
        };
        (&mut *self.parts[usize::from(part)], stage)
    }

    /// Lets a part do what it may refuse; what it told by then is dropped.
    fn attempt(
        &mut self,
        part: u8,
        now: Millis,
        act: impl FnOnce(&mut dyn Part, &mut Stage<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Effect>, Refusal> {
        let (course, ledger) = (self.course.clone(), self.ledger.digest());
        let (actor, mut stage) = self.on_stage(part, now);
        let done = act(actor, &mut stage);
        let effects = stage.effects;
        if let Err(refusal) = done {
            self.course = course;
            assert_eq!(self.ledger.digest(), ledger, "part {part} refuses, and has changed the ledger");
            return Err(refusal);
        }
        Ok(effects)
    }

    /// The next event's number.
    fn next_seq(&mut self) -> Seq {
        self.course.seq = self.course.seq.next();
        self.course.seq
    }

    /// Executes a command, or refuses it.
    fn execute(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal> {
        match command {
            Command::Create(_) | Command::Begin { .. } | Command::BeginGame { .. } => {
                Err(Refusal::because(ErrorCode::WrongPhase, "The show exists already."))
            }
            Command::Join { .. } | Command::Reseat { .. } | Command::SeatOrigin { .. } => {
                Err(Refusal::because(ErrorCode::WrongPhase, "This show's journal names no players."))
            }
            Command::Answers { .. } => {
                Err(Refusal::because(ErrorCode::WrongPhase, "Answers are trivia's: a rundown has claims."))
            }
            Command::Sealed { .. } => Err(Refusal::because(ErrorCode::WrongPhase, "Sealed commands are opened first.")),
            Command::Host { id, action } => {
                if self.was_done(id, action)? {
                    return Ok(Vec::new());
                }
                let effects = self.act(now, action)?;
                self.done.add(id.clone(), action);
                Ok(effects)
            }
            Command::Sit { seat, guest, who } => self.sit(now, *seat, *guest, who.get()),
            Command::Claims { round, claims } => {
                self.count_claims(*round, claims);
                Ok(Vec::new())
            }
            Command::Tick => Ok(self.tick(now)),
            Command::Tally { round, silent } => self.tally(now, *round, silent),
            Command::Outage { round, late } => self.lose(now, *round, *late),
            Command::Recovered { away } => Ok(self.recover(now, *away)),
            Command::Reissue { seat } => Ok(vec![self.people.revoke_tokens(*seat)?]),
            Command::SeatHasOrigin { seat, from } => {
                self.must_not_have_ended()?;
                self.people.name_origin(*seat, from.get().map(|from| from.origin))?;
                Ok(Vec::new())
            }
        }
    }
}

impl Game for Rundown {
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal> {
        let before = self.times();
        let mut effects = self.execute(now, command)?;
        if self.times().is_some_and(|times| before != Some(times)) {
            effects.push(self.tell_own_times());
        }
        effects.append(&mut self.end_suspensions(now));
        self.note_step(command, &mut effects);
        Ok(effects)
    }

    fn deadline(&self) -> Option<Millis> {
        let by_itself = match self.course.phase {
            Phase::Question => self.ends(),
            _ => [self.steps.step, self.timer()].into_iter().flatten().min(),
        };
        [by_itself, self.delayed_until()].into_iter().flatten().min()
    }

    fn round(&self) -> Option<Round> {
        let last = self.course.round.as_ref().map(|round| Round { id: round.id, space: round.space });
        last.or_else(|| self.choice_round())
    }

    fn counted(&self) -> Vec<SeatClaim> {
        match self.part_of_round() {
            Some(part) => part.counted(),
            None => self.teams.as_ref().map(Teams::choices).unwrap_or_default(),
        }
    }

    fn closing(&self) -> Option<RoundId> {
        self.course.round.as_ref().filter(|_| self.course.phase == Phase::Closing).map(|round| round.id)
    }

    fn state_hash(&self) -> u64 {
        let podium = self.podium.clone().map(Podium::without_names);
        let parts: Vec<u64> = self.parts.iter().map(|part| part.digest()).collect();
        let given = (self.ledger.digest(), self.ledger.suspensions(), &self.extra_times);
        let steps = (&self.steps, &self.delayed);
        let teams = self.teams.as_ref().map(Teams::digest);
        let state = (&self.course, steps, &self.done, self.voids.digest(), parts, given, (podium, teams));
        self.people.state_hash(&state)
    }

    fn phase(&self) -> Phase {
        self.course.phase
    }

    fn seq(&self) -> Seq {
        self.course.seq
    }

    fn people(&self) -> &People {
        &self.people
    }

    /// A part may count on its players from its beginning on, such as for tickets.
    fn gives_seats(&self) -> bool {
        self.course.phase == Phase::Lobby && self.steps.part.is_none()
    }

    fn entry(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode> {
        self.entry_of(player, role)
    }

    fn pre_check(&self, seat: SeatRef, claim: &Claim, at: Millis) -> PreCheck {
        self.check_claim(seat, claim, at)
    }

    fn was_done(&self, id: &CommandId, action: &Action) -> Result<bool, Refusal> {
        match self.done.did(id, action) {
            Some(false) => Err(ErrorCode::IdTaken.into()),
            done => Ok(done.is_some()),
        }
    }

    fn view(&self, now: Millis) -> View {
        self.snapshot(now).into()
    }

    fn own(&self, seat: Option<Seat>) -> ToPlayer {
        self.own_of(seat)
    }

    fn figures(&self, now: Millis) -> GameFigures {
        self.view_figures(now)
    }

    fn find(&self, text: &str, limit: usize) -> Vec<PlayerLine> {
        self.find_players(text, limit)
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn code(&self) -> &ShowCode {
        &self.code
    }

    fn results(&self, show: ShowId) -> Option<ShowResults> {
        self.show_results(show)
    }

    fn barrier(&self) -> Span {
        self.barrier
    }
}
