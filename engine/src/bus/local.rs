//! The bus inside one process: tokio's channels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use tokio::sync::{Mutex, mpsc};

use super::{Address, BusError, EngineEnd, Entered, GatewayEnd, Heard, Left, Turn};

/// How many messages one `receive` takes at most.
const TAKE: usize = 1024;

type Gateways = Arc<std::sync::Mutex<BTreeMap<GatewayId, mpsc::UnboundedSender<ToGateway>>>>;

/// Makes the ends of a bus inside this process.
pub struct LocalBus {
    gateways: Gateways,
    to_engine: mpsc::UnboundedSender<ToEngine>,
}

impl LocalBus {
    /// A bus with its engine's end.
    #[must_use]
    pub fn new() -> (Self, LocalEngineEnd) {
        let (to_engine, from_gateways) = mpsc::unbounded_channel();
        let gateways = Gateways::default();
        let end = LocalEngineEnd { gateways: Arc::clone(&gateways), inbox: Mutex::new(from_gateways) };
        (Self { gateways, to_engine }, end)
    }

    /// Connects a gateway and says hello for it. It leaves the bus when its end is dropped.
    #[must_use]
    pub fn connect(&self, id: GatewayId) -> LocalGatewayEnd {
        let (sender, inbox) = mpsc::unbounded_channel();
        lock(&self.gateways).insert(id, sender);
        let end = LocalGatewayEnd {
            id,
            gateways: Arc::clone(&self.gateways),
            to_engine: self.to_engine.clone(),
            inbox: Mutex::new(inbox),
        };
        end.send(ToEngine::Hello { gateway: id });
        end
    }
}

fn lock(gateways: &Gateways) -> std::sync::MutexGuard<'_, BTreeMap<GatewayId, mpsc::UnboundedSender<ToGateway>>> {
    gateways.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The engine's end of a [`LocalBus`].
pub struct LocalEngineEnd {
    gateways: Gateways,
    inbox: Mutex<mpsc::UnboundedReceiver<ToEngine>>,
}

impl LocalEngineEnd {
    /// Hands a message to gateways, without waiting for them.
    pub fn send(&self, to: Address, message: ToGateway) {
        let gateways = lock(&self.gateways);
        match to {
            Address::One(id) => {
                // A gateway that just went away needs no message.
                if let Some(gateway) = gateways.get(&id) {
                    let _ = gateway.send(message);
                }
            }
            Address::All => {
                for gateway in gateways.values() {
                    let _ = gateway.send(message.clone());
                }
            }
        }
    }
}

/// There is one engine, and it is gone with the gateways: shows need no fence here, nothing has to be said again, and nothing is
/// known of them but by the engine.
#[async_trait]
impl EngineEnd for LocalEngineEnd {
    fn say(&self, turn: Turn) {
        for (to, message) in turn.messages {
            self.send(to, message);
        }
    }

    fn answer(&self, to: GatewayId, message: ToGateway) {
        self.send(Address::One(to), message);
    }

    async fn receive(&self, into: &mut Vec<Heard>) -> bool {
        let mut inbox = self.inbox.lock().await;
        let mut messages = Vec::new();
        inbox.recv_many(&mut messages, TAKE).await;
        into.extend(messages.drain(..).map(Heard::from));
        !into.is_empty()
    }

    async fn adopt(&self, _show: ShowId, _fence: Fence) -> Result<Left, BusError> {
        Ok(Left { said: None, gateways: lock(&self.gateways).keys().copied().collect() })
    }

    fn let_go(&self, _show: ShowId, _is_over: bool) {}

    async fn enter(&self, _: ShowId, _: &ShowCode, _: &CommandId, _: u64) -> Result<Entered, BusError> {
        Ok(Entered::New)
    }

    fn list(&self, _line: ShowLine) {}

    async fn lines(&self) -> Result<Option<Vec<ShowLine>>, BusError> {
        Ok(None)
    }

    fn last_failure(&self, _show: ShowId) -> Option<Instant> {
        None
    }

    fn crosses_a_network(&self) -> bool {
        false
    }
}

/// A gateway's end of a [`LocalBus`].
pub struct LocalGatewayEnd {
    id: GatewayId,
    gateways: Gateways,
    to_engine: mpsc::UnboundedSender<ToEngine>,
    inbox: Mutex<mpsc::UnboundedReceiver<ToGateway>>,
}

#[async_trait]
impl GatewayEnd for LocalGatewayEnd {
    fn send(&self, message: ToEngine) {
        // Without an engine nobody waits for an answer: the process is going down.
        let _ = self.to_engine.send(message);
    }

    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool {
        self.inbox.lock().await.recv_many(into, TAKE).await > 0
    }

    fn id(&self) -> GatewayId {
        self.id
    }

    fn attend(&self, _show: ShowId) {}

    fn attend_only(&self, _shows: &BTreeSet<ShowId>) {}

    fn crosses_a_network(&self) -> bool {
        false
    }
}

impl Drop for LocalGatewayEnd {
    fn drop(&mut self) {
        self.send(ToEngine::Bye { gateway: self.id });
        lock(&self.gateways).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{House, bus_contract};
    use super::*;

    struct LocalHouse(LocalBus, LocalEngineEnd);

    impl LocalHouse {
        fn new() -> Self {
            let (bus, engine) = LocalBus::new();
            Self(bus, engine)
        }
    }

    impl House for LocalHouse {
        fn engine(&self) -> &dyn EngineEnd {
            &self.1
        }

        async fn gateway(&self, id: GatewayId) -> Box<dyn GatewayEnd> {
            Box::new(self.0.connect(id))
        }

        async fn lease(&self, _show: ShowId, _fence: Fence) {}
    }

    bus_contract!(LocalHouse::new());
}
