//! What hosts hear: in one stream for each gateway, since theirs may not hear the show.

use std::time::Duration;

use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::ToGateway;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{entry, millis, pause};
use crate::redis::scripts::BUS_REPLY_TO_HOSTS;
use crate::redis::{Connection, Keys};

/// So many answers are kept for a gateway.
const MOST: usize = 1024;
/// They are kept for so long after the last.
const KEEP: Duration = Duration::from_secs(10 * 60);
/// So many are sent at once.
const TAKE: usize = 256;

/// Sends answers in order until nobody has any more. What Redis does not take is tried again.
pub(super) async fn answer(
    connection: Connection,
    keys: Keys,
    mut answers: mpsc::UnboundedReceiver<(GatewayId, ToGateway)>,
) {
    let mut taken = Vec::new();
    while answers.recv_many(&mut taken, TAKE).await > 0 {
        let mut by_gateway: Vec<(GatewayId, Vec<ToGateway>)> = Vec::new();
        for (gateway, message) in taken.drain(..) {
            match by_gateway.iter_mut().find(|(to, _)| *to == gateway) {
                Some((_, messages)) => messages.push(message),
                None => by_gateway.push((gateway, vec![message])),
            }
        }
        for (gateway, messages) in by_gateway {
            let (most, keep) = (MOST.to_string().into_bytes(), millis(KEEP).to_string().into_bytes());
            let (key, arguments) = (keys.to_hosts(gateway), [most, keep, entry::of_engine(messages)]);
            let mut failures = 0;
            while let Err(error) = BUS_REPLY_TO_HOSTS.run::<()>(&connection, &[&key], &arguments).await {
                tracing::debug!(%gateway, %error, "the bus does not take an answer; trying again");
                metrics::counter!("klaxon_bus_failures_total", "what" => "answer").increment(1);
                sleep(pause(failures)).await;
                failures += 1;
            }
        }
    }
}
