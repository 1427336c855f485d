//! What an answer costs the arbiter: `cargo bench -p klaxon-engine --bench claims` claims for 100,000 seats at random, on a real Redis and
//! in memory, by batch size, and beside them in the naive way, with a key for each answer. Redis has a core and the load another;
//! the ways take turns; medians.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use klaxon_engine::arbiter::{Arbiter, MemoryArbiter, RedisArbiter};
use klaxon_engine::redis::{Connection, Redis};
use klaxon_engine::round::{ClaimSpace, Round, SeatClaim};
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{ClaimKey, Fence, Seat, ShowId};
use klaxon_servers::{Persistence, ServerError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SHOW: ShowId = ShowId(42);
const SEATS: u32 = 100_000;
const ROUNDS: u16 = 7;
/// Calls under way at the same time, as of several shows.
const CALLS: usize = 8;
const BATCHES: [usize; 5] = [1, 8, 32, 128, 512];
/// Where a reply is waited for before the next answer, fewer answers will do.
const ONE_BY_ONE: usize = 10_000;

/// How answers are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In a script for each batch.
    Script(usize),
    /// The same, of a Redis that writes all down.
    Written(usize),
    /// The same, where all seats claimed before.
    Again(usize),
    /// SET NX, and wait.
    Naive,
    /// SET NX, in a pipeline of so many.
    Pipelined(usize),
    /// In this process.
    Memory(usize),
}

impl Way {
    fn all(has_redis: bool) -> Vec<Self> {
        let memory = BATCHES.into_iter().map(Self::Memory);
        if !has_redis {
            return memory.collect();
        }
        let naive = [Self::Naive, Self::Pipelined(128)];
        let scripts = BATCHES.into_iter().map(Self::Script);
        naive.into_iter().chain(scripts).chain([Self::Again(128), Self::Written(128)]).chain(memory).collect()
    }

    fn name(self) -> String {
        match self {
            Self::Script(batch) => format!("Redis, a script for {batch}"),
            Self::Written(batch) => format!("Redis, a script for {batch}, append-only file"),
            Self::Again(batch) => format!("Redis, a script for {batch}, all retries"),
            Self::Naive => "naive: SET NX, one at a time".into(),
            Self::Pipelined(batch) => format!("naive: SET NX, pipelines of {batch}"),
            Self::Memory(batch) => format!("memory, batches of {batch}"),
        }
    }
}

/// What a round of a way cost.
struct Measured {
    answers_per_second: f64,
    redis_micros: Option<f64>,
    bytes: Option<f64>,
}

/// A Redis, an arbiter on it, and what else is needed.
struct House {
    _server: klaxon_servers::Redis,
    way: Redis,
    connection: Connection,
    arbiter: Arc<RedisArbiter>,
    fence: Fence,
}

impl House {
    async fn open(persistence: Persistence) -> Result<Self, ServerError> {
        let mut server = klaxon_servers::Redis::start(persistence).await?;
        pin(server.process().id(), 0);
        let way = Redis::new(&[server.url()], "bench").expect("a URL");
        let connection = way.connect().await.expect("it answers");
        let arbiter = Arc::new(RedisArbiter::connect(&way, "bench").await.expect("it answers"));
        let fence = arbiter.lease(SHOW, Fence(0)).await.expect("a show that nobody has").fence;
        Ok(Self { _server: server, way, connection, arbiter, fence })
    }

    /// What Redis answers to these words.
    async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut self.connection.clone()).await.expect("an answer")
    }

    /// A number that Redis tells of itself.
    async fn told(&self, section: &str, name: &str) -> f64 {
        let info: String = self.ask(&["INFO", section]).await;
        let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.and_then(|value| value.trim().parse().ok()).expect("a number")
    }

    async fn cpu(&self) -> f64 {
        self.told("cpu", "used_cpu_user").await + self.told("cpu", "used_cpu_sys").await
    }

    /// Runs `claims` and says what it cost Redis; `bytes` says what is kept then.
    async fn measure(
        &self,
        answers: usize,
        claims: impl Future<Output = ()>,
        bytes: impl Future<Output = f64>,
    ) -> Measured {
        let cpu = self.cpu().await;
        let seconds = timed(claims).await;
        let cpu = self.cpu().await - cpu;
        Measured {
            answers_per_second: answers as f64 / seconds,
            redis_micros: Some(cpu * 1e6 / answers as f64),
            bytes: Some(bytes.await / answers as f64),
        }
    }

    async fn scripts(&self, question: QuestionId, claims: &Arc<Vec<SeatClaim>>, batch: usize) -> Measured {
        let key = self.way.keys().claims(SHOW, question, 0);
        let work = claim_all(Arc::clone(&self.arbiter), self.fence, question, Arc::clone(claims), batch);
        self.measure(claims.len(), work, async { self.ask(&["MEMORY", "USAGE", &key, "SAMPLES", "0"]).await }).await
    }

    /// A key for each answer.
    async fn naive(&self, claims: &[SeatClaim], pipeline: usize) -> Measured {
        let _: () = self.ask(&["FLUSHDB"]).await;
        let before = self.told("memory", "used_memory").await;
        let work = async {
            for claims in claims.chunks(pipeline) {
                let mut commands = redis::pipe();
                for claim in claims {
                    let key = format!("bench:{{{SHOW}}}:claim:1:{}", claim.seat.0);
                    commands.cmd("SET").arg(key).arg(claim.value.to_string()).arg("NX").ignore();
                }
                let _: () = commands.query_async(&mut self.connection.clone()).await.expect("an answer");
            }
        };
        let kept = async { self.told("memory", "used_memory").await - before };
        let measured = self.measure(claims.len(), work, kept).await;
        let _: () = self.ask(&["FLUSHDB"]).await;
        measured
    }
}

async fn timed(work: impl Future<Output = ()>) -> f64 {
    let start = Instant::now();
    work.await;
    start.elapsed().as_secs_f64()
}

/// Claims all in batches, several calls under way.
async fn claim_all(
    arbiter: Arc<impl Arbiter>,
    fence: Fence,
    question: QuestionId,
    claims: Arc<Vec<SeatClaim>>,
    batch: usize,
) {
    let callers: Vec<_> = (0..CALLS)
        .map(|caller| {
            let (arbiter, claims) = (Arc::clone(&arbiter), Arc::clone(&claims));
            tokio::spawn(async move {
                for claims in claims.chunks(batch).skip(caller).step_by(CALLS) {
                    let heard = arbiter
                        .claim(SHOW, fence, Round { id: question, space: ClaimSpace::one_below(6) }, claims)
                        .await;
                    assert_eq!(heard.expect("an arbiter that answers").len(), claims.len());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
}

/// Every seat's claim, in the order of the round.
fn claims(seed: u64) -> Vec<SeatClaim> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut seats: Vec<u32> = (0..SEATS).collect();
    for last in (1..seats.len()).rev() {
        seats.swap(last, random.next_u32() as usize % (last + 1));
    }
    let claim = |seat| SeatClaim {
        seat: Seat(seat),
        key: ClaimKey(0),
        value: ClaimValue::Bits(((random.next_u32() % 4) as u8).into()),
    };
    seats.into_iter().map(claim).collect()
}

/// Gives a process and its threads this core alone.
fn pin(process: u32, core: u32) {
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-c", "-p", &core.to_string(), &process.to_string()]).stdout(Stdio::null());
    if !taskset.status().is_ok_and(|status| status.success()) {
        println!("process {process} could not be given core {core} alone: Redis and the load disturb each other");
    }
}

/// The servers that are measured. What is kept on one does not weigh on another.
struct Servers {
    scripts: House,
    written: House,
    naive: House,
}

impl Servers {
    async fn start() -> Result<Self, ServerError> {
        Ok(Self {
            scripts: House::open(Persistence::None).await?,
            written: House::open(Persistence::AppendOnly).await?,
            naive: House::open(Persistence::None).await?,
        })
    }

    async fn measure(&self, way: Way, question: QuestionId, claims: &Arc<Vec<SeatClaim>>) -> Measured {
        match way {
            Way::Script(batch) => self.scripts.scripts(question, claims, batch).await,
            Way::Written(batch) => self.written.scripts(question, claims, batch).await,
            Way::Again(batch) => {
                self.scripts.scripts(question, claims, batch).await;
                self.scripts.scripts(question, claims, batch).await
            }
            Way::Naive => self.naive.naive(&claims[..ONE_BY_ONE], 1).await,
            Way::Pipelined(pipeline) => self.naive.naive(claims, pipeline).await,
            Way::Memory(batch) => memory(question, claims, batch).await,
        }
    }
}

async fn memory(question: QuestionId, claims: &Arc<Vec<SeatClaim>>, batch: usize) -> Measured {
    let arbiter = Arc::new(MemoryArbiter::new());
    let fence = arbiter.lease(SHOW, Fence(0)).await.expect("a show that nobody has").fence;
    let seconds = timed(claim_all(arbiter, fence, question, Arc::clone(claims), batch)).await;
    Measured { answers_per_second: claims.len() as f64 / seconds, redis_micros: None, bytes: None }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    pin(std::process::id(), 1);
    let servers = Servers::start().await;
    if let Err(error) = &servers {
        println!("NOT MEASURED: Redis. {error}");
    }
    let ways = Way::all(servers.is_ok());
    let mut measured: Vec<Vec<Measured>> = ways.iter().map(|_| Vec::new()).collect();
    // The first round warms up.
    for round in 0..=ROUNDS {
        let claims = Arc::new(claims(u64::from(round)));
        for (number, &way) in ways.iter().enumerate() {
            // Always a new question: those before it are freed.
            let question = QuestionId(1 + round * ways.len() as u16 + number as u16);
            let done = match &servers {
                Ok(servers) => servers.measure(way, question, &claims).await,
                Err(_) => match way {
                    Way::Memory(batch) => memory(question, &claims, batch).await,
                    _ => continue,
                },
            };
            if round > 0 {
                measured[number].push(done);
            }
        }
    }
    print(&ways, &measured);
}

fn print(ways: &[Way], measured: &[Vec<Measured>]) {
    println!("{SEATS} seats at random, {CALLS} calls under way, medians of {ROUNDS} rounds");
    println!("| way | answers/s | Redis CPU per answer | answers/s on one core of Redis | memory per answer |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (way, rounds) in ways.iter().zip(measured) {
        let median_of = |value: fn(&Measured) -> Option<f64>| median(rounds.iter().filter_map(value).collect());
        let speed = median_of(|round| Some(round.answers_per_second)).unwrap_or(0.0);
        let cpu = median_of(|round| round.redis_micros);
        let bytes = median_of(|round| round.bytes);
        println!(
            "| {} | {:.0} | {} | {} | {} |",
            way.name(),
            speed,
            cpu.map_or("-".into(), |micros| format!("{micros:.2} us")),
            cpu.map_or("-".into(), |micros| format!("{:.0}", 1e6 / micros)),
            bytes.map_or("-".into(), |bytes| format!("{bytes:.1} bytes")),
        );
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
