//! The host that asks the questions: of a show at Klaxon, or of a broadcast at the other servers.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{Create, Mode, Settings};
use klaxon_protocol::host::{Action, Created, FromHost, HostCommand, ToHost};
use klaxon_protocol::ids::CommandId;
use klaxon_protocol::player::{FromPlayer, Join, Role};
use klaxon_protocol::time::Span;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{floor, frames, question};
use crate::socket::admin::{AdminAccess, AdminConnection, AdminError};
use crate::socket::handshake;

/// The number of questions of a show; a player needs a life for each.
pub const MOST_QUESTIONS: u16 = 90;

/// How long a command may be refused because the show has not reached the required state.
const PATIENCE: Duration = Duration::from_secs(20);
/// The delay before a refused command is sent again.
const AGAIN: Duration = Duration::from_millis(10);

/// The number of the next host. A server takes a repeated command id for a repetition, so the hosts of a server need
/// different ids.
static HOSTS: AtomicU32 = AtomicU32::new(0);

/// Why the host failed.
#[derive(Debug, thiserror::Error)]
pub enum HostingError {
    /// The admin socket can't be used.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The connection is lost.
    #[error("the host's connection: {0}")]
    Io(#[from] io::Error),
    /// The server refused a command.
    #[error("the server would not {0}: {1}")]
    Refused(&'static str, String),
}

/// What sends the questions.
#[derive(Debug)]
pub enum Hosting {
    /// The host of a show.
    Show(Box<ShowHost>),
    /// A connection whose messages are sent to all players.
    Speaker(TcpStream),
}

/// The host of a show at Klaxon.
#[derive(Debug)]
pub struct ShowHost {
    connection: AdminConnection,
    created: Created,
    number: u32,
    commands: u32,
}

impl Hosting {
    /// Creates a show and opens its lobby.
    ///
    /// # Errors
    /// If the server does not create the show.
    pub async fn show(admin: AdminAccess) -> Result<Self, HostingError> {
        let mut connection = AdminConnection::new(admin);
        let settings = Settings {
            // No player is eliminated, and no standings are sent.
            mode: Mode::Elimination,
            lives: 99,
            open_for: Span(600_000),
            lead: Span(0),
            shuffle: false,
            ..Settings::default()
        };
        let pack = question::pack(MOST_QUESTIONS);
        let number = HOSTS.fetch_add(1, Relaxed);
        let create = Create { id: command_id(number, 0), code: None, pack, settings };
        connection.send(FromHost::Create(Box::new(create))).await;
        let created = loop {
            match connection.next().await? {
                ToHost::Created(created) => break created,
                ToHost::Refused(refused) => return Err(HostingError::Refused("make a show", refused.error.message)),
                _ => {}
            }
        };
        let mut host = ShowHost { connection, created, number, commands: 0 };
        host.command(Action::OpenLobby, "open the lobby").await?;
        Ok(Self::Show(Box::new(host)))
    }

    /// Connects as the host of a server that broadcasts its host's messages.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub async fn speaker(address: SocketAddr) -> Result<Self, HostingError> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        handshake::ask(&mut stream, floor::HOST_PATH, Codec::Json.subprotocol())?;
        handshake::agreed(&mut stream)?;
        stream.set_nonblocking(true)?;
        Ok(Self::Speaker(TcpStream::from_std(stream)?))
    }

    /// The message with which players join; none if the server has no joins.
    #[must_use]
    pub fn join(&self) -> Option<String> {
        let Self::Show(host) = self else { return None };
        let show = host.created.code.clone();
        let join = FromPlayer::Join(Join { show, name: None, role: Role::Player, token: None, resume: None });
        String::from_utf8(Codec::Json.encode(&join)).ok()
    }

    /// Asks a question.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn ask(&mut self) -> Result<(), HostingError> {
        match self {
            Self::Show(host) => host.send(Action::Next).await,
            Self::Speaker(stream) => stream.write_all(&frames::from_client(question::message())).await?,
        }
        Ok(())
    }

    /// Ends the question, so that the next one can be asked.
    ///
    /// # Errors
    /// If the server refuses a command, or the connection is lost.
    pub async fn end_question(&mut self) -> Result<(), HostingError> {
        let Self::Show(host) = self else { return Ok(()) };
        host.settled("ask").await?;
        host.command(Action::Close, "close").await?;
        host.command(Action::Reveal, "reveal").await
    }
}

impl ShowHost {
    async fn send(&mut self, action: Action) {
        self.commands += 1;
        let id = command_id(self.number, self.commands);
        self.connection.send(FromHost::Command(HostCommand { id, show: self.created.show, action })).await;
    }

    /// Sends a command, and repeats it until the show has reached the state that allows it.
    async fn command(&mut self, action: Action, what: &'static str) -> Result<(), HostingError> {
        let began = Instant::now();
        loop {
            self.send(action.clone()).await;
            match self.settled(what).await {
                Err(HostingError::Refused(..)) if began.elapsed() < PATIENCE => tokio::time::sleep(AGAIN).await,
                settled => return settled,
            }
        }
    }

    /// Waits for the reply to the last command.
    async fn settled(&mut self, what: &'static str) -> Result<(), HostingError> {
        let last = command_id(self.number, self.commands);
        loop {
            match self.connection.next().await? {
                ToHost::Done(done) if done.id == last => return Ok(()),
                ToHost::Refused(refused) if refused.id == last => {
                    return Err(HostingError::Refused(what, refused.error.message));
                }
                _ => {}
            }
        }
    }
}

fn command_id(host: u32, number: u32) -> CommandId {
    CommandId::parse(&format!("bench-{host}-{number}")).expect("a word and two numbers are shorter than 64 bytes")
}
