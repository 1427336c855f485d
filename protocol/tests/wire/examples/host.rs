//! What the host of the show says and hears.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::games::trivia::{
    Autopilot, Choice, Create, Difficulty, Mode, NobodyLeft, Pack, PackQuestion, PrizeRule, Settings,
};
use klaxon_protocol::host::*;
use klaxon_protocol::ids::{CommandId, GameName, GatewayId, ShowCode};
use klaxon_protocol::player::{Body, Phase, Ping, Pong, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::json;

use super::player::question;
use super::{ANN, BOB, FIRST, SHOW, at, name, seq, variants};

variants!(FromHost {
    Create(_) = "create",
    Command(_) = "command",
    Watch(_) = "watch",
    Unwatch(_) = "unwatch",
    Shows = "shows",
    FindPlayers(_) = "find_players",
    JournalTail(_) = "journal_tail",
    Ping(_) = "ping",
    CreateGame(_) = "create_game",
});

variants!(Action {
    OpenLobby = "open_lobby",
    Next = "next",
    Close = "close",
    Reveal = "reveal",
    Void { .. } = "void",
    AdjustTime { .. } = "adjust_time",
    Pause = "pause",
    Resume = "resume",
    Message { .. } = "message",
    Remove { .. } = "remove",
    GiveLives { .. } = "give_lives",
    End { .. } = "end",
    Autopilot { .. } = "autopilot",
    ReissueToken { .. } = "reissue_token",
    SetSeats { .. } = "set_seats",
    LockLobby { .. } = "lock_lobby",
    Restore { .. } = "restore",
    BanAddress { .. } = "ban_address",
    LiftAddressBans = "lift_address_bans",
    Play { .. } = "play",
});

variants!(ToHost {
    Created(_) = "created",
    Done(_) = "done",
    Refused(_) = "refused",
    Figures(_) = "figures",
    Event(_) = "event",
    Alert(_) = "alert",
    Shows(_) = "shows",
    Players(_) = "players",
    Journal(_) = "journal",
    Pong(_) = "pong",
    Error(_) = "error",
    ResumeToken(_) = "resume_token",
});

variants!(AlertKind {
    SilentGateways { .. } = "silent_gateways",
    Recovered { .. } = "recovered",
    JournalFailing { .. } = "journal_failing",
    JournalBack = "journal_back",
    Outage { .. } = "outage",
    UncertainClocks { .. } = "uncertain_clocks",
    GuestBanned { .. } = "guest_banned",
    AddressBansRefuse { .. } = "address_bans_refuse",
    Game { .. } = "game",
});

pub fn id(text: &str) -> CommandId {
    CommandId::parse(text).unwrap()
}

pub fn code() -> ShowCode {
    ShowCode::parse("QUIZ42").unwrap()
}

pub fn pack() -> Pack {
    let choices = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Pack {
        title: "Friday quiz".into(),
        questions: vec![
            PackQuestion {
                text: "Which planet has the shortest day?".into(),
                choices: choices(&["Earth", "Mars", "Jupiter", "Venus"]),
                right: Choice(2),
                category: Some("Science".into()),
                difficulty: Some(Difficulty::Medium),
                open_for: Some(Span(10_000)),
                source: Some("A day on Jupiter lasts 9 h 56 min.".into()),
            },
            PackQuestion {
                text: "Is a tomato a berry?".into(),
                choices: choices(&["Yes", "No"]),
                right: Choice(0),
                category: None,
                difficulty: None,
                open_for: None,
                source: None,
            },
        ],
    }
}

pub fn settings() -> Settings {
    Settings {
        mode: Mode::Both,
        lives: 1,
        pot: 100_000,
        prize: PrizeRule::Podium { weights: vec![50, 30, 20] },
        nobody_left: NobodyLeft::LastStanding,
        autopilot: Autopilot { on: true, ..Autopilot::default() },
        ..Settings::default()
    }
}

/// Every action, in the enum's order.
pub fn actions() -> Vec<Action> {
    vec![
        Action::OpenLobby,
        Action::Next,
        Action::Close,
        Action::Reveal,
        Action::Void { reason: "Two of the choices were right.".into() },
        Action::AdjustTime { by: 5_000 },
        Action::AdjustTime { by: -2_000 },
        Action::Pause,
        Action::Resume,
        Action::Message { text: "We begin in ten seconds.".into() },
        Action::Remove { seat: BOB, ban: true },
        Action::GiveLives { seat: Some(ANN), lives: 2 },
        Action::GiveLives { seat: None, lives: 1 },
        Action::End { pay: true },
        Action::Autopilot { on: false },
        Action::ReissueToken { seat: BOB },
        Action::SetSeats { seats: 2_000_000 },
        Action::LockLobby { on: true },
        Action::Restore { seat: BOB },
        Action::BanAddress { seat: BOB, shared: true },
        Action::LiftAddressBans,
        Action::Play { body: Body::of(&json!({ "draw": 42 })) },
    ]
}

pub fn from_host() -> Vec<FromHost> {
    let mut messages = vec![
        FromHost::Create(Box::new(Create { id: id("c-1"), code: Some(code()), pack: pack(), settings: settings() })),
        FromHost::Create(Box::new(Create { id: id("c-2"), code: None, pack: pack(), settings: Settings::default() })),
    ];
    messages.extend(
        (10..).zip(actions()).map(|(number, action)| {
            FromHost::Command(HostCommand { id: id(&format!("c-{number}")), show: SHOW, action })
        }),
    );
    messages.extend([
        FromHost::Watch(ShowRef { show: SHOW }),
        FromHost::Unwatch(ShowRef { show: SHOW }),
        FromHost::Shows,
        FromHost::FindPlayers(FindPlayers { show: SHOW, name: "an".into() }),
        FromHost::JournalTail(JournalTail { show: SHOW, last: 20 }),
        FromHost::Ping(Ping { sent: Millis(1_799_999_999_000) }),
        FromHost::CreateGame(Box::new(CreateGame {
            id: id("c-3"),
            code: Some(code()),
            game: GameName::parse("lots").unwrap(),
            title: "A draw".into(),
            seats: 500,
            barrier: Span(400),
            setup: Body::of(&json!({ "draws": 3 })),
        })),
    ]);
    messages
}

pub fn figures() -> Figures {
    Figures {
        show: SHOW,
        at: at(33_000),
        phase: Phase::Question,
        seq: seq(2),
        question: Some(FIRST),
        total: 12,
        joined: 2,
        connected: 3,
        alive: 2,
        answers: vec![0, 1, 1, 0],
        time_left: Some(Span(7_500)),
        paused: false,
        autopilot: true,
        next_step: Some(at(40_500)),
        latency: Latency { count: 2, p50: 900, p99: 1_400, max: 1_400 },
        shed: 0,
    }
}

/// Every alert, in the enum's order.
pub fn alerts() -> Vec<AlertKind> {
    vec![
        AlertKind::SilentGateways { question: FIRST, gateways: vec![GatewayId(3), GatewayId(7)] },
        AlertKind::Recovered { away: Span(4_000), closes_at: Some(at(44_500)) },
        AlertKind::Recovered { away: Span(4_000), closes_at: None },
        AlertKind::JournalFailing { problem: "No space left on device (os error 28)".into() },
        AlertKind::JournalBack,
        AlertKind::Outage { question: FIRST, late: Span(2_500) },
        AlertKind::UncertainClocks { gateways: vec![UncertainClock { gateway: GatewayId(7), uncertainty: 48_000 }] },
        AlertKind::GuestBanned { seat: BOB },
        AlertKind::AddressBansRefuse { joins: 100 },
        AlertKind::Game { body: Body::of(&json!({ "card": 7 })) },
    ]
}

pub fn to_host() -> Vec<ToHost> {
    let mut messages = vec![
        ToHost::Created(Created { id: id("c-1"), show: SHOW, code: code() }),
        ToHost::Done(Done { id: id("c-10"), show: SHOW, again: false }),
        ToHost::Refused(Refused {
            id: id("c-15"),
            error: ErrorMessage::from(&Refusal::because(ErrorCode::WrongPhase, "The question is open already.")),
        }),
        ToHost::Figures(Box::new(figures())),
        ToHost::Figures(Box::new(Figures {
            phase: Phase::Lobby,
            seq: seq(1),
            question: None,
            answers: vec![],
            time_left: None,
            autopilot: false,
            next_step: None,
            latency: Latency::default(),
            ..figures()
        })),
        ToHost::Event(HostEvent { show: SHOW, event: Box::new(ToPlayer::Question(question())) }),
    ];
    messages.extend(alerts().into_iter().map(|alert| ToHost::Alert(Alert { show: SHOW, at: at(41_000), alert })));
    messages.extend([
        ToHost::Shows(Shows {
            shows: vec![ShowLine {
                show: SHOW,
                code: code(),
                title: "Friday quiz".into(),
                phase: Phase::Lobby,
                joined: 2,
            }],
        }),
        ToHost::Players(Players {
            show: SHOW,
            players: vec![PlayerLine { seat: ANN, name: name("Ann"), alive: true, lives: 1, score: 940 }],
        }),
        ToHost::Journal(JournalLines { show: SHOW, lines: vec!["0 create \"Friday quiz\"".into()] }),
        ToHost::Pong(Pong { sent: Millis(1_799_999_999_000), now: at(12_345) }),
        ToHost::Error(ErrorMessage::from(ErrorCode::UnknownType)),
        ToHost::ResumeToken(ResumeToken { id: id("c-25"), show: SHOW, seat: BOB, resume: "cmVzdW1lLWJvYg".into() }),
    ]);
    messages
}
