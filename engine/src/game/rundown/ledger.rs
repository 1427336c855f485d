//! What each seat has, over all parts: points, lives, winnings, and whether it is in play.
//!
//! The digest is a sum over the seats, which each change keeps up to date: the hash of a show with a million seats costs no more than that
//! of one with ten.

use super::suspending::Suspensions;
use klaxon_protocol::games::rundown::{Keep, Standing};
use klaxon_protocol::games::trivia::MOST_LIVES;
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::time::Millis;
use xxhash_rust::xxh3::xxh3_64;

/// What one seat has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Points of all parts; below 0 if penalties made them so.
    pub points: i64,
    /// What it has won, in minor units.
    pub winnings: u64,
    /// Extra lives.
    pub lives: u8,
    /// The round that took it out of play; none while it is in play.
    pub out: Option<RoundId>,
}

impl Line {
    /// The line's part of the digest.
    fn share(&self, seat: Seat) -> u64 {
        let mut bytes = [0; 24];
        bytes[..4].copy_from_slice(&seat.0.to_le_bytes());
        bytes[4] = self.lives;
        bytes[5..7].copy_from_slice(&self.out.map_or(0, |round| round.0).to_le_bytes());
        bytes[7] = u8::from(self.out.is_some());
        bytes[8..16].copy_from_slice(&self.points.to_le_bytes());
        bytes[16..].copy_from_slice(&self.winnings.to_le_bytes());
        xxh3_64(&bytes)
    }

    /// The points as messages have them that know none below 0.
    pub fn score(&self) -> u32 {
        u32::try_from(self.points.max(0)).unwrap_or(u32::MAX)
    }

    /// As it is told to the seat. `removed`: the host took the player out.
    pub const fn standing(&self, removed: bool) -> Standing {
        let Self { points, winnings, lives, out } = *self;
        Standing { in_play: out.is_none() && !removed, lives, points, winnings }
    }
}

/// What taking a life did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It cost a life.
    Life,
    /// The seat had none: it is out of play.
    Out,
    /// It was out already.
    Nothing,
}

/// What all seats have.
#[derive(Debug, Default)]
pub struct Ledger {
    lines: Vec<Line>,
    /// When each seat was taken by its player.
    sat_at: Vec<Millis>,
    /// The lives with which a seat begins.
    first_lives: u8,
    out: u32,
    paid: u64,
    digest: u64,
    /// The seats that the host keeps out for a while.
    suspensions: Suspensions,
}

impl Ledger {
    /// The ledger of a show whose players begin with this many lives.
    pub fn new(first_lives: u8) -> Self {
        Self { first_lives, ..Self::default() }
    }

    /// A copy of what seats have, to try changes on.
    pub fn scratch(&self) -> Self {
        let Self { first_lives, out, paid, digest, .. } = *self;
        let (lines, sat_at, suspensions) = (self.lines.clone(), Vec::new(), Suspensions::default());
        Self { lines, sat_at, first_lives, out, paid, digest, suspensions }
    }

    /// What a seat has changes by what differs between two lines. Returns whether anything does.
    pub fn correct(&mut self, seat: Seat, was: &Line, is: &Line) -> bool {
        self.change(seat, |line| {
            line.points = line.points.saturating_add(is.points.saturating_sub(was.points));
            let lives = i16::from(line.lives) + i16::from(is.lives) - i16::from(was.lives);
            line.lives = u8::try_from(lives.max(0)).map_or(MOST_LIVES, |lives| lives.min(MOST_LIVES));
            if was.out != is.out {
                line.out = is.out;
            }
        });
        was != is
    }

    /// The seats that the host keeps out for a while.
    pub const fn suspensions(&self) -> &Suspensions {
        &self.suspensions
    }

    pub(super) fn suspend(&mut self, change: impl FnOnce(&mut Suspensions)) {
        change(&mut self.suspensions);
    }

    /// Opens the line of the next seat, which is taken now.
    pub fn open(&mut self, now: Millis) {
        self.sat_at.push(now);
        let seat = Seat(u32::try_from(self.lines.len()).expect("settings allow 10 million seats at most"));
        let line = self.first_line();
        self.digest = self.digest.wrapping_add(line.share(seat));
        self.lines.push(line);
    }

    /// The seat begins anew, for another player who takes it now.
    pub fn begin_anew(&mut self, seat: Seat, now: Millis) {
        self.sat_at[seat.index()] = now;
        let line = self.first_line();
        self.change(seat, |was| *was = line);
    }

    fn first_line(&self) -> Line {
        Line { points: 0, winnings: 0, lives: self.first_lives, out: None }
    }

    /// A part begins: seats lose what is not kept.
    pub fn begin_part(&mut self, keep: Keep) {
        if keep == Keep::default() {
            return;
        }
        let first = self.first_line();
        (0..self.seats()).map(Seat).for_each(|seat| self.forget(seat, keep, first));
    }

    /// What is not kept becomes as it is in another line.
    pub(super) fn forget(&mut self, seat: Seat, keep: Keep, other: Line) {
        self.change(seat, |line| {
            if !keep.points {
                line.points = other.points;
            }
            if !keep.lives {
                line.lives = other.lives;
            }
            if !keep.out {
                line.out = other.out;
            }
        });
    }

    /// How many seats there are.
    pub fn seats(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("settings allow 10 million seats at most")
    }

    /// What the seat has.
    ///
    /// # Panics
    /// If the seat was never taken.
    pub fn line(&self, seat: Seat) -> &Line {
        &self.lines[seat.index()]
    }

    /// When the seat was taken by its player.
    ///
    /// # Panics
    /// If it was never taken.
    pub fn sat_at(&self, seat: Seat) -> Millis {
        self.sat_at[seat.index()]
    }

    /// Whether the rules let the seat play. A player whom the host removed does not play either: see `People::removed`.
    pub fn is_in_play(&self, seat: Seat) -> bool {
        self.lines.get(seat.index()).is_some_and(|line| line.out.is_none())
    }

    /// How many seats are out by the rules.
    pub const fn out(&self) -> u32 {
        self.out
    }

    /// The sum of all winnings.
    pub const fn paid(&self) -> u64 {
        self.paid
    }

    /// Gives points, or takes them if `by` is below 0.
    pub fn add_points(&mut self, seat: Seat, by: i64) {
        self.change(seat, |line| line.points = line.points.saturating_add(by));
    }

    /// The seat wins this amount.
    pub fn pay(&mut self, seat: Seat, amount: u64) {
        self.change(seat, |line| line.winnings += amount);
    }

    /// The seat loses an amount that it was paid.
    ///
    /// # Panics
    /// If it was never paid that much.
    pub fn take_back(&mut self, seat: Seat, amount: u64) {
        let left = self.line(seat).winnings.checked_sub(amount).expect("only what was paid is taken back");
        self.change(seat, |line| line.winnings = left);
    }

    /// Takes a life or, if the seat has none, takes it out of play.
    pub fn lose(&mut self, seat: Seat, round: RoundId) -> Lost {
        match *self.line(seat) {
            Line { out: Some(_), .. } => Lost::Nothing,
            Line { lives: 0, .. } => {
                self.take_out(seat, round);
                Lost::Out
            }
            _ => {
                self.change(seat, |line| line.lives -= 1);
                Lost::Life
            }
        }
    }

    /// Takes the seat out of play, whatever lives it has.
    pub fn take_out(&mut self, seat: Seat, round: RoundId) {
        self.change(seat, |line| line.out = Some(line.out.unwrap_or(round)));
    }

    /// Puts the seat back into play.
    pub fn put_back(&mut self, seat: Seat) {
        self.change(seat, |line| line.out = None);
    }

    /// Gives extra lives, up to the most that a seat can have.
    pub fn give_lives(&mut self, seat: Seat, lives: u8) {
        self.change(seat, |line| line.lives = line.lives.saturating_add(lives).min(MOST_LIVES));
    }

    fn change(&mut self, seat: Seat, change: impl FnOnce(&mut Line)) {
        let line = &mut self.lines[seat.index()];
        let before = *line;
        change(line);
        if *line == before {
            return;
        }
        self.digest = self.digest.wrapping_sub(before.share(seat)).wrapping_add(line.share(seat));
        self.paid = self.paid - before.winnings + line.winnings;
        self.out = self.out - u32::from(before.out.is_some()) + u32::from(line.out.is_some());
    }

    /// A number that differs when the lines differ.
    pub const fn digest(&self) -> u64 {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A change to a seat's line, by number.
    fn change(ledger: &mut Ledger, kind: u8, seat: Seat, number: u32) {
        let round = RoundId(u16::try_from(number % 100).unwrap());
        match kind {
            0 => ledger.open(Millis(u64::from(number))),
            1 => ledger.add_points(seat, i64::from(number) - 500),
            2 => ledger.pay(seat, u64::from(number)),
            3 => ledger.take_back(seat, ledger.line(seat).winnings / 2),
            4 => _ = ledger.lose(seat, round),
            5 => ledger.put_back(seat),
            6 => ledger.give_lives(seat, u8::try_from(number % 256).unwrap()),
            7 => ledger.begin_anew(seat, Millis(u64::from(number))),
            _ => ledger.begin_part(Keep {
                points: number.is_multiple_of(2),
                lives: number.is_multiple_of(3),
                out: number.is_multiple_of(5),
            }),
        }
    }

    proptest! {
        #[test]
        fn the_sums_are_those_of_the_lines(changes in proptest::collection::vec((0u8..9, 0u32..8, 0u32..1_000), 0..200)) {
            let mut ledger = Ledger::new(2);
            (0..8).for_each(|_| ledger.open(Millis(1)));
            for (kind, seat, number) in changes {
                let before = (ledger.lines.clone(), ledger.digest());
                change(&mut ledger, kind, Seat(seat), number);
                prop_assert_eq!(ledger.lines == before.0, ledger.digest() == before.1);
            }
            let lines = || (0..).map(Seat).zip(&ledger.lines);
            let digest = lines().fold(0_u64, |sum, (seat, line)| sum.wrapping_add(line.share(seat)));
            prop_assert_eq!(ledger.digest(), digest);
            prop_assert_eq!(u64::from(ledger.out()), lines().filter(|(_, line)| line.out.is_some()).count() as u64);
            prop_assert_eq!(ledger.paid(), lines().map(|(_, line)| line.winnings).sum::<u64>());
        }
    }

    #[test]
    fn a_seat_takes_24_bytes() {
        assert_eq!(size_of::<Line>(), 24);
    }
}
