//! What Ann says and hears, in the order of a show.

use klaxon_protocol::claim::{Claim, ClaimReply, ClaimText, ClaimValue, Verdict};
use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::games::trivia::*;
use klaxon_protocol::ids::{ClaimKey, GameName, ShowCode};
use klaxon_protocol::player::*;
use klaxon_protocol::time::{Millis, Span};
use serde_json::json;

use super::{ANN, BOB, FIRST, SHOW, at, name, seq, variants};

variants!(FromPlayer { Join(_) = "join", Answer(_) = "answer", Ping(_) = "ping", React(_) = "react", Leave = "leave", Reclaim(_) = "reclaim", Claim(_) = "claim", });

variants!(ToPlayer {
    Welcome(_) = "welcome",
    Snapshot(_) = "snapshot",
    You(_) = "you",
    Lobby(_) = "lobby",
    Opened(_) = "opened",
    Question(_) = "question",
    Clock(_) = "clock",
    AnswerReply(_) = "answer_reply",
    Close(_) = "close",
    Reveal(_) = "reveal",
    Result(_) = "result",
    Standings(_) = "standings",
    Podium(_) = "podium",
    Prize(_) = "prize",
    Pause(_) = "pause",
    Resume(_) = "resume",
    Void(_) = "void",
    Notice(_) = "notice",
    End(_) = "end",
    Reactions(_) = "reactions",
    Pong(_) = "pong",
    Error(_) = "error",
    Goodbye(_) = "goodbye",
    Paused(_) = "paused",
    ClaimReply(_) = "claim_reply",
    GameEvent(_) = "game_event",
    GameOwn(_) = "game_own",
    GameSnapshot(_) = "game_snapshot",
});

/// A claim's text.
fn guess() -> ClaimValue {
    ClaimValue::Text(ClaimText::parse("a red one").unwrap())
}

pub fn from_player() -> Vec<FromPlayer> {
    let code = ShowCode::parse("QUIZ42").unwrap();
    vec![
        FromPlayer::Join(Join {
            show: code.clone(),
            name: Some("Ann".into()),
            role: Role::Player,
            token: None,
            resume: None,
        }),
        FromPlayer::Join(Join { show: code.clone(), name: None, role: Role::Spectator, token: None, resume: None }),
        FromPlayer::Join(Join {
            show: code.clone(),
            name: Some("Ann".into()),
            role: Role::Player,
            token: Some("eyJhbGciOiJFZERTQSJ9.e30.c2ln".into()),
            resume: Some("cmVzdW1l".into()),
        }),
        FromPlayer::Answer(Answer { question: FIRST, choice: Choice(2) }),
        FromPlayer::Ping(Ping { sent: Millis(1_799_999_999_000) }),
        FromPlayer::React(React { emoji: Emoji::Heart }),
        FromPlayer::Leave,
        FromPlayer::Reclaim(Reclaim { show: code, token: "eyJhbGciOiJFZERTQSJ9.e30.c2ln".into() }),
        FromPlayer::Claim(Claim { round: FIRST, key: ClaimKey(1), value: ClaimValue::Bits(u64::MAX) }),
        FromPlayer::Claim(Claim { round: FIRST, key: ClaimKey(0), value: guess() }),
    ]
}

pub fn question() -> Question {
    Question {
        seq: seq(2),
        at: at(30_000),
        question: FIRST,
        total: 12,
        text: "Which planet has the shortest day?".into(),
        choices: vec!["Earth".into(), "Mars".into(), "Jupiter".into(), "Venus".into()],
        category: Some("Science".into()),
        opens_at: at(30_500),
        closes_at: at(40_500),
    }
}

pub fn reveal() -> Reveal {
    Reveal {
        seq: seq(4),
        at: at(42_600),
        question: FIRST,
        right: Choice(2),
        counts: vec![0, 1, 1, 0],
        silent: 0,
        alive: 1,
    }
}

pub fn podium() -> Podium {
    Podium {
        seq: seq(30),
        at: at(300_000),
        winners: 1,
        places: vec![Place { place: 1, seat: ANN, name: name("Ann"), score: 9400, prize: 100_000 }],
        pot: 100_000,
        paid: 100_000,
        rolled_over: 0,
        currency: "EUR".into(),
    }
}

/// The lobby, as one who joins there sees it.
pub fn snapshot() -> Snapshot {
    Snapshot {
        seq: seq(1),
        at: at(12_000),
        title: "Friday quiz".into(),
        phase: Phase::Lobby,
        mode: Mode::Both,
        total: 12,
        joined: 1,
        alive: 1,
        pot: 100_000,
        currency: "EUR".into(),
        paused: false,
        question: None,
        reveal: None,
        voided: false,
        podium: None,
    }
}

pub fn you() -> You {
    You { alive: true, lives: 1, score: 0, rank: 0, answered: None, prize: None }
}

pub fn welcome() -> Welcome {
    Welcome {
        protocol: 1,
        session: "g1-000004d2".into(),
        resume: "cmVzdW1l".into(),
        show: SHOW,
        seat: Some(ANN),
        name: name("Ann"),
        now: at(12_000),
        heartbeat: Span(30_000),
        newest: 1.into(),
    }
}

pub fn to_player() -> Vec<ToPlayer> {
    let leaders = vec![
        Leader { rank: 1, seat: ANN, name: name("Ann"), score: 940 },
        Leader { rank: 2, seat: BOB, name: name("Bob"), score: 0 },
    ];
    let result = PlayerResult {
        question: FIRST,
        outcome: Outcome::Right,
        alive: true,
        lives: 1,
        gained: 940,
        score: 940,
        rank: 1,
    };
    vec![
        ToPlayer::Welcome(welcome()),
        ToPlayer::Welcome(Welcome { seat: None, name: name("Carl"), ..welcome() }),
        ToPlayer::Snapshot(Box::new(snapshot())),
        ToPlayer::Snapshot(Box::new(Snapshot {
            seq: seq(30),
            at: at(300_100),
            phase: Phase::Ended,
            joined: 2,
            question: Some(question()),
            reveal: Some(reveal()),
            podium: Some(podium()),
            ..snapshot()
        })),
        ToPlayer::You(you()),
        ToPlayer::You(You {
            alive: true,
            lives: 1,
            score: 9400,
            rank: 1,
            answered: Some(Choice(2)),
            prize: Some(100_000),
        }),
        ToPlayer::Lobby(Lobby { joined: 2 }),
        ToPlayer::Opened(Mark { seq: seq(1), at: at(0) }),
        ToPlayer::Question(question()),
        ToPlayer::Question(Question { category: None, ..question() }),
        ToPlayer::Clock(Clock {
            seq: seq(3),
            at: at(30_200),
            question: FIRST,
            opens_at: at(30_500),
            closes_at: at(45_500),
        }),
        ToPlayer::AnswerReply(AnswerReply::new(FIRST, &Verdict::Accepted(Choice(2).into()))),
        ToPlayer::AnswerReply(AnswerReply::new(FIRST, &Verdict::AlreadyAnswered(Choice(2).into()))),
        ToPlayer::AnswerReply(AnswerReply::new(FIRST, &Verdict::Refused(ErrorCode::TooLate))),
        ToPlayer::Close(Close { seq: seq(3), at: at(40_500), question: FIRST }),
        ToPlayer::Reveal(reveal()),
        ToPlayer::Result(result),
        ToPlayer::Result(PlayerResult {
            outcome: Outcome::Wrong,
            alive: false,
            lives: 0,
            gained: 0,
            score: 0,
            rank: 0,
            ..result
        }),
        ToPlayer::Standings(Standings { question: FIRST, leaders }),
        ToPlayer::Podium(podium()),
        ToPlayer::Prize(Prize { amount: 100_000, currency: "EUR".into() }),
        ToPlayer::Pause(Pause { seq: seq(3), at: at(33_000), left: Some(Span(7_500)) }),
        ToPlayer::Pause(Pause { seq: seq(5), at: at(44_000), left: None }),
        ToPlayer::Resume(Resume {
            seq: seq(4),
            at: at(63_000),
            question: Some(FIRST),
            opens_at: Some(at(60_500)),
            closes_at: Some(at(70_500)),
        }),
        ToPlayer::Resume(Resume { seq: seq(6), at: at(64_000), question: None, opens_at: None, closes_at: None }),
        ToPlayer::Void(Void {
            seq: seq(5),
            at: at(45_000),
            question: FIRST,
            reason: "Two of the choices were right.".into(),
            alive: 2,
        }),
        ToPlayer::Notice(Notice { seq: seq(2), at: at(20_000), text: "We begin in ten seconds.".into() }),
        ToPlayer::End(Mark { seq: seq(31), at: at(300_001) }),
        ToPlayer::Reactions(Reactions {
            counts: vec![
                ReactionCount { emoji: Emoji::Heart, count: 17 },
                ReactionCount { emoji: Emoji::Fire, count: 3 },
            ],
        }),
        ToPlayer::Pong(Pong { sent: Millis(1_799_999_999_000), now: at(12_345) }),
        ToPlayer::Error(ErrorMessage::from(&Refusal::because(ErrorCode::BadName, "It has 25 characters."))),
        ToPlayer::Goodbye(Goodbye { retry: Span(1_500), to: None }),
        ToPlayer::Goodbye(Goodbye { retry: Span(200), to: Some("ws://gateway-2.example.org:4700/play".into()) }),
        ToPlayer::Paused(Paused { left: Some(Span(7_500)) }),
        ToPlayer::Paused(Paused { left: None }),
        ToPlayer::ClaimReply(ClaimReply::new(FIRST, ClaimKey(1), &Verdict::Accepted(ClaimValue::Bits(u64::MAX)))),
        ToPlayer::ClaimReply(ClaimReply::new(FIRST, ClaimKey(0), &Verdict::AlreadyAnswered(guess()))),
        ToPlayer::ClaimReply(ClaimReply::new(FIRST, ClaimKey(0), &Verdict::Refused(ErrorCode::TooLate))),
        ToPlayer::GameEvent(GameEvent {
            seq: seq(2),
            at: at(30_000),
            phase: Phase::Question,
            round: Some(FIRST),
            body: Body::of(&json!({ "draw": { "of": 3, "closes_at": 40_000 } })),
        }),
        ToPlayer::GameEvent(GameEvent {
            seq: seq(3),
            at: at(40_000),
            phase: Phase::Closing,
            round: None,
            body: Body::of(&json!({ "close": {} })),
        }),
        ToPlayer::GameOwn(GameOwn { body: Body::of(&json!({ "won": [1, 2] })) }),
        ToPlayer::GameSnapshot(Box::new(GameSnapshot {
            seq: seq(3),
            at: at(40_100),
            game: GameName::parse("lots").unwrap(),
            title: "A draw".into(),
            phase: Phase::Closing,
            joined: 2,
            paused: true,
            left: Some(Span(1_500)),
            body: Body::of(&json!({ "drawn": [] })),
        })),
    ]
}
