//! docs/rules/teams.md by examples, and what holds for all shows with teams.

mod book;
mod choice;
mod players;
mod points;
mod properties;

use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::ids::RoundId;
use serde_json::{Value, json};

use super::super::tests::play::{self, Play};

/// The teams of a show, with these settings beside their names.
fn teams(by: &str, more: Value) -> Value {
    let mut teams = json!({ "by": by, "names": ["Reds", "Blues", "Greens"] });
    teams.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    teams
}

/// A quiz of these questions without mixing, and without points for speed and streaks.
fn quiz(questions: Value, more: Value) -> Value {
    let mut quiz = json!({
        "part": "quiz", "seed": "07".repeat(32), "shuffle": false, "accuracy_only": true, "questions": questions,
    });
    quiz.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    quiz
}

fn choice() -> Value {
    json!({ "text": "?", "kind": "choice", "choices": ["right", "wrong"], "right": 0 })
}

fn show(teams: Value, parts: Value) -> Value {
    json!({ "parts": parts, "lead": 0, "teams": teams })
}

/// A show with these teams, with players in its lobby.
fn quiz_show(teams: Value, questions: Value, players: u32) -> Play {
    Play::of(show(teams, json!([quiz(questions, json!({}))])), players)
}

fn accepted(value: u64) -> Verdict {
    Verdict::Accepted(ClaimValue::Bits(value))
}

impl Play {
    /// A player chooses a team in the lobby.
    fn choose(&mut self, seat: u32, key: u16, team: u64) -> Verdict {
        self.claim_read(self.now, RoundId(0), seat, key, team)
    }

    /// By seat: the team.
    fn teams(&self) -> Vec<Option<u64>> {
        (0..self.game.ledger.seats()).map(|seat| self.own(seat)["team"]["team"].as_u64()).collect()
    }

    /// What the seat is told of its team.
    fn team_of(&self, seat: u32) -> (u64, i64, Option<u64>) {
        let team = &self.own(seat)["team"];
        (team["team"].as_u64().unwrap(), team["score"].as_i64().unwrap(), team["rank"].as_u64())
    }

    /// The leaders as the snapshot has them: rank, team and score.
    fn leaders(&self) -> Vec<(u64, u64, i64)> {
        ranks(&self.overview()["teams"]["leaders"])
    }

    /// Asks the next question, takes these answers a millisecond apart, and reveals it when its time is up.
    fn ask(&mut self, answers: &[(u32, u64)]) {
        if self.game.steps.part.is_none() {
            self.host(klaxon_protocol::host::Action::Next);
        }
        self.flip(answers);
    }
}

fn ranks(leaders: &Value) -> Vec<(u64, u64, i64)> {
    let number = |leader: &Value, name: &str| leader[name].as_u64().unwrap();
    let leaders = leaders.as_array().into_iter().flatten();
    leaders.map(|of| (number(of, "rank"), number(of, "team"), of["score"].as_i64().unwrap())).collect()
}

/// A show of coins with these teams.
fn coins(teams: Value, parts: &[&str], players: u32) -> Play {
    let mut setup = play::setup(parts);
    setup["teams"] = teams;
    Play::of(setup, players)
}
