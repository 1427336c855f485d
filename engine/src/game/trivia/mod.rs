//! Trivia: questions with one right choice each; elimination, points, or both. The rule book is docs/rules.md.

mod bits;
mod clock;
mod entry;
mod host;
mod personal;
mod points;
mod prizes;
mod ranking;
mod results;
mod reveal;
mod roster;
mod seats;
mod shuffle;
mod view;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bincode::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::{AlertKind, PlayerLine};
use klaxon_protocol::ids::{Choice, CommandId, GatewayId, Name, PlayerId, QuestionId, Seat, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, CountedAnswer, CreateShow};
use klaxon_protocol::link::StampedAnswer;
use klaxon_protocol::pack::PackQuestion;
use klaxon_protocol::player::{Close, Phase, Podium, Question, Resume, Reveal, Snapshot, ToPlayer, You};
use klaxon_protocol::settings::Settings;
use klaxon_protocol::time::{Millis, Span};

use self::clock::Clock;
use self::ranking::Ranks;
use self::reveal::Undo;
use self::roster::Roster;
use self::seats::Seats;
use super::{Effect, Entry, Game, Standing, Tallies};
use crate::game::results::ShowResults;

/// How many of the host's commands are remembered, to know one that is sent again.
const REMEMBERED_COMMANDS: usize = 1000;
/// After the engine was away, an open question opens again this much later: phones need to come back.
const RECOVERY_LEAD: Span = Span(3_000);
/// And for at least this long, so that an answer which was never acknowledged can be sent again.
const RECOVERY_LEAST: Span = Span(3_000);

/// A trivia show.
pub struct Trivia {
    code: ShowCode,
    title: String,
    seed: u64,
    settings: Settings,
    pack: Vec<PackQuestion>,
    stage: Stage,
    /// The questions that were sent, in order.
    asked: Vec<Asked>,
    roster: Roster,
    seats: Seats,
    ranks: Ranks,
    /// How to take the last reveal back.
    undo: Option<Undo>,
    podium: Option<Podium>,
    /// What each winner won, by seat.
    prizes: Vec<(Seat, u64)>,
}

/// Where the show stands, without its seats and questions.
#[derive(Debug, Clone, Encode)]
struct Stage {
    phase: Phase,
    /// The last event's.
    seq: Seq,
    created_at: Millis,
    ended_at: Option<Millis>,
    paused: bool,
    autopilot: bool,
    /// When the script's next step comes; none while the show is paused.
    step: Option<Millis>,
    /// How long until the script's next step, while the show is paused.
    step_left: Option<Span>,
    /// The host's last commands.
    done: VecDeque<CommandId>,
}

/// A question that was sent.
#[derive(Debug, Clone, Encode)]
struct Asked {
    /// As players got it; its times are those at which it was sent.
    question: Question,
    right: Choice,
    clock: Clock,
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

    /// The question with its times as they are now.
    fn question_now(&self) -> Question {
        let window = self.clock.window();
        Question { opens_at: window.opens, closes_at: window.closes, ..self.question.clone() }
    }
}

impl Trivia {
    /// A new show.
    ///
    /// # Errors
    /// `bad_pack` or `bad_settings`, with everything that is wrong.
    pub fn create(now: Millis, show: &CreateShow) -> Result<Self, Refusal> {
        let problems = show.pack.problems();
        if !problems.is_empty() {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(Refusal::because(ErrorCode::BadPack, lines.join("; ")));
        }
        let problems = show.settings.problems();
        if !problems.is_empty() {
            return Err(Refusal::because(ErrorCode::BadSettings, problems.join("; ")));
        }
        Ok(Self {
            code: show.code.clone(),
            title: show.pack.title.clone(),
            seed: show.seed,
            settings: show.settings.clone(),
            pack: show.pack.questions.clone(),
            stage: Stage {
                phase: Phase::Created,
                seq: Seq(0),
                created_at: now,
                ended_at: None,
                paused: false,
                autopilot: show.settings.autopilot.on,
                step: None,
                step_left: None,
                done: VecDeque::from([show.id.clone()]),
            },
            asked: Vec::new(),
            roster: Roster::default(),
            seats: Seats::default(),
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
        u16::try_from(self.pack.len()).unwrap_or(u16::MAX)
    }

    fn eliminates(&self) -> bool {
        self.settings.mode.eliminates()
    }

    /// Into the next phase; the script's next step is counted from here.
    fn enter(&mut self, phase: Phase, now: Millis) {
        self.stage.phase = phase;
        self.plan_step(now);
    }

    fn plan_step(&mut self, now: Millis) {
        let script = &self.settings.autopilot;
        let wait = match self.stage.phase {
            Phase::Lobby => Some(script.lobby),
            Phase::Closed => Some(script.suspense),
            Phase::Revealed => Some(script.pause),
            Phase::Created | Phase::Question | Phase::Closing | Phase::Ended => None,
        };
        let wait = wait.filter(|_| self.stage.autopilot);
        (self.stage.step, self.stage.step_left) =
            if self.stage.paused { (None, wait) } else { (wait.map(|wait| now + wait), None) };
    }

    /// Sends the next question.
    fn ask(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let index = self.asked.len();
        let Some(next) = self.pack.get(index) else { return Err(ErrorCode::NoMoreQuestions.into()) };
        if self.nobody_left() {
            return Err(Refusal::because(
                ErrorCode::WrongPhase,
                "Nobody is in play: end the show, or void the last question.",
            ));
        }
        let id = QuestionId(u16::try_from(index + 1).unwrap_or(u16::MAX));
        let order: Vec<u8> = if self.settings.shuffle {
            shuffle::order(self.seed, id.0, next.choices.len())
        } else {
            (0..=u8::MAX).take(next.choices.len()).collect()
        };
        let right = order.iter().position(|&choice| choice == next.right.0).unwrap_or(0);
        let clock = Clock::new(now + self.settings.lead, next.open_for.unwrap_or(self.settings.open_for));
        let window = clock.window();
        let question = Question {
            seq: self.stage.seq.next(),
            at: now,
            question: id,
            total: self.total(),
            text: next.text.clone(),
            choices: order.iter().map(|&choice| next.choices[usize::from(choice)].clone()).collect(),
            category: next.category.clone(),
            opens_at: window.opens,
            closes_at: window.closes,
        };
        self.next_seq();
        self.seats.forget_answers();
        self.undo = None;
        self.asked.push(Asked {
            question: question.clone(),
            right: Choice(u8::try_from(right).unwrap_or(0)),
            clock,
            counts: vec![0; order.len()],
            closed_at: None,
            reveal: None,
            voided: false,
        });
        self.enter(Phase::Question, now);
        Ok(vec![Effect::Tell(ToPlayer::Question(question), None)])
    }

    /// Nobody is in play any more, in a show that eliminates and has asked something that counted.
    fn nobody_left(&self) -> bool {
        self.eliminates() && self.roster.len() > 0 && self.seats.alive.count() == 0
    }

    /// Ends the running question's time.
    fn close(&mut self, now: Millis) -> Vec<Effect> {
        let seq = self.next_seq();
        let Some(asked) = self.asked.last_mut() else { return Vec::new() };
        asked.clock.close(now);
        asked.closed_at = Some(now);
        let question = asked.id();
        self.enter(Phase::Closing, now);
        vec![Effect::Tell(ToPlayer::Close(Close { seq, at: now, question }), None)]
    }

    /// Does what is due.
    fn tick(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.deadline().is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        match self.stage.phase {
            Phase::Question => Ok(self.close(now)),
            Phase::Closed => Ok(self.reveal(now)),
            Phase::Lobby => self.ask(now),
            Phase::Revealed if self.asked.len() == self.pack.len() || self.nobody_left() => Ok(self.end(now, true)),
            Phase::Revealed => self.ask(now),
            Phase::Created | Phase::Closing | Phase::Ended => Ok(Vec::new()),
        }
    }

    /// Counts answers that the arbiter accepted.
    fn count(&mut self, question: QuestionId, answers: &[CountedAnswer]) -> Result<Vec<Effect>, Refusal> {
        for answer in answers {
            let stamped = StampedAnswer { conn: 0, seat: answer.seat, question, choice: answer.choice, at: answer.at };
            if self.standing(&stamped) != Standing::Claim {
                continue;
            }
            let Some(asked) = self.asked.last_mut() else { continue };
            let Ok(elapsed) = asked.clock.elapsed(answer.at) else { continue };
            asked.counts[answer.choice.index()] += 1;
            self.seats.count_answer(answer.seat, answer.choice, elapsed);
        }
        Ok(Vec::new())
    }

    /// The answers of the closing question are complete.
    fn tally(&mut self, now: Millis, question: QuestionId, silent: &[GatewayId]) -> Result<Vec<Effect>, Refusal> {
        if self.closing() != Some(question) {
            return Err(ErrorCode::WrongPhase.into());
        }
        self.enter(Phase::Closed, now);
        let mut effects = Vec::new();
        if !silent.is_empty() {
            effects.push(Effect::Alert(AlertKind::SilentGateways { question, gateways: silent.to_vec() }));
        }
        Ok(effects)
    }

    /// The engine was away: an open question gets back the time that was left, and phones get time to come back.
    fn recover(&mut self, now: Millis, away: Span) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut closes_at = None;
        self.stage.step = self.stage.step.map(|step| step + away);
        if self.stage.phase == Phase::Question && !self.stage.paused {
            let seq = self.next_seq();
            if let Some(asked) = self.asked.last_mut() {
                // Whatever was acknowledged was read before the last record; that moment itself still counts.
                asked.clock.stop(now - away + Span(1));
                asked.clock.go_for_at_least(now + RECOVERY_LEAD, RECOVERY_LEAST);
                let window = asked.clock.window();
                closes_at = Some(window.closes);
                let resume = Resume {
                    seq,
                    at: now,
                    question: Some(asked.id()),
                    opens_at: Some(window.opens),
                    closes_at: Some(window.closes),
                };
                effects.push(Effect::Tell(ToPlayer::Resume(resume), None));
            }
        }
        effects.push(Effect::Alert(AlertKind::Recovered { away, closes_at }));
        effects
    }
}

impl Game for Trivia {
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal> {
        match command {
            Command::Create(_) => Err(Refusal::because(ErrorCode::WrongPhase, "The show exists already.")),
            Command::Join { player, name, role: _ } => self.join(player, name),
            Command::Answers { question, answers } => self.count(*question, answers),
            Command::Host { id, action } => {
                if self.was_done(id) {
                    return Ok(Vec::new());
                }
                let effects = self.obey(now, action)?;
                if self.stage.done.len() == REMEMBERED_COMMANDS {
                    self.stage.done.pop_front();
                }
                self.stage.done.push_back(id.clone());
                Ok(effects)
            }
            Command::Tick => self.tick(now),
            Command::Tally { question, silent } => self.tally(now, *question, silent),
            Command::Recovered { away } => Ok(self.recover(now, *away)),
        }
    }

    fn deadline(&self) -> Option<Millis> {
        match self.stage.phase {
            Phase::Question => self.asked.last().and_then(|asked| asked.clock.runs_out()),
            _ => self.stage.step,
        }
    }

    fn closing(&self) -> Option<QuestionId> {
        self.asked.last().filter(|_| self.stage.phase == Phase::Closing).map(Asked::id)
    }

    fn state_hash(&self) -> u64 {
        let small = (&self.stage, self.asked.len() as u64, self.asked.last(), &self.podium, &self.prizes);
        let config = bincode::config::standard();
        let mut bytes = bincode::encode_to_vec(small, config).expect("the state holds nothing that can't be encoded");
        bytes.extend_from_slice(&self.roster.digest().to_le_bytes());
        for word in self.seats.digest() {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        xxhash_rust::xxh3::xxh3_64(&bytes)
    }

    fn phase(&self) -> Phase {
        self.stage.phase
    }

    fn entry(&self, player: &PlayerId) -> Result<Entry, ErrorCode> {
        self.entry_of(player)
    }

    fn unused_name(&self, wanted: Option<&Name>) -> Name {
        self.roster.unused_name(wanted)
    }

    fn name_of(&self, seat: Seat) -> Option<&Name> {
        self.roster.name(seat)
    }

    fn joined(&self) -> u32 {
        self.roster.len()
    }

    fn player_of(&self, seat: Seat) -> Option<&PlayerId> {
        self.roster.player(seat)
    }

    fn seq(&self) -> Seq {
        self.stage.seq
    }

    fn standing(&self, answer: &StampedAnswer) -> Standing {
        self.standing_of(answer)
    }

    fn was_done(&self, id: &CommandId) -> bool {
        self.stage.done.contains(id)
    }

    fn snapshot(&self, now: Millis) -> Snapshot {
        self.view_snapshot(now)
    }

    fn you(&self, seat: Option<Seat>) -> You {
        self.view_you(seat)
    }

    fn tallies(&self, now: Millis) -> Tallies {
        self.view_tallies(now)
    }

    fn find(&self, text: &str, limit: usize) -> Vec<PlayerLine> {
        self.view_players(text, limit)
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
