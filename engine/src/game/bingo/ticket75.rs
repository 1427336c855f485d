//! Tickets with 75 balls: 5 rows of 5 columns. A column has numbers of its fifteen, in any order; the cell in the middle is free.

use super::draws::Draws;

/// Rows, and columns.
const SIDE: usize = 5;
/// How many numbers belong to a column: 1 to 15, 16 to 30, ..., 61 to 75.
const SIZE: u8 = 15;
/// Row and column of the free cell.
const MIDDLE: usize = 2;

/// A ticket with 75 balls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket75 {
    /// By row and column; 0 in the middle, which is free.
    cells: [[u8; SIDE]; SIDE],
}

impl Ticket75 {
    /// By row and column; 0 in the middle, which is free.
    #[must_use]
    pub const fn cells(&self) -> &[[u8; SIDE]; SIDE] {
        &self.cells
    }

    /// Draws one, each of the 5.5e26 as probable as every other: for each column a number below the count of ways to fill it.
    pub fn draw(draws: &mut Draws) -> Self {
        let mut cells = [[0; SIDE]; SIDE];
        for column in 0..SIDE {
            let rows = (0..SIDE).filter(|&row| (row, column) != (MIDDLE, MIDDLE));
            let ways: u128 = rows.clone().zip((0..=u128::from(SIZE)).rev()).map(|(_, left)| left).product();
            let mut way = draws.below(ways);
            let mut rest: Vec<u8> = (column as u8 * SIZE + 1..).take(usize::from(SIZE)).collect();
            for row in rows {
                let count = rest.len() as u128;
                cells[row][column] = rest.swap_remove(usize::try_from(way % count).expect("a column has few numbers"));
                way /= count;
            }
        }
        Self { cells }
    }
}
