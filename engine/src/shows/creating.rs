//! New shows.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Create, Created, Refused, ToHost};
use klaxon_protocol::ids::{ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::journal::{CreateShow, RulesVersion};
use klaxon_protocol::pack::Pack;
use klaxon_protocol::settings::Settings;
use tokio::sync::mpsc;

use super::{Known, Shows};
use crate::bus::ShowRegistration;
use crate::game;
use crate::show::{NewShow, Show, ToShow};

/// Letters and digits of a code that the server makes: none that are taken for another.
const CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// The length of such a code: a billion codes, few enough letters to type.
const CODE_LENGTH: usize = 6;

impl Shows {
    pub(super) async fn create(&mut self, conn: ConnRef, create: Create) {
        let id = create.id.clone();
        let created = match self.created.get(&id) {
            Some(&show) => self.create_again(conn, &create, show),
            None => Ok(false),
        };
        let done = match created {
            Ok(true) => return,
            Ok(false) => self.try_create(conn, create).await,
            Err(code) => Err(Refusal::plain(code)),
        };
        if let Err(refusal) = done {
            self.to_host(conn, ToHost::Refused(Refused { id, error: ErrorMessage::from(&refusal) }));
        }
    }

    /// Answers a create that made this show before; false if the show never came to be. One that is still being written answers
    /// when it is.
    ///
    /// # Errors
    /// `id_taken` if it would have made another show.
    fn create_again(&self, conn: ConnRef, create: &Create, show: ShowId) -> Result<bool, ErrorCode> {
        let id = create.id.clone();
        let known = self.by_id.get(&show);
        let is_another = |known: &Known| {
            known.made_of != made_of(&create.pack, &create.settings)
                || is_another_code(create.code.as_ref(), &known.code)
        };
        if known.is_some_and(is_another) {
            return Err(ErrorCode::IdTaken);
        }
        if self.tell(show, ToShow::Create(conn, id.clone())) {
            return Ok(true);
        }
        let Some(known) = known else { return Err(ErrorCode::Unavailable) };
        let was_written = known.status().is_some();
        if was_written {
            self.to_host(conn, ToHost::Created(Created { id, show, code: known.code.clone() }));
        }
        Ok(was_written)
    }

    async fn try_create(&mut self, conn: ConnRef, create: Create) -> Result<(), Refusal> {
        let show = ShowId(rand::random());
        let Create { id, pack, settings, code } = create;
        let problems = pack.problems();
        if !problems.is_empty() {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(Refusal::because(ErrorCode::BadPack, lines.join("; ")));
        }
        let at = self.ports.clock.now();
        let (chosen, made_of) = (code.clone(), made_of(&pack, &settings));
        let mut create = CreateShow { id, code: self.code(code)?, seed: rand::random(), pack, settings };
        // What is wrong with the show is told before anybody else hears of it.
        game::create(at, RulesVersion::NEWEST, &create)?;
        loop {
            match self.ports.bus.register_show(show, &create.code, &create.id, made_of).await.map_err(unavailable)? {
                ShowRegistration::New => break,
                ShowRegistration::CodeTaken if chosen.is_some() => return Err(ErrorCode::CodeTaken.into()),
                ShowRegistration::CodeTaken => create.code = self.unused_code(),
                ShowRegistration::IdTaken => return Err(ErrorCode::IdTaken.into()),
                ShowRegistration::Existing(_, code) if is_another_code(chosen.as_ref(), &code) => {
                    return Err(ErrorCode::IdTaken.into());
                }
                ShowRegistration::Existing(show, code) => {
                    self.to_host(conn, ToHost::Created(Created { id: create.id, show, code }));
                    return Ok(());
                }
            }
        }
        let game = game::create(at, RulesVersion::NEWEST, &create)?;
        let fence = self.ports.arbiter.lease(show, Fence(0)).await.map_err(unavailable)?.fence;
        let takeover = self.ports.bus.take_over(show, fence).await.map_err(unavailable)?;
        tracing::info!(%show, code = %create.code, "a new show is played here");
        let (inbox, messages) = mpsc::unbounded_channel();
        let new = NewShow { id: show, fence, at, create: create.clone(), game, takeover };
        let live = Show::create(self.ports.clone(), messages, new, conn);
        let status = self.play(show, live);
        self.know(show, &create, inbox, status);
        Ok(())
    }

    /// The code that the host chose, or one of ours.
    fn code(&self, chosen: Option<ShowCode>) -> Result<ShowCode, Refusal> {
        match chosen {
            Some(code) if !self.is_free(&code) => Err(ErrorCode::CodeTaken.into()),
            Some(code) => Ok(code),
            None => Ok(self.unused_code()),
        }
    }

    /// Whether a new show can have this code: no show that goes on has it.
    pub(super) fn is_free(&self, code: &ShowCode) -> bool {
        let holder = self.by_code.get(code).and_then(|id| self.by_id.get(id));
        holder.is_none_or(|known| known.is_gone() || known.has_ended())
    }

    fn unused_code(&self) -> ShowCode {
        loop {
            let letters = (0..CODE_LENGTH).map(|_| char::from(CODE_LETTERS[rand::random_range(0..CODE_LETTERS.len())]));
            let text: String = letters.collect();
            if let Ok(code) = ShowCode::parse(&text)
                && self.is_free(&code)
            {
                return code;
            }
        }
    }
}

/// Whether a host wants another code than the show has. One that wants any wants this.
fn is_another_code(wanted: Option<&ShowCode>, code: &ShowCode) -> bool {
    wanted.is_some_and(|wanted| wanted != code)
}

/// What tells a show from another that is made under the same id.
pub(super) fn made_of(pack: &Pack, settings: &Settings) -> u64 {
    let bytes = bincode::encode_to_vec((pack, settings), bincode::config::standard());
    xxhash_rust::xxh3::xxh3_64(&bytes.expect("a pack and settings hold nothing that can't be encoded"))
}

fn unavailable(error: impl std::fmt::Display) -> Refusal {
    Refusal::because(ErrorCode::Unavailable, format!("{error}."))
}
