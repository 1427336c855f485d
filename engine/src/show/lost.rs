//! A show that this engine can't play on: whoever waits for an answer gets one.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Created, Done, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef};
use klaxon_protocol::link::{Seated, ToGateway};

use super::{Show, ToShow};
use crate::arbiter::ArbiterError;
use crate::bus::{Address, BusError};
use crate::journal::JournalError;

/// Why a show can't be played on by this engine.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error(transparent)]
    Arbiter(#[from] ArbiterError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Another engine took it.
    #[error("another engine has the show")]
    Taken,
    /// The arbiter lost its memory while this process stood still: another engine may have had the show meanwhile.
    #[error("this engine stood still for longer than its lease, and the arbiter does not know the show any more")]
    StoodStill,
    /// The rules refused what was due, and would again and again.
    #[error("the rules refused what was due: {0}")]
    Stuck(Refusal),
}

impl Lost {
    /// Whether another engine plays the show on, or may: then nobody must hear of this one any more.
    fn to_another(&self) -> bool {
        matches!(
            self,
            Self::Arbiter(ArbiterError::Fenced { .. } | ArbiterError::Held)
                | Self::Journal(JournalError::Fenced { .. } | JournalError::Taken { .. })
                | Self::Bus(BusError::Fenced)
                | Self::Taken
                | Self::StoodStill
        )
    }
}

impl Show {
    /// Whatever of this show is not written is void: those who wait to hear of it are told so, and nobody gets in any more.
    pub(super) fn give_up(&mut self, why: &Lost) {
        self.inbox.close();
        self.records.clear();
        if self.ports.bus.is_distributed() && why.to_another() {
            return self.outbox.clear();
        }
        let error = ErrorMessage::from(&Refusal::because(ErrorCode::Unavailable, format!("{why}.")));
        for (_, message) in std::mem::take(&mut self.outbox) {
            match message {
                ToGateway::Seated(Seated { conn, .. }) => self.refuse_join(conn, &error),
                ToGateway::Host {
                    conn,
                    message: ToHost::Created(Created { id, .. }) | ToHost::Done(Done { id, .. }),
                } => {
                    self.refuse_command(conn, id, &error);
                }
                told @ (ToGateway::JoinRefused { conn, .. } | ToGateway::Host { conn, .. }) => {
                    self.tell(conn, told);
                }
                _ => {}
            }
        }
        while let Ok(message) = self.inbox.try_recv() {
            match message.what {
                ToShow::Join(request) => self.refuse_join(request.conn, &error),
                ToShow::Create(conn, id) | ToShow::Command(conn, id, _) => self.refuse_command(conn, id, &error),
                ToShow::FindPlayers(conn, _) | ToShow::JournalTail(conn, _) => {
                    self.tell(conn, ToGateway::Host { conn, message: ToHost::Error(error.clone()) });
                }
                _ => {}
            }
        }
    }

    fn refuse_join(&self, conn: ConnRef, error: &ErrorMessage) {
        self.tell(conn, ToGateway::JoinRefused { conn, error: error.clone() });
    }

    fn refuse_command(&self, conn: ConnRef, id: CommandId, error: &ErrorMessage) {
        let message = ToHost::Refused(Refused { id, error: error.clone() });
        self.tell(conn, ToGateway::Host { conn, message });
    }

    fn tell(&self, conn: ConnRef, message: ToGateway) {
        self.say_now(Address::One(conn.gateway), message);
    }
}
