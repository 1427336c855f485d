//! The gateway's subscriber: one task reads from the bus and passes the messages to the shards and the hosts.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::host::{ResumeToken, ToHost};
use klaxon_protocol::link::{Broadcast, Reissued, ReplyBatch, Resynced, Seated, ToEngine, ToGateway};
use tokio::sync::watch;

use crate::hub::{Barrier, Census, Common, EncodedEvent, ToShard};
use crate::link::{Clock, GatewayEnd, HostSink};
use crate::session::Holder;
use crate::transport::{ConnKey, ReactorHandle, Stage};

/// How often reactions, and this gateway's other counts, are sent to the engines.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// How often the gateway unsubscribes from shows that have no connections here.
const UNSUBSCRIBE_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the bus for a gateway.
pub(crate) struct Subscriber {
    pub end: Arc<dyn GatewayEnd>,
    pub hosts: Arc<dyn HostSink>,
    pub common: Arc<Common>,
    pub shards: Vec<ReactorHandle<ToShard>>,
}

impl Subscriber {
    /// Passes messages on until the gateway stops or the bus is closed.
    pub async fn run(self, mut stage: watch::Receiver<Stage>) {
        let mut report = tokio::time::interval(REPORT_INTERVAL);
        let mut unsubscribe = tokio::time::interval(UNSUBSCRIBE_INTERVAL);
        let mut received = Vec::new();
        loop {
            tokio::select! {
                more = self.end.receive(&mut received) => {
                    for message in received.drain(..) {
                        self.wait_for_room().await;
                        self.dispatch(message);
                    }
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

    /// Waits while any shard's backlog is full. In the meantime messages stay in the bus, which has a limit of its own.
    /// Each message adds at most one to each shard's backlog.
    ///
    /// Shards also send to each other, and must not wait for each other. But only a `Seated` makes a shard do so, at
    /// most twice: for a connection that is displaced and for one that is evicted. So no backlog exceeds `MAX_BACKLOG`
    /// plus twice that for each shard.
    async fn wait_for_room(&self) {
        while let Some(full) = self.shards.iter().find(|shard| !shard.has_room()) {
            metrics::counter!("klaxon_shard_queue_full_total").increment(1);
            full.wait_for_room().await;
        }
    }

    fn report(&self) {
        for (number, shard) in self.shards.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 messages")]
            metrics::gauge!("klaxon_shard_queue_length", "shard" => number.to_string()).set(shard.backlog() as f64);
        }
        for (show, counts) in self.common.figures.take_reactions() {
            self.end.send(ToEngine::Reactions { show, counts });
        }
        if self.end.is_distributed() {
            for counts in self.common.figures.counts(self.end.id()) {
                self.end.send(ToEngine::Counts(counts));
            }
        }
    }

    /// Unsubscribes from shows without connections. Not while a join is pending, as its show is known only with the
    /// reply.
    fn unsubscribe(&self) {
        self.common.pending_joins.if_none(|| {
            let mut shows = self.common.figures.shows();
            shows.extend(self.hosts.watched());
            self.end.retain_subscriptions(&shows);
            self.hosts.forget_all_but(&shows);
            // A host may have begun to watch another show in the meantime.
            self.hosts.watched().difference(&shows).for_each(|&show| self.end.subscribe(show));
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
                self.hosts.receive(ToGateway::Broadcast(for_hosts));
            }
            ToGateway::Own { show, personal } => {
                let event = Arc::new(EncodedEvent::personal_only(personal));
                self.all(|| ToShard::Event(show, Arc::clone(&event)));
            }
            ToGateway::Barrier { show, round } => {
                // Sent before the barrier is passed: the engine must know how many answers were dropped here before it
                // tallies.
                if self.end.is_distributed()
                    && let Some(counts) = self.common.figures.counts_of(self.end.id(), show)
                {
                    self.end.send(ToEngine::Counts(counts));
                }
                let barrier = Arc::new(Barrier::new(show, round, self.common.shards));
                self.all(|| ToShard::Barrier(Arc::clone(&barrier)));
            }
            ToGateway::Figures(mut figures) => {
                // With several gateways the engine has summed up their figures already.
                if !self.end.is_distributed()
                    && let Some(here) = self.common.figures.look(figures.show)
                {
                    here.fill(&mut figures);
                }
                self.hosts.receive(ToGateway::Figures(figures));
            }
            ToGateway::Census { show, census } => {
                let census = Arc::new(Census::new(show, census, self.common.shards));
                self.all(|| ToShard::Census(Arc::clone(&census)));
            }
            ToGateway::Reissued(reissued) => {
                let Reissued { conn, command: id, show, seat, code, player, name, issue } = reissued;
                let holder = Holder { code: &code, show, player: &player, name: &name, issue };
                let resume = self.common.admission.resume_token(holder, Clock::of_process().now());
                let message = ToHost::ResumeToken(ResumeToken { id, show, seat, resume });
                self.hosts.receive(ToGateway::Host { conn, message });
            }
            for_hosts @ (ToGateway::Host { .. } | ToGateway::Alert { .. } | ToGateway::Running { .. }) => {
                self.hosts.receive(for_hosts)
            }
        }
    }

    fn to_all_shards(&self, message: ToGateway) {
        let message = Arc::new(message);
        self.all(|| ToShard::Engine(Arc::clone(&message)));
    }

    fn all(&self, message: impl Fn() -> ToShard) {
        for shard in (0..=u8::MAX).take(self.common.shards) {
            self.common.router.to_shard(shard, message());
        }
    }

    /// Sends each shard the replies for its connections.
    fn split_replies(&self, batch: ReplyBatch) {
        let ReplyBatch { gateway, show, replies } = batch;
        let mut by_shard = vec![Vec::new(); self.common.shards];
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
    use std::sync::mpsc;
    use std::thread;

    use async_trait::async_trait;
    use klaxon_protocol::ids::{GatewayId, RoundId, ShowId};

    use super::*;
    use crate::hub::{Router, Shard};
    use crate::link::Random;
    use crate::settings::GatewaySettings;
    use crate::transport::{Limits, MAX_BACKLOG, ReactorPool, Transport};

    const SHOW: ShowId = ShowId(7);
    const PATIENCE: Duration = Duration::from_secs(20);
    /// Each asks all shards for an answer.
    const FLOOD: u16 = 2 * MAX_BACKLOG as u16;

    /// A bus from which barriers of rounds 1 to [`FLOOD`] come, as fast as they are read.
    struct Flood {
        read: Arc<AtomicU16>,
    }

    #[async_trait]
    impl GatewayEnd for Flood {
        fn send(&self, _: ToEngine) {}

        async fn receive(&self, into: &mut Vec<ToGateway>) -> bool {
            let first = self.read.load(Relaxed) + 1;
            if first > FLOOD {
                std::future::pending::<()>().await;
            }
            let rounds = (first..=FLOOD).take(100);
            into.extend(rounds.map(|round| ToGateway::Barrier { show: SHOW, round: RoundId(round) }));
            self.read.fetch_add(into.len() as u16, Relaxed);
            true
        }

        fn id(&self) -> GatewayId {
            GatewayId(1)
        }

        fn subscribe(&self, _: ShowId) {}

        fn retain_subscriptions(&self, _: &BTreeSet<ShowId>) {}

        fn is_distributed(&self) -> bool {
            false
        }
    }

    struct NoHosts;

    impl HostSink for NoHosts {
        fn receive(&self, _: ToGateway) {}

        fn watched(&self) -> BTreeSet<ShowId> {
            BTreeSet::new()
        }

        fn forget_all_but(&self, _: &BTreeSet<ShowId>) {}
    }

    struct Recorder {
        shards: Vec<ReactorHandle<ToShard>>,
        engine: mpsc::Sender<ToEngine>,
    }

    impl Router for Recorder {
        fn to_engine(&self, message: ToEngine) {
            let _ = self.engine.send(message);
        }

        fn to_shard(&self, shard: u8, message: ToShard) {
            self.shards[usize::from(shard)].send(message);
        }
    }

    #[test]
    fn while_a_shard_is_full_the_bus_is_not_read_and_nothing_is_lost() {
        let settings = GatewaySettings::new(([127, 0, 0, 1], 0).into(), [5; 32]);
        let pool = ReactorPool::new(Transport::Portable, settings.players.shards()).unwrap();
        let (shards, (engine, sent)) = (pool.handles(), mpsc::channel());
        let router = Arc::new(Recorder { shards: shards.clone(), engine });
        let common = Arc::new(Common::new(settings, GatewayId(1), router, Random::of_system()));
        let read = Arc::new(AtomicU16::new(0));
        let end = Arc::new(Flood { read: Arc::clone(&read) });
        let subscriber =
            Subscriber { end, hosts: Arc::new(NoHosts), common: Arc::clone(&common), shards: shards.clone() };
        let (stop, stage) = watch::channel(Stage::Running);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let running = thread::spawn(move || runtime.block_on(subscriber.run(stage)));

        while shards.iter().any(ReactorHandle::has_room) {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(100));
        assert!(shards.iter().all(|shard| shard.backlog() == MAX_BACKLOG));
        assert!(usize::from(read.load(Relaxed)) < MAX_BACKLOG + 100, "{read:?} were read");

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let limits = Limits { connections: 1, message: 1000 };
        let numbers = [0, 1].map(|number| Shard::new(number, Arc::clone(&common)));
        let sockets = pool.start(listener, limits, numbers).unwrap();
        for passed in 1..=FLOOD {
            match sent.recv_timeout(PATIENCE).unwrap() {
                ToEngine::BarrierPassed { round, .. } => assert_eq!(round, RoundId(passed)),
                other => panic!("{other:?}"),
            }
        }
        drop(sockets);
        stop.send_replace(Stage::Stopped);
        running.join().unwrap();
    }
}
