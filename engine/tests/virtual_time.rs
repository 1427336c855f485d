//! A whole show in one thread, on tokio's paused time and without a socket or a disk: the same seed plays the same show, to the byte.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use klaxon_engine::Ports;
use klaxon_engine::arbiter::MemoryArbiter;
use klaxon_engine::bus::{GatewayEnd, LocalBus, LocalGatewayEnd};
use klaxon_engine::clock::Clock;
use klaxon_engine::dry_run::{self, DryOptions};
use klaxon_engine::game::Games;
use klaxon_engine::journal::{Journal, JournalError, Restored};
use klaxon_engine::random::Random;
use klaxon_engine::show_file;
use klaxon_engine::shows::Shows;
use klaxon_protocol::binary;
use klaxon_protocol::claim::{Claim, ClaimForm, Verdict};
use klaxon_protocol::games::trivia::{
    Autopilot, Choice, Create, Mode, Pack, PackQuestion, PrizeRule, Question, Settings,
};
use klaxon_protocol::host::{Action, FromHost, HostCommand, ToHost};
use klaxon_protocol::ids::{ClaimKey, CommandId, ConnRef, Fence, GatewayId, Seat, SeatRef, ShowCode, ShowId};
use klaxon_protocol::journal::Record;
use klaxon_protocol::link::{AnswerBatch, JoinRequest, Proof, StampedAnswer, ToEngine, ToGateway};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::{Millis, Span};
use tokio::task::JoinHandle;

const START: Millis = Millis(1_700_000_000_000);
const GATEWAY: GatewayId = GatewayId(1);
const HOST: ConnRef = ConnRef { gateway: GATEWAY, conn: 999_999 };
const PLAYERS: u32 = 200;
const QUESTIONS: u16 = 6;
/// The engine is killed a second after this question opened, and another one takes the show over.
const KILLED_IN: u16 = 3;

/// What was appended, for as long as the test lives.
#[derive(Default)]
struct MemoryJournal(Mutex<BTreeMap<ShowId, Vec<Record>>>);

impl MemoryJournal {
    fn of(&self, show: ShowId) -> Vec<Record> {
        self.0.lock().unwrap().get(&show).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    fn keeps_apart(&self) -> bool {
        true
    }

    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut shows = self.0.lock().unwrap();
        for record in records {
            let kept = shows.entry(record.show).or_default();
            assert_eq!(record.number, kept.len() as u64);
            kept.push(record.clone());
        }
        Ok(())
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        Ok(self.of(show).into_iter().next())
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        Ok(Restored { records: self.of(show), cut: None })
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        Ok(self.0.lock().unwrap().keys().copied().collect())
    }

    async fn retire(&self, _: ShowId, _: Fence) -> Result<(), JournalError> {
        Ok(())
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        let mut records = self.of(show);
        Ok(records.split_off(records.len().saturating_sub(last)))
    }
}

/// What came of a show.
struct Played {
    /// All that the engine sent, each with the time, in its binary encoding.
    events: Vec<u8>,
    journal: Vec<u8>,
    took: Span,
    accepted: usize,
    questions: u16,
    rejoined: usize,
}

/// The only gateway, with all players and the host.
struct Stage {
    clock: Clock,
    random: Random,
    journal: Arc<MemoryJournal>,
    bus: LocalBus,
    end: LocalGatewayEnd,
    engine: JoinHandle<()>,
    show: ShowId,
    /// Answers that are to be given, in their order.
    answers: VecDeque<(Millis, StampedAnswer)>,
    /// When the engine is killed; none before the question and after that.
    kill_at: Option<Millis>,
    played: Played,
}

impl Stage {
    async fn begin(seed: u64) -> Self {
        let (clock, random, journal) = (Clock::showing(START), Random::of_seed(seed), Arc::<MemoryJournal>::default());
        let (bus, end, engine) = start(clock, &random, &journal).await;
        let (events, journal_bytes, took) = (Vec::new(), Vec::new(), Span(0));
        let played = Played { events, journal: journal_bytes, took, accepted: 0, questions: 0, rejoined: 0 };
        let (show, answers, kill_at) = (ShowId(0), VecDeque::new(), None);
        Self { clock, random, journal, bus, end, engine, show, answers, kill_at, played }
    }

    /// Plays to the end of the show.
    async fn play(mut self) -> Played {
        self.host(FromHost::Create(Box::new(create())));
        let mut received = Vec::new();
        'show: loop {
            let next_answer = self.answers.front().map(|(at, _)| *at);
            let due = [next_answer, self.kill_at].into_iter().flatten().min();
            let due = due.map_or_else(|| self.clock.instant(START + Span(3_600_000)), |at| self.clock.instant(at));
            tokio::select! {
                biased;
                more = self.end.receive(&mut received) => assert!(more),
                () = tokio::time::sleep_until(due) => {}
            }
            for message in std::mem::take(&mut received) {
                binary::encode_into(&(self.clock.micros(), &message), &mut self.played.events);
                if matches!(&message, ToGateway::Broadcast(event) if matches!(event.message, ToPlayer::End(_))) {
                    break 'show;
                }
                self.react(message);
            }
            self.answer();
            if self.kill_at.take_if(|at| *at <= self.clock.now()).is_some() {
                self.kill().await;
            }
        }
        drop((self.end, self.bus));
        self.engine.await.unwrap();
        self.journal.of(self.show).iter().for_each(|record| binary::encode_into(record, &mut self.played.journal));
        self.played.took = self.clock.now().since(START);
        self.played
    }

    fn host(&self, message: FromHost) {
        self.end.send(ToEngine::Host { conn: HOST, message });
    }

    fn react(&mut self, message: ToGateway) {
        match message {
            ToGateway::Host { message: ToHost::Created(created), .. } => {
                self.show = created.show;
                let (id, action) = (CommandId::parse("open").unwrap(), Action::OpenLobby);
                self.host(FromHost::Command(HostCommand { id, show: created.show, action }));
                (0..PLAYERS).for_each(|player| self.join(player, &created.code, Proof::NewGuest));
            }
            ToGateway::Host { message: ToHost::Refused(refused), .. } => panic!("{refused:?}"),
            ToGateway::JoinRefused { error, .. } => panic!("{error:?}"),
            ToGateway::Barrier { show, round } => {
                self.end.send(ToEngine::BarrierPassed { gateway: GATEWAY, show, round });
            }
            ToGateway::Broadcast(event) => {
                if let ToPlayer::Question(question) = event.message {
                    self.plan_answers(&question);
                }
            }
            ToGateway::Replies(batch) => {
                let accepted = batch.replies.iter().filter(|reply| matches!(reply.verdict, Verdict::Accepted(_)));
                self.played.accepted += accepted.count();
            }
            ToGateway::Seated(seated) => {
                self.played.rejoined += usize::from(seated.view.seq.0 > 1 && self.played.questions > 0)
            }
            _ => {}
        }
    }

    fn join(&self, player: u32, code: &ShowCode, proof: Proof) {
        let conn = ConnRef { gateway: GATEWAY, conn: player.into() };
        let request = klaxon_fixtures::join_request(conn, code.as_str(), &format!("guest-{player:08}"));
        self.end.send(ToEngine::Join(JoinRequest { proof, ..request }));
    }

    /// Each player answers at some time while the question is open, some of them twice; most are right.
    fn plan_answers(&mut self, question: &Question) {
        self.played.questions += 1;
        let open = question.closes_at.since(question.opens_at).0;
        for seat in 0..PLAYERS {
            let number = self.random.next();
            let choice = Choice(u8::from(number.is_multiple_of(4)));
            for again in 0..=u64::from(number.is_multiple_of(10)) {
                let at = question.opens_at + Span((number >> 8) as u32 % open + again as u32);
                let claim = Claim { round: question.question, key: ClaimKey(0), value: choice.into() };
                let (conn, number, by) =
                    (u64::from(seat), question.question.0 * 2 + again as u16, SeatRef::first(Seat(seat)));
                self.answers.push_back((at, StampedAnswer { conn, number, by, form: ClaimForm::Answer, claim, at }));
            }
        }
        self.answers.make_contiguous().sort_by_key(|(at, answer)| (*at, answer.conn, answer.number));
        if question.question.0 == KILLED_IN && self.played.rejoined == 0 {
            self.kill_at = Some(question.opens_at + Span(1_000));
        }
    }

    /// Sends the answers whose time has come.
    fn answer(&mut self) {
        let now = self.clock.now();
        let due = self.answers.partition_point(|(at, _)| *at <= now);
        let answers: Vec<StampedAnswer> = self.answers.drain(..due).map(|(_, answer)| answer).collect();
        if !answers.is_empty() {
            self.end.send(ToEngine::Answers(AnswerBatch { gateway: GATEWAY, show: self.show, answers }));
        }
    }

    /// The process ends where it is. The next one has the journal and nothing else, and the players come back.
    async fn kill(&mut self) {
        self.engine.abort();
        assert!((&mut self.engine).await.unwrap_err().is_cancelled());
        (self.bus, self.end, self.engine) = start(self.clock, &self.random, &self.journal).await;
        let code = create().code.unwrap();
        let resume = Proof::Resume { show: self.show, issue: 0, may_sit: true };
        (0..PLAYERS).for_each(|player| self.join(player, &code, resume));
    }
}

async fn start(
    clock: Clock,
    random: &Random,
    journal: &Arc<MemoryJournal>,
) -> (LocalBus, LocalGatewayEnd, JoinHandle<()>) {
    let (bus, engine_end) = LocalBus::new();
    let ports = Ports {
        bus: Arc::new(engine_end),
        arbiter: Arc::new(MemoryArbiter::new()),
        journal: Arc::clone(journal) as Arc<dyn Journal>,
        archive: None,
        games: Games::default(),
        clock,
        random: random.clone(),
    };
    let end = bus.connect(GATEWAY);
    let engine = tokio::spawn(Shows::open(ports).await.unwrap().run());
    (bus, end, engine)
}

/// A show that plays itself.
fn create() -> Create {
    let question = |number| PackQuestion::new(format!("Question {number}?"), ["yes", "no", "perhaps"], Choice(0));
    Create {
        id: CommandId::parse("create").unwrap(),
        code: Some(ShowCode::parse("QUIZ").unwrap()),
        pack: Pack { title: "A show".into(), questions: (1..=QUESTIONS).map(question).collect() },
        settings: Settings {
            mode: Mode::Both,
            lives: 5,
            pot: 100_000,
            prize: PrizeRule::Podium { weights: vec![3, 2, 1] },
            autopilot: Autopilot { on: true, ..Autopilot::default() },
            ..Settings::default()
        },
    }
}

/// One thread, no I/O, and a clock that stands still while there is something to do.
fn play(seed: u64) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { Stage::begin(seed).await.play().await })
}

#[test]
fn a_whole_show_goes_twice_alike_on_virtual_time_though_its_engine_is_killed() {
    let began = std::time::Instant::now();
    let (once, again, other) = (play(7), play(7), play(8));
    let took = began.elapsed();
    assert_eq!(once.questions, QUESTIONS);
    assert_eq!(once.rejoined, PLAYERS as usize);
    assert!(once.accepted > 4 * PLAYERS as usize, "{} answers", once.accepted);
    assert!(once.events == again.events, "the same seed sends the same at the same times");
    assert!(once.journal == again.journal, "and journals the same");
    assert_ne!(once.events, other.events);
    let shows = once.took.to_std() * 3;
    assert!(took < shows / 4, "{took:?} for {shows:?} of shows");
}

/// A show file with a break, a quiz and a bingo.
const SHOW: &str = r#"
title = "Each kind"
lead = "1500ms"
script = { on = true, lobby = "20s", suspense = "1s", between = "4s" }

[[parts]]
part = "break"
text = "Welcome!"
for = "45s"

[[parts]]
part = "quiz"
open_for = "12s"
questions = [
    { text = "Read this.", kind = "slide", open_for = "5s" },
    { text = "2 + 2?", kind = "choice", choices = ["4", "5"], right = 0 },
    { text = "3 + 3?", kind = "number", right = 6, score = { by = "within", off = 0 }, open_for = "7s" },
]

[[parts]]
part = "bingo"
balls = 75
prizes = [{ name = "Line", pattern = "line", amount = 100 }]
settings = { pace = "2s", window = "3s" }
"#;

/// From the opening of the lobby of an empty show to its end, as an engine plays it.
async fn played_by_script(show: &show_file::PreparedShow) -> Span {
    let (clock, random, journal) = (Clock::showing(START), Random::of_seed(7), Arc::<MemoryJournal>::default());
    let (_bus, end, engine) = start(clock, &random, &journal).await;
    let host = |message| end.send(ToEngine::Host { conn: HOST, message });
    host(FromHost::CreateGame(Box::new(show.create(CommandId::parse("create").unwrap()))));
    let (mut received, mut opened) = (Vec::new(), None);
    loop {
        assert!(end.receive(&mut received).await);
        for message in std::mem::take(&mut received) {
            match message {
                ToGateway::Host { message: ToHost::Created(created), .. } => {
                    let (id, action) = (CommandId::parse("open").unwrap(), Action::OpenLobby);
                    let command = HostCommand { id, show: created.show, action };
                    end.send(ToEngine::Host { conn: HOST, message: FromHost::Command(command) });
                    // A gateway that has somebody of the show is waited for.
                    let conn = ConnRef { gateway: GATEWAY, conn: 1 };
                    end.send(ToEngine::Join(klaxon_fixtures::join_request(
                        conn,
                        created.code.as_str(),
                        "guest-00000001",
                    )));
                }
                ToGateway::Host { message: ToHost::Refused(refused), .. } => panic!("{refused:?}"),
                ToGateway::Barrier { show, round } => {
                    end.send(ToEngine::BarrierPassed { gateway: GATEWAY, show, round });
                }
                ToGateway::Broadcast(event) => match event.message {
                    ToPlayer::Opened(mark) => opened = Some(mark.at),
                    ToPlayer::End(mark) => {
                        engine.abort();
                        return mark.at.since(opened.unwrap());
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

#[test]
fn a_show_takes_as_long_as_its_dry_run_says() {
    let show = show_file::parse("show.toml", SHOW.as_bytes(), "".as_ref()).unwrap();
    let told = dry_run::play(&show, DryOptions { players: 0, seed: 1 }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let took = runtime.block_on(played_by_script(&show));
    assert_eq!(u64::from(took.0), told.length, "{told}");
    assert_eq!(told.parts.iter().map(|part| part.rounds).collect::<Vec<_>>(), [0, 2, 75], "{told}");
}
