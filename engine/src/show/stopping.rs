//! Stopping a show that this engine can't continue: every waiting request gets a reply.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Created, Done, FromHost, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef};
use klaxon_protocol::link::{Seated, ToEngine, ToGateway};

use super::{MAX_TURN, Show};
use crate::arbiter::ArbiterError;
use crate::bus::{Address, BusError};
use crate::journal::JournalError;

/// Why this engine can't continue a show.
#[derive(Debug, thiserror::Error)]
pub(super) enum StopReason {
    #[error(transparent)]
    Arbiter(#[from] ArbiterError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("another engine has the show")]
    Taken,
    /// The arbiter lost its data while this process was stopped: another engine may have held the show in between.
    #[error("this engine stood still for longer than its lease, and the arbiter does not know the show any more")]
    StoodStill,
    /// The rules refused a tick that was due, and would refuse it every time.
    #[error("the rules refused what was due: {0}")]
    Stuck(Refusal),
}

impl StopReason {
    /// Whether an engine continues the show, or may, so that this one must not publish anything more about it. That
    /// engine may be this one, under a newer lease.
    const fn is_a_takeover(&self) -> bool {
        matches!(
            self,
            Self::Arbiter(ArbiterError::Fenced { .. } | ArbiterError::Held)
                | Self::Journal(JournalError::Fenced { .. } | JournalError::Taken { .. })
                | Self::Bus(BusError::Fenced | BusError::Full)
                | Self::Taken
                | Self::StoodStill
        )
    }

    /// Whether the show may be without an engine: then it has to be taken over again from its journal, unless an engine
    /// holds it.
    pub const fn leaves_no_engine(&self) -> bool {
        matches!(self, Self::StoodStill | Self::Bus(BusError::Full))
    }
}

impl Show {
    /// Discards the unwritten records. Waiting requests are refused, and so are new joins.
    pub(super) fn stop(&mut self, why: &StopReason) {
        self.inbox.close();
        self.records.discard();
        let unpublished = self.outbox.discard();
        if self.ports.bus.is_distributed() && why.is_a_takeover() {
            return;
        }
        let error = ErrorMessage::from(&Refusal::because(ErrorCode::Unavailable, format!("{why}.")));
        let mut replies = Vec::new();
        let mut reply = |conn: ConnRef, message| replies.push((Address::One(conn.gateway), message));
        for (_, message) in unpublished {
            match message {
                ToGateway::Seated(Seated { conn, .. }) => reply(conn, refused_join(conn, &error)),
                ToGateway::Host {
                    conn,
                    message: ToHost::Created(Created { id, .. }) | ToHost::Done(Done { id, .. }),
                } => reply(conn, refused_command(conn, id, &error)),
                known @ (ToGateway::JoinRefused { conn, .. } | ToGateway::Host { conn, .. }) => reply(conn, known),
                _ => {}
            }
        }
        while let Some(received) = self.inbox.try_receive() {
            match received.message {
                ToEngine::Join(request) => reply(request.conn, refused_join(request.conn, &error)),
                ToEngine::Host { conn, message: FromHost::Create(create) } => {
                    reply(conn, refused_command(conn, create.id, &error));
                }
                ToEngine::Host { conn, message: FromHost::Command(command) } => {
                    reply(conn, refused_command(conn, command.id, &error));
                }
                ToEngine::Host { conn, message: FromHost::FindPlayers(_) | FromHost::JournalTail(_) } => {
                    reply(conn, ToGateway::Host { conn, message: ToHost::Error(error.clone()) });
                }
                _ => {}
            }
        }
        // One publication per reply could exceed the limit of the bus.
        for messages in replies.chunks(MAX_TURN) {
            let publication = self.outbox.at_once(messages.to_vec(), self.records.written());
            if let Err(error) = self.ports.bus.publish(publication) {
                return tracing::warn!(%error, "waiting requests could not be refused");
            }
        }
    }
}

fn refused_join(conn: ConnRef, error: &ErrorMessage) -> ToGateway {
    ToGateway::JoinRefused { conn, error: error.clone() }
}

fn refused_command(conn: ConnRef, id: CommandId, error: &ErrorMessage) -> ToGateway {
    ToGateway::Host { conn, message: ToHost::Refused(Refused { id, error: error.clone() }) }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::{Fence, ShowId};

    use super::*;

    #[test]
    fn whoever_lost_the_show_to_another_engine_is_silent_and_whoever_lost_it_to_a_fault_is_not() {
        let (show, newest, found) = (ShowId(1), Fence(2), Fence(1));
        let taken: [StopReason; 5] = [
            StopReason::Taken,
            StopReason::StoodStill,
            ArbiterError::Held.into(),
            BusError::Full.into(),
            JournalError::Fenced { show, newest, found }.into(),
        ];
        let faults: [StopReason; 3] = [
            StopReason::Stuck(ErrorCode::WrongPhase.into()),
            JournalError::Damaged { show, offset: 0, problem: "odd".into() }.into(),
            BusError::Unavailable("away".into()).into(),
        ];
        assert!(taken.iter().all(StopReason::is_a_takeover));
        assert!(!faults.iter().any(StopReason::is_a_takeover));
        assert!(StopReason::from(BusError::Full).leaves_no_engine() && StopReason::StoodStill.leaves_no_engine());
        assert!(!StopReason::Taken.leaves_no_engine() && !faults.iter().any(StopReason::leaves_no_engine));
    }
}
