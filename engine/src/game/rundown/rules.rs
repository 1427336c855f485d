//! How a rundown begins: its setup is checked, its secrets are drawn, and its parts are made.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{PartKind, PartSetup, SecretSeed, Setup, media_of};
use klaxon_protocol::journal::{BegunGame, RulesVersion};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;
use serde_json::{Map, Value};

use super::breaks::Breaks;
use super::interlude::WithoutRounds;
use super::leaders::Leaders;
use super::{Part, Rundown};
use crate::game::bingo::{BingoPart, Seed};
use crate::game::preload::PreloadPart;
use crate::game::quiz::QuizPart;
use crate::game::{Game, GameRules};

/// The only edition. Its journals keep who players are apart.
const FIRST: RulesVersion = RulesVersion(1);
/// Stands for the edition that there is not: whose journals name players.
const NAMED: RulesVersion = RulesVersion(0);

/// Creates rundowns.
pub struct RundownRules;

impl GameRules for RundownRules {
    fn newest(&self, apart: bool) -> RulesVersion {
        if apart { FIRST } else { NAMED }
    }

    fn begin(&self, now: Millis, rules: RulesVersion, show: &BegunGame) -> Result<Box<dyn Game>, Refusal> {
        if rules != FIRST {
            let detail = "A rundown has one edition of its rules, 1, whose journals keep who players are apart.";
            return Err(Refusal::because(ErrorCode::Unavailable, detail));
        }
        let setup: Setup = show.setup.read_known().map_err(bad)?;
        let mut problems = setup.problems();
        for (index, part) in setup.parts.iter().enumerate() {
            if part.kind.needs_seed() != part.seed.is_some() {
                problems.push(format!("parts[{index}].seed: the server draws it for the parts that need one"));
            }
        }
        if !problems.is_empty() {
            return Err(bad(problems.join("; ")));
        }
        let parts = (0..setup.parts.len()).map(|index| part_of(&setup.parts[index..])).collect();
        Ok(Box::new(Rundown::new(now, show, setup, parts)))
    }

    /// Draws a seed for each part that needs one. It stands in the journal only, until the part itself tells it.
    fn prepare(&self, setup: &Body, random: &mut dyn FnMut() -> [u8; 32]) -> Result<Body, Refusal> {
        let read: Setup = setup.read_known().map_err(bad)?;
        if let Some(index) = read.parts.iter().position(|part| part.seed.is_some()) {
            return Err(bad(format!("parts[{index}].seed: the server draws it, and no host may know it")));
        }
        let mut prepared = setup.clone();
        for (sent, part) in parts_in(&mut prepared).zip(&read.parts) {
            if part.kind.needs_seed() {
                sent.insert(SEED.into(), Value::String(SecretSeed(random()).to_string()));
            }
        }
        Ok(prepared)
    }

    fn as_sent(&self, setup: &Body) -> Body {
        let mut sent = setup.clone();
        parts_in(&mut sent).for_each(|part| _ = part.remove(SEED));
        sent
    }
}

/// The field of a part's setup that the server fills in.
const SEED: &str = "seed";

fn parts_in(setup: &mut Body) -> impl Iterator<Item = &mut Map<String, Value>> {
    let parts = setup.0.get_mut("parts").and_then(Value::as_array_mut);
    parts.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The first of these parts, which may have to know those after it.
pub(super) fn part_of(parts: &[PartSetup]) -> Box<dyn Part> {
    let (setup, later) = parts.split_first().expect("there is a first one");
    match &setup.kind {
        PartKind::Preload(settings) => Box::new(PreloadPart::new(settings.clone(), media_of(later))),
        PartKind::Break(settings) => Box::new(WithoutRounds(Breaks::new(settings.clone()))),
        PartKind::Podium(settings) => Box::new(WithoutRounds(Leaders::new(settings.clone()))),
        PartKind::Quiz(settings) => {
            let SecretSeed(seed) = setup.seed.expect("a quiz without a seed was refused");
            Box::new(QuizPart::new(settings.clone(), seed))
        }
        PartKind::Bingo(settings) => {
            let SecretSeed(seed) = setup.seed.expect("a setup without it is refused");
            Box::new(BingoPart::new(settings.clone(), Seed(seed)))
        }
    }
}

fn bad(problem: String) -> Refusal {
    Refusal::because(ErrorCode::BadSettings, format!("setup: {problem}"))
}
