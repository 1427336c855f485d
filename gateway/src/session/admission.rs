//! Admission: checks the name and the tokens of a join, and creates resume tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{BadText, Name, PlayerId, ShowCode, ShowId};
use klaxon_protocol::link::Proof;
use klaxon_protocol::name::Reserved;
use klaxon_protocol::player::{Join, Reclaim, Role};
use klaxon_protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::jwt_header;
use crate::link::Random;
use crate::settings::Auth;

/// Checks joins.
pub(crate) struct Admission {
    auth: Auth,
    reserved: Option<Reserved>,
    sign: EncodingKey,
    check: DecodingKey,
    resume_rules: Validation,
    /// For guests' ids.
    random: Random,
}

/// A join whose name and tokens are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub code: ShowCode,
    pub player: PlayerId,
    pub name: Option<Name>,
    pub role: Role,
    pub proof: Proof,
}

/// The claims of a resume token. The show's engine compares `id` and `issue` with its own state.
#[derive(Serialize, Deserialize)]
struct ResumeClaims {
    aud: String,
    sub: PlayerId,
    show: ShowCode,
    id: ShowId,
    issue: u32,
    /// Expiry, in seconds since 1970 by the server's clock.
    exp: u64,
    name: Name,
}

/// The player for whom a resume token is created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub code: &'a ShowCode,
    pub show: ShowId,
    pub player: &'a PlayerId,
    pub name: &'a Name,
    /// How often the player's tokens were revoked.
    pub issue: u32,
}

/// The lifetime of a resume token. Each welcome brings a new one, so a show may last longer.
const RESUME_SECONDS: u64 = 24 * 60 * 60;

/// The audience of resume tokens, which distinguishes them from other tokens that the same key may have signed.
const RESUME_AUDIENCE: &str = "klaxon-resume";

/// The claims of an operator's token that must be valid.
#[derive(Deserialize)]
struct PlayerClaims {
    sub: PlayerId,
}

/// The claims of an operator's token that are optional.
#[derive(Deserialize)]
struct Proposal {
    name: String,
}

impl Admission {
    /// An admission that accepts these tokens, and signs resume tokens with the secret.
    pub fn new(auth: Auth, reserved: Option<Reserved>, secret: &[u8; 32], random: Random) -> Self {
        let mut resume_rules = Validation::new(Algorithm::HS256);
        // The expiry is checked against the server's clock, which the token was created by.
        resume_rules.validate_exp = false;
        resume_rules.set_required_spec_claims(&["aud", "sub", "exp"]);
        resume_rules.set_audience(&[RESUME_AUDIENCE]);
        Self {
            auth,
            reserved,
            sign: EncodingKey::from_secret(secret),
            check: DecodingKey::from_secret(secret),
            resume_rules,
            random,
        }
    }

    /// Checks a join. Returns the player, or why the join is refused.
    pub fn admit(&self, join: Join, now: Millis) -> Result<Admitted, Refusal> {
        let chosen = join.name.as_deref().map(|name| self.parse_name(name)).transpose()?;
        let resumed = join.resume.as_deref().map(|token| self.resumed(token, &join.show, now)).transpose()?;
        let trusted = join.token.as_deref().map(|token| self.trusted(token)).transpose()?;
        let (player, known_as, proof) = match (trusted, resumed) {
            (Some((player, _)), Some(claims)) if player != claims.sub => {
                return Err(Refusal::because(ErrorCode::BadToken, "`token` and `resume` are not the same player's."));
            }
            (Some((player, name)), resumed) => {
                let proof = Proof::Token { resumes: resumed.as_ref().map(|claims| claims.id), revoke: false };
                (player, resumed.map(|claims| claims.name).or(name), proof)
            }
            (None, Some(ResumeClaims { sub, id, issue, name, .. })) => {
                let may_sit = self.takes_guests() && sub.is_guest();
                (sub, Some(name), Proof::Resume { show: id, issue, may_sit })
            }
            (None, None) if self.takes_guests() => (guest(&self.random)?, None, Proof::NewGuest),
            (None, None) => return Err(Refusal::plain(ErrorCode::TokenRequired)),
        };
        Ok(Admitted { code: join.show, player, name: chosen.or(known_as), role: join.role, proof })
    }

    /// Checks a request of a seat's owner to revoke all earlier resume tokens.
    pub fn reclaim(&self, reclaim: Reclaim) -> Result<Admitted, Refusal> {
        let (player, name) = self.trusted(&reclaim.token)?;
        let proof = Proof::Token { resumes: None, revoke: true };
        Ok(Admitted { code: reclaim.show, player, name, role: Role::Player, proof })
    }

    /// Creates the token with which the player can rejoin.
    pub fn resume_token(&self, of: Holder<'_>, now: Millis) -> String {
        let claims = ResumeClaims {
            aud: RESUME_AUDIENCE.to_owned(),
            sub: of.player.clone(),
            show: of.code.clone(),
            id: of.show,
            issue: of.issue,
            exp: now.0 / 1000 + RESUME_SECONDS,
            name: of.name.clone(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .expect("an HS256 key signs every claim that is JSON")
    }

    const fn takes_guests(&self) -> bool {
        match self.auth {
            Auth::Guests => true,
            Auth::Jwt { guests_too, .. } => guests_too,
        }
    }

    fn resumed(&self, token: &str, code: &ShowCode, now: Millis) -> Result<ResumeClaims, Refusal> {
        if jwt_header::has_critical(token) {
            return Err(Refusal::because(ErrorCode::BadToken, "`resume` was not made here."));
        }
        let claims = jsonwebtoken::decode::<ResumeClaims>(token, &self.check, &self.resume_rules)
            .map_err(|_| Refusal::because(ErrorCode::BadToken, "`resume` was not made here."))?
            .claims;
        if claims.show != *code {
            return Err(Refusal::because(ErrorCode::BadToken, "`resume` is for another show."));
        }
        if claims.exp <= now.0 / 1000 {
            return Err(Refusal::because(ErrorCode::BadToken, "`resume` has expired."));
        }
        Ok(claims)
    }

    fn trusted(&self, token: &str) -> Result<(PlayerId, Option<Name>), Refusal> {
        let Auth::Jwt { key, .. } = &self.auth else {
            return Err(Refusal::because(ErrorCode::BadToken, "No tokens are taken here: join without one."));
        };
        if jwt_header::has_critical(token) {
            let problem = "`token`: its header has `crit`, and this server knows no extension that could stand there.";
            return Err(Refusal::because(ErrorCode::BadToken, problem));
        }
        let mut rules = Validation::new(key.algorithm);
        rules.validate_nbf = true;
        rules.set_required_spec_claims(&["exp", "sub"]);
        let claims = jsonwebtoken::decode::<PlayerClaims>(token, &key.decoding, &rules)
            .map_err(|error| Refusal::because(ErrorCode::BadToken, format!("`token`: {error}.")))?
            .claims;
        Ok((claims.sub, proposed_name(token).and_then(|name| self.check_reserved(name).ok())))
    }

    fn parse_name(&self, name: &str) -> Result<Name, Refusal> {
        let parsed = Name::parse(name).and_then(|name| self.check_reserved(name));
        parsed.map_err(|bad| Refusal::because(ErrorCode::BadName, format!("It {}.", bad.problem)))
    }

    fn check_reserved(&self, name: Name) -> Result<Name, BadText> {
        match &self.reserved {
            Some(reserved) => name.beside(reserved),
            None => Ok(name),
        }
    }
}

/// The name in a valid token. It is only a proposal, and never a reason to refuse a join: a long name is cut, and one
/// that can't be displayed, or is not a text, is ignored.
fn proposed_name(token: &str) -> Option<Name> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    Name::proposed(&serde_json::from_slice::<Proposal>(&payload).ok()?.name)
}

/// The id of a new guest, which can't be guessed.
fn guest(random: &Random) -> Result<PlayerId, Refusal> {
    let id = format!("{}{:016x}{:016x}", PlayerId::GUEST, random.next(), random.next());
    PlayerId::parse(&id).map_err(|_| Refusal::plain(ErrorCode::Unavailable))
}

#[cfg(test)]
mod tests;
