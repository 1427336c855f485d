//! An engine with one scripted gateway, that can be cut off as by a crash and started again on the same disk.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use klaxon_engine::Ports;
use klaxon_engine::arbiter::MemoryArbiter;
use klaxon_engine::archive::{Archive, SqlArchive};
use klaxon_engine::bus::{EngineEnd, GatewayEnd, LocalBus, LocalGatewayEnd};
use klaxon_engine::clock::Clock;
use klaxon_engine::game::Games;
use klaxon_engine::journal::{FileJournal, Journal, SyncPolicy};
use klaxon_engine::random::Random;
use klaxon_engine::shows::Shows;
use klaxon_fixtures::{claim, create};
use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Create, Pack, Settings, Snapshot, You};
use klaxon_protocol::host::{Action, FromHost, HostCommand, ShowLine, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, GatewayId, Seat, SeatRef, ShowCode, ShowId};
use klaxon_protocol::link::{AnswerBatch, JoinRequest, Seated, StampedAnswer, ToEngine, ToGateway, View};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::{Millis, Span};
use tokio::task::JoinHandle;

use crate::faults::{FaultyBus, FaultyJournal};

pub const GATEWAY: GatewayId = GatewayId(7);
const HOST: ConnRef = ConnRef { gateway: GATEWAY, conn: 999 };
const PATIENCE: Duration = Duration::from_secs(20);

pub struct House {
    pub clock: Clock,
    pub archive: Arc<SqlArchive>,
    pub journal: Arc<FaultyJournal>,
    pub engine_end: Arc<FaultyBus>,
    end: LocalGatewayEnd,
    heard: VecDeque<ToGateway>,
    engine: JoinHandle<()>,
    bus: LocalBus,
    /// Whether the gateway hands in at barriers by itself.
    pub hands_in: bool,
}

pub fn settings() -> Settings {
    Settings { barrier: Span(10_000), pot: 100, ..klaxon_fixtures::settings(Span(60_000)) }
}

pub fn pack(questions: usize) -> Pack {
    klaxon_fixtures::pack(questions, ["no", "yes"])
}

/// A seat that was given once.
pub const fn seat(number: u32) -> SeatRef {
    SeatRef::first(Seat(number))
}

/// A new player who wants in, on the connection of the same number.
pub fn join_request(code: &str, player: u32) -> JoinRequest {
    let conn = ConnRef { gateway: GATEWAY, conn: player.into() };
    klaxon_fixtures::join_request(conn, code, &format!("player {player}"))
}

/// Waits until nobody works with the journal any more.
async fn left(journal: Arc<FaultyJournal>) {
    let left = Arc::downgrade(&journal);
    drop(journal);
    while left.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}

impl House {
    pub async fn open(data: &Path) -> Self {
        let journal = FileJournal::open(&data.join("journal"), SyncPolicy::Always).await.unwrap();
        Self::open_with(data, journal).await
    }

    pub async fn open_with(data: &Path, journal: impl Journal) -> Self {
        Self::open_around(data, journal, |archive| archive).await
    }

    /// Opens one whose engine has another archive, made around the real one.
    pub async fn open_around(
        data: &Path,
        journal: impl Journal,
        around: impl FnOnce(Arc<SqlArchive>) -> Arc<dyn Archive>,
    ) -> Self {
        let (bus, engine_end) = LocalBus::new();
        let engine_end = Arc::new(FaultyBus::around(engine_end));
        let archive = Arc::new(SqlArchive::open_file(&data.join("archive.sqlite")).await.unwrap());
        let journal = Arc::new(FaultyJournal::around(journal));
        let clock = Clock::start();
        let ports = Ports {
            bus: Arc::clone(&engine_end) as Arc<dyn EngineEnd>,
            arbiter: Arc::new(MemoryArbiter::new()),
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            archive: Some(around(Arc::clone(&archive))),
            games: Games::default(),
            clock,
            random: Random::of_system(),
        };
        let end = bus.connect(GATEWAY);
        let engine = tokio::spawn(Shows::open(ports).await.unwrap().run());
        Self { clock, archive, journal, engine_end, end, heard: VecDeque::new(), engine, bus, hands_in: true }
    }

    /// Cuts everything off in the middle of what it does.
    pub async fn crash(self) {
        self.engine.abort();
        let _ = self.engine.await;
        left(self.journal).await;
    }

    /// Lets the gateway leave, and waits until the engine has done what it had to do.
    pub async fn stop(self) -> Arc<SqlArchive> {
        drop((self.end, self.bus));
        tokio::time::timeout(PATIENCE, self.engine).await.expect("it stops").unwrap();
        left(self.journal).await;
        self.archive
    }

    pub fn say(&self, message: ToEngine) {
        self.end.send(message);
    }

    /// Waits for the first thing heard that is wanted; all before it is dropped.
    pub async fn hear<T>(&mut self, wanted: impl FnMut(ToGateway) -> Option<T>) -> T {
        let mut wanted = wanted;
        let hearing = async {
            loop {
                while let Some(message) = self.heard.pop_front() {
                    if let ToGateway::Barrier { show, round } = message
                        && self.hands_in
                    {
                        self.end.send(ToEngine::BarrierPassed { gateway: GATEWAY, show, round });
                    }
                    if let Some(found) = wanted(message) {
                        return found;
                    }
                }
                let mut more = Vec::new();
                assert!(self.end.receive(&mut more).await, "the engine is gone");
                self.heard.extend(more);
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("it is said within the time of patience")
    }

    pub fn host_says(&self, message: FromHost) {
        self.say(ToEngine::Host { conn: HOST, message });
    }

    pub async fn host_hears(&mut self) -> ToHost {
        self.hear(|message| match message {
            ToGateway::Host { message, .. } => Some(message),
            _ => None,
        })
        .await
    }

    pub fn ask_to_create(&self, id: &str, code: &str, settings: Settings, questions: usize) {
        let create = Create { code: Some(ShowCode::parse(code).unwrap()), ..create(id, pack(questions), settings) };
        // As gateways pass it on.
        self.host_says(FromHost::Create(Box::new(create)).encodable());
    }

    pub async fn create(&mut self, id: &str, settings: Settings, questions: usize) -> ToHost {
        self.ask_to_create(id, "LIVE", settings, questions);
        self.host_hears().await
    }

    pub async fn shows(&mut self) -> Vec<ShowLine> {
        self.host_says(FromHost::Shows);
        match self.host_hears().await {
            ToHost::Shows(list) => list.shows,
            other => panic!("{other:?}"),
        }
    }

    /// A show with its lobby open.
    pub async fn lobby(&mut self, settings: Settings, questions: usize) -> ShowId {
        let ToHost::Created(created) = self.create("create", settings, questions).await else { panic!("not created") };
        self.command(created.show, "open", Action::OpenLobby).await;
        created.show
    }

    pub async fn command(&mut self, show: ShowId, id: &str, action: Action) -> ToHost {
        self.ask_for(show, id, action);
        self.host_hears().await
    }

    pub fn ask_for(&self, show: ShowId, id: &str, action: Action) {
        self.host_says(FromHost::Command(HostCommand { id: CommandId::parse(id).unwrap(), show, action }));
    }

    pub fn ask_to_join(&self, player: u32) {
        self.ask_to_join_in("LIVE", player);
    }

    pub fn ask_to_join_in(&self, code: &str, player: u32) {
        self.say(ToEngine::Join(join_request(code, player)));
    }

    pub async fn join(&mut self, player: u32) -> Seated {
        self.ask_to_join(player);
        self.hear(|message| match message {
            ToGateway::Seated(seated) if seated.conn.conn == u64::from(player) => Some(seated),
            ToGateway::JoinRefused { error, .. } => panic!("{error:?}"),
            _ => None,
        })
        .await
    }

    /// The seat that the next join is given, or why it is refused. All that is heard before is dropped.
    pub async fn try_join(&mut self, request: JoinRequest) -> Result<Seated, ErrorMessage> {
        self.say(ToEngine::Join(request));
        self.hear(|message| match message {
            ToGateway::Seated(seated) => Some(Ok(seated)),
            ToGateway::JoinRefused { error, .. } => Some(Err(error)),
            _ => None,
        })
        .await
    }

    /// Why a join is refused.
    pub async fn refused_join(&mut self, code: &str, player: u32) -> ErrorCode {
        self.try_join(join_request(code, player)).await.unwrap_err().code
    }

    /// All that was said since the last thing heard, without waiting for more.
    pub async fn heard_meanwhile(&mut self) -> Vec<ToGateway> {
        let mut more: Vec<ToGateway> = self.heard.drain(..).collect();
        let _ = tokio::time::timeout(Duration::ZERO, self.end.receive(&mut more)).await;
        more
    }

    /// Answers that were read at a moment, each as (seat, choice); the connection's number is the seat's.
    pub fn answer(&self, show: ShowId, question: u16, at: Millis, answers: &[(u32, u8)]) {
        let answers = answers.iter().map(|&(seat, choice)| StampedAnswer {
            conn: u64::from(seat),
            number: 1,
            by: self::seat(seat),
            form: ClaimForm::Answer,
            claim: claim(question, choice),
            at,
        });
        self.say(ToEngine::Answers(AnswerBatch { gateway: GATEWAY, show, answers: answers.collect() }));
    }

    /// The next verdicts, as (connection, verdict).
    pub async fn verdicts(&mut self) -> Vec<(u64, Verdict)> {
        self.hear(|message| match message {
            ToGateway::Replies(batch) => {
                Some(batch.replies.iter().map(|reply| (reply.conn, reply.verdict.clone())).collect())
            }
            _ => None,
        })
        .await
    }

    pub async fn event<T>(&mut self, wanted: impl Fn(ToPlayer) -> Option<T>) -> T {
        self.hear(|message| match message {
            ToGateway::Broadcast(broadcast) => wanted(broadcast.message),
            _ => None,
        })
        .await
    }
}

/// The snapshot of who came in.
pub fn snapshot(view: &View) -> &Snapshot {
    let ToPlayer::Snapshot(snapshot) = &view.message else { panic!("{view:?}") };
    snapshot
}

/// The own state of who came in.
pub fn you(seated: &Seated) -> You {
    let ToPlayer::You(you) = seated.own else { panic!("{seated:?}") };
    you
}
