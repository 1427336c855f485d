//! Live shows over the bus, with the real journal and the real archive on disk.

mod house;
mod shows;
