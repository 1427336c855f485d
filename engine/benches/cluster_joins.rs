//! What a join costs a cluster's journal: `cargo bench -p klaxon-engine --bench cluster_joins` appends joins to a real Redis until a real broker has
//! them, with the player in the journal's record, beside it, and beside it and sealed. Redis has a core and the rest another; the ways
//! take turns; medians.

use std::process::{Command as Program, Stdio};
use std::sync::Arc;
use std::time::Instant;

use klaxon_engine::arbiter::{Arbiter, RedisArbiter};
use klaxon_engine::journal::kafka::Kafka;
use klaxon_engine::journal::{Journal, KafkaJournal, SealedJournal};
use klaxon_engine::redis::{Connection, Redis};
use klaxon_engine::seal::SealKeys;
use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::ids::{Fence, Name, PlayerId, Seat, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::Role;
use klaxon_protocol::time::Millis;
use klaxon_servers::{Broker, Persistence, Storage};
use tempfile::TempDir;

const JOINS: u64 = 10_000;
const ROUNDS: u64 = 5;
/// How many joins are appended at once.
const GROUPS: [usize; 2] = [1, 100];

/// Where the player is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    InRecord,
    Beside,
    Sealed,
}

impl Way {
    const ALL: [Self; 3] = [Self::InRecord, Self::Beside, Self::Sealed];

    const fn name(self) -> &'static str {
        match self {
            Self::InRecord => "in the record",
            Self::Beside => "beside it",
            Self::Sealed => "beside it, sealed",
        }
    }

    fn records(self, show: ShowId, fence: Fence) -> Vec<Record> {
        let record = |number: u64| {
            let player = PlayerId::parse(&format!("guest-0123456789ab{number:04x}")).expect("an id");
            let name = Name::parse(&format!("Player {number}")).expect("a name");
            let command = if self == Self::InRecord {
                Command::Join { player, name, role: Role::Player }
            } else {
                let seat = Seat(u32::try_from(number).expect("few joins"));
                Command::Sit { seat, guest: true, who: Apart::known(Person { player, name }) }
            };
            Record { show, number, fence, at: Millis(number), command, events: vec![], state: number }
        };
        (0..JOINS).map(record).collect()
    }
}

/// What a round of a way cost, for each join.
struct Measured {
    /// Until the appends returned, one after another, in microseconds.
    append: f64,
    /// Redis' processor time until then, in microseconds.
    redis: f64,
    /// Until Kafka had all, from the first append on, in microseconds.
    upload: f64,
    /// What Redis keeps of the records and of what is beside them, in bytes.
    kept: [f64; 2],
}

struct House {
    _server: klaxon_servers::Redis,
    _broker: Broker,
    _spool: TempDir,
    way: Redis,
    connection: Connection,
    arbiter: RedisArbiter,
    journal: Arc<KafkaJournal>,
}

impl House {
    async fn open() -> Self {
        let mut server = klaxon_servers::Redis::start(Persistence::None).await.expect("redis-server");
        pin(server.process().id(), 0);
        let broker = Broker::start(Storage::Memory).await.expect("tansu");
        let spool = TempDir::new().expect("a directory");
        let way = Redis::new(&[server.url()], "bench").expect("a URL");
        let kafka = Kafka::new(&broker.address(), "bench");
        let connection = way.connect().await.expect("it answers");
        let arbiter = RedisArbiter::connect(&way, "bench").await.expect("it answers");
        let journal = KafkaJournal::open(&way, kafka, spool.path()).await.expect("an empty spool");
        let (_server, _broker, _spool, journal) = (server, broker, spool, Arc::new(journal));
        Self { _server, _broker, _spool, way, connection, arbiter, journal }
    }

    async fn cpu(&self) -> f64 {
        let mut command = redis::cmd("INFO");
        let info: String = command.arg("cpu").query_async(&mut self.connection.clone()).await.expect("an answer");
        let seconds = |name: &str| -> f64 {
            let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.and_then(|value| value.trim().parse().ok()).expect("a number")
        };
        seconds("used_cpu_user") + seconds("used_cpu_sys")
    }

    async fn kept(&self, key: String) -> f64 {
        let mut command = redis::cmd("MEMORY");
        command.arg("USAGE").arg(key).arg("SAMPLES").arg(0);
        let bytes: Option<f64> = command.query_async(&mut self.connection.clone()).await.expect("an answer");
        bytes.unwrap_or(0.0) / JOINS as f64
    }

    async fn measure(&self, way: Way, group: usize, show: ShowId) -> Measured {
        let fence = self.arbiter.lease(show, Fence(0)).await.expect("a show that nobody has").fence;
        let secrets: &[&str] = if way == Way::Sealed { &["6a1e94c05bd27f38e6097c1b4fa8d253"] } else { &[] };
        let journal = SealedJournal::new(Arc::clone(&self.journal), SealKeys::of_secrets(secrets));
        let records = way.records(show, fence);
        let (cpu, begun) = (self.cpu().await, Instant::now());
        for records in records.chunks(group) {
            journal.append(records).await.expect("Redis is there");
        }
        let (append, cpu) = (begun.elapsed(), self.cpu().await - cpu);
        self.journal.flushed().await;
        let (joins, keys) = (JOINS as f64, self.way.keys());
        Measured {
            append: append.as_secs_f64() * 1e6 / joins,
            redis: cpu * 1e6 / joins,
            upload: begun.elapsed().as_secs_f64() * 1e6 / joins,
            kept: [self.kept(keys.journal(show)).await, self.kept(keys.people(show)).await],
        }
    }
}

/// Gives a process and its threads this core alone.
fn pin(process: u32, core: u32) {
    let mut taskset = Program::new("taskset");
    taskset.args(["-a", "-c", "-p", &core.to_string(), &process.to_string()]).stdout(Stdio::null());
    if !taskset.status().is_ok_and(|status| status.success()) {
        println!("process {process} could not be given core {core} alone: Redis and the rest disturb each other");
    }
}

#[tokio::main]
async fn main() {
    pin(std::process::id(), 1);
    let house = House::open().await;
    let all: Vec<(Way, usize)> = GROUPS.iter().flat_map(|&group| Way::ALL.map(|way| (way, group))).collect();
    let mut measured: Vec<Vec<Measured>> = all.iter().map(|_| Vec::new()).collect();
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (number, &(way, group)) in all.iter().enumerate() {
            let show = ShowId(1 + round * all.len() as u64 + number as u64);
            let done = house.measure(way, group, show).await;
            if round > 0 {
                measured[number].push(done);
            }
        }
    }
    println!("{JOINS} joins of guests in a show, {}, medians of {ROUNDS} rounds", profile());
    println!("| player | joins at once | append | Redis CPU | until Kafka has it | Redis memory: record | beside it |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for ((way, group), rounds) in all.iter().zip(&measured) {
        let of = |value: fn(&Measured) -> f64| median(rounds.iter().map(value).collect());
        println!(
            "| {} | {group} | {:.1} us | {:.1} us | {:.1} us | {:.0} bytes | {:.0} bytes |",
            way.name(),
            of(|round| round.append),
            of(|round| round.redis),
            of(|round| round.upload),
            of(|round| round.kept[0]),
            of(|round| round.kept[1]),
        );
    }
}

const fn profile() -> &'static str {
    if cfg!(debug_assertions) { "an engine without optimizations" } else { "an optimized engine" }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
