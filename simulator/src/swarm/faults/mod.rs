//! Faults: processes of the service that are killed or stopped in the middle of a question, by the seed, one at a time.

mod plan;

use std::time::Duration;

use klaxon_protocol::ids::QuestionId;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::evidence::{Door, Micros};
use crate::host::Stage;
use crate::server::ServerError;

pub use plan::{FaultPlan, STANDING};

/// Which process of the service a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Victim {
    /// The one process of `klaxon serve`.
    Server,
    /// The gateway behind this door.
    Gateway(u16),
    /// The engine that plays the show.
    OwningEngine,
    /// An engine that does not.
    OtherEngine,
    /// The Redis that arbiter and bus are on.
    Redis,
    /// The Kafka broker that the journal is on.
    Broker,
    /// The service that fills the database.
    Archive,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// SIGKILL; it is started again after it was away for so long.
    Kill {
        /// How long nobody starts it.
        away: Duration,
    },
    /// SIGSTOP, and SIGCONT after so long: it does nothing, and its connections stay.
    Stop {
        /// How long it stands still.
        standing: Duration,
    },
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// In which question.
    pub question: QuestionId,
    /// At which part of its open time, 0 to 1.
    pub at: f64,
    /// Whom it is for.
    pub victim: Victim,
    /// What happens to it.
    pub blow: Blow,
}

/// A fault that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// In which question.
    pub question: QuestionId,
    /// Whom it was for.
    pub victim: Victim,
    /// The process's name, such as `engine-2`.
    pub process: String,
    /// Whether it was killed; else it stood still.
    pub killed: bool,
    /// From when on it did nothing.
    pub from: Micros,
    /// When it was at work again.
    pub until: Micros,
}

impl Disturbance {
    /// Whether connections through this door were cut by it.
    #[must_use]
    pub fn cuts(&self, door: Door) -> bool {
        self.killed && self.is_at(door)
    }

    /// Whether the process behind this door did nothing meanwhile.
    #[must_use]
    pub fn is_at(&self, door: Door) -> bool {
        match self.victim {
            Victim::Server => true,
            Victim::Gateway(number) => number == door.0,
            _ => false,
        }
    }

    /// What happened, for people: `engine-2 killed`.
    #[must_use]
    pub fn what(&self) -> String {
        format!("{} {}", self.process, if self.killed { "killed" } else { "stopped" })
    }
}

/// A service whose processes can be struck.
#[allow(async_fn_in_trait, reason = "nobody needs to send these futures elsewhere")]
pub trait Target {
    /// A question was asked in which there will be a fault.
    async fn question_asked(&mut self) {}

    /// Does what the fault says, and waits until the process is at work again.
    ///
    /// # Errors
    /// If it can't be started again.
    async fn strike(&mut self, fault: &Fault) -> Result<Disturbance, ServerError>;

    /// Waits until a process ends by itself, which none should.
    async fn ended(&mut self) -> ServerError;
}

/// A service that is left alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untouched;

impl Target for Untouched {
    async fn strike(&mut self, fault: &Fault) -> Result<Disturbance, ServerError> {
        Err(ServerError::NotOurs(fault.victim))
    }

    async fn ended(&mut self) -> ServerError {
        std::future::pending().await
    }
}

/// Carries out the plan while `stage` goes on, and notes in `done` what was done. From when a question with a fault is asked until the
/// service is whole again, `hold` is true, so that the host does not ask the next one meanwhile. Ends only when a process does,
/// without having been killed.
pub async fn carry_out(
    plan: &FaultPlan,
    target: &mut impl Target,
    mut stage: watch::Receiver<Stage>,
    hold: &watch::Sender<bool>,
    done: &mut Vec<Disturbance>,
) -> ServerError {
    let mut last = None;
    loop {
        let asked = stage.borrow_and_update().question.filter(|asked| last < Some(asked.question));
        if let Some(asked) = asked {
            last = Some(asked.question);
            if let Some(fault) = plan.at(asked.question) {
                hold.send_replace(true);
                target.question_asked().await;
                let open = asked.closes_at.since(asked.opens_at).to_std();
                let at = Duration::from_millis(asked.opens_at.0) + open.mul_f64(fault.at);
                let wait = at.saturating_sub(Duration::from_micros(Micros::now().0));
                tokio::select! {
                    () = sleep(wait) => {}
                    error = target.ended() => return error,
                }
                match target.strike(&fault).await {
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
    use klaxon_protocol::player::Phase;
    use klaxon_protocol::time::Millis;

    use crate::host::Asked;

    use super::*;

    /// Notes what is done to it.
    #[derive(Default)]
    struct Noted {
        struck: Vec<(QuestionId, bool)>,
        asked: u32,
    }

    impl Target for (Noted, watch::Receiver<bool>) {
        async fn question_asked(&mut self) {
            self.0.asked += 1;
        }

        async fn strike(&mut self, fault: &Fault) -> Result<Disturbance, ServerError> {
            self.0.struck.push((fault.question, *self.1.borrow()));
            let now = Micros::now();
            Ok(Disturbance {
                question: fault.question,
                victim: fault.victim,
                process: "it".into(),
                killed: true,
                from: now,
                until: now,
            })
        }

        async fn ended(&mut self) -> ServerError {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn each_question_has_its_fault_once_and_the_host_is_held_meanwhile() {
        let (hold, held) = watch::channel(false);
        let (stage, stages) = watch::channel(Stage { phase: Phase::Lobby, question: None });
        let mut target = (Noted::default(), held.clone());
        let mut done = Vec::new();
        let plan = FaultPlan::of_a_server(7, 2, 2);
        let show = async {
            for number in 1..=2 {
                let now = Millis(Micros::now().0 / 1000);
                let asked = Asked { question: QuestionId(number), opens_at: now, closes_at: now };
                let mut held = held.clone();
                held.mark_unchanged();
                stage.send_replace(Stage { phase: Phase::Question, question: Some(asked) });
                held.wait_for(|held| *held).await.unwrap();
                held.wait_for(|held| !*held).await.unwrap();
                stage.send_replace(Stage { phase: Phase::Revealed, question: Some(asked) });
            }
        };
        tokio::select! {
            error = carry_out(&plan, &mut target, stages, &hold, &mut done) => panic!("{error}"),
            () = show => {}
        }
        assert_eq!(target.0.struck, [(QuestionId(1), true), (QuestionId(2), true)]);
        assert_eq!((target.0.asked, done.len()), (2, 2));
    }

    #[test]
    fn a_fault_is_known_by_the_door_it_is_behind() {
        let gateway = Disturbance {
            question: QuestionId(1),
            victim: Victim::Gateway(1),
            process: "gateway-2".into(),
            killed: false,
            from: Micros(0),
            until: Micros(1),
        };
        assert!(gateway.is_at(Door(1)) && !gateway.is_at(Door(0)) && !gateway.cuts(Door(1)));
        let redis = Disturbance { victim: Victim::Redis, killed: true, ..gateway.clone() };
        assert!(!redis.cuts(Door(1)));
        let server = Disturbance { victim: Victim::Server, killed: true, ..gateway.clone() };
        assert!(server.cuts(Door(0)));
        assert_eq!(gateway.what(), "gateway-2 stopped");
    }
}
