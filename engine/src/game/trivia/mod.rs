//! Trivia: questions with one right choice each; elimination, points, or both. The rule book is docs/rules/trivia.md.

mod access;
mod course;
mod entry;
mod host;
mod points;
mod ranking;
mod removing;
mod results;
mod reveal;
mod rules;
mod seats;
mod shuffle;
mod view;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use klaxon_protocol::binary::{self, Encode};
use klaxon_protocol::claim::Claim;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::{self, Choice, PackQuestion, Question, QuestionId, Reveal, Settings, TriviaShow};
use klaxon_protocol::host::{Action, PlayerLine};
use klaxon_protocol::ids::{ClaimKey, CommandId, PlayerId, RoundId, Seat, SeatRef, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, CountedAnswer, CountedClaim, RulesVersion};
use klaxon_protocol::link::View;
use klaxon_protocol::player::{Phase, Podium, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use self::ranking::Ranks;
use self::removing::Removal;
use self::reveal::Undo;
use self::rules::Rules;
use self::seats::Seats;
use super::clock::RoundClock;
use super::done::Done;
use super::people::{People, Sitter};
use super::results::ShowResults;
use super::{Effect, Entry, Game, GameFigures, PreCheck};
use crate::round::{ClaimSpace, Round, SeatClaim};

/// One claim per seat: its choice, of at most six.
const CHOICES: ClaimSpace = ClaimSpace::one_below(*trivia::CHOICES.end() as u64);

/// A trivia show.
pub struct Trivia {
    rules: Rules,
    code: ShowCode,
    title: String,
    seed: u64,
    settings: Settings,
    pack: Vec<PackQuestion>,
    stage: TriviaCourse,
    /// The questions that were sent, in order.
    asked: Vec<Asked>,
    people: People,
    seats: Seats,
    /// For each seat whose player is removed, what is needed to undo the removal.
    removals: HashMap<Seat, Removal>,
    ranks: Ranks,
    /// What is needed to undo the last reveal.
    undo: Option<Undo>,
    podium: Option<Podium>,
    /// The winners' prizes, by seat.
    prizes: Vec<(Seat, u64)>,
}

/// The show's state except for its seats and questions.
#[derive(Debug, Clone, Encode)]
struct TriviaCourse {
    phase: Phase,
    /// The sequence number of the last event.
    seq: Seq,
    created_at: Millis,
    ended_at: Option<Millis>,
    paused: bool,
    autopilot: bool,
    /// When the script takes its next step; none while the show is paused.
    step: Option<Millis>,
    /// How long until the script's next step, while the show is paused.
    step_left: Option<Span>,
    done: Done,
}

/// A question that was sent.
#[derive(Debug, Clone, Encode)]
struct Asked {
    /// As sent to players, with the times of that moment.
    question: Question,
    right: Choice,
    clock: RoundClock,
    /// Counted answers by choice.
    counts: Vec<u32>,
    closed_at: Option<Millis>,
    reveal: Option<Reveal>,
    voided: bool,
}

impl Asked {
    fn id(&self) -> QuestionId {
        self.question.question
    }

    /// The question with its current times. While the clock is stopped, `closes_at` is computed as if it continued now:
    /// the time at which it was stopped would not show how much is left.
    fn question_now(&self, now: Millis) -> Question {
        let window = self.clock.window();
        let closes_at = self.clock.runs_out().unwrap_or_else(|| now + self.clock.left(now));
        Question { opens_at: window.opens, closes_at, ..self.question.clone() }
    }
}

impl Trivia {
    /// A new show.
    ///
    /// # Errors
    /// `bad_pack` or `bad_settings`, with everything that is wrong; `unavailable` for rules that this program does not have.
    pub fn create(now: Millis, rules: RulesVersion, show: TriviaShow) -> Result<Self, Refusal> {
        let rules = Rules::of(rules)?;
        let problems = show.pack.problems_in_a_journal();
        if !problems.is_empty() {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(Refusal::because(ErrorCode::BadPack, lines.join("; ")));
        }
        let problems = show.settings.problems();
        if !problems.is_empty() {
            return Err(Refusal::because(ErrorCode::BadSettings, problems.join("; ")));
        }
        let TriviaShow { id, code, seed, pack, settings } = show;
        let mut done = Done::default();
        done.add_create(id);
        Ok(Self {
            rules,
            code,
            title: pack.title,
            seed,
            stage: TriviaCourse {
                phase: Phase::Created,
                seq: Seq(0),
                created_at: now,
                ended_at: None,
                paused: false,
                autopilot: settings.autopilot.on,
                step: None,
                step_left: None,
                done,
            },
            asked: Vec::new(),
            people: People::new(seed, settings.seats, rules >= Rules::Third),
            settings,
            pack: pack.questions,
            seats: Seats::default(),
            removals: HashMap::new(),
            ranks: Ranks::default(),
            undo: None,
            podium: None,
            prizes: Vec::new(),
        })
    }

    /// The seq of a new event.
    fn next_seq(&mut self) -> Seq {
        self.stage.seq = self.stage.seq.next();
        self.stage.seq
    }

    fn total(&self) -> u16 {
        u16::try_from(self.pack.len()).expect("a pack has 500 questions at most")
    }

    fn eliminates(&self) -> bool {
        self.settings.mode.eliminates()
    }
}

impl Game for Trivia {
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal> {
        match command {
            Command::Create(_) | Command::Begin { .. } | Command::BeginGame { .. } => {
                Err(Refusal::because(ErrorCode::WrongPhase, "The show exists already."))
            }
            Command::Join { .. } | Command::Reseat { .. } | Command::SeatOrigin { .. } if self.people.are_apart() => {
                Err(Refusal::because(ErrorCode::WrongPhase, "This show's journal names no players."))
            }
            Command::Join { player, name, role } => self.join(player, name, *role),
            Command::Answers { question, answers } => {
                self.count(*question, answers);
                Ok(Vec::new())
            }
            Command::Claims { .. } => {
                Err(Refusal::because(ErrorCode::WrongPhase, "Trivia's answers are recorded as answers."))
            }
            Command::Sealed { .. } => Err(Refusal::because(ErrorCode::WrongPhase, "Sealed commands are opened first.")),
            Command::Host { id, action } => {
                if self.was_done(id, action)? {
                    return Ok(Vec::new());
                }
                let effects = self.apply_action(now, action)?;
                self.stage.done.add(id.clone(), action);
                Ok(effects)
            }
            Command::Tick => self.tick(now),
            Command::Tally { round, silent } => self.tally(now, *round, silent),
            Command::Recovered { away } => Ok(self.recover(now, *away)),
            Command::Outage { round, late } => self.lose(now, *round, *late),
            Command::Reissue { seat } => self.reissue_tokens(*seat),
            Command::Reseat { seat, player, name } => {
                self.reseat(*seat, player, Sitter::known(player.clone(), name.clone()))
            }
            Command::SeatOrigin { seat, origin } => self.name_origin(*seat, Some(*origin)),
            Command::Sit { seat, guest, who } => self.sit(*seat, *guest, who.get()),
            Command::SeatHasOrigin { seat, from } => {
                self.must_have_person_rules()?;
                self.name_origin(*seat, from.get().map(|from| from.origin))
            }
        }
    }

    fn deadline(&self) -> Option<Millis> {
        match self.stage.phase {
            Phase::Question => self.asked.last().and_then(|asked| asked.clock.runs_out()),
            _ => self.stage.step,
        }
    }

    fn round(&self) -> Option<Round> {
        Some(Round { id: self.asked.last()?.id(), space: CHOICES })
    }

    fn counted(&self) -> Vec<SeatClaim> {
        let choice = |seat| Some(SeatClaim { seat, key: ClaimKey(0), value: self.seats.choice(seat)?.into() });
        (0..self.people.roster.seated()).map(Seat).filter_map(choice).collect()
    }

    fn count(&self, round: RoundId, claims: Vec<CountedClaim>) -> Command {
        let answer = |CountedClaim { seat, value, at, .. }: CountedClaim| CountedAnswer {
            seat,
            choice: Choice::claimed(&value).expect("the arbiter keeps small numbers only in a round of choices"),
            at,
        };
        Command::Answers { question: round, answers: claims.into_iter().map(answer).collect() }
    }

    fn closing(&self) -> Option<RoundId> {
        self.asked.last().filter(|_| self.stage.phase == Phase::Closing).map(Asked::id)
    }

    fn state_hash(&self) -> u64 {
        let nameless = self.people.are_apart().then(|| self.podium.clone().map(Podium::without_names));
        let podium = nameless.as_ref().unwrap_or(&self.podium);
        let small = (&self.stage, self.asked.len() as u64, self.asked.last(), podium, &self.prizes);
        let mut bytes = binary::encode(&small);
        bytes.extend_from_slice(&self.people.roster.digest().to_le_bytes());
        for word in self.seats.digest() {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        self.people.digest(&mut bytes);
        xxhash_rust::xxh3::xxh3_64(&bytes)
    }

    fn phase(&self) -> Phase {
        self.stage.phase
    }

    fn seq(&self) -> Seq {
        self.stage.seq
    }

    fn people(&self) -> &People {
        &self.people
    }

    fn gives_seats(&self) -> bool {
        self.gives_seats()
    }

    fn entry(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode> {
        self.entry_of(player, role)
    }

    fn pre_check(&self, seat: SeatRef, claim: &Claim, at: Millis) -> PreCheck {
        self.check_claim(seat, claim, at)
    }

    fn was_done(&self, id: &CommandId, action: &Action) -> Result<bool, Refusal> {
        match self.stage.done.did(id, action) {
            Some(false) if self.rules >= Rules::Second => Err(ErrorCode::IdTaken.into()),
            done => Ok(done.is_some()),
        }
    }

    fn view(&self, now: Millis) -> View {
        self.snapshot(now).into()
    }

    fn own(&self, seat: Option<Seat>) -> ToPlayer {
        ToPlayer::You(self.you(seat))
    }

    fn figures(&self, now: Millis) -> GameFigures {
        self.view_figures(now)
    }

    fn find(&self, text: &str, limit: usize) -> Vec<PlayerLine> {
        self.view_players(text, limit)
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
        self.settings.barrier
    }
}
