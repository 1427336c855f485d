//! A player of a rundown.

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::games::rundown::{Overview, PartKind, Setup, Standing};
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::ToPlayer;
use rand::{Rng, RngExt};
use serde_json::Value;

use crate::swarm::games::bingo::{self, Caller};
use crate::swarm::games::quiz::Answerer;
use crate::swarm::players::actions::{Action, RoundSeen, around};
use crate::swarm::players::plan::{PlayerPlan, rng};
use crate::swarm::players::saying::Saying;

/// A player of a rundown: what is known of the show, and a hand for the part that is being played.
#[derive(Debug, Default)]
pub struct RundownPlayer {
    /// The kinds of all parts.
    kinds: Vec<String>,
    /// The part that began last.
    part: Option<u8>,
    hand: PartHand,
    points: i64,
}

/// What a player does in a part.
#[derive(Debug, Default)]
enum PartHand {
    /// Nothing: before the first part, and in breaks.
    #[default]
    Idle,
    Bingo(Caller),
    Quiz(Answerer),
}

impl PartHand {
    fn new(kind: &str) -> Self {
        match kind {
            "bingo" => Self::Bingo(Caller::default()),
            "quiz" => Self::Quiz(Answerer::default()),
            _ => Self::Idle,
        }
    }
}

impl RundownPlayer {
    /// Takes in a message. Returns whether the player is in play, if the message tells that.
    pub fn hear(&mut self, setup: Option<&Setup>, message: &ToPlayer) -> Option<bool> {
        let in_play = match message {
            ToPlayer::GameSnapshot(snapshot) => {
                let overview = snapshot.body.read::<Overview>().ok()?;
                self.kinds = overview.parts;
                self.enter(setup, overview.part)
            }
            ToPlayer::GameEvent(event) => {
                let part = event.body.0.get("part").and_then(Value::as_u64);
                self.enter(setup, part.and_then(|part| part.try_into().ok()))
            }
            ToPlayer::GameOwn(own) => {
                let standing = own.body.read::<Standing>().ok();
                self.points = standing.map_or(self.points, |standing| standing.points);
                standing.map(|standing| standing.in_play)
            }
            _ => None,
        };
        match &mut self.hand {
            PartHand::Idle => {}
            PartHand::Bingo(caller) => caller.hear(message),
            PartHand::Quiz(answerer) => answerer.hear(message),
        }
        in_play
    }

    /// Whether all play again who were out, if a part begins.
    fn enter(&mut self, setup: Option<&Setup>, part: Option<u8>) -> Option<bool> {
        let entered = part.filter(|_| part != self.part)?;
        self.part = part;
        self.hand = self.kinds.get(usize::from(entered)).map_or(PartHand::Idle, |kind| PartHand::new(kind));
        let keep = setup?.parts.get(usize::from(entered))?.keep;
        if !keep.points {
            self.points = 0;
        }
        (!keep.out).then_some(true)
    }

    /// A claim that is possible in this round.
    pub fn guess(&self, rng: &mut impl Rng, round: RoundId) -> Saying {
        match &self.hand {
            PartHand::Quiz(answerer) => answerer.guess(rng, round, self.points),
            PartHand::Idle | PartHand::Bingo(_) => Saying::of(ClaimForm::Claim, round, rng.random_range(0..2)),
        }
    }

    /// All that the player does in a round, unordered. `setup` has what is right, which the player may or may not know.
    #[must_use]
    pub fn actions(
        &self,
        setup: Option<&Setup>,
        seed: u64,
        player: &PlayerPlan,
        round: &RoundSeen,
        swarm: u32,
    ) -> Vec<Action> {
        let mut rng = rng(seed, player.number, round.round.0);
        let mut actions = match &self.hand {
            PartHand::Idle => Vec::new(),
            PartHand::Bingo(caller) => caller.actions(&mut rng, player, round),
            PartHand::Quiz(answerer) => {
                let part = setup.zip(self.part).and_then(|(setup, part)| setup.parts.get(usize::from(part)));
                let questions = match part.map(|part| &part.kind) {
                    Some(PartKind::Quiz(quiz)) => &quiz.questions[..],
                    _ => &[],
                };
                answerer.actions(&mut rng, questions, self.points, player, round)
            }
        };
        actions.extend(around(&mut rng, player, round, swarm));
        actions
    }

    /// How much happens in a round, as a part of what happens in a question of trivia.
    #[must_use]
    pub const fn busy(&self) -> f64 {
        match self.hand {
            PartHand::Bingo(_) => bingo::BUSY,
            PartHand::Idle | PartHand::Quiz(_) => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::Seq;
    use klaxon_protocol::player::{Body, GameEvent, GameOwn, GameSnapshot, Phase};
    use klaxon_protocol::time::Millis;
    use serde_json::json;

    use super::*;

    fn event(body: serde_json::Value) -> ToPlayer {
        let (seq, at) = (Seq(1), Millis(0));
        ToPlayer::GameEvent(GameEvent { seq, at, phase: Phase::Revealed, round: None, body: Body::of(&body) })
    }

    #[test]
    fn a_player_has_a_hand_for_each_part_and_plays_again_where_all_do() {
        let setup: Setup = Body::of(&json!({ "parts": [
            { "part": "quiz", "questions": [] },
            { "part": "bingo", "balls": 90, "prizes": [] },
            { "part": "quiz", "questions": [], "keep": { "out": false, "points": false } },
        ] }))
        .read()
        .unwrap();
        let mut player = RundownPlayer::default();
        let mut hear = |message: &ToPlayer| {
            let in_play = player.hear(Some(&setup), message);
            let hand = match player.hand {
                PartHand::Idle => "idle",
                PartHand::Bingo(_) => "bingo",
                PartHand::Quiz(_) => "quiz",
            };
            (in_play, hand, player.points)
        };
        let body = Body::of(&json!({
            "parts": ["quiz", "bingo", "quiz"], "part": null, "finished": false, "commitments": [], "in_play": 1, "pot": 0,
            "currency": "EUR", "round": null, "now": null, "podium": null,
        }));
        let snapshot = GameSnapshot {
            seq: Seq(0),
            at: Millis(0),
            game: klaxon_protocol::games::rundown::game_name(),
            title: "An evening".into(),
            phase: Phase::Lobby,
            joined: 1,
            paused: false,
            left: None,
            body,
        };
        assert_eq!(hear(&ToPlayer::GameSnapshot(Box::new(snapshot))), (None, "idle", 0));
        assert_eq!(hear(&event(json!({ "event": "question", "part": 0 }))), (None, "quiz", 0));
        let own = json!({ "part": 0, "in_play": false, "lives": 0, "points": 30, "winnings": 0 });
        assert_eq!(hear(&ToPlayer::GameOwn(GameOwn { body: Body::of(&own) })), (Some(false), "quiz", 30));
        assert_eq!(hear(&event(json!({ "event": "dealing", "part": 1 }))), (None, "bingo", 30));
        assert_eq!(hear(&event(json!({ "event": "question", "part": 2 }))), (Some(true), "quiz", 0));
        assert_eq!(hear(&event(json!({ "event": "close", "part": 2 }))), (None, "quiz", 0));
    }
}
