//! What a quiz keeps of each seat, beside the ledger of the show.

use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Millis;
use xxhash_rust::xxh3::Xxh3;

use crate::game::people::SeatSet;

/// What a quiz keeps of each seat. QuizSeats after the end of an array have the value 0.
#[derive(Default)]
pub struct QuizSeats {
    /// Right answers in a row.
    pub streaks: Vec<u8>,
    /// How many answers were right.
    pub rights: Vec<u16>,
    /// What each seat staked on the next question; empty if there was no wager.
    pub stakes: Vec<u32>,
    /// Players who came when the last question's time was up.
    pub late: SeatSet,
    /// Whose answers to the open question are awaited, if it closes once all have answered.
    pub awaited: Awaited,
    digest: u64,
}

/// The seats whose answers are awaited. A removed player's answer is awaited still: better that a question closes at its time than before all
/// others have answered.
#[derive(Default)]
pub struct Awaited {
    seats: SeatSet,
    count: u32,
    /// When the last of the answers so far was read.
    latest: Option<Millis>,
}

impl Awaited {
    pub fn insert(&mut self, seat: Seat) {
        if !self.seats.contains(seat) {
            self.seats.insert(seat);
            self.count += 1;
        }
    }

    /// This seat answered, read at this time.
    pub fn remove(&mut self, seat: Seat, at: Millis) {
        if self.seats.contains(seat) {
            self.seats.remove(seat);
            self.count -= 1;
            self.latest = self.latest.max(Some(at));
        }
    }

    /// How many they are.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// When the last of them answered, if all have.
    pub fn done_at(&self) -> Option<Millis> {
        self.latest.filter(|_| self.count == 0)
    }
}

impl QuizSeats {
    pub fn streak(&self, seat: Seat) -> u8 {
        self.streaks.get(seat.index()).copied().unwrap_or(0)
    }

    pub fn stake(&self, seat: Seat) -> u32 {
        self.stakes.get(seat.index()).copied().unwrap_or(0)
    }

    /// Makes the arrays long enough for so many seats.
    pub fn grow(&mut self, seats: u32) {
        let seats = usize::try_from(seats).expect("settings allow 10 million seats at most").max(self.streaks.len());
        self.streaks.resize(seats, 0);
        self.rights.resize(seats, 0);
    }

    /// What its questions changed of each seat, to be changed apart from it.
    pub fn scratch(&self) -> Self {
        let Self { streaks, rights, stakes, .. } = self;
        Self { streaks: streaks.clone(), rights: rights.clone(), stakes: stakes.clone(), ..Self::default() }
    }

    /// Updates the hash, after a change.
    pub fn changed(&mut self) {
        let mut hasher = Xxh3::new();
        hasher.update(&self.streaks);
        for word in self.late.words() {
            hasher.update(&word.to_le_bytes());
        }
        for right in &self.rights {
            hasher.update(&right.to_le_bytes());
        }
        for stake in &self.stakes {
            hasher.update(&stake.to_le_bytes());
        }
        self.digest = hasher.digest();
    }

    /// A number that differs when the seats differ.
    pub const fn digest(&self) -> u64 {
        self.digest
    }
}
