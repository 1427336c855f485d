//! The setup of a rundown: its parts in order, and what applies to all of them.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::preload::{MOST_FILES, Preload};
use super::ranges::{LONGEST_STEP, out_of_range};
use super::seed::SecretSeed;
use super::teams::TeamSetup;
use crate::games::bingo::BingoSetup;
use crate::games::media::Media;
use crate::games::quiz::Quiz;
use crate::games::trivia::{LARGEST_POT, MOST_LIVES};
use crate::limits::TEXT_LENGTH;
use crate::text;
use crate::time::Span;

/// How many parts a rundown has.
pub const PARTS: RangeInclusive<usize> = 1..=100;
/// From the event that begins a round until its claims count.
pub const LEAD: RangeInclusive<Span> = Span(0)..=Span(60_000);
/// How far the stream can be behind.
pub const STREAM_DELAY: RangeInclusive<Span> = Span(0)..=Span(120_000);
/// The most players that a podium in the middle of a show names.
pub const MOST_LEADERS: u8 = 100;

/// A rundown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setup {
    /// The parts, in the order in which they are played: 1 to 100.
    pub parts: Vec<PartSetup>,
    /// The timed script that can run the show in place of the host.
    #[serde(default)]
    pub script: Script,
    /// From the event that begins a round until its claims count, in ms.
    #[serde(default = "usual_lead")]
    #[schemars(extend("minimum" = LEAD.start(), "maximum" = LEAD.end()))]
    pub lead: Span,
    /// How far players' video stream is behind what the host does, in ms: what the host does is carried out that much later.
    #[serde(default)]
    #[schemars(extend("minimum" = STREAM_DELAY.start(), "maximum" = STREAM_DELAY.end()))]
    pub stream_delay: Span,
    /// The extra lives with which players begin: 0 to 99.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = MOST_LIVES))]
    pub lives: u8,
    /// ISO 4217 code of all amounts, three capital letters.
    #[serde(default = "usual_currency")]
    pub currency: String,
    /// The teams; without them each player plays alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<TeamSetup>,
}

/// One part of a rundown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartSetup {
    /// What players keep from the parts before it.
    #[serde(default)]
    pub keep: Keep,
    /// What is random in the part follows from it. The server draws it when the show is created; a host must not send one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<SecretSeed>,
    /// Which kind of part, and its settings.
    #[serde(flatten)]
    pub kind: PartKind,
}

/// What players keep from the parts before a part. Winnings are always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Keep {
    /// Their points; if not, all begin the part with 0.
    pub points: bool,
    /// Their extra lives; if not, all begin the part with the show's `lives`.
    pub lives: bool,
    /// Whether they are out; if not, all who were not removed play again.
    pub out: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self { points: true, lives: true, out: true }
    }
}

/// The kinds of parts, each with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum PartKind {
    /// A break, with a text on all screens.
    Break(Break),
    /// Has clients load what later parts show.
    Preload(Preload),
    /// Who leads by what was played so far.
    Podium(MidPodium),
    /// Bingo with 75 or 90 balls.
    Bingo(BingoSetup),
    /// A quiz, with questions of many kinds.
    Quiz(Quiz),
}

/// A break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Break {
    /// What all screens show: 1 to 500 characters.
    pub text: String,
    /// How long the script waits before it goes on, in ms.
    #[serde(rename = "for", default = "usual_break")]
    #[schemars(extend("minimum" = 0, "maximum" = LONGEST_STEP))]
    pub lasts: Span,
}

/// A podium in the middle of a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MidPodium {
    /// What leads.
    #[serde(default)]
    pub by: LeadersBy,
    /// How many players it names at most: 1 to 100.
    #[serde(default = "usual_leaders")]
    #[schemars(range(min = 1, max = MOST_LEADERS))]
    pub places: u8,
    /// What all screens show with it: 1 to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How long the script waits before it goes on, in ms.
    #[serde(rename = "for", default = "usual_podium")]
    #[schemars(extend("minimum" = 0, "maximum" = LONGEST_STEP))]
    pub lasts: Span,
}

/// By what players lead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadersBy {
    /// Their points.
    #[default]
    Points,
    /// What they have won.
    Winnings,
}

/// The timed script, which can run a show in place of the host: the lobby, then part after part, then the podium. Times are in ms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Script {
    /// Whether it runs from the start.
    pub on: bool,
    /// From the opening of the lobby to the first part.
    #[schemars(extend("maximum" = LONGEST_STEP))]
    pub lobby: Span,
    /// From the last claim of a round to its reveal, unless the part has its own time for that.
    #[schemars(extend("maximum" = LONGEST_STEP))]
    pub suspense: Span,
    /// From a reveal to the next round, to the next part or to the podium, unless the part has its own time for that.
    #[schemars(extend("maximum" = LONGEST_STEP))]
    pub between: Span,
}

impl Default for Script {
    fn default() -> Self {
        Self { on: false, lobby: Span(30_000), suspense: Span(2_000), between: Span(8_000) }
    }
}

fn usual_lead() -> Span {
    Span(500)
}

fn usual_currency() -> String {
    "EUR".into()
}

const fn usual_leaders() -> u8 {
    10
}

const fn usual_podium() -> Span {
    Span(20_000)
}

const fn usual_break() -> Span {
    Span(60_000)
}

impl Setup {
    /// Everything that is wrong with it, each line naming the setting and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !PARTS.contains(&self.parts.len()) {
            problems.push(format!("parts: {} to {}, not {}", PARTS.start(), PARTS.end(), self.parts.len()));
        }
        for (index, part) in self.parts.iter().enumerate() {
            let mut of_part = part.kind.problems();
            if let (PartKind::Quiz(quiz), Some(teams)) = (&part.kind, &self.teams) {
                of_part.extend(teams.refused_in(quiz));
            }
            problems.extend(of_part.into_iter().map(|problem| format!("parts[{index}].{problem}")));
        }
        problems.extend(preload_problems(&self.parts));
        let Script { lobby, suspense, between, .. } = self.script;
        for (name, step) in [("script.lobby", lobby), ("script.suspense", suspense), ("script.between", between)] {
            problems.extend(out_of_range(name, Span(0)..=LONGEST_STEP, step));
        }
        problems.extend(out_of_range("lead", LEAD, self.lead));
        problems.extend(out_of_range("stream_delay", STREAM_DELAY, self.stream_delay));
        if self.stream_delay.0 > 0 && self.script.on {
            problems.push(
                "script.on: the script would be ahead of the stream: leave out `stream_delay`, or steer the show"
                    .into(),
            );
        }
        if self.lives > MOST_LIVES {
            problems.push(format!("lives: 0 to {MOST_LIVES}, not {}", self.lives));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            problems.push("currency: three capital letters of ISO 4217, such as EUR".into());
        }
        problems.extend(self.teams.iter().flat_map(TeamSetup::problems));
        if self.pot().is_none_or(|pot| pot > LARGEST_POT) {
            problems.push(format!("parts: all prizes together are at most {LARGEST_POT} minor units"));
        }
        problems
    }

    /// What can be won in all parts together; none if that is more than a number can hold.
    #[must_use]
    pub fn pot(&self) -> Option<u64> {
        self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.kind.pot()?))
    }
}

impl PartKind {
    /// The kind's name, as in the setup.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Break(_) => "break",
            Self::Preload(_) => "preload",
            Self::Podium(_) => "podium",
            Self::Bingo(_) => "bingo",
            Self::Quiz(_) => "quiz",
        }
    }

    /// Whether something in it is drawn from a secret seed of its own.
    #[must_use]
    pub const fn needs_seed(&self) -> bool {
        match self {
            Self::Break(_) | Self::Preload(_) | Self::Podium(_) => false,
            Self::Bingo(_) | Self::Quiz(_) => true,
        }
    }

    /// Everything that is wrong with its settings, each line beginning with the setting's name.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Break(settings) => settings.problems(),
            Self::Preload(settings) => settings.problems(),
            Self::Podium(settings) => settings.problems(),
            Self::Bingo(settings) => settings.problems(),
            Self::Quiz(settings) => settings.problems(),
        }
    }

    /// What can be won in it, in minor units; none if that is more than a number can hold.
    #[must_use]
    pub fn pot(&self) -> Option<u64> {
        match self {
            Self::Break(_) | Self::Preload(_) | Self::Podium(_) => Some(0),
            Self::Quiz(settings) => settings.pot(),
            Self::Bingo(settings) => settings.pot(),
        }
    }
}

impl Break {
    fn problems(&self) -> Vec<String> {
        let text = text::problem(&self.text, &TEXT_LENGTH).map(|problem| format!("text {problem}"));
        text.into_iter().chain(out_of_range("for", Span(0)..=LONGEST_STEP, self.lasts)).collect()
    }
}

impl MidPodium {
    fn problems(&self) -> Vec<String> {
        let text = self.text.iter().filter_map(|text| text::problem(text, &TEXT_LENGTH));
        let mut problems: Vec<String> = text.map(|problem| format!("text {problem}")).collect();
        if !(1..=MOST_LEADERS).contains(&self.places) {
            problems.push(format!("places: 1 to {MOST_LEADERS}, not {}", self.places));
        }
        problems.extend(out_of_range("for", Span(0)..=LONGEST_STEP, self.lasts));
        problems
    }
}

/// What a preload with these parts after it loads: each file once, in an order that tells nothing.
#[must_use]
pub fn media_of(later: &[PartSetup]) -> Vec<Media> {
    let parts = later.iter().take_while(|part| !matches!(part.kind, PartKind::Preload(_)));
    let questions =
        parts.filter_map(|part| if let PartKind::Quiz(quiz) = &part.kind { Some(&quiz.questions) } else { None });
    let mut media: Vec<Media> = questions.flatten().filter_map(|question| question.media.clone()).collect();
    media.sort_by(|a, b| a.list_key().cmp(&b.list_key()));
    media.dedup_by(|a, b| a.url == b.url);
    media
}

/// What is wrong with what the preloads of a show have to load.
fn preload_problems(parts: &[PartSetup]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if matches!(part.kind, PartKind::Preload(_)) {
            match media_of(&parts[index + 1..]).len() {
                0 => problems.push(format!("parts[{index}]: no part after it has anything to load")),
                1..=MOST_FILES => {}
                files => problems.push(format!(
                    "parts[{index}]: {files} files are too much to load at once, at most {MOST_FILES}: put another preload between"
                )),
            }
        }
    }
    problems
}
