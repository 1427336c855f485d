//! What a player of bingo calls.

use std::collections::BTreeSet;

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::games::bingo::{Balls, BingoEvent, BingoOwn, BingoPrize, BingoView, TicketPrize};
use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::player::{Role, ToPlayer};
use rand::{Rng, RngExt};

use crate::audit::{Ticket, is_complete};
use crate::swarm::players::actions::{Action, RoundSeen, claim};
use crate::swarm::players::plan::PlayerPlan;
use crate::swarm::players::saying::Saying;

/// The probability that a player sees at once that a ticket has won. Those who do not leave prizes for others to call too late.
const SEES: f64 = 0.75;
/// The probability that a player calls a ticket that an earlier ball completed, whether or not that can still win.
const SLEEPER: f64 = 0.5;
/// The probability that a player calls a ticket that has not won: of most, and of those who cheat.
const ERRS: f64 = 0.004;
const CHEATS: f64 = 0.05;
/// The probability that one who cheats calls a ticket that lacks a single number.
const NEARLY: f64 = 0.5;

/// A player of bingo.
#[derive(Debug, Default)]
pub struct Caller {
    rules: Option<(Balls, Vec<BingoPrize>)>,
    tickets: Vec<Ticket>,
    drawn: Vec<u8>,
    gone: BTreeSet<u8>,
    /// What the last ball completed, and what earlier ones did: ticket and prize.
    fresh: BTreeSet<(u8, u8)>,
    before: BTreeSet<(u8, u8)>,
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
                    self.look_at_all();
                }
            }
            ToPlayer::GameEvent(event) => {
                if let Ok(told) = event.body.read::<BingoEvent>() {
                    self.take(told);
                } else if event.body.0.get("event").is_some_and(|name| name == "void") {
                    self.drawn.pop();
                    self.fresh.clear();
                }
            }
            _ => {}
        }
    }

    fn look(&mut self, view: BingoView) {
        let dealing = view.dealing;
        self.rules = Some((dealing.balls, dealing.prizes));
        self.drawn = view.drawn;
        self.gone = view.won.iter().map(|won| won.prize).collect();
        self.look_at_all();
    }

    /// Looks at all tickets anew, as one who comes in does.
    fn look_at_all(&mut self) {
        let drawn = std::mem::take(&mut self.drawn);
        (self.fresh, self.before) = (BTreeSet::new(), BTreeSet::new());
        for ball in drawn {
            self.mark(ball);
        }
    }

    /// Marks a ball. Only what has its number can be completed by it.
    fn mark(&mut self, ball: u8) {
        self.drawn.push(ball);
        self.before.append(&mut self.fresh);
        let Some((balls, prizes)) = &self.rules else { return };
        let has_it = |(_, ticket): &(u8, &Ticket)| ticket.iter().flatten().any(|&number| number == ball);
        let drawn: BTreeSet<u8> = self.drawn.iter().copied().collect();
        for (ticket, cells) in (0..).zip(&self.tickets).filter(has_it) {
            for (prize, wanted) in (0..).zip(prizes).filter(|(prize, _)| !self.gone.contains(prize)) {
                if !self.before.contains(&(ticket, prize)) && is_complete(cells, *balls, wanted, &drawn) {
                    self.fresh.insert((ticket, prize));
                }
            }
        }
    }

    fn take(&mut self, told: BingoEvent) {
        match told {
            BingoEvent::Dealing(dealing) => {
                *self = Self { rules: Some((dealing.balls, dealing.prizes)), ..Self::default() };
            }
            BingoEvent::Ball(ball) => self.mark(ball.ball),
            BingoEvent::Settled(settled) => self.gone.extend(settled.won.iter().map(|won| won.prize)),
            _ => {}
        }
    }

    /// What the player calls in the round of a ball, unordered.
    #[must_use]
    pub fn actions(&self, rng: &mut impl Rng, player: &PlayerPlan, round: &RoundSeen) -> Vec<Action> {
        let mut actions = Vec::new();
        if player.role == Role::Player {
            for call in self.calls(rng, player) {
                let other = self.any(rng);
                let [call, other] = [call, other].map(|call| {
                    Saying::of(ClaimForm::Claim, round.round, u8::try_from(call.key().0).unwrap_or_default())
                });
                actions.extend(claim(rng, player, round, &call, &other));
            }
        }
        actions
    }

    /// What the player takes for won.
    fn calls(&self, rng: &mut impl Rng, player: &PlayerPlan) -> Vec<TicketPrize> {
        if self.rules.is_none() {
            return Vec::new();
        }
        let fresh = self.fresh.iter().map(|&called| (called, SEES));
        let seen = fresh.chain(self.before.iter().map(|&called| (called, SLEEPER)));
        let mut calls = Vec::new();
        for ((ticket, prize), sees) in seen.filter(|((_, prize), _)| !self.gone.contains(prize)) {
            if rng.random_bool(sees) {
                calls.push(TicketPrize { ticket, prize });
            }
        }
        if rng.random_bool(if player.habits.cheats { CHEATS } else { ERRS }) {
            calls.push(self.any(rng));
        }
        if player.habits.cheats && rng.random_bool(NEARLY) {
            calls.extend(self.nearly(self.any(rng).ticket));
        }
        calls
    }

    /// A prize for which this ticket lacks a single number.
    fn nearly(&self, ticket: u8) -> Option<TicketPrize> {
        let (balls, prizes) = self.rules.as_ref()?;
        let cells = self.tickets.get(usize::from(ticket))?;
        let drawn: BTreeSet<u8> = self.drawn.iter().copied().collect();
        let lacks_one = |wanted: &BingoPrize| {
            let open = cells.iter().flatten().filter(|number| **number > 0 && !drawn.contains(*number));
            let with = |&number: &u8| drawn.iter().copied().chain([number]).collect();
            !is_complete(cells, *balls, wanted, &drawn)
                && open.map(with).any(|with| is_complete(cells, *balls, wanted, &with))
        };
        let mut near = (0..).zip(prizes).filter(|(prize, _)| !self.gone.contains(prize));
        near.find(|(_, wanted)| lacks_one(wanted)).map(|(prize, _)| TicketPrize { ticket, prize })
    }

    fn any(&self, rng: &mut impl Rng) -> TicketPrize {
        let prizes = self.rules.as_ref().map_or(0, |(_, prizes)| u8::try_from(prizes.len()).unwrap_or(32));
        let tickets = u8::try_from(self.tickets.len()).unwrap_or(6);
        TicketPrize { ticket: rng.random_range(0..tickets.max(1)), prize: rng.random_range(0..prizes.max(1)) }
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::{RoundId, Seq};
    use klaxon_protocol::player::{Body, GameEvent, GameOwn, Phase};
    use klaxon_protocol::time::Millis;
    use serde_json::{Value, json};

    use super::*;
    use crate::swarm::players::plan::tests::settings;
    use crate::swarm::players::plan::{Shares, SwarmPlan, SwarmSettings, rng};

    fn event(body: Value, round: Option<u16>) -> ToPlayer {
        let (phase, round) = (Phase::Question, round.map(RoundId));
        ToPlayer::GameEvent(GameEvent { seq: Seq(1), at: Millis(0), phase, round, body: Body::of(&body) })
    }

    /// How many of 400 players with the same ticket call its line after these balls.
    fn callers(drawn: &[u8], won: bool) -> usize {
        let mut caller = Caller::default();
        let prizes = json!([{ "name": "Line", "pattern": "top_line" }]);
        let settings_of_part = klaxon_protocol::games::bingo::BingoSettings::default();
        caller.hear(&event(
            json!({ "event": "dealing", "balls": 90, "tickets": 1, "prizes": prizes, "settings": settings_of_part, "commitment": "" }),
            None,
        ));
        let ticket = json!([[1, 0, 20, 0, 40, 0, 60, 0, 80], [0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]]);
        caller.hear(&ToPlayer::GameOwn(GameOwn { body: Body::of(&json!({ "tickets": [ticket] })) }));
        for (number, ball) in (1..).zip(drawn) {
            caller.hear(&event(json!({ "event": "ball", "ball": ball, "number_of_ball": number }), Some(number)));
        }
        if won {
            let won = json!([{ "prize": 0, "winners": [], "count": 1, "share": 0, "one_more": 0 }]);
            caller.hear(&event(json!({ "event": "settled", "round": 1, "won": won, "false_calls": 0 }), None));
        }
        let plan =
            SwarmPlan::new(&SwarmSettings { shares: Shares { cheats: 0.1, ..Shares::default() }, ..settings(7) });
        let calls = |player: &PlayerPlan| {
            let mut rng = rng(7, player.number, 1);
            !caller.calls(&mut rng, player).is_empty()
        };
        plan.players.iter().filter(|player| calls(player)).count()
    }

    #[test]
    fn most_call_what_the_last_ball_completed_fewer_what_an_earlier_one_did_and_some_cheat() {
        let early = callers(&[1, 20, 40], false);
        assert!(early < 15, "three of five: {early}");
        let nearly = callers(&[1, 20, 40, 60], false);
        assert!((early + 2..60).contains(&nearly), "some cheat with four of five: {nearly}");
        let now = callers(&[1, 20, 40, 60, 80], false);
        assert!((260..340).contains(&now), "{now}");
        let late = callers(&[1, 20, 40, 60, 80, 2], false);
        assert!((160..240).contains(&late), "{late}");
        assert!(callers(&[1, 20, 40, 60, 80], true) < 15, "the prize is gone");
    }
}
