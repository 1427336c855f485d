//! What players cost a shard, in memory and in time. For people: run these alone, optimised, and read what they print
//! (`docs/architecture.md` says how).

use std::time::Instant;

use super::*;

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A shard with so many players who are in and have read their welcome.
fn full(players: u32) -> (Stage, Vec<ConnKey>) {
    let mut stage = Stage::with(|settings| settings.burst = 1_000);
    let keys: Vec<ConnKey> = (0..players)
        .map(|seat| {
            stage.now.0 += 20;
            let key = stage.open();
            stage.send(key, &join());
            stage.seat(key, Some(seat), 0);
            stage.sent_to_engine();
            if seat % 5_000 == 0 {
                stage.shard.tick(stage.now);
            }
            key
        })
        .collect();
    pump(&mut stage.shard, stage.now);
    (stage, keys)
}

/// The sockets take everything, as a transport would have it.
fn pump(shard: &mut Shard, now: Timestamp) -> usize {
    let mut dirty = Vec::new();
    shard.take_dirty(&mut dirty);
    let mut bytes = 0;
    for &key in &dirty {
        while let Some(frame) = shard.lend(key) {
            bytes += frame.len();
            shard.wrote(key);
        }
        assert_eq!(shard.socket_action(key, now), SocketAction::Keep);
    }
    bytes
}

#[test]
#[ignore = "a measurement"]
fn memory_of_a_joined_player() {
    const PLAYERS: u32 = 100_000;
    let before = resident();
    let (stage, _) = full(PLAYERS);
    let each = |bytes: usize| bytes / PLAYERS as usize;
    println!(
        "{} bytes per player in the hub, of which its Conn {}",
        each(resident() - before),
        size_of::<super::super::conn::Conn>()
    );
    let before = resident();
    let players = super::super::Players::default();
    for seat in 0..PLAYERS {
        players.enter(SHOW, SeatRef::first(Seat(seat)), ConnKey { shard: 0, slot: seat, use_of_slot: seat }, 4);
    }
    println!("{} bytes per player in Players", each(resident() - before));
    drop(stage);
}

#[test]
#[ignore = "a measurement"]
fn time_of_a_tick_and_of_a_fan_out() {
    for players in [1_000, 10_000, 100_000] {
        let (mut stage, _) = full(players);
        let nanos = |took: std::time::Duration, times: u32| took.as_nanos() / u128::from(times);
        let mut ticks = Vec::new();
        for _ in 0..100 {
            stage.now.0 += 100_000;
            let began = Instant::now();
            stage.shard.tick(stage.now);
            ticks.push(began.elapsed());
        }
        let all: std::time::Duration = ticks.iter().sum();
        println!(
            "{players} players: {} ns a tick, {} us the longest",
            nanos(all, 100),
            ticks.iter().max().unwrap().as_micros()
        );
        let mut rounds: Vec<[u128; 2]> = Vec::new();
        for seq in 1..=31 {
            let event = Arc::new(EncodedEvent::new(Broadcast { show: SHOW, message: notice(seq), personal: None }));
            let began = Instant::now();
            stage.shard.receive(ToShard::Event(SHOW, event), stage.now);
            let (mut bytes, mut working) = (0, std::time::Duration::ZERO);
            loop {
                let at = Instant::now();
                let more = stage.shard.work(stage.now);
                working += at.elapsed();
                bytes += pump(&mut stage.shard, stage.now);
                if !more {
                    break;
                }
            }
            assert!(bytes > 200 * players as usize);
            rounds.push([nanos(began.elapsed(), players), nanos(working, players)]);
        }
        rounds.sort_unstable();
        println!("{players} players: {:?} ns a member in all, of which in work; quickest {:?}", rounds[15], rounds[0]);
    }
}
