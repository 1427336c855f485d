//! Anything may happen, in any order.

use proptest::prelude::*;

use super::*;

/// What may happen to one of three connections, in any order.
#[derive(Debug, Clone)]
enum Happening {
    Say(usize, FromPlayer),
    Bytes(usize, Vec<u8>),
    Seated(usize, Option<u32>),
    Resynced(usize),
    Refused(usize),
    Event,
    Lobby,
    Hole,
    Dismiss(u32),
    Read(usize, usize),
    Fault(usize),
    Sign(usize, bool),
    Bye(usize),
    Close(usize),
    Later(u32),
    Goodbye(u32, bool),
    Said,
    Moved(u32),
}

fn happening() -> impl Strategy<Value = Happening> {
    let who = || 0..3_usize;
    prop_oneof![
        4 => who().prop_map(|who| Happening::Say(who, join())),
        4 => (who(), 0..3_u16).prop_map(|(who, question)| Happening::Say(who, answer(question))),
        1 => who().prop_map(|who| Happening::Say(who, FromPlayer::Leave)),
        1 => who().prop_map(|who| Happening::Say(who, FromPlayer::Ping(Ping { sent: Millis(1) }))),
        2 => (who(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(who, bytes)| Happening::Bytes(who, bytes)),
        6 => (who(), proptest::option::of(0..2_u32)).prop_map(|(who, seat)| Happening::Seated(who, seat)),
        6 => who().prop_map(Happening::Resynced),
        1 => who().prop_map(Happening::Refused),
        8 => Just(Happening::Event),
        3 => Just(Happening::Lobby),
        1 => Just(Happening::Hole),
        1 => (0..2_u32).prop_map(Happening::Dismiss),
        6 => (who(), 0..3000_usize).prop_map(|(who, bytes)| Happening::Read(who, bytes)),
        1 => who().prop_map(Happening::Fault),
        3 => (who(), any::<bool>()).prop_map(|(who, pong)| Happening::Sign(who, pong)),
        1 => who().prop_map(Happening::Bye),
        1 => who().prop_map(Happening::Close),
        2 => (0..8_000_u32).prop_map(Happening::Later),
        1 => (0..4_u32, any::<bool>()).prop_map(|(slots, waits)| Happening::Goodbye(slots, waits)),
        1 => Just(Happening::Said),
        1 => (0..2_u32).prop_map(Happening::Moved),
    ]
}

/// A connection of the story below, and what it has read so far.
struct Reader {
    key: ConnKey,
    bytes: Vec<u8>,
}

fn check_story(read: &Read) -> Result<(), TestCaseError> {
    let welcomes = read.messages.iter().filter(|message| matches!(message, ToPlayer::Welcome(_))).count();
    prop_assert!(welcomes <= 1, "welcomed twice");
    let mut seen = None;
    for message in &read.messages {
        if let ToPlayer::Snapshot(snapshot) = message {
            prop_assert!(seen.is_none_or(|seen| snapshot.seq >= seen), "a snapshot of the past");
            seen = Some(snapshot.seq);
        } else if let Some(seq) = message.seq() {
            prop_assert_eq!(seen.map(Seq::next), Some(seq), "a hole, or an event before the snapshot");
            seen = Some(seq);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_no_outbox_overflows_no_one_joins_twice_and_no_events_are_missed(
        story in proptest::collection::vec(happening(), 0..150),
    ) {
        let mut stage = narrow();
        let mut readers: Vec<_> = (0..3).map(|_| Reader { key: stage.open(), bytes: Vec::new() }).collect();
        let mut seq = 0;
        for happening in story {
            match happening {
                Happening::Say(who, message) => stage.send(readers[who].key, &message),
                Happening::Bytes(who, bytes) => stage.shard.message(readers[who].key, Payload::Binary(&bytes), stage.now, stage.now),
                Happening::Seated(who, seat) => stage.seat(readers[who].key, seat, seq),
                Happening::Resynced(who) => stage.resync(readers[who].key, seq),
                Happening::Refused(who) => {
                    stage.receive(join_refused(readers[who].key, ErrorMessage::from(ErrorCode::ShowFull)));
                }
                Happening::Event => {
                    seq += 1;
                    stage.notice(seq);
                }
                Happening::Lobby => stage.event(lobby(1)),
                Happening::Hole => {
                    seq += 2;
                    stage.notice(seq);
                }
                Happening::Dismiss(seat) => stage.receive(ToGateway::Dismiss { show: SHOW, seat: self::seat(seat), code: ErrorCode::Removed }.into()),
                Happening::Read(who, bytes) => {
                    let taken = stage.take(readers[who].key, bytes);
                    readers[who].bytes.extend(taken);
                }
                Happening::Fault(who) => stage.shard.fault(readers[who].key, Fault::Protocol, stage.now),
                Happening::Sign(who, pong) => {
                    let answer: &[u8] = if pong { b"" } else { b"\x8a\x00" };
                    stage.shard.control_frame(readers[who].key, Bytes::from_static(answer), stage.now);
                }
                Happening::Bye(who) => {
                    stage.shard.close_frame(readers[who].key, Close::Left.frame(), stage.now);
                }
                Happening::Close(who) => {
                    let all = std::mem::take(&mut readers[who].bytes);
                    // The last frame may be cut.
                    let whole = whole_frames(&all);
                    check_story(&parse(&all[..whole]))?;
                    stage.shard.closed(readers[who].key);
                    readers[who].key = stage.open();
                }
                Happening::Later(by) => stage.later(Span(by)),
                Happening::Goodbye(slots, waits_for_replies) => stage.goodbye(slots, waits_for_replies),
                Happening::Said => stage.receive(ToGateway::Said { show: SHOW, seq: Seq(seq) }.into()),
                Happening::Moved(seat) => stage.receive(ToGateway::Moved { show: SHOW, to: GatewayId(2), seats: [self::seat(seat)].into() }.into()),
            }
            stage.work();
            for reader in &readers {
                let waiting = stage.waiting(reader.key);
                // A welcome or a half-read frame may be larger; last words and the close frame come behind it.
                prop_assert!(waiting <= NARROW + 1500, "{waiting} bytes wait");
            }
            prop_assert_eq!(stage.shard.len(), 3);
        }
        for reader in &mut readers {
            let taken = stage.take(reader.key, usize::MAX);
            reader.bytes.extend(taken);
            check_story(&parse(&reader.bytes[..whole_frames(&reader.bytes)]))?;
        }
    }
}

/// How many of the bytes are whole frames.
fn whole_frames(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let size = match rest.get(1) {
            Some(126) => rest.get(2..4).map(|long| 4 + usize::from(u16::from_be_bytes([long[0], long[1]]))),
            Some(&length) => Some(2 + usize::from(length)),
            None => None,
        };
        match size {
            Some(size) if size <= rest.len() => at += size,
            _ => return at,
        }
    }
}
