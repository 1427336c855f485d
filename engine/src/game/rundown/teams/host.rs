//! The host's actions on teams, and on players without a device.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{AddPlayer, Event, SetTeam, Team};
use klaxon_protocol::ids::{PlayerId, Seat};
use klaxon_protocol::player::{Phase, Role};
use klaxon_protocol::time::Millis;

use super::super::Rundown;
use crate::game::people::Sitter;
use crate::game::{Effect, Entry};

/// When teams do not change: a buzzer, for one, is locked for a team while a round is open.
const BETWEEN_ROUNDS: &[Phase] = &[Phase::Lobby, Phase::Revealed];

impl Rundown {
    /// The host puts a seat into a team, or takes it out of its team.
    pub(in super::super) fn set_team(&mut self, now: Millis, set: SetTeam) -> Result<Vec<Effect>, Refusal> {
        let SetTeam { seat, team } = set;
        self.must_be_in(BETWEEN_ROUNDS)?;
        self.people.check_seat(seat)?;
        let teams = self.check_team("team.team", team)?;
        let Some(teams) = teams else {
            return Err(Refusal::because(ErrorCode::BadArgument, "`team`: this show has no teams."));
        };
        if teams.of(seat) == team {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The seat's team is that already."));
        }
        if let Some(teams) = &mut self.teams {
            teams.put_by_host(seat, team, now);
        }
        let mut effects = self.tell_between(now, &Event::Team { seat, team });
        effects.push(self.tell_own(seat));
        Ok(effects)
    }

    /// The host seats a player without a device, who gets points by the host only. Such a player has no name of their own: what a host
    /// sends stands in the journal, and no name may.
    pub(in super::super) fn add_player(&mut self, now: Millis, add: AddPlayer) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(BETWEEN_ROUNDS)?;
        if self.check_team("player.team", add.team)?.is_none() && add.team.is_some() {
            return Err(Refusal::because(ErrorCode::BadArgument, "`player.team`: this show has no teams."));
        }
        if self.entry_of(None::<&PlayerId>, Role::Player)? != Entry::New {
            return Err(Refusal::because(ErrorCode::WrongPhase, "New players can't come in now."));
        }
        let seat = Seat(self.people.roster.seated());
        let name = self.people.roster.unused_name(None);
        let mut effects = self.open_seat(now, Sitter::without_device(name));
        if let (Some(teams), Some(_)) = (&mut self.teams, add.team) {
            teams.put_by_host(seat, add.team, now);
        }
        let team = self.teams.as_ref().and_then(|teams| teams.of(seat));
        effects.extend(self.tell_between(now, &Event::Player { seat, team }));
        Ok(effects)
    }

    /// The show's teams, if it has any; refuses a team that there is not, or that is full.
    fn check_team(&self, what: &str, team: Option<Team>) -> Result<Option<&super::Teams>, Refusal> {
        let Some(teams) = &self.teams else { return Ok(None) };
        let bad = |problem: String| Err(Refusal::because(ErrorCode::BadArgument, format!("`{what}`: {problem}")));
        match team {
            Some(Team(team)) if team >= teams.count() => bad(format!("0 to {}, not {team}.", teams.count() - 1)),
            Some(team) if !teams.has_room(team) => bad(format!("team {team} is full.")),
            _ => Ok(Some(teams)),
        }
    }
}
