//! What a journal on Kafka must do, with a real Redis and a real broker.

mod contract;
mod house;
mod outages;
mod takeovers;
