//! Faults: processes of the service are killed or stopped in the middle of a question, chosen by the seed, one at a
//! time.

mod fault;
mod plan;
mod target;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::evidence::{Disturbance, Micros};
use crate::swarm::host::Stage;
use crate::swarm::service::ServiceError;

pub use fault::{Fault, FaultKind};
pub use plan::{FaultPlan, STANDING, UpgradeOrder};
pub use target::{Target, Untouched, carry_out, ended};

/// Carries out the plan while `stage` reports the show's progress, and adds each fault to `done`. `hold` is true from
/// the moment when a question with a fault is asked until the service has recovered, so that the host does not ask the
/// next one. Returns only with an error: a process ended without having been killed, or could not be started again.
pub async fn carry_out_plan(
    plan: &FaultPlan,
    target: &mut impl Target,
    mut stage: watch::Receiver<Stage>,
    hold: &watch::Sender<bool>,
    done: &mut Vec<Disturbance>,
) -> ServiceError {
    let mut last = None;
    loop {
        let asked = stage.borrow_and_update().round.filter(|asked| last < Some(asked.round));
        if let Some(asked) = asked {
            last = Some(asked.round);
            if let Some(fault) = plan.at(asked.round) {
                hold.send_replace(true);
                target.question_asked().await;
                let open = asked.closes_at.since(asked.opens_at).to_std();
                let at = Duration::from_millis(asked.opens_at.0) + open.mul_f64(fault.at);
                let wait = at.saturating_sub(Duration::from_micros(Micros::now().0));
                tokio::select! {
                    () = sleep(wait) => {}
                    error = target.ended() => return error,
                }
                match target.carry_out(&fault).await {
                    Ok(disturbance) => done.push(disturbance),
                    Err(error) => return error,
                }
                hold.send_replace(false);
                continue;
            }
        }
        tokio::select! {
            changed = stage.changed() => if changed.is_err() {
                return target.ended().await;
            },
            error = target.ended() => return error,
        }
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::QuestionId;
    use klaxon_protocol::player::Phase;
    use klaxon_protocol::time::Millis;

    use crate::evidence::Harm;
    use crate::messages::RoundTimes;

    use super::*;

    /// A target that records its calls.
    #[derive(Default)]
    struct Noted {
        hit: Vec<(QuestionId, bool)>,
        asked: u32,
    }

    impl Target for (Noted, watch::Receiver<bool>) {
        async fn question_asked(&mut self) {
            self.0.asked += 1;
        }

        async fn carry_out(&mut self, fault: &Fault) -> Result<Disturbance, ServiceError> {
            self.0.hit.push((fault.question, *self.1.borrow()));
            let now = Micros::now();
            Ok(Disturbance {
                question: fault.question,
                victim: fault.victim,
                process: "it".into(),
                harm: Harm::Killed,
                from: now,
                until: now,
            })
        }

        async fn ended(&mut self) -> ServiceError {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn each_question_has_its_fault_once_and_the_host_is_held_meanwhile() {
        let (hold, held) = watch::channel(false);
        let (stage, stages) = watch::channel(Stage { phase: Phase::Lobby, round: None });
        let mut target = (Noted::default(), held.clone());
        let mut done = Vec::new();
        let plan = FaultPlan::of_a_server(7, 2, 2);
        let show = async {
            for number in 1..=2 {
                let now = Millis(Micros::now().0 / 1000);
                let asked = RoundTimes { round: QuestionId(number), opens_at: now, closes_at: now };
                let mut held = held.clone();
                held.mark_unchanged();
                stage.send_replace(Stage { phase: Phase::Question, round: Some(asked) });
                held.wait_for(|held| *held).await.unwrap();
                held.wait_for(|held| !*held).await.unwrap();
                stage.send_replace(Stage { phase: Phase::Revealed, round: Some(asked) });
            }
        };
        tokio::select! {
            error = carry_out_plan(&plan, &mut target, stages, &hold, &mut done) => panic!("{error}"),
            () = show => {}
        }
        assert_eq!(target.0.hit, [(QuestionId(1), true), (QuestionId(2), true)]);
        assert_eq!((target.0.asked, done.len()), (2, 2));
    }
}
