//! A live show: one task that owns the game, processes the messages of gateways in order, and publishes nothing before
//! it is in the journal.
//!
//! Each turn takes the waiting messages, applies them, writes one batch of records, and then publishes the resulting
//! messages. So a thousand answers cost one claim, one record and one sync.

mod attendance;
mod audience;
mod bans;
mod barrier;
mod claims;
mod ending;
mod hosts;
mod inbox;
mod joins;
mod lease;
mod locations;
mod origins;
mod outage;
mod outbox;
mod periodic;
mod records;
mod stopping;
mod takeover;
mod writing;

use std::collections::BTreeSet;
use std::sync::Arc;

use klaxon_protocol::error::Refusal;
use klaxon_protocol::host::{AlertKind, FromHost, ShowLine};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, GatewayId, ShowId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::{Broadcast, Personal, ToEngine, ToGateway, View};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tracing::Instrument as _;

use self::audience::Audience;
use self::bans::Addresses;
use self::barrier::Barrier;
use self::claims::ClaimBatch;
use self::ending::Ending;
pub use self::ending::store;
pub use self::inbox::{InboxSender, NotQueued, ShowInbox, inbox};
use self::lease::ShowLease;
use self::outage::Outage;
use self::outbox::Outbox;
use self::periodic::Periodic;
use self::records::UnwrittenRecords;
use self::stopping::StopReason;
pub use self::takeover::{TakenOver, TakeoverError, take_over};
use crate::Ports;
use crate::bus::Received;
use crate::game::{Effect, Game};
use crate::leases::{HeldLease, LeaseLoss};

/// How many messages one turn takes at most.
const MAX_TURN: usize = 1024;
/// Longest time between two checks whether the show's task was stopped; only for a show that can lose its lease.
const CLOCK_CHECK: Span = Span(500);

/// A live show.
pub struct Show {
    id: ShowId,
    lease: ShowLease,
    game: Box<dyn Game>,
    ports: Ports,
    inbox: ShowInbox,
    /// The newest time that was passed to the game.
    now: Millis,
    audience: Audience,
    addresses: Addresses,
    records: UnwrittenRecords,
    outbox: Outbox,
    /// The current snapshot; cleared when the state changes.
    view: Option<Arc<View>>,
    /// The barrier of a closing round, until all gateways have passed it.
    barrier: Option<Barrier>,
    outage: Outage,
    periodic: Periodic,
    ending: Ending,
    /// Limits the concurrent reads of the journal by hosts.
    journal_reads: Arc<Semaphore>,
    status: watch::Sender<Option<Status>>,
}

/// A show's entry in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The show's phase.
    pub phase: Phase,
    /// Players with a seat.
    pub joined: u32,
}

impl Status {
    fn of(game: &dyn Game) -> Self {
        Self { phase: game.phase(), joined: game.joined() }
    }
}

/// What is needed to create a show.
pub struct NewShow {
    /// The show's id.
    pub id: ShowId,
    /// The token of its first lease.
    pub fence: Fence,
    /// When it was created.
    pub at: Millis,
    /// The first command of its journal.
    pub begin: Command,
    /// The id of the host's create command.
    pub command: CommandId,
    /// The game's initial state.
    pub game: Box<dyn Game>,
    /// The gateways that have players or hosts of it already.
    pub gateways: BTreeSet<GatewayId>,
}

impl Show {
    /// A new show. The host gets a reply once its first record is written.
    pub fn create(ports: Ports, inbox: ShowInbox, new: NewShow, host: ConnRef) -> Self {
        let NewShow { id, fence, at, begin, command, game, gateways } = new;
        let mut show = Self::new(ports, inbox, id, HeldLease::new(fence), game, at, Audience::of(gateways), 0);
        show.record(begin, Vec::new());
        show.reply_created(host, command);
        show
    }

    /// A show whose journal has `written` records.
    #[expect(clippy::too_many_arguments, reason = "each is another part of the show")]
    fn new(
        ports: Ports,
        inbox: ShowInbox,
        id: ShowId,
        lease: Arc<HeldLease>,
        game: Box<dyn Game>,
        now: Millis,
        audience: Audience,
        written: u64,
    ) -> Self {
        Self {
            id,
            lease: ShowLease::new(lease, Instant::now()),
            game,
            ports,
            inbox,
            now,
            audience,
            addresses: Addresses::default(),
            records: UnwrittenRecords::new(id, written),
            outbox: Outbox::new(id),
            view: None,
            barrier: None,
            outage: Outage::default(),
            periodic: Periodic::default(),
            ending: Ending::default(),
            journal_reads: hosts::journal_reads(),
            status: watch::channel(None).0,
        }
    }

    /// The show's status as of the journal; none until the first record is written.
    pub fn status(&self) -> watch::Receiver<Option<Status>> {
        self.status.subscribe()
    }

    /// The lease under which it is played.
    pub fn lease(&self) -> Arc<HeldLease> {
        self.lease.held()
    }

    /// Plays the show to its end, and keeps it for a while for late viewers. Returns true if it is unknown whether an
    /// engine holds the show: then it has to be taken over again, unless another engine has it.
    pub async fn run(self) -> bool {
        // A span at error level is enabled under every log filter, so each log line has the show's id.
        let span = tracing::error_span!("show", show = %self.id, round = tracing::field::Empty);
        self.play_to_the_end().instrument(span).await
    }

    async fn play_to_the_end(mut self) -> bool {
        let mut has_no_engine = false;
        match self.play().await {
            Ok(()) => self.release().await,
            Err(reason) => {
                has_no_engine = reason.leaves_no_engine();
                tracing::error!(%reason, "this engine can't continue the show");
                self.stop(&reason);
                self.ports.bus.release(self.id, false);
            }
        }
        self.inbox.close();
        self.ending.archived().await;
        has_no_engine
    }

    async fn play(&mut self) -> Result<(), StopReason> {
        let mut received = Vec::with_capacity(MAX_TURN);
        while !self.ending.is_over(self.now) {
            self.commit().await?;
            let due = self.ports.clock.instant(self.next_due());
            tokio::select! {
                biased;
                loss = self.lease.lost() => match loss {
                    LeaseLoss::Taken(_) => return Err(StopReason::Taken),
                    LeaseLoss::Forgotten(_) => self.retake_lease().await?,
                },
                // The channel is closed: the process stops, and its next start takes the show over.
                count = self.inbox.receive(&mut received, MAX_TURN) => if count == 0 { return Ok(()) },
                () = tokio::time::sleep_until(due) => {}
            }
            self.turn(&mut received).await?;
        }
        // Messages that have just arrived are still processed, so that their senders get the show's outcome.
        self.inbox.close();
        while self.inbox.receive(&mut received, MAX_TURN).await > 0 {
            self.turn(&mut received).await?;
        }
        self.commit().await
    }

    /// Frees what is kept of a show that is over; releases the lease of one that another engine can continue.
    async fn release(&mut self) {
        let (show, fence, is_over) = (self.id, self.lease.fence(), self.ending.is_over(self.now));
        self.ports.bus.release(show, is_over);
        let released = if is_over {
            match self.ports.journal.retire(show, fence).await {
                Ok(()) => self.ports.arbiter.forget(show, fence).await.map_err(StopReason::from),
                Err(error) => Err(error.into()),
            }
        } else {
            self.ports.arbiter.release(show, fence).await.map_err(StopReason::from)
        };
        match released {
            Ok(()) => tracing::debug!("the show is released"),
            Err(error) => tracing::warn!(%error, "the show could not be released; its lease runs out"),
        }
    }

    /// Processes messages, then timers. Nothing is sent before [`Self::commit`].
    async fn turn(&mut self, received: &mut Vec<Received>) -> Result<(), StopReason> {
        self.note_running();
        self.now = self.now.max(self.ports.clock.now());
        let count = received.len();
        self.process(received).await?;
        if let Some(barrier) = &mut self.barrier {
            barrier.processed(count);
        }
        self.do_what_is_due().await
    }

    /// Processes messages in order. Consecutive answers are claimed together.
    ///
    /// # Errors
    /// If the show's lease is lost.
    async fn process(&mut self, received: &mut Vec<Received>) -> Result<(), StopReason> {
        let mut claims = ClaimBatch::default();
        for Received { position, message, .. } in received.drain(..) {
            self.outbox.note_received(position);
            if !matches!(message, ToEngine::Answers(_)) {
                self.claim(&mut claims).await?;
            }
            match message {
                ToEngine::Answers(batch) => self.pre_check(batch, &mut claims),
                ToEngine::Join(request) => self.join(request),
                ToEngine::BarrierPassed { gateway, round, .. } => self.pass_barrier(gateway, round),
                ToEngine::Hello { gateway } | ToEngine::Attend { gateway, .. } => self.gateway_attends(gateway),
                ToEngine::Bye { gateway } | ToEngine::Leave { gateway, .. } => self.gateway_gone(gateway),
                ToEngine::Counts(counts) => self.periodic.set_counts(counts),
                ToEngine::Resync { conn, seat, .. } => self.resync(conn, seat),
                ToEngine::Gone { conn, seat, left, .. } => {
                    self.audience.disconnected(&*self.game, seat, conn, left, self.now);
                }
                ToEngine::Present(present) => self.audience.count_present(&*self.game, present, self.now),
                ToEngine::Reactions { counts, .. } => self.periodic.react(counts, self.now),
                ToEngine::Host { conn, message } => self.process_host(conn, message),
            }
        }
        self.publish_moves();
        self.claim(&mut claims).await
    }

    fn process_host(&mut self, conn: ConnRef, message: FromHost) {
        match message {
            // Repeated by a host who did not get the reply: the show exists already.
            FromHost::Create(create) => self.reply_created(conn, create.id),
            FromHost::CreateGame(create) => self.reply_created(conn, create.id),
            FromHost::Command(command) => self.do_command(conn, command.id, command.action),
            FromHost::FindPlayers(find) => self.find_players(conn, &find.name),
            FromHost::JournalTail(tail) => self.read_journal(conn, tail.last),
            FromHost::Shows | FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => {
                unreachable!("the router sends a show only what is about it")
            }
        }
    }

    fn next_due(&self) -> Millis {
        let barrier = self.barrier.as_ref().and_then(Barrier::deadline);
        let periodic = (!self.ending.has_ended()).then(|| self.periodic.due());
        let check = self.ports.bus.is_distributed().then(|| self.now + CLOCK_CHECK);
        let due = [self.game.deadline(), barrier, periodic, self.ending.lingers_until(), check].into_iter().flatten();
        due.min().expect("a show has an end, or figures to publish")
    }

    /// Processes ticks, the barrier, and periodic messages that are due.
    async fn do_what_is_due(&mut self) -> Result<(), StopReason> {
        while self.game.deadline().is_some_and(|due| due <= self.now) {
            self.try_apply(Command::Tick).map_err(StopReason::Stuck)?;
        }
        let queued = self.inbox.len();
        if let Some(barrier) = self.barrier.take_if(|barrier| barrier.is_done(self.now, queued)) {
            self.tally(barrier).await?;
        }
        self.publish_periodic_if_due();
        Ok(())
    }

    /// Applies a command that the rules must accept now.
    fn apply(&mut self, command: Command) {
        if let Err(refusal) = self.try_apply(command) {
            tracing::error!(%refusal, "the rules refused a command of the show itself");
        }
    }

    fn try_apply(&mut self, command: Command) -> Result<(), Refusal> {
        let before = self.game.phase();
        let effects = self.game.apply(self.now, &command)?;
        let events = crate::replay::recorded_events(&*self.game, &effects);
        self.record(command, events);
        if before != Phase::Closing {
            self.raise_barrier();
        }
        self.barrier.take_if(|barrier| Some(barrier.round) != self.game.closing());
        if !effects.is_empty() || before != self.game.phase() {
            self.view = None;
        }
        for effect in effects {
            self.send_effect(effect);
        }
        if before != Phase::Ended && self.game.phase() == Phase::Ended {
            self.end(self.now);
            self.publish_periodic();
        }
        Ok(())
    }

    fn end(&mut self, at: Millis) {
        self.ending.end(at, self.ports.archive.clone(), self.game.results(self.id));
    }

    fn record(&mut self, command: Command, events: Vec<ToPlayer>) {
        let state = self.game.state_hash();
        self.records.add(self.lease.fence(), self.now, command, events, state);
    }

    fn send_effect(&mut self, effect: Effect) {
        let show = self.id;
        let message = match effect {
            Effect::Tell(message, personal) => return self.broadcast(message, personal),
            Effect::TellSome(personal) => ToGateway::Own { show, personal },
            Effect::Dismiss(seat, code) => ToGateway::Dismiss { show, seat, code },
            Effect::Alert(alert) => return self.alert(alert),
        };
        self.outbox.send_to_all(message);
    }

    fn broadcast(&mut self, message: ToPlayer, personal: Option<Arc<Personal>>) {
        if let Some(round) = message.begins_round() {
            self.inbox.forget_lost_answers();
            tracing::Span::current().record("round", round.0);
        }
        self.outbox.send_to_all(ToGateway::Broadcast(Broadcast { show: self.id, message, personal }));
    }

    fn alert(&mut self, alert: AlertKind) {
        tracing::warn!(?alert, "the host is alerted");
        self.outbox.send_to_all(ToGateway::Alert { show: self.id, at: self.now, alert });
    }

    fn publish_status(&self) {
        let status = Some(Status::of(&*self.game));
        if self.status.send_if_modified(|known| std::mem::replace(known, status) != status) {
            self.ports.bus.update_directory(self.line());
        }
    }

    fn line(&self) -> ShowLine {
        let Status { phase, joined } = Status::of(&*self.game);
        ShowLine { show: self.id, code: self.game.code().clone(), title: self.game.title().to_owned(), phase, joined }
    }
}
