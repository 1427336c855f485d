//! All tickets of a show, dealt again: written from docs/rules/bingo.md, by other ways of counting than the engine's.

use std::collections::{BTreeMap, HashMap, HashSet};

use klaxon_protocol::games::bingo::Balls;
use klaxon_protocol::ids::Seat;

use super::numbers::{Bytes32, Numbers};

/// A ticket: rows of numbers, 0 where there is none.
pub type Ticket = Vec<Vec<u8>>;

/// Tickets of a strip.
const STRIP: u8 = 6;
const ROWS: usize = 3;
const COLUMNS: usize = 9;

/// The tickets of these seats, which must be in order.
pub(super) fn deal(
    seed: &Bytes32,
    balls: Balls,
    each: u8,
    seats: impl Iterator<Item = Seat>,
) -> BTreeMap<Seat, Vec<Ticket>> {
    let counting = Counting::new();
    let mut dealt: HashSet<Ticket> = HashSet::new();
    let mut draw = |kind: u8, seat: Seat, number: u8| -> Vec<Ticket> {
        for again in 0.. {
            let mut numbers = Numbers::of_ticket(seed, kind, seat.0, number.into(), again);
            let tickets = match kind {
                75 => vec![ticket_of_75(&mut numbers)],
                90 => vec![counting.ticket_of_90(&mut numbers)],
                _ => counting.strip(&mut numbers),
            };
            if tickets.iter().all(|ticket| !dealt.contains(ticket)) {
                dealt.extend(tickets.iter().cloned());
                return tickets;
            }
        }
        Vec::new()
    };
    let mut of_seat = |seat| match (balls, each) {
        (Balls::Of90, STRIP) => draw(STRIP, seat, 0),
        _ => (0..each).flat_map(|number| draw(balls.count(), seat, number)).collect(),
    };
    seats.map(|seat| (seat, of_seat(seat))).collect()
}

/// Takes the numbers out of a list in the order that `way` stands for, `count` of them: the last number takes the place
/// of one that was taken.
fn taken(mut list: Vec<u8>, count: usize, mut way: u128) -> Vec<u8> {
    let mut taken = Vec::with_capacity(count);
    for _ in 0..count {
        let left = list.len() as u128;
        let index = usize::try_from(way % left).unwrap_or_default();
        way /= left;
        taken.push(list[index]);
        let last = list.len() - 1;
        list.swap(index, last);
        list.truncate(last);
    }
    taken
}

fn ticket_of_75(numbers: &mut Numbers) -> Ticket {
    let mut ticket = vec![vec![0; 5]; 5];
    for column in 0..5_u8 {
        let rows: Vec<usize> = (0..5).filter(|&row| (row, column) != (2, 2)).collect();
        let ways = (0..rows.len() as u128).map(|before| 15 - before).product();
        let own: Vec<u8> = (15 * column + 1..=15 * column + 15).collect();
        for (&row, number) in rows.iter().zip(taken(own, rows.len(), numbers.below(ways))) {
            ticket[row][usize::from(column)] = number;
        }
    }
    ticket
}

/// The numbers of a column with 90 balls.
fn column_of_90(column: usize) -> Vec<u8> {
    (1..=90_u8).filter(|number| usize::from(*number / 10).min(COLUMNS - 1) == column).collect()
}

fn factorial(number: usize) -> u128 {
    (1..=number as u128).product()
}

/// How many numbers each column of a ticket has.
type Counts = [usize; COLUMNS];

/// A shape of tickets with 90 balls.
struct Shape {
    counts: Counts,
    /// In how many ways the numbers can be in rows.
    layouts: u128,
    /// How many tickets have this shape.
    tickets: u128,
}

/// The shapes of tickets with 90 balls, and in how many ways a strip can be finished.
struct Counting {
    /// In the order of their counts as digits.
    shapes: Vec<Shape>,
    /// By what is left in the columns, those in the middle sorted: the shapes that can come next, each with the weight of
    /// it and of those before it.
    next: HashMap<Counts, Vec<(usize, u128)>>,
}

impl Counting {
    fn new() -> Self {
        let mut shapes = Vec::new();
        for digits in 0..3_usize.pow(COLUMNS as u32) {
            let digit = |column: usize| digits / 3_usize.pow((COLUMNS - 1 - column) as u32) % 3;
            let counts: Counts = std::array::from_fn(|column| digit(column) + 1);
            if counts.iter().sum::<usize>() == 15 {
                let layouts = layouts(&counts, [5; ROWS]);
                let choices = (0..COLUMNS).map(|column| subsets(&column_of_90(column), counts[column]));
                shapes.push(Shape { counts, layouts, tickets: layouts * choices.product::<u128>() });
            }
        }
        let mut counting = Self { shapes, next: HashMap::new() };
        counting.count_strips(std::array::from_fn(|column| column_of_90(column).len()), STRIP.into());
        counting
    }

    /// In how many ways `tickets` tickets can be made of what is `left`, times a factor that is the same for all.
    fn count_strips(&mut self, left: Counts, tickets: usize) -> u128 {
        if tickets == 0 {
            return 1;
        }
        let left = sorted(left);
        if let Some(known) = self.next.get(&left) {
            return known.last().map_or(0, |&(_, up_to)| up_to);
        }
        let (mut next, mut up_to) = (Vec::new(), 0);
        for index in 0..self.shapes.len() {
            let Shape { counts, layouts, .. } = self.shapes[index];
            if let Some(then) = without(&left, &counts, tickets - 1) {
                up_to += layouts * orders(&counts) * self.count_strips(then, tickets - 1);
                next.push((index, up_to));
            }
        }
        self.next.insert(left, next);
        up_to
    }

    fn ticket_of_90(&self, numbers: &mut Numbers) -> Ticket {
        let mut rest = numbers.below(self.shapes.iter().map(|shape| shape.tickets).sum());
        for Shape { counts, layouts, tickets } in &self.shapes {
            if rest >= *tickets {
                rest -= tickets;
                continue;
            }
            let layout = rest % layouts;
            rest /= layouts;
            let mut columns = Vec::new();
            for column in 0..COLUMNS {
                let all = subsets(&column_of_90(column), counts[column]);
                columns.push(subset(&column_of_90(column), counts[column], rest % all));
                rest /= all;
            }
            return ticket(counts, layout, &columns);
        }
        Ticket::new()
    }

    fn strip(&self, numbers: &mut Numbers) -> Vec<Ticket> {
        let mut left: Counts = std::array::from_fn(|column| column_of_90(column).len());
        let mut drawn = Vec::new();
        for _ in 0..STRIP {
            let (counts, layouts) = self.next_of_strip(&left, numbers);
            left = std::array::from_fn(|column| left[column] - counts[column]);
            drawn.push((counts, numbers.below(layouts)));
        }
        let mut columns: Vec<Vec<u8>> = Vec::new();
        for column in (0..COLUMNS).map(column_of_90) {
            let count = column.len();
            columns.push(taken(column, count, numbers.below(factorial(count))));
        }
        drawn
            .into_iter()
            .map(|(counts, layout)| {
                let own: Vec<Vec<u8>> = (0..COLUMNS)
                    .map(|column| {
                        let mut own: Vec<u8> = (0..counts[column]).filter_map(|_| columns[column].pop()).collect();
                        own.sort_unstable();
                        own
                    })
                    .collect();
                ticket(&counts, layout, &own)
            })
            .collect()
    }

    /// Draws the counts of a strip's next ticket, and returns in how many layouts they can be.
    fn next_of_strip(&self, left: &Counts, numbers: &mut Numbers) -> (Counts, u128) {
        // The columns in the middle, those with the least left first.
        let mut places: Vec<usize> = (0..COLUMNS).collect();
        places[1..COLUMNS - 1].sort_by_key(|&column| left[column]);
        let by_place: Counts = std::array::from_fn(|place| left[places[place]]);
        let next = &self.next[&by_place];
        let drawn = numbers.below(next.last().map_or(1, |&(_, up_to)| up_to));
        let index = next.iter().find(|&&(_, up_to)| drawn < up_to).map_or(0, |&(index, _)| index);
        let Shape { counts, layouts, .. } = &self.shapes[index];
        let mut own = [0; COLUMNS];
        places.iter().zip(counts).for_each(|(&column, &count)| own[column] = count);
        (own, *layouts)
    }
}

fn sorted(mut left: Counts) -> Counts {
    left[1..COLUMNS - 1].sort_unstable();
    left
}

/// What is left after a ticket; none if `tickets` more can't be made of it.
fn without(left: &Counts, counts: &Counts, tickets: usize) -> Option<Counts> {
    let mut then = [0; COLUMNS];
    for column in 0..COLUMNS {
        then[column] = left[column].checked_sub(counts[column])?;
        if then[column] < tickets || then[column] > 3 * tickets {
            return None;
        }
    }
    Some(then)
}

/// In how many ways a column's numbers are divided is inversely proportional to the orders within each part: 1728 over
/// them is a whole number for every shape.
fn orders(counts: &Counts) -> u128 {
    1728 / counts.iter().map(|&count| factorial(count)).product::<u128>()
}

/// In how many ways columns with these counts fill rows with this much room. Columns of three are in all rows. If `x` of
/// the columns of two leave out each row, in multinomially many ways, what is left of the row is for columns of one.
fn layouts(counts: &[usize], room: [usize; ROWS]) -> u128 {
    let of = |kind| counts.iter().filter(|&&count| count == kind).count();
    let (ones, twos, threes) = (of(1), of(2), of(3));
    let multinomial = |parts: [usize; ROWS]| {
        factorial(parts.iter().sum()) / parts.iter().map(|&part| factorial(part)).product::<u128>()
    };
    let mut sum = 0;
    for first in 0..=twos {
        for second in 0..=twos - first {
            let left_out = [first, second, twos - first - second];
            let for_ones: Vec<usize> =
                (0..ROWS).filter_map(|row| room[row].checked_sub(threes)?.checked_sub(twos - left_out[row])).collect();
            if let [a, b, c] = for_ones[..]
                && a + b + c == ones
            {
                sum += multinomial(left_out) * multinomial([a, b, c]);
            }
        }
    }
    sum
}

/// The rows that a column with this count can take, in order.
fn rows_of(count: usize) -> Vec<Vec<usize>> {
    match count {
        1 => vec![vec![0], vec![1], vec![2]],
        2 => vec![vec![1, 2], vec![0, 2], vec![0, 1]],
        _ => vec![vec![0, 1, 2]],
    }
}

/// The ticket with these counts, the layout of this number and these numbers.
fn ticket(counts: &Counts, mut layout: u128, columns: &[Vec<u8>]) -> Ticket {
    let mut room = [5; ROWS];
    let mut ticket = vec![vec![0; COLUMNS]; ROWS];
    for (column, own) in columns.iter().enumerate() {
        for rows in rows_of(counts[column]) {
            if rows.iter().any(|&row| room[row] == 0) {
                continue;
            }
            let mut then = room;
            rows.iter().for_each(|&row| then[row] -= 1);
            let ways = layouts(&counts[column + 1..], then);
            if layout < ways {
                room = then;
                rows.iter().zip(own).for_each(|(&row, &number)| ticket[row][column] = number);
                break;
            }
            layout -= ways;
        }
    }
    ticket
}

/// How many subsets of this size there are.
fn subsets(numbers: &[u8], size: usize) -> u128 {
    factorial(numbers.len()) / factorial(size) / factorial(numbers.len() - size)
}

/// The subset of this size with this number, in lexical order.
fn subset(numbers: &[u8], size: usize, mut number: u128) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    for (first, rest) in numbers.iter().zip(1..) {
        let rest = &numbers[rest..];
        let with_it = if rest.len() < size - 1 { 0 } else { subsets(rest, size - 1) };
        if number < with_it {
            return std::iter::once(*first).chain(subset(rest, size - 1, number)).collect();
        }
        number -= with_it;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid_90(ticket: &Ticket) -> bool {
        let rows =
            ticket.len() == ROWS && ticket.iter().all(|row| row.iter().filter(|&&number| number > 0).count() == 5);
        let columns = (0..COLUMNS).all(|column| {
            let own: Vec<u8> = ticket.iter().map(|row| row[column]).filter(|&number| number > 0).collect();
            !own.is_empty() && own.is_sorted() && own.iter().all(|number| column_of_90(column).contains(number))
        });
        rows && columns
    }

    #[test]
    fn there_are_as_many_tickets_and_strips_as_the_rule_book_has() {
        let counting = Counting::new();
        assert_eq!(counting.shapes.len(), 1554);
        assert_eq!(counting.next.len(), 1181);
        assert_eq!(counting.shapes.iter().map(|shape| shape.tickets).sum::<u128>(), 3_669_688_706_217_187_500);
        assert_eq!(counting.shapes.iter().map(|shape| shape.layouts).sum::<u128>(), 735_210);
    }

    #[test]
    fn tickets_obey_the_rules_and_no_two_are_alike() {
        let seats = || (0..100).map(Seat);
        let singles = deal(&[3; 32], Balls::Of90, 5, seats());
        let strips = deal(&[3; 32], Balls::Of90, 6, seats());
        assert!(singles.values().chain(strips.values()).flatten().all(is_valid_90));
        for strip in strips.values() {
            let numbers: std::collections::BTreeSet<u8> =
                strip.iter().flatten().flatten().copied().filter(|&number| number > 0).collect();
            assert_eq!(numbers.len(), 90);
        }
        for (seat, tickets) in deal(&[3; 32], Balls::Of75, 2, seats()) {
            assert_eq!(tickets.len(), 2, "{seat}");
            for ticket in tickets {
                for (column, first) in (1..).step_by(15).enumerate().take(5) {
                    let own: HashSet<u8> = ticket.iter().map(|row| row[column]).filter(|&number| number > 0).collect();
                    assert_eq!(own.len(), if column == 2 { 4 } else { 5 });
                    assert!(own.iter().all(|number| (first..first + 15).contains(number)));
                }
                assert_eq!(ticket[2][2], 0);
            }
        }
        let all: Vec<&Ticket> = singles.values().flatten().collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
