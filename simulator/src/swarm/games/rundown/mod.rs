//! A rundown: its shows, its host, and its players, who have a hand for each kind of part.

mod host;
mod player;
mod show;

pub use host::{RundownHost, Skip, instead};
pub use player::RundownPlayer;
pub use show::{CommonSettings, show};
