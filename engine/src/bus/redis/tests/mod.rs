//! The bus over a real Redis.

mod away;
mod clocks;
mod cluster;
mod directory;
mod engines;
mod house;
mod resuming;
mod reveal;
mod shows;
mod takeover;

use self::house::House;
use crate::bus::contract::bus_contract;

bus_contract!(House::start().await);
