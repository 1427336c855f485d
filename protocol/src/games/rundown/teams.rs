//! Teams: how a show's players are divided, and what messages say of teams.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};
use crate::games::quiz::{Kind, Late, NumberScore, Quiz};
use crate::games::trivia::Mode;
use crate::ids::{ClaimKey, RoundId, number_type};
use crate::limits::SEATS;
use crate::name::Alike;
use crate::text::{self, harmless};

/// How many teams a show has.
pub const TEAMS: RangeInclusive<usize> = 2..=1000;
/// How long a team's name is, in characters.
pub const TEAM_NAME: RangeInclusive<usize> = 1..=40;
/// How many members the best of whom count.
pub const BEST: RangeInclusive<u16> = 1..=100;
/// In this round players choose their teams, before the show's first round.
pub const CHOICE: RoundId = RoundId(0);
/// How often a seat can choose: the keys of its claims.
pub const CHOICES: u16 = 8;
/// How many teams an event names as leading.
pub const TEAM_LEADERS: usize = 10;
/// How many teams the podium lists.
pub const TEAM_PLACES: usize = 100;

number_type!(
    /// A team's place in the setup's `names`, from 0.
    Team(u16)
);

/// The teams of a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TeamSetup {
    /// How players come to their teams.
    pub by: TeamsBy,
    /// What the teams are called: 2 to 1000 names of 1 to 40 characters, no two alike.
    pub names: Vec<String>,
    /// What a team's score is.
    #[serde(default)]
    pub score: TeamScore,
    /// The most members of a team; as many as come if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = SEATS.end()))]
    pub largest: Option<u32>,
}

/// How players come to their teams. The host can put each of them into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamsBy {
    /// Players choose until the first round; who has not chosen by then, or comes later, is put into the smallest team.
    Choice,
    /// Each player is put into the smallest team.
    Even,
    /// The host puts them there.
    Host,
}

/// What a team's score is, by the points of its members. Those whom the host removed do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamScore {
    /// Their sum.
    #[default]
    Sum,
    /// Their mean. Who came after the first round had opened does not count.
    Mean,
    /// The sum of this many that are the most: 1 to 100.
    Best(#[schemars(extend("description" = "How many.", "minimum" = BEST.start(), "maximum" = BEST.end()))] u16),
}

/// A team that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, JsonSchema)]
pub struct TeamLeader {
    /// By score, then by winnings, from 1; equals share one.
    pub rank: u32,
    /// Which team.
    pub team: Team,
    /// Its score, rounded down.
    pub score: i64,
    /// Whether none of its members is in play any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out: bool,
}

/// A team's place at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TeamPlace {
    /// By score, then by winnings, from 1; equals share one.
    pub place: u32,
    /// Which team.
    pub team: Team,
    /// Its score, rounded down.
    pub score: i64,
    /// What its members have won together, in minor units.
    pub winnings: u64,
    /// How many members it has, without those whom the host removed.
    pub members: u32,
    /// Whether none of them was in play any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out: bool,
}

/// The teams, in the body of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TeamsView {
    /// As in the setup.
    #[serde(flatten)]
    pub setup: TeamSetup,
    /// By team: how many members it had when the snapshot was made.
    pub members: Vec<u32>,
    /// The teams with the best scores after the last step of the show, best first: 10 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaders: Vec<TeamLeader>,
    /// While players can choose: in which round they claim their team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<RoundId>,
    /// The places of the teams, after the end: 100 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<TeamPlace>,
}

/// A seat's team, in its own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnTeam {
    /// Which.
    pub team: Team,
    /// Its score after the last step of the show, rounded down.
    pub score: i64,
    /// Its rank; none as long as nobody counts for it, and where the part tells nobody who leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Whether none of its members is in play any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out: bool,
}

/// How a seat can choose its team, in its own state: the next claim that is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnChoice {
    /// The claim's round.
    pub round: RoundId,
    /// The claim's key.
    pub key: ClaimKey,
}

impl TeamSetup {
    /// Everything that is wrong with it, each line beginning with the setting's name.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !TEAMS.contains(&self.names.len()) {
            problems.push(format!("teams.names: {} to {}, not {}", TEAMS.start(), TEAMS.end(), self.names.len()));
        }
        let mut known = HashSet::new();
        for (index, name) in self.names.iter().enumerate().take(TEAMS.end() + 1) {
            if let Some(problem) = text::problem(name, &TEAM_NAME) {
                problems.push(format!("teams.names[{index}]: {problem}"));
                continue;
            }
            let alike = Alike::of(name);
            let keys: Vec<String> = alike.keys().map(str::to_owned).collect();
            if keys.iter().any(|key| known.contains(key)) {
                let name = harmless(name);
                problems.push(format!("teams.names[{index}]: \"{name}\" looks like the name of a team before it"));
            }
            known.extend(keys);
        }
        if let Some(largest) = self.largest.filter(|largest| !(1..=*SEATS.end()).contains(largest)) {
            problems.push(format!("teams.largest: 1 to {}, not {largest}", SEATS.end()));
        }
        if let TeamScore::Best(count) = self.score
            && !BEST.contains(&count)
        {
            problems.push(format!("teams.score.best: {} to {}, not {count}", BEST.start(), BEST.end()));
        }
        problems
    }

    /// What of a quiz can't be played by teams.
    pub(super) fn refused_in(&self, quiz: &Quiz) -> Vec<String> {
        let mut lines = Vec::new();
        if !quiz.mode.scores() {
            lines.push("mode: teams are ranked by points: use `points` or `both`, or leave out `teams`".into());
        }
        if quiz.late == Late::Mean && self.score != TeamScore::Mean {
            lines.push(
                "late: `mean` would give a team points for each player who comes late: use `nothing`, or the score \
                 `mean`"
                    .into(),
            );
        }
        for (index, question) in quiz.questions.iter().enumerate() {
            let Kind::Number(number) = &question.kind else { continue };
            if matches!(quiz.mode, Mode::Both) && matches!(number.score, NumberScore::Nearest { .. }) {
                lines.push(format!(
                    "questions[{index}].score: `nearest` pays one place a team, and would eliminate the winner's team: \
                     with teams and elimination use `within`"
                ));
            }
        }
        lines
    }
}
