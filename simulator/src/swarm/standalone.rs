//! The service as a single process, `klaxon serve`, with its own data directory.

use std::net::SocketAddr;
use std::path::PathBuf;

use klaxon_servers::{ANY_ADDRESS, Klaxon, Server, ServerError};

use super::costs::Cost;
use super::faults::{Fault, Target, carry_out, ended};
use super::memory::{MemoryWatch, Resident};
use super::service::{ServiceError, file_error};
use crate::evidence::{Disturbance, Victim};
use crate::socket::admin::AdminAccess;

/// How the process is started.
#[derive(Debug, Clone)]
pub struct StandalonePlan {
    /// The path of the `klaxon` program.
    pub program: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
    /// The processor core that it is bound to, if any.
    pub core: Option<u32>,
}

/// A service of one process. It is killed when dropped.
#[derive(Debug)]
pub struct Standalone {
    klaxon: Klaxon,
    players: SocketAddr,
    memory: MemoryWatch,
}

impl Standalone {
    /// Starts the process on free ports and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(launch: &StandalonePlan) -> Result<Self, ServiceError> {
        let bound = launch.core.map(|core| ["taskset".to_owned(), "-c".to_owned(), core.to_string()]);
        let program = launch.program.display().to_string();
        let own = [&program, "serve", "--listen", ANY_ADDRESS, "--admin-listen", ANY_ADDRESS];
        let command: Vec<String> = bound.into_iter().flatten().chain(own.map(str::to_owned)).collect();
        let log = launch.data.join("server.log");
        let klaxon = Klaxon::start("server", &command, &launch.data, &log).await?;
        let players = klaxon.listens().players.ok_or_else(|| std::io::Error::other("the server has no players' port"));
        let players = players.map_err(ServerError::from)?;
        let memory = MemoryWatch::start();
        let mut service = Self { klaxon, players, memory };
        service.watch_memory();
        Ok(service)
    }

    /// The address for players.
    #[must_use]
    pub const fn players(&self) -> SocketAddr {
        self.players
    }

    /// The access for hosts.
    ///
    /// # Errors
    /// If the token file can't be read.
    pub fn admin(&self) -> Result<AdminAccess, ServiceError> {
        let file = self.klaxon.token_file();
        AdminAccess::of_file(vec![self.klaxon.listens().admin], &file).map_err(file_error(&file))
    }

    /// The processor time of the process so far.
    pub fn cost(&mut self) -> Cost {
        Cost::of("server", &[self.klaxon.process().id()])
    }

    /// Sends SIGTERM and waits until the process has ended. Returns its memory over time.
    ///
    /// # Errors
    /// If it does not stop, or its exit code is not 0.
    pub async fn stop(mut self) -> Result<Resident, ServiceError> {
        let resident = self.memory.stop();
        self.klaxon.stop().await?;
        Ok(resident)
    }

    fn watch_memory(&mut self) {
        self.memory.look_at(vec![self.klaxon.process().id()]);
    }
}

impl Target for Standalone {
    async fn carry_out(&mut self, fault: &Fault) -> Result<Disturbance, ServiceError> {
        if fault.victim != Victim::Server {
            return Err(ServiceError::NotOurs(fault.victim));
        }
        let disturbance = carry_out(&mut self.klaxon, fault).await?;
        self.watch_memory();
        Ok(disturbance)
    }

    async fn ended(&mut self) -> ServiceError {
        ended(&mut [&mut self.klaxon]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_ends_at_once_is_told_with_the_end_of_its_log() {
        let data = tempfile::tempdir().unwrap();
        let launch = StandalonePlan { program: "/bin/ls".into(), data: data.path().to_owned(), core: None };
        let ServiceError::Server(error) = Standalone::start(&launch).await.unwrap_err() else { panic!() };
        assert!(matches!(&error, ServerError::Ended { log, .. } if log.contains("ls")), "{error}");
        let launch = StandalonePlan { program: "/no/such/klaxon".into(), data: data.path().to_owned(), core: None };
        let error = Standalone::start(&launch).await.unwrap_err();
        assert!(matches!(error, ServiceError::Server(ServerError::Start { .. })), "{error}");
    }
}
