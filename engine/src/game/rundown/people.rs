//! The host's actions on players: removing, restoring, lives and points.

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{GivePoints, PartSetup};
use klaxon_protocol::games::trivia::MOST_LIVES;
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, GameOwn, Phase, ToPlayer};
use klaxon_protocol::time::Millis;
use serde_json::json;

use super::{HostChange, Look, Rundown};
use crate::game::personal::for_each_seat;
use crate::game::{Effect, Game};

impl Rundown {
    /// Applies an action on players that is the same in every game; none if it is another one.
    pub(super) fn apply_to_people(&mut self, now: Millis, action: &Action) -> Option<Result<Vec<Effect>, Refusal>> {
        if let Action::Restore { seat } = *action
            && self.ledger.suspensions().of(seat).is_some()
        {
            return Some(Ok(self.end_suspension(now, seat)));
        }
        let from = self.first_unsettled();
        let done = self.people.apply_action(action, self.gives_seats())?;
        Some(done.map(|mut effects| {
            match *action {
                Action::Remove { seat, ban } => {
                    self.removals.entry(seat).or_insert(from);
                    self.forget_suspension(seat);
                    if ban && self.people.roster.is_guests(seat) {
                        effects.push(Effect::Alert(AlertKind::GuestBanned { seat }));
                    }
                }
                Action::BanAddress { seat, .. } => {
                    self.removals.entry(seat).or_insert(from);
                    self.forget_suspension(seat);
                }
                Action::Restore { seat } => effects.append(&mut self.restored(now, seat)),
                _ => {}
            }
            effects
        }))
    }

    /// The first round whose settlement a player who is removed now misses.
    pub(super) fn first_unsettled(&self) -> RoundId {
        let is_open = matches!(self.course.phase, Phase::Question | Phase::Closing | Phase::Closed);
        let last = self.course.round.as_ref().map_or(0, |round| round.id.0);
        RoundId(if is_open { last } else { last.saturating_add(1) })
    }

    /// The seat counts as one that claimed nothing in the rounds that were settled while its player was removed.
    pub(super) fn restored(&mut self, now: Millis, seat: Seat) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(from) = self.removals.remove(&seat) else { return effects };
        for index in 0..self.steps.part.map_or(0, |part| part + 1) {
            let before = *self.ledger.line(seat);
            let (part, mut stage) = self.on_stage(index, now);
            part.restored(&mut stage, seat, from);
            effects.append(&mut stage.effects);
            // What a later part did not let players keep would have ended with this part.
            let begun = usize::from(index) + 1..=usize::from(self.steps.part.unwrap_or(index));
            for PartSetup { keep, .. } in &self.setup.parts[begun] {
                self.ledger.forget(seat, *keep, before);
            }
        }
        effects.push(self.tell_own(seat));
        effects
    }

    pub(super) fn tell_own(&mut self, seat: Seat) -> Effect {
        self.rank_teams();
        let mut by_seat = vec![Personal::NONE; seat.index() + 1];
        by_seat[seat.index()] = 0;
        Effect::TellSome(Arc::new(Personal { shapes: vec![self.own(Some(seat))], by_seat }))
    }

    pub(super) fn give_lives(&mut self, seat: Option<Seat>, lives: u8) -> Result<Vec<Effect>, Refusal> {
        if !(1..=MOST_LIVES).contains(&lives) {
            return Err(Refusal::because(ErrorCode::BadArgument, format!("`lives`: 1 to {MOST_LIVES}, not {lives}.")));
        }
        if let Some(seat) = seat {
            self.people.check_seat(seat)?;
            if !self.look().plays(seat) {
                return Err(ErrorCode::NotInPlay.into());
            }
            self.ledger.give_lives(seat, lives);
            self.note_given(HostChange::Lives { seat: Some(seat), lives });
            return Ok(vec![self.tell_own(seat)]);
        }
        let seats = self.ledger.seats();
        for seat in (0..seats).map(Seat) {
            if self.look().plays(seat) {
                self.ledger.give_lives(seat, lives);
            }
        }
        self.note_given(HostChange::Lives { seat: None, lives });
        let key = |seat| if self.look().plays(seat) { u64::from(self.ledger.line(seat).lives) + 1 } else { 0 };
        let mut personal = for_each_seat(seats, key, |seat| {
            let lives = self.ledger.line(seat).lives;
            ToPlayer::GameOwn(GameOwn { body: Body::of(&json!({ "lives": lives })) })
        });
        for (seat, shape) in (0..).map(Seat).zip(&mut personal.by_seat) {
            if !self.look().plays(seat) {
                *shape = Personal::NONE;
            }
        }
        Ok(vec![Effect::TellSome(Arc::new(personal))])
    }

    /// The host corrects a seat's points.
    pub(super) fn give_points(&mut self, points: GivePoints) -> Result<Vec<Effect>, Refusal> {
        let GivePoints { seat, by } = points;
        self.people.check_seat(seat)?;
        if !points.is_possible() {
            return Err(Refusal::because(
                ErrorCode::BadArgument,
                format!("`points.by`: up to 10^9 either way, not {by}."),
            ));
        }
        self.ledger.add_points(seat, i64::from(by));
        self.note_given(HostChange::Points { seat, by });
        Ok(vec![self.tell_own(seat)])
    }

    /// The part that is played gets to know what the host gave.
    fn note_given(&mut self, change: HostChange) {
        let Some(part) = self.steps.part.filter(|_| !self.steps.finished) else { return };
        let look = Look { people: &self.people, ledger: &self.ledger, teams: self.teams.as_ref() };
        self.parts[usize::from(part)].given(&look, change);
    }
}
