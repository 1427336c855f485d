//! What gateways say, on its way to the show that it is about.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{FromHost, Refused, ShowLine, Shows as ShowList, ToHost};
use klaxon_protocol::ids::{ConnRef, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};

use super::{Known, Shows};
use crate::bus::{Received, StreamPosition};
use crate::show::{Departure, Reached, Status, ToShow};

impl Shows {
    pub(super) async fn route(&mut self, received: Received) {
        let Received { show: about, position: place, message } = received;
        // A show that the bus named, and that is no longer here, is another engine's to answer for.
        if about.is_some_and(|show| !self.is_here(show) && !self.set_aside.contains(&show)) {
            return;
        }
        let to = |show: ShowId, what: ToShow| (about.unwrap_or(show), Reached { place, what });
        let (show, reached) = match message {
            ToEngine::Hello { gateway } => {
                tracing::info!(%gateway, "a gateway is up");
                return self.tell_all(|| ToShow::GatewayHere(gateway));
            }
            ToEngine::Bye { gateway } => {
                tracing::info!(%gateway, "a gateway went down");
                return self.tell_all(|| ToShow::GatewayGone(gateway));
            }
            ToEngine::Join(request) => {
                let conn = request.conn;
                // Whoever comes back to a show that ended sees how it did, also if a new one has its code.
                let resumed = request.resumes().filter(|&show| self.is_here(show));
                let named = about.or(resumed).or_else(|| self.by_code.get(&request.code).copied());
                let refused = match named {
                    None => Err(ErrorCode::UnknownShow),
                    Some(show) => self.tell_or_refuse(show, Reached { place, what: ToShow::Join(request) }),
                };
                if let Err(code) = refused {
                    let refused = ToGateway::JoinRefused { conn, error: ErrorMessage::from(code) };
                    self.ports.bus.reply_to_host(conn.gateway, refused);
                }
                return;
            }
            ToEngine::Host { conn, message } => return self.host(conn, message, place).await,
            ToEngine::Answers(batch) => to(batch.show, ToShow::Answers(batch)),
            ToEngine::BarrierPassed { gateway, show, question } => to(show, ToShow::BarrierPassed(gateway, question)),
            ToEngine::Attend { gateway, show } => to(show, ToShow::GatewayHere(gateway)),
            ToEngine::Leave { gateway, show } => to(show, ToShow::GatewayGone(gateway)),
            ToEngine::Resync { conn, show, seat } => to(show, ToShow::Resync(conn, seat)),
            ToEngine::Reactions { show, counts } => to(show, ToShow::Reactions(counts)),
            ToEngine::Gone { conn, show, seat, left } => to(show, ToShow::Gone(Departure { conn, seat, left })),
            ToEngine::Present(present) => to(present.show, ToShow::Present(present)),
            ToEngine::Counts(counts) => to(counts.show, ToShow::Counts(counts)),
        };
        // Nobody waits for an answer to these.
        self.tell(show, reached);
    }

    /// For messages that somebody waits for an answer to.
    ///
    /// # Errors
    /// Why the show can't hear it.
    fn tell_or_refuse(&self, show: ShowId, message: Reached) -> Result<(), ErrorCode> {
        if self.tell(show, message) {
            return Ok(());
        }
        match self.by_id.get(&show) {
            Some(known) if known.has_ended() => Err(ErrorCode::ShowEnded),
            // This engine lost it.
            Some(_) => Err(ErrorCode::Unavailable),
            None if self.set_aside.contains(&show) => Err(ErrorCode::Unavailable),
            None => Err(ErrorCode::UnknownShow),
        }
    }

    async fn host(&mut self, conn: ConnRef, message: FromHost, place: StreamPosition) {
        let at = |what| Reached { place, what };
        let refused = match message {
            FromHost::Create(create) => return self.create(conn, *create).await,
            FromHost::Command(command) => {
                let id = command.id.clone();
                let told = self.tell_or_refuse(command.show, at(ToShow::Command(conn, command.id, command.action)));
                told.err().map(|code| ToHost::Refused(Refused { id, error: ErrorMessage::from(code) }))
            }
            FromHost::FindPlayers(find) => {
                self.tell_or_refuse(find.show, at(ToShow::FindPlayers(conn, find.name))).err().map(error)
            }
            FromHost::JournalTail(tail) => {
                self.tell_or_refuse(tail.show, at(ToShow::JournalTail(conn, tail.last))).err().map(error)
            }
            FromHost::Shows => Some(self.list().await),
            // The gateway answers these itself.
            FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => None,
        };
        if let Some(message) = refused {
            self.to_host(conn, message);
        }
    }

    pub(super) fn to_host(&self, conn: ConnRef, message: ToHost) {
        self.ports.bus.reply_to_host(conn.gateway, ToGateway::Host { conn, message });
    }

    /// The shows of all engines that are written.
    async fn list(&self) -> ToHost {
        let mut shows = match self.ports.bus.list_shows().await {
            Ok(Some(lines)) => lines,
            Ok(None) => self.by_id.iter().filter_map(line).collect(),
            Err(problem) => {
                tracing::warn!(%problem, "the shows can't be listed");
                return error(ErrorCode::Unavailable);
            }
        };
        shows.sort_unstable_by(|a, b| (&a.code, a.show).cmp(&(&b.code, b.show)));
        ToHost::Shows(ShowList { shows })
    }
}

fn line((&show, known): (&ShowId, &Known)) -> Option<ShowLine> {
    let Status { phase, joined } = known.status()?;
    let (code, title) = (known.code.clone(), known.title.clone());
    Some(ShowLine { show, code, title, phase, joined })
}

fn error(code: ErrorCode) -> ToHost {
    ToHost::Error(ErrorMessage::from(code))
}
