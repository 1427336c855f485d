//! A player's actions in a question. They are decided when the question is received, from the plan and the seed alone.

use klaxon_protocol::games::trivia::{Choice, Question, QuestionId};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Emoji, Role};
use klaxon_protocol::time::{Millis, Span};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_distr::LogNormal;

use super::habits::{Mischief, Network, Tapping};
use super::plan::{PlayerPlan, rng};
use crate::evidence::PlayerNumber;

/// Which of a player's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The device that every player has.
    First,
    /// The additional device of some players.
    Second,
}

/// A planned action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The time, on the server's clock.
    pub at: Millis,
    /// The action's question: the time moves with the question's clock.
    pub question: QuestionId,
    /// Whether it is carried out even if the player has received the question's close.
    pub stubborn: bool,
    /// The kind of the action.
    pub what: ActionKind,
}

/// The kind of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Answer on a device.
    Answer(Device, Choice),
    /// Send an emoji.
    React(Emoji),
    /// Lose the connection, and reconnect after this time.
    Drop(Span),
    /// Violate the protocol.
    Mischief(Mischief),
}

/// The spread of reaction times: the standard deviation of their logarithm.
const REACTION_SPREAD: f64 = 0.5;

/// The probability that a player answers in the first or last moments of a question.
const AT_THE_EDGES: f64 = 0.05;
/// The delay after the close in milliseconds: of answers that are just too late, and of the other late ones.
const JUST_LATE: std::ops::Range<u32> = 1..12;
const LATE: std::ops::Range<u32> = 12..400;
/// The probability that a player repeats the answer after the close, as if the reply had been lost.
const REPEATS: f64 = 0.03;

/// All actions of this player in a question, unordered. `right` is the right choice, which the player may or may not
/// know; `swarm` is the number of players to steal tokens from.
pub fn actions(seed: u64, player: &PlayerPlan, question: &Question, right: Option<Choice>, swarm: u32) -> Vec<Action> {
    let mut rng = rng(seed, player.number, question.question.0);
    let mut actions = Vec::new();
    let open = question.closes_at.since(question.opens_at);
    let part = |share: f64| Span((f64::from(open.0) * share) as u32);
    let choices = u8::try_from(question.choices.len()).unwrap_or(u8::MAX).max(1);
    let action =
        |at: Millis, stubborn: bool, what: ActionKind| Action { at, question: question.question, stubborn, what };

    let any = Choice(rng.random_range(0..choices));
    let choice = if rng.random_bool(player.habits.skill) { right.unwrap_or(any) } else { any };
    let other = Choice((choice.0 + rng.random_range(1..choices.max(2))) % choices);
    let reaction = LogNormal::new((1.0_f64 / 3.0).ln(), REACTION_SPREAD).map_or(1.0 / 3.0, |times| rng.sample(times));
    let mut at = question.opens_at + part(reaction) + Span(20);

    let bad_network = player.habits.network == Network::Bad;
    let mut stubborn = false;
    if bad_network && rng.random_bool(0.5) {
        at = at + part(0.3 * rng.random::<f64>());
        // The answer was given in time and delayed by the network, so it can't be withdrawn.
        stubborn = true;
    }
    if player.habits.dawdles && rng.random_bool(0.3) {
        // Half of them are so slightly late that the answers may not be tallied yet: a server that is too lenient would
        // count them.
        let late = if rng.random_bool(0.5) { JUST_LATE } else { LATE };
        at = question.closes_at + Span(rng.random_range(late));
        stubborn = true;
    }
    if rng.random_bool(AT_THE_EDGES) {
        at = match rng.random_range(0..3) {
            0 => question.opens_at + Span(rng.random_range(0..12)),
            _ => question.closes_at - Span(rng.random_range(3..400).min(open.0)),
        };
    }
    // A player who has not decided when the question closes does not answer.
    if player.role == Role::Player && (stubborn || at < question.closes_at) {
        let mut tap = |after: u32, device, choice| {
            actions.push(action(at + Span(after), stubborn, ActionKind::Answer(device, choice)));
        };
        tap(0, Device::First, choice);
        match player.habits.tapping {
            Tapping::Once => {}
            Tapping::Twice => tap(rng.random_range(60..300), Device::First, choice),
            Tapping::Wavers => tap(rng.random_range(150..800), Device::First, other),
        }
        if rng.random_bool(REPEATS) {
            let after = Span(rng.random_range(20..400));
            actions.push(action(question.closes_at.max(at) + after, true, ActionKind::Answer(Device::First, choice)));
        }
        let mut tap = |after: u32, device, choice| {
            actions.push(action(at + Span(after), stubborn, ActionKind::Answer(device, choice)));
        };
        if player.habits.two_devices {
            tap(rng.random_range(0..400), Device::Second, if rng.random_bool(0.7) { choice } else { other });
        }
    }
    if bad_network && rng.random_bool(0.4) {
        let back = Span(rng.random_range(100..1500));
        actions.push(action(question.opens_at + part(rng.random::<f64>()), true, ActionKind::Drop(back)));
    }
    if rng.random_bool(0.05)
        && let Some(&emoji) = Emoji::ALL.choose(&mut rng)
    {
        actions.push(action(question.opens_at + part(rng.random::<f64>()), true, ActionKind::React(emoji)));
    }
    if player.habits.cheats && rng.random_bool(0.7) {
        let mischief = mischief(&mut rng, player.number, swarm);
        let when = match mischief {
            Mischief::AnswersEarly => question.at,
            _ => question.opens_at + part(0.9 * rng.random::<f64>()),
        };
        actions.push(action(when, true, ActionKind::Mischief(mischief)));
    }
    actions
}

fn mischief(rng: &mut impl rand::Rng, player: PlayerNumber, swarm: u32) -> Mischief {
    let somebody_else = (player.0 + rng.random_range(1..swarm.max(2))) % swarm.max(1);
    match rng.random_range(0..13) {
        0 => Mischief::AnswersClosed,
        1 => Mischief::AnswersEarly,
        2 => Mischief::ChoosesNothing,
        3 => Mischief::AnswersUnasked,
        4 => Mischief::AnswersWhenOut,
        5 => Mischief::ClaimsSeat(Seat(somebody_else)),
        6 => Mischief::ForgesToken,
        7 => Mischief::Steals(PlayerNumber(somebody_else)),
        8 => Mischief::AnswersUnjoined,
        9 => Mischief::Floods,
        10 => Mischief::SendsTooMuch,
        11 => Mischief::SendsNonsense,
        _ => Mischief::SendsUnknownType,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use klaxon_protocol::ids::Seq;

    use super::super::plan::tests::settings;
    use super::super::plan::{Shares, SwarmPlan, SwarmSettings};
    use super::*;

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
                let todo = actions(plan.seed, player, &question(number), Some(Choice(2)), 400);
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
            if let ActionKind::Answer(device, _) = action.what {
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
                matches!(action.what, ActionKind::Answer(..)) && action.at < Millis(100_000 + 5_000 / 3 + 20)
            })
            .count();
        assert!((150..250).contains(&early), "{early}");
    }

    #[test]
    fn the_skilled_are_right_more_often() {
        let mut plan = plain(|_| {});
        let mut right_with = |skill: f64| {
            plan.players.iter_mut().for_each(|player| player.habits.skill = skill);
            all(&plan, 1).iter().filter(|(_, action)| matches!(action.what, ActionKind::Answer(_, Choice(2)))).count()
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
            answers(&dawdlers, |action| action.at > Millis(105_000) && matches!(action.what, ActionKind::Answer(..)))
                > 50
        );
        let bad = plain(|shares| shares.bad_networks = 1.0);
        assert!(answers(&bad, |action| matches!(action.what, ActionKind::Drop(_))) > 100);
        let two = plain(|shares| shares.two_devices = 1.0);
        assert!(answers(&two, |action| matches!(action.what, ActionKind::Answer(Device::Second, _))) > 300);
        let taps = plain(|shares| shares.double_taps = 1.0);
        assert!(answers(&taps, |action| matches!(action.what, ActionKind::Answer(..))) > 700);
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
}
