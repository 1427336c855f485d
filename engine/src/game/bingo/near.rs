//! Which tickets could win which prize, and which are near to it, after each ball.
//!
//! An index leads from each number to the tickets that have it, so a ball looks only at the tickets that it is on: a third of them with 75
//! balls, a sixth with 90. For each ticket and prize the index keeps how many numbers are missing, as two bits, and for each prize how many
//! tickets miss none, one and two. Nothing is allocated for a ticket at a ball.

use std::collections::HashMap;

use klaxon_protocol::games::bingo::{Balls, BingoPrize, FREE_CELL};

use super::patterns::{Board, Goal, PLACES, ToGo};

/// A ticket's number among all tickets of a part: the seat times the tickets of each seat, plus the ticket's number.
pub type TicketNumber = u32;

/// In an entry of the index, the bits below the ticket's number: the place of the number on the ticket.
const PLACE_BITS: u32 = 5;
/// How many tickets an index can have: more than six for each of 10 million seats.
const MOST_TICKETS: u32 = 1 << (u32::BITS - PLACE_BITS);
/// On a board, beside the places: the ticket can't win all prizes.
const IS_BARRED: Board = 1 << 31;
/// The cells of a row with 90 balls.
const COLUMNS: usize = 9;

/// The index over all tickets of a part.
#[derive(Debug)]
pub struct NearIndex {
    balls: Balls,
    goals: Vec<Goal>,
    /// Bit set of the prizes that can still be won. The others are not kept up to date.
    open: u32,
    /// By place: the fields of the prizes that a mark at this place can bring nearer.
    by_place: Vec<Fields>,
    /// By number: the tickets that have it, each with the place where.
    entries: Vec<Vec<u32>>,
    tickets: Vec<Position>,
    /// By ticket: which cells have a number. Empty if no prize depends on it.
    layouts: Vec<u32>,
    /// What a new ticket misses of each prize, if that is the same for all.
    at_first: Fields,
    /// Of tickets that can't win all prizes: a bit set of those that they can't. There are few.
    barred: HashMap<TicketNumber, u32>,
    /// By prize: how many tickets miss 0, 1, 2 and more numbers.
    counts: Vec<[u32; 4]>,
    /// What the last ball completed: prize and ticket, in the order of tickets.
    completed: Vec<(u8, TicketNumber)>,
    /// Reused: what a ball changes in `counts`.
    changes: Vec<[i32; 4]>,
}

/// A ticket's state.
#[derive(Debug, Clone, Copy)]
#[repr(Rust, packed(4))]
struct Position {
    /// What is missing of each prize.
    to_go: Fields,
    board: Board,
}

/// Two bits for each prize.
type Fields = u64;

/// The lower bits of the fields of the prizes in this bit set.
fn fields_of(prizes: u32) -> Fields {
    (0..u32::BITS).filter(|prize| prizes >> prize & 1 == 1).fold(0, |fields, prize| fields | 1 << (2 * prize))
}

fn field(fields: Fields, prize: usize) -> ToGo {
    (fields >> (2 * prize) & 0b11) as ToGo
}

fn with_field(fields: Fields, prize: usize, to_go: ToGo) -> Fields {
    fields & !(0b11 << (2 * prize)) | Fields::from(to_go) << (2 * prize)
}

impl NearIndex {
    /// An index without tickets, for these prizes.
    #[must_use]
    pub fn new(balls: Balls, prizes: &[BingoPrize]) -> Self {
        let goals: Vec<Goal> = prizes.iter().map(|prize| Goal::of(prize, balls)).collect();
        let board = first_board(balls);
        let at_first =
            (0..).zip(&goals).fold(0, |fields, (prize, goal)| with_field(fields, prize, goal.to_go(board, 0)));
        let by_place = |place| {
            let prizes = (0..).zip(&goals).filter(|(_, goal)| goal.depends_on(place));
            fields_of(prizes.fold(0, |prizes, (prize, _)| prizes | 1 << prize))
        };
        Self {
            balls,
            open: u32::try_from((1_u64 << goals.len()) - 1).unwrap_or(u32::MAX),
            by_place: (0..PLACES).map(by_place).collect(),
            entries: vec![Vec::new(); usize::from(balls.count())],
            tickets: Vec::new(),
            layouts: Vec::new(),
            at_first,
            barred: HashMap::new(),
            counts: vec![[0; 4]; goals.len()],
            completed: Vec::new(),
            changes: vec![[0; 4]; goals.len()],
            goals,
        }
    }

    /// Adds the next ticket: its cells row by row, 0 where there is no number.
    ///
    /// # Panics
    /// If there are too many tickets, or the cells are not those of a ticket.
    pub fn add(&mut self, cells: &[u8]) {
        let ticket = TicketNumber::try_from(self.tickets.len()).ok().filter(|&ticket| ticket < MOST_TICKETS);
        let ticket = ticket.expect("a show has 10 million seats at most");
        for (number, place) in numbers(self.balls, cells) {
            self.entries[usize::from(number) - 1].push(ticket << PLACE_BITS | place);
        }
        let board = first_board(self.balls);
        let mut to_go = self.at_first;
        if self.goals.iter().any(Goal::needs_layout) {
            let layout = layout(cells);
            self.layouts.push(layout);
            for (prize, goal) in self.goals.iter().enumerate() {
                to_go = with_field(to_go, prize, goal.to_go(board, layout));
            }
        }
        for (prize, counts) in self.counts.iter_mut().enumerate() {
            counts[usize::from(field(to_go, prize))] += 1;
        }
        self.tickets.push(Position { to_go, board });
    }

    /// A ball is drawn. Returns what it completed: prizes that are open and tickets that can win them, in the order of tickets.
    pub fn draw(&mut self, ball: u8) -> &[(u8, TicketNumber)] {
        let Self { goals, open, by_place, entries, tickets, layouts, barred, counts, completed, changes, .. } = self;
        let open = fields_of(*open);
        completed.clear();
        changes.fill([0; 4]);
        for &entry in &entries[usize::from(ball) - 1] {
            let (ticket, place) = (entry >> PLACE_BITS, entry & ((1 << PLACE_BITS) - 1));
            let position = &mut tickets[ticket as usize];
            let (mut to_go, board) = (position.to_go, position.board | 1 << place);
            position.board = board;
            let mut left = (to_go | to_go >> 1) & open & by_place[place as usize];
            if board & IS_BARRED != 0 {
                left &= !fields_of(barred[&ticket]);
            }
            while left != 0 {
                let prize = (left.trailing_zeros() / 2) as usize;
                left &= left - 1;
                let before = field(to_go, prize);
                let layout = layouts.get(ticket as usize).copied().unwrap_or_default();
                if goals[prize].has_fallen(board & !IS_BARRED, layout, place, before) {
                    to_go -= 1 << (2 * prize);
                    changes[prize][usize::from(before)] -= 1;
                    changes[prize][usize::from(before) - 1] += 1;
                    if before == 1 {
                        completed.push((prize as u8, ticket));
                    }
                }
            }
            position.to_go = to_go;
        }
        for (counts, changes) in counts.iter_mut().zip(changes) {
            for (count, change) in counts.iter_mut().zip(changes) {
                *count = count.checked_add_signed(*change).expect("as many tickets leave a count as were in it");
            }
        }
        completed
    }

    /// What the last ball completed.
    #[must_use]
    pub fn completed(&self) -> &[(u8, TicketNumber)] {
        &self.completed
    }

    /// Takes the last ball back.
    pub fn take_back(&mut self, ball: u8) {
        for index in 0..self.entries[usize::from(ball) - 1].len() {
            let entry = self.entries[usize::from(ball) - 1][index];
            let ticket = entry >> PLACE_BITS;
            self.tickets[ticket as usize].board &= !(1 << (entry & ((1 << PLACE_BITS) - 1)));
            self.recount(ticket, self.open);
        }
        self.completed.clear();
    }

    /// A prize is gone: it is not kept up to date any more.
    pub fn close(&mut self, prize: u8) {
        self.open &= !(1 << prize);
    }

    /// A prize can be won after all.
    pub fn reopen(&mut self, prize: u8) {
        self.open |= 1 << prize;
        (0..self.tickets.len() as TicketNumber).for_each(|ticket| self.recount(ticket, 1 << prize));
    }

    /// Sets which prizes a ticket can't win, as a bit set. Such a ticket is neither completed nor counted.
    pub fn bar(&mut self, ticket: TicketNumber, prizes: u32) {
        self.count(ticket, |count| *count -= 1);
        let position = &mut self.tickets[ticket as usize];
        if prizes == 0 {
            self.barred.remove(&ticket);
            position.board &= !IS_BARRED;
        } else {
            self.barred.insert(ticket, prizes);
            position.board |= IS_BARRED;
        }
        self.count(ticket, |count| *count += 1);
        self.recount(ticket, self.open);
    }

    /// Changes the counts that the ticket is in.
    fn count(&mut self, ticket: TicketNumber, change: impl Fn(&mut u32)) {
        let (to_go, barred) = (self.tickets[ticket as usize].to_go, self.barred(ticket));
        for (prize, counts) in self.counts.iter_mut().enumerate() {
            if barred >> prize & 1 == 0 {
                change(&mut counts[usize::from(field(to_go, prize))]);
            }
        }
    }

    /// Which prizes a ticket can't win, as a bit set.
    #[must_use]
    pub fn barred(&self, ticket: TicketNumber) -> u32 {
        self.barred.get(&ticket).copied().unwrap_or_default()
    }

    /// Computes anew what a ticket misses of these prizes, except of those that it can't win.
    fn recount(&mut self, ticket: TicketNumber, prizes: u32) {
        let (layout, prizes) = (self.layout_of(ticket), prizes & !self.barred(ticket));
        let position = &mut self.tickets[ticket as usize];
        for (prize, (goal, counts)) in self.goals.iter().zip(&mut self.counts).enumerate() {
            if prizes >> prize & 1 == 1 {
                let (before, after) = (field(position.to_go, prize), goal.to_go(position.board & !IS_BARRED, layout));
                position.to_go = with_field(position.to_go, prize, after);
                counts[usize::from(before)] -= 1;
                counts[usize::from(after)] += 1;
            }
        }
    }

    /// How many tickets miss 0, 1 and 2 numbers of an open prize, without those that can't win it.
    #[must_use]
    pub fn near(&self, prize: u8) -> [u32; 3] {
        let [complete, one, two, _] = self.counts[usize::from(prize)];
        [complete, one, two]
    }

    /// How many numbers a ticket misses of a prize, gone or not.
    #[must_use]
    pub fn to_go(&self, ticket: TicketNumber, prize: u8) -> ToGo {
        self.goals[usize::from(prize)].to_go(self.board(ticket), self.layout_of(ticket))
    }

    /// The same if the number at this place were not drawn.
    #[must_use]
    pub fn to_go_without(&self, ticket: TicketNumber, prize: u8, place: u32) -> ToGo {
        let board = self.board(ticket) & !(1 << place);
        self.goals[usize::from(prize)].to_go(board, self.layout_of(ticket))
    }

    fn board(&self, ticket: TicketNumber) -> Board {
        self.tickets[ticket as usize].board & !IS_BARRED
    }

    fn layout_of(&self, ticket: TicketNumber) -> u32 {
        self.layouts.get(ticket as usize).copied().unwrap_or_default()
    }
}

/// What is marked on a ticket before the first ball.
const fn first_board(balls: Balls) -> Board {
    match balls {
        Balls::Of75 => FREE_CELL,
        Balls::Of90 => 0,
    }
}

/// The numbers of a ticket, each with its place on a [`Board`].
pub fn numbers(balls: Balls, cells: &[u8]) -> impl Iterator<Item = (u8, u32)> {
    let mut numbers_before = 0;
    (0..).zip(cells).filter(|&(_, &number)| number > 0).map(move |(cell, &number)| {
        let place = match balls {
            Balls::Of75 => cell,
            Balls::Of90 => numbers_before,
        };
        numbers_before += 1;
        (number, place)
    })
}

/// Which cells of a ticket with 90 balls have a number.
fn layout(cells: &[u8]) -> u32 {
    assert_eq!(cells.len(), 3 * COLUMNS, "a ticket with 90 balls has 27 cells");
    (0..).zip(cells).fold(0, |layout, (cell, &number)| layout | u32::from(number > 0) << cell)
}
