//! Every break in a live show: a real server, real players, and the proxy in between.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::games::trivia::{NobodyLeft, Settings};
use klaxon_protocol::journal::{MAGIC, Record, Records, frame_record};
use klaxon_protocol::time::Span;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::evidence::Evidence;
use klaxon_simulator::swarm::faults::{FaultPlan, Untouched};
use klaxon_simulator::swarm::games::Game;
use klaxon_simulator::swarm::games::trivia::arithmetic;
use klaxon_simulator::swarm::host::{Extras, Pace};
use klaxon_simulator::swarm::journals::journal_of;
use klaxon_simulator::swarm::players::{CodecChoice, Shares, SwarmSettings};
use klaxon_simulator::swarm::replay::ReplayCommand;
use klaxon_simulator::swarm::show::{ShowPlan, play};
use klaxon_simulator::swarm::standalone::{Standalone, StandalonePlan};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::{accept_async, client_async};
use tungstenite::Message;

use crate::breaker::Break;
use crate::proxy::Proxy;
use crate::told;

const PLAYERS: u32 = 30;
const QUESTIONS: u16 = 3;

/// A short elimination with all habits; in JSON where a proxy must read the messages.
fn plan(seed: u64, codec: CodecChoice) -> ShowPlan {
    let settings = Settings {
        open_for: Span(2000),
        lead: Span(200),
        pot: 1001,
        nobody_left: NobodyLeft::LastStanding,
        lives: 1,
        ..Settings::default()
    };
    ShowPlan {
        game: Game::Trivia { pack: arithmetic(seed, QUESTIONS), settings },
        pace: Pace {
            players: PLAYERS,
            lobby_least: Duration::from_millis(500),
            lobby_most: Duration::from_secs(20),
            suspense: Duration::from_millis(100),
            pause: Duration::from_millis(200),
            autopilot: false,
        },
        extras: Extras::default(),
        swarm: SwarmSettings {
            seed,
            players: PLAYERS,
            spectators: 2,
            rush: Duration::from_millis(300),
            codec,
            shares: Shares {
                bad_networks: 0.1,
                cheats: 0.2,
                double_taps: 0.3,
                two_devices: 0.1,
                dawdlers: 0.5,
                hidden_tabs: 0.1,
            },
        },
        hostile: 0,
        faults: FaultPlan::default(),
        limit: Duration::from_secs(120),
    }
}

/// The path of the server program, which is built if necessary.
fn klaxon() -> PathBuf {
    let target = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--package", "klaxon-gateway", "--bin", "klaxon"];
    let status = Command::new(cargo).args(build).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success(), "the server can't be built");
    target.join("klaxon")
}

/// Plays a show with each break, and one without, all at once; returns the evidence of each.
async fn play_all(klaxon: &Path) -> Vec<(Option<Break>, Evidence)> {
    let data = tempfile::tempdir().unwrap();
    let launch = StandalonePlan { program: klaxon.to_owned(), data: data.path().to_owned(), core: None };
    let server = Standalone::start(&launch).await.unwrap();
    let (players, admin) = (server.players(), server.admin().unwrap());
    let mut shows = JoinSet::new();
    let breaks = std::iter::once(None).chain(Break::ALL.map(Some));
    for (what, seed) in breaks.zip(1..) {
        let admin = admin.clone();
        shows.spawn(async move {
            let (proxy, codec) = match what {
                Some(what) => (Some(Proxy::start(players, what).await.unwrap()), CodecChoice::Json),
                None => (None, CodecChoice::Mix),
            };
            let address = proxy.as_ref().map_or(players, |proxy| proxy.address);
            (what, play(plan(seed, codec), address.into(), admin, &mut Untouched, |_, _| {}).await.unwrap())
        });
    }
    let played = shows.join_all().await;
    let resident = server.stop().await.unwrap();
    let journals = data.path().join("journal");
    let with_journal = played.into_iter().map(|(what, mut played)| {
        played.evidence.resident.clone_from(&resident);
        (played.evidence.journal, played.evidence.people) = journal_of(&journals, played.created.show).unwrap();
        (what, played.evidence)
    });
    with_journal.collect()
}

/// The same records with a changed state in the middle, and correct checksums.
fn with_another_state(journal: &[u8]) -> Vec<u8> {
    let mut records: Vec<Record> = Records::new(journal).unwrap().map(|record| record.unwrap().1).collect();
    let middle = records.len() / 2;
    records[middle].state ^= 1;
    let mut bytes = MAGIC.to_vec();
    records.iter().for_each(|record| frame_record(record, &mut bytes).unwrap());
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_break_is_found_between_live_players_and_a_live_server() {
    let klaxon = klaxon();
    let shows = play_all(&klaxon).await;
    assert_eq!(shows.len(), 1 + Break::ALL.len());
    let strict = AuditOptions {
        margin: Duration::from_millis(300),
        reply_limit: Duration::from_millis(500),
        ..AuditOptions::default()
    };
    for (what, mut evidence) in shows {
        match what {
            Some(what) => {
                let audit = audit(&evidence, &strict);
                assert!(audit.broken().contains(&what.promise()), "{what:?}: {:#?}", told(&audit));
            }
            None => {
                let klaxon = ReplayCommand::of_klaxon(klaxon.clone());
                let options = AuditOptions::default();
                evidence.replay = Some(klaxon.run(&evidence.journal, &evidence.people));
                let clean: Audit = audit(&evidence, &options);
                assert!(clean.clean(), "{:#?} {clean:#?}", told(&clean));
                evidence.journal = with_another_state(&evidence.journal);
                evidence.replay = Some(klaxon.run(&evidence.journal, &evidence.people));
                assert_eq!(audit(&evidence, &options).broken(), [7]);
            }
        }
    }
}

#[tokio::test]
async fn the_proxy_carries_what_it_does_not_break_byte_for_byte() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap(), Break::DropsAnEvent).await.unwrap();
    let echo = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if !message.is_close() {
                socket.send(message).await.unwrap();
            }
        }
    };
    let player = async {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (mut socket, _) = client_async(format!("ws://{}/play", proxy.address), stream).await.unwrap();
        let odd = Message::text("{ \"type\" : \"pong\", \"z\": 1, \"a\": 2 }");
        for message in [Message::text("{\"type\":\"close\",\"seq\":1}"), odd.clone(), Message::binary(vec![1, 2, 3])] {
            socket.send(message).await.unwrap();
        }
        assert_eq!(socket.next().await.unwrap().unwrap(), odd);
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(vec![1, 2, 3]));
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
    };
    tokio::join!(echo, player);
}
