//! A service whose processes can be killed and stopped.

use std::time::Duration;

use klaxon_servers::{Server, ServerError, kill_for, pause_for};
use tokio::time::sleep;

use super::fault::{Fault, FaultKind};
use crate::evidence::{Disturbance, Harm, Micros};
use crate::swarm::service::ServiceError;

/// The pause between two checks whether a process ended by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A service whose processes can be killed and stopped.
#[allow(async_fn_in_trait, reason = "nobody needs to send these futures elsewhere")]
pub trait Target {
    /// Called when a question is asked in which there will be a fault.
    async fn question_asked(&mut self) {}

    /// Carries out the fault, and waits until the process works again.
    ///
    /// # Errors
    /// If it can't be started again.
    async fn carry_out(&mut self, fault: &Fault) -> Result<Disturbance, ServiceError>;

    /// Waits until a process ends by itself, which is an error.
    async fn ended(&mut self) -> ServiceError;
}

/// A service without faults.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untouched;

impl Target for Untouched {
    async fn carry_out(&mut self, fault: &Fault) -> Result<Disturbance, ServiceError> {
        Err(ServiceError::NotOurs(fault.victim))
    }

    async fn ended(&mut self) -> ServiceError {
        std::future::pending().await
    }
}

/// Carries out a fault on this server, and waits until it works again.
///
/// # Errors
/// If it can't be started again.
pub async fn carry_out(server: &mut dyn Server, fault: &Fault) -> Result<Disturbance, ServiceError> {
    let from = Micros::now();
    let harm = match fault.kind {
        FaultKind::Kill { away } => {
            kill_for(server, away).await?;
            Harm::Killed
        }
        FaultKind::Stop { standing } => {
            pause_for(server, standing).await;
            Harm::Paused
        }
        FaultKind::Upgrade => {
            server.process().stop().await?;
            server.start_again().await?;
            Harm::Upgraded
        }
    };
    let (question, victim, process) = (fault.question, fault.victim, server.name().to_owned());
    Ok(Disturbance { question, victim, process, harm, from, until: Micros::now() })
}

/// Waits until one of these servers ends by itself.
pub async fn ended(servers: &mut [&mut dyn Server]) -> ServiceError {
    loop {
        for server in &mut *servers {
            if let Some(status) = server.process().ended() {
                let (program, log) = (server.name().to_owned(), server.process().log_end());
                return ServerError::Ended { program, status, log }.into();
            }
        }
        sleep(LOOK_AGAIN).await;
    }
}
