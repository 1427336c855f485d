//! What a player of bingo calls.

use std::collections::BTreeSet;

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::games::bingo::{Balls, BingoEvent, BingoOwn, BingoPrize, BingoView, LastBall, TicketPrize};
use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::player::{Role, ToPlayer};
use rand::{Rng, RngExt};

use crate::audit::{Ticket, is_complete};
use crate::swarm::players::actions::{Action, Told, around, claim};
use crate::swarm::players::plan::{PlayerPlan, rng};
use crate::swarm::players::saying::Saying;

/// The probability that a player sees at once that a ticket has won.
const SEES: f64 = 0.9;
/// The probability that a player calls a ticket that an earlier ball completed: where that can still win, and where not.
const SLEEPER: f64 = 0.5;
const TOO_LATE: f64 = 0.1;
/// The probability that a player calls a ticket that has not won: of most, and of those who cheat.
const ERRS: f64 = 0.004;
const CHEATS: f64 = 0.05;

/// A player of bingo.
#[derive(Debug, Default)]
pub struct Caller {
    rules: Option<(Balls, Vec<BingoPrize>, LastBall)>,
    tickets: Vec<Ticket>,
    drawn: Vec<u8>,
    gone: BTreeSet<u8>,
}

impl Caller {
    /// Takes in a message.
    pub fn hear(&mut self, message: &ToPlayer) {
        match message {
            ToPlayer::GameSnapshot(snapshot) => {
                let now = snapshot.body.read::<Overview>().ok().and_then(|overview| overview.now);
                if let Some(view) = now.and_then(|now| now.read::<BingoView>().ok()) {
                    self.look(view);
                }
            }
            ToPlayer::GameOwn(own) => {
                if let Ok(own) = own.body.read::<BingoOwn>()
                    && !own.tickets.is_empty()
                {
                    self.tickets = own.tickets;
                }
            }
            ToPlayer::GameEvent(event) => {
                if let Ok(told) = event.body.read::<BingoEvent>() {
                    self.take(told);
                } else if event.body.0.get("event").is_some_and(|name| name == "void") {
                    self.drawn.pop();
                }
            }
            _ => {}
        }
    }

    fn look(&mut self, view: BingoView) {
        let dealing = view.dealing;
        self.rules = Some((dealing.balls, dealing.prizes, dealing.settings.last_ball));
        self.drawn = view.drawn;
        self.gone = view.won.iter().map(|won| won.prize).collect();
    }

    fn take(&mut self, told: BingoEvent) {
        match told {
            BingoEvent::Dealing(dealing) => {
                *self = Self {
                    rules: Some((dealing.balls, dealing.prizes, dealing.settings.last_ball)),
                    ..Self::default()
                };
            }
            BingoEvent::Ball(ball) => {
                self.drawn.push(ball.ball);
            }
            BingoEvent::Settled(settled) => self.gone.extend(settled.won.iter().map(|won| won.prize)),
            _ => {}
        }
    }

    /// All that the player does in the round of a ball, unordered.
    #[must_use]
    pub fn actions(&self, seed: u64, player: &PlayerPlan, round: &Told, swarm: u32) -> Vec<Action> {
        let mut rng = rng(seed, player.number, round.round.0);
        let mut actions = Vec::new();
        if player.role == Role::Player {
            for call in self.calls(&mut rng, player) {
                let other = self.any(&mut rng);
                let [call, other] = [call, other].map(|call| {
                    Saying::of(ClaimForm::Claim, round.round, u8::try_from(call.key().0).unwrap_or_default())
                });
                actions.extend(claim(&mut rng, player, round, &call, &other));
            }
        }
        actions.extend(around(&mut rng, player, round, swarm));
        actions
    }

    /// What the player takes for won.
    fn calls(&self, rng: &mut impl Rng, player: &PlayerPlan) -> Vec<TicketPrize> {
        let (Some((balls, prizes, last_ball)), Some((_, before))) = (&self.rules, self.drawn.split_last()) else {
            return Vec::new();
        };
        let drawn: BTreeSet<u8> = self.drawn.iter().copied().collect();
        let before: BTreeSet<u8> = before.iter().copied().collect();
        let mut calls = Vec::new();
        for (ticket, cells) in (0..).zip(&self.tickets) {
            for (prize, wanted) in (0..).zip(prizes).filter(|(prize, _)| !self.gone.contains(prize)) {
                if !is_complete(cells, *balls, wanted, &drawn) {
                    continue;
                }
                let sees = match last_ball {
                    _ if !is_complete(cells, *balls, wanted, &before) => SEES,
                    LastBall::Any => SLEEPER,
                    LastBall::Required => TOO_LATE,
                };
                if rng.random_bool(sees) {
                    calls.push(TicketPrize { ticket, prize });
                }
            }
        }
        if rng.random_bool(if player.habits.cheats { CHEATS } else { ERRS }) {
            calls.push(self.any(rng));
        }
        calls
    }

    fn any(&self, rng: &mut impl Rng) -> TicketPrize {
        let prizes = self.rules.as_ref().map_or(0, |(_, prizes, _)| u8::try_from(prizes.len()).unwrap_or(32));
        let tickets = u8::try_from(self.tickets.len()).unwrap_or(6);
        TicketPrize { ticket: rng.random_range(0..tickets.max(1)), prize: rng.random_range(0..prizes.max(1)) }
    }
}
