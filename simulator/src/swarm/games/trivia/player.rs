//! What a player answers.

use std::collections::HashMap;

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::games::trivia::{Choice, Pack, Question};
use klaxon_protocol::player::{Role, ToPlayer};
use rand::RngExt;

use crate::swarm::players::actions::{Action, RoundSeen, around, claim};
use crate::swarm::players::plan::{PlayerPlan, rng};
use crate::swarm::players::saying::Saying;

/// A player of trivia.
#[derive(Debug, Default)]
pub struct Quizzer {
    /// The last question that was received.
    question: Option<Question>,
}

impl Quizzer {
    /// Takes in a message. Returns whether the player is in play, if the message tells that.
    pub fn hear(&mut self, message: &ToPlayer) -> Option<bool> {
        match message {
            ToPlayer::Question(question) => self.question = Some(question.clone()),
            ToPlayer::Snapshot(snapshot) => self.question.clone_from(&snapshot.question),
            ToPlayer::You(you) => return Some(you.alive),
            ToPlayer::Result(result) => return Some(result.alive),
            _ => {}
        }
        None
    }

    /// All actions of this player in a question, unordered. `key` has the right choice, which the player may or may not
    /// know.
    #[must_use]
    pub fn actions(
        &self,
        key: &AnswerKey,
        seed: u64,
        player: &PlayerPlan,
        round: &RoundSeen,
        swarm: u32,
    ) -> Vec<Action> {
        let Some(question) = &self.question else { return Vec::new() };
        let mut rng = rng(seed, player.number, round.round.0);
        let choices = u8::try_from(question.choices.len()).unwrap_or(u8::MAX).max(1);
        let any = rng.random_range(0..choices);
        let right = key.right(question).map(|right| right.0);
        let choice = if rng.random_bool(player.habits.skill) { right.unwrap_or(any) } else { any };
        let other = (choice + rng.random_range(1..choices.max(2))) % choices;
        let [choice, other] = [choice, other].map(|choice| Saying::of(ClaimForm::Answer, round.round, choice));
        let mut actions = Vec::new();
        if player.role == Role::Player {
            actions = claim(&mut rng, player, round, &choice, &other);
        }
        actions.extend(around(&mut rng, player, round, swarm));
        actions
    }
}

/// The right choice of each question, by its text, since the server shuffles the choices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerKey {
    right: HashMap<String, String>,
}

impl AnswerKey {
    /// The right choices of a pack.
    #[must_use]
    pub fn of(pack: &Pack) -> Self {
        let right = pack
            .questions
            .iter()
            .filter_map(|question| Some((question.text.clone(), question.choices.get(question.right.index())?.clone())))
            .collect();
        Self { right }
    }

    /// The right choice of a question that was received; none if the pack does not contain the question.
    #[must_use]
    pub fn right(&self, question: &Question) -> Option<Choice> {
        let right = self.right.get(&question.text)?;
        let position = question.choices.iter().position(|choice| choice == right)?;
        u8::try_from(position).ok().map(Choice)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use klaxon_protocol::games::trivia::{Answer, QuestionId};
    use klaxon_protocol::ids::Seq;
    use klaxon_protocol::time::Millis;

    use super::*;
    use crate::evidence::PlayerNumber;
    use crate::swarm::players::actions::{ActionKind, Device};
    use crate::swarm::players::habits::Mischief;
    use crate::swarm::players::plan::tests::settings;
    use crate::swarm::players::plan::{Shares, SwarmPlan, SwarmSettings};

    fn question(number: u16) -> Question {
        Question {
            seq: Seq(u64::from(number)),
            at: Millis(99_500),
            question: QuestionId(number),
            total: 12,
            text: "?".into(),
            choices: ["a", "b", "c", "d"].map(String::from).to_vec(),
            category: None,
            opens_at: Millis(100_000),
            closes_at: Millis(105_000),
        }
    }

    fn all(plan: &SwarmPlan, number: u16) -> Vec<(PlayerNumber, Action)> {
        plan.players
            .iter()
            .flat_map(|player| {
                let question = question(number);
                let round = RoundSeen {
                    round: question.question,
                    told_at: question.at,
                    opens_at: question.opens_at,
                    closes_at: question.closes_at,
                    busy: 1.0,
                };
                let key = AnswerKey { right: [(question.text.clone(), "c".to_owned())].into() };
                let quizzer = Quizzer { question: Some(question) };
                let todo = quizzer.actions(&key, plan.seed, player, &round, 400);
                todo.into_iter().map(|action| (player.number, action))
            })
            .collect()
    }

    fn plain(share: impl FnOnce(&mut Shares)) -> SwarmPlan {
        let mut shares = Shares::default();
        share(&mut shares);
        SwarmPlan::new(&SwarmSettings { shares, ..settings(7) })
    }

    #[test]
    fn the_same_seed_does_the_same_to_the_same_question() {
        let plan = SwarmPlan::new(&settings(7));
        assert_eq!(all(&plan, 3), all(&plan, 3));
        assert_ne!(all(&plan, 3), all(&plan, 4));
    }

    #[test]
    fn plain_players_answer_once_while_the_question_is_open_and_watchers_never() {
        let plan = plain(|_| {});
        let mut answered = HashSet::new();
        for (player, action) in all(&plan, 1) {
            if let ActionKind::Claim(device, _) = action.what {
                assert_eq!(device, Device::First);
                if action.stubborn {
                    assert!(action.at > Millis(105_000), "the same again, after the close");
                    continue;
                }
                assert!(answered.insert(player), "{player:?} answers twice");
                assert!((Millis(100_000)..Millis(105_000)).contains(&action.at));
                assert!(player.0 < 400);
            }
        }
        assert!(answered.len() > 360, "{}", answered.len());
    }

    #[test]
    fn half_the_players_answer_within_a_third_of_the_time() {
        let plan = plain(|_| {});
        let early = all(&plan, 1)
            .iter()
            .filter(|(_, action)| {
                matches!(action.what, ActionKind::Claim(..)) && action.at < Millis(100_000 + 5_000 / 3 + 20)
            })
            .count();
        assert!((150..250).contains(&early), "{early}");
    }

    #[test]
    fn the_skilled_are_right_more_often() {
        let mut plan = plain(|_| {});
        let mut right_with = |skill: f64| {
            plan.players.iter_mut().for_each(|player| player.habits.skill = skill);
            all(&plan, 1)
                .iter()
                .filter(|(_, action)| {
                    matches!(action.what, ActionKind::Claim(_, Saying::Answer(Answer { choice: Choice(2), .. })))
                })
                .count()
        };
        let (low, high) = (right_with(0.0), right_with(1.0));
        assert!(low < 150 && high > 360, "{low} {high}");
    }

    #[test]
    fn habits_show() {
        let answers = |plan: &SwarmPlan, fits: fn(&Action) -> bool| {
            all(plan, 1).iter().filter(|(_, action)| fits(action)).count()
        };
        let dawdlers = plain(|shares| shares.dawdlers = 1.0);
        assert!(
            answers(&dawdlers, |action| action.at > Millis(105_000) && matches!(action.what, ActionKind::Claim(..)))
                > 50
        );
        let bad = plain(|shares| shares.bad_networks = 1.0);
        assert!(answers(&bad, |action| matches!(action.what, ActionKind::Drop(_))) > 100);
        let two = plain(|shares| shares.two_devices = 1.0);
        assert!(answers(&two, |action| matches!(action.what, ActionKind::Claim(Device::Second, _))) > 300);
        let taps = plain(|shares| shares.double_taps = 1.0);
        assert!(answers(&taps, |action| matches!(action.what, ActionKind::Claim(..))) > 700);
    }

    #[test]
    fn cheats_get_round_to_every_mischief() {
        let plan = plain(|shares| shares.cheats = 1.0);
        let kinds: HashSet<_> = (1..5)
            .flat_map(|number| all(&plan, number))
            .filter_map(|(player, action)| match action.what {
                ActionKind::Mischief(Mischief::Steals(victim)) => {
                    assert_ne!(victim, player);
                    Some(std::mem::discriminant(&Mischief::Steals(victim)))
                }
                ActionKind::Mischief(mischief) => Some(std::mem::discriminant(&mischief)),
                _ => None,
            })
            .collect();
        assert_eq!(kinds.len(), 13);
    }

    #[test]
    fn the_key_finds_the_right_choice_wherever_it_was_moved() {
        let pack: Pack = serde_json::from_str(
            r#"{"title":"t","questions":[{"text":"What is 1 + 1?","choices":["2","3","4"],"right":0}]}"#,
        )
        .unwrap();
        let key = AnswerKey::of(&pack);
        let mut question = Question {
            seq: Seq(1),
            at: Millis(0),
            question: QuestionId(1),
            total: 1,
            text: "What is 1 + 1?".into(),
            choices: vec!["4".into(), "3".into(), "2".into()],
            category: None,
            opens_at: Millis(0),
            closes_at: Millis(1),
        };
        assert_eq!(key.right(&question), Some(Choice(2)));
        question.text = "What is 1 + 2?".into();
        assert_eq!(key.right(&question), None);
    }
}
