//! What players cost a shard, in memory and in time: `cargo bench -p klaxon-gateway --bench hub`. There are no sockets: what a connection is
//! sent is taken at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dashmap::DashMap;
use klaxon_fixtures::{join, lobby, notice, seated};
use klaxon_gateway::hub::{Common, EncodedEvent, Players, Router, Shard, ToShard};
use klaxon_gateway::link::Random;
use klaxon_gateway::settings::GatewaySettings;
use klaxon_gateway::transport::{ConnKey, ConnectionHandler, Payload, SocketAction, Timestamp};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::{ConnRef, GatewayId, Seat, SeatRef, Seq, ShowId};
use klaxon_protocol::link::{Broadcast, ToEngine, ToGateway};
use klaxon_protocol::player::FromPlayer;

const SHOW: ShowId = ShowId(7);
const GATEWAY: GatewayId = GatewayId(1);

fn main() {
    memory();
    players();
    for players in [1_000, 10_000, 100_000] {
        tick_and_fan_out(players);
    }
}

fn memory() {
    const PLAYERS: u32 = 100_000;
    let each = |bytes: usize| bytes / PLAYERS as usize;
    // First what allocates nothing that is freed again: the other could take that.
    let before = resident_bytes();
    let players = Players::default();
    for seat in 0..PLAYERS {
        players.enter(SHOW, SeatRef::first(Seat(seat)), ConnKey { shard: 0, slot: seat, generation: seat }, 4);
    }
    println!("{} bytes per player in Players", each(resident_bytes() - before));
    let before = resident_bytes();
    let _crowd = Crowd::of(PLAYERS);
    println!("{} bytes per player in the hub", each(resident_bytes() - before));
    drop(players);
}

/// What it costs to enter a player, from two shards at once, beside a dashmap of the same keys and values.
fn players() {
    const PLAYERS: u32 = 1_000_000;
    let from_two_shards = |enter: &(dyn Fn(SeatRef, ConnKey) + Sync)| {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for shard in 0..2_u8 {
                scope.spawn(move || {
                    for slot in (u32::from(shard)..PLAYERS).step_by(2) {
                        enter(SeatRef::first(Seat(slot)), ConnKey { shard, slot, generation: slot });
                    }
                });
            }
        });
        began.elapsed().as_nanos() / u128::from(PLAYERS)
    };
    let (players, map) = (Players::default(), DashMap::new());
    let ours = from_two_shards(&|seat, conn| _ = players.enter(SHOW, seat, conn, 4));
    let dashmap = from_two_shards(&|seat, conn| _ = map.insert((SHOW, seat), conn));
    println!("{ours} ns to enter a player, {dashmap} ns into a dashmap");
}

fn tick_and_fan_out(players: u32) {
    let mut crowd = Crowd::of(players);
    let mut ticks: Vec<Duration> = (0..100).map(|_| crowd.tick()).collect();
    ticks.sort_unstable();
    println!("{players} players: {} ns a tick, {} us the longest", ticks[50].as_nanos(), ticks[99].as_micros());
    let mut rounds: Vec<[u128; 2]> = (1..=31).map(|seq| crowd.fan_out(seq, players)).collect();
    rounds.sort_unstable();
    println!("{players} players: {:?} ns a member in all, of which in work; quickest {:?}", rounds[15], rounds[0]);
}

/// What goes to engines or to other shards goes nowhere.
struct Nowhere;

impl Router for Nowhere {
    fn to_engine(&self, _: ToEngine) {}

    fn to_shard(&self, _: u8, _: ToShard) {}
}

/// A shard with players who have joined and have read their welcome.
struct Crowd {
    shard: Shard,
    now: Timestamp,
}

impl Crowd {
    fn of(players: u32) -> Self {
        let mut settings = GatewaySettings::new(([127, 0, 0, 1], 0).into(), [5; 32]);
        settings.burst = 1_000;
        let shard = Shard::new(0, Arc::new(Common::new(settings, GATEWAY, Arc::new(Nowhere), Random::of_seed(1))));
        let mut crowd = Self { shard, now: Timestamp(1_700_000_000_000_000) };
        for seat in 0..players {
            crowd.now.0 += 20;
            crowd.join(Seat(seat));
            if seat % 5_000 == 0 {
                crowd.shard.tick(crowd.now);
            }
        }
        crowd.read();
        crowd
    }

    fn join(&mut self, seat: Seat) {
        let join = FromPlayer::Join(join());
        let key = self.shard.opened(Codec::Json, [127, 0, 0, 1].into(), self.now);
        self.shard.message(key, Payload::Binary(&Codec::Json.encode(&join)), self.now, self.now);
        let conn = ConnRef { gateway: GATEWAY, conn: key.to_wire() };
        let seated = seated(conn, SHOW, Some(seat), lobby(Seq(0)));
        self.shard.receive(ToGateway::Seated(seated).into(), self.now);
        while self.shard.work(self.now) {}
    }

    fn tick(&mut self) -> Duration {
        self.now.0 += 100_000;
        let began = Instant::now();
        self.shard.tick(self.now);
        began.elapsed()
    }

    /// Nanoseconds a player, in all and of these in the shard's work.
    fn fan_out(&mut self, seq: u64, players: u32) -> [u128; 2] {
        let message = notice(seq, "x".repeat(200));
        let event = Arc::new(EncodedEvent::new(Broadcast { show: SHOW, message, personal: None }));
        let began = Instant::now();
        self.shard.receive(ToShard::Event(SHOW, event), self.now);
        let (mut bytes, mut working, mut more) = (0, Duration::ZERO, true);
        while more {
            let at = Instant::now();
            more = self.shard.work(self.now);
            working += at.elapsed();
            bytes += self.read();
        }
        let took = began.elapsed();
        assert!(bytes > 200 * players as usize);
        [took, working].map(|time| time.as_nanos() / u128::from(players))
    }

    /// All clients read what waits for them, as a transport would have it. How many bytes that is.
    fn read(&mut self) -> usize {
        let (mut dirty, mut bytes) = (Vec::new(), 0);
        self.shard.take_dirty(&mut dirty);
        for key in dirty {
            while let Some(frame) = self.shard.lend(key) {
                bytes += frame.len();
                self.shard.wrote(key);
            }
            assert_eq!(self.shard.socket_action(key, self.now), SocketAction::Keep);
        }
        bytes
    }
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
