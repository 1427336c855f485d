//! What a journal on Kafka must do, with a real Redis and a real broker.

mod consumer;
mod contract;
mod forgetting;
mod house;
mod outages;
mod people;
mod people_reader;
mod takeovers;
