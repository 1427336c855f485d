//! A shard without a network: what its connections are sent, and what the engine is told.

use std::sync::{Arc, Mutex};

use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::ids::{Choice, ConnRef, GatewayId, Name, PlayerId, QuestionId, Seat, Seq, ShowCode, ShowId};
use klaxon_protocol::link::{AnswerBatch, Broadcast, Reply, Seated, ToEngine};
use klaxon_protocol::player::{
    Answer, AnswerReply, Emoji, FromPlayer, Join, Lobby, Notice, Phase, Ping, React, Role, Snapshot, ToPlayer, Verdict,
    You,
};
use klaxon_protocol::settings::Mode;
use klaxon_protocol::time::{Millis, Span};
use proptest::prelude::*;

use super::{Barrier, Common, Event, Fate, ForShard, Outside, Shard};
use crate::session::Close;
use crate::settings::GatewaySettings;
use crate::transport::{ConnKey, Fault, Moment};

const SHOW: ShowId = ShowId(7);
const START: u64 = 1_700_000_000_000_000;

#[derive(Default)]
struct World {
    engine: Mutex<Vec<ToEngine>>,
    shards: Mutex<Vec<ForShard>>,
}

impl Outside for World {
    fn engine(&self, message: ToEngine) {
        self.engine.lock().unwrap().push(message);
    }

    fn shard(&self, _: u8, message: ForShard) {
        self.shards.lock().unwrap().push(message);
    }
}

/// A shard, its world, and a clock.
struct Stage {
    world: Arc<World>,
    common: Arc<Common>,
    shard: Shard,
    now: Moment,
}

/// What a client reads: messages, and its close code.
#[derive(Debug, Default, PartialEq)]
struct Read {
    messages: Vec<ToPlayer>,
    closed: Option<u16>,
}

impl Stage {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut GatewaySettings)) -> Self {
        let mut settings = GatewaySettings::new(([127, 0, 0, 1], 0).into(), [5; 32]);
        change(&mut settings);
        let world = Arc::new(World::default());
        let common = Arc::new(Common::new(settings, GatewayId(1), Arc::clone(&world) as Arc<dyn Outside>));
        let shard = Shard::new(0, Arc::clone(&common));
        Self { world, common, shard, now: Moment(START) }
    }

    fn later(&mut self, by: Span) {
        self.now.0 += u64::from(by.0) * 1000;
        self.shard.tick(self.now);
    }

    fn open(&mut self) -> ConnKey {
        self.shard.opened(Codec::Json, self.now)
    }

    fn say(&mut self, key: ConnKey, message: &FromPlayer) {
        self.shard.message(key, &Codec::Json.encode(message), self.now);
    }

    fn hear(&mut self, message: ForShard) {
        self.shard.hear(message, self.now);
        self.work();
    }

    /// Does all there is to do, what shards tell each other included.
    fn work(&mut self) {
        loop {
            while self.shard.work(self.now) {}
            let told = std::mem::take(&mut *self.world.shards.lock().unwrap());
            if told.is_empty() {
                return;
            }
            told.into_iter().for_each(|message| self.shard.hear(message, self.now));
        }
    }

    fn event(&mut self, message: ToPlayer) {
        let event = Event::new(Broadcast { show: SHOW, message, personal: None });
        self.hear(ForShard::Event(SHOW, Arc::new(event)));
    }

    fn notice(&mut self, seq: u64) {
        self.event(notice(seq));
    }

    fn seat(&mut self, key: ConnKey, seat: Option<u32>, seq: u64) {
        let conn = ConnRef { gateway: GatewayId(1), conn: key.to_wire() };
        self.hear(ForShard::Seated(Box::new(Seated {
            conn,
            show: SHOW,
            seat: seat.map(Seat),
            player: PlayerId::parse("somebody").unwrap(),
            name: Name::parse("Ann").unwrap(),
            snapshot: Arc::new(snapshot(seq)),
            you: YOU,
        })));
    }

    /// A connection that is in with this seat, and has read its welcome.
    fn join(&mut self, seat: u32) -> ConnKey {
        let key = self.open();
        self.say(key, &join());
        self.seat(key, Some(seat), 0);
        assert_eq!(self.read(key).messages.len(), 3);
        self.told();
        key
    }

    /// The socket takes everything.
    fn read(&mut self, key: ConnKey) -> Read {
        let bytes = self.peek(key);
        self.shard.wrote(key, bytes.len());
        parse(&bytes)
    }

    fn peek(&self, key: ConnKey) -> Vec<u8> {
        let Some(outbox) = self.shard.outbox(key) else { return Vec::new() };
        let mut slices = vec![std::io::IoSlice::new(&[]); 4096];
        let used = outbox.slices(&mut slices);
        slices[..used].iter().flat_map(|slice| slice.iter().copied()).collect()
    }

    /// What the engine was told since the last time.
    fn told(&self) -> Vec<ToEngine> {
        std::mem::take(&mut *self.world.engine.lock().unwrap())
    }

    fn reply(&mut self, key: ConnKey, verdict: Verdict) {
        let reply = Reply { conn: key.to_wire(), question: QuestionId(1), verdict, read_at: self.now.millis() };
        self.hear(ForShard::Replies(SHOW, vec![reply]));
    }
}

const YOU: You = You { alive: true, lives: 1, score: 0, rank: 0, answered: None, prize: None };

fn parse(mut bytes: &[u8]) -> Read {
    let mut read = Read::default();
    while !bytes.is_empty() {
        let (head, length) = match bytes[1] {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            127 => panic!("no frame is that long"),
            length => (2, usize::from(length)),
        };
        let (opcode, body) = (bytes[0] & 0x0f, &bytes[head..head + length]);
        match opcode {
            1 => read.messages.push(Codec::Json.decode(body, &[]).unwrap()),
            8 => read.closed = Some(u16::from_be_bytes([body[0], body[1]])),
            _ => {}
        }
        bytes = &bytes[head + length..];
    }
    read
}

fn join() -> FromPlayer {
    FromPlayer::Join(Join {
        show: ShowCode::parse("QUIZ").unwrap(),
        name: Some("Ann".into()),
        role: Role::Player,
        token: None,
        resume: None,
    })
}

fn answer(question: u16) -> FromPlayer {
    FromPlayer::Answer(Answer { question: QuestionId(question), choice: Choice(1) })
}

fn notice(seq: u64) -> ToPlayer {
    ToPlayer::Notice(Notice { seq: Seq(seq), at: Millis(1), text: "x".repeat(200) })
}

fn lobby(joined: u32) -> ToPlayer {
    ToPlayer::Lobby(Lobby { joined })
}

fn snapshot(seq: u64) -> Snapshot {
    Snapshot {
        seq: Seq(seq),
        at: Millis(1),
        title: "A show".into(),
        phase: Phase::Lobby,
        mode: Mode::Elimination,
        total: 10,
        joined: 1,
        alive: 1,
        pot: 0,
        currency: "EUR".into(),
        paused: false,
        question: None,
        reveal: None,
        voided: false,
        podium: None,
    }
}

fn seqs(read: &Read) -> Vec<u64> {
    read.messages.iter().filter_map(ToPlayer::seq).map(|seq| seq.0).collect()
}

fn errors(read: &Read) -> Vec<ErrorCode> {
    let code = |message: &ToPlayer| if let ToPlayer::Error(error) = message { Some(error.code) } else { None };
    read.messages.iter().filter_map(code).collect()
}

fn answers(told: Vec<ToEngine>) -> Vec<AnswerBatch> {
    told.into_iter().filter_map(|told| if let ToEngine::Answers(batch) = told { Some(batch) } else { None }).collect()
}

#[test]
fn a_joiner_hears_welcome_snapshot_and_itself_and_then_every_later_event_once() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.say(key, &join());
    assert!(matches!(&stage.told()[..], [ToEngine::Join(asked)] if asked.conn.conn == key.to_wire()));
    // Events of a show that it is not in yet are not for it.
    stage.notice(1);
    assert_eq!(stage.read(key), Read::default());
    stage.seat(key, Some(0), 2);
    let read = stage.read(key);
    assert!(matches!(&read.messages[..], [ToPlayer::Welcome(_), ToPlayer::Snapshot(_), ToPlayer::You(YOU)]));
    // Its snapshot has the second; the bus brings it late.
    for seq in 2..5 {
        stage.notice(seq);
    }
    assert_eq!(seqs(&stage.read(key)), [3, 4]);
}

#[test]
fn one_whom_the_engine_refuses_hears_why_and_can_try_again() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.say(key, &join());
    stage.hear(ForShard::JoinRefused(key, ErrorMessage::from(ErrorCode::UnknownShow)));
    assert_eq!(errors(&stage.read(key)), [ErrorCode::UnknownShow]);
    stage.say(key, &join());
    assert_eq!(stage.told().len(), 2);
}

#[test]
fn a_fan_out_reaches_everybody_once_even_while_others_leave() {
    let mut stage = Stage::new();
    let keys: Vec<_> = (0..700).map(|seat| stage.join(seat)).collect();
    let event = Event::new(Broadcast { show: SHOW, message: lobby(700), personal: None });
    stage.shard.hear(ForShard::Event(SHOW, Arc::new(event)), stage.now);
    assert!(stage.shard.work(stage.now), "700 are more than one piece");
    // Some that were reached and some that were not.
    for slot in (0..700).step_by(7) {
        stage.shard.closed(keys[slot]);
    }
    stage.work();
    for (slot, &key) in keys.iter().enumerate() {
        let expected = if slot % 7 == 0 { vec![] } else { vec![lobby(700)] };
        assert_eq!(stage.read(key).messages, expected, "{slot}");
    }
}

#[test]
fn replies_and_barriers_do_not_wait_for_a_fan_out() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    let event = Event::new(Broadcast { show: SHOW, message: lobby(1), personal: None });
    stage.shard.hear(ForShard::Event(SHOW, Arc::new(event)), stage.now);
    let reply = Reply {
        conn: key.to_wire(),
        question: QuestionId(1),
        verdict: Verdict::Accepted(Choice(1)),
        read_at: Millis(0),
    };
    stage.shard.hear(ForShard::Replies(SHOW, vec![reply]), stage.now);
    stage.shard.hear(ForShard::Barrier(Arc::new(Barrier::new(SHOW, QuestionId(1), 1))), stage.now);
    assert_eq!(stage.told().len(), 1);
    let reply = AnswerReply::new(QuestionId(1), Verdict::Accepted(Choice(1)));
    assert_eq!(stage.read(key).messages, [ToPlayer::AnswerReply(reply)]);
}

#[test]
fn what_was_read_before_a_barrier_is_handed_in_before_it_is_passed() {
    let mut stage = Stage::new();
    let key = stage.join(3);
    stage.say(key, &answer(1));
    let barrier = Arc::new(Barrier::new(SHOW, QuestionId(1), 2));
    stage.hear(ForShard::Barrier(Arc::clone(&barrier)));
    let told = stage.told();
    assert!(matches!(&told[..], [ToEngine::Answers(batch)] if batch.answers[0].seat == Seat(3)), "{told:?}");
    // The other shard, which is the last.
    let mut other = Shard::new(1, Arc::clone(&stage.common));
    other.hear(ForShard::Barrier(barrier), stage.now);
    assert!(matches!(&stage.told()[..], [ToEngine::BarrierPassed { show: SHOW, question: QuestionId(1), .. }]));
}

#[test]
fn answers_are_stamped_with_the_time_of_their_read_and_go_together() {
    let mut stage = Stage::new();
    let (one, two) = (stage.join(1), stage.join(2));
    stage.say(one, &answer(1));
    stage.now.0 += 100;
    stage.say(two, &answer(1));
    assert!(stage.shard.has_answers() && stage.told().is_empty());
    stage.shard.flush_answers();
    let batches = answers(stage.told());
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].answers.iter().map(|answer| answer.conn).collect::<Vec<_>>(), [one.to_wire(), two.to_wire()]);
    assert!(batches[0].answers.iter().all(|answer| answer.at == Millis(START / 1000)));
}

#[test]
fn only_so_many_answers_may_be_without_a_reply() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..5 {
        stage.say(key, &answer(1));
    }
    assert_eq!(errors(&stage.read(key)), [ErrorCode::RateLimited]);
    stage.reply(key, Verdict::Accepted(Choice(1)));
    stage.say(key, &answer(1));
    stage.shard.flush_answers();
    assert_eq!(answers(stage.told())[0].answers.len(), 5);
}

#[test]
fn answers_that_an_engine_took_to_its_grave_do_not_count_for_ever() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..4 {
        stage.say(key, &answer(1));
    }
    stage.later(Span(6_000));
    stage.say(key, &answer(2));
    assert_eq!(errors(&stage.read(key)), []);
}

#[test]
fn one_who_talks_too_much_is_refused_and_one_who_never_stops_is_closed() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    let ping = FromPlayer::Ping(Ping { sent: Millis(1) });
    for _ in 0..25 {
        stage.say(key, &ping);
    }
    let read = stage.read(key);
    assert!(errors(&read).len() >= 5 && errors(&read).iter().all(|&code| code == ErrorCode::RateLimited));
    assert_eq!(read.closed, None);
    for _ in 0..300 {
        stage.say(key, &ping);
    }
    assert_eq!(stage.read(key).closed, Some(Close::Flooding.code()));
    assert_eq!(stage.shard.fate(key, stage.now), Fate::Finish);
}

#[test]
fn what_is_no_message_is_refused_and_what_is_no_websocket_closes() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.shard.message(key, b"{\"type\":\"cheat\"}", stage.now);
    stage.shard.message(key, b"\xff\x00", stage.now);
    assert_eq!(errors(&stage.read(key)), [ErrorCode::UnknownType, ErrorCode::BadMessage]);
    stage.shard.failed(key, Fault::TooLarge, stage.now);
    let read = stage.read(key);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::TooLarge], Some(1009)));
}

/// An outbox that holds about six notices.
fn narrow() -> Stage {
    Stage::with(|settings| settings.outbox_bytes = 1500)
}

#[test]
fn one_who_does_not_read_first_loses_what_can_be_missed() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=4 {
        stage.notice(seq);
        for joined in 0..10 {
            stage.event(lobby(joined));
        }
    }
    let read = stage.read(key);
    assert_eq!(seqs(&read), [1, 2, 3, 4]);
    assert!(read.messages.len() < 44);
    assert!(stage.told().is_empty(), "no snapshot is needed");
}

#[test]
fn one_who_missed_events_gets_a_snapshot_when_it_has_read_and_then_goes_on_without_a_hole() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=20 {
        stage.notice(seq);
    }
    assert!(stage.told().is_empty(), "first it must read what waits");
    let got = seqs(&stage.read(key));
    assert_eq!(got, (1..=got.len() as u64).collect::<Vec<_>>());
    assert!(matches!(&stage.told()[..], [ToEngine::Resync { show: SHOW, seat: Some(Seat(0)), .. }]));
    // What comes before the snapshot is in it.
    stage.notice(21);
    stage.seat(key, Some(0), 21);
    stage.notice(22);
    let read = stage.read(key);
    assert!(matches!(&read.messages[..], [ToPlayer::Snapshot(snapshot), ToPlayer::You(_), ToPlayer::Notice(next)]
        if snapshot.seq == Seq(21) && next.seq == Seq(22)));
}

#[test]
fn a_hole_in_what_the_bus_brings_makes_a_snapshot() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.notice(1);
    stage.notice(3);
    assert_eq!(seqs(&stage.read(key)), [1]);
    assert!(matches!(&stage.told()[..], [ToEngine::Resync { .. }]));
}

#[test]
fn one_who_does_not_catch_up_is_closed_as_too_slow() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=20 {
        stage.notice(seq);
    }
    stage.later(Span(9_999));
    assert_eq!(stage.shard.fate(key, stage.now), Fate::Keep);
    stage.later(Span(1));
    let read = stage.read(key);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::TooSlow], Some(4008)));
}

#[test]
fn one_who_asks_and_asks_and_never_reads_is_closed_as_too_slow() {
    let mut stage = narrow();
    let key = stage.join(0);
    for _ in 0..20 {
        stage.shard.message(key, b"nonsense", stage.now);
    }
    let read = stage.read(key);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::TooSlow], Some(4008)));
}

#[test]
fn the_newer_connection_of_a_player_has_the_display_and_answers_count_from_both() {
    let mut stage = Stage::new();
    let (older, newer) = (stage.join(5), stage.join(5));
    assert_eq!(errors(&stage.read(older)), [ErrorCode::Displaced]);
    stage.notice(1);
    assert_eq!(seqs(&stage.read(newer)), [1]);
    assert_eq!(stage.read(older), Read::default());
    stage.say(older, &answer(1));
    stage.shard.flush_answers();
    assert_eq!(answers(stage.told())[0].answers[0].seat, Seat(5));
    stage.reply(older, Verdict::Accepted(Choice(1)));
    assert!(matches!(&stage.read(older).messages[..], [ToPlayer::AnswerReply(_)]));
}

#[test]
fn a_player_has_only_so_many_connections() {
    let mut stage = Stage::with(|settings| settings.connections_per_player = 2);
    let keys: Vec<_> = (0..3).map(|_| stage.join(5)).collect();
    assert_eq!(stage.read(keys[0]).closed, Some(Close::TooMany.code()));
    assert_eq!(stage.read(keys[1]).closed, None);
}

#[test]
fn a_dismissed_player_is_told_why_on_all_connections_and_nobody_else_is() {
    let mut stage = Stage::new();
    let (one, two, other) = (stage.join(5), stage.join(5), stage.join(6));
    stage.hear(ForShard::Dismiss(SHOW, Seat(5), ErrorCode::Banned));
    for key in [one, two] {
        let read = stage.read(key);
        assert_eq!(errors(&read).last(), Some(&ErrorCode::Banned));
        assert_eq!(read.closed, Some(Close::Dismissed.code()));
    }
    assert_eq!(stage.read(other), Read::default());
}

#[test]
fn one_who_does_not_join_or_falls_silent_is_closed() {
    let mut stage = Stage::new();
    let (waiting, joining, joined) = (stage.open(), stage.open(), stage.join(0));
    stage.say(joining, &join());
    stage.later(Span(10_000));
    assert_eq!(stage.read(waiting).closed, Some(Close::NeverJoined.code()));
    let read = stage.read(joining);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::Unavailable], Some(Close::TryLater.code())));
    stage.later(Span(49_999));
    assert_eq!(stage.read(joined).closed, None);
    stage.later(Span(1));
    assert_eq!(stage.read(joined).closed, Some(Close::Silent.code()));
}

#[test]
fn last_words_may_take_a_while_and_then_the_socket_is_let_go() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.say(key, &FromPlayer::Leave);
    assert_eq!(stage.shard.fate(key, stage.now), Fate::Keep);
    assert_eq!(stage.read(key).closed, Some(1000));
    assert_eq!(stage.shard.fate(key, stage.now), Fate::Finish);
    let (mut dirty, stuck) = (Vec::new(), stage.join(1));
    stage.say(stuck, &FromPlayer::Leave);
    stage.shard.take_dirty(&mut dirty);
    stage.later(Span(2_000));
    dirty.clear();
    stage.shard.take_dirty(&mut dirty);
    assert!(dirty.contains(&stuck) && dirty.contains(&key));
    assert_eq!(stage.shard.fate(stuck, stage.now), Fate::Drop);
}

#[test]
fn everybody_is_told_when_to_come_back() {
    let mut stage = Stage::new();
    let keys = [stage.join(0), stage.join(1), stage.open()];
    stage.hear(ForShard::Goodbye(Span(1_000)));
    for key in keys {
        let read = stage.read(key);
        let Some(ToPlayer::Goodbye(goodbye)) = read.messages.last() else { panic!("{read:?}") };
        assert!((1_000..2_000).contains(&goodbye.retry.0));
        assert_eq!(read.closed, Some(Close::Restart.code()));
    }
}

#[test]
fn figures_count_who_is_in_and_nothing_is_kept_of_who_is_gone() {
    let mut stage = Stage::new();
    let keys = [stage.join(0), stage.join(1)];
    let figures = stage.common.figures.look(SHOW).unwrap();
    stage.say(keys[0], &FromPlayer::React(React { emoji: Emoji::Heart }));
    assert_eq!(stage.common.figures.take_reactions(), [(SHOW, [0, 1, 0, 0, 0, 0])]);
    drop(figures);
    for key in keys {
        stage.shard.closed(key);
    }
    assert_eq!(stage.shard.len(), 0);
    (0..50).for_each(|_| stage.later(Span(100)));
    stage.common.figures.take_reactions();
    assert!(stage.common.figures.look(SHOW).is_none());
    assert!(stage.common.players.of(SHOW, Seat(0)).is_empty());
}

#[test]
fn a_key_of_a_closed_connection_opens_nothing() {
    let mut stage = Stage::new();
    let old = stage.join(0);
    stage.shard.closed(old);
    let new = stage.join(1);
    assert_eq!(old.slot, new.slot);
    stage.reply(old, Verdict::Accepted(Choice(1)));
    stage.shard.closed(old);
    assert_eq!(stage.read(new), Read::default());
    assert!(stage.shard.listens(new) && !stage.shard.listens(old));
}

/// What may happen to one of three connections, in any order.
#[derive(Debug, Clone)]
enum Happening {
    Say(usize, FromPlayer),
    Bytes(usize, Vec<u8>),
    Seated(usize, Option<u32>),
    Refused(usize),
    Event,
    Lobby,
    Hole,
    Dismiss(u32),
    Read(usize, usize),
    Fault(usize),
    Bye(usize),
    Close(usize),
    Later(u32),
    Goodbye,
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
        1 => who().prop_map(Happening::Refused),
        8 => Just(Happening::Event),
        3 => Just(Happening::Lobby),
        1 => Just(Happening::Hole),
        1 => (0..2_u32).prop_map(Happening::Dismiss),
        6 => (who(), 0..3000_usize).prop_map(|(who, bytes)| Happening::Read(who, bytes)),
        1 => who().prop_map(Happening::Fault),
        1 => who().prop_map(Happening::Bye),
        1 => who().prop_map(Happening::Close),
        2 => (0..8_000_u32).prop_map(Happening::Later),
        1 => Just(Happening::Goodbye),
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
        let most = 1500;
        let mut stage = narrow();
        let mut readers: Vec<_> = (0..3).map(|_| Reader { key: stage.open(), bytes: Vec::new() }).collect();
        let mut seq = 0;
        for happening in story {
            match happening {
                Happening::Say(who, message) => stage.say(readers[who].key, &message),
                Happening::Bytes(who, bytes) => stage.shard.message(readers[who].key, &bytes, stage.now),
                Happening::Seated(who, seat) => stage.seat(readers[who].key, seat, seq),
                Happening::Refused(who) => {
                    stage.hear(ForShard::JoinRefused(readers[who].key, ErrorMessage::from(ErrorCode::ShowFull)));
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
                Happening::Dismiss(seat) => stage.hear(ForShard::Dismiss(SHOW, Seat(seat), ErrorCode::Removed)),
                Happening::Read(who, bytes) => {
                    let waiting = stage.peek(readers[who].key);
                    let count = bytes.min(waiting.len());
                    readers[who].bytes.extend_from_slice(&waiting[..count]);
                    stage.shard.wrote(readers[who].key, count);
                }
                Happening::Fault(who) => stage.shard.failed(readers[who].key, Fault::Protocol, stage.now),
                Happening::Bye(who) => {
                    stage.shard.leaving(readers[who].key, Close::Left.frame(), stage.now);
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
                Happening::Goodbye => stage.hear(ForShard::Goodbye(Span(1))),
            }
            stage.work();
            for reader in &readers {
                let waiting = stage.shard.outbox(reader.key).map_or(0, super::Outbox::bytes);
                // A welcome or a half-read frame may be larger; last words and the close frame come behind it.
                prop_assert!(waiting <= most + 1500, "{waiting} bytes wait");
            }
            prop_assert_eq!(stage.shard.len(), 3);
        }
        for reader in &mut readers {
            reader.bytes.extend(stage.peek(reader.key));
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
