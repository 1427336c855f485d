//! A live show: one task that owns the game, takes what gateways send in the order in which it came, and lets nothing out before
//! the journal holds it.
//!
//! Each turn takes all that is waiting, applies it, writes one batch of records, and only then sends what came of it. So a
//! thousand answers cost one claim, one record and one sync.

mod answers;
mod archiving;
mod attendance;
mod bans;
mod barrier;
mod homes;
mod hosts;
mod inbox;
mod joins;
mod lost;
mod origins;
mod outage;
mod pulse;
mod recovery;
mod writing;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use klaxon_protocol::error::Refusal;
use klaxon_protocol::host::{AlertKind, ShowLine};
use klaxon_protocol::ids::{ConnRef, Fence, GatewayId, ShowId};
use klaxon_protocol::journal::{Command, CreateShow, Record};
use klaxon_protocol::link::{Broadcast, Personal, ToGateway};
use klaxon_protocol::player::{Phase, Snapshot, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use self::archiving::store;
use self::attendance::Attendance;
pub use self::attendance::Departure;
use self::barrier::Barrier;
use self::homes::Homes;
pub use self::inbox::{Reached, ToShow};
use self::lost::Lost;
use self::origins::Origins;
use self::pulse::Pulse;
pub use self::recovery::{Recovered, RecoveryError, recover};
use crate::Ports;
use crate::bus::{Address, BusError, StreamPosition, Takeover};
use crate::game::{Effect, Game};
use crate::leases::HeldLease;

/// How many messages one turn takes at most.
const TURN: usize = 1024;
/// How long an ended show can still be looked at.
const LINGER: Span = Span(10 * 60 * 1000);
/// How often a show that can lose its lease looks at the clock, at least.
const WATCH: Span = Span(500);

/// A live show.
pub struct Show {
    id: ShowId,
    fence: Fence,
    /// The same, for whoever renews it.
    lease: Arc<HeldLease>,
    game: Box<dyn Game>,
    ports: Ports,
    inbox: mpsc::UnboundedReceiver<Reached>,
    /// The gateways that hear the show; barriers wait for them.
    gateways: BTreeSet<GatewayId>,
    homes: Homes,
    attendance: Attendance,
    origins: Origins,
    /// New players who were refused for where they come from.
    refused_by_address: u64,
    /// Everything that gateways said up to here is dealt with.
    heard: StreamPosition,
    /// How much of that is written and said.
    committed: StreamPosition,
    /// The last time that the game was given.
    now: Millis,
    /// The number of the next record.
    next_record: u64,
    /// Records of this turn, not yet written.
    records: Vec<Record>,
    /// What this turn sends once its records are written.
    outbox: Vec<(Address, ToGateway)>,
    /// Shared by all who come in until something happens.
    snapshot: Option<Arc<Snapshot>>,
    barrier: Option<Barrier>,
    /// When the arbiter or the journal last did not answer.
    store_failed: Option<Millis>,
    /// When this show was last seen to run.
    awake: Instant,
    /// Whether it stood still for longer than a lease since the arbiter or the journal last agreed that the show is ours.
    stood_still: bool,
    pulse: Pulse,
    ended_at: Option<Millis>,
    /// The results on their way to the archive; whoever stops waits for them.
    archiving: JoinSet<()>,
    status: watch::Sender<Option<Status>>,
}

/// A show in a line, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Where it is.
    pub phase: Phase,
    /// Players with a seat.
    pub joined: u32,
}

impl Status {
    fn of(game: &dyn Game) -> Self {
        Self { phase: game.phase(), joined: game.joined() }
    }
}

/// A show that is to begin.
pub struct NewShow {
    /// Its id.
    pub id: ShowId,
    /// Its first lease.
    pub fence: Fence,
    /// When it was created.
    pub at: Millis,
    /// How.
    pub create: CreateShow,
    /// What came of it.
    pub game: Box<dyn Game>,
    /// Who hears it already.
    pub takeover: Takeover,
}

impl Show {
    /// A new show. The host hears of it once its first record is written.
    pub fn create(ports: Ports, inbox: mpsc::UnboundedReceiver<Reached>, new: NewShow, host: ConnRef) -> Self {
        let NewShow { id, fence, at, create, game, takeover } = new;
        let mut show = Self::around(ports, inbox, id, fence, game, at);
        show.gateways = takeover.gateways;
        let command = create.id.clone();
        show.record(Command::begin(create), Vec::new());
        show.say_created(host, command);
        show
    }

    fn around(
        ports: Ports,
        inbox: mpsc::UnboundedReceiver<Reached>,
        id: ShowId,
        fence: Fence,
        game: Box<dyn Game>,
        now: Millis,
    ) -> Self {
        Self {
            id,
            fence,
            lease: HeldLease::new(fence),
            game,
            ports,
            inbox,
            gateways: BTreeSet::new(),
            homes: Homes::default(),
            attendance: Attendance::default(),
            origins: Origins::default(),
            refused_by_address: 0,
            heard: StreamPosition::default(),
            committed: StreamPosition::default(),
            now,
            next_record: 0,
            records: Vec::new(),
            outbox: Vec::new(),
            snapshot: None,
            barrier: None,
            store_failed: None,
            awake: Instant::now(),
            stood_still: false,
            pulse: Pulse::default(),
            ended_at: None,
            archiving: JoinSet::new(),
            status: watch::channel(None).0,
        }
    }

    /// The show in a line, always as the journal has it; none until its first record is written.
    pub fn status(&self) -> watch::Receiver<Option<Status>> {
        self.status.subscribe()
    }

    /// The lease under which it is played.
    pub fn lease(&self) -> Arc<HeldLease> {
        Arc::clone(&self.lease)
    }

    /// Plays the show to its end, and a while longer for those who come late to look. True if nobody may have the show now, and it has
    /// to be taken up again unless another engine has it.
    pub async fn run(mut self) -> bool {
        let show = self.id;
        let mut is_orphan = false;
        match self.play().await {
            Ok(()) => self.leave().await,
            Err(error) => {
                is_orphan = matches!(error, Lost::StoodStill | Lost::Bus(BusError::Full));
                tracing::error!(%show, %error, "the show can't be played on by this engine");
                self.give_up(&error);
                self.ports.bus.release(show, false);
            }
        }
        self.inbox.close();
        while self.archiving.join_next().await.is_some() {}
        is_orphan
    }

    async fn play(&mut self) -> Result<(), Lost> {
        let mut taken = Vec::with_capacity(TURN);
        while !self.is_over() {
            self.commit().await?;
            let due = self.ports.clock.instant(self.next_due());
            tokio::select! {
                biased;
                // Nobody can send any more: the process goes down, and the next one takes the show up.
                count = self.inbox.recv_many(&mut taken, TURN) => if count == 0 { return Ok(()) },
                () = tokio::time::sleep_until(due.into()) => {}
            }
            self.turn(&mut taken).await?;
        }
        // Those who asked just now still hear how it ended.
        self.inbox.close();
        while self.inbox.recv_many(&mut taken, TURN).await > 0 {
            self.turn(&mut taken).await?;
        }
        self.commit().await
    }

    /// Frees what the show has, if it is over, or lets another engine play it on.
    async fn leave(&mut self) {
        let (show, fence) = (self.id, self.fence);
        self.ports.bus.release(show, self.is_over());
        let left = if self.is_over() {
            match self.ports.journal.retire(show, fence).await {
                Ok(()) => self.ports.arbiter.forget(show, fence).await.map_err(Lost::from),
                Err(error) => Err(error.into()),
            }
        } else {
            self.ports.arbiter.give_back(show, fence).await.map_err(Lost::from)
        };
        match left {
            Ok(()) => tracing::debug!(%show, "the show is left"),
            Err(error) => tracing::warn!(%show, %error, "what the show has could not be freed"),
        }
    }

    /// Does what was asked and what is due. Nothing of it leaves the show before [`Self::commit`].
    async fn turn(&mut self, taken: &mut Vec<Reached>) -> Result<(), Lost> {
        self.look_at_the_clock();
        self.now = self.now.max(self.ports.clock.now());
        let count = taken.len();
        self.take_all(taken).await?;
        if let Some(barrier) = &mut self.barrier {
            barrier.took(count);
        }
        self.do_what_is_due().await
    }

    fn is_over(&self) -> bool {
        self.ended_at.is_some_and(|ended| self.now >= ended + LINGER)
    }

    fn next_due(&self) -> Millis {
        let linger = self.ended_at.map(|ended| ended + LINGER);
        let barrier = self.barrier.as_ref().and_then(Barrier::limit);
        let pulse = self.ended_at.is_none().then(|| self.pulse.next_due());
        let watch = self.ports.bus.is_distributed().then(|| self.now + WATCH);
        [self.game.deadline(), barrier, pulse, linger, watch].into_iter().flatten().min().unwrap_or(self.now + LINGER)
    }

    /// Ticks, barriers and figures whose time has come.
    async fn do_what_is_due(&mut self) -> Result<(), Lost> {
        while self.game.deadline().is_some_and(|due| due <= self.now) {
            self.try_apply(Command::Tick).map_err(Lost::Stuck)?;
        }
        let reached = self.inbox.len();
        if self.barrier.as_mut().is_some_and(|barrier| barrier.is_done(self.now, reached)) {
            self.tally().await?;
        }
        self.beat();
        Ok(())
    }

    /// Applies a command that the rules can't refuse now.
    fn apply(&mut self, command: Command) {
        if let Err(refusal) = self.try_apply(command) {
            tracing::error!(show = %self.id, %refusal, "the rules refused what the show itself does");
        }
    }

    fn try_apply(&mut self, command: Command) -> Result<(), Refusal> {
        let before = self.game.phase();
        let effects = self.game.apply(self.now, &command)?;
        let events = crate::replay::told(&effects).cloned().collect();
        self.record(command, events);
        if before != Phase::Closing {
            self.raise_barrier();
        }
        self.barrier.take_if(|barrier| Some(barrier.question) != self.game.closing());
        if !effects.is_empty() || before != self.game.phase() {
            self.snapshot = None;
        }
        for effect in effects {
            self.send_effect(effect);
        }
        if before != Phase::Ended && self.game.phase() == Phase::Ended {
            self.ended_at = Some(self.now);
            self.beat_now();
            self.archive();
        }
        Ok(())
    }

    fn archive(&mut self) {
        if let Some(archive) = self.ports.archive.clone()
            && let Some(results) = self.game.results(self.id)
        {
            self.archiving.spawn(archiving::store(archive, results));
        }
    }

    fn record(&mut self, command: Command, events: Vec<ToPlayer>) {
        let state = self.game.state_hash();
        let (show, number, fence, at) = (self.id, self.next_record, self.fence, self.now);
        self.records.push(Record { show, number, fence, at, command, events, state });
        self.next_record += 1;
    }

    fn send_effect(&mut self, effect: Effect) {
        let show = self.id;
        let message = match effect {
            Effect::Tell(message, personal) => return self.broadcast(message, personal),
            Effect::TellSome(personal) => ToGateway::Own { show, personal },
            Effect::Dismiss(seat, code) => ToGateway::Dismiss { show, seat, code },
            Effect::Alert(alert) => return self.alert(alert),
        };
        self.outbox.push((Address::All, message));
    }

    fn broadcast(&mut self, message: ToPlayer, personal: Option<Arc<Personal>>) {
        let broadcast = Broadcast { show: self.id, message, personal };
        self.outbox.push((Address::All, ToGateway::Broadcast(broadcast)));
    }

    fn alert(&mut self, alert: AlertKind) {
        tracing::warn!(show = %self.id, ?alert, "the host is alerted");
        self.outbox.push((Address::All, ToGateway::Alert { show: self.id, at: self.now, alert }));
    }

    fn tell_status(&self) {
        let status = Some(Status::of(&*self.game));
        if self.status.send_if_modified(|told| std::mem::replace(told, status) != status) {
            self.ports.bus.update_directory(self.line());
        }
    }

    fn line(&self) -> ShowLine {
        let Status { phase, joined } = Status::of(&*self.game);
        ShowLine { show: self.id, code: self.game.code().clone(), title: self.game.title().to_owned(), phase, joined }
    }
}
