//! New shows.

use klaxon_protocol::binary;
use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::games::trivia::{Create, TriviaShow};
use klaxon_protocol::host::{CreateGame, Created, FromHost, Refused, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::journal::{Begun, BegunGame, BegunShow, Command, RulesVersion};
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::time::Millis;

use super::Shows;
use crate::Ports;
use crate::bus::ShowRegistration;
use crate::game::{Game, Games};
use crate::show::{NewShow, Show, inbox};

/// The alphabet of codes that the server makes, without characters that look alike.
const CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// The length of such a code: there are a billion of them, and they are short enough to type.
const CODE_LENGTH: usize = 6;

/// A show that an earlier create command with the same id made.
enum Before {
    /// It is played here, and replies itself once it is written.
    Here,
    /// It is no longer played here; this was its code.
    Written(ShowCode),
}

/// A host's create command, for trivia or another game.
pub(super) enum Wanted {
    Trivia(Box<Create>),
    Game(Box<CreateGame>),
}

impl Wanted {
    fn id(&self) -> &CommandId {
        match self {
            Self::Trivia(create) => &create.id,
            Self::Game(create) => &create.id,
        }
    }

    fn code(&self) -> Option<&ShowCode> {
        match self {
            Self::Trivia(create) => create.code.as_ref(),
            Self::Game(create) => create.code.as_ref(),
        }
    }

    /// The command as a message, for the show that it created before.
    fn message(self) -> FromHost {
        match self {
            Self::Trivia(create) => FromHost::Create(create),
            Self::Game(create) => FromHost::CreateGame(create),
        }
    }

    /// # Errors
    /// Settings with which no new show can be created, even if old journals have them.
    fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Trivia(create) => {
                let problems = create.pack.problems();
                if problems.is_empty() {
                    return Ok(());
                }
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Err(Refusal::because(ErrorCode::BadPack, lines.join("; ")))
            }
            Self::Game(create) => match create.problems() {
                problems if problems.is_empty() => Ok(()),
                problems => Err(Refusal::because(ErrorCode::BadSettings, problems.join("; "))),
            },
        }
    }

    /// The same, with what the server draws at random for the show.
    ///
    /// # Errors
    /// If the game is not played here, or the host sent what only the server may draw.
    fn prepared(&self, ports: &Ports) -> Result<Self, Refusal> {
        Ok(match self {
            Self::Trivia(create) => Self::Trivia(create.clone()),
            Self::Game(create) => {
                let mut random = || {
                    let mut bytes = [0; 32];
                    bytes.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&ports.random.next().to_le_bytes()));
                    bytes
                };
                let setup = ports.games.prepare(&create.game, &create.setup, &mut random)?;
                Self::Game(Box::new(CreateGame { setup, ..(**create).clone() }))
            }
        })
    }

    /// The first command of the show's journal.
    ///
    /// # Errors
    /// If the game is not played here.
    fn begin(&self, ports: &Ports, code: ShowCode, seed: u64) -> Result<Command, Refusal> {
        let apart = ports.journal.keeps_apart();
        Ok(match self {
            Self::Trivia(create) => {
                let Create { id, pack, settings, .. } = (**create).clone();
                let rules = if apart { RulesVersion::NEWEST } else { RulesVersion::WITH_NAMES };
                Command::begin_by(rules, TriviaShow { id, code, seed, pack, settings })
            }
            Self::Game(create) => {
                let CreateGame { id, game, title, seats, barrier, setup, .. } = (**create).clone();
                let rules = ports.games.newest(&game, apart)?;
                Command::BeginGame {
                    rules,
                    show: Box::new(BegunGame { id, code, seed, game, title, seats, barrier, setup }),
                }
            }
        })
    }
}

impl Shows {
    pub(super) async fn create(&mut self, conn: ConnRef, wanted: Wanted) {
        let id = wanted.id().clone();
        let created = match self.created_before(&wanted) {
            Ok(None) => self.try_create(conn, &wanted).await,
            Ok(Some((show, Before::Here))) => {
                let message = ToEngine::Host { conn, message: wanted.message() };
                self.deliver(show, message.into()).map_err(|_| ErrorCode::Unavailable.into())
            }
            Ok(Some((show, Before::Written(code)))) => {
                self.to_host(conn, ToHost::Created(Created { id: id.clone(), show, code }));
                Ok(())
            }
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = created {
            self.to_host(conn, ToHost::Refused(Refused { id, error: ErrorMessage::from(&refusal) }));
        }
    }

    /// The show that an earlier create command with this id made. None if there was no such command, or nothing of its
    /// show was written.
    ///
    /// # Errors
    /// `id_taken` if this command would create a different show.
    fn created_before(&self, wanted: &Wanted) -> Result<Option<(ShowId, Before)>, Refusal> {
        let Some(&show) = self.created.get(wanted.id()) else { return Ok(None) };
        let known = self.by_id.get(&show);
        if let Some(known) = known {
            let would_begin = wanted.begin(&self.ports, known.code.clone(), 0)?;
            let is_another =
                known.made_of != made_of(&self.ports.games, would_begin.begun().expect("it begins a show"));
            if is_another || is_another_code(wanted.code(), &known.code) {
                return Err(ErrorCode::IdTaken.into());
            }
        }
        if self.is_here(show) {
            return Ok(Some((show, Before::Here)));
        }
        // A show that is not in `by_id` is set aside.
        let known = known.ok_or(ErrorCode::Unavailable)?;
        Ok(known.status().map(|_| (show, Before::Written(known.code.clone()))))
    }

    async fn try_create(&mut self, conn: ConnRef, wanted: &Wanted) -> Result<(), Refusal> {
        let show = ShowId(self.ports.random.next());
        wanted.check()?;
        let (at, seed, id) = (self.ports.clock.now(), self.ports.random.next(), wanted.id());
        let mut code = self.code(wanted.code().cloned())?;
        let prepared = wanted.prepared(&self.ports)?;
        let mut begin = prepared.begin(&self.ports, code.clone(), seed)?;
        let made_of = made_of(&self.ports.games, begin.begun().expect("it begins a show"));
        // Checked before the show is registered: other engines must not see a show that the rules refuse.
        self.begin(at, &begin)?;
        loop {
            match self.ports.bus.register_show(show, &code, id, made_of).await.map_err(unavailable)? {
                ShowRegistration::New => break,
                ShowRegistration::CodeTaken if wanted.code().is_some() => return Err(ErrorCode::CodeTaken.into()),
                ShowRegistration::CodeTaken => {
                    code = self.unused_code();
                    begin = prepared.begin(&self.ports, code.clone(), seed)?;
                }
                ShowRegistration::IdTaken => return Err(ErrorCode::IdTaken.into()),
                ShowRegistration::Existing(_, code) if is_another_code(wanted.code(), &code) => {
                    return Err(ErrorCode::IdTaken.into());
                }
                ShowRegistration::Existing(show, code) => {
                    self.to_host(conn, ToHost::Created(Created { id: id.clone(), show, code }));
                    return Ok(());
                }
            }
        }
        let game = self.begin(at, &begin)?;
        let fence = self.ports.arbiter.lease(show, Fence(0)).await.map_err(unavailable)?.fence;
        let takeover = self.ports.bus.take_over(show, fence).await.map_err(unavailable)?;
        tracing::info!(%show, %code, "a new show is played here");
        let (sender, inbox) = inbox();
        let new = NewShow {
            id: show,
            fence,
            at,
            begin: begin.clone(),
            command: id.clone(),
            game,
            gateways: takeover.gateways,
        };
        let live = Show::create(self.ports.clone(), inbox, new, conn);
        let status = self.play(show, live);
        self.add(show, begin.begun().expect("it begins a show"), sender, status);
        Ok(())
    }

    fn begin(&self, at: Millis, begin: &Command) -> Result<Box<dyn Game>, Refusal> {
        self.ports.games.begin(at, begin.begun().expect("it begins a show"))
    }

    /// The code that the host chose, or a new random one.
    fn code(&self, chosen: Option<ShowCode>) -> Result<ShowCode, Refusal> {
        match chosen {
            Some(code) if !self.is_free(&code) => Err(ErrorCode::CodeTaken.into()),
            Some(code) => Ok(code),
            None => Ok(self.unused_code()),
        }
    }

    /// Whether a new show can have this code: no running show has it.
    pub(super) fn is_free(&self, code: &ShowCode) -> bool {
        let holder = self.by_code.get(code).and_then(|id| self.by_id.get(id));
        holder.is_none_or(|known| known.is_gone() || known.has_ended())
    }

    fn unused_code(&self) -> ShowCode {
        loop {
            let letter = |_| char::from(CODE_LETTERS[self.ports.random.next() as usize % CODE_LETTERS.len()]);
            let text: String = (0..CODE_LENGTH).map(letter).collect();
            if let Ok(code) = ShowCode::parse(&text)
                && self.is_free(&code)
            {
                return code;
            }
        }
    }
}

/// Whether the host asked for a different code than the show has. Without a code in the command, every code is
/// accepted.
fn is_another_code(wanted: Option<&ShowCode>, code: &ShowCode) -> bool {
    wanted.is_some_and(|wanted| wanted != code)
}

/// A hash of a show's content, to distinguish a repeated create command from a different one with the same id.
pub(super) fn made_of(games: &Games, begun: Begun<'_>) -> u64 {
    let bytes = match begun.show {
        BegunShow::Trivia(show) => binary::encode(&(&show.pack, &show.settings)),
        BegunShow::Game(BegunGame { game, title, seats, barrier, setup, .. }) => {
            binary::encode(&(game, title, seats, barrier, games.as_sent(game, setup)))
        }
    };
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

fn unavailable(error: impl std::fmt::Display) -> Refusal {
    Refusal::because(ErrorCode::Unavailable, format!("{error}."))
}
