//! What the gateway and the engine of the show say to each other.

use std::sync::Arc;

use klaxon_protocol::claim::{Claim, ClaimForm, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::Choice;
use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ClaimKey, ConnRef, GatewayId, Generation, PlayerId, SeatRef};
use klaxon_protocol::link::*;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Role, ToPlayer};

use super::host::{alerts, code, figures, id, to_host};
use super::player::{reveal, snapshot, to_player, you};
use super::{ANN, BOB, FIRST, SHOW, Variants, at, name, seq, variants};

fn claim(choice: u8) -> Claim {
    Claim { round: FIRST, key: ClaimKey(0), value: Choice(choice).into() }
}

variants!(ToEngine {
    Hello { .. } = "hello",
    Bye { .. } = "bye",
    Attend { .. } = "attend",
    Leave { .. } = "leave",
    Join(_) = "join",
    Answers(_) = "answers",
    BarrierPassed { .. } = "barrier_passed",
    Resync { .. } = "resync",
    Reactions { .. } = "reactions",
    Host { .. } = "host",
    Counts(_) = "counts",
    Gone { .. } = "gone",
    Present(_) = "present",
});

variants!(ToGateway {
    Seated(_) = "seated",
    Resynced(_) = "resynced",
    JoinRefused { .. } = "join_refused",
    Replies(_) = "replies",
    Broadcast(_) = "broadcast",
    Barrier { .. } = "barrier",
    Dismiss { .. } = "dismiss",
    Moved { .. } = "moved",
    Said { .. } = "said",
    Host { .. } = "host",
    Figures(_) = "figures",
    Alert { .. } = "alert",
    Running { .. } = "running",
    Own { .. } = "own",
    Reissued(_) = "reissued",
    Census { .. } = "census",
});

variants!(Verdict {
    Accepted(_) = "accepted",
    AlreadyAnswered(_) = "already_answered",
    Refused(_) = "refused",
});

const GATEWAY: GatewayId = GatewayId(3);
/// Bob has a seat that was another's.
const BOBS: SeatRef = SeatRef { seat: BOB, generation: Generation(1) };
const ANNS: SeatRef = SeatRef::first(ANN);
const CONN: ConnRef = ConnRef { gateway: GATEWAY, conn: 1_234 };

pub fn player() -> PlayerId {
    PlayerId::parse("guest-1").unwrap()
}

pub fn to_engine() -> Vec<ToEngine> {
    vec![
        ToEngine::Hello { gateway: GATEWAY },
        ToEngine::Bye { gateway: GATEWAY },
        ToEngine::Attend { gateway: GATEWAY, show: SHOW },
        ToEngine::Leave { gateway: GATEWAY, show: SHOW },
        ToEngine::Join(JoinRequest {
            conn: CONN,
            code: code(),
            player: player(),
            name: Some(name("Ann")),
            role: Role::Player,
            proof: Proof::NewGuest,
            origin: Origin::of_hash(0x1234_5678_9abc_def0),
        }),
        ToEngine::Answers(AnswerBatch {
            gateway: GATEWAY,
            show: SHOW,
            answers: vec![
                StampedAnswer {
                    conn: 1_234,
                    number: 1,
                    by: ANNS,
                    form: ClaimForm::Answer,
                    claim: claim(2),
                    at: at(32_000),
                },
                StampedAnswer {
                    conn: 1_235,
                    number: 3,
                    by: BOBS,
                    form: ClaimForm::Claim,
                    claim: claim(1),
                    at: at(32_001),
                },
            ],
        }),
        ToEngine::BarrierPassed { gateway: GATEWAY, show: SHOW, round: FIRST },
        ToEngine::Resync { conn: CONN, show: SHOW, seat: Some(ANNS) },
        ToEngine::Reactions { show: SHOW, counts: [0, 17, 0, 0, 0, 3] },
        ToEngine::Host { conn: CONN, message: FromHost::Shows },
        ToEngine::Counts(GatewayCounts {
            gateway: GATEWAY,
            show: SHOW,
            connected: 2,
            shed: 0,
            latency: figures().latency,
            clock_uncertainty: 350,
            dropped: 1,
        }),
        ToEngine::Gone { conn: CONN, show: SHOW, seat: ANNS, left: true },
        ToEngine::Present(Present {
            gateway: GATEWAY,
            show: SHOW,
            census: 2,
            players: vec![(ANNS, 1_234), (BOBS, 1_235)],
            is_last: true,
        }),
    ]
}

/// Every verdict, in the enum's order.
pub fn verdicts() -> Vec<Verdict> {
    let verdicts = vec![
        Verdict::Accepted(Choice(2).into()),
        Verdict::AlreadyAnswered(Choice(2).into()),
        Verdict::Refused(ErrorCode::TooLate),
    ];
    let names: Vec<_> = verdicts.iter().map(Variants::variant).collect();
    assert_eq!(names, Verdict::NAMES, "examples of Verdict");
    verdicts
}

pub fn to_gateway() -> Vec<ToGateway> {
    let results = to_player().into_iter().filter(|message| matches!(message, ToPlayer::Result(_))).collect();
    let reply = |verdict| Reply {
        conn: 1_234,
        number: 1,
        form: ClaimForm::Answer,
        round: FIRST,
        key: ClaimKey(0),
        verdict,
        read_at: at(32_000),
    };
    let mut messages = vec![
        ToGateway::Seated(Seated {
            conn: CONN,
            show: SHOW,
            seat: Some(ANNS),
            player: player(),
            name: name("Ann"),
            view: Arc::new(snapshot().into()),
            own: ToPlayer::You(you()),
            issue: 1,
        }),
        ToGateway::Resynced(Resynced {
            conn: CONN,
            show: SHOW,
            view: Arc::new(snapshot().into()),
            own: ToPlayer::You(you()),
        }),
        ToGateway::JoinRefused { conn: CONN, error: ErrorCode::ShowEnded.into() },
        ToGateway::Replies(ReplyBatch {
            gateway: GATEWAY,
            show: SHOW,
            replies: verdicts().into_iter().map(reply).collect(),
        }),
        ToGateway::Broadcast(Broadcast {
            show: SHOW,
            message: ToPlayer::Reveal(reveal()),
            personal: Some(Arc::new(Personal { shapes: results, by_seat: vec![0, 1, Personal::NONE] })),
        }),
        ToGateway::Barrier { show: SHOW, round: FIRST },
        ToGateway::Dismiss { show: SHOW, seat: BOBS, code: ErrorCode::Banned },
        ToGateway::Moved { show: SHOW, to: GatewayId(4), seats: vec![ANNS, BOBS] },
        ToGateway::Said { show: SHOW, seq: seq(4) },
        ToGateway::Host { conn: CONN, message: to_host().swap_remove(1) },
        ToGateway::Figures(Box::new(figures())),
    ];
    messages.extend(alerts().into_iter().map(|alert| ToGateway::Alert { show: SHOW, at: at(41_000), alert }));
    messages.push(ToGateway::Running { show: SHOW, view: Arc::new(snapshot().into()) });
    let personal = Arc::new(Personal { shapes: vec![ToPlayer::You(you())], by_seat: vec![Personal::NONE, 0] });
    messages.push(ToGateway::Own { show: SHOW, personal });
    messages.push(ToGateway::Reissued(Reissued {
        conn: CONN,
        command: id("c-25"),
        show: SHOW,
        code: code(),
        seat: BOB,
        player: player(),
        name: name("Bob"),
        issue: 2,
    }));
    messages.push(ToGateway::Census { show: SHOW, census: 2 });
    messages
}
