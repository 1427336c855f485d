//! The link to the engines: the only place where the gateway names the engine's crate.
//!
//! One task reads what engines say and hands it to the shards and to the hosts' desk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::host::{ResumeToken, ToHost};
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::link::{Broadcast, Reissued, ReplyBatch, ToEngine, ToGateway};
use tokio::sync::watch;

use crate::hub::{Barrier, Census, Common, Event, ForShard};
use crate::session::Holder;
use crate::transport::{ConnKey, Stage};

pub use klaxon_engine::bus::GatewayEnd;
pub use klaxon_engine::clock::Clock;

/// Where hosts sit: hears all that concerns them, with this gateway's figures filled in if it is the only one.
pub trait Desk: Send + Sync {
    /// Hears a `Host`, `Figures`, `Alert`, `Running` or `Broadcast` (without its personal part). Must not wait.
    fn hear(&self, message: ToGateway);

    /// The shows that hosts here watch.
    fn watched(&self) -> BTreeSet<ShowId>;

    /// Of all other shows nothing is heard here from now on.
    fn forget_all_but(&self, shows: &BTreeSet<ShowId>);
}

/// How often emojis, and what else is counted here, are summed up for the engine.
const SUM_UP_EVERY: Duration = Duration::from_millis(500);
/// How often the bus is told which shows nobody here needs to hear any more.
const ATTEND_EVERY: Duration = Duration::from_secs(5);

/// A gateway's link.
pub(crate) struct Link {
    pub end: Arc<dyn GatewayEnd>,
    pub desk: Arc<dyn Desk>,
    pub common: Arc<Common>,
}

impl Link {
    /// Hands on what engines say until the gateway stops or no engine can say anything.
    pub async fn run(self, mut stage: watch::Receiver<Stage>) {
        let mut summing = tokio::time::interval(SUM_UP_EVERY);
        let mut attending = tokio::time::interval(ATTEND_EVERY);
        let mut heard = Vec::new();
        loop {
            tokio::select! {
                more = self.end.receive(&mut heard) => {
                    heard.drain(..).for_each(|message| self.hand_on(message));
                    if !more {
                        return;
                    }
                }
                _ = summing.tick() => self.sum_up(),
                _ = attending.tick(), if self.end.is_distributed() => self.attend(),
                _ = stage.wait_for(|stage| matches!(stage, Stage::Stopped)) => return,
            }
        }
    }

    fn sum_up(&self) {
        for (show, counts) in self.common.figures.take_reactions() {
            self.end.send(ToEngine::Reactions { show, counts });
        }
        if self.end.is_distributed() {
            for counts in self.common.figures.counts(self.end.id()) {
                self.end.send(ToEngine::Counts(counts));
            }
        }
    }

    /// Lets go of the shows in which nobody here is. Not while somebody is on the way into one: which is not known yet.
    fn attend(&self) {
        self.common.arrivals.if_none(|| {
            let mut shows = self.common.figures.shows();
            shows.extend(self.desk.watched());
            self.end.retain_subscriptions(&shows);
            self.desk.forget_all_but(&shows);
            // A host may have begun to watch another meanwhile.
            self.desk.watched().difference(&shows).for_each(|&show| self.end.subscribe(show));
        });
    }

    fn hand_on(&self, message: ToGateway) {
        let shard = |key: ConnKey, message| self.common.outside.shard(key.shard, message);
        match message {
            ToGateway::Seated(seated) => {
                shard(ConnKey::from_wire(seated.conn.conn), ForShard::Seated(Box::new(seated)));
            }
            ToGateway::Resynced(resynced) => {
                shard(ConnKey::from_wire(resynced.conn.conn), ForShard::Resynced(Box::new(resynced)));
            }
            ToGateway::JoinRefused { conn, error } => {
                let key = ConnKey::from_wire(conn.conn);
                shard(key, ForShard::JoinRefused(key, error));
            }
            ToGateway::Replies(batch) => self.sort_replies(batch),
            ToGateway::Broadcast(broadcast) => {
                let Broadcast { show, ref message, .. } = broadcast;
                let for_hosts = Broadcast { show, message: message.clone(), personal: None };
                let event = Arc::new(Event::new(broadcast));
                self.all(|| ForShard::Event(show, Arc::clone(&event)));
                self.desk.hear(ToGateway::Broadcast(for_hosts));
            }
            ToGateway::Own { show, personal } => {
                let event = Arc::new(Event::own_only(personal));
                self.all(|| ForShard::Event(show, Arc::clone(&event)));
            }
            ToGateway::Barrier { show, question } => {
                // So that the engine knows, before it tallies, what was lost here.
                if self.end.is_distributed()
                    && let Some(counts) = self.common.figures.counts_of(self.end.id(), show)
                {
                    self.end.send(ToEngine::Counts(counts));
                }
                let barrier = Arc::new(Barrier::new(show, question, self.common.settings.shards));
                self.all(|| ForShard::Barrier(Arc::clone(&barrier)));
            }
            ToGateway::Dismiss { show, seat, code } => self.all(|| ForShard::Dismiss(show, seat, code)),
            ToGateway::Figures(mut figures) => {
                // What several gateways count the engine has summed up.
                if !self.end.is_distributed()
                    && let Some(here) = self.common.figures.look(figures.show)
                {
                    here.fill(&mut figures);
                }
                self.desk.hear(ToGateway::Figures(figures));
            }
            ToGateway::Moved { show, seats, to } => {
                if to != self.end.id() {
                    let seats: Arc<[_]> = seats.into();
                    self.all(|| ForShard::Moved(show, Arc::clone(&seats)));
                }
            }
            ToGateway::Census { show, census } => {
                let census = Arc::new(Census::new(show, census, self.common.settings.shards));
                self.all(|| ForShard::Census(Arc::clone(&census)));
            }
            ToGateway::Said { show, seq } => self.all(|| ForShard::Said(show, seq)),
            ToGateway::Reissued(reissued) => {
                let Reissued { conn, command: id, show, seat, code, player, name, issue } = reissued;
                let holder = Holder { code: &code, show, player: &player, name: &name, issue };
                let resume = self.common.doors.resume_token(holder, Clock::of_process().now());
                let message = ToHost::ResumeToken(ResumeToken { id, show, seat, resume });
                self.desk.hear(ToGateway::Host { conn, message });
            }
            for_hosts @ (ToGateway::Host { .. } | ToGateway::Alert { .. } | ToGateway::Running { .. }) => {
                self.desk.hear(for_hosts)
            }
        }
    }

    fn all(&self, message: impl Fn() -> ForShard) {
        for shard in (0..=u8::MAX).take(self.common.settings.shards) {
            self.common.outside.shard(shard, message());
        }
    }

    fn sort_replies(&self, batch: ReplyBatch) {
        let mut by_shard = vec![Vec::new(); self.common.settings.shards];
        for reply in batch.replies {
            if let Some(replies) = by_shard.get_mut(usize::from(ConnKey::from_wire(reply.conn).shard)) {
                replies.push(reply);
            }
        }
        for (shard, replies) in (0..=u8::MAX).zip(by_shard) {
            if !replies.is_empty() {
                self.common.outside.shard(shard, ForShard::Replies(batch.show, replies));
            }
        }
    }
}
