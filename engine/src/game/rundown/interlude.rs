//! Parts without rounds: something on all screens, until the script or the host goes on.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};
use serde_json::Map;

use super::{Counted, Look, Part, Stage, Wait};
use crate::game::results::RoundResult;
use crate::round::SeatClaim;

/// Something on all screens.
pub trait Interlude: Send + 'static {
    /// What it is, for a refusal.
    const NAME: &str;

    /// It begins: tells what is shown.
    fn begin(&mut self, stage: &mut Stage<'_>);

    /// How long the script waits.
    fn lasts(&self) -> Span;

    /// The same for players who join.
    fn view(&self) -> Body;

    /// What a seat has in it.
    fn own(&self, seat: Seat) -> Body {
        let _ = seat;
        Body(Map::new())
    }

    /// A hash of its state.
    fn digest(&self) -> u64;
}

/// A part without rounds.
pub struct WithoutRounds<I>(pub I);

/// Nothing of a part that has no rounds can be closed, revealed or void.
const NO_ROUNDS: &str = "this part has no rounds";

impl<I: Interlude> Part for WithoutRounds<I> {
    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.0.begin(stage);
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
        let detail = format!("A {} has no actions of its own: `next` goes on.", I::NAME);
        Err(Refusal::because(ErrorCode::BadArgument, detail))
    }

    fn seat_taken(&mut self, _: &mut Stage<'_>, _: Seat) {}

    fn restored(&mut self, _: &mut Stage<'_>, _: Seat, _: RoundId) {}

    fn wait(&self, _: Phase) -> Wait {
        Wait::For(self.0.lasts())
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
        self.0.view()
    }

    fn own(&self, _: &Look<'_>, seat: Seat) -> Body {
        self.0.own(seat)
    }

    fn rounds(&self) -> u16 {
        0
    }

    fn host_numbers(&self) -> Vec<u32> {
        Vec::new()
    }

    fn digest(&self) -> u64 {
        self.0.digest()
    }

    fn results(&self) -> Vec<RoundResult> {
        Vec::new()
    }
}
