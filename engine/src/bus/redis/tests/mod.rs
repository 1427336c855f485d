//! The bus over a real Redis.

mod clock_sync;
mod cluster;
mod directory;
mod engines;
mod fixture;
mod full_queues;
mod redis_outage;
mod resuming;
mod reveal;
mod sealing;
mod shows;
mod takeover;
mod versions;

use self::fixture::Fixture;
use crate::bus::contract::bus_contract;

bus_contract!(Fixture::start().await);
