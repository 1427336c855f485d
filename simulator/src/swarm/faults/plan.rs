//! The faults and their questions. They depend only on the seed, not on the players.

use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_servers::Persistence;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fault::{Fault, FaultKind};
use crate::evidence::Victim;

/// How long a stopped process is suspended.
pub const STANDING: Duration = Duration::from_secs(5);
/// The time limit for a process to stop and to start as another version; a gateway drains its connections first.
const UPGRADE: Duration = Duration::from_secs(5);

/// Which processes of a cluster are upgraded first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UpgradeOrder {
    /// The engines: the reverse of the order in docs/operations.md.
    #[value(name = "engines", help = "The engines")]
    EnginesFirst,
    /// The gateways.
    #[value(name = "gateways")]
    GatewaysFirst,
}

/// The faults of a show, in order, at most one per question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FaultPlan(Vec<Fault>);

/// A random generator used only for faults, so that they don't depend on the players.
fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

impl FaultPlan {
    /// `kills` kills of a single server, spread over `questions` questions; at most one each. An elimination may end
    /// early, so the first questions are preferred if there are enough.
    #[must_use]
    pub fn of_a_server(seed: u64, kills: u16, questions: u16) -> Self {
        let mut rng = rng(seed, u64::MAX - 1);
        let within = questions.min((questions / 2).max(kills));
        let mut places: Vec<u16> = (1..=within).collect();
        places.shuffle(&mut rng);
        places.truncate(usize::from(kills));
        places.sort_unstable();
        let kill = |place| Fault {
            question: QuestionId(place),
            at: rng.random_range(0.15..0.85),
            victim: Victim::Server,
            kind: FaultKind::Kill { away: Duration::from_millis(rng.random_range(20..400)) },
        };
        Self(places.into_iter().map(kill).collect())
    }

    /// One fault per question. The kinds of processes are dealt like cards: each occurs within as many questions as
    /// there are cards; the engine that plays the show and the gateways occur more often.
    #[must_use]
    pub fn of_a_cluster(seed: u64, questions: u16, gateways: u16) -> Self {
        use Victim::{Archive, Broker, OtherEngine, OwningEngine, Redis};
        let mut rng = rng(seed, u64::MAX - 2);
        let mut cards: Vec<Victim> = Vec::new();
        let fault = |place| {
            if cards.is_empty() {
                let any = (0..gateways).map(Victim::Gateway);
                cards = [OwningEngine, OwningEngine, OtherEngine, Redis, Redis, Broker, Archive].into();
                cards.extend(any);
                cards.shuffle(&mut rng);
            }
            let kind = if rng.random_bool(0.5) {
                FaultKind::Kill { away: Duration::from_millis(rng.random_range(300..3000)) }
            } else {
                FaultKind::Stop { standing: STANDING }
            };
            Fault {
                question: QuestionId(place),
                at: rng.random_range(0.15..0.85),
                victim: cards.pop().unwrap_or(OwningEngine),
                kind,
            }
        };
        Self((1..=questions).map(fault).collect())
    }

    /// Upgrades each process of a cluster with two engines, one per question; the engine that plays the show after the
    /// other.
    #[must_use]
    pub fn of_an_upgrade(seed: u64, order: UpgradeOrder, gateways: u16) -> Self {
        let mut rng = rng(seed, u64::MAX - 4);
        let engines = [Victim::OtherEngine, Victim::OwningEngine];
        let gateways: Vec<Victim> = (0..gateways).map(Victim::Gateway).collect();
        let victims = match order {
            UpgradeOrder::EnginesFirst => [&engines[..], &gateways].concat(),
            UpgradeOrder::GatewaysFirst => [&gateways[..], &engines].concat(),
        };
        let upgrade = |(place, victim)| Fault {
            question: QuestionId(place),
            at: rng.random_range(0.15..0.85),
            victim,
            kind: FaultKind::Upgrade,
        };
        Self((1..).zip(victims).map(upgrade).collect())
    }

    /// The same faults, in every so many questions only; at least in the first, which may be the only one.
    #[must_use]
    pub fn every(mut self, rounds: u16) -> Self {
        for fault in &mut self.0 {
            fault.question = QuestionId((fault.question.0 - 1).saturating_mul(rounds.max(1)).saturating_add(1));
        }
        self
    }

    /// A plan with a single fault.
    #[must_use]
    pub fn only(fault: Fault) -> Self {
        Self(vec![fault])
    }

    /// What Redis keeps when it is killed in this run.
    #[must_use]
    pub fn persistence(seed: u64) -> Persistence {
        if rng(seed, u64::MAX - 3).random_bool(0.5) { Persistence::AppendOnly } else { Persistence::None }
    }

    /// The number of faults.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the plan has no faults.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The longest time for which a process is unavailable.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let lasts = |fault: &Fault| match fault.kind {
            FaultKind::Kill { away } => away,
            FaultKind::Stop { standing } => standing,
            FaultKind::Upgrade => UPGRADE,
        };
        self.0.iter().map(lasts).max().unwrap_or_default()
    }

    /// The fault in this question, if any.
    pub(super) fn at(&self, question: QuestionId) -> Option<Fault> {
        self.0.iter().copied().find(|fault| fault.question == question)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn kills_are_the_seed_s_each_in_another_question() {
        for seed in 0..100 {
            let kills = FaultPlan::of_a_server(seed, 5, 12);
            assert_eq!(kills, FaultPlan::of_a_server(seed, 5, 12));
            assert_eq!(kills.len(), 5);
            assert!(kills.0.is_sorted_by(|a, b| a.question < b.question));
            assert!(kills.0.iter().all(|kill| kill.question.0 <= 6 && kill.victim == Victim::Server));
        }
        assert!(FaultPlan::of_a_server(1, 0, 12).is_empty());
        assert_eq!(FaultPlan::of_a_server(1, 12, 12).len(), 12);
    }

    #[test]
    fn every_question_of_a_cluster_has_a_fault_and_every_process_its_turn() {
        for seed in 0..100 {
            let plan = FaultPlan::of_a_cluster(seed, 10, 3);
            assert_eq!(plan, FaultPlan::of_a_cluster(seed, 10, 3));
            assert!((1..=10).zip(&plan.0).all(|(number, fault)| fault.question == QuestionId(number)));
            let hit: HashSet<Victim> = plan.0.iter().map(|fault| fault.victim).collect();
            assert_eq!(hit.len(), 8, "three gateways, two roles of engines, redis, broker, archive: {hit:?}");
            assert!(plan.0.iter().all(|fault| (0.15..0.85).contains(&fault.at)));
            assert!(plan.longest() <= STANDING);
        }
        assert_ne!(FaultPlan::of_a_cluster(1, 12, 3), FaultPlan::of_a_cluster(2, 12, 3));
    }

    #[test]
    fn faults_are_spread_over_as_many_rounds_as_there_are() {
        let plan = FaultPlan::of_a_cluster(7, 4, 3).every(3);
        let rounds: Vec<u16> = plan.0.iter().map(|fault| fault.question.0).collect();
        assert_eq!(rounds, [1, 4, 7, 10]);
        assert_eq!(FaultPlan::of_a_cluster(7, 4, 3).every(0), FaultPlan::of_a_cluster(7, 4, 3));
    }

    #[test]
    fn some_seeds_have_a_redis_that_keeps_nothing() {
        let kinds = |kept| (0..100).filter(|&seed| FaultPlan::persistence(seed) == kept).count();
        assert!(kinds(Persistence::None) > 25 && kinds(Persistence::AppendOnly) > 25);
    }
}
