//! Two gateways, two engines and an archive as processes of their own, on a real Redis and a real broker.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use klaxon_engine::archive::{Archive, SqlArchive};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::player::{Goodbye, Phase, ToPlayer};
use klaxon_servers::{Broker, Persistence, Redis, Storage};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::player::Player;
use crate::program::Program;
use crate::server::{Server, klaxon};

/// The servers that all processes share.
struct Ground {
    runtime: Runtime,
    redis: Redis,
    broker: Broker,
    dir: TempDir,
    /// By which all processes seal, if they do.
    seal_key_file: Option<PathBuf>,
}

/// An engine, with its name.
struct Engine {
    program: Program,
    name: &'static str,
}

impl Ground {
    fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let (redis, broker) = runtime.block_on(async {
            (Redis::start(Persistence::None).await.unwrap(), Broker::start(Storage::Memory).await.unwrap())
        });
        Self { runtime, redis, broker, dir: tempfile::tempdir().unwrap(), seal_key_file: None }
    }

    /// The same, whose processes have a key.
    fn sealed() -> Self {
        let ground = Self::open();
        let path = ground.path("seal.keys");
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        writeln!(file, "3f9b1c70e2d8a4569ac07d1be5f28346").unwrap();
        Self { seal_key_file: Some(path), ..ground }
    }

    /// What names the key, if there is one.
    fn seal_flag(&self) -> Option<String> {
        self.seal_key_file.as_ref().map(|path| format!("--seal-key-file={}", path.display()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    #[track_caller]
    fn engine(&self, name: &'static str) -> Engine {
        let (redis, kafka) = (self.redis.url(), self.broker.address());
        let mut command = klaxon(&["engine", "--redis", &redis, "--kafka", &kafka, "--name", name]);
        command.args(self.seal_flag());
        command.args(["--admin-listen", "127.0.0.1:0", "--kafka-partitions", "2", "--data-dir"]);
        let mut program = Program::start(command.arg(self.path(name)));
        program.wait_for(&["ready", "admin="]);
        Engine { program, name }
    }

    /// Gateways share the secret behind resume tokens.
    #[track_caller]
    fn gateway(&self, name: &str) -> Server {
        let secret = self.path("resume.secret");
        let (redis, seal_flag) = (self.redis.url(), self.seal_flag());
        let mut words = vec!["gateway", "--redis", &redis, "--secret-file", secret.to_str().unwrap()];
        words.extend(seal_flag.as_deref());
        Server::start_as(&self.path(name), &words)
    }

    /// What is in the database when the archive has the show.
    fn archived(&self, show: ShowId, database: &Path) -> SqlArchive {
        let (kafka, url) = (self.broker.address(), format!("sqlite:{}?mode=rwc", database.display()));
        let mut command = klaxon(&["archive", "--kafka", &kafka, "--database", &url, "--admin-listen", "127.0.0.1:0"]);
        command.args(self.seal_flag());
        let mut program = Program::start(command.arg("--data-dir").arg(self.path("archive")));
        program.wait_for(&["ready", "admin="]);
        let archive = self.runtime.block_on(async {
            let archive = SqlArchive::open(&url).await.unwrap();
            while archive.show(show).await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
            archive
        });
        program.stop();
        archive
    }
}

/// Which of two engines has the show, and the other one.
fn owner_first(engines: [Engine; 2], code: &str) -> [Engine; 2] {
    let [mut one, mut other] = engines;
    let plays = |engine: &mut Engine| engine.program.has_printed(&["a new show is played here", code]);
    loop {
        if plays(&mut one) {
            return [one, other];
        }
        if plays(&mut other) {
            return [other, one];
        }
    }
}

fn goodbye(player: &mut Player) -> Goodbye {
    player.receive(|message| if let ToPlayer::Goodbye(goodbye) = message { Some(goodbye) } else { None })
}

#[test]
fn a_show_goes_on_while_players_move_an_engine_dies_and_a_gateway_stops() {
    let ground = Ground::sealed();
    let engines = [ground.engine("engine-1"), ground.engine("engine-2")];
    let (a, b) = (ground.gateway("a"), ground.gateway("b"));
    let mut host = a.host_of_new_show("MANY");
    let [mut owner, mut heir] = owner_first(engines, "MANY");

    let (mut ann, ann_is) = Player::join(a.addresses.players, "MANY", "Ann");
    let (mut bob, _) = Player::join(b.addresses.players, "MANY", "Bob");
    host.send("next");
    for player in [&mut ann, &mut bob] {
        player.question(1);
        player.answer(1, 1);
        assert!(player.is_accepted(1));
    }

    // Ann goes over to the other gateway, in the middle of the question.
    let mut moved = Player::resume(b.addresses.players, "MANY", ann_is.resume.clone());
    assert_eq!(moved.welcome().seat, ann_is.seat);
    let (snapshot, you) = moved.snapshot();
    assert_eq!(snapshot.phase, Phase::Question);
    assert!(snapshot.question.is_some() && you.answered.is_some() && you.alive, "{you:?}");
    let code = ann.receive(|message| if let ToPlayer::Error(error) = message { Some(error.code) } else { None });
    assert_eq!(code, ErrorCode::Displaced);
    host.send("close");
    host.send("wait closed");
    host.send("reveal");
    let score = moved.receive(|message| if let ToPlayer::Result(result) = message { Some(result.score) } else { None });

    // The engine dies with the second question open, and the other one goes on with it.
    host.send("next");
    moved.question(2);
    bob.question(2);
    moved.answer(2, 1);
    assert!(moved.is_accepted(2));
    owner.program.signal(Signal::KILL);
    assert!(!owner.program.end().success(), "{} is gone", owner.name);
    bob.answer(2, 1);
    assert!(bob.is_accepted(2));
    heir.program.wait_for(&["the show is taken over"]);
    // What was acknowledged before counts for the heir, too.
    moved.answer(2, 0);
    assert!(!moved.is_accepted(2));

    // The gateway stops, and says where to go.
    b.program.signal(Signal::TERM);
    let to = format!("ws://{}/play", a.addresses.players);
    assert_eq!(goodbye(&mut moved).to, Some(to.clone()));
    assert_eq!(goodbye(&mut bob).to, Some(to));
    drop((moved, bob));
    b.stop();
    let mut back = Player::resume(a.addresses.players, "MANY", ann_is.resume);
    assert_eq!(back.welcome().seat, ann_is.seat);
    let (snapshot, you) = back.snapshot();
    assert_eq!((snapshot.phase, you.score, you.answered.is_some()), (Phase::Question, score, true));

    for order in ["close", "wait closed", "reveal", "end", "wait ended"] {
        host.send(order);
    }
    host.wait_for(&["event: question 2: ", " of 2 answers; 0 silent"]);
    assert!(host.end().success(), "{}", host.said.join("\n"));
    a.stop();
    heir.program.stop();

    // All of it is in Kafka, and from there in the database.
    let show = ann_is.show;
    let saved = ground.path("saved.klxj");
    let (kafka, id) = (ground.broker.address(), show.to_string());
    let replay = |key: Option<String>| {
        let mut replay = klaxon(&["replay", "--kafka", &kafka, "--show", &id, "--save"]);
        replay.arg(&saved).args(key).output().unwrap()
    };
    let without_key = replay(None);
    let told = String::from_utf8(without_key.stderr).unwrap();
    assert!(!without_key.status.success() && told.contains("record 0: it is sealed with key"), "{told}");
    assert!(told.contains("seal-key-file") && !saved.exists(), "{told}");
    let output = replay(ground.seal_flag());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let from_file = klaxon(&["replay"]).arg(&saved).output().unwrap();
    assert_eq!(from_file.stdout, output.stdout, "with names");
    assert!(String::from_utf8(output.stdout).unwrap().contains("identical: "));
    let archive = ground.archived(show, &ground.path("archive.sqlite"));
    let podium = ground.runtime.block_on(archive.podium(show, 10)).unwrap();
    let podium: Vec<&str> = podium.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(podium, ["Ann", "Bob"]);

    // Ann is forgotten, by whoever has the key.
    let printed = String::from_utf8(from_file.stdout).unwrap();
    let line = printed.lines().find(|line| line.contains(r#" is taken by "Ann" ("#)).unwrap();
    let player = line.split_once('(').unwrap().1.split(')').next().unwrap();
    let forget = |key: Option<String>| {
        let redis = ground.redis.url();
        let mut forget = klaxon(&["forget", player, "--kafka", &kafka, "--redis", &redis]);
        forget.args(key).output().unwrap()
    };
    let nowhere = klaxon(&["forget", player, "--kafka", &kafka, "--kafka-people-topic", "nowhere"]).output().unwrap();
    let told = String::from_utf8(nowhere.stderr).unwrap();
    assert!(!nowhere.status.success() && told.contains("Kafka has no topic nowhere. Name it with --kafka-"), "{told}");
    let without_key = forget(None);
    let told = String::from_utf8(without_key.stdout).unwrap();
    assert!(!without_key.status.success() && told.contains("This can't be read, and may name them: "), "{told}");
    let done = forget(ground.seal_flag());
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{told}{}", String::from_utf8_lossy(&done.stderr));
    assert!(told.contains(&format!("klaxon.journal.people: 1 records of them taken out, of show {show}")), "{told}");
    let after = replay(ground.seal_flag());
    let printed = String::from_utf8(after.stdout).unwrap();
    assert!(printed.contains("identical: ") && printed.contains(r#" is taken by "Bob" ("#), "{printed}");
    assert!(printed.contains("is taken by a guest who is not named here: \"Player "), "{printed}");
    for file in [saved.clone(), saved.with_extension("klxp")] {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(player.len()).any(|part| part == player.as_bytes()), "{}", file.display());
    }
}

#[test]
fn an_engine_that_stops_hands_its_show_over() {
    let ground = Ground::open();
    let engines = [ground.engine("engine-1"), ground.engine("engine-2")];
    let gateway = ground.gateway("a");
    let mut host = gateway.host_of_new_show("HANDED");
    let [owner, mut heir] = owner_first(engines, "HANDED");
    let (mut ann, _) = Player::join(gateway.addresses.players, "HANDED", "Ann");
    host.send("next");
    ann.question(1);
    owner.program.stop();
    heir.program.wait_for(&["the show is taken over"]);
    ann.answer(1, 1);
    assert!(ann.is_accepted(1));
    for order in ["close", "wait closed", "reveal", "end", "wait ended"] {
        host.send(order);
    }
    assert!(host.end().success(), "{}", host.said.join("\n"));
    gateway.stop();
    heir.program.stop();
}
