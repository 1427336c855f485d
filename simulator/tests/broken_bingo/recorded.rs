//! A show of bingo that was played on a real server, in a form in which it can be changed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::rundown::Script;
use klaxon_protocol::journal::{MAGIC, Record, Records, frame_record};
use klaxon_protocol::player::ToPlayer;
use klaxon_simulator::evidence::{ConnectionLog, Direction, Evidence, Micros};
use klaxon_simulator::swarm::faults::{FaultPlan, Untouched};
use klaxon_simulator::swarm::games::ShowName;
use klaxon_simulator::swarm::games::rundown::{CommonSettings, show};
use klaxon_simulator::swarm::games::trivia::arithmetic;
use klaxon_simulator::swarm::host::{Extras, Pace};
use klaxon_simulator::swarm::journals::journal_of;
use klaxon_simulator::swarm::players::{CodecChoice, Shares, SwarmSettings};
use klaxon_simulator::swarm::show::{ShowPlan, play};
use klaxon_simulator::swarm::standalone::{Standalone, StandalonePlan};

const PLAYERS: u32 = 30;

/// A frame of a connection, by its index in the connection's log.
type Frame = (Codec, Vec<u8>);

/// A show that was played.
#[derive(Clone)]
pub struct Recorded {
    pub records: Vec<Record>,
    people: Vec<u8>,
    /// Each connection with the bytes of its entries.
    connections: Vec<(ConnectionLog, Vec<Frame>)>,
    resident: Vec<(Micros, u64)>,
}

/// The path of the server program, which is built if necessary.
pub fn klaxon() -> PathBuf {
    let target = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--package", "klaxon-gateway", "--bin", "klaxon"];
    let status = Command::new(cargo).args(build).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success(), "the server can't be built");
    target.join("klaxon")
}

fn plan(which: ShowName) -> ShowPlan {
    let (open_for, lead) = (Duration::from_millis(500), Duration::from_millis(50));
    // Those who lose a life are told that they have it again, where a part does not keep it.
    let lives = u8::from(which == ShowName::Kinds);
    let common = CommonSettings { open_for, lead, lives, script: Script::default() };
    ShowPlan {
        game: show(which, &arithmetic(7, 1), 100, &common).unwrap(),
        pace: Pace {
            players: PLAYERS,
            lobby_least: Duration::from_millis(500),
            lobby_most: Duration::from_secs(20),
            suspense: Duration::ZERO,
            pause: Duration::from_millis(10),
            autopilot: false,
        },
        extras: Extras::default(),
        swarm: SwarmSettings {
            seed: 7,
            players: PLAYERS,
            spectators: 2,
            rush: Duration::from_millis(300),
            codec: CodecChoice::Mix,
            shares: Shares {
                bad_networks: 0.1,
                cheats: 0.1,
                double_taps: 0.3,
                two_devices: 0.1,
                dawdlers: 0.1,
                hidden_tabs: 0.1,
            },
        },
        hostile: 0,
        faults: FaultPlan::default(),
        limit: Duration::from_secs(180),
    }
}

impl Recorded {
    /// Plays a show on a server of its own.
    pub async fn play(klaxon: &Path, which: ShowName) -> Self {
        let data = tempfile::tempdir().unwrap();
        let launch = StandalonePlan { program: klaxon.to_owned(), data: data.path().to_owned(), core: None };
        let server = Standalone::start(&launch).await.unwrap();
        let (players, admin) = (server.players(), server.admin().unwrap());
        let played = play(plan(which), players.into(), admin, &mut Untouched, |_, _| {}).await.unwrap();
        let resident = server.stop().await.unwrap();
        let (journal, people) = journal_of(&data.path().join("journal"), played.created.show).unwrap();
        let records = Records::new(&journal).unwrap().map(|record| record.unwrap().1).collect();
        let Evidence { frames, connections, .. } = played.evidence;
        let with_bytes = |log: ConnectionLog| {
            let frame = |entry: &klaxon_simulator::evidence::Entry| {
                let (codec, bytes) = frames.get(entry.frame);
                (codec, bytes.to_vec())
            };
            let bytes = log.entries.iter().map(frame).collect();
            (log, bytes)
        };
        Self { records, people, connections: connections.into_iter().map(with_bytes).collect(), resident }
    }

    /// The evidence of it.
    pub fn evidence(&self) -> Evidence {
        let mut journal = MAGIC.to_vec();
        self.records.iter().for_each(|record| frame_record(record, &mut journal).unwrap());
        let mut evidence = Evidence { journal, people: self.people.clone(), ..Evidence::default() };
        evidence.resident.clone_from(&self.resident);
        for (log, bytes) in &self.connections {
            let mut log = log.clone();
            for (entry, (codec, bytes)) in log.entries.iter_mut().zip(bytes) {
                entry.frame = evidence.frames.intern(*codec, bytes);
            }
            evidence.connections.push(log);
        }
        evidence
    }

    /// Changes the first event that `change` changes in the journal, and wherever it was received.
    pub fn everywhere(&mut self, change: impl Fn(&mut ToPlayer) -> bool) -> bool {
        let mut events = self.records.iter_mut().flat_map(|record| &mut record.events);
        let Some(seq) = events.find_map(|event| change(event).then(|| event.seq()).flatten()) else { return false };
        let _ = self.each(|_, message| message.seq() == Some(seq) && change(message), false);
        true
    }

    /// Changes the first message to a player that `change` changes. It is called with the connection's index.
    pub fn received(&mut self, change: impl FnMut(usize, &mut ToPlayer) -> bool) -> bool {
        self.each(change, true)
    }

    /// Drops the first message to an honest player that is one of these.
    pub fn dropped(&mut self, is_it: impl Fn(&mut ToPlayer) -> bool) -> bool {
        for (log, bytes) in self.connections.iter_mut().filter(|(log, _)| log.honest) {
            let found = log.entries.iter().zip(bytes.iter()).position(|(entry, (codec, bytes))| {
                let message = codec.decode::<ToPlayer>(bytes, &[]).ok();
                entry.direction == Direction::Received && message.is_some_and(|mut message| is_it(&mut message))
            });
            if let Some(index) = found {
                log.entries.remove(index);
                bytes.remove(index);
                // The transits of later messages are found by the entry's index.
                log.transits.retain(|transit| transit.entry < index);
                return true;
            }
        }
        false
    }

    fn each(&mut self, mut change: impl FnMut(usize, &mut ToPlayer) -> bool, only_first: bool) -> bool {
        let mut is_changed = false;
        for (index, (log, frames)) in self.connections.iter_mut().enumerate() {
            for (entry, (codec, bytes)) in log.entries.iter().zip(frames) {
                let Ok(mut message) = codec.decode::<ToPlayer>(bytes, &[]) else { continue };
                if entry.direction == Direction::Received && log.honest && change(index, &mut message) {
                    *bytes = codec.encode(&message);
                    is_changed = true;
                    if only_first {
                        return true;
                    }
                }
            }
        }
        is_changed
    }

    /// The seed, in hex.
    pub fn seed(&self) -> String {
        let events = self.records.iter().flat_map(|record| &record.events);
        let mut seeds = events.filter_map(|event| match event {
            ToPlayer::GameEvent(event) => event.body.0.get("seed")?.as_str().map(str::to_owned),
            _ => None,
        });
        seeds.next().unwrap()
    }
}
