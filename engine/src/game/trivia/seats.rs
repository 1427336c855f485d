//! The state of the seats, in dense arrays by seat: a million players take some tens of megabytes.

use klaxon_protocol::games::trivia::{Choice, MOST_LIVES, QuestionId};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::game::people::{People, SeatSet};

/// In `choice`: the seat has no counted answer.
const NONE: u8 = u8::MAX;

/// What each seat has.
#[derive(Default)]
pub struct Seats {
    /// Seats in play.
    pub alive: SeatSet,
    /// Extra lives.
    pub lives: Vec<u8>,
    /// Points.
    pub score: Vec<u32>,
    /// Right answers in a row.
    pub streak: Vec<u8>,
    /// The number of right answers.
    pub rights: Vec<u16>,
    /// The total time of all right answers, in milliseconds.
    pub time: Vec<u32>,
    /// The question that eliminated the seat; 0 if none did.
    pub out_at: Vec<u16>,
    choice: Vec<u8>,
    elapsed: Vec<u32>,
    /// A sum of hashes over the counted answers, so that counting an answer does not rehash the others.
    answers_digest: u64,
    /// A hash of the first `digested` seats in the arrays. The seats after them are in their initial state.
    digest: u64,
    digested: usize,
}

impl Seats {
    pub fn push(&mut self, lives: u8) {
        let seat = Seat(u32::try_from(self.lives.len()).expect("settings allow 10 million seats at most"));
        self.alive.insert(seat);
        self.lives.push(lives);
        self.score.push(0);
        self.streak.push(0);
        self.rights.push(0);
        self.time.push(0);
        self.out_at.push(0);
        self.choice.push(NONE);
        self.elapsed.push(0);
    }

    /// Resets the seat for a new player, before any question. Returns whether that changed it.
    pub fn begin_anew(&mut self, seat: Seat, lives: u8) -> bool {
        let index = seat.index();
        let was_new = self.alive.contains(seat) && self.lives[index] == lives;
        self.alive.insert(seat);
        self.lives[index] = lives;
        !was_new
    }

    pub fn len(&self) -> usize {
        self.lives.len()
    }

    /// In play and not taken out by the host.
    pub fn is_alive(&self, seat: Seat) -> bool {
        self.alive.contains(seat)
    }

    /// The seat's counted answer to the last question, if there is one.
    pub fn choice(&self, seat: Seat) -> Option<Choice> {
        self.choice.get(seat.index()).filter(|&&choice| choice != NONE).map(|&choice| Choice(choice))
    }

    /// How much of the players' time had passed when that answer was read.
    pub fn elapsed(&self, seat: Seat) -> Span {
        Span(self.elapsed[seat.index()])
    }

    pub fn count_answer(&mut self, seat: Seat, choice: Choice, elapsed: Span) {
        self.choice[seat.index()] = choice.0;
        self.elapsed[seat.index()] = elapsed.0;
        let packed = u128::from(seat.0) << 64 | u128::from(choice.0) << 32 | u128::from(elapsed.0);
        self.answers_digest = self.answers_digest.wrapping_add(xxh3_64(&packed.to_le_bytes()));
    }

    /// Clears the answers for the next question.
    pub fn forget_answers(&mut self) {
        self.choice.fill(NONE);
        self.answers_digest = 0;
    }

    pub fn give_lives(&mut self, seat: Seat, lives: u8) {
        let have = &mut self.lives[seat.index()];
        *have = have.saturating_add(lives).min(MOST_LIVES);
    }

    /// Takes a life or, if the seat has none, eliminates it. Returns true if it lost a life.
    pub fn lose(&mut self, seat: Seat, question: QuestionId) -> bool {
        let index = seat.index();
        if self.lives[index] > 0 {
            self.lives[index] -= 1;
            true
        } else {
            self.alive.remove(seat);
            self.out_at[index] = question.0;
            false
        }
    }

    /// Updates the hash. To be called after any change to the arrays of existing seats, or to the removed players.
    pub fn changed(&mut self, people: &People) {
        self.digested = self.len();
        let mut hasher = Xxh3::new();
        for set in [&self.alive, &people.removed, &people.banned] {
            hasher.update(&(set.words().len() as u64).to_le_bytes());
            update(&mut hasher, set.words(), |word| word.to_le_bytes());
        }
        hasher.update(&self.lives);
        hasher.update(&self.streak);
        update(&mut hasher, &self.score, |word| word.to_le_bytes());
        update(&mut hasher, &self.time, |word| word.to_le_bytes());
        update(&mut hasher, &self.rights, |word| word.to_le_bytes());
        update(&mut hasher, &self.out_at, |word| word.to_le_bytes());
        self.digest = hasher.digest();
    }

    /// Hashes and counts of the seats' whole state.
    pub fn digest(&self) -> [u64; 4] {
        [self.len() as u64, self.digested as u64, self.digest, self.answers_digest]
    }
}

/// Hashes numbers in little-endian order, a page at a time; on a little-endian machine this is a plain copy.
fn update<T: Copy, const N: usize>(hasher: &mut Xxh3, numbers: &[T], bytes_of: impl Fn(T) -> [u8; N]) {
    let mut page = [0u8; 4096];
    for numbers in numbers.chunks(page.len() / N) {
        for (bytes, &number) in page.chunks_exact_mut(N).zip(numbers) {
            bytes.copy_from_slice(&bytes_of(number));
        }
        hasher.update(&page[..numbers.len() * N]);
    }
}
