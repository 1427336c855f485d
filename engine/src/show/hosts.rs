//! What hosts ask of a show, and what they are answered.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Action, Created, Done, JournalLines, Players, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Seat};
use klaxon_protocol::link::{Reissued, ToGateway};

use super::Show;
use crate::bus::Address;

/// Players found by name, at most.
const FOUND: usize = 50;
/// Journal lines for a host, at most.
const TAIL: u16 = 1000;

impl Show {
    pub(super) fn answer_host(&mut self, conn: ConnRef, message: ToHost) {
        self.outbox.push((Address::One(conn.gateway), ToGateway::Host { conn, message }));
    }

    pub(super) fn say_created(&mut self, conn: ConnRef, id: CommandId) {
        let created = Created { id, show: self.id, code: self.game.code().clone() };
        self.answer_host(conn, ToHost::Created(created));
    }

    /// Does a host's action, unless it was done before.
    pub(super) fn obey(&mut self, conn: ConnRef, id: CommandId, action: Action) {
        let reissues = if let Action::ReissueToken { seat } = action { Some(seat) } else { None };
        let done = match (self.game.was_done(&id, &action), action.problem()) {
            (Ok(false), Some(refusal)) => Err(refusal),
            (Ok(false), None) => self.act(id.clone(), action).map(|()| false),
            (known, _) => known,
        };
        let answer = match done {
            Ok(again) => ToHost::Done(Done { id: id.clone(), show: self.id, again }),
            Err(refusal) => {
                let error = ErrorMessage::from(&refusal);
                return self.answer_host(conn, ToHost::Refused(Refused { id, error }));
            }
        };
        self.answer_host(conn, answer);
        if let Some(seat) = reissues {
            self.tell_token(conn, id, seat);
        }
    }

    /// Has the host's gateway make a new resume token of this seat. A command that is sent again brings one that is as good.
    pub(super) fn tell_token(&mut self, conn: ConnRef, command: CommandId, seat: Seat) {
        let (Some(player), Some(name)) = (self.game.player_of(seat).cloned(), self.game.name_of(seat).cloned()) else {
            return;
        };
        let (issue, code) = (self.game.token_issue(&player), self.game.code().clone());
        let reissued = Reissued { conn, command, show: self.id, code, seat, player, name, issue };
        self.outbox.push((Address::One(conn.gateway), ToGateway::Reissued(reissued)));
    }

    pub(super) fn find_players(&mut self, conn: ConnRef, name: &str) {
        let players = Players { show: self.id, players: self.game.find(name, FOUND) };
        self.answer_host(conn, ToHost::Players(players));
    }

    /// Reads beside the show, not in its way.
    pub(super) fn journal_tail(&self, conn: ConnRef, last: u16) {
        let (ports, show) = (self.ports.clone(), self.id);
        tokio::spawn(async move {
            let message = match ports.journal.tail(show, usize::from(last.min(TAIL))).await {
                Ok(records) => {
                    ToHost::Journal(JournalLines { show, lines: records.iter().map(crate::replay::line).collect() })
                }
                Err(error) => {
                    let refusal = Refusal::because(ErrorCode::Unavailable, format!("{error}."));
                    ToHost::Error(ErrorMessage::from(&refusal))
                }
            };
            ports.bus.reply_to_host(conn.gateway, ToGateway::Host { conn, message });
        });
    }
}
