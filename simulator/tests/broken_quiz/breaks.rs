//! One rule broken at a time, in what was told, written, or sent.

use klaxon_protocol::claim::{ClaimReply, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{ClaimKey, Seat};
use klaxon_protocol::journal::{Command, CountedClaim};
use klaxon_protocol::player::{Body, GameEvent, ToPlayer};
use klaxon_protocol::time::Span;
use serde_json::{Value, json};

use crate::Break;
use crate::recorded::Recorded;

/// An event that is told otherwise.
macro_rules! event {
    ($name:literal, $event:literal, $path:literal, $change:expr) => {
        Break { name: $name, promise: 10, words: "the book has", change: |show| told(show, $event, $path, $change) }
    };
}

/// Something of a seat's own that is told otherwise.
macro_rules! own {
    ($name:literal, $path:literal, $change:expr) => {
        Break {
            name: $name,
            promise: 10,
            words: "told of itself is another",
            change: |show| {
                show.received(|_, message| {
                    let ToPlayer::GameOwn(own) = message else { return false };
                    at(&mut own.body, $path, $change)
                })
            },
        }
    };
}

/// A snapshot that shows something else.
macro_rules! snapshot {
    ($name:literal, $path:literal, $change:expr) => {
        Break {
            name: $name,
            promise: 10,
            words: "the snapshot was never true",
            change: |show| {
                show.received(|_, message| {
                    let ToPlayer::GameSnapshot(snapshot) = message else { return false };
                    at(&mut snapshot.body, $path, $change)
                })
            },
        }
    };
}

pub const BREAKS: &[Break] = &[
    event!("one right answer too many", "reveal", "/right_answers", one_more),
    event!("another choice is right", "reveal", "/right/choices/0", other_choice),
    event!("another number is right", "reveal", "/right/number", one_more),
    event!("another order is right", "reveal", "/right/order", swap),
    event!("another spelling is right", "reveal", "/right/spellings/0", |text| replace(text, json!("Santos"))),
    event!("a choice is counted once too often", "reveal", "/counts/0", one_more),
    event!("one answer too many", "reveal", "/answered", one_more),
    event!("a leader has a point more", "reveal", "/leaders/0/points", one_more),
    event!("a leader has another rank", "reveal", "/leaders/1/rank", one_more),
    event!("nine leaders", "reveal", "/leaders", |leaders| leaders
        .as_array_mut()
        .is_some_and(|all| all.len() == 10 && all.pop().is_some())),
    event!("winners in another order", "reveal", "/winners", swap),
    event!("one more in play", "reveal", "/in_play", one_more),
    event!("another explanation", "reveal", "/explanation", |text| replace(text, json!("Because."))),
    event!("a word by one player more", "reveal", "/words/0/players", one_more),
    event!("a hidden word is still shown", "words", "/words", |words| {
        words.as_array_mut().is_some_and(|words| {
            words.push(json!({ "word": "rude", "players": 9 }));
            true
        })
    }),
    event!("the floor by another order than the stamps", "floor", "/order", swap),
    event!("another seat has the floor", "floor", "/seat", one_more),
    event!("one more buzzed", "floor", "/buzzed", one_more),
    event!("more points than the question has", "question", "/points", one_more),
    event!("a choice twice", "question", "/choices/0", |choice| replace(choice, json!("Mercury"))),
    event!("an order with a choice twice", "question", "/orders/0/0", |item| {
        let other = (item.as_u64().unwrap() + 1) % 2;
        replace(item, json!(other))
    }),
    event!("a question is longer open", "question", "/closes_at", one_more),
    event!("a question opens later", "question", "/opens_at", one_more),
    event!("another number of questions", "question", "/total", one_more),
    event!("another stake is possible", "question", "/most", one_more),
    event!("a break is longer", "break", "/for", one_more),
    event!("another round is closed", "close", "/round", one_more),
    own!("a point too many is gained", "/result/gained", one_more),
    own!("wrong is right", "/result/outcome", |outcome| *outcome == json!("wrong") && replace(outcome, json!("right"))),
    own!("silent is wrong", "/result/outcome", |outcome| *outcome == json!("silent")
        && replace(outcome, json!("wrong"))),
    own!("another rank", "/result/rank", one_more),
    own!("another place", "/result/place", one_more),
    own!("a point too many", "/points", one_more),
    own!("a life that was lost is there", "/lives", |lives| *lives == json!(0) && one_more(lives)),
    own!("who is out plays", "/in_play", |plays| *plays == json!(false) && replace(plays, json!(true))),
    own!("another winning", "/winnings", one_more),
    snapshot!("one more plays", "/in_play", one_more),
    snapshot!("another part", "/parts/1", |part| replace(part, json!("quiz"))),
    snapshot!("another commitment", "/commitments/0", |hash| replace(hash, json!("ab".repeat(32)))),
    snapshot!("another currency", "/currency", |currency| replace(currency, json!("USD"))),
    Break {
        name: "no result",
        promise: 10,
        words: "nothing of the seat's own followed",
        change: |show| {
            show.dropped(|message| matches!(message, ToPlayer::GameOwn(own) if own.body.0.contains_key("result")))
        },
    },
    Break {
        name: "the podium has another score",
        promise: 10,
        words: "the book has",
        change: |show| {
            show.everywhere(|message| {
                let ToPlayer::Podium(podium) = message else { return false };
                podium.places[0].score += 1;
                true
            })
        },
    },
    Break {
        name: "the podium has another place",
        promise: 10,
        words: "the book has",
        change: |show| {
            show.everywhere(|message| {
                let ToPlayer::Podium(podium) = message else { return false };
                podium.places[1].place += 1;
                true
            })
        },
    },
    Break {
        name: "one winner more",
        promise: 10,
        words: "the book has",
        change: |show| {
            show.everywhere(|message| {
                let ToPlayer::Podium(podium) = message else { return false };
                podium.winners += 1;
                true
            })
        },
    },
    Break {
        name: "a valid claim is refused",
        promise: 10,
        words: "refused as bad_choice, which was not so",
        change: |show| refused(show, ErrorCode::BadChoice),
    },
    Break {
        name: "one in play is refused",
        promise: 10,
        words: "refused as not_in_play, which was not so",
        change: |show| refused(show, ErrorCode::NotInPlay),
    },
    Break {
        name: "a claim is told to be void",
        promise: 10,
        words: "refused as voided, which was not so",
        change: |show| refused(show, ErrorCode::Voided),
    },
    Break {
        name: "a claim counts that is not possible",
        promise: 10,
        words: "that is not possible",
        change: |show| claims(show, |claims| claims[0].value = ClaimValue::Bits(1 << 60)),
    },
    Break {
        name: "a claim counts under a key that there is not",
        promise: 10,
        words: "that is not possible",
        change: |show| claims(show, |claims| claims[0].key = ClaimKey(7)),
    },
    Break {
        name: "a late claim counts",
        promise: 10,
        words: "that was read when the round was not open",
        change: |show| claims(show, |claims| claims[0].at = claims[0].at + Span(60_000)),
    },
    Break {
        name: "a claim counts of a seat that there is not",
        promise: 10,
        words: "of a seat that is not in play",
        change: |show| claims(show, |claims| claims[0].seat = Seat(999)),
    },
    Break {
        name: "a claim counts twice",
        promise: 1,
        words: "times",
        change: |show| claims(show, |claims| claims.push(claims[0].clone())),
    },
    Break {
        name: "claims are lost",
        promise: 2,
        words: "acknowledged, and not in the journal",
        change: |show| claims(show, Vec::clear),
    },
    Break {
        name: "the answer is told with the question",
        promise: 3,
        words: "was told before the question closed",
        change: |show| {
            show.received(|_, message| {
                question(message).is_some_and(|event| insert(&mut event.body, "right", json!(0)))
            })
        },
    },
    Break {
        name: "the spelling is told with the question",
        promise: 3,
        words: "was told before the question closed",
        change: |show| {
            show.received(|_, message| {
                let event = question(message).filter(|event| event.body.0.get("kind") == Some(&json!("text")));
                event.is_some_and(|event| insert(&mut event.body, "hint", json!("Rio")))
            })
        },
    },
    Break {
        name: "the seed is told",
        promise: 3,
        words: "the seed of a quiz was told",
        change: |show| {
            let Command::BeginGame { show: begun, .. } = &show.records[0].command else { return false };
            let seed = begun.setup.0["parts"][0]["seed"].as_str().unwrap().to_owned();
            show.received(|_, message| {
                let ToPlayer::GameSnapshot(snapshot) = message else { return false };
                snapshot.title.clone_from(&seed);
                true
            })
        },
    },
    Break {
        name: "a tally without its reveal",
        promise: 10,
        words: "the book has",
        change: |show| {
            let reveals = |command: &Command| matches!(command, Command::Tally { .. });
            let record = show.records.iter_mut().find(|record| reveals(&record.command) && !record.events.is_empty());
            record.map(|record| record.events.clear()).is_some()
        },
    },
    Break {
        name: "a host's points are not given",
        promise: 10,
        words: "told of itself is another",
        change: |show| {
            show.records.iter_mut().any(|record| {
                let Command::Host { action: klaxon_protocol::host::Action::Play { body }, .. } = &mut record.command
                else {
                    return false;
                };
                body.0.get_mut("points").and_then(|points| points.get_mut("by")).is_some_and(one_more)
            })
        },
    },
];

/// Changes a field of the first event of this name that `change` changes, wherever it is told.
fn told(show: &mut Recorded, name: &str, path: &str, change: fn(&mut Value) -> bool) -> bool {
    show.everywhere(|message| {
        let ToPlayer::GameEvent(event) = message else { return false };
        event.body.0.get("event").is_some_and(|other| other == name) && at(&mut event.body, path, change)
    })
}

/// Changes a field by its path.
fn at(body: &mut Body, path: &str, change: fn(&mut Value) -> bool) -> bool {
    let mut value = Value::Object(std::mem::take(&mut body.0));
    let is_changed = value.pointer_mut(path).filter(|field| !field.is_null()).is_some_and(change);
    if let Value::Object(fields) = value {
        body.0 = fields;
    }
    is_changed
}

fn one_more(value: &mut Value) -> bool {
    let more = value.as_i64().map(|number| json!(number + 1));
    more.map(|more| *value = more).is_some()
}

fn other_choice(value: &mut Value) -> bool {
    let other = (value.as_u64().unwrap() + 1) % 2;
    replace(value, json!(other))
}

fn swap(value: &mut Value) -> bool {
    value.as_array_mut().filter(|items| items.len() > 1).map(|items| items.swap(0, 1)).is_some()
}

#[allow(clippy::needless_pass_by_value, reason = "it is made for the call")]
fn replace(value: &mut Value, other: Value) -> bool {
    let is_other = *value != other;
    *value = other;
    is_other
}

fn insert(body: &mut Body, name: &str, value: Value) -> bool {
    body.0.insert(name.to_owned(), value).is_none()
}

fn question(message: &mut ToPlayer) -> Option<&mut GameEvent> {
    match message {
        ToPlayer::GameEvent(event) if event.round.is_some() => Some(event),
        _ => None,
    }
}

/// Refuses a claim that was accepted.
fn refused(show: &mut Recorded, code: ErrorCode) -> bool {
    show.received(|_, message| {
        let ToPlayer::ClaimReply(reply) = message else { return false };
        let was_accepted = reply.accepted;
        if was_accepted {
            *reply = ClaimReply::new(reply.round, reply.key, &Verdict::Refused(code));
        }
        was_accepted
    })
}

/// Changes the first claims that the journal counts.
fn claims(show: &mut Recorded, change: impl FnOnce(&mut Vec<CountedClaim>)) -> bool {
    let claims = show.records.iter_mut().find_map(|record| match &mut record.command {
        Command::Claims { claims, .. } => Some(claims),
        _ => None,
    });
    claims.map(change).is_some()
}
