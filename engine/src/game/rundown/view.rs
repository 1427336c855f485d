//! The show as others see it: snapshots, each seat's own state, the host's figures.

use klaxon_protocol::games::rundown::{Overview, Own, PartSetup, RoundTimes, SecretSeed, game_name};
use klaxon_protocol::host::PlayerLine;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Body, GameOwn, GameSnapshot, Phase, ToPlayer};
use klaxon_protocol::time::Millis;

use super::{Part, Rundown};
use crate::game::GameFigures;
use crate::game::bingo::Seed;

fn commitment(part: &PartSetup) -> Option<String> {
    let SecretSeed(seed) = part.seed?;
    Some(SecretSeed(Seed(seed).commitment()).to_string())
}

impl Rundown {
    pub(super) fn snapshot(&self, now: Millis) -> GameSnapshot {
        let open = self.course.round.as_ref().filter(|_| self.course.phase == Phase::Question);
        let times = open.map(|round| {
            // A stopped clock's end would not show how much time is left.
            let closes_at = self.closes().unwrap_or_else(|| now + round.clock.left(now));
            RoundTimes { closes_at, ..round.times() }
        });
        let overview = Overview {
            parts: self.setup.parts.iter().map(|part| part.kind.name().to_owned()).collect(),
            part: self.steps.part,
            finished: self.steps.finished,
            commitments: self.setup.parts.iter().map(commitment).collect(),
            in_play: self.look().playing(),
            pot: self.pot,
            currency: self.setup.currency.clone(),
            round: times,
            now: self.current().map(|part| part.view(&self.look(), now)),
            podium: self.podium.clone(),
            teams: self.teams_view(),
        };
        GameSnapshot {
            seq: self.course.seq,
            at: now,
            game: game_name(),
            title: self.title.clone(),
            phase: self.course.phase,
            joined: self.people.roster.seated(),
            paused: self.steps.paused,
            left: open.filter(|_| self.steps.paused).map(|round| round.clock.left(now)),
            body: Body::of(&overview),
        }
    }

    /// A seat's own state; without a seat, a spectator's.
    pub(super) fn own_of(&self, seat: Option<Seat>) -> ToPlayer {
        let seat = seat.filter(|&seat| self.people.has_seat(seat));
        let standing = seat.map(|seat| self.ledger.line(seat).standing(self.look().is_kept_out(seat)));
        let (team, choice) = seat.map(|seat| self.own_team(seat)).unwrap_or_default();
        let mut body = Body::of(&Own {
            part: self.steps.part,
            standing,
            team,
            choice,
            time: seat.and_then(|seat| self.own_time(seat)),
            suspended: seat.and_then(|seat| self.ledger.suspensions().of(seat)),
        });
        if let (Some(seat), Some(part)) = (seat, self.current()) {
            body.0.extend(part.own(&self.look(), seat).0);
        }
        ToPlayer::GameOwn(GameOwn { body })
    }

    pub(super) fn view_figures(&self, now: Millis) -> GameFigures {
        let open = self.course.round.as_ref().filter(|_| self.course.phase == Phase::Question);
        GameFigures {
            question: self.course.round.as_ref().map(|round| round.id),
            total: self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.rounds())),
            joined: self.people.roster.seated(),
            alive: self.look().playing(),
            answers: self.current().map(Part::host_numbers).unwrap_or_default(),
            time_left: open.map(|round| self.closes().map_or_else(|| round.clock.left(now), |end| end.since(now))),
            paused: self.steps.paused,
            autopilot: self.steps.autopilot,
            next_step: self.steps.step,
        }
    }

    pub(super) fn find_players(&self, text: &str, limit: usize) -> Vec<PlayerLine> {
        let line = |seat: Seat| {
            let line = self.ledger.line(seat);
            Some(PlayerLine {
                seat,
                name: self.people.roster.name(seat)?.clone(),
                alive: self.look().plays(seat),
                lives: line.lives,
                score: line.score(),
            })
        };
        self.people.roster.find(text).filter_map(line).take(limit).collect()
    }
}
