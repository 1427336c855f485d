//! Breaks written into a show by hand, and the honest races that are none.

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
