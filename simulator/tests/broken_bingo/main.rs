//! Tests that the audit can fail for bingo: a clean show is played live, its evidence changed in one place at a time, and
//! the audit must report each change as what it is.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod recorded;

use klaxon_protocol::claim::{ClaimReply, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{Body, ToPlayer};
use klaxon_protocol::time::Span;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::swarm::games::ShowName;
use klaxon_simulator::swarm::replay::ReplayCommand;
use serde_json::{Value, json};

use recorded::Recorded;

/// A change of a show's evidence.
struct Break {
    /// The promise that is broken then, and words of the report.
    promise: u8,
    words: &'static str,
    /// Changes the show; false if there is nothing to change.
    change: fn(&mut Recorded) -> bool,
}

const BREAKS: &[Break] = &[
    Break {
        promise: 10,
        words: "the book has",
        change: |show| {
            settled(show, |won| {
                // A ticket that did not win is paid.
                let seat = won["winners"][0]["seat"].as_u64().unwrap();
                won["winners"][0]["seat"] = json!((seat + 1) % 30);
            })
        },
    },
    Break {
        promise: 10,
        words: "the book has",
        change: |show| {
            settled(show, |won| {
                won["share"] = json!(won["share"].as_u64().unwrap() + 1);
            })
        },
    },
    Break {
        promise: 10,
        words: "the book has",
        change: |show| {
            settled(show, |won| {
                won["one_more"] = json!(won["one_more"].as_u64().unwrap() + 1);
            })
        },
    },
    Break {
        promise: 10,
        words: "the book has",
        change: |show| {
            show.everywhere(|event| {
                // A ball that is not the next one of the order.
                field(event, "ball", "ball", |ball| *ball = json!(ball.as_u64().unwrap() % 75 + 1))
            })
        },
    },
    Break {
        promise: 10,
        words: "the book has",
        change: |show| show.everywhere(|event| field(event, "opened", "seed", |seed| *seed = json!("ab".repeat(32)))),
    },
    Break {
        promise: 10,
        words: "the book has",
        change: |show| {
            show.everywhere(|event| {
                field(event, "dealing", "commitment", |commitment| *commitment = json!("ab".repeat(32)))
            })
        },
    },
    Break {
        promise: 10,
        words: "the book has",
        change: |show| {
            show.everywhere(|event| field(event, "dealt", "roster", |roster| *roster = json!("ab".repeat(32))))
        },
    },
    Break {
        promise: 10,
        words: "the tickets are others",
        change: |show| {
            // Two seats have the same tickets.
            let mut first = None;
            show.received(|_, message| {
                let Some(tickets) = own(message).and_then(|body| body.0.get_mut("tickets")) else { return false };
                let first = first.get_or_insert_with(|| tickets.clone());
                let is_other = first != tickets;
                if is_other {
                    tickets.clone_from(first);
                }
                is_other
            })
        },
    },
    Break {
        promise: 10,
        words: "refused as not_in_play, which was not so",
        change: |show| {
            show.received(|_, message| {
                let ToPlayer::ClaimReply(reply) = message else { return false };
                let is_accepted = reply.accepted;
                if is_accepted {
                    *reply = ClaimReply::new(reply.round, reply.key, &Verdict::Refused(ErrorCode::NotInPlay));
                }
                is_accepted
            })
        },
    },
    Break {
        promise: 10,
        words: "the result is another",
        change: |show| {
            show.received(|_, message| {
                let won =
                    own(message).filter(|body| body.0.contains_key("round")).and_then(|body| body.0.get_mut("won"));
                let Some(share) = won.and_then(|won| won.get_mut(0)) else { return false };
                share["share"] = json!(share["share"].as_u64().unwrap() + 1);
                true
            })
        },
    },
    Break {
        promise: 10,
        words: "no result followed",
        change: |show| show.dropped(|message| own(message).is_some_and(|body| body.0.contains_key("round"))),
    },
    Break {
        promise: 10,
        words: "the snapshot is another",
        change: |show| {
            show.received(|_, message| {
                let ToPlayer::GameSnapshot(snapshot) = message else { return false };
                let now = snapshot.body.0.get_mut("now").filter(|now| now.is_object());
                let Some(drawn) = now.and_then(|now| now.get_mut("drawn")).and_then(Value::as_array_mut) else {
                    return false;
                };
                drawn.push(json!(1));
                true
            })
        },
    },
    Break {
        promise: 10,
        words: "is committed to by",
        change: |show| {
            show.received(|_, message| {
                let ToPlayer::GameSnapshot(snapshot) = message else { return false };
                snapshot.body.0.insert("commitments".into(), json!(["cd".repeat(32)])).is_some()
            })
        },
    },
    Break {
        promise: 10,
        words: "told of a prize",
        change: |show| {
            show.received(|_, message| {
                let ToPlayer::Prize(prize) = message else { return false };
                prize.amount += 1;
                true
            })
        },
    },
    Break {
        promise: 3,
        words: "the seed of the balls was told",
        change: |show| {
            let seed = show.seed();
            show.received(|_, message| {
                let ToPlayer::GameSnapshot(snapshot) = message else { return false };
                snapshot.title.clone_from(&seed);
                true
            })
        },
    },
    Break { promise: 1, words: "times", change: |show| claims(show, |claims| claims.push(claims[0].clone())) },
    Break { promise: 2, words: "acknowledged, and not in the journal", change: |show| claims(show, Vec::clear) },
    Break {
        promise: 4,
        words: "stamped",
        change: |show| claims(show, |claims| claims[0].at = claims[0].at - Span(2_000)),
    },
    Break {
        promise: 10,
        words: "a call counts of a ticket or a prize",
        change: |show| {
            claims(show, |claims| {
                claims[0].key.0 = 191;
            })
        },
    },
    Break {
        promise: 5,
        words: "was next",
        change: |show| {
            show.dropped(|message| {
        matches!(message, ToPlayer::GameEvent(event) if event.body.0.get("event") == Some(&json!("close")))
    })
        },
    },
];

/// Changes the first prize that was won, wherever its settlement is told.
fn settled(show: &mut Recorded, change: impl Fn(&mut Value)) -> bool {
    show.everywhere(|event| {
        let ToPlayer::GameEvent(event) = event else { return false };
        let won = event.body.0.get_mut("won").and_then(|won| won.get_mut(0));
        won.map(&change).is_some()
    })
}

/// Changes a field of an event of this name.
fn field(message: &mut ToPlayer, event: &str, name: &str, change: impl FnOnce(&mut Value)) -> bool {
    let ToPlayer::GameEvent(told) = message else { return false };
    let is_it = told.body.0.get("event").is_some_and(|other| other == event);
    let field = told.body.0.get_mut(name).filter(|_| is_it);
    field.map(change).is_some()
}

/// Changes the first calls that the journal counts.
fn claims(show: &mut Recorded, change: impl FnOnce(&mut Vec<klaxon_protocol::journal::CountedClaim>)) -> bool {
    let claims = show.records.iter_mut().find_map(|record| match &mut record.command {
        Command::Claims { claims, .. } => Some(claims),
        _ => None,
    });
    claims.map(change).is_some()
}

fn own(message: &mut ToPlayer) -> Option<&mut Body> {
    match message {
        ToPlayer::GameOwn(own) => Some(&mut own.body),
        _ => None,
    }
}

/// All violations, to be printed when a test fails.
fn told(audit: &Audit) -> Vec<String> {
    let of = |finding: &klaxon_simulator::audit::Finding| {
        let promise = finding.promise;
        finding.violations.iter().map(move |violation| format!("{promise}: {violation}")).collect::<Vec<_>>()
    };
    audit.findings.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_show_of_bingo_is_clean_and_each_change_of_it_is_found() {
    let klaxon = recorded::klaxon();
    let options = AuditOptions::default();
    for which in [ShowName::Bingo75, ShowName::Bingo90] {
        let show = Recorded::play(&klaxon, which).await;
        let mut evidence = show.evidence();
        evidence.replay = Some(ReplayCommand::of_klaxon(klaxon.clone()).run(&evidence.journal, &evidence.people));
        let clean = audit(&evidence, &options);
        assert!(clean.clean(), "{which:?}: {:#?} {clean:#?}", told(&clean));
        for (number, Break { promise, words, change }) in BREAKS.iter().enumerate() {
            let mut broken = show.clone();
            assert!(change(&mut broken), "{which:?}: break {number} changes nothing");
            let audit = audit(&broken.evidence(), &options);
            let found = told(&audit);
            let begins = format!("{promise}: ");
            let is_found = found.iter().any(|line| line.starts_with(&begins) && line.contains(words));
            assert!(is_found, "{which:?}: break {number}, promise {promise}, {words:?}: {found:#?}");
        }
    }
}
