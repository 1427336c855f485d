//! A break: a text on all screens, without rounds.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{Break, Event};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Map, json};

use super::{Counted, Look, Part, Stage, Wait, hash};
use crate::game::results::RoundResult;
use crate::round::SeatClaim;

/// A break.
pub struct Breaks {
    settings: Break,
    began_at: Option<Millis>,
}

impl Breaks {
    pub const fn new(settings: Break) -> Self {
        Self { settings, began_at: None }
    }
}

/// Nothing of a part that has no rounds can be closed, revealed or void.
const NO_ROUNDS: &str = "a break has no rounds";

impl Part for Breaks {
    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.began_at = Some(stage.now);
        let Break { text, lasts } = self.settings.clone();
        stage.tell_between(Event::Break { text, lasts }, None);
    }

    fn next(&mut self, _: &mut Stage<'_>) -> Result<(), Refusal> {
        Err(ErrorCode::NoMoreQuestions.into())
    }

    fn is_over(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &mut Stage<'_>) {}

    fn settle(&mut self, _: &mut Stage<'_>) {
        unreachable!("{NO_ROUNDS}")
    }

    fn lost(&mut self, _: &mut Stage<'_>, _: &str) {
        unreachable!("{NO_ROUNDS}")
    }

    fn reveal(&mut self, _: &mut Stage<'_>) -> Result<(), Refusal> {
        unreachable!("{NO_ROUNDS}")
    }

    fn void(&mut self, _: &mut Stage<'_>, _: &str) -> Result<(), Refusal> {
        unreachable!("{NO_ROUNDS}")
    }

    fn play(&mut self, _: &mut Stage<'_>, _: &Body) -> Result<(), Refusal> {
        Err(Refusal::because(ErrorCode::BadArgument, "A break has no actions of its own: `next` goes on."))
    }

    fn seat_taken(&mut self, _: &mut Stage<'_>, _: Seat) {}

    fn restored(&mut self, _: &mut Stage<'_>, _: Seat, _: RoundId) {}

    fn wait(&self, _: Phase) -> Wait {
        Wait::For(self.settings.lasts)
    }

    fn counted_value(&self, _: Seat, _: ClaimKey) -> Option<ClaimValue> {
        None
    }

    fn check(&self, _: &Look<'_>, _: &SeatClaim, _: Span) -> Result<(), ErrorCode> {
        Err(ErrorCode::TooLate)
    }

    fn count(&mut self, _: Counted) {}

    fn counted(&self) -> Vec<SeatClaim> {
        Vec::new()
    }

    fn view(&self, _: &Look<'_>, _: Millis) -> Body {
        Body::of(&json!({ "text": self.settings.text, "for": self.settings.lasts, "began_at": self.began_at }))
    }

    fn own(&self, _: &Look<'_>, _: Seat) -> Body {
        Body(Map::new())
    }

    fn rounds(&self) -> u16 {
        0
    }

    fn host_numbers(&self) -> Vec<u32> {
        Vec::new()
    }

    fn digest(&self) -> u64 {
        hash(&self.began_at)
    }

    fn results(&self) -> Vec<RoundResult> {
        Vec::new()
    }
}
