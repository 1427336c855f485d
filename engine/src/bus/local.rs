//! The bus inside one process: tokio's channels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Latency, ShowLine};
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::{GatewayCounts, ToEngine, ToGateway};
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use super::queue::{DroppedAnswers, count_full, record_length, refusal};
use super::{Address, BusError, EngineEnd, GatewayEnd, Publication, Received, ShowRegistration, Takeover};

/// How many messages one `receive` takes at most.
const MAX_RECEIVED: usize = 1024;
/// Messages to the engine that it has not received, a batch of answers being one. When there is no room joins and hosts' commands are
/// refused with `unavailable`, answers are dropped and their round is voided, and the rest is dropped.
const MAX_TO_ENGINE: usize = 200_000;
/// Messages to a gateway that it has not received. When there is no room they are dropped, as a stream in Redis drops its oldest entries:
/// players who miss events by that get a snapshot.
const MAX_TO_GATEWAY: usize = 200_000;

type LocalGateways = Arc<parking_lot::Mutex<BTreeMap<GatewayId, mpsc::Sender<ToGateway>>>>;

/// Makes the ends of a bus inside this process.
pub struct LocalBus {
    gateways: LocalGateways,
    to_engine: mpsc::Sender<ToEngine>,
}

impl LocalBus {
    /// A bus with its engine's end.
    #[must_use]
    pub fn new() -> (Self, LocalEngineEnd) {
        let (to_engine, inbox) = mpsc::channel(MAX_TO_ENGINE);
        let gateways = LocalGateways::default();
        let end = LocalEngineEnd { gateways: Arc::clone(&gateways), inbox: Mutex::new(inbox) };
        (Self { gateways, to_engine }, end)
    }

    /// Connects a gateway and sends its `Hello`. It leaves the bus when its end is dropped.
    #[must_use]
    pub fn connect(&self, id: GatewayId) -> LocalGatewayEnd {
        let (sender, inbox) = mpsc::channel(MAX_TO_GATEWAY);
        self.gateways.lock().insert(id, sender.clone());
        let end = LocalGatewayEnd {
            id,
            gateways: Arc::clone(&self.gateways),
            to_engine: self.to_engine.clone(),
            to_self: sender.downgrade(),
            inbox: Mutex::new(inbox),
            dropped: parking_lot::Mutex::default(),
        };
        end.send(ToEngine::Hello { gateway: id });
        end
    }
}

/// The engine's end of a [`LocalBus`].
pub struct LocalEngineEnd {
    gateways: LocalGateways,
    inbox: Mutex<mpsc::Receiver<ToEngine>>,
}

impl LocalEngineEnd {
    /// Sends a message to gateways. Does not wait.
    pub fn send(&self, to: Address, message: ToGateway) {
        let gateways = self.gateways.lock();
        match to {
            Address::One(id) => {
                if let Some(gateway) = gateways.get(&id) {
                    send_to(gateway, message);
                }
            }
            Address::All => gateways.values().for_each(|gateway| send_to(gateway, message.clone())),
        }
    }
}

fn send_to(gateway: &mpsc::Sender<ToGateway>, message: ToGateway) {
    // A gateway that has just disconnected needs no message.
    if let Err(mpsc::error::TrySendError::Full(_)) = gateway.try_send(message) {
        count_full("gateway_inbox");
    }
}

/// There is one engine, and it ends with the gateways: nothing is fenced, nothing is sent again, and there is no directory.
#[async_trait]
impl EngineEnd for LocalEngineEnd {
    fn publish(&self, publication: Publication) -> Result<(), BusError> {
        for (to, message) in publication.messages {
            self.send(to, message);
        }
        Ok(())
    }

    fn reply_to_gateway(&self, to: GatewayId, message: ToGateway) {
        self.send(Address::One(to), message);
    }

    async fn receive(&self, into: &mut Vec<Received>) -> bool {
        let mut inbox = self.inbox.lock().await;
        let mut messages = Vec::new();
        inbox.recv_many(&mut messages, MAX_RECEIVED).await;
        record_length("engine_inbox", inbox.len());
        into.extend(messages.drain(..).map(Received::from));
        !into.is_empty()
    }

    async fn take_over(&self, _show: ShowId, _fence: Fence) -> Result<Takeover, BusError> {
        Ok(Takeover { published: None, gateways: self.gateways.lock().keys().copied().collect() })
    }

    fn release(&self, _show: ShowId, _is_over: bool) {}

    async fn register_show(
        &self,
        _: ShowId,
        _: &ShowCode,
        _: &CommandId,
        _: u64,
    ) -> Result<ShowRegistration, BusError> {
        Ok(ShowRegistration::New)
    }

    fn update_directory(&self, _line: ShowLine) {}

    async fn list_shows(&self) -> Result<Option<Vec<ShowLine>>, BusError> {
        Ok(None)
    }

    fn last_failure(&self, _show: ShowId) -> Option<Instant> {
        None
    }

    fn is_distributed(&self) -> bool {
        false
    }
}

/// A gateway's end of a [`LocalBus`].
pub struct LocalGatewayEnd {
    id: GatewayId,
    gateways: LocalGateways,
    to_engine: mpsc::Sender<ToEngine>,
    /// For replies to messages of this gateway that are refused.
    to_self: mpsc::WeakSender<ToGateway>,
    inbox: Mutex<mpsc::Receiver<ToGateway>>,
    /// Answers that were dropped, by show. Empty as long as none are.
    dropped: parking_lot::Mutex<BTreeMap<ShowId, DroppedAnswers>>,
}

impl LocalGatewayEnd {
    fn drop_message(&self, message: ToEngine) {
        count_full("engine_inbox");
        if let ToEngine::Answers(batch) = &message {
            self.dropped.lock().entry(batch.show).or_default().count_dropped(batch);
        }
        if let (Some(refusal), Some(to_self)) = (refusal(message, ErrorCode::Unavailable), self.to_self.upgrade()) {
            send_to(&to_self, refusal);
        }
    }

    /// Reports to the engine how many answers to the show's last round were dropped; must be sent before the barrier of
    /// that round is passed. Returns false if there is no room for the report.
    fn report_dropped(&self, show: ShowId) -> bool {
        let Some(dropped) = self.dropped.lock().get(&show).copied() else { return true };
        let (gateway, dropped) = (self.id, dropped.count());
        let (connected, shed, latency, clock_uncertainty) = (0, 0, Latency::default(), 0);
        let counts = GatewayCounts { gateway, show, connected, shed, latency, clock_uncertainty, dropped };
        self.to_engine.try_send(ToEngine::Counts(counts)).is_ok()
    }
}

#[async_trait]
impl GatewayEnd for LocalGatewayEnd {
    fn send(&self, message: ToEngine) {
        match &message {
            ToEngine::Answers(batch) => {
                if let Some(dropped) = self.dropped.lock().get_mut(&batch.show) {
                    dropped.track_round(batch);
                }
            }
            // Without the report the gateway counts as silent at the barrier.
            ToEngine::BarrierPassed { show, .. } if !self.report_dropped(*show) => return count_full("engine_inbox"),
            _ => {}
        }
        // A closed channel means that the engine is gone and the process is ending: no reply is needed.
        if let Err(mpsc::error::TrySendError::Full(message)) = self.to_engine.try_send(message) {
            self.drop_message(message);
        }
    }

    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool {
        let mut inbox = self.inbox.lock().await;
        let received = inbox.recv_many(into, MAX_RECEIVED).await;
        record_length("gateway_inbox", inbox.len());
        received > 0
    }

    fn id(&self) -> GatewayId {
        self.id
    }

    fn subscribe(&self, _show: ShowId) {}

    fn retain_subscriptions(&self, _shows: &BTreeSet<ShowId>) {}

    fn is_distributed(&self) -> bool {
        false
    }
}

impl Drop for LocalGatewayEnd {
    fn drop(&mut self) {
        self.send(ToEngine::Bye { gateway: self.id });
        self.gateways.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::claim::ClaimForm;
    use klaxon_protocol::error::ErrorMessage;
    use klaxon_protocol::ids::{ConnRef, RoundId, Seat, SeatRef};
    use klaxon_protocol::link::{AnswerBatch, StampedAnswer};
    use klaxon_protocol::time::Millis;

    use super::super::contract::{
        ANN, BEN, Fixture, SHOW, bus_contract, claim, event, join, messages, numbered, receive_at, receive_some,
    };
    use super::*;

    struct LocalFixture(LocalBus, LocalEngineEnd);

    impl LocalFixture {
        fn new() -> Self {
            let (bus, engine) = LocalBus::new();
            Self(bus, engine)
        }
    }

    impl Fixture for LocalFixture {
        fn engine(&self) -> &dyn EngineEnd {
            &self.1
        }

        async fn gateway(&self, id: GatewayId) -> Box<dyn GatewayEnd> {
            Box::new(self.0.connect(id))
        }

        async fn lease(&self, _show: ShowId, _fence: Fence) {}
    }

    fn answer() -> ToEngine {
        let (conn, number, by) = (1, 1, SeatRef::first(Seat(0)));
        let answer = StampedAnswer { conn, number, by, form: ClaimForm::Claim, claim: claim(1), at: Millis(0) };
        ToEngine::Answers(AnswerBatch { gateway: ANN, show: SHOW, answers: vec![answer] })
    }

    #[tokio::test]
    async fn a_full_queue_to_the_engine_refuses_joins_and_reports_dropped_answers_before_the_barrier() {
        let (bus, engine) = LocalBus::new();
        let gateway = bus.connect(ANN);
        (1..MAX_TO_ENGINE).for_each(|number| gateway.send(numbered(number as u32)));
        gateway.send(join(3));
        gateway.send(answer());
        let passed = |round| ToEngine::BarrierPassed { gateway: ANN, show: SHOW, round: RoundId(round) };
        gateway.send(passed(1));
        let refused = ToGateway::JoinRefused {
            conn: ConnRef { gateway: ANN, conn: 3 },
            error: ErrorMessage::from(ErrorCode::Unavailable),
        };
        assert_eq!(receive_some(&gateway, 1).await, [refused]);
        let received =
            receive_at(&engine, |message| matches!(message, ToEngine::Resync { .. }), MAX_TO_ENGINE - 1).await;
        assert_eq!(received.len(), MAX_TO_ENGINE - 1, "what had no room is dropped");
        gateway.send(passed(1));
        let is_passed = |message: &ToEngine| matches!(message, ToEngine::BarrierPassed { .. });
        let received = messages(receive_at(&engine, is_passed, 1).await);
        assert!(matches!(received[..], [ToEngine::Counts(counts), _] if counts.dropped == 1), "{received:?}");
    }

    #[tokio::test]
    async fn a_full_queue_to_a_gateway_drops_what_has_no_room() {
        let (bus, engine) = LocalBus::new();
        let (ann, ben) = (bus.connect(ANN), bus.connect(BEN));
        let more = MAX_TO_GATEWAY as u64 + 10;
        let ben_receives = async { receive_some(&ben, more as usize).await };
        let send = async {
            for number in 0..more {
                engine.send(Address::All, event(number));
                if number % 1_000 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let (received, ()) = tokio::join!(ben_receives, send);
        assert_eq!(received.len() as u64, more, "a gateway that reads misses nothing");
        assert_eq!(receive_some(&ann, MAX_TO_GATEWAY).await.len(), MAX_TO_GATEWAY);
        engine.send(Address::All, event(more));
        assert_eq!(receive_some(&ann, 1).await, [event(more)], "with room it goes on");
    }

    bus_contract!(LocalFixture::new());
}
