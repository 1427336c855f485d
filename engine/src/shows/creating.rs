//! New shows.

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Create, Created, FromHost, Refused, ToHost};
use klaxon_protocol::ids::{ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::journal::{CreateShow, RulesVersion};
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::pack::Pack;
use klaxon_protocol::settings::Settings;

use super::{KnownShow, Shows};
use crate::bus::ShowRegistration;
use crate::game;
use crate::show::{NewShow, Show, inbox};

/// Letters and digits of a code that the server makes: none that are taken for another.
const CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// The length of such a code: a billion codes, few enough letters to type.
const CODE_LENGTH: usize = 6;

/// A show that was made by an earlier create with the same id.
enum Before {
    /// It replies itself, once it is written.
    Here,
    /// It is gone, and had this code.
    Written(ShowCode),
}

impl Shows {
    pub(super) async fn create(&mut self, conn: ConnRef, create: Box<Create>) {
        let id = create.id.clone();
        let created = match self.created_before(&create) {
            Ok(None) => self.try_create(conn, *create).await,
            Ok(Some((show, Before::Here))) => {
                let message = ToEngine::Host { conn, message: FromHost::Create(create) };
                self.deliver(show, message.into()).map_err(|_| ErrorCode::Unavailable.into())
            }
            Ok(Some((show, Before::Written(code)))) => {
                self.to_host(conn, ToHost::Created(Created { id: id.clone(), show, code }));
                Ok(())
            }
            Err(code) => Err(Refusal::plain(code)),
        };
        if let Err(refusal) = created {
            self.to_host(conn, ToHost::Refused(Refused { id, error: ErrorMessage::from(&refusal) }));
        }
    }

    /// The show that a create with this id made before. None if it made none, or one of which nothing was written.
    ///
    /// # Errors
    /// `id_taken` if this create would make another show.
    fn created_before(&self, create: &Create) -> Result<Option<(ShowId, Before)>, ErrorCode> {
        let Some(&show) = self.created.get(&create.id) else { return Ok(None) };
        let known = self.by_id.get(&show);
        let is_another = |known: &KnownShow| {
            known.made_of != made_of(&create.pack, &create.settings)
                || is_another_code(create.code.as_ref(), &known.code)
        };
        if known.is_some_and(is_another) {
            return Err(ErrorCode::IdTaken);
        }
        if self.is_here(show) {
            return Ok(Some((show, Before::Here)));
        }
        // Without an entry it is set aside.
        let known = known.ok_or(ErrorCode::Unavailable)?;
        Ok(known.status().map(|_| (show, Before::Written(known.code.clone()))))
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
        // A show that the rules refuse must not become known to other engines.
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
        let (sender, inbox) = inbox();
        let new = NewShow { id: show, fence, at, create: create.clone(), game, gateways: takeover.gateways };
        let live = Show::create(self.ports.clone(), inbox, new, conn);
        let status = self.play(show, live);
        self.add(show, &create, sender, status);
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

/// Whether a host wants another code than the show has. A host who names none takes any.
fn is_another_code(wanted: Option<&ShowCode>, code: &ShowCode) -> bool {
    wanted.is_some_and(|wanted| wanted != code)
}

/// A hash by which a show differs from another that is made under the same id.
pub(super) fn made_of(pack: &Pack, settings: &Settings) -> u64 {
    let bytes = bincode::encode_to_vec((pack, settings), bincode::config::standard());
    xxhash_rust::xxh3::xxh3_64(&bytes.expect("a pack and settings hold nothing that can't be encoded"))
}

fn unavailable(error: impl std::fmt::Display) -> Refusal {
    Refusal::because(ErrorCode::Unavailable, format!("{error}."))
}
