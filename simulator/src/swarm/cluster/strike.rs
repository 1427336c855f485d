//! What a fault does to a cluster.

use std::net::SocketAddr;

use klaxon_protocol::text::HarmlessLines;
use klaxon_servers::Process;
use tokio::net::TcpSocket;
use tokio::time::sleep;

use super::{Cluster, LOOK_AGAIN, Service, metrics};
use crate::evidence::Micros;
use crate::faults::{Blow, Disturbance, Fault, Target, Victim};
use crate::server::ServerError;

/// What an engine has counted for the shows that it plays.
const COUNTED: &str = "klaxon_answers_counted_total";

/// One of the processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Gateway(usize),
    Engine(usize),
    Archive,
    Redis,
    Broker,
}

impl Cluster {
    /// Which process a fault is for. The engine that plays the show is the one that counted answers since the question was asked.
    async fn member(&self, victim: Victim) -> Result<Member, ServerError> {
        let member = match victim {
            Victim::Gateway(number) if usize::from(number) < self.gateways.len() => Member::Gateway(number.into()),
            Victim::OwningEngine => Member::Engine(self.owner().await),
            Victim::OtherEngine => Member::Engine((self.owner().await + 1) % self.engines.len().max(1)),
            Victim::Archive => Member::Archive,
            Victim::Redis => Member::Redis,
            Victim::Broker => Member::Broker,
            Victim::Gateway(_) | Victim::Server => return Err(ServerError::NotOurs(victim)),
        };
        Ok(member)
    }

    async fn owner(&self) -> usize {
        let counted = self.counted().await;
        let since = counted.iter().zip(&self.counted).map(|(now, before)| now.saturating_sub(*before));
        since.enumerate().max_by_key(|&(_, answers)| answers).map_or(0, |(engine, _)| engine)
    }

    async fn counted(&self) -> Vec<u64> {
        let mut counted = Vec::with_capacity(self.engines.len());
        for engine in &self.engines {
            counted.push(metrics::counter(engine.told().admin, &self.token, COUNTED).await.unwrap_or_default());
        }
        counted
    }

    fn name(&self, member: Member) -> String {
        match member {
            Member::Gateway(number) => self.gateways[number].name().to_owned(),
            Member::Engine(number) => self.engines[number].name().to_owned(),
            Member::Archive => self.archive.name().to_owned(),
            Member::Redis => "redis".to_owned(),
            Member::Broker => "broker".to_owned(),
        }
    }

    fn process(&mut self, member: Member) -> &mut Process {
        match member {
            Member::Gateway(number) => self.gateways[number].process(),
            Member::Engine(number) => self.engines[number].process(),
            Member::Archive => self.archive.process(),
            Member::Redis => self.redis.process(),
            Member::Broker => self.broker.process(),
        }
    }

    async fn start_again(&mut self, member: Member) -> Result<(), ServerError> {
        match member {
            Member::Gateway(number) => self.gateways[number].start_again().await?,
            Member::Engine(number) => self.engines[number].start_again().await?,
            Member::Archive => self.archive.start_again().await?,
            Member::Redis => self.redis.start_again().await?,
            Member::Broker => self.broker.start_again().await?,
        }
        Ok(())
    }

    /// Where the process listens.
    fn ports_of(&self, member: Member) -> Vec<SocketAddr> {
        let of = |service: &Service| service.told().players.into_iter().chain([service.told().admin]).collect();
        let named = |address: &str| address.parse().into_iter().collect();
        match member {
            Member::Gateway(number) => of(&self.gateways[number]),
            Member::Engine(number) => of(&self.engines[number]),
            Member::Archive => of(&self.archive),
            Member::Redis => named(self.redis.url().trim_start_matches("redis://")),
            Member::Broker => named(&self.broker.address()),
        }
    }

    fn members(&self) -> impl Iterator<Item = Member> + use<> {
        let gateways = (0..self.gateways.len()).map(Member::Gateway);
        let engines = (0..self.engines.len()).map(Member::Engine);
        gateways.chain(engines).chain([Member::Archive, Member::Redis, Member::Broker])
    }
}

/// Holds on to an address, without listening there, while its process is away: on a busy machine another program would get its port.
fn keep(address: SocketAddr) -> Option<TcpSocket> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_reuseaddr(true).ok()?;
    socket.bind(address).ok()?;
    Some(socket)
}

impl Target for Cluster {
    async fn question_asked(&mut self) {
        if let Err(error) = self.supervise().await {
            eprintln!("{}", HarmlessLines(&error.to_string()));
        }
        self.counted = self.counted().await;
    }

    async fn strike(&mut self, fault: &Fault) -> Result<Disturbance, ServerError> {
        let member = self.member(fault.victim).await?;
        let from = Micros::now();
        let killed = match fault.blow {
            Blow::Kill { away } => {
                self.process(member).kill();
                let kept = self.ports_of(member).into_iter().map(keep).collect::<Vec<_>>();
                sleep(away).await;
                drop(kept);
                self.start_again(member).await?;
                self.watch_memory();
                true
            }
            Blow::Stop { standing } => {
                self.process(member).pause();
                sleep(standing).await;
                self.process(member).resume();
                false
            }
        };
        let until = Micros::now();
        let (question, victim, process) = (fault.question, fault.victim, self.name(member));
        Ok(Disturbance { question, victim, process, killed, from, until })
    }

    async fn ended(&mut self) -> ServerError {
        loop {
            for member in self.members() {
                if let Some(status) = self.process(member).ended() {
                    let log = format!("{}:\n{}", self.name(member), self.process(member).last_words());
                    return ServerError::Ended { status, log };
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}
