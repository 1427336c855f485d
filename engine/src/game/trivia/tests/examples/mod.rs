//! docs/rules/trivia.md by examples, in files by its chapters.

mod access;
mod answers;
mod bans;
mod course;
mod elimination;
mod points;
mod prizes;
mod time;
mod told;
mod void;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Autopilot, Choice, Mode, NobodyLeft, Outcome, PrizeRule, QuestionId, Settings};
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{CommandId, GatewayId, Generation, Name, PlayerId, Seat, SeatRef};
use klaxon_protocol::journal::{Command, RulesVersion};
use klaxon_protocol::player::{Phase, Prize, Role, ToPlayer};
use klaxon_protocol::time::Span;

use super::play::{Play, RIGHT, WRONG, settings};
use crate::game::{Entry, Game, PreCheck};

fn points() -> Settings {
    Settings { mode: Mode::Points, prize: PrizeRule::Podium { weights: vec![50, 30, 20] }, ..settings() }
}

fn void(play: &mut Play) {
    play.host(Action::Void { reason: "A typo.".into() });
}
