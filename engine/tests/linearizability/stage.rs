//! Gateways and two engines that claim at the same time on a real Redis, and what they heard.

use std::mem;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use klaxon_engine::arbiter::{Arbiter, ArbiterError, RedisArbiter};
use klaxon_engine::redis::Redis;
use klaxon_engine::round::{ClaimSpace, Round, SeatClaim};
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{ClaimKey, Fence, Seat, ShowId};
use klaxon_servers::Persistence;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::history::{Call, Heard, History, Moment};

const SHOW: ShowId = ShowId(42);
pub const Q1: QuestionId = QuestionId(1);
pub const Q2: QuestionId = QuestionId(2);
/// The largest batch.
const BATCH: u32 = 32;
/// Seats that are claimed at about the same time, and how often each is on average.
const CROWD: usize = 400;
const TIMES: usize = 4;
/// Of so many calls two are given up before their reply, one is made twice, and one is the first engine's after it lost the show.
const GIVEN_UP: u32 = 40;
const TWICE: u32 = 10;
const LATE: u32 = 10;
const TURN: Duration = Duration::from_millis(1);

/// What happened so far.
#[derive(Default)]
struct Counts {
    /// Claims whose outcome is known.
    claimed: AtomicUsize,
    /// Those of the second engine among them.
    second: AtomicUsize,
    /// Calls that Redis did not answer.
    unavailable: AtomicUsize,
}

/// Redis, and who uses it.
pub struct Stage {
    server: klaxon_servers::Redis,
    cast: Arc<Cast>,
}

/// The engines, what the gateways know of them, and what is written down.
struct Cast {
    begun: Instant,
    engines: [RedisArbiter; 2],
    /// Their tokens, when they have one.
    tokens: Mutex<[Option<Fence>; 2]>,
    history: Mutex<History>,
    counts: Counts,
}

impl Stage {
    pub async fn open() -> Self {
        let server = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
        let way = Redis::new(&[server.url()], "claims").unwrap();
        let engine = async |name| RedisArbiter::connect(&way, name).await.unwrap();
        let cast = Cast {
            begun: Instant::now(),
            engines: [engine("first").await, engine("second").await],
            tokens: Mutex::default(),
            history: Mutex::default(),
            counts: Counts::default(),
        };
        Self { server, cast: Arc::new(cast) }
    }

    pub async fn first_leases(&self) {
        self.lease(0).await;
    }

    pub async fn second_leases(&self) {
        self.lease(1).await;
    }

    /// Asks until it is given.
    async fn lease(&self, engine: usize) {
        let cast = &self.cast;
        let fence = loop {
            match cast.engines[engine].lease(SHOW, Fence(0)).await {
                Ok(lease) => break lease.fence,
                Err(ArbiterError::Held | ArbiterError::Unavailable(_)) => tokio::time::sleep(TURN).await,
                Err(wrong) => panic!("{wrong}"),
            }
        };
        cast.history.lock().unwrap().leases.push((fence, cast.now()));
        cast.tokens.lock().unwrap()[engine] = Some(fence);
    }

    pub async fn until_claimed(&self, claims: usize) {
        while self.cast.counts.claimed.load(Relaxed) < claims {
            tokio::time::sleep(TURN).await;
        }
    }

    pub async fn until_second_claimed(&self, claims: usize) {
        while self.cast.counts.second.load(Relaxed) < claims {
            tokio::time::sleep(TURN).await;
        }
    }

    /// Lets Redis stand still until calls were given up, and go on.
    pub async fn lose_replies(&mut self) {
        let before = self.unavailable();
        self.server.process().pause();
        while self.unavailable() == before {
            tokio::time::sleep(TURN).await;
        }
        self.server.process().resume();
    }

    /// Calls that Redis did not answer.
    pub fn unavailable(&self) -> usize {
        self.cast.counts.unavailable.load(Relaxed)
    }

    /// The second engine closes the question.
    pub async fn close(&self, question: QuestionId) {
        let fence = self.cast.tokens.lock().unwrap()[1].unwrap();
        while let Err(error) = self.cast.engines[1].close(SHOW, fence, question).await {
            assert!(matches!(error, ArbiterError::Unavailable(_)), "{error}");
        }
    }

    /// Claims at random until the second engine has so many known outcomes.
    pub fn play(&self, seed: u64, second: usize) -> impl Future<Output = ()> + use<> {
        let cast = Arc::clone(&self.cast);
        async move {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            while cast.counts.second.load(Relaxed) < second {
                let question = if one_of(&mut random, 2) { Q1 } else { Q2 };
                let claims = cast.some_claims(&mut random);
                let times = 1 + u32::from(one_of(&mut random, TWICE));
                for _ in 0..times {
                    cast.claim_surely(question, &claims, &mut random).await;
                }
            }
        }
    }

    /// Asks the second engine what the arbiter knows in the end.
    pub async fn ask_for_all_seats(&self) {
        let calls =
            |history: &History| history.calls.iter().flat_map(|call| &call.claims).map(|claim| claim.seat.0).max();
        let last = calls(&self.cast.history.lock().unwrap()).unwrap();
        let all: Vec<SeatClaim> = (0..=last)
            .map(|seat| SeatClaim { seat: Seat(seat), key: ClaimKey(0), value: ClaimValue::Bits(0) })
            .collect();
        for question in [Q1, Q2] {
            for claims in all.chunks(1_000) {
                while self.cast.call(1, question, claims, Patience::Endless).await == Heard::Unknown {}
            }
        }
    }

    /// All that was done and heard.
    pub fn end(self) -> History {
        mem::take(&mut *self.cast.history.lock().unwrap())
    }
}

/// How long a caller waits.
enum Patience {
    Endless,
    Short,
    None,
}

fn one_of(random: &mut ChaCha8Rng, many: u32) -> bool {
    random.next_u32().is_multiple_of(many)
}

impl Cast {
    fn now(&self) -> Moment {
        self.begun.elapsed().as_nanos() as Moment
    }

    /// Seats that others claim now, too, some of them twice.
    fn some_claims(&self, random: &mut ChaCha8Rng) -> Vec<SeatClaim> {
        let begin = self.counts.claimed.load(Relaxed) / TIMES;
        let mut seat = Seat(0);
        let claims = (0..1 + random.next_u32() % BATCH).map(|number| {
            if number == 0 || !one_of(random, 8) {
                seat = Seat((begin + random.next_u32() as usize % CROWD) as u32);
            }
            SeatClaim { seat, key: ClaimKey(0), value: ClaimValue::Bits(((random.next_u32() % 6) as u8).into()) }
        });
        claims.collect()
    }

    /// Claims, and asks again, of whichever engine has the show then, until the outcome is known.
    async fn claim_surely(&self, question: QuestionId, claims: &[SeatClaim], random: &mut ChaCha8Rng) {
        loop {
            let second_has_it = self.tokens.lock().unwrap()[1].is_some();
            let engine = usize::from(second_has_it && !one_of(random, LATE));
            let patience = match random.next_u32() % GIVEN_UP {
                0 => Patience::None,
                1 => Patience::Short,
                _ => Patience::Endless,
            };
            if self.call(engine, question, claims, patience).await != Heard::Unknown {
                return;
            }
        }
    }

    /// Makes a call, and writes down what came of it.
    async fn call(&self, engine: usize, question: QuestionId, claims: &[SeatClaim], patience: Patience) -> Heard {
        let fence = self.tokens.lock().unwrap()[engine].unwrap();
        let called = self.now();
        let call =
            self.engines[engine].claim(SHOW, fence, Round { id: question, space: ClaimSpace::one_below(6) }, claims);
        let reply = match patience {
            Patience::Endless => Some(call.await),
            Patience::Short => tokio::time::timeout(TURN, call).await.ok(),
            Patience::None => call.now_or_never(),
        };
        let returned = self.now();
        let heard = match reply {
            Some(Ok(outcomes)) => {
                self.counts.claimed.fetch_add(claims.len(), Relaxed);
                self.counts.second.fetch_add(engine * claims.len(), Relaxed);
                Heard::Standings(outcomes)
            }
            Some(Err(ArbiterError::Fenced { .. })) => Heard::Refused,
            Some(Err(ArbiterError::Unavailable(_))) => {
                self.counts.unavailable.fetch_add(1, Relaxed);
                Heard::Unknown
            }
            Some(Err(wrong)) => panic!("{wrong}"),
            None => Heard::Unknown,
        };
        let call = Call { fence, question, claims: claims.to_vec(), called, returned, heard: heard.clone() };
        self.history.lock().unwrap().calls.push(call);
        heard
    }
}
