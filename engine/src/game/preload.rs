//! A preload: clients load what later parts show, and the show can wait until enough have. The rule book is docs/rules/rundown.md.

use klaxon_protocol::binary::Encode;
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::media::Media;
use klaxon_protocol::games::rundown::{Preload, PreloadEvent};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Map, json};
use xxhash_rust::xxh3::xxh3_64;

use super::people::SeatSet;
use super::results::RoundResult;
use super::rundown::{Counted, Look, Opening, Part, Stage, Wait, hash};
use crate::round::{ClaimSpace, SeatClaim};

/// All that a player can claim: to have loaded all.
const LOADED: ClaimValue = ClaimValue::Bits(0);

/// A preload.
pub struct PreloadPart {
    settings: Preload,
    media: Vec<Media>,
    waited: Option<Waited>,
    /// The seats that have loaded all.
    loaded: SeatSet,
}

/// The round in which players say that they have loaded all.
#[derive(Debug, Clone, Encode)]
struct Waited {
    round: RoundId,
    /// How many have.
    loaded: u32,
    /// A sum over the hashes of their seats.
    hashes: u64,
    /// When the last of them was read; until then when the round opens.
    last: Millis,
}

impl PreloadPart {
    /// A preload of these files.
    pub fn new(settings: Preload, media: Vec<Media>) -> Self {
        Self { settings, media, waited: None, loaded: SeatSet::default() }
    }

    fn told(&self) -> PreloadEvent {
        PreloadEvent::Preload { media: self.media.clone(), percent: self.settings.percent }
    }
}

impl Part for PreloadPart {
    fn begin(&mut self, stage: &mut Stage<'_>) {
        stage.tell_between(self.told(), None);
    }

    fn next(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        let opening = Opening { space: ClaimSpace::one_below(1), lead: Span(0), open_for: self.settings.within };
        let times = stage.open(opening, PreloadEvent::Load, None);
        self.waited = Some(Waited { round: times.round, loaded: 0, hashes: 0, last: times.opens_at });
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.waited.is_some() || self.settings.percent == 0
    }

    fn finish(&mut self, _: &mut Stage<'_>) {
        self.loaded = SeatSet::default();
    }

    fn settle(&mut self, stage: &mut Stage<'_>) {
        let round = stage.last_round().expect("its round was closed");
        let loaded = self.loaded.iter().filter(|&seat| stage.plays(seat)).count();
        let loaded = u32::try_from(loaded).expect("there are no more than seats");
        stage.tell(Phase::Revealed, PreloadEvent::Loaded { round, loaded });
    }

    fn lost(&mut self, stage: &mut Stage<'_>, reason: &str) {
        stage.tell_void(reason, None);
    }

    fn reveal(&mut self, _: &mut Stage<'_>) -> Result<(), Refusal> {
        unreachable!("its round is not left closed")
    }

    fn void(&mut self, stage: &mut Stage<'_>, reason: &str) -> Result<(), Refusal> {
        stage.tell_void(reason, None);
        Ok(())
    }

    fn play(&mut self, _: &mut Stage<'_>, _: &Body) -> Result<(), Refusal> {
        let detail = "A preload has no action of its own: `close` ends its wait.";
        Err(Refusal::because(ErrorCode::BadArgument, detail))
    }

    fn seat_taken(&mut self, _: &mut Stage<'_>, _: Seat) {}

    fn restored(&mut self, _: &mut Stage<'_>, _: Seat, _: RoundId) {}

    fn wait(&self, _: Phase) -> Wait {
        Wait::For(Span(0))
    }

    /// Once enough of those who play now have loaded all. One who did and was removed since is counted still: that ends the wait a little
    /// early, and costs nobody anything.
    fn closes_early(&self, look: &Look<'_>) -> Option<Millis> {
        let waited = self.waited.as_ref()?;
        let (loaded, playing) = (u64::from(waited.loaded), u64::from(look.playing()));
        (loaded * 100 >= playing * u64::from(self.settings.percent)).then_some(waited.last)
    }

    fn counted_value(&self, seat: Seat, _: ClaimKey) -> Option<ClaimValue> {
        self.loaded.contains(seat).then_some(LOADED)
    }

    fn check(&self, look: &Look<'_>, claim: &SeatClaim, _: Span) -> Result<(), ErrorCode> {
        if look.plays(claim.seat) { Ok(()) } else { Err(ErrorCode::NotInPlay) }
    }

    fn count(&mut self, Counted { claim, at, .. }: Counted) {
        let waited = self.waited.as_mut().expect("claims are counted in a round");
        self.loaded.insert(claim.seat);
        waited.loaded += 1;
        waited.hashes = waited.hashes.wrapping_add(xxh3_64(&claim.seat.0.to_le_bytes()));
        waited.last = waited.last.max(at);
    }

    fn counted(&self) -> Vec<SeatClaim> {
        self.loaded.iter().map(|seat| SeatClaim { seat, key: ClaimKey(0), value: LOADED }).collect()
    }

    fn view(&self, _: &Look<'_>, _: Millis) -> Body {
        let Body(mut view) = Body::of(&self.told());
        view.remove("event");
        Body(view)
    }

    fn own(&self, _: &Look<'_>, seat: Seat) -> Body {
        if self.settings.percent == 0 {
            Body(Map::new())
        } else {
            Body::of(&json!({ "loaded": self.loaded.contains(seat) }))
        }
    }

    fn rounds(&self) -> u16 {
        u16::from(self.settings.percent > 0)
    }

    fn host_numbers(&self) -> Vec<u32> {
        self.waited.iter().map(|waited| waited.loaded).collect()
    }

    fn digest(&self) -> u64 {
        hash(&self.waited)
    }

    fn results(&self) -> Vec<RoundResult> {
        let result =
            |waited: &Waited| RoundResult { round: waited.round, body: Body::of(&json!({ "loaded": waited.loaded })) };
        self.waited.iter().map(result).collect()
    }
}
