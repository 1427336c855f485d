//! Faults of a cluster: which process each hits, and how it is carried out.

use klaxon_protocol::text::HarmlessLines;
use klaxon_servers::Server;

use super::{Cluster, metrics};
use crate::evidence::{Disturbance, Victim};
use crate::swarm::faults::{Fault, FaultKind, Target, carry_out, ended};
use crate::swarm::service::ServiceError;

/// The metric of answers that an engine has counted.
const COUNTED: &str = "klaxon_answers_counted_total";
/// The metric of bus entries that a process refused, because their version is unknown or they are damaged.
const REFUSED: &str = "klaxon_bus_refused_total";

impl Cluster {
    /// The server that a fault hits.
    async fn victim(&mut self, victim: Victim) -> Option<&mut dyn Server> {
        Some(match victim {
            Victim::Gateway(number) => self.gateways.get_mut(usize::from(number))?,
            Victim::OwningEngine => {
                let owner = self.owner().await;
                self.engines.get_mut(owner)?
            }
            Victim::OtherEngine => {
                let other = (self.owner().await + 1) % self.engines.len().max(1);
                self.engines.get_mut(other)?
            }
            Victim::Archive => &mut self.archive,
            Victim::Redis => &mut self.redis,
            Victim::Broker => &mut self.broker,
            Victim::Server => return None,
        })
    }

    /// The index of the engine that plays the show: the one that counted most answers since the question was asked.
    async fn owner(&self) -> usize {
        let counted = self.counted().await;
        let since = counted.iter().zip(&self.counted).map(|(now, before)| now.saturating_sub(*before));
        since.enumerate().max_by_key(|&(_, answers)| answers).map_or(0, |(engine, _)| engine)
    }

    async fn counted(&self) -> Vec<u64> {
        let mut counted = Vec::with_capacity(self.engines.len());
        for engine in &self.engines {
            counted
                .push(metrics::counter(engine.listens().admin, &self.admin.token, COUNTED).await.unwrap_or_default());
        }
        counted
    }

    /// How many bus entries the process that is to be upgraded has refused; none for other faults.
    async fn refused(&self, fault: &Fault) -> Option<u64> {
        if fault.kind != FaultKind::Upgrade {
            return None;
        }
        let klaxon = match fault.victim {
            Victim::Gateway(number) => self.gateways.get(usize::from(number))?,
            Victim::OwningEngine => self.engines.get(self.owner().await)?,
            Victim::OtherEngine => self.engines.get((self.owner().await + 1) % self.engines.len().max(1))?,
            _ => return None,
        };
        metrics::counter(klaxon.listens().admin, &self.admin.token, REFUSED).await
    }

    fn servers(&mut self) -> Vec<&mut dyn Server> {
        let klaxon = self.gateways.iter_mut().chain(&mut self.engines).chain([&mut self.archive]);
        let klaxon = klaxon.map(|process| process as &mut dyn Server);
        klaxon.chain([&mut self.redis as &mut dyn Server, &mut self.broker]).collect()
    }
}

impl Target for Cluster {
    async fn question_asked(&mut self) {
        if let Err(error) = self.supervise().await {
            eprintln!("{}", HarmlessLines(&error.to_string()));
        }
        self.counted = self.counted().await;
    }

    async fn carry_out(&mut self, fault: &Fault) -> Result<Disturbance, ServiceError> {
        let refused = self.refused(fault).await;
        let next = self.plan.next.clone();
        let server = self.victim(fault.victim).await.ok_or(ServiceError::NotOurs(fault.victim))?;
        if let (FaultKind::Upgrade, Some(next)) = (fault.kind, next) {
            server.process().replace_program(&next);
        }
        let disturbance = carry_out(server, fault).await?;
        if let Some(refused) = refused {
            eprintln!("{}, after it had passed over {refused} entries of the bus", disturbance.what());
        }
        self.watch_memory();
        Ok(disturbance)
    }

    async fn ended(&mut self) -> ServiceError {
        ended(&mut self.servers()).await
    }
}
