//! What the host of a rundown does beside beginning rounds and revealing them.

use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::quiz::QuizEvent;
use klaxon_protocol::games::rundown::{Event, OfPart};
use klaxon_protocol::host::Action;
use klaxon_protocol::player::{Body, GameEvent, Phase};
use serde_json::json;

use crate::swarm::games::bingo::{host_step, is_bingo_play};
use crate::swarm::games::quiz::QuizHost;

/// How long a break is at least.
const BREAK: Duration = Duration::from_millis(300);

/// The question after whose reveal a host ends its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip {
    /// The part's index.
    pub part: u8,
    /// The question's number in it.
    pub number: u16,
}

/// The host of a rundown.
#[derive(Debug)]
pub struct RundownHost {
    quiz: QuizHost,
    skip: Option<Skip>,
}

impl RundownHost {
    /// A host who does now and then what this seed says.
    #[must_use]
    pub const fn new(seed: u64, skip: Option<Skip>) -> Self {
        Self { quiz: QuizHost { seed }, skip }
    }

    /// What the host does after an event, each with how long after.
    #[must_use]
    pub fn steps(&self, event: &GameEvent, pause: Duration) -> Vec<(Duration, Action)> {
        if let Ok(Event::Break { .. }) = event.body.read() {
            return vec![(pause.max(BREAK), Action::Next)];
        }
        if self.skip.is_some_and(|skip| skip.is_after(event)) {
            return vec![(pause / 2, Action::Play { body: Body::of(&json!({ "skip": true })) })];
        }
        let mut steps = self.quiz.steps(event, pause);
        steps.extend(host_step(event, pause));
        steps
    }
}

impl Skip {
    fn is_after(self, event: &GameEvent) -> bool {
        let Ok(OfPart { part, event: QuizEvent::Reveal(reveal) }) = event.body.read() else { return false };
        self == Self { part, number: reveal.number }
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
