//! What each seat has: points, lives, winnings, and whether it is in play.

use std::collections::BTreeSet;

use klaxon_protocol::games::rundown::{Keep, Standing};
use klaxon_protocol::ids::{RoundId, Seat};

/// The most extra lives that a seat can have.
pub(in crate::audit) const MOST_LIVES: u8 = 99;

/// What a seat has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::audit) struct Line {
    pub points: i64,
    pub lives: u8,
    pub winnings: u64,
    /// The round that took it out of play.
    pub out: Option<RoundId>,
}

/// What all seats have.
#[derive(Debug, Clone, Default)]
pub(in crate::audit) struct SeatLedger {
    lines: Vec<Line>,
    /// The seats whose players the host removed.
    pub removed: BTreeSet<Seat>,
    first_lives: u8,
}

impl SeatLedger {
    pub(super) fn new(first_lives: u8) -> Self {
        Self { first_lives, ..Self::default() }
    }

    fn first(&self) -> Line {
        Line { lives: self.first_lives, ..Line::default() }
    }

    /// A player takes the next seat.
    pub(super) fn sit(&mut self) {
        self.lines.push(self.first());
    }

    /// Another player takes this seat.
    pub(super) fn begin_anew(&mut self, seat: Seat) {
        self.removed.remove(&seat);
        *self.line_mut(seat) = self.first();
    }

    pub fn seats(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    pub fn all(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.seats()).map(Seat)
    }

    /// What the seat has; nothing if it was never taken.
    pub fn line(&self, seat: Seat) -> Line {
        self.lines.get(seat.index()).copied().unwrap_or_default()
    }

    /// What the seat has, to change it. A seat that was never taken is opened, so that nonsense in a journal can be followed.
    pub fn line_mut(&mut self, seat: Seat) -> &mut Line {
        if seat.index() >= self.lines.len() && seat.0 < 10_000_000 {
            self.lines.resize(seat.index() + 1, Line::default());
        }
        &mut self.lines[seat.index()]
    }

    pub fn plays(&self, seat: Seat) -> bool {
        self.lines.get(seat.index()).is_some_and(|line| line.out.is_none()) && !self.removed.contains(&seat)
    }

    /// The seats that play.
    pub fn playing(&self) -> impl Iterator<Item = Seat> + '_ {
        self.all().filter(|&seat| self.plays(seat))
    }

    /// As it is told to the seat.
    pub fn standing(&self, seat: Seat) -> Standing {
        let Line { points, lives, winnings, .. } = self.line(seat);
        Standing { in_play: self.plays(seat), lives, points, winnings }
    }

    /// A part begins: all lose what is not kept.
    pub(super) fn begin_part(&mut self, keep: Keep) {
        let first = self.first();
        for seat in self.all() {
            self.forget(seat, keep, first);
        }
    }

    /// What a part does not let a seat keep becomes as in `other`.
    pub(super) fn forget(&mut self, seat: Seat, keep: Keep, other: Line) {
        let line = self.line_mut(seat);
        if !keep.points {
            line.points = other.points;
        }
        if !keep.lives {
            line.lives = other.lives;
        }
        if !keep.out {
            line.out = other.out;
        }
    }
}
