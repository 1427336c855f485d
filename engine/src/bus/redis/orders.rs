//! What the task that sorts a gateway's messages is told.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{ShowCode, ShowId};
use klaxon_protocol::link::ToEngine;
use tokio::sync::oneshot;

use super::show_out::Attended;
use crate::bus::Place;

/// What is told to the sender: by the gateway, and by what it has set going.
pub(super) enum Order {
    Send(ToEngine),
    Attend(ShowId),
    AttendOnly(BTreeSet<ShowId>),
    /// Which show a code names, and whether that has ended.
    Found(ShowCode, Option<(ShowId, bool)>),
    /// Whether a show is listed.
    Listed(ShowId, bool),
    /// Whether a show is listed that somebody wants to come back to.
    Resumed(ShowId, bool),
    /// How Redis knows this gateway.
    Looked(ShowId, Option<Attended>),
    /// The ids of what was sent; none if it may not have been.
    Sent(ShowId, Option<Vec<Place>>),
    /// The show said something, when it had heard everything up to the first place; direct messages are read up to the second.
    Heard(ShowId, Place, Place),
    /// The show said that it has ended.
    Ended(ShowId),
    /// Whether the gateway left the show.
    Left(ShowId, bool),
    /// Whether a request was made.
    Asked(bool),
    /// Leave everything, and say when it is done.
    Close(oneshot::Sender<()>),
}
