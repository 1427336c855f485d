//! A show beside a video stream that its players see later than the host acts: what the host does is carried out once the stream has come
//! to it, so that events, windows and snapshots are those of the stream.

use std::collections::VecDeque;

use klaxon_protocol::binary::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::Millis;
use serde_json::json;

use super::Rundown;
use crate::game::Effect;

/// How many actions can wait for the stream.
const MOST: usize = 100;

/// The host's actions that the stream has not come to, in the order in which they were given.
#[derive(Debug, Default, Encode)]
pub struct Delayed(VecDeque<(Millis, Action)>);

impl Rundown {
    /// Carries out an action of the host, or lets it wait for the stream.
    pub(super) fn act(&mut self, now: Millis, action: &Action) -> Result<Vec<Effect>, Refusal> {
        self.must_suit_the_stream(action)?;
        if !self.waits(action) {
            return self.apply_action(now, action);
        }
        self.must_not_have_ended()?;
        if self.delayed.0.len() == MOST {
            let detail = format!("{MOST} actions wait for the stream: `take_back` drops them.");
            return Err(Refusal::because(ErrorCode::Unavailable, detail));
        }
        self.delayed.0.push_back((now + self.setup.stream_delay, action.clone()));
        Ok(Vec::new())
    }

    fn must_suit_the_stream(&self, action: &Action) -> Result<(), Refusal> {
        if self.setup.stream_delay.0 > 0 && matches!(action, Action::Autopilot { on: true }) {
            let detail =
                "The script would be ahead of the stream: a show with a `stream_delay` is steered by its host.";
            return Err(Refusal::because(ErrorCode::BadArgument, detail));
        }
        Ok(())
    }

    /// Whether players should see it with the stream. What mends something, or concerns single players, is done at once.
    fn waits(&self, action: &Action) -> bool {
        let is_seen = match action {
            Action::Next | Action::Close | Action::Reveal | Action::Message { .. } | Action::End { .. } => true,
            Action::Play { body } => {
                body.0.contains_key("skip") || self.current().is_some_and(|part| part.is_seen_on_stream(body))
            }
            _ => false,
        };
        is_seen && self.setup.stream_delay.0 > 0
    }

    /// When the next action is due. While the show is paused, or the last claims of a round are awaited, all wait.
    pub(super) fn delayed_until(&self) -> Option<Millis> {
        let (due, _) = self.delayed.0.front()?;
        (!self.steps.paused && self.course.phase != Phase::Closing).then_some(*due)
    }

    /// Carries out the next action if it is due, and tells the host if that can't be done any more.
    pub(super) fn act_late(&mut self, now: Millis) -> Option<Vec<Effect>> {
        self.delayed_until().filter(|&due| due <= now)?;
        let (_, action) = self.delayed.0.pop_front()?;
        let done = self.apply_action(now, &action);
        if self.course.phase == Phase::Ended {
            self.delayed.0.clear();
        }
        Some(done.unwrap_or_else(|refusal| vec![could_not(&action, &refusal)]))
    }

    /// Drops all that waits for the stream.
    pub(super) fn take_back(&mut self) -> Result<Vec<Effect>, Refusal> {
        if self.delayed.0.is_empty() {
            return Err(Refusal::because(ErrorCode::BadArgument, "Nothing waits for the stream."));
        }
        self.delayed.0.clear();
        Ok(Vec::new())
    }
}

fn could_not(action: &Action, refusal: &Refusal) -> Effect {
    let Body(mut body) = Body::of(action);
    let name = body.remove("action");
    let told = json!({ "event": "not_done", "action": name, "code": refusal.code, "detail": refusal.detail });
    Effect::Alert(AlertKind::Game { body: Body::of(&told) })
}
