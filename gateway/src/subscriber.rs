//! The gateway's subscriber: one task reads what engines publish and passes it to the shards and to the hosts.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::host::{ResumeToken, ToHost};
use klaxon_protocol::link::{Broadcast, Reissued, ReplyBatch, Resynced, Seated, ToEngine, ToGateway};
use tokio::sync::watch;

use crate::hub::{Barrier, Census, Common, EncodedEvent, ToShard};
use crate::link::{Clock, Desk, GatewayEnd};
use crate::session::Holder;
use crate::transport::{ConnKey, Stage};

/// How often reactions, and whatever else this gateway counts, are sent to the engines.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// How often subscriptions to shows that have no connection here are ended.
const UNSUBSCRIBE_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the bus for a gateway.
pub(crate) struct Subscriber {
    pub end: Arc<dyn GatewayEnd>,
    pub desk: Arc<dyn Desk>,
    pub common: Arc<Common>,
}

impl Subscriber {
    /// Passes messages on until the gateway stops or the bus has no publisher left.
    pub async fn run(self, mut stage: watch::Receiver<Stage>) {
        let mut report = tokio::time::interval(REPORT_INTERVAL);
        let mut unsubscribe = tokio::time::interval(UNSUBSCRIBE_INTERVAL);
        let mut received = Vec::new();
        loop {
            tokio::select! {
                more = self.end.receive(&mut received) => {
                    received.drain(..).for_each(|message| self.dispatch(message));
                    if !more {
                        return;
                    }
                }
                _ = report.tick() => self.report(),
                _ = unsubscribe.tick(), if self.end.is_distributed() => self.unsubscribe(),
                _ = stage.wait_for(|stage| matches!(stage, Stage::Stopped)) => return,
            }
        }
    }

    fn report(&self) {
        for (show, counts) in self.common.figures.take_reactions() {
            self.end.send(ToEngine::Reactions { show, counts });
        }
        if self.end.is_distributed() {
            for counts in self.common.figures.counts(self.end.id()) {
                self.end.send(ToEngine::Counts(counts));
            }
        }
    }

    /// Ends the subscriptions to shows without connections. Not while a join is pending: only its reply says which show it is for.
    fn unsubscribe(&self) {
        self.common.pending_joins.if_none(|| {
            let mut shows = self.common.figures.shows();
            shows.extend(self.desk.watched());
            self.end.retain_subscriptions(&shows);
            self.desk.forget_all_but(&shows);
            // A host may have begun to watch another in the meantime.
            self.desk.watched().difference(&shows).for_each(|&show| self.end.subscribe(show));
        });
    }

    fn dispatch(&self, message: ToGateway) {
        match message {
            ToGateway::Seated(Seated { conn, .. })
            | ToGateway::Resynced(Resynced { conn, .. })
            | ToGateway::JoinRefused { conn, .. } => {
                self.common.router.to_shard(ConnKey::from_wire(conn.conn).shard, message.into());
            }
            ToGateway::Replies(batch) => self.split_replies(batch),
            ToGateway::Dismiss { .. } | ToGateway::Said { .. } => self.to_all_shards(message),
            ToGateway::Moved { to, .. } => {
                if to != self.end.id() {
                    self.to_all_shards(message);
                }
            }
            ToGateway::Broadcast(broadcast) => {
                let Broadcast { show, ref message, .. } = broadcast;
                let for_hosts = Broadcast { show, message: message.clone(), personal: None };
                let event = Arc::new(EncodedEvent::new(broadcast));
                self.all(|| ToShard::Event(show, Arc::clone(&event)));
                self.desk.hear(ToGateway::Broadcast(for_hosts));
            }
            ToGateway::Own { show, personal } => {
                let event = Arc::new(EncodedEvent::personal_only(personal));
                self.all(|| ToShard::Event(show, Arc::clone(&event)));
            }
            ToGateway::Barrier { show, round } => {
                // Before the barrier is passed: an engine must know which answers were dropped here before it tallies.
                if self.end.is_distributed()
                    && let Some(counts) = self.common.figures.counts_of(self.end.id(), show)
                {
                    self.end.send(ToEngine::Counts(counts));
                }
                let barrier = Arc::new(Barrier::new(show, round, self.common.settings.shards));
                self.all(|| ToShard::Barrier(Arc::clone(&barrier)));
            }
            ToGateway::Figures(mut figures) => {
                // The engine has summed up the figures of several gateways already.
                if !self.end.is_distributed()
                    && let Some(here) = self.common.figures.look(figures.show)
                {
                    here.fill(&mut figures);
                }
                self.desk.hear(ToGateway::Figures(figures));
            }
            ToGateway::Census { show, census } => {
                let census = Arc::new(Census::new(show, census, self.common.settings.shards));
                self.all(|| ToShard::Census(Arc::clone(&census)));
            }
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

    fn to_all_shards(&self, message: ToGateway) {
        let message = Arc::new(message);
        self.all(|| ToShard::Engine(Arc::clone(&message)));
    }

    fn all(&self, message: impl Fn() -> ToShard) {
        for shard in (0..=u8::MAX).take(self.common.settings.shards) {
            self.common.router.to_shard(shard, message());
        }
    }

    /// Sends each shard the replies for its connections.
    fn split_replies(&self, batch: ReplyBatch) {
        let ReplyBatch { gateway, show, replies } = batch;
        let mut by_shard = vec![Vec::new(); self.common.settings.shards];
        for reply in replies {
            if let Some(replies) = by_shard.get_mut(usize::from(ConnKey::from_wire(reply.conn).shard)) {
                replies.push(reply);
            }
        }
        for (shard, replies) in (0..=u8::MAX).zip(by_shard) {
            if !replies.is_empty() {
                let batch = ReplyBatch { gateway, show, replies };
                self.common.router.to_shard(shard, ToGateway::Replies(batch).into());
            }
        }
    }
}
