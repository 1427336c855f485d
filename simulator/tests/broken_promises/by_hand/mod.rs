//! Violations written into a scripted show, and races that are allowed.

mod answers;
mod bans;
mod book;
mod bounds;
mod edges;
mod events;
mod faults;
mod races;
mod seats;
mod times;
mod untold;
