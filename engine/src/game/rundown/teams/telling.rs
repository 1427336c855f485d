//! What is told of teams: who leads after each step of the show, each seat's team, and the places at the end.

use std::sync::Arc;

use klaxon_protocol::games::rundown::{
    CHOICE, Event, OwnChoice, OwnTeam, TEAM_LEADERS, TEAM_PLACES, Team, TeamLeader, TeamsView,
};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, GameOwn, Phase, ToPlayer};
use klaxon_protocol::time::Millis;
use serde_json::json;

use super::super::{Part, Rundown};
use super::Teams;
use crate::game::Effect;
use crate::game::results::RoundResult;

/// How many seats the archive lists with their teams at most: 5 MB of JSON.
const MOST_ARCHIVED: usize = 1_000_000;

impl Teams {
    /// The seat's team as the seat is told; `ranked`: whether ranks are told.
    fn own(&self, seat: Seat, ranked: bool) -> Option<OwnTeam> {
        Some(self.ranking.own(self.of(seat)?, ranked))
    }

    /// A message with their team for each of the seats whose team passes.
    fn tell_members(&self, ranked: bool, seats: impl Fn(Seat, Team) -> bool) -> Effect {
        let mut shapes: Vec<u32> = vec![Personal::NONE; self.sizes.len()];
        let mut personal = Personal { shapes: Vec::new(), by_seat: vec![Personal::NONE; self.of.len()] };
        for (seat, told) in (0..).map(Seat).zip(&mut personal.by_seat) {
            let Some(team) = self.of(seat).filter(|&team| seats(seat, team)) else { continue };
            let shape = &mut shapes[usize::from(team.0)];
            if *shape == Personal::NONE {
                *shape = u32::try_from(personal.shapes.len()).expect("there are 1000 teams at most");
                let body = Body::of(&json!({ "team": self.own(seat, ranked) }));
                personal.shapes.push(ToPlayer::GameOwn(GameOwn { body }));
            }
            *told = *shape;
        }
        Effect::TellSome(Arc::new(personal))
    }
}

impl Rundown {
    /// What follows for the teams from a command that was applied: the first round ends the choice, and after each step the event that told it
    /// names the leading teams if they changed.
    pub(in super::super) fn note_step(&mut self, command: &Command, effects: &mut Vec<Effect>) {
        let Some(teams) = &mut self.teams else { return };
        if self.course.round.is_some() && teams.early.is_none() {
            let mut dealt = teams.close();
            dealt.retain(|&seat| teams.of(seat).is_some());
            if !dealt.is_empty() {
                effects.push(teams.tell_members(false, |seat, _| dealt.binary_search(&seat).is_ok()));
            }
        }
        // Joins and claims change no score that was told: a pass over all seats for each of them would be too much.
        let is_step =
            matches!(command, Command::Host { .. } | Command::Tick | Command::Tally { .. } | Command::Outage { .. });
        if !is_step || self.course.phase == Phase::Ended {
            return;
        }
        self.rank_teams();
        let is_told = self.tells_leaders();
        let Some(teams) = self.teams.as_mut().filter(|_| is_told) else { return };
        let last = effects.iter_mut().rev().find_map(|effect| match effect {
            Effect::Tell(ToPlayer::GameEvent(event), _) => Some(event),
            _ => None,
        });
        let Some(event) = last else { return };
        let Some(leaders) = teams.ranking.leaders_to_tell() else { return };
        event.body.0.insert("teams".into(), json!(leaders));
        if teams.sizes.len() > TEAM_LEADERS {
            let leads = |team| leaders.iter().any(|leader: &TeamLeader| leader.team == team);
            effects.push(teams.tell_members(true, |_, team| !leads(team)));
        }
    }

    /// Whether the part that began last tells who leads.
    fn tells_leaders(&self) -> bool {
        self.current().is_none_or(Part::tells_leaders)
    }

    /// Computes what the teams have, if anything that matters has changed.
    pub(in super::super) fn rank_teams(&mut self) {
        if let Some(teams) = &mut self.teams {
            teams.rank(&self.people, &self.ledger);
        }
    }

    /// Tells the places of the teams.
    pub(in super::super) fn tell_team_places(&mut self, now: Millis) -> Vec<Effect> {
        self.rank_teams();
        let Some(teams) = &self.teams else { return Vec::new() };
        let places = teams.ranking.places(TEAM_PLACES);
        self.tell_between(now, &Event::Teams { places })
    }

    /// Tells an event between rounds, of the part that began last or, before the first, of that.
    pub(super) fn tell_between(&mut self, now: Millis, event: &Event) -> Vec<Effect> {
        let (_, mut stage) = self.on_stage(self.steps.part.unwrap_or(0), now);
        stage.tell_between(event, None);
        stage.effects
    }

    /// The teams for the archive, as a result of the round in which they are chosen: their places and, in a show that is not too large for a
    /// row of each database, who was in which.
    pub(in super::super) fn team_results(&self) -> Option<RoundResult> {
        let (teams, view) = (self.teams.as_ref()?, self.teams_view()?);
        let is_listed = teams.of.len() <= MOST_ARCHIVED;
        let team_of = is_listed.then(|| (0..self.ledger.seats()).map(|seat| teams.of(Seat(seat))).collect::<Vec<_>>());
        Some(RoundResult { round: CHOICE, body: Body::of(&json!({ "teams": view, "team_of": team_of })) })
    }

    /// The teams, for a snapshot.
    pub(in super::super) fn teams_view(&self) -> Option<TeamsView> {
        let teams = self.teams.as_ref()?;
        let has_ended = self.course.phase == Phase::Ended;
        Some(TeamsView {
            setup: teams.setup.clone(),
            members: teams.sizes.clone(),
            leaders: if self.tells_leaders() { teams.ranking.leaders() } else { Vec::new() },
            choice: self.choice_round().map(|_| CHOICE),
            places: if has_ended { teams.ranking.places(TEAM_PLACES) } else { Vec::new() },
        })
    }

    /// The seat's team, and how it can choose another.
    pub(in super::super) fn own_team(&self, seat: Seat) -> (Option<OwnTeam>, Option<OwnChoice>) {
        let Some(teams) = &self.teams else { return (None, None) };
        let key = teams.next_choice(seat).filter(|_| self.choice_round().is_some());
        (teams.own(seat, self.tells_leaders()), key.map(|key| OwnChoice { round: CHOICE, key }))
    }
}
