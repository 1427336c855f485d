//! All tickets of a part, in the order of seats.

use klaxon_protocol::games::bingo::Balls;
use klaxon_protocol::ids::Seat;

use super::dealer::Tickets;
use super::near::{TicketNumber, numbers};

/// The tickets that were dealt: 25 or 27 bytes each.
#[derive(Debug)]
pub(super) struct Cards {
    balls: Balls,
    /// How many tickets a seat has.
    each: u8,
    /// Ticket by ticket, row by row.
    cells: Vec<u8>,
}

impl Cards {
    pub const fn new(balls: Balls, each: u8) -> Self {
        Self { balls, each, cells: Vec::new() }
    }

    /// Adds the tickets of the next seat.
    pub fn add(&mut self, tickets: &Tickets) {
        match tickets {
            Tickets::Balls75(tickets) => {
                tickets.iter().for_each(|ticket| self.cells.extend(ticket.cells().as_flattened()));
            }
            Tickets::Balls90(tickets) => {
                tickets.iter().for_each(|ticket| self.cells.extend(ticket.cells().as_flattened()));
            }
        }
    }

    const fn size(&self) -> usize {
        self.balls.cells() as usize
    }

    /// How many tickets there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.cells.len() / self.size()).expect("an index has room for them")
    }

    /// How many seats have tickets: the first ones.
    pub fn seats(&self) -> u32 {
        self.count() / u32::from(self.each)
    }

    /// The number of a seat's ticket; none if the seat has no such ticket.
    pub fn number(&self, seat: Seat, ticket: u8) -> Option<TicketNumber> {
        (seat.0 < self.seats() && ticket < self.each).then(|| seat.0 * u32::from(self.each) + u32::from(ticket))
    }

    /// The seat that has this ticket, and which of the seat's it is.
    pub const fn holder(&self, number: TicketNumber) -> (Seat, u8) {
        (Seat(number / self.each as u32), (number % self.each as u32) as u8)
    }

    /// The numbers of the seat's tickets.
    pub fn of(&self, seat: Seat) -> std::ops::Range<TicketNumber> {
        let has_tickets = seat.0 < self.seats();
        let first = if has_tickets { seat.0 * u32::from(self.each) } else { 0 };
        first..first + if has_tickets { u32::from(self.each) } else { 0 }
    }

    /// A ticket's cells, row by row.
    pub fn cells(&self, number: TicketNumber) -> &[u8] {
        let first = number as usize * self.size();
        &self.cells[first..first + self.size()]
    }

    /// A ticket as rows.
    pub fn rows(&self, number: TicketNumber) -> Vec<Vec<u8>> {
        let columns = match self.balls {
            Balls::Of75 => 5,
            Balls::Of90 => 9,
        };
        self.cells(number).chunks(columns).map(Vec::from).collect()
    }

    /// Where a ticket has this number, if it has it.
    pub fn place(&self, number: TicketNumber, ball: u8) -> Option<u32> {
        numbers(self.balls, self.cells(number)).find(|&(number, _)| number == ball).map(|(_, place)| place)
    }
}
