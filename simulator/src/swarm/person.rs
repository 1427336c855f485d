//! A player at play: hears the show, does what was planned, and comes back whenever the connection is lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{Choice, QuestionId};
use klaxon_protocol::player::{
    Answer, AnswerReply, FromPlayer, Join, Phase, Ping, Question, React, Role, Snapshot, ToPlayer, Welcome,
};
use klaxon_protocol::time::{Millis, Span};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::World;
use super::connection::{Connection, Heard};
use super::deeds::{Deed, Device, What, deeds};
use super::habits::Mischief;
use super::mischief::{self, Intrusion, intrude};
use super::plan::{PlayerPlan, dice};
use crate::evidence::{Micros, PlayerNumber};

/// The shortest and the longest wait before a connection is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long a join may go unanswered.
const JOIN_PATIENCE: Duration = Duration::from_secs(10);
/// How often a player who was displaced by somebody else takes the show back.
const MOST_RETURNS: u32 = 3;

/// Plays the show to its end, or until `over` becomes true.
pub async fn live(world: Arc<World>, number: PlayerNumber, mut over: watch::Receiver<bool>) {
    let Some(plan) = world.plan.players.get(number.0 as usize).cloned() else { return };
    let mut person = Person::new(world, plan);
    tokio::select! {
        () = person.play() => {}
        // A sender that is gone says that it is over as well.
        _ = over.wait_for(|over| *over) => {}
    }
    person.go().await;
}

/// What a player will do besides deeds about a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chore {
    Open(Device),
    /// Give up a join that has no answer.
    GiveUp(Device),
    Beat,
    Leave,
}

/// The question that the player sees.
#[derive(Debug)]
struct Seen {
    question: Question,
    closed: bool,
    /// The first choice that was made here.
    wanted: Option<Choice>,
    /// Whether the server said what became of it.
    settled: bool,
}

/// A device with a connection.
struct Phone {
    connection: Connection,
    /// Whether the server has let it in.
    welcomed: bool,
}

struct Person {
    world: Arc<World>,
    plan: PlayerPlan,
    dice: ChaCha8Rng,
    first: Option<Phone>,
    second: Option<Phone>,
    /// Connections being made, which must not keep the other device waiting.
    openings: JoinSet<(Device, Option<Connection>)>,
    chores: Vec<(Instant, Chore)>,
    deeds: Vec<Deed>,
    seen: Option<Seen>,
    /// The server's clock less ours, in milliseconds.
    offset: i64,
    paused: bool,
    alive: bool,
    heartbeat: Duration,
    failures: u32,
    returns: u32,
    token: Option<String>,
    /// Those who come in this player's or another's name; gone with the player.
    intruders: JoinSet<()>,
    done: bool,
}

fn local() -> Millis {
    Millis(Micros::now().0 / 1000)
}

impl Person {
    fn new(world: Arc<World>, plan: PlayerPlan) -> Self {
        let start = Instant::now() + plan.joins_after;
        Self {
            // Question 0 is the plan, the largest is never asked.
            dice: dice(world.plan.seed, plan.number, u16::MAX),
            alive: plan.role == Role::Player,
            world,
            plan,
            first: None,
            second: None,
            openings: JoinSet::new(),
            chores: vec![(start, Chore::Open(Device::First))],
            deeds: Vec::new(),
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
                heard = hear(&mut self.first) => self.heard(Device::First, heard),
                heard = hear(&mut self.second) => self.heard(Device::Second, heard),
                Some(opened) = self.openings.join_next() => self.opened(opened).await,
                () = sleep_until(due) => self.act().await,
            }
        }
    }

    /// Closes what is open.
    async fn go(mut self) {
        self.intruders.shutdown().await;
        if self.dice.random_bool(0.5)
            && let Some(first) = &mut self.first
        {
            // It may be gone already; so are we.
            let _ = first.connection.say(&FromPlayer::Leave).await;
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

    /// When the next thing is to be done.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let server = self.server_now();
        let deeds = self.deeds.iter().filter(|_| !self.paused).map(|deed| now + deed.at.since(server).to_std());
        let chores = self.chores.iter().map(|(at, _)| *at);
        deeds.chain(chores).min().unwrap_or(now + Duration::from_secs(3600))
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
        if let Some(position) = self.deeds.iter().position(|deed| deed.at <= server && !self.paused) {
            let deed = self.deeds.swap_remove(position);
            self.perform(&deed).await;
        }
    }

    fn later(&mut self, after: Duration, chore: Chore) {
        self.chores.retain(|(_, other)| *other != chore);
        self.chores.push((Instant::now() + after, chore));
    }

    fn slot(&mut self, device: Device) -> &mut Option<Phone> {
        match device {
            Device::First => &mut self.first,
            Device::Second => &mut self.second,
        }
    }

    /// Whether the server has let this device in.
    fn is_in(&mut self, device: Device) -> bool {
        self.slot(device).as_ref().is_some_and(|phone| phone.welcomed)
    }

    fn lose(&mut self, device: Device) -> Option<Phone> {
        let lost = self.slot(device).take();
        if lost.is_some() {
            self.world.progress.connected.fetch_sub(1, Ordering::Relaxed);
        }
        lost
    }

    /// Comes back after a while: longer each time that it fails, and never all players at once.
    fn come_back(&mut self, device: Device) {
        self.lose(device);
        let doubled = BACKOFF.0 * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        let wait = doubled.min(BACKOFF.1).mul_f64(self.dice.random_range(0.5..1.0));
        self.later(wait, Chore::Open(device));
    }

    /// Begins to connect and to join, or to come back.
    fn open(&mut self, device: Device) {
        self.lose(device);
        let world = Arc::clone(&self.world);
        let (number, codec, honest) = (self.plan.number, self.plan.codec, self.plan.habits.honest());
        let join = FromPlayer::Join(Join {
            show: world.code.clone(),
            name: Some(self.plan.name.clone()),
            role: self.plan.role,
            token: None,
            resume: self.token.clone(),
        });
        self.openings.spawn(async move {
            let page = || world.ledger.open(number, codec, honest);
            let Ok(mut connection) = Connection::open(world.address, codec, page).await else { return (device, None) };
            let said = connection.say(&join).await;
            (device, said.is_ok().then_some(connection))
        });
    }

    async fn opened(&mut self, opened: Result<(Device, Option<Connection>), JoinError>) {
        let Ok((device, connection)) = opened else { return };
        let Some(connection) = connection else { return self.come_back(device) };
        self.lose(device);
        *self.slot(device) = Some(Phone { connection, welcomed: false });
        self.world.progress.connected.fetch_add(1, Ordering::Relaxed);
        self.say(device, &FromPlayer::Ping(Ping { sent: local() })).await;
        self.later(JOIN_PATIENCE, Chore::GiveUp(device));
    }

    fn give_up(&mut self, device: Device) {
        if self.slot(device).as_ref().is_some_and(|phone| !phone.welcomed) {
            self.come_back(device);
        }
    }

    fn welcome(&mut self, device: Device, welcome: &Welcome) {
        if let Some(phone) = self.slot(device) {
            phone.welcomed = true;
        }
        self.failures = 0;
        self.offset = welcome.now.0.cast_signed() - local().0.cast_signed();
        self.heartbeat = (welcome.heartbeat.to_std() / 3).max(Duration::from_secs(1));
        self.token = Some(welcome.resume.clone());
        self.world.keep_token(self.plan.number, &welcome.resume);
        self.later(self.heartbeat, Chore::Beat);
        if self.plan.habits.two_devices && self.second.is_none() && device == Device::First {
            let wait = Duration::from_millis(self.dice.random_range(100..1000));
            self.later(wait, Chore::Open(Device::Second));
        }
    }

    /// Shows that the connections are alive.
    async fn beat(&mut self) {
        for device in [Device::First, Device::Second] {
            self.say(device, &FromPlayer::Ping(Ping { sent: local() })).await;
        }
        self.later(self.heartbeat, Chore::Beat);
    }

    /// Says something on a device, if it is connected.
    async fn say(&mut self, device: Device, message: &FromPlayer) {
        self.say_bytes(device, self.plan.codec.encode(message)).await;
    }

    async fn say_bytes(&mut self, device: Device, bytes: Vec<u8>) {
        if let Some(phone) = self.slot(device)
            && phone.connection.say_bytes(bytes).await.is_err()
        {
            self.come_back(device);
        }
    }

    fn heard(&mut self, device: Device, heard: Heard) {
        let message = match heard {
            Heard::Message(message) => message,
            Heard::Unreadable => return,
            Heard::Closed => return self.come_back(device),
        };
        match &*message {
            ToPlayer::Welcome(welcome) => self.welcome(device, welcome),
            ToPlayer::Snapshot(snapshot) => self.see_snapshot(snapshot),
            ToPlayer::Question(question) => self.see(question),
            ToPlayer::Clock(clock) => self.move_clock(clock.question, clock.opens_at, clock.closes_at),
            ToPlayer::Pause(_) => self.paused = true,
            ToPlayer::Resume(resume) => {
                if let (Some(question), Some(opens), Some(closes)) =
                    (resume.question, resume.opens_at, resume.closes_at)
                {
                    self.move_clock(question, opens, closes);
                }
                self.paused = false;
                self.retry();
            }
            ToPlayer::Close(close) => self.close(close.question),
            ToPlayer::Void(void) => self.close(void.question),
            ToPlayer::You(you) => self.alive = you.alive,
            ToPlayer::Result(result) => self.alive = result.alive,
            ToPlayer::AnswerReply(reply) => self.settle(reply),
            ToPlayer::Pong(pong) => {
                let now = local().0.cast_signed();
                let trip = now - pong.sent.0.cast_signed();
                self.offset = pong.now.0.cast_signed() - (pong.sent.0.cast_signed() + trip / 2);
            }
            ToPlayer::End(_) => self.leave_soon(),
            ToPlayer::Goodbye(goodbye) => {
                self.lose(device);
                let wait = goodbye.retry.to_std().mul_f64(self.dice.random_range(1.0..2.0));
                self.later(wait, Chore::Open(device));
            }
            ToPlayer::Error(error) => self.refused(device, error.code),
            ToPlayer::Lobby(_)
            | ToPlayer::Opened(_)
            | ToPlayer::Reveal(_)
            | ToPlayer::Standings(_)
            | ToPlayer::Podium(_)
            | ToPlayer::Prize(_)
            | ToPlayer::Notice(_)
            | ToPlayer::Reactions(_) => {}
        }
    }

    fn refused(&mut self, device: Device, code: ErrorCode) {
        match code {
            code if is_final(code) => self.done = true,
            // A person would join anew.
            ErrorCode::BadToken => {
                self.token = None;
                self.come_back(device);
            }
            ErrorCode::UnknownShow | ErrorCode::NoCapacity => self.come_back(device),
            ErrorCode::Unavailable if !self.is_in(device) => self.come_back(device),
            // Somebody else has this player's token: take the show back, after a moment of wonder.
            ErrorCode::Displaced if !self.plan.habits.two_devices && self.returns < MOST_RETURNS => {
                self.returns += 1;
                let wonder = Duration::from_millis(self.dice.random_range(200..1500));
                self.later(wonder, Chore::Open(Device::First));
            }
            ErrorCode::RateLimited | ErrorCode::Unavailable => self.retry_after(Span(500)),
            _ => {}
        }
    }

    fn leave_soon(&mut self) {
        // What was won comes right behind the end.
        let wait = Duration::from_millis(self.dice.random_range(500..1000));
        if !self.chores.iter().any(|(_, chore)| *chore == Chore::Leave) {
            self.later(wait, Chore::Leave);
        }
    }

    fn see_snapshot(&mut self, snapshot: &Snapshot) {
        self.paused = snapshot.paused;
        if snapshot.phase == Phase::Ended {
            return self.leave_soon();
        }
        let Some(question) = &snapshot.question else { return };
        if snapshot.phase == Phase::Question {
            self.see(question);
            self.retry();
        } else {
            self.close(question.question);
        }
    }

    fn see(&mut self, question: &Question) {
        if self.seen.as_ref().is_some_and(|seen| seen.question.question >= question.question) {
            return self.move_clock(question.question, question.opens_at, question.closes_at);
        }
        self.world.progress.question.fetch_max(u32::from(question.question.0), Ordering::Relaxed);
        let right = self.world.key.right(question);
        let swarm = u32::try_from(self.world.plan.seats()).unwrap_or(u32::MAX);
        self.deeds.retain(|deed| deed.stubborn);
        self.deeds.extend(deeds(self.world.plan.seed, &self.plan, question, right, swarm));
        self.seen = Some(Seen { question: question.clone(), closed: false, wanted: None, settled: false });
    }

    /// The question's times have changed: all that was planned for it moves along.
    fn move_clock(&mut self, question: QuestionId, opens_at: Millis, closes_at: Millis) {
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == question) else { return };
        let before = seen.question.closes_at;
        seen.question.opens_at = opens_at;
        seen.question.closes_at = closes_at;
        for deed in self.deeds.iter_mut().filter(|deed| deed.question == question) {
            let moved = deed.at.0.saturating_add(closes_at.0).saturating_sub(before.0);
            deed.at = Millis(moved.max(if matches!(deed.what, What::Answer(..)) { opens_at.0 } else { 0 }));
        }
    }

    fn close(&mut self, question: QuestionId) {
        self.deeds.retain(|deed| deed.stubborn || deed.question != question);
        if let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == question) {
            seen.closed = true;
        }
    }

    fn settle(&mut self, reply: &AnswerReply) {
        if reply.code == Some(ErrorCode::Unavailable) {
            return self.retry_after(Span(500));
        }
        // After a pause the answer is sent again.
        if reply.code == Some(ErrorCode::Paused) {
            return;
        }
        if let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == reply.question) {
            seen.settled = true;
        }
    }

    /// Chose, and never heard what became of it: the same again.
    fn retry(&mut self) {
        self.retry_after(Span(0));
    }

    fn retry_after(&mut self, wait: Span) {
        let at = self.server_now() + wait;
        let Some(seen) = &self.seen else { return };
        if let (Some(choice), false, false) = (seen.wanted, seen.settled, seen.closed) {
            let question = seen.question.question;
            let at = at.max(seen.question.opens_at);
            self.deeds.push(Deed { at, question, stubborn: false, what: What::Answer(Device::First, choice) });
        }
    }

    async fn perform(&mut self, deed: &Deed) {
        match deed.what {
            What::Answer(device, choice) => {
                if let Some(seen) = self.seen.as_mut().filter(|seen| seen.question.question == deed.question)
                    && self.alive
                {
                    seen.wanted.get_or_insert(choice);
                    if !self.is_in(device) {
                        // Sent again when the show is seen again.
                        return;
                    }
                    self.answer(device, Answer { question: deed.question, choice }).await;
                }
            }
            What::React(_) if !self.is_in(Device::First) => {}
            What::React(emoji) => self.say(Device::First, &FromPlayer::React(React { emoji })).await,
            What::Drop(back) => {
                self.lose(Device::First);
                self.later(back.to_std(), Chore::Open(Device::First));
            }
            What::Mischief(mischief) => self.misbehave(mischief, deed.question).await,
        }
    }

    async fn answer(&mut self, device: Device, answer: Answer) {
        self.world.progress.answers.fetch_add(1, Ordering::Relaxed);
        self.say(device, &FromPlayer::Answer(answer)).await;
    }

    async fn misbehave(&mut self, mischief: Mischief, question: QuestionId) {
        let codec = self.plan.codec;
        let answer = Answer { question, choice: Choice(self.dice.random_range(0..2)) };
        let world = Arc::clone(&self.world);
        let own = self.plan.number;
        match mischief {
            Mischief::ForgesToken => {
                self.intruders.spawn(intrude(world, own, codec, Intrusion::Forged, answer));
            }
            Mischief::Steals(victim) => {
                self.intruders.spawn(intrude(world, victim, codec, Intrusion::Stolen, answer));
            }
            Mischief::AnswersUnjoined => {
                self.intruders.spawn(intrude(world, own, codec, Intrusion::Unjoined, answer));
            }
            Mischief::AnswersClosed => {
                let question = QuestionId(question.0.saturating_sub(1).max(1));
                self.answer(Device::First, Answer { question, ..answer }).await;
            }
            Mischief::AnswersEarly => self.answer(Device::First, answer).await,
            Mischief::AnswersWhenOut if self.alive => {}
            Mischief::AnswersWhenOut => self.answer(Device::First, answer).await,
            Mischief::ChoosesNothing => self.answer(Device::First, Answer { choice: Choice(77), ..answer }).await,
            Mischief::AnswersUnasked => self.say(Device::First, &mischief::unasked(answer.choice)).await,
            Mischief::ClaimsSeat(seat) => {
                self.say_bytes(Device::First, mischief::answer_for_seat(codec, answer, seat)).await;
            }
            Mischief::Floods => {
                for _ in 0..mischief::FLOOD {
                    self.say(Device::First, &mischief::flood_message()).await;
                }
            }
            Mischief::SendsTooMuch => self.say_bytes(Device::First, mischief::too_much()).await,
            Mischief::SendsNonsense => self.say_bytes(Device::First, mischief::nonsense(codec)).await,
            Mischief::SendsUnknownType => self.say_bytes(Device::First, mischief::unknown_type(codec)).await,
        }
    }
}

/// The next thing heard on a connection; never, if there is none.
async fn hear(phone: &mut Option<Phone>) -> Heard {
    match phone {
        Some(phone) => phone.connection.hear().await,
        None => std::future::pending().await,
    }
}

/// Whether there is no use in trying again.
const fn is_final(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::ShowEnded | ErrorCode::Removed | ErrorCode::Banned | ErrorCode::ShowFull)
}
