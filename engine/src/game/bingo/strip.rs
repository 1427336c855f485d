//! Strips: six tickets with 90 balls that have each number once between them.
//!
//! A strip is drawn ticket by ticket. How many numbers each column of a ticket has is drawn by weights: in how many ways the strip can be
//! finished after it. So each of the 4.7e77 strips is as probable as every other, and none is ever given up.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::draws::Draws;
use super::ticket90::{COLUMNS, ColumnCounts, ROWS, SHAPES, SIZES, Ticket90, first_of};

/// Tickets of a strip.
pub const TICKETS_OF_A_STRIP: usize = 6;

/// Six tickets with all numbers from 1 to 90.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strip(pub [Ticket90; TICKETS_OF_A_STRIP]);

impl Strip {
    /// Draws one, each as probable as every other.
    pub fn draw(draws: &mut Draws) -> Self {
        let mut left = SIZES;
        let shapes = [(); TICKETS_OF_A_STRIP].map(|()| {
            let (counts, layouts) = TABLE.draw(&left, draws);
            left.iter_mut().zip(counts).for_each(|(left, count)| *left -= count);
            (counts, u32::try_from(draws.below(u128::from(layouts))).expect("there are few layouts"))
        });
        let mut columns: [Vec<u8>; COLUMNS] = std::array::from_fn(|column| shuffled(column, draws));
        Self(shapes.map(|(counts, layout)| {
            let numbers = std::array::from_fn(|column| {
                let mut numbers = [0; ROWS];
                let count = usize::from(counts[column]);
                let rest = columns[column].len() - count;
                numbers[..count].copy_from_slice(&columns[column].split_off(rest));
                numbers[..count].sort_unstable();
                numbers
            });
            Ticket90::new(&counts, layout, &numbers)
        }))
    }
}

/// A column's numbers in any order, each as probable as every other, by one number below the count of orders.
fn shuffled(column: usize, draws: &mut Draws) -> Vec<u8> {
    let size = SIZES[column];
    let orders: u128 = (1..=u128::from(size)).product();
    let mut order = draws.below(orders);
    let mut rest: Vec<u8> = (first_of(column)..).take(usize::from(size)).collect();
    let mut numbers = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let count = rest.len() as u128;
        numbers.push(rest.swap_remove(usize::try_from(order % count).expect("a column has few numbers")));
        order /= count;
    }
    numbers
}

/// How many numbers each column still has to give. Those of the seven columns in the middle are sorted: which is which changes nothing.
type Left = ColumnCounts;

/// What can come next, where so much is left.
#[derive(Default)]
struct Next {
    /// The shape that comes next, by its index, and the weight of this one and of those before it.
    shapes: Vec<(u16, u128)>,
}

impl Next {
    fn weight(&self) -> u128 {
        self.shapes.last().map_or(0, |&(_, up_to)| up_to)
    }
}

struct StripTable(HashMap<Left, Next>);

static TABLE: LazyLock<StripTable> = LazyLock::new(StripTable::new);

impl StripTable {
    fn new() -> Self {
        // By the number of tickets that are still to come: what can be left then.
        let mut levels = vec![vec![SIZES]];
        for tickets in (1..TICKETS_OF_A_STRIP).rev() {
            let before = levels.last().expect("it begins with one level").iter();
            let mut level: Vec<Left> =
                before.flat_map(|left| SHAPES.iter().filter_map(|shape| after(left, &shape.counts, tickets))).collect();
            level.sort_unstable();
            level.dedup();
            levels.push(level);
        }
        let mut table = Self(HashMap::new());
        for (tickets, level) in levels.into_iter().rev().enumerate() {
            for left in level {
                let next = table.next(&left, tickets);
                table.0.insert(left, next);
            }
        }
        table
    }

    /// What can come next, where so much is left, and `tickets` tickets come after the next one.
    fn next(&self, left: &Left, tickets: usize) -> Next {
        let mut next = Next::default();
        let mut up_to = 0_u128;
        for (index, shape) in SHAPES.iter().enumerate() {
            let Some(then) = after(left, &shape.counts, tickets) else { continue };
            let then = if tickets == 0 { 1 } else { self.0[&then].weight() };
            let weight = u128::from(shape.layouts) * weight(&shape.counts) * then;
            up_to = up_to.checked_add(weight).expect("all weights together are 1.04e38");
            next.shapes.push((u16::try_from(index).expect("there are 1,554 shapes"), up_to));
        }
        next
    }

    /// Draws how many numbers each column of the next ticket has. Returns in how many layouts they can be, too.
    fn draw(&self, left: &ColumnCounts, draws: &mut Draws) -> (ColumnCounts, u32) {
        let mut columns: [usize; COLUMNS] = std::array::from_fn(|column| column);
        columns[MIDDLE].sort_by_key(|&column| left[column]);
        let next = &self.0[&columns.map(|column| left[column])];
        let drawn = draws.below(next.weight());
        let (shape, _) = next.shapes[next.shapes.partition_point(|&(_, up_to)| up_to <= drawn)];
        let shape = &SHAPES[usize::from(shape)];
        let mut counts = [0; COLUMNS];
        columns.into_iter().zip(shape.counts).for_each(|(column, count)| counts[column] = count);
        (counts, shape.layouts)
    }
}

/// The columns of ten numbers.
const MIDDLE: std::ops::Range<usize> = 1..COLUMNS - 1;

/// What is left after a ticket with these counts, if `tickets` more can be made of it: each column gives one to three numbers to each.
fn after(left: &Left, counts: &ColumnCounts, tickets: usize) -> Option<Left> {
    let tickets = tickets as u8;
    let mut then = *left;
    for (left, count) in then.iter_mut().zip(counts) {
        *left = left.checked_sub(*count).filter(|then| (tickets..=3 * tickets).contains(then))?;
    }
    then[MIDDLE].sort_unstable();
    Some(then)
}

/// In how many ways a column's numbers can be cut into pieces of these sizes is the count of its orders divided by that of each piece's
/// orders. Of nine columns with 15 numbers between them j have three and 6 - 2j two: divided by 2^-6 that is (2/3)^j, and by 27 whole.
fn weight(counts: &ColumnCounts) -> u128 {
    const BY_THREES: [u128; 4] = [27, 18, 12, 8];
    BY_THREES[counts.iter().filter(|&&count| count == 3).count()]
}

/// How probable each shape is as the first of a strip.
#[cfg(test)]
pub(super) fn first_shapes() -> Vec<f64> {
    let next = &TABLE.0[&SIZES];
    let mut of_shapes = vec![0.0; SHAPES.len()];
    let mut before = 0;
    for &(shape, up_to) in &next.shapes {
        of_shapes[usize::from(shape)] = (up_to - before) as f64 / next.weight() as f64;
        before = up_to;
    }
    of_shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_1181_states_and_all_ways_to_fill_a_strip_are_counted() {
        assert_eq!(TABLE.0.len(), 1181);
        // Another program, by another way of counting.
        assert_eq!(TABLE.0[&SIZES].weight(), 103_748_191_356_702_992_422_340_146_265_294_457_600);
    }
}
