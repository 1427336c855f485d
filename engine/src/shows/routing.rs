//! Routes messages of gateways to shows.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{Create, is_trivia};
use klaxon_protocol::host::{FromHost, Refused, ShowLine, Shows as ShowList, ToHost};
use klaxon_protocol::ids::{ConnRef, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};

use super::creating::Wanted;
use super::{KnownShow, Shows};
use crate::bus::Received;
use crate::show::{NotQueued, Status};

impl Shows {
    pub(super) async fn route(&mut self, received: Received) {
        let about = received.show;
        // Read from the stream of a show that is no longer played here: another engine reads the message too.
        if about.is_some_and(|show| !self.is_here(show) && !self.set_aside.contains(&show)) {
            return;
        }
        let show = match &received.message {
            ToEngine::Hello { gateway } => {
                tracing::info!(%gateway, "a gateway is up");
                return self.deliver_to_all(&received.message);
            }
            ToEngine::Bye { gateway } => {
                tracing::info!(%gateway, "a gateway went down");
                return self.deliver_to_all(&received.message);
            }
            ToEngine::Join(_) => return self.route_join(received),
            ToEngine::Host { .. } => return self.route_host(received).await,
            ToEngine::Answers(batch) => batch.show,
            ToEngine::Present(present) => present.show,
            ToEngine::Counts(counts) => counts.show,
            ToEngine::BarrierPassed { show, .. }
            | ToEngine::Attend { show, .. }
            | ToEngine::Leave { show, .. }
            | ToEngine::Resync { show, .. }
            | ToEngine::Reactions { show, .. }
            | ToEngine::Gone { show, .. } => *show,
        };
        // These have no reply. The inbox counts the ones that it drops.
        let _ = self.deliver(about.unwrap_or(show), received);
    }

    fn route_join(&self, received: Received) {
        let ToEngine::Join(request) = &received.message else { return };
        let conn = request.conn;
        // A player who rejoins an ended show gets its outcome, even if a new show has the code.
        let resumed = request.resumes().filter(|&show| self.is_here(show));
        let named = received.show.or(resumed).or_else(|| self.by_code.get(&request.code).copied());
        let delivered = match named {
            None => Err(ErrorCode::UnknownShow),
            Some(show) => self.deliver_or_refuse(show, received),
        };
        if let Err(code) = delivered {
            let refused = ToGateway::JoinRefused { conn, error: ErrorMessage::from(code) };
            self.ports.bus.reply_to_gateway(conn.gateway, refused);
        }
    }

    /// Delivers a message whose sender waits for a reply.
    ///
    /// # Errors
    /// Why the message can't be delivered.
    fn deliver_or_refuse(&self, show: ShowId, message: Received) -> Result<(), ErrorCode> {
        match self.deliver(show, message) {
            Ok(()) => return Ok(()),
            Err(NotQueued::Full) => return Err(ErrorCode::Unavailable),
            Err(NotQueued::Closed) => {}
        }
        match self.by_id.get(&show) {
            Some(known) if known.has_ended() => Err(ErrorCode::ShowEnded),
            // This engine lost the show.
            Some(_) => Err(ErrorCode::Unavailable),
            None if self.set_aside.contains(&show) => Err(ErrorCode::Unavailable),
            None => Err(ErrorCode::UnknownShow),
        }
    }

    async fn route_host(&mut self, received: Received) {
        let Received { show: about, position, message: ToEngine::Host { conn, message } } = received else { return };
        let wanted = match message {
            FromHost::Create(create) => Ok(Wanted::Trivia(create)),
            FromHost::CreateGame(create) if is_trivia(&create.game) => {
                let id = create.id.clone();
                match Create::try_from(*create) {
                    Ok(create) => Ok(Wanted::Trivia(Box::new(create))),
                    Err(refusal) => {
                        let error = ErrorMessage::from(&refusal);
                        return self.to_host(conn, ToHost::Refused(Refused { id, error }));
                    }
                }
            }
            FromHost::CreateGame(create) => Ok(Wanted::Game(create)),
            other => Err(other),
        };
        let message = match wanted {
            Ok(wanted) => return self.create(conn, wanted).await,
            Err(message) => message,
        };
        let (show, command) = match &message {
            FromHost::Create(_) | FromHost::CreateGame(_) => unreachable!("these are taken above"),
            FromHost::Shows => return self.to_host(conn, self.list().await),
            FromHost::Command(command) => (command.show, Some(command.id.clone())),
            FromHost::FindPlayers(find) => (find.show, None),
            FromHost::JournalTail(tail) => (tail.show, None),
            // The gateway replies to these itself.
            FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => return,
        };
        let message = Received { show: about, position, message: ToEngine::Host { conn, message } };
        if let Err(code) = self.deliver_or_refuse(show, message) {
            let refused = match command {
                Some(id) => ToHost::Refused(Refused { id, error: ErrorMessage::from(code) }),
                None => error(code),
            };
            self.to_host(conn, refused);
        }
    }

    pub(super) fn to_host(&self, conn: ConnRef, message: ToHost) {
        self.ports.bus.reply_to_gateway(conn.gateway, ToGateway::Host { conn, message });
    }

    /// Lists the shows of all engines that have a written record.
    async fn list(&self) -> ToHost {
        let mut shows = match self.ports.bus.list_shows().await {
            Ok(Some(lines)) => lines,
            Ok(None) => self.by_id.iter().filter_map(line).collect(),
            Err(problem) => {
                tracing::warn!(%problem, "the shows of other engines can't be listed");
                return error(ErrorCode::Unavailable);
            }
        };
        shows.sort_unstable_by(|a, b| (&a.code, a.show).cmp(&(&b.code, b.show)));
        ToHost::Shows(ShowList { shows })
    }
}

fn line((&show, known): (&ShowId, &KnownShow)) -> Option<ShowLine> {
    let Status { phase, joined } = known.status()?;
    let (code, title) = (known.code.clone(), known.title.clone());
    Some(ShowLine { show, code, title, phase, joined })
}

fn error(code: ErrorCode) -> ToHost {
    ToHost::Error(ErrorMessage::from(code))
}
