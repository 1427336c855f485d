//! The host who asks the questions: of a show at Klaxon, and of a broadcast at the servers beside it.

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

/// How many questions a show has: as many as a player has lives.
pub const MOST_QUESTIONS: u16 = 90;

/// How long a command may be refused because the show is not there yet.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long after a refusal it is sent again.
const AGAIN: Duration = Duration::from_millis(10);

/// A server takes a command id that it knows for a repetition: two hosts of one server may share none.
static HOSTS: AtomicU32 = AtomicU32::new(0);

/// The host could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum HostingError {
    /// The admin socket can't be used.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The connection is lost.
    #[error("the host's connection: {0}")]
    Io(#[from] io::Error),
    /// The server does not do it.
    #[error("the server would not {0}: {1}")]
    Refused(&'static str, String),
}

/// Who asks.
#[derive(Debug)]
pub enum Hosting {
    /// The host of a show.
    Show(Box<ShowHost>),
    /// A connection whose messages go to all.
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
    /// Opens a show's lobby.
    ///
    /// # Errors
    /// If the server makes no such show.
    pub async fn show(admin: AdminAccess) -> Result<Self, HostingError> {
        let mut connection = AdminConnection::new(admin);
        let settings = Settings {
            // No player leaves, and there are no standings to be sent.
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

    /// Connects to a server that sends to all what its host sends.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn speaker(address: SocketAddr) -> Result<Self, HostingError> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        handshake::ask(&mut stream, floor::HOST_PATH, Codec::Json.subprotocol())?;
        handshake::agreed(&mut stream)?;
        stream.set_nonblocking(true)?;
        Ok(Self::Speaker(TcpStream::from_std(stream)?))
    }

    /// What players send first.
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
    /// If the server does not take it.
    pub async fn ask(&mut self) -> Result<(), HostingError> {
        match self {
            Self::Show(host) => host.send(Action::Next).await,
            Self::Speaker(stream) => stream.write_all(&frames::from_client(question::message())).await?,
        }
        Ok(())
    }

    /// Ends the question, so that another one can be asked.
    ///
    /// # Errors
    /// If the server does not do it.
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

    /// Has it done, also if the show must get there first.
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

    /// Waits for the reply to what was sent last.
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
