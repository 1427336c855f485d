//! A player's actions in a round, whatever game is played. They are decided when the round is received, from the plan and
//! the seed alone.

use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::Emoji;
use klaxon_protocol::time::{Millis, Span};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_distr::LogNormal;

use super::habits::{Mischief, Network, Tapping};
use super::plan::PlayerPlan;
use super::saying::Saying;
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
    /// The action's round: the time moves with the round's clock.
    pub round: RoundId,
    /// Whether it is carried out even if the player has received the round's close.
    pub stubborn: bool,
    /// The kind of the action.
    pub what: ActionKind,
}

/// The kind of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// Claim on a device.
    Claim(Device, Saying),
    /// Send an emoji.
    React(Emoji),
    /// Lose the connection, and reconnect after this time.
    Drop(Span),
    /// Violate the protocol.
    Mischief(Mischief),
}

/// A round as a player receives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundSeen {
    /// Its number.
    pub round: RoundId,
    /// When it was sent, on the server's clock.
    pub told_at: Millis,
    /// Claims count that are read from here on.
    pub opens_at: Millis,
    /// Claims count that are read before this.
    pub closes_at: Millis,
    /// How much happens in it, as a part of what happens in a question: a show of bingo has many short rounds.
    pub busy: f64,
}

impl RoundSeen {
    fn part(&self, share: f64) -> Span {
        let open = self.closes_at.since(self.opens_at);
        Span((f64::from(open.0) * share) as u32)
    }
}

/// The spread of reaction times: the standard deviation of their logarithm.
const REACTION_SPREAD: f64 = 0.5;

/// The probability that a player claims in the first or last moments of a round.
const AT_THE_EDGES: f64 = 0.05;
/// The delay after the close in milliseconds: of answers that are just too late, and of the other late ones.
const JUST_LATE: std::ops::Range<u32> = 1..12;
const LATE: std::ops::Range<u32> = 12..400;
/// The part of a round after which those press who race, and the probability that one does in that very millisecond.
const REFLEX: f64 = 0.12;
const TOGETHER: f64 = 0.6;
/// The probability that a player repeats the claim after the close, as if the reply had been lost.
const REPEATS: f64 = 0.03;

/// What a player does in a round beside the claims: drops, reactions, mischief. `swarm` is the number of players to steal
/// tokens from.
pub fn around(rng: &mut impl Rng, player: &PlayerPlan, round: &RoundSeen, swarm: u32) -> Vec<Action> {
    let mut actions = Vec::new();
    let action = |at: Millis, what: ActionKind| Action { at, round: round.round, stubborn: true, what };
    if player.habits.network == Network::Bad && rng.random_bool(0.4 * round.busy) {
        let back = Span(rng.random_range(100..1500));
        actions.push(action(round.opens_at + round.part(rng.random::<f64>()), ActionKind::Drop(back)));
    }
    if rng.random_bool(0.05 * round.busy)
        && let Some(&emoji) = Emoji::ALL.choose(rng)
    {
        actions.push(action(round.opens_at + round.part(rng.random::<f64>()), ActionKind::React(emoji)));
    }
    if player.habits.cheats && rng.random_bool(0.7 * round.busy) {
        let mischief = mischief(rng, player.number, swarm);
        let when = match mischief {
            Mischief::AnswersEarly => round.told_at,
            _ => round.opens_at + round.part(0.9 * rng.random::<f64>()),
        };
        actions.push(action(when, ActionKind::Mischief(mischief)));
    }
    actions
}

/// How a player makes one claim in a round, on each device. `other` is what a player who wavers, or errs on the second
/// device, claims.
pub fn claim(
    rng: &mut impl Rng,
    player: &PlayerPlan,
    round: &RoundSeen,
    claim: &Saying,
    other: &Saying,
) -> Vec<Action> {
    let open = round.closes_at.since(round.opens_at);
    let reaction = LogNormal::new((1.0_f64 / 3.0).ln(), REACTION_SPREAD).map_or(1.0 / 3.0, |times| rng.sample(times));
    let mut at = round.opens_at + round.part(reaction) + Span(20);
    let mut stubborn = false;
    if player.habits.network == Network::Bad && rng.random_bool(0.5) {
        at = at + round.part(0.3 * rng.random::<f64>());
        // The answer was given in time and delayed by the network, so it can't be withdrawn.
        stubborn = true;
    }
    if player.habits.dawdles && rng.random_bool(0.3) {
        // Half of them are so slightly late that the answers may not be tallied yet: a server that is too lenient would
        // count them.
        let late = if rng.random_bool(0.5) { JUST_LATE } else { LATE };
        at = round.closes_at + Span(rng.random_range(late));
        stubborn = true;
    }
    if rng.random_bool(AT_THE_EDGES) {
        at = match rng.random_range(0..3) {
            0 => round.opens_at + Span(rng.random_range(0..12)),
            _ => round.closes_at - Span(rng.random_range(3..400).min(open.0)),
        };
    }
    // A player who has not decided when the round closes does not answer.
    if !stubborn && at >= round.closes_at {
        return Vec::new();
    }
    repeated(rng, player, round, (at, stubborn), claim, other)
}

/// A claim at this time on each device, once or several times.
fn repeated(
    rng: &mut impl Rng,
    player: &PlayerPlan,
    round: &RoundSeen,
    (at, stubborn): (Millis, bool),
    claim: &Saying,
    other: &Saying,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut act =
        |at: Millis, stubborn: bool, device, said: &Saying| actions.push(said_at(at, round, stubborn, device, said));
    act(at, stubborn, Device::First, claim);
    match player.habits.tapping {
        Tapping::Once => {}
        Tapping::Twice => act(at + Span(rng.random_range(60..300)), stubborn, Device::First, claim),
        Tapping::Wavers => act(at + Span(rng.random_range(150..800)), stubborn, Device::First, other),
    }
    if rng.random_bool(REPEATS) {
        let after = Span(rng.random_range(20..400));
        act(round.closes_at.max(at) + after, true, Device::First, claim);
    }
    if player.habits.two_devices {
        let after = Span(rng.random_range(0..400));
        act(at + after, stubborn, Device::Second, if rng.random_bool(0.7) { claim } else { other });
    }
    actions
}

fn said_at(at: Millis, round: &RoundSeen, stubborn: bool, device: Device, said: &Saying) -> Action {
    Action { at, round: round.round, stubborn, what: ActionKind::Claim(device, said.clone()) }
}

/// How a player makes one claim where it is about being first: most at the same moment as all others who race.
pub fn race(rng: &mut impl Rng, player: &PlayerPlan, round: &RoundSeen, claim: &Saying, other: &Saying) -> Vec<Action> {
    let after = Span(if rng.random_bool(TOGETHER) { 0 } else { rng.random_range(1..30) });
    let at = round.opens_at + round.part(REFLEX) + after;
    repeated(rng, player, round, (at, false), claim, other)
}

/// A claim before the round takes any.
pub fn early(rng: &mut impl Rng, round: &RoundSeen, claim: &Saying) -> Action {
    let lead = round.opens_at.since(round.told_at);
    said_at(round.told_at + Span(rng.random_range(0..=lead.0)), round, false, Device::First, claim)
}

/// A claim at any time, beside what the player means to say.
pub fn slip(rng: &mut impl Rng, round: &RoundSeen, claim: &Saying) -> Action {
    said_at(round.opens_at + round.part(0.8 * rng.random::<f64>()), round, false, Device::First, claim)
}

/// A player whose network is bad loses the connection right after the claim, and makes the claim again on the next one.
pub fn reload(rng: &mut impl Rng, player: &PlayerPlan, round: &RoundSeen, claims: &[Action]) -> Vec<Action> {
    let first = claims.iter().filter(|action| !action.stubborn).min_by_key(|action| action.at);
    let Some(first) = first.filter(|_| player.habits.network == Network::Bad && rng.random_bool(0.5)) else {
        return Vec::new();
    };
    let (lost, back) = (first.at + Span(rng.random_range(0..10)), Span(rng.random_range(20..150)));
    let drop = Action { at: lost, round: round.round, stubborn: true, what: ActionKind::Drop(back) };
    let again = Action { at: lost + back + Span(100), stubborn: true, ..first.clone() };
    vec![drop, again]
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
