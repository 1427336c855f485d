//! Replies to hosts: in one stream for each gateway, as a host's gateway need not subscribe to the show.

use std::time::Duration;

use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::ToGateway;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::entry::group_by_gateway;
use super::sealed_entry::seal_to_gateway;
use super::version::split;
use super::{millis, pause};
use crate::redis::scripts::BUS_REPLY_TO_HOSTS;
use crate::redis::{Connection, Keys};
use crate::seal::{SealKeys, Stream};

/// Replies that Redis has not taken. When there is no room they are dropped, and the host repeats the command.
pub(super) const MAX_REPLIES: usize = 10_000;
/// Entries that a gateway's stream keeps.
const MAX_ENTRIES: usize = 1024;
/// How long a stream is kept after the last reply was written to it.
const RETENTION: Duration = Duration::from_secs(10 * 60);
/// Replies that are sent at once.
const MAX_BATCH: usize = 256;

/// Sends replies in order, until all senders are dropped.
pub(super) async fn send_replies(
    connection: Connection,
    keys: Keys,
    seal_keys: SealKeys,
    mut replies: mpsc::Receiver<(GatewayId, ToGateway)>,
) {
    let mut batch = Vec::new();
    while replies.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let groups = group_by_gateway(batch.drain(..)).into_iter();
        for (gateway, messages) in
            groups.flat_map(|(gateway, all)| split(all).into_iter().map(move |part| (gateway, part)))
        {
            let (most, retention) = (MAX_ENTRIES.to_string().into_bytes(), millis(RETENTION).to_string().into_bytes());
            let entry = seal_to_gateway(&seal_keys, Stream::HostReplies(gateway), messages);
            let (key, arguments) = (keys.host_replies(gateway), [most, retention, entry]);
            let mut failures = 0;
            while let Err(error) = BUS_REPLY_TO_HOSTS.run::<()>(&connection, &[&key], &arguments).await {
                tracing::debug!(%gateway, %error, "replies to hosts can't be sent; trying again");
                metrics::counter!("klaxon_bus_failures_total", "what" => "reply").increment(1);
                sleep(pause(failures)).await;
                failures += 1;
            }
        }
    }
}
