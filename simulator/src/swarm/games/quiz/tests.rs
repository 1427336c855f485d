//! Tests of what players answer, by a question of each kind.

use std::collections::{BTreeMap, HashSet};

use klaxon_protocol::claim::{Claim, ClaimValue};
use klaxon_protocol::games::quiz::{
    AnswerKind, Asked, Choices, Kind, Quiz, QuizQuestion, Stake, is_order, number_of_bits, number_to_bits,
    order_to_bits, set_to_bits,
};
use klaxon_protocol::ids::{ClaimKey, RoundId};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::answers::Sight;
use super::{Answerer, kinds};
use crate::swarm::players::actions::{Action, ActionKind, RoundSeen};
use crate::swarm::players::plan::tests::settings;
use crate::swarm::players::plan::{PlayerPlan, Shares, SwarmPlan, SwarmSettings, rng};
use crate::swarm::players::saying::Saying;

const POINTS: i64 = 700;
const ROUND: RoundSeen = RoundSeen {
    round: RoundId(3),
    told_at: Millis(99_500),
    opens_at: Millis(100_000),
    closes_at: Millis(105_000),
    busy: 1.0,
};

fn questions() -> Vec<QuizQuestion> {
    let mut part = kinds(5_000);
    part.as_object_mut().unwrap().remove("part");
    Body::of(&part).read_known::<Quiz>().unwrap().questions
}

/// The question as a server sends it that mixes nothing.
fn asked(question: &QuizQuestion) -> Asked {
    let choices = question.kind.choices().to_vec();
    let one = Choices { choices: choices.clone() };
    let answer = match &question.kind {
        Kind::Choice(_) => AnswerKind::Choice(one),
        Kind::Choices(_) => AnswerKind::Choices(one),
        Kind::Number(of) => {
            AnswerKind::Number { decimals: of.decimals, unit: of.unit.clone(), least: of.least, most: of.most }
        }
        Kind::Order(_) => AnswerKind::Order { items: choices },
        Kind::Text(of) => AnswerKind::Text { longest: of.longest },
        Kind::Poll(_) => AnswerKind::Poll(one),
        Kind::Words(of) => AnswerKind::Words { each: of.each, longest: of.longest },
        Kind::Fastest(of) => AnswerKind::Fastest { choices, order: of.is_order() },
        Kind::Buzzer(of) => AnswerKind::Buzzer { choices: of.choices.clone() },
        Kind::Majority(_) => AnswerKind::Majority(one),
        Kind::Wager(of) => AnswerKind::Wager { stake: of.stake, most: of.most },
        Kind::Slide(_) => AnswerKind::Slide { lasts: Default::default() },
    };
    let (text, number) = (question.text.clone(), 1);
    Asked { number, total: 1, text, answer, media: None, category: None, points: 0, places: vec![], orders: vec![] }
}

/// Whether a server takes this value under key 0 from a player with these points.
fn is_possible(asked: &Asked, value: &ClaimValue) -> bool {
    match (&asked.answer, value) {
        (AnswerKind::Text { longest } | AnswerKind::Words { longest, .. }, ClaimValue::Text(text)) => {
            text.as_str().len() <= usize::from(*longest)
        }
        (
            AnswerKind::Choice(Choices { choices })
            | AnswerKind::Poll(Choices { choices })
            | AnswerKind::Majority(Choices { choices })
            | AnswerKind::Fastest { choices, order: false }
            | AnswerKind::Buzzer { choices: Some(choices) },
            ClaimValue::Bits(bits),
        ) => *bits < choices.len() as u64,
        (AnswerKind::Choices(of), ClaimValue::Bits(bits)) => *bits > 0 && bits >> of.choices.len() == 0,
        (AnswerKind::Order { items } | AnswerKind::Fastest { choices: items, .. }, ClaimValue::Bits(bits)) => {
            is_order(*bits, u32::try_from(items.len()).unwrap())
        }
        (AnswerKind::Number { least, most, .. }, ClaimValue::Bits(bits)) => {
            (*least..=*most).contains(&number_of_bits(*bits))
        }
        (AnswerKind::Wager { stake: Stake::Points, most }, ClaimValue::Bits(bits)) => {
            *bits <= u64::from(*most).min(POINTS.unsigned_abs())
        }
        (AnswerKind::Wager { stake: Stake::DoubleOrQuit, .. }, ClaimValue::Bits(bits)) => *bits < 2,
        (AnswerKind::Buzzer { choices: None }, ClaimValue::Bits(bits)) => *bits == 0,
        _ => false,
    }
}

fn swarm(share: impl FnOnce(&mut Shares)) -> SwarmPlan {
    let mut shares = Shares::default();
    share(&mut shares);
    SwarmPlan::new(&SwarmSettings { shares, ..settings(7) })
}

fn actions(question: &QuizQuestion, player: &PlayerPlan) -> Vec<Action> {
    let answerer = Answerer { asked: Some(asked(question)) };
    let mut rng = rng(7, player.number, ROUND.round.0);
    answerer.actions(&mut rng, std::slice::from_ref(question), POINTS, player, &ROUND)
}

/// What all players claim, and when.
fn claims(question: &QuizQuestion, plan: &SwarmPlan) -> Vec<(Millis, Claim)> {
    let claim = |action: Action| match action.what {
        ActionKind::Claim(_, Saying::Claim(claim)) => Some((action.at, claim)),
        _ => None,
    };
    plan.players.iter().flat_map(|player| actions(question, player)).filter_map(claim).collect()
}

#[test]
fn there_is_a_question_of_each_kind_and_most_of_what_is_claimed_is_possible() {
    let mut kinds = HashSet::new();
    for question in questions() {
        kinds.insert(question.kind.name());
        let (asked, plan) = (asked(&question), swarm(|_| {}));
        let claims = claims(&question, &plan);
        if matches!(question.kind, Kind::Slide(_)) {
            continue;
        }
        let impossible = claims.iter().filter(|(_, claim)| !is_possible(&asked, &claim.value)).count();
        let name = question.kind.name();
        assert!(claims.len() > 370, "{name}: {}", claims.len());
        assert!((1..40).contains(&impossible) || name == "words", "{name}: {impossible} of {}", claims.len());
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let sight = Sight { asked: &asked, known: Some(&question), points: POINTS };
        assert!((0..200).all(|_| is_possible(&asked, &sight.any(&mut rng))), "{name}");
        let slips = (0..200).filter(|_| {
            let (key, value) = sight.slip(&mut rng, false);
            key.0 >= sight.keys() || !is_possible(&asked, &value)
        });
        assert!(slips.count() > 80, "{name}");
    }
    assert_eq!(kinds.len(), 12);
}

#[test]
fn the_skilled_are_right_whatever_the_kind_and_others_by_chance() {
    let right: BTreeMap<&str, u64> = [
        ("Which planet is the largest?", 0),
        ("Which of these are prime?", set_to_bits(&[0, 2, 4])),
        ("From the smallest to the largest country:", order_to_bits(&[0, 1, 2, 3, 4])),
        ("Put these in the order of the alphabet:", order_to_bits(&[1, 3, 0, 2])),
        ("How many legs has a spider?", 1),
        ("How far is the Moon?", number_to_bits(384)),
    ]
    .into();
    let mut found = 0;
    for question in questions() {
        let Some(&right) = right.get(question.text.as_str()) else { continue };
        found += 1;
        let right_with = |skill: f64| {
            let mut plan = swarm(|_| {});
            plan.players.iter_mut().for_each(|player| player.habits.skill = skill);
            let claims = claims(&question, &plan);
            claims.iter().filter(|(_, claim)| claim.value == ClaimValue::Bits(right)).count() * 100 / claims.len()
        };
        let (low, high) = (right_with(0.0), right_with(1.0));
        // Half of those who know a number are only near it.
        let least = if matches!(question.kind, Kind::Number(_)) { 40 } else { 90 };
        assert!(low < 60 && high > least && high > low, "{}: {low} {high}", question.text);
    }
    assert_eq!(found, right.len());
}

#[test]
fn many_buzz_in_the_same_millisecond_and_some_lose_the_connection_right_after() {
    let buzzer = questions().into_iter().find(|question| matches!(question.kind, Kind::Buzzer(_))).unwrap();
    let mut at: BTreeMap<Millis, usize> = BTreeMap::new();
    claims(&buzzer, &swarm(|_| {})).iter().for_each(|(when, _)| *at.entry(*when).or_default() += 1);
    assert!(at.values().any(|&together| together > 60), "{at:?}");
    let early = at.range(..ROUND.opens_at).map(|(_, &times)| times).sum::<usize>();
    assert!((2..30).contains(&early), "{early}");
    let plan = swarm(|shares| shares.bad_networks = 1.0);
    let all: Vec<Vec<Action>> = plan.players.iter().map(|player| actions(&buzzer, player)).collect();
    let reloads = all.iter().filter(|actions| {
        let lost = actions.iter().find(|action| matches!(action.what, ActionKind::Drop(_)));
        let claim = |action: &&Action| matches!(action.what, ActionKind::Claim(..));
        lost.is_some_and(|lost| {
            let (before, after): (Vec<&Action>, Vec<_>) =
                actions.iter().filter(claim).partition(|claim| claim.at <= lost.at);
            before.iter().any(|first| after.iter().any(|again| again.what == first.what))
        })
    });
    let reloads = reloads.count();
    assert!((100..300).contains(&reloads), "{reloads}");
}

#[test]
fn players_give_several_words_and_stake_what_they_have_at_most() {
    let (questions, plan) = (questions(), swarm(|_| {}));
    let of = |wanted: fn(&Kind) -> bool| {
        let question = questions.iter().find(|question| wanted(&question.kind)).unwrap();
        claims(question, &plan)
    };
    let words = of(|kind| matches!(kind, Kind::Words(_)));
    for key in (0..3).map(ClaimKey) {
        assert!(words.iter().filter(|(_, claim)| claim.key == key).count() > 100, "key {key}");
    }
    let stakes = of(|kind| matches!(kind, Kind::Wager(_)));
    let over = stakes.iter().filter(|(_, claim)| !matches!(claim.value, ClaimValue::Bits(..=700))).count();
    let all = stakes.iter().filter(|(_, claim)| claim.value == ClaimValue::Bits(700)).count();
    assert!((1..30).contains(&over) && (50..200).contains(&all), "{over} {all}");
}
