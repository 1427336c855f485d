//! Players who bring a part of their answer early, and the rest when they know what it should have been.
//!
//! TCP keeps a packet that came out of order, and with it the time at which it came. A player whose port is reached directly can
//! bring the last byte of an answer when the question opens, and the bytes before it seconds later, with a mask that makes of the
//! early byte what is right by then. No such answer may be stamped before the moment at which it was whole.

use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use klaxon_engine::clock::Clock;
use klaxon_gateway::settings::GatewaySettings;
use klaxon_gateway::transport::Transport;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{Answer, Choice, Question, QuestionId};
use klaxon_protocol::player::{FromPlayer, Pause, ToPlayer};
use klaxon_protocol::time::Millis;
use tokio::time::timeout;

use crate::fixture::{Client, Fixture, answers_in, fixture, settings_by};
use crate::raw::Forger;

/// From when the question opens until the answer is known.
const LATER: Duration = Duration::from_millis(2_000);
/// No stamp is older than two looks at the sockets, which are 5 ms apart while a question is out. The rest is for a machine that is busy
/// with other tests. In milliseconds.
const MARGIN: u64 = 150;
/// The byte that is sent before its player knows what it will mean.
const EARLY: u8 = 0x5a;
const RIGHT: Choice = Choice(2);

/// An answer's frame that ends in [`EARLY`], and is whole with it.
fn answer(question: QuestionId) -> [u8; 9] {
    let body = Codec::Bincode.encode(&FromPlayer::Answer(Answer { question, choice: RIGHT }));
    let [kind, question, choice] = body[..] else { panic!("an answer is as short as this attack wants it") };
    let mask = [7, 8, EARLY ^ choice, 9];
    [0x82, 0x83, mask[0], mask[1], mask[2], mask[3], kind ^ mask[0], question ^ mask[1], EARLY]
}

/// A binary frame of so many bytes, of which nothing is to be understood.
fn noise(bytes: u16) -> Vec<u8> {
    let [high, low] = bytes.to_be_bytes();
    [vec![0x82, 0xfe, high, low, 0, 0, 0, 0], vec![0xee; bytes.into()]].concat()
}

/// Does what an attacker does until the answer is known, `until` then. Returns the bytes that are still missing, in the pieces in which
/// they go out.
type Attack = fn(&mut Forger, [u8; 9], Instant) -> Vec<Vec<u8>>;

const ATTACKS: [(&str, Attack); 8] = [
    ("only the last byte came early", |forger, answer, until| {
        forger.forge(8, &answer[8..]);
        wait(until);
        vec![answer[..8].to_vec()]
    }),
    ("bytes trickle in their order before the gap", |forger, answer, until| {
        let noise = noise(4_000);
        forger.forge(noise.len() + 8, &answer[8..]);
        let mut sent = 0;
        while sent < noise.len() - 1 && Instant::now() < until {
            forger.stream.write_all(&noise[sent..=sent]).unwrap();
            sent += 1;
            sleep(Duration::from_micros(300));
        }
        vec![[&noise[sent..], &answer[..8]].concat()]
    }),
    ("bytes trickle in their order before the gap, to the last", |forger, answer, until| {
        let noise = noise(3_000);
        forger.forge(noise.len() + 8, &answer[8..]);
        let mut sent = 0;
        while sent < noise.len() - 1 && Instant::now() < until {
            forger.stream.write_all(&noise[sent..=sent]).unwrap();
            sent += 1;
            sleep(Duration::from_micros(500));
        }
        forger.stream.write_all(&noise[sent..]).unwrap();
        answer[..8].iter().map(|byte| vec![*byte]).collect()
    }),
    ("each byte came in a packet of its own, from the last to the second", |forger, answer, until| {
        for at in (1..9).rev() {
            forger.forge(at, &answer[at..=at]);
        }
        wait(until);
        vec![answer[..1].to_vec()]
    }),
    ("the gap is filled byte by byte", |forger, answer, until| {
        forger.forge(8, &answer[8..]);
        wait(until);
        answer[..8].iter().map(|byte| vec![*byte]).collect()
    }),
    ("other messages come in the same read", |forger, answer, until| {
        let others = [&[0x89, 0x80, 0, 0, 0, 0][..], &noise(200)].concat();
        forger.forge(others.len() + 8, &answer[8..]);
        wait(until);
        vec![[&others, &answer[..8]].concat()]
    }),
    ("the early byte is sent again, and is another then", |forger, answer, until| {
        forger.forge(8, &[answer[8] ^ 1]);
        wait(until - LATER / 2);
        forger.forge(7, &answer[7..]);
        wait(until);
        vec![answer[..8].to_vec()]
    }),
    ("the early byte is urgent", |forger, answer, until| {
        forger.forge_urgent(8, &answer[8..]);
        wait(until);
        vec![answer[..8].to_vec()]
    }),
];

fn wait(until: Instant) {
    sleep(until.saturating_duration_since(Instant::now()));
}

fn open(fixture: &Fixture, question: QuestionId) {
    let now = Clock::of_process().now();
    let (choices, closes_at) = (["One", "Two", "Three"].map(Into::into).into(), Millis(now.0 + 20_000));
    let asked = Question { at: now, question, choices, opens_at: now, closes_at, ..klaxon_fixtures::question(0, 1) };
    fixture.engine.event_with(|seq| ToPlayer::Question(Question { seq, ..asked }), None);
}

/// What an attack came to: when the missing bytes went out, what the answer is stamped with if it came to one, and what that of an
/// honest player is, who answered at the same time. In milliseconds.
struct Outcome {
    before: u64,
    forged: Option<u64>,
    fair: u64,
}

async fn run(fixture: &mut Fixture, question: QuestionId, attack: Attack, in_a_pause: bool) -> Outcome {
    let (attacker, welcome) = Client::join(fixture, Codec::Bincode).await;
    let (honest, honest_welcome) = Client::join(fixture, Codec::Bincode).await;
    let mut forger = Forger::of(attacker.into_socket());
    let mut honest = honest.into_socket();
    let answer = answer(question);
    open(fixture, question);
    sleep(Duration::from_millis(30));
    let until = Instant::now() + LATER;
    if in_a_pause {
        fixture
            .engine
            .event_with(|seq| ToPlayer::Pause(Pause { seq, at: Clock::of_process().now(), left: None }), None);
    }
    let missing = attack(&mut forger, answer, until);
    let before = Clock::of_process().now().0;
    for piece in missing {
        forger.stream.write_all(&piece).unwrap();
    }
    honest.write_all(&answer).unwrap();
    // The client's own kernel knows nothing of the forged byte, and listens to no more until it has sent it, too.
    sleep(Duration::from_millis(20));
    forger.stream.write_all(&answer[8..]).unwrap();
    let (mut forged, mut fair) = (None, None);
    while forged.is_none() || fair.is_none() {
        let Ok(batch) = timeout(LATER, fixture.engine.wait(answers_in)).await else { break };
        for answer in batch.answers {
            assert_eq!((answer.claim.round, Choice::claimed(&answer.claim.value)), (question, Some(RIGHT)));
            let is_forged = Some(answer.by.seat) == welcome.seat;
            assert!(is_forged || Some(answer.by.seat) == honest_welcome.seat);
            *(if is_forged { &mut forged } else { &mut fair }) = Some(answer.at.0);
        }
    }
    Outcome { before, forged, fair: fair.expect("an honest answer is heard") }
}

fn patient(transport: Transport) -> GatewaySettings {
    let mut patient = settings_by(transport);
    (patient.players.limits.messages_per_second, patient.burst, patient.outstanding_answers) =
        (1_000_000, 1_000_000, u8::MAX);
    patient
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_stamped_before_it_was_whole_however_early_a_part_of_it_came() {
    let mut early = Vec::new();
    for transport in [Transport::IoUring, Transport::Portable] {
        let mut fixture = fixture(patient(transport));
        fixture.engine.mute(true);
        let attacks = ATTACKS.into_iter().map(|(name, attack)| (name, attack, false));
        let in_a_pause = ("the last byte came early, the rest in a pause", ATTACKS[0].1, true);
        for ((name, attack, in_a_pause), question) in attacks.chain([in_a_pause]).zip(1..) {
            let Outcome { before, forged, fair } = run(&mut fixture, QuestionId(question), attack, in_a_pause).await;
            let gained = forged.map(|forged| before.saturating_sub(forged));
            let came = gained.map_or("came to nothing".to_owned(), |gained| format!("{gained} ms early"));
            println!("{transport}: {name}: {came}; the honest one {} ms early", before.saturating_sub(fair));
            assert!(before <= fair + MARGIN, "{transport}: {name}: the honest one");
            early.extend(gained.filter(|&gained| gained > MARGIN).map(|gained| (transport, name, gained)));
        }
    }
    assert!(early.is_empty(), "stamped too early, by milliseconds: {early:#?}");
}
