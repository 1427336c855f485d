//! Patterns by sets of numbers: what must be drawn for a ticket to win.

use std::collections::BTreeSet;

use klaxon_protocol::games::bingo::{Balls, BingoPrize, Pattern};

use super::dealing::Ticket;

/// How many numbers the early five needs.
const EARLY: usize = 5;

/// Whether these balls complete the prize's pattern on this ticket.
#[must_use]
pub fn is_complete(ticket: &Ticket, balls: Balls, prize: &BingoPrize, drawn: &BTreeSet<u8>) -> bool {
    missing(ticket, balls, prize, drawn) == Some(0)
}

/// How many numbers are missing on this ticket for the pattern; none if it can't be won with it.
#[must_use]
pub fn missing(ticket: &Ticket, balls: Balls, prize: &BingoPrize, drawn: &BTreeSet<u8>) -> Option<usize> {
    if prize.pattern == Pattern::EarlyFive {
        let have = numbers(ticket.iter().flatten().copied()).intersection(drawn).count();
        return Some(EARLY.saturating_sub(have));
    }
    let ways = ways(ticket, balls, prize);
    ways.iter().map(|way| way.difference(drawn).count()).min()
}

/// The sets of numbers of which one has to be drawn.
fn ways(ticket: &Ticket, balls: Balls, prize: &BingoPrize) -> Vec<BTreeSet<u8>> {
    let cells = || ticket.iter().flatten().copied();
    let under = |mask: u32, cells: &[u8]| {
        numbers(cells.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, &number)| number))
    };
    match prize.pattern {
        Pattern::Line => lines(ticket, balls),
        Pattern::TwoLines => {
            let lines = lines(ticket, balls);
            let pairs = (0..lines.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
            pairs.map(|(one, other)| &lines[one] | &lines[other]).collect()
        }
        Pattern::FourCorners => {
            let ends = |row: &Vec<u8>| {
                let filled: Vec<u8> = row.iter().copied().filter(|&number| number > 0).collect();
                [filled.first().copied(), filled.last().copied()]
            };
            vec![numbers([ticket.first(), ticket.last()].into_iter().flatten().flat_map(ends).flatten())]
        }
        Pattern::X => {
            let crossing = |(row, cells): (usize, &Vec<u8>)| [cells[row], cells[cells.len() - 1 - row]];
            vec![numbers(ticket.iter().enumerate().flat_map(crossing))]
        }
        Pattern::Frame => {
            let last = ticket.len() - 1;
            let is_outside = |row: usize, column: usize| [row, column].iter().any(|&at| at == 0 || at == last);
            let cells = ticket.iter().enumerate().flat_map(|(row, cells)| {
                cells.iter().enumerate().filter(move |&(column, _)| is_outside(row, column)).map(|(_, &number)| number)
            });
            vec![numbers(cells)]
        }
        Pattern::TopLine | Pattern::MiddleLine | Pattern::BottomLine => {
            let row = match prize.pattern {
                Pattern::TopLine => 0,
                Pattern::MiddleLine => 1,
                _ => 2,
            };
            ticket.get(row).into_iter().map(|row| numbers(row.iter().copied())).collect()
        }
        Pattern::Blackout | Pattern::FullHouse | Pattern::SecondHouse | Pattern::ThirdHouse => vec![numbers(cells())],
        Pattern::Cells => {
            let cells: Vec<u8> = cells().collect();
            prize.masks.iter().map(|&mask| under(mask, &cells)).filter(|way| !way.is_empty()).collect()
        }
        Pattern::Numbers => {
            let cells: Vec<u8> = cells().filter(|&number| number > 0).collect();
            prize.masks.iter().map(|&mask| under(mask, &cells)).collect()
        }
        Pattern::EarlyFive => Vec::new(),
    }
}

/// Rows and, with 75 balls, columns and diagonals.
fn lines(ticket: &Ticket, balls: Balls) -> Vec<BTreeSet<u8>> {
    let mut lines: Vec<BTreeSet<u8>> = ticket.iter().map(|row| numbers(row.iter().copied())).collect();
    if balls == Balls::Of75 {
        let side = ticket.len();
        lines.extend((0..side).map(|column| numbers(ticket.iter().map(|row| row[column]))));
        lines.push(numbers((0..side).map(|at| ticket[at][at])));
        lines.push(numbers((0..side).map(|at| ticket[at][side - 1 - at])));
    }
    lines
}

/// Cells without those that have no number.
fn numbers(cells: impl Iterator<Item = u8>) -> BTreeSet<u8> {
    cells.filter(|&number| number > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prize(pattern: Pattern, masks: &[u32]) -> BingoPrize {
        BingoPrize { name: "p".into(), pattern, masks: masks.to_vec(), amount: 0 }
    }

    /// 1 to 25 row by row, with a free cell in the middle.
    fn american() -> Ticket {
        let row = |row: u8| (1..=5).map(|column| row * 5 + column).map(|n| if n == 13 { 0 } else { n }).collect();
        (0..5).map(row).collect()
    }

    fn indian() -> Ticket {
        vec![
            vec![1, 0, 20, 0, 40, 0, 60, 0, 80],
            vec![0, 10, 0, 30, 0, 50, 61, 0, 81],
            vec![2, 11, 0, 0, 41, 0, 62, 70, 0],
        ]
    }

    fn to_go(ticket: &Ticket, balls: Balls, prize: &BingoPrize, drawn: &[u8]) -> Option<usize> {
        missing(ticket, balls, prize, &drawn.iter().copied().collect())
    }

    #[test]
    fn patterns_with_75_balls() {
        let to_go =
            |pattern, masks: &[u32], drawn: &[u8]| to_go(&american(), Balls::Of75, &prize(pattern, masks), drawn);
        assert_eq!(to_go(Pattern::Line, &[], &[11, 12, 14, 15]), Some(0), "the free cell needs no ball");
        assert_eq!(to_go(Pattern::Line, &[], &[1, 7, 19]), Some(1), "a diagonal");
        assert_eq!(to_go(Pattern::TwoLines, &[], &[1, 2, 3, 4, 5, 6, 11, 16, 21]), Some(0), "a row and a column");
        assert_eq!(to_go(Pattern::FourCorners, &[], &[1, 5, 21]), Some(1));
        assert_eq!(to_go(Pattern::X, &[], &[]), Some(8));
        assert_eq!(to_go(Pattern::Frame, &[], &[]), Some(16));
        assert_eq!(to_go(Pattern::Blackout, &[], &[1, 2, 75]), Some(22));
        assert_eq!(to_go(Pattern::Cells, &[0b11, 1 << 24], &[1]), Some(1));
    }

    #[test]
    fn patterns_with_90_balls() {
        let to_go = |pattern, masks: &[u32], drawn: &[u8]| to_go(&indian(), Balls::Of90, &prize(pattern, masks), drawn);
        assert_eq!(to_go(Pattern::EarlyFive, &[], &[1, 20, 10, 70, 3]), Some(1));
        assert_eq!(to_go(Pattern::EarlyFive, &[], &[1, 20, 10, 70, 62, 2]), Some(0));
        assert_eq!(to_go(Pattern::TopLine, &[], &[1, 20, 40, 60, 80]), Some(0));
        assert_eq!(to_go(Pattern::MiddleLine, &[], &[10]), Some(4));
        assert_eq!(to_go(Pattern::BottomLine, &[], &[1, 20, 40, 60, 80]), Some(5));
        assert_eq!(to_go(Pattern::Line, &[], &[1, 20, 40, 60, 2]), Some(1));
        assert_eq!(to_go(Pattern::FourCorners, &[], &[1, 80, 2]), Some(1), "70 is the last of the bottom row");
        assert_eq!(to_go(Pattern::FullHouse, &[], &[1]), Some(14));
        assert_eq!(to_go(Pattern::Cells, &[0b10], &[]), None, "there is no number in the second cell");
        assert_eq!(to_go(Pattern::Cells, &[0b11], &[1]), Some(0));
        assert_eq!(to_go(Pattern::Numbers, &[0b11], &[1]), Some(1));
    }
}
