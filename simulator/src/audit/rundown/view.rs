//! The show as those see it who come in, and what each seat is told of itself.

use klaxon_protocol::games::rundown::{Overview, Own, PartKind, RoundTimes, Standing, game_name};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Body, GameSnapshot, Phase};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::book::{Personal, RundownBook};

/// What a quiz tells a seat of its own answers, which depends on when they were counted.
pub(super) const ANSWERED: &str = "answered";

impl RundownBook {
    /// The snapshot at this time. What bingo tells of itself is judged by its own book.
    pub(super) fn snapshot(&self, told: &GameSnapshot) -> GameSnapshot {
        let now = told.at;
        let open = self.round.as_ref().filter(|_| self.phase == Phase::Question);
        let round = open.map(|round| RoundTimes {
            round: round.id,
            opens_at: round.clock.opens(),
            closes_at: self.closes().unwrap_or_else(|| Millis(now.0 + round.clock.left(now))),
        });
        let overview = Overview {
            parts: self.setup.parts.iter().map(|part| part.kind.name().to_owned()).collect(),
            part: self.part,
            finished: self.finished,
            commitments: self.commitments(),
            in_play: u32::try_from(self.ledger.playing().count()).unwrap_or(u32::MAX),
            pot: self.pot(),
            currency: self.setup.currency.clone(),
            round,
            now: self.now(told),
            podium: self.podium.clone(),
            teams: None,
        };
        let left = open.filter(|_| self.paused).map(|round| round.clock.left(now));
        GameSnapshot {
            seq: self.seq,
            at: now,
            game: game_name(),
            title: self.title.clone(),
            phase: self.phase,
            joined: self.ledger.seats(),
            paused: self.paused,
            left: left.map(|left| Span(u32::try_from(left).unwrap_or(u32::MAX))),
            body: Body::of(&overview),
        }
    }

    /// What the part tells of itself.
    fn now(&self, told: &GameSnapshot) -> Option<Body> {
        match &self.setup.parts.get(usize::from(self.part?))?.kind {
            PartKind::Break(rest) => {
                Some(Body::of(&json!({ "text": rest.text, "for": rest.lasts, "began_at": self.part_began_at })))
            }
            PartKind::Bingo(_) => told.body.0.get("now").and_then(Value::as_object).cloned().map(Body),
            PartKind::Preload(_) | PartKind::Podium(_) => None,
            PartKind::Quiz(_) => self.quiz().map(|quiz| Body::of(&quiz.view())),
        }
    }

    fn commitments(&self) -> Vec<Option<String>> {
        let commitment = |seed: [u8; 32]| Sha256::digest(seed).iter().map(|byte| format!("{byte:02x}")).collect();
        self.setup.parts.iter().map(|part| part.seed.map(|seed| commitment(seed.0))).collect()
    }

    /// What a seat is told of itself by the rundown.
    const fn own_with(&self, standing: Option<Standing>) -> Own {
        Own { part: self.part, standing, team: None, choice: None, time: None, suspended: None }
    }

    /// Whether what a seat is told of itself is true now.
    pub(super) fn is_own(&self, seat: Option<Seat>, told: &Body, ranks: &[i64]) -> bool {
        let Some(seat) = seat.filter(|seat| seat.0 < self.ledger.seats()) else {
            return *told == Body::of(&self.own_with(None));
        };
        let standing = Some(self.ledger.standing(seat));
        let own = self.own_with(standing);
        match self.personal {
            Personal::Results => {
                let Some(quiz) = self.quiz() else { return false };
                let mut body = Body::of(&own);
                let result = quiz.result(seat, &self.ledger, Some(ranks));
                body.0.insert("result".into(), serde_json::to_value(result).unwrap_or_default());
                if *told == body {
                    return true;
                }
            }
            Personal::Standings if *told == Body::of(&own) => return true,
            Personal::Lives if told.0.len() == 1 => {
                return told.0.get("lives").and_then(Value::as_u64) == Some(self.ledger.line(seat).lives.into());
            }
            _ => {}
        }
        let whole = Body::of(&own);
        let mut told = told.0.clone();
        if let Some(quiz) = self.quiz() {
            let mut body = whole.0;
            body.extend(Body::of(&quiz.own(seat, &self.ledger)).0);
            // The answers are judged by themselves.
            return without(body, ANSWERED) == without(told, ANSWERED);
        }
        if self.part.is_some_and(|part| matches!(self.setup.parts[usize::from(part)].kind, PartKind::Bingo(_))) {
            // What bingo adds is judged by its own book.
            if told.contains_key("round") {
                return true;
            }
            told.retain(|name, _| whole.0.contains_key(name));
            // Some messages of bingo have nothing of what the seat has.
            return told.len() <= 1 || told == whole.0;
        }
        told == whole.0
    }

    /// What the book has for a seat, for a report.
    pub(super) fn own_words(&self, seat: Option<Seat>, ranks: &[i64]) -> String {
        let Some(seat) = seat.filter(|seat| seat.0 < self.ledger.seats()) else { return "no seat".to_owned() };
        let mut body = Body::of(&self.own_with(Some(self.ledger.standing(seat))));
        if let Some(quiz) = self.quiz() {
            body.0.extend(Body::of(&quiz.own(seat, &self.ledger)).0);
            let result = quiz.result(seat, &self.ledger, Some(ranks));
            body.0.insert("result".into(), serde_json::to_value(result).unwrap_or_default());
        }
        body.to_string()
    }

    /// The points of all in play, most first: ranks follow from them.
    pub(super) fn ranks(&self) -> Vec<i64> {
        let mut points: Vec<i64> = self.ledger.playing().map(|seat| self.ledger.line(seat).points).collect();
        points.sort_unstable_by(|a, b| b.cmp(a));
        points
    }
}

fn without(mut body: Map<String, Value>, name: &str) -> Map<String, Value> {
    body.remove(name);
    body
}
