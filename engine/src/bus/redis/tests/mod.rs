//! The bus over a real Redis.

mod away;
mod directory;
mod house;
mod takeover;

use self::house::House;
use crate::bus::contract::bus_contract;

bus_contract!(House::start().await);
