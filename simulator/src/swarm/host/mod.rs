//! The show's host, which drives it over the admin socket.

mod director;
mod extras;

use std::collections::HashMap;
use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, Alert, Created, FromHost, HostCommand, ShowRef, ToHost};
use klaxon_protocol::ids::{CommandId, ShowCode};
use klaxon_protocol::player::Phase;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::evidence::Micros;
use crate::socket::admin::{AdminAccess, AdminConnection, AdminError};
use crate::swarm::games::Game;

pub use director::{Director, Pace, Stage};
pub use extras::{Extra, Extras};

/// Why a show could not be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The admin socket can't be used.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The server refused to create the show.
    #[error("the server refused the show: {0}")]
    Refused(String),
}

/// The record of a host's commands.
#[derive(Debug, Clone, Default)]
pub struct HostLog {
    /// The number of commands that were carried out.
    pub done: u32,
    /// The number of repeated commands that had been carried out before.
    pub repeated: u32,
    /// Commands that were refused, with the code.
    pub refused: Vec<(Action, ErrorCode)>,
    /// How often the admin connection was lost and re-established.
    pub reconnects: u32,
    /// The alerts that the server sent.
    pub alerts: Vec<Alert>,
}

/// A host with its show.
#[derive(Debug)]
pub struct Host {
    connection: AdminConnection,
    created: Created,
    director: Director,
    ids: CommandIds,
    unanswered: HashMap<CommandId, Action>,
    log: HostLog,
}

/// A host's command ids. They differ from those of all other runs, as the server may have had shows before.
#[derive(Debug)]
struct CommandIds {
    run: u64,
    last: u32,
}

impl CommandIds {
    fn next(&mut self) -> CommandId {
        self.last += 1;
        CommandId::parse(&format!("swarm-{}-{}", self.run, self.last)).expect("two numbers are shorter than 64 bytes")
    }
}

impl Host {
    /// Creates a show. What the host does now and then in some games follows from `seed`.
    ///
    /// # Errors
    /// If the admin socket can't be used, or the server refuses the show.
    pub async fn create(
        admin: AdminAccess,
        code: Option<ShowCode>,
        game: Game,
        pace: Pace,
        extras: Extras,
        seed: u64,
    ) -> Result<Self, HostError> {
        let game_host = game.host(seed);
        let mut connection = AdminConnection::new(admin);
        let mut ids = CommandIds { run: Micros::now().0, last: 0 };
        connection.send(game.create(ids.next(), code)).await;
        let created = loop {
            match connection.next().await? {
                ToHost::Created(created) => break created,
                ToHost::Refused(refused) => return Err(HostError::Refused(refused.error.message)),
                ToHost::Error(error) => return Err(HostError::Refused(error.message)),
                _ => {}
            }
        };
        connection.send(FromHost::Watch(ShowRef { show: created.show })).await;
        let director = Director::new(pace, extras, game_host);
        Ok(Self { connection, created, director, ids, unanswered: HashMap::new(), log: HostLog::default() })
    }

    /// The show.
    #[must_use]
    pub const fn created(&self) -> &Created {
        &self.created
    }

    /// Opens the lobby and drives the show to its end, publishing its progress on `stage`. While `hold` is true it
    /// neither begins the next round nor ends the show.
    ///
    /// # Errors
    /// If the admin socket becomes unusable.
    pub async fn run(
        mut self,
        stage: &watch::Sender<Stage>,
        mut hold: watch::Receiver<bool>,
    ) -> Result<HostLog, HostError> {
        self.command(Action::OpenLobby).await;
        while self.director.stage().phase != Phase::Ended {
            let due = self.director.due().unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            tokio::select! {
                message = self.connection.next() => self.receive(message?),
                () = sleep_until(due) => {}
                Ok(()) = hold.changed() => {}
            }
            self.director.hold(*hold.borrow_and_update());
            for action in self.director.take_due(Instant::now()) {
                self.command(action).await;
            }
            stage.send_if_modified(|known| {
                let changed = known != self.director.stage();
                if changed {
                    known.clone_from(self.director.stage());
                }
                changed
            });
        }
        self.log.reconnects = self.connection.reconnects();
        Ok(self.log)
    }

    async fn command(&mut self, action: Action) {
        let id = self.ids.next();
        self.unanswered.insert(id.clone(), action.clone());
        self.connection.send(FromHost::Command(HostCommand { id, show: self.created.show, action })).await;
    }

    fn receive(&mut self, message: ToHost) {
        let now = Instant::now();
        self.director.receive(&message, now);
        match message {
            ToHost::Done(done) => {
                if let Some(action) = self.unanswered.remove(&done.id) {
                    self.director.done(&action, now);
                }
                self.log.done += 1;
                self.log.repeated += u32::from(done.again);
            }
            ToHost::Refused(refused) => {
                if let Some(action) = self.unanswered.remove(&refused.id) {
                    self.log.refused.push((action.clone(), refused.error.code));
                    self.director.refused(action, refused.error.code, now);
                }
            }
            ToHost::Alert(alert) => self.log.alerts.push(alert),
            _ => {}
        }
    }
}
