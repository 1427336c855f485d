//! What the host of a rundown does beside beginning rounds and revealing them.

use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown::Event;
use klaxon_protocol::host::Action;
use klaxon_protocol::player::{Body, GameEvent, Phase};
use serde_json::json;

use crate::swarm::games::bingo::{host_step, is_bingo_play};
use crate::swarm::games::quiz::QuizHost;

/// How long a break is at least.
const BREAK: Duration = Duration::from_millis(300);

/// The host of a rundown.
#[derive(Debug)]
pub struct RundownHost {
    quiz: QuizHost,
}

impl RundownHost {
    /// A host who does now and then what this seed says.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { quiz: QuizHost { seed } }
    }

    /// What the host does after an event, each with how long after.
    #[must_use]
    pub fn steps(&self, event: &GameEvent, pause: Duration) -> Vec<(Duration, Action)> {
        if let Ok(Event::Break { .. }) = event.body.read() {
            return vec![(pause.max(BREAK), Action::Next)];
        }
        let mut steps = self.quiz.steps(event, pause);
        steps.extend(host_step(event, pause));
        steps
    }
}

/// What the host does in this phase instead of an action that was refused. What only one part has is refused if there is
/// nothing to do: then the show goes on.
#[must_use]
pub fn instead(refused: &Action, code: ErrorCode, phase: Phase) -> Option<Action> {
    match refused {
        // The event that gave a player the floor may have been missed while the connection was lost.
        Action::Reveal if code == ErrorCode::WrongPhase && phase == Phase::Closed => {
            Some(Action::Play { body: Body::of(&json!({ "judge": "right" })) })
        }
        Action::Play { body } if is_bingo_play(body) => Some(Action::Next),
        Action::Play { body } if body.0.contains_key("judge") => Some(Action::Reveal),
        _ => None,
    }
}
