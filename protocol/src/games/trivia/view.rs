//! A show of trivia as those who come in see it.

use super::player::Snapshot;
use crate::link::View;
use crate::player::ToPlayer;

impl From<Snapshot> for View {
    fn from(snapshot: Snapshot) -> Self {
        let (seq, phase, paused) = (snapshot.seq, snapshot.phase, snapshot.pause());
        Self { seq, phase, message: ToPlayer::Snapshot(Box::new(snapshot)), paused }
    }
}
