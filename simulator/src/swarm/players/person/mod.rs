//! A player: receives the show, carries out planned actions, and reconnects when the connection is lost.

mod conduct;
mod devices;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::player::{FromPlayer, Phase, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::actions::{Action, Device};
use super::connection::{PlayerConnection, Received};
use super::plan::{PlayerPlan, rng};
use super::saying::Saying;
use super::world::World;
use crate::evidence::{GatewayNumber, Micros, PlayerNumber};
use crate::messages::{RoundNews, RoundTimes, time_of};
use crate::swarm::games::Hand;

/// How often a player whose connection was displaced by an intruder reconnects.
const MOST_RETURNS: u32 = 3;

/// Plays the show to its end, or until `over` is true.
pub async fn live(world: Arc<World>, number: PlayerNumber, mut over: watch::Receiver<bool>) {
    let Some(plan) = world.plan.players.get(number.0 as usize).cloned() else { return };
    let mut person = Person::new(world, plan);
    tokio::select! {
        () = person.play() => {}
        // A dropped sender ends it as well.
        _ = over.wait_for(|over| *over) => {}
    }
    person.go().await;
}

/// A scheduled action that is independent of rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chore {
    Open(Device),
    /// Gives up a join without a reply.
    GiveUp(Device),
    Beat,
    Leave,
}

/// The last round that the player received.
#[derive(Debug)]
struct SeenRound {
    times: RoundTimes,
    closed: bool,
    /// What was claimed on this player's devices: of each claim the first value.
    wanted: Vec<Wanted>,
}

/// A claim that the player made.
#[derive(Debug)]
struct Wanted {
    saying: Saying,
    /// Whether the server replied to it.
    settled: bool,
}

/// A device with a connection.
struct Phone {
    connection: PlayerConnection,
    /// Whether this device was welcomed.
    welcomed: bool,
}

struct Person {
    world: Arc<World>,
    plan: PlayerPlan,
    rng: ChaCha8Rng,
    first: Option<Phone>,
    second: Option<Phone>,
    /// The gateway of each device; different at first.
    gateways: [GatewayNumber; 2],
    /// The device that was welcomed last, and so receives the events.
    shown: Device,
    /// Connections that are being opened, in tasks of their own so that they don't delay the other device.
    openings: JoinSet<(Device, Option<PlayerConnection>)>,
    chores: Vec<(Instant, Chore)>,
    actions: Vec<Action>,
    /// The player's part of the game.
    hand: Hand,
    seen: Option<SeenRound>,
    /// The server's clock minus the local one, in milliseconds.
    offset: i64,
    paused: bool,
    alive: bool,
    heartbeat: Duration,
    failures: u32,
    returns: u32,
    token: Option<String>,
    /// Intruders in this player's or another's name; they end with the player.
    intruders: JoinSet<()>,
    done: bool,
}

fn local() -> Millis {
    Millis(Micros::now().0 / 1000)
}

impl Person {
    fn new(world: Arc<World>, plan: PlayerPlan) -> Self {
        let start = Instant::now() + plan.joins_after;
        let gateway = world.gateways.first_for(world.plan.seed, plan.number);
        Self {
            // Round 0 is used for the plan; the largest number is never a round.
            rng: rng(world.plan.seed, plan.number, u16::MAX),
            alive: plan.role == Role::Player,
            gateways: [gateway, world.gateways.beside(gateway)],
            hand: Hand::new(&world.known),
            world,
            plan,
            first: None,
            second: None,
            shown: Device::First,
            openings: JoinSet::new(),
            chores: vec![(start, Chore::Open(Device::First))],
            actions: Vec::new(),
            seen: None,
            offset: 0,
            paused: false,
            heartbeat: Duration::from_secs(20),
            failures: 0,
            returns: 0,
            token: None,
            intruders: JoinSet::new(),
            done: false,
        }
    }

    async fn play(&mut self) {
        while !self.done {
            let due = self.due();
            tokio::select! {
                received = receive(&mut self.first) => self.received(Device::First, received),
                received = receive(&mut self.second) => self.received(Device::Second, received),
                Some(opened) = self.openings.join_next() => self.opened(opened).await,
                () = sleep_until(due) => self.act().await,
            }
        }
    }

    /// Closes all connections.
    async fn go(mut self) {
        self.intruders.shutdown().await;
        if self.rng.random_bool(0.5)
            && let Some(first) = &mut self.first
        {
            // Fails if the connection is closed already.
            let _ = first.connection.send(&FromPlayer::Leave).await;
        }
        for device in [Device::First, Device::Second] {
            if let Some(phone) = self.lose(device) {
                phone.connection.close().await;
            }
        }
        self.world.progress.left.fetch_add(1, Ordering::Relaxed);
    }

    fn server_now(&self) -> Millis {
        Millis(local().0.saturating_add_signed(self.offset))
    }

    /// When the next action is due.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let server = self.server_now();
        let actions = self.actions.iter().filter(|_| !self.paused).map(|action| now + action.at.since(server).to_std());
        let chores = self.chores.iter().map(|(at, _)| *at);
        actions.chain(chores).min().unwrap_or(now + Duration::from_secs(3600))
    }

    async fn act(&mut self) {
        let now = Instant::now();
        if let Some(position) = self.chores.iter().position(|(at, _)| *at <= now) {
            match self.chores.swap_remove(position).1 {
                Chore::Open(device) => self.open(device),
                Chore::GiveUp(device) => self.give_up(device),
                Chore::Beat => self.beat().await,
                Chore::Leave => self.done = true,
            }
            return;
        }
        let server = self.server_now();
        if let Some(position) = self.actions.iter().position(|action| action.at <= server && !self.paused) {
            let action = self.actions.swap_remove(position);
            self.perform(&action).await;
        }
    }

    fn later(&mut self, after: Duration, chore: Chore) {
        self.chores.retain(|(_, other)| *other != chore);
        self.chores.push((Instant::now() + after, chore));
    }

    fn received(&mut self, device: Device, received: Received) {
        let message = match received {
            Received::Message(message) => message,
            Received::Unreadable => return,
            Received::Closed => return self.come_back(device),
        };
        if let Some(in_play) = self.hand.hear(&self.world.known, &message) {
            self.alive = in_play && self.plan.role == Role::Player;
        }
        match RoundNews::of(&message) {
            Some(RoundNews::Begins(times)) => self.see(times, time_of(&message).unwrap_or(times.opens_at)),
            Some(RoundNews::Moved(times)) => self.move_clock(times),
            Some(RoundNews::Closed(round) | RoundNews::Voided(round)) => self.close(round),
            Some(RoundNews::Revealed(_)) | None => {}
        }
        match &*message {
            ToPlayer::Welcome(welcome) => self.welcome(device, welcome),
            ToPlayer::Snapshot(snapshot) => {
                let round = snapshot.question.as_ref().map(|asked| RoundTimes {
                    round: asked.question,
                    opens_at: asked.opens_at,
                    closes_at: asked.closes_at,
                });
                self.see_snapshot(snapshot.phase, snapshot.paused, round, snapshot.at);
            }
            ToPlayer::GameSnapshot(snapshot) => {
                let round = snapshot.body.read::<Overview>().ok().and_then(|overview| overview.round);
                let round = round.map(|times| RoundTimes {
                    round: times.round,
                    opens_at: times.opens_at,
                    closes_at: times.closes_at,
                });
                self.see_snapshot(snapshot.phase, snapshot.paused, round, snapshot.at);
            }
            ToPlayer::Pause(_) => self.paused = true,
            ToPlayer::Resume(_) => {
                self.paused = false;
                self.retry();
            }
            ToPlayer::AnswerReply(_) | ToPlayer::ClaimReply(_) => self.settle(&message),
            ToPlayer::Pong(pong) => {
                let now = local().0.cast_signed();
                let trip = now - pong.sent.0.cast_signed();
                self.offset = pong.now.0.cast_signed() - (pong.sent.0.cast_signed() + trip / 2);
            }
            ToPlayer::End(_) => self.leave_soon(),
            ToPlayer::Goodbye(goodbye) => {
                self.lose(device);
                let to = goodbye.to.as_deref().and_then(|url| self.world.gateways.named(url));
                self.choose_gateway(device, to);
                let wait = goodbye.retry.to_std().mul_f64(self.rng.random_range(1.0..2.0));
                self.later(wait, Chore::Open(device));
            }
            ToPlayer::Error(error) => self.refused(device, error.code),
            ToPlayer::Lobby(_)
            | ToPlayer::Opened(_)
            | ToPlayer::Question(_)
            | ToPlayer::Clock(_)
            | ToPlayer::Close(_)
            | ToPlayer::Void(_)
            | ToPlayer::Reveal(_)
            | ToPlayer::Standings(_)
            | ToPlayer::Podium(_)
            | ToPlayer::Prize(_)
            | ToPlayer::Notice(_)
            | ToPlayer::Reactions(_)
            | ToPlayer::Paused(_)
            | ToPlayer::You(_)
            | ToPlayer::Result(_)
            | ToPlayer::GameOwn(_)
            | ToPlayer::GameEvent(_) => {}
        }
    }

    fn refused(&mut self, device: Device, code: ErrorCode) {
        match code {
            code if is_final(code) => self.done = true,
            // A person would join as a new player.
            ErrorCode::BadToken => {
                self.token = None;
                self.come_back(device);
            }
            ErrorCode::UnknownShow | ErrorCode::NoCapacity => self.come_back(device),
            ErrorCode::Unavailable if !self.is_in(device) => self.come_back(device),
            // The own devices did not cause this, so an intruder has this player's token: reconnect after a moment.
            ErrorCode::Displaced if device == self.shown && self.returns < MOST_RETURNS => {
                self.returns += 1;
                let wonder = Duration::from_millis(self.rng.random_range(200..1500));
                self.later(wonder, Chore::Open(device));
            }
            ErrorCode::RateLimited | ErrorCode::Unavailable => self.retry_after(Span(500)),
            _ => {}
        }
    }

    fn leave_soon(&mut self) {
        // The prize directly follows the end.
        let wait = Duration::from_millis(self.rng.random_range(500..1000));
        if !self.chores.iter().any(|(_, chore)| *chore == Chore::Leave) {
            self.later(wait, Chore::Leave);
        }
    }

    fn see_snapshot(&mut self, phase: Phase, paused: bool, round: Option<RoundTimes>, at: Millis) {
        self.paused = paused;
        match (phase, round) {
            (Phase::Ended, _) => self.leave_soon(),
            (Phase::Question, Some(times)) => {
                self.see(times, at);
                self.retry();
            }
            (_, Some(times)) => self.close(times.round),
            // A rundown's snapshot has no round that is not open.
            (_, None) => {
                let last = self.seen.as_ref().map(|seen| seen.times.round);
                last.into_iter().for_each(|last| self.close(last));
            }
        }
    }
}

/// Receives on a connection; never returns without one.
async fn receive(phone: &mut Option<Phone>) -> Received {
    match phone {
        Some(phone) => phone.connection.receive().await,
        None => std::future::pending().await,
    }
}

/// Whether the error can't be solved by repeating.
const fn is_final(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::ShowEnded | ErrorCode::Removed | ErrorCode::Banned | ErrorCode::ShowFull)
}
