//! docs/compose.yaml, started by its parts: Klaxon's services as it says, as processes, on real servers of this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use klaxon_engine::archive::{Archive, SqlArchive};
use klaxon_gateway::cli::Command as Subcommand;
use klaxon_servers::{Broker, Persistence, Postgres, Redis, Storage};
use rustix::process::Signal;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::compose_file::{CHOSEN, ComposeFile, Service};
use crate::player::Player;
use crate::program::Program;
use crate::server::{PACK, clean, get};

/// The servers around Klaxon, and a folder for each volume.
struct Ground {
    runtime: Runtime,
    /// How the file calls the servers, and what they are called here.
    servers: Vec<(String, String)>,
    dir: TempDir,
    database: String,
    _redis: Redis,
    _broker: Broker,
    _postgres: Postgres,
}

/// A service that is up.
struct Part {
    service: Service,
    program: Program,
    at: Listening,
}

/// Where a service listens.
#[derive(Deserialize)]
struct Listening {
    players: Option<SocketAddr>,
    admin: SocketAddr,
}

impl Ground {
    fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let (redis, broker, postgres) = runtime.block_on(async {
            let redis = Redis::start(Persistence::AppendOnly).await.unwrap();
            let broker = Broker::start(Storage::Memory).await.unwrap();
            (redis, broker, Postgres::start().await.unwrap())
        });
        let database = postgres.url();
        let servers = vec![
            ("redis://redis:6379".into(), redis.url()),
            ("kafka:9092".into(), broker.address()),
            (format!("postgres://klaxon:{CHOSEN}@postgres:5432/klaxon"), database.clone()),
        ];
        let dir = tempfile::tempdir().unwrap();
        Self { runtime, servers, dir, database, _redis: redis, _broker: broker, _postgres: postgres }
    }

    fn path(&self, service: &Service, path: &str) -> PathBuf {
        service.path(self.dir.path(), path).unwrap_or_else(|| panic!("{path} is in no volume"))
    }

    /// The service's command, on ports of its own choice, with other addresses in the place of the servers'.
    fn command(&self, service: &Service, further: &[(String, String)]) -> Command {
        let words = service.words();
        let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon"));
        clean(&mut command).args(&words[1..]);
        for (name, mut value) in service.environment() {
            if value.starts_with('/') {
                value = self.path(service, &value).display().to_string();
            } else if value.starts_with("0.0.0.0:") {
                value = "127.0.0.1:0".into();
            }
            for (there, here) in self.servers.iter().chain(further) {
                value = value.replace(there, here);
            }
            command.env(name, value);
        }
        command
    }

    /// Waits until a service is up, and well as its healthcheck has it.
    #[track_caller]
    fn ready(&self, service: Service, mut program: Program) -> Part {
        program.wait_for(&["\"ready\""]);
        let addresses = self.path(&service, "/data/addresses.json");
        let at: Listening = serde_json::from_slice(&std::fs::read(addresses).unwrap()).unwrap();
        let (port, path, with_token) = service.healthcheck();
        let environment = service.environment();
        let listens = |name| environment.get(name).is_some_and(|address| address.ends_with(&format!(":{port}")));
        let asked = if listens("KLAXON_LISTEN") { at.players.unwrap() } else { at.admin };
        assert!(listens("KLAXON_LISTEN") || listens("KLAXON_ADMIN_LISTEN"), "nobody listens at {port}");
        let token = std::fs::read_to_string(self.path(&service, "/secrets/admin.token")).unwrap();
        let headers = if with_token { format!("Authorization: Bearer {}\r\n", token.trim()) } else { String::new() };
        let health = get(asked, &path, &headers);
        assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
        Part { service, program, at }
    }
}

#[test]
fn every_service_of_the_compose_file_is_understood_and_comes_back_when_it_dies() {
    for (name, service) in ComposeFile::read().klaxon() {
        match service.understood().command {
            Subcommand::Host(options) => assert_eq!(options.admin.len(), 3),
            Subcommand::Gateway(options) => {
                assert!(options.public_url.is_some(), "{name}");
                assert!(options.players.drain_limit.to_std().as_secs() < 30, "{name}");
            }
            Subcommand::Engine(options) => assert_eq!(options.name.as_ref(), Some(&name)),
            Subcommand::Archive(_) => {}
            other => panic!("{name}: {other:?}"),
        }
        if name != "host" {
            assert_eq!(service.restart.as_deref(), Some("unless-stopped"), "{name}");
            assert_eq!(service.stop_grace_period.as_deref(), Some("30s"), "{name}");
            assert!(service.volumes.contains(&format!("{name}:/data")), "{name} has no data of its own");
        }
    }
}

#[test]
fn the_compose_file_plays_a_show_whose_gateway_stops_and_whose_host_goes_on_at_another() {
    let ground = Ground::open();
    let mut services = ComposeFile::read().klaxon();
    let host = services.remove("host").unwrap();
    // All at one time, as after a power cut.
    let starting: Vec<(String, Service, Program)> = services
        .into_iter()
        .map(|(name, service)| {
            let program = Program::start(&mut ground.command(&service, &[]));
            (name, service, program)
        })
        .collect();
    let mut parts: BTreeMap<String, Part> =
        starting.into_iter().map(|(name, service, program)| (name, ground.ready(service, program))).collect();
    let kinds = |kind: &str| parts.values().filter(|part| part.service.words()[1] == kind).count();
    assert_eq!([kinds("engine"), kinds("gateway"), kinds("archive")], [2, 3, 1]);

    // A host's console for all gateways makes a show at the first.
    let gateways: Vec<(String, String)> =
        parts.iter().map(|(name, part)| (format!("{name}:4701"), part.at.admin.to_string())).collect();
    let console = |flags: &[&str]| Program::start(ground.command(&host, &gateways).args(flags));
    let pack = ground.dir.path().join("pack.toml");
    std::fs::write(&pack, PACK).unwrap();
    let flags = ["--pack", pack.to_str().unwrap(), "--code", "PARTS", "--mode", "points", "--open-for", "10min"];
    let mut first = console(&flags);
    first.send("open");
    first.wait_for(&["ok: open: done"]);
    let (mut ann, welcome) = Player::join(parts["gateway-2"].at.players.unwrap(), "PARTS", "Ann");
    first.send("next");
    first.wait_for(&["event: question 1 of 2"]);

    // At another gateway, which did not hear the show before, it is seen with the question that runs.
    let third = parts["gateway-3"].at.admin.to_string();
    let mut second = console(&["--admin", &third, "--code", "PARTS"]);
    second.wait_for(&["event: question 1 of 2"]);
    ann.question(1);
    ann.answer(1, 1);
    assert!(ann.is_accepted(1));

    // The first gateway stops, and its host goes on at the second.
    let stopped = parts.remove("gateway-1").unwrap();
    stopped.program.stop();
    first.wait_for(&["connection: the connection is back, with", &parts["gateway-2"].at.admin.to_string()]);
    for order in ["close", "wait closed", "reveal", "end", "wait ended"] {
        first.send(order);
    }
    second.wait_for(&["event: the show is over"]);
    for mut console in [first, second] {
        assert!(console.end().success(), "{}", console.said.join("\n"));
    }

    let podium = ground.runtime.block_on(async {
        let archive = SqlArchive::open(&ground.database).await.unwrap();
        while archive.show(welcome.show).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        archive.podium(welcome.show, 10).await.unwrap()
    });
    assert_eq!(podium.len(), 1);
    drop(ann);
    for part in parts.values() {
        part.program.signal(Signal::TERM);
    }
    for mut part in parts.into_values() {
        assert!(part.program.end().success(), "{}", part.program.said.join("\n"));
    }
}
