//! A show that this engine can't play on: every request that waits for a reply gets one.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Created, Done, FromHost, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef};
use klaxon_protocol::link::{Seated, ToEngine, ToGateway};

use super::Show;
use crate::arbiter::ArbiterError;
use crate::bus::{Address, BusError};
use crate::journal::JournalError;

/// Why a show can't be played on by this engine.
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
    /// The arbiter lost its memory while this process stood still: another engine may have had the show meanwhile.
    #[error("this engine stood still for longer than its lease, and the arbiter does not know the show any more")]
    StoodStill,
    /// The rules refused a tick that was due, and would refuse it again and again.
    #[error("the rules refused what was due: {0}")]
    Stuck(Refusal),
}

impl StopReason {
    /// Whether another engine plays the show on, or may: then this one publishes nothing about it any more.
    const fn is_a_takeover(&self) -> bool {
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
    /// What is not written of this show is void. Requests that wait for a reply to it are refused, and so are new joins.
    pub(super) fn stop(&mut self, why: &StopReason) {
        self.inbox.close();
        self.records.discard();
        let unpublished = self.outbox.discard();
        if self.ports.bus.is_distributed() && why.is_a_takeover() {
            return;
        }
        let error = ErrorMessage::from(&Refusal::because(ErrorCode::Unavailable, format!("{why}.")));
        for (_, message) in unpublished {
            match message {
                ToGateway::Seated(Seated { conn, .. }) => self.refuse_join(conn, &error),
                ToGateway::Host {
                    conn,
                    message: ToHost::Created(Created { id, .. }) | ToHost::Done(Done { id, .. }),
                } => {
                    self.refuse_command(conn, id, &error);
                }
                reply @ (ToGateway::JoinRefused { conn, .. } | ToGateway::Host { conn, .. }) => {
                    self.reply_at_once(conn, reply);
                }
                _ => {}
            }
        }
        while let Some(received) = self.inbox.try_receive() {
            match received.message {
                ToEngine::Join(request) => self.refuse_join(request.conn, &error),
                ToEngine::Host { conn, message: FromHost::Create(create) } => {
                    self.refuse_command(conn, create.id, &error);
                }
                ToEngine::Host { conn, message: FromHost::Command(command) } => {
                    self.refuse_command(conn, command.id, &error);
                }
                ToEngine::Host { conn, message: FromHost::FindPlayers(_) | FromHost::JournalTail(_) } => {
                    self.reply_at_once(conn, ToGateway::Host { conn, message: ToHost::Error(error.clone()) });
                }
                _ => {}
            }
        }
    }

    fn refuse_join(&self, conn: ConnRef, error: &ErrorMessage) {
        self.reply_at_once(conn, ToGateway::JoinRefused { conn, error: error.clone() });
    }

    fn refuse_command(&self, conn: ConnRef, id: CommandId, error: &ErrorMessage) {
        let message = ToHost::Refused(Refused { id, error: error.clone() });
        self.reply_at_once(conn, ToGateway::Host { conn, message });
    }

    fn reply_at_once(&self, conn: ConnRef, message: ToGateway) {
        self.publish_at_once(Address::One(conn.gateway), message);
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::{Fence, ShowId};

    use super::*;

    #[test]
    fn whoever_lost_the_show_to_another_engine_is_silent_and_whoever_lost_it_to_a_fault_is_not() {
        let (show, newest, found) = (ShowId(1), Fence(2), Fence(1));
        let taken: [StopReason; 4] = [
            StopReason::Taken,
            StopReason::StoodStill,
            ArbiterError::Held.into(),
            JournalError::Fenced { show, newest, found }.into(),
        ];
        let faults: [StopReason; 3] = [
            StopReason::Stuck(ErrorCode::WrongPhase.into()),
            JournalError::Damaged { show, offset: 0, problem: "odd".into() }.into(),
            BusError::Unavailable("away".into()).into(),
        ];
        assert!(taken.iter().all(StopReason::is_a_takeover));
        assert!(!faults.iter().any(StopReason::is_a_takeover));
    }
}
