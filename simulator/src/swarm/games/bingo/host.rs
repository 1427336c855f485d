//! What the host of bingo does beside drawing the balls: closes the dealing, and tells the public value.

use std::time::Duration;

use klaxon_protocol::games::bingo::BingoEvent;
use klaxon_protocol::host::Action;
use klaxon_protocol::player::{Body, GameEvent};
use serde_json::json;

/// The value that the host tells if one was announced.
const PUBLIC_VALUE: &str = "41.23";

/// What the host does after an event, and how long after.
#[must_use]
pub fn host_step(event: &GameEvent, pause: Duration) -> Option<(Duration, Action)> {
    let play = |body| Action::Play { body: Body::of(&body) };
    match event.body.read::<BingoEvent>().ok()? {
        BingoEvent::Dealing(_) => Some((pause.max(DEALING), play(json!({ "close_dealing": true })))),
        // Without a public value to wait for, it is refused, and the first ball drawn.
        BingoEvent::Dealt(_) => Some((pause, play(json!({ "public_value": PUBLIC_VALUE })))),
        BingoEvent::PublicValue { .. } => Some((pause, Action::Next)),
        _ => None,
    }
}

/// How long tickets are dealt at least: players who come in meanwhile get theirs, too.
const DEALING: Duration = Duration::from_millis(500);

/// Whether this `play` is one of bingo.
#[must_use]
pub fn is_bingo_play(body: &Body) -> bool {
    ["close_dealing", "public_value"].iter().any(|name| body.0.contains_key(*name))
}
