//! Hosts' requests about a show, and the replies.

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Action, Created, Done, JournalLines, Players, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Seat};
use klaxon_protocol::link::{Reissued, ToGateway};
use tokio::sync::Semaphore;

use super::Show;

/// Players found by name, at most.
const MAX_FOUND: usize = 50;
/// Journal lines for a host, at most.
const MAX_LINES: u16 = 1000;
/// Concurrent reads of a show's journal. At the limit a further one is refused with `unavailable`.
const MAX_JOURNAL_READS: usize = 4;

/// Limits the concurrent reads of a show's journal.
pub(super) fn journal_reads() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_JOURNAL_READS))
}

impl Show {
    pub(super) fn reply_created(&mut self, conn: ConnRef, id: CommandId) {
        let created = Created { id, show: self.id, code: self.game.code().clone() };
        self.outbox.send_to_host(conn, ToHost::Created(created));
    }

    /// Applies a host's action, unless it was applied before.
    pub(super) fn do_command(&mut self, conn: ConnRef, id: CommandId, action: Action) {
        let reissues = if let Action::ReissueToken { seat } = action { Some(seat) } else { None };
        let done = match (self.game.was_done(&id, &action), action.problem()) {
            (Ok(false), Some(refusal)) => Err(refusal),
            (Ok(false), None) => self.do_action(id.clone(), action).map(|()| false),
            (known, _) => known,
        };
        let answer = match done {
            Ok(again) => ToHost::Done(Done { id: id.clone(), show: self.id, again }),
            Err(refusal) => {
                let error = ErrorMessage::from(&refusal);
                return self.outbox.send_to_host(conn, ToHost::Refused(Refused { id, error }));
            }
        };
        self.outbox.send_to_host(conn, answer);
        if let Some(seat) = reissues {
            self.reissue_token(conn, id, seat);
        }
    }

    /// Asks the host's gateway for a new resume token of this seat. A repeated command gets another token, which is
    /// equally valid.
    pub(super) fn reissue_token(&mut self, conn: ConnRef, command: CommandId, seat: Seat) {
        let (Some(player), Some(name)) =
            (self.game.people().roster.player(seat).cloned(), self.game.people().roster.name(seat).cloned())
        else {
            return;
        };
        let (issue, code) = (self.game.people().token_issue(&player), self.game.code().clone());
        let reissued = Reissued { conn, command, show: self.id, code, seat, player, name, issue };
        self.outbox.send_to_gateway(conn.gateway, ToGateway::Reissued(reissued));
    }

    pub(super) fn find_players(&mut self, conn: ConnRef, name: &str) {
        let players = Players { show: self.id, players: self.game.find(name, MAX_FOUND) };
        self.outbox.send_to_host(conn, ToHost::Players(players));
    }

    /// Reads the journal in a task of its own, so that the show does not wait for it.
    pub(super) fn read_journal(&mut self, conn: ConnRef, last: u16) {
        let Ok(place) = Arc::clone(&self.journal_reads).try_acquire_owned() else {
            metrics::counter!("klaxon_journal_reads_refused_total").increment(1);
            let refusal =
                Refusal::because(ErrorCode::Unavailable, "The show's journal is being read: ask again later.");
            return self.outbox.send_to_host(conn, ToHost::Error(ErrorMessage::from(&refusal)));
        };
        let (ports, show) = (self.ports.clone(), self.id);
        tokio::spawn(async move {
            let message = match ports.journal.tail(show, usize::from(last.min(MAX_LINES))).await {
                Ok(records) => {
                    ToHost::Journal(JournalLines { show, lines: records.iter().map(crate::replay::line).collect() })
                }
                Err(error) => {
                    let refusal = Refusal::because(ErrorCode::Unavailable, format!("{error}."));
                    ToHost::Error(ErrorMessage::from(&refusal))
                }
            };
            ports.bus.reply_to_gateway(conn.gateway, ToGateway::Host { conn, message });
            drop(place);
        });
    }
}
