//! A show that this engine can't play on: whoever waits for an answer gets one.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Created, Done, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef};
use klaxon_protocol::link::{Seated, ToGateway};

use super::{Show, ToShow};
use crate::arbiter::ArbiterError;
use crate::bus::Address;
use crate::journal::JournalError;

/// Why a show can't be played on by this engine.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error(transparent)]
    Arbiter(#[from] ArbiterError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The rules refused what was due, and would again and again.
    #[error("the rules refused what was due: {0}")]
    Stuck(Refusal),
}

impl Show {
    /// Whatever of this show is not written is void: those who wait to hear of it are told so, and nobody gets in any more.
    pub(super) fn give_up(&mut self, why: &Lost) {
        self.inbox.close();
        self.records.clear();
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
                    self.ports.bus.send(Address::One(conn.gateway), told);
                }
                _ => {}
            }
        }
        while let Ok(message) = self.inbox.try_recv() {
            match message {
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
        self.ports.bus.send(Address::One(conn.gateway), message);
    }
}
