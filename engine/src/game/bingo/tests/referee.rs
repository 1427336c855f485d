//! Whole games with drawn settings, tickets and calls, judged again by a referee who looks at cells and knows no bitboards: no valid call is
//! refused, no other is paid, all winners of a ball share to the last unit.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::bingo::{BingoSetup, CallBy, FalseCall, LastBall, ShareBy};
use klaxon_protocol::host::Action;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::near::Needed;
use super::table::{Table, bodies};

const SEATS: u32 = 12;
/// How many games are played; `GAMES=1000` plays a thousand.
const GAMES: u64 = 4;

/// Seat and ticket.
type Holder = (u32, u8);

#[test]
fn whole_games_are_played_by_the_book() {
    let games = std::env::var("GAMES").map_or(GAMES, |number| number.parse().expect("it is a number"));
    for game in 0..games {
        play(&mut ChaCha8Rng::seed_from_u64(game));
    }
}

fn one_of(names: &[&str], rng: &mut impl Rng) -> Value {
    names[rng.random_range(0..names.len())].into()
}

fn setup(rng: &mut impl Rng) -> Value {
    let (balls, patterns): (u8, &[&str]) = if rng.random() {
        (75, &["line", "two_lines", "four_corners", "x", "blackout"])
    } else {
        (90, &["early_five", "four_corners", "top_line", "full_house", "second_house", "third_house"])
    };
    let prizes: Vec<Value> = patterns
        .iter()
        .map(|name| json!({ "name": name, "pattern": name, "amount": rng.random_range(100..1000) }))
        .collect();
    let call = one_of(&["player", "player", "auto"], rng);
    let is_auto = call == "auto";
    let share = if is_auto { "all".into() } else { one_of(&["all", "first"], rng) };
    let false_call = if is_auto { "none".into() } else { one_of(&["none", "prize", "ticket", "round"], rng) };
    let limit = if false_call == "none" { 1 } else { rng.random_range(1..3) };
    let min_share = if share == "all" { rng.random_range(0..100) } else { 0 };
    json!({
        "balls": balls, "tickets": rng.random_range(1..=6), "prizes": prizes,
        "settings": {
            "call": call, "share": share, "false_call": false_call, "false_call_limit": limit, "min_share": min_share,
            "last_ball": one_of(&["required", "any"], rng), "one_prize_per_ticket": rng.random::<bool>(),
        },
    })
}

/// What the referee knows.
struct Referee {
    setup: BingoSetup,
    needed: BTreeMap<Holder, Vec<Needed>>,
    drawn: [bool; 91],
    gone: BTreeSet<u8>,
    /// Prizes that each ticket has won.
    won: BTreeSet<(Holder, u8)>,
    false_calls: BTreeMap<u32, u8>,
    barred: BTreeSet<(Holder, u8)>,
    winnings: BTreeMap<u32, u64>,
}

impl Referee {
    fn is_complete(&self, holder: Holder, prize: u8, without: Option<u8>) -> bool {
        let mut drawn = self.drawn;
        if let Some(ball) = without {
            drawn[usize::from(ball)] = false;
        }
        self.needed[&holder][usize::from(prize)].missing(&drawn) == 0
    }

    /// Why a call is refused before it is judged.
    fn refuses(&self, holder: Holder, prize: u8) -> Option<ErrorCode> {
        let houses = ["full_house", "second_house", "third_house"];
        let name = |prize: u8| self.setup.prizes[usize::from(prize)].name.as_str();
        let house = houses.iter().position(|house| *house == name(prize));
        let prizes = 0..self.setup.prizes.len() as u8;
        if self.setup.settings.call == CallBy::Auto {
            return Some(ErrorCode::BadChoice);
        }
        if self.gone.contains(&prize) {
            return Some(ErrorCode::TooLate);
        }
        if house.is_some_and(|house| house > 0 && !self.gone.iter().any(|&gone| name(gone) == houses[house - 1])) {
            return Some(ErrorCode::TooEarly);
        }
        let won_before = |other: u8| self.won.contains(&(holder, other));
        let won_house =
            house.is_some() && prizes.clone().any(|other| won_before(other) && houses.contains(&name(other)));
        let won_any = self.setup.settings.one_prize_per_ticket && prizes.clone().any(won_before);
        (won_house || won_any || self.barred.contains(&(holder, prize))).then_some(ErrorCode::NotInPlay)
    }

    /// Settles the calls of a ball. Returns the false ones.
    fn settle(&mut self, ball: u8, calls: &[(u64, Holder, u8)]) -> BTreeSet<(Holder, u8)> {
        let settings = self.setup.settings.clone();
        let (mut false_calls, mut winning) = (BTreeSet::new(), BTreeSet::new());
        for prize in 0..self.setup.prizes.len() as u8 {
            let mut valid: Vec<(u64, Holder)> = Vec::new();
            for &(at, holder, _) in calls.iter().filter(|call| call.2 == prize) {
                if !self.is_complete(holder, prize, None) {
                    false_calls.insert((holder, prize));
                } else if settings.last_ball == LastBall::Any || !self.is_complete(holder, prize, Some(ball)) {
                    valid.push((at, holder));
                }
            }
            valid.retain(|(_, holder)| !settings.one_prize_per_ticket || !winning.contains(holder));
            valid.sort_unstable();
            if settings.share == ShareBy::First {
                valid.truncate(1);
            }
            if valid.is_empty() {
                continue;
            }
            self.gone.insert(prize);
            let mut holders: Vec<Holder> = valid.into_iter().map(|(_, holder)| holder).collect();
            holders.sort_unstable();
            let (count, amount) = (holders.len() as u64, self.setup.prizes[usize::from(prize)].amount);
            let total = amount.max(count * settings.min_share);
            for (index, holder) in (0..).zip(holders) {
                *self.winnings.entry(holder.0).or_default() += total / count + u64::from(index < total % count);
                self.won.insert((holder, prize));
                winning.insert(holder);
            }
        }
        for &(_, holder, prize) in calls.iter().filter(|call| false_calls.contains(&(call.1, call.2))) {
            let made = self.false_calls.entry(holder.0).or_default();
            *made += 1;
            if *made < settings.false_call_limit {
                continue;
            }
            let tickets = 0..self.setup.tickets;
            for prize_barred in 0..self.setup.prizes.len() as u8 {
                match settings.false_call {
                    FalseCall::None => {}
                    FalseCall::Prize if prize_barred == prize => _ = self.barred.insert((holder, prize)),
                    FalseCall::Prize => {}
                    FalseCall::Ticket => _ = self.barred.insert((holder, prize_barred)),
                    FalseCall::Round => {
                        self.barred.extend(tickets.clone().map(|ticket| ((holder.0, ticket), prize_barred)));
                    }
                }
            }
        }
        false_calls
    }
}

fn play(rng: &mut ChaCha8Rng) {
    let part = setup(rng);
    let mut table = Table::new(part.clone(), SEATS, rng.random());
    table.next();
    table.play(&json!({ "close_dealing": true })).unwrap();
    let setup: BingoSetup = serde_json::from_value(part).unwrap();
    let mut needed = BTreeMap::new();
    for seat in 0..SEATS {
        for (ticket, rows) in (0..).zip(table.tickets(seat)) {
            needed.insert((seat, ticket), setup.prizes.iter().map(|prize| Needed::of(&rows, prize)).collect());
        }
    }
    let mut referee = Referee {
        setup,
        needed,
        drawn: [false; 91],
        gone: BTreeSet::new(),
        won: BTreeSet::new(),
        false_calls: BTreeMap::new(),
        barred: BTreeSet::new(),
        winnings: BTreeMap::new(),
    };
    let mut balls = Vec::new();
    while balls.len() < usize::from(referee.setup.balls.count()) && referee.gone.len() < referee.setup.prizes.len() {
        let ball = table.draw();
        referee.drawn[usize::from(ball)] = true;
        let calls = call(&mut table, &referee, ball, rng);
        let before = table.game.state_hash();
        if rng.random_bool(0.15) {
            void(&mut table, &calls, rng);
            referee.drawn[usize::from(ball)] = false;
            assert_ne!(table.game.state_hash(), before);
            continue;
        }
        assert!(!balls.contains(&ball));
        balls.push(ball);
        let false_calls = referee.settle(ball, &calls);
        let settled = bodies(&table.settle()).find(|body| body["event"] == "settled").unwrap();
        assert_eq!(settled["false_calls"], false_calls.len(), "{settled}");
        for seat in 0..SEATS {
            let won = referee.winnings.get(&seat).copied().unwrap_or_default();
            assert_eq!(table.own(seat)["winnings"], won, "seat {seat} after ball {ball}: {settled}");
        }
    }
    table.host(Action::End { pay: true }).unwrap();
    table.check_replay();
}

/// Calls of all kinds, each checked against what the referee lets through. If the server calls: what a ball completes.
fn call(table: &mut Table, referee: &Referee, ball: u8, rng: &mut impl Rng) -> Vec<(u64, Holder, u8)> {
    let mut calls = Vec::new();
    let prizes = referee.setup.prizes.len() as u8;
    for &holder in referee.needed.keys() {
        for prize in 0..prizes {
            let is_new = referee.is_complete(holder, prize, None) && !referee.is_complete(holder, prize, Some(ball));
            if referee.setup.settings.call == CallBy::Auto {
                assert_eq!(table.call(holder.0, holder.1, prize), Err(ErrorCode::BadChoice));
                let mut by_player = referee.setup.clone();
                by_player.settings.call = CallBy::Player;
                if is_new && may_win(referee, holder, prize, by_player) {
                    calls.push((0, holder, prize));
                }
                continue;
            }
            let chance = if is_new {
                0.8
            } else if referee.is_complete(holder, prize, None) {
                0.3
            } else {
                0.01
            };
            if !rng.random_bool(chance) {
                continue;
            }
            let called = table.call(holder.0, holder.1, prize);
            assert_eq!(called.err(), referee.refuses(holder, prize), "{holder:?} calls {prize}");
            if called.is_ok() {
                calls.push((table.now.0, holder, prize));
                assert_eq!(table.call(holder.0, holder.1, prize), Ok(()), "a call that is sent again counts as it did");
            }
        }
    }
    calls.sort_unstable_by_key(|&(_, holder, prize)| (holder, prize));
    calls
}

/// Whether a player's call would be let through.
fn may_win(referee: &Referee, holder: Holder, prize: u8, setup: BingoSetup) -> bool {
    let Referee { gone, won, barred, .. } = referee;
    let other = Referee {
        setup,
        needed: BTreeMap::new(),
        drawn: referee.drawn,
        gone: gone.clone(),
        won: won.clone(),
        false_calls: BTreeMap::new(),
        barred: barred.clone(),
        winnings: BTreeMap::new(),
    };
    other.refuses(holder, prize).is_none()
}

/// Takes the ball back while it can be called, or after it was settled: the next ball is the same, and all is as it was.
fn void(table: &mut Table, calls: &[(u64, Holder, u8)], rng: &mut impl Rng) {
    let (round, drawn) = (table.round(), table.view()["drawn"].as_array().unwrap().len());
    if rng.random() {
        table.settle();
    }
    table.host(Action::Void { reason: "The ball was read wrongly.".into() }).unwrap();
    assert_eq!(table.view()["drawn"].as_array().unwrap().len(), drawn - 1);
    assert_eq!(table.round(), round);
    if let Some(&(_, (seat, ticket), prize)) = calls.first() {
        let repeated = table.call(seat, ticket, prize);
        assert!(matches!(repeated, Ok(()) | Err(ErrorCode::Voided | ErrorCode::BadChoice)), "{repeated:?}");
    }
}
