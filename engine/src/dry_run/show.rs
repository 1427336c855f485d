//! The course of a show that is played dry: time goes from one thing that is due to the next.

use std::collections::VecDeque;

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::claim::{Claim, ClaimValue};
use klaxon_protocol::error::Refusal;
use klaxon_protocol::games::bingo::{BingoEvent, BingoOwn};
use klaxon_protocol::games::quiz::{Asked, Floor, Judgement, QuizEvent};
use klaxon_protocol::games::rundown::{Keep, Own, PartKind, RoundTimes, Setup, Standing};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{ClaimKey, CommandId, Name, PlayerId, RoundId, Seat, ShowCode};
use klaxon_protocol::journal::{Begun, BegunGame, BegunShow, Command, CountedClaim};
use klaxon_protocol::player::{Body, Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use serde_json::{Value, json};

use super::DryOptions;
use super::answers::{Answerer, answers};
use super::bingo::DryTickets;
use super::dice::Dice;
use super::report::{DryReport, Reporter};
use crate::game::{Effect, Game, Games, PreCheck};
use crate::show_file::PreparedShow;

const START: Millis = Millis(1_800_000_000_000);
/// How long the host needs to judge what a player says.
const JUDGING: Span = Span(3_000);
/// How long it takes until the public value is there.
const PUBLIC_VALUE: Span = Span(10_000);
/// The least time from when something can be claimed until a player does.
const REACTION: Span = Span(300);
/// How often a player knows the answer, in percent: from here on, and by how much more.
const SKILL: (u64, u64) = (30, 66);

/// A claim that will be made.
struct PlannedClaim {
    at: Millis,
    seat: Seat,
    claim: Claim,
}

pub(super) struct DryShow {
    setup: Setup,
    game: Box<dyn Game>,
    now: Millis,
    dice: Dice,
    /// By seat.
    skills: Vec<u64>,
    claims: VecDeque<PlannedClaim>,
    /// What the host will do in the part.
    plays: VecDeque<(Millis, Body)>,
    tickets: Option<DryTickets>,
    commands: u64,
    reporter: Reporter,
}

impl DryShow {
    /// The show with all players in its lobby, and the script running it.
    pub fn begin(show: &PreparedShow, options: DryOptions) -> Result<Self, Refusal> {
        let mut dice = Dice::of_seed(options.seed);
        let create = show.create(CommandId::parse("create").expect("this is an id"));
        let games = Games::default();
        let begun = BegunGame {
            id: create.id.clone(),
            code: ShowCode::parse("DRYRUN").expect("this is a code"),
            seed: options.seed,
            setup: games.prepare(&create.game, &create.setup, &mut || dice.bytes())?,
            game: create.game,
            title: create.title,
            seats: create.seats,
            barrier: create.barrier,
        };
        let rules = games.newest(&begun.game, true)?;
        let game = games.begin(START, Begun { rules, show: BegunShow::Game(&begun) })?;
        let seated = options.players.min(show.seats);
        let skills = (0..seated).map(|_| SKILL.0 + dice.below(SKILL.1)).collect();
        let reporter = Reporter::new(show, options, START);
        let mut dry = Self {
            setup: show.setup.clone(),
            game,
            now: START,
            dice,
            skills,
            claims: VecDeque::new(),
            plays: VecDeque::new(),
            tickets: None,
            commands: 0,
            reporter,
        };
        dry.host(Action::OpenLobby)?;
        dry.host(Action::Autopilot { on: true })?;
        for seat in (0..seated).map(Seat) {
            let player = PlayerId::parse(&format!("{}{seat}", PlayerId::GUEST)).expect("it is an id of a guest");
            let name = Name::parse(&format!("Player {}", seat.0 + 1)).expect("it is a name");
            dry.apply(&Command::Sit { seat, guest: true, who: Apart::known(Person { player, name }) })?;
        }
        Ok(dry)
    }

    /// Plays to the end.
    pub fn play(mut self) -> DryReport {
        while self.game.phase() != Phase::Ended {
            let claim = self.claims.front().map(|claim| claim.at);
            let play = self.plays.front().map(|(at, _)| *at);
            let Some(due) = [claim, play, self.game.deadline()].into_iter().flatten().min() else {
                self.unblock();
                continue;
            };
            self.now = self.now.max(due);
            if claim == Some(due) {
                self.claim_next();
            } else if play == Some(due) {
                if let Some((_, body)) = self.plays.pop_front()
                    && let Err(refusal) = self.host(Action::Play { body })
                {
                    self.reporter.blocked(&refusal);
                }
            } else {
                self.tick();
            }
        }
        self.look_at_part();
        let standings = self.standings();
        self.reporter.finish(self.now, &standings)
    }

    fn tick(&mut self) {
        let is_between = matches!(self.game.phase(), Phase::Lobby | Phase::Revealed);
        // What players have at the end of a part is only known before the next one takes it from them.
        let next = self.reporter.part().map_or(0, |part| part + 1);
        if is_between && self.setup.parts.get(next).is_some_and(|part| part.keep != Keep::default()) {
            let standings = self.standings();
            self.reporter.before_next_part(standings);
        }
        self.must(&Command::Tick);
        if let Some(round) = self.game.closing() {
            self.claims.clear();
            self.must(&Command::Tally { round, silent: Vec::new() });
        }
        self.look_at_part();
    }

    /// A command that no rule refuses.
    fn must(&mut self, command: &Command) {
        if let Err(refusal) = self.apply(command) {
            unreachable!("time can pass, and gateways can hand in: {refusal}")
        }
    }

    /// Nothing is due: a host would go on by hand.
    fn unblock(&mut self) {
        let step = if self.game.phase() == Phase::Closed { Action::Reveal } else { Action::Next };
        if self.host(step).is_ok() {
            return;
        }
        let skip = Action::Play { body: Body::of(&json!({ "skip": true })) };
        if let Err(refusal) = self.host(skip) {
            self.reporter.blocked(&refusal);
            let void = Action::Void { reason: "It can't go on.".into() };
            let end = Action::End { pay: true };
            let ended = self.host(void).and_then(|()| self.host(end.clone())).or_else(|_| self.host(end));
            assert!(ended.is_ok(), "a show can be ended: {ended:?}");
        }
    }

    fn host(&mut self, action: Action) -> Result<(), Refusal> {
        self.commands += 1;
        let id = CommandId::parse(&format!("dry-{}", self.commands)).expect("this is an id");
        self.apply(&Command::Host { id, action })?;
        if let Some(round) = self.game.closing() {
            self.claims.clear();
            self.must(&Command::Tally { round, silent: Vec::new() });
        }
        Ok(())
    }

    fn apply(&mut self, command: &Command) -> Result<(), Refusal> {
        for effect in self.game.apply(self.now, command)? {
            match effect {
                Effect::Tell(ToPlayer::GameEvent(event), _) => self.happens(&event.body),
                Effect::Tell(ToPlayer::Podium(podium), _) => self.reporter.podium(podium),
                _ => {}
            }
        }
        Ok(())
    }

    /// An event of a part.
    fn happens(&mut self, body: &Body) {
        let part = body.0.get("part").and_then(Value::as_u64).and_then(|part| usize::try_from(part).ok());
        let Some(part) = part.filter(|&part| part < self.setup.parts.len()) else { return };
        let times = body.read::<RoundTimes>().ok().filter(|_| body.0["event"] != "clock");
        if times.is_some() {
            self.reporter.round(part);
        }
        match &self.setup.parts[part].kind {
            PartKind::Quiz(_) => match (body.read(), times) {
                (Ok(QuizEvent::Question(asked)), Some(times)) => self.plan_answers(part, &asked, times),
                (Ok(QuizEvent::Floor(Floor { seat: Some(seat), .. })), _) => self.plan_judgement(part, seat),
                _ => {}
            },
            PartKind::Bingo(_) => match (body.read(), times) {
                (Ok(BingoEvent::Dealt(dealt)), _) => self.take_tickets(part, dealt.seats),
                (Ok(BingoEvent::Ball(ball)), Some(times)) => self.plan_calls(ball.ball, times),
                (Ok(BingoEvent::Settled(settled)), _) => {
                    for won in settled.won {
                        if let Some(tickets) = &mut self.tickets {
                            tickets.gone(won.prize);
                        }
                        self.reporter.won(part, &won);
                    }
                }
                _ => {}
            },
            PartKind::Preload(_) => {
                if let Some(times) = times {
                    self.plan_loading(times);
                }
            }
            _ => {}
        }
    }

    fn plan_answers(&mut self, part: usize, asked: &Asked, times: RoundTimes) {
        let PartKind::Quiz(quiz) = &self.setup.parts[part].kind else { return };
        let Some(question) = quiz.questions.get(usize::from(asked.number).wrapping_sub(1)).cloned() else { return };
        let open = times.closes_at.since(times.opens_at);
        let mut planned = Vec::new();
        for seat in (0..self.skills.len() as u32).map(Seat) {
            let standing = self.standing(seat);
            if standing.is_none_or(|standing| !standing.in_play) {
                continue;
            }
            let points = standing.map_or(0, |standing| standing.points);
            let player = Answerer { skill: self.skills[seat.index()], points };
            let after = self.reaction(open);
            for (key, value) in answers(&mut self.dice, &player, &question, asked) {
                planned.push((times.opens_at + after, seat, times.round, key, value));
            }
        }
        self.plan_claims(planned);
    }

    /// All load what they are to load.
    fn plan_loading(&mut self, times: RoundTimes) {
        let open = times.closes_at.since(times.opens_at);
        let planned = (0..self.skills.len() as u32).map(|seat| {
            (times.opens_at + self.reaction(open), Seat(seat), times.round, ClaimKey(0), ClaimValue::Bits(0))
        });
        let planned = planned.collect();
        self.plan_claims(planned);
    }

    /// How long a player takes in a round that is open for so long.
    fn reaction(&mut self, open: Span) -> Span {
        let most = u64::from(open.0) * 4 / 5;
        let after = u64::from(REACTION.0).min(most / 2) + self.dice.below(most / 2 + 1) + self.dice.below(most / 4 + 1);
        Span(u32::try_from(after).unwrap_or(open.0))
    }

    fn plan_claims(&mut self, planned: Vec<(Millis, Seat, RoundId, ClaimKey, ClaimValue)>) {
        let claim = |(at, seat, round, key, value)| PlannedClaim { at, seat, claim: Claim { round, key, value } };
        self.claims = planned.into_iter().map(claim).collect();
        self.claims.make_contiguous().sort_by_key(|planned| (planned.at, planned.seat));
    }

    fn plan_judgement(&mut self, part: usize, seat: Seat) {
        let skill = self.skills.get(seat.index()).copied().unwrap_or_default();
        // Those buzz who know, most of the time.
        let judge = if self.dice.chance(50 + skill / 2) { Judgement::Right } else { Judgement::Wrong };
        self.plan_play(part, JUDGING, Body::of(&json!({ "judge": judge })));
    }

    fn plan_play(&mut self, part: usize, wait: Span, body: Body) {
        self.reporter.waits_for_host(part);
        self.plays.push_back((self.now + wait, body));
    }

    fn take_tickets(&mut self, part: usize, seats: u32) {
        let PartKind::Bingo(bingo) = &self.setup.parts[part].kind else { return };
        let own = |seat| match self.game.own(Some(seat)) {
            ToPlayer::GameOwn(own) => own.body.read::<BingoOwn>().unwrap_or_default(),
            _ => BingoOwn::default(),
        };
        self.tickets = Some(DryTickets::dealt(bingo, (0..seats).map(Seat).map(own)));
        if bingo.public_value.is_some() {
            self.plan_play(part, PUBLIC_VALUE, Body::of(&json!({ "public_value": "a dry run" })));
        }
    }

    fn plan_calls(&mut self, ball: u8, times: RoundTimes) {
        let open = times.closes_at.since(times.opens_at);
        let calls = self.tickets.as_mut().map(|tickets| tickets.calls(&mut self.dice, ball)).unwrap_or_default();
        let planned = calls.into_iter().map(|(seat, call)| {
            (times.opens_at + self.reaction(open), seat, times.round, call.key(), ClaimValue::Bits(0))
        });
        let planned = planned.collect();
        self.plan_claims(planned);
    }

    fn claim_next(&mut self) {
        let Some(PlannedClaim { seat, claim, .. }) = self.claims.pop_front() else { return };
        let held = self.game.people().held(seat);
        // What the rules refuse at once costs nothing, and is not counted.
        if let PreCheck::MayCount { .. } = self.game.pre_check(held, &claim, self.now) {
            let Claim { round, key, value } = claim;
            let counted = CountedClaim { seat, key, value, at: self.now };
            let command = self.game.count(round, vec![counted]);
            self.must(&command);
        }
    }

    fn own(&self, seat: Option<Seat>) -> Option<Own> {
        match self.game.own(seat) {
            ToPlayer::GameOwn(own) => own.body.read().ok(),
            _ => None,
        }
    }

    fn standing(&self, seat: Seat) -> Option<Standing> {
        self.own(Some(seat))?.standing
    }

    fn standings(&self) -> Vec<Standing> {
        (0..self.skills.len() as u32).filter_map(|seat| self.standing(Seat(seat))).collect()
    }

    /// Notes if another part has begun.
    fn look_at_part(&mut self) {
        let part = self.own(None).and_then(|own| own.part).map(usize::from);
        if part != self.reporter.part()
            && let Some(part) = part
        {
            let standings = self.standings();
            self.reporter.part_begins(part, self.now, standings);
            self.tickets = None;
            self.plays.clear();
        }
    }
}
