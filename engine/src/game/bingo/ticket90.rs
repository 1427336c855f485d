//! Tickets with 90 balls: 3 rows of 9 columns, 15 numbers, 5 in a row. A column has 1 to 3 numbers of its ten, ascending downwards.
//!
//! All 3,669,688,706,217,187,500 of them are numbered, so dealing one is drawing its number. A ticket's number says, in this order, how many
//! numbers each column has, in which rows they are, and which numbers they are.

use std::sync::LazyLock;

use super::draws::Draws;

/// Columns.
pub(super) const COLUMNS: usize = 9;
/// Rows.
pub(super) const ROWS: usize = 3;
/// Numbers in a row.
const IN_A_ROW: u8 = 5;
/// Numbers on a ticket.
const NUMBERS: u8 = IN_A_ROW * ROWS as u8;
/// How many numbers belong to a column: 1 to 9, 10 to 19, ..., 80 to 90.
pub(super) const SIZES: [u8; COLUMNS] = [9, 10, 10, 10, 10, 10, 10, 10, 11];

/// How many numbers each column of a ticket has.
pub(super) type ColumnCounts = [u8; COLUMNS];

/// A ticket with 90 balls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket90 {
    /// By row and column; 0 where there is no number.
    cells: [[u8; COLUMNS]; ROWS],
}

impl Ticket90 {
    /// By row and column; 0 where there is no number.
    #[must_use]
    pub const fn cells(&self) -> &[[u8; COLUMNS]; ROWS] {
        &self.cells
    }

    /// How many tickets there are.
    #[must_use]
    pub fn count() -> u64 {
        SHAPES.last().map_or(0, |shape| shape.up_to)
    }

    /// Draws one, each as probable as every other.
    pub fn draw(draws: &mut Draws) -> Self {
        let number = draws.below(u128::from(Self::count()));
        Self::numbered(u64::try_from(number).expect("it is below a u64"))
    }

    /// The ticket with this number, below [`Self::count`].
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        let index = SHAPES.partition_point(|shape| shape.up_to <= number);
        let shape = SHAPES.get(index).expect("a number below the count of tickets");
        let mut rest = number - index.checked_sub(1).map_or(0, |before| SHAPES[before].up_to);
        let layout = rest % u64::from(shape.layouts);
        rest /= u64::from(shape.layouts);
        let numbers = std::array::from_fn(|column| {
            let subsets = SUBSETS.of(SIZES[column], shape.counts[column]);
            let subset = subsets[usize::try_from(rest % subsets.len() as u64).expect("there are few subsets")];
            rest /= subsets.len() as u64;
            subset.map(|index| first_of(column) + index)
        });
        Self::new(&shape.counts, u32::try_from(layout).expect("there are few layouts"), &numbers)
    }

    /// A ticket whose columns have these counts, by the number of its layout and the numbers of each column, ascending.
    pub(super) fn new(counts: &ColumnCounts, layout: u32, numbers: &[[u8; ROWS]; COLUMNS]) -> Self {
        let mut cells = [[0; COLUMNS]; ROWS];
        for (column, rows) in layout_of(counts, layout).into_iter().enumerate() {
            let mut numbers = numbers[column].iter();
            for (row, _) in rows.iter().enumerate().filter(|&(_, &taken)| taken) {
                cells[row][column] = *numbers.next().expect("three numbers suffice for three rows");
            }
        }
        Self { cells }
    }
}

/// The smallest number of a column.
pub(super) const fn first_of(column: usize) -> u8 {
    if column == 0 { 1 } else { column as u8 * 10 }
}

/// Tickets whose columns have the same counts.
pub(super) struct Shape {
    pub counts: ColumnCounts,
    /// In how many ways the numbers can be in rows.
    pub layouts: u32,
    /// How many tickets there are of this shape and those before it.
    pub up_to: u64,
}

/// All 1,554 shapes, in the order of their counts.
pub(super) static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let mut shapes = Vec::new();
    let mut up_to = 0;
    let mut counts = [1; COLUMNS];
    loop {
        if counts.iter().sum::<u8>() == NUMBERS {
            let layouts = layouts(&counts);
            let choices = SIZES.iter().zip(counts).map(|(&size, count)| SUBSETS.of(size, count).len() as u64);
            up_to += u64::from(layouts) * choices.product::<u64>();
            shapes.push(Shape { counts, layouts, up_to });
        }
        // The next in the order of a number whose digits are 1 to 3.
        let Some(digit) = counts.iter().rposition(|&count| count < ROWS as u8) else { return shapes };
        counts[digit] += 1;
        counts[digit + 1..].fill(1);
    }
});

/// Subsets of the numbers 0 to `size` - 1 with 1 to 3 elements, ascending, in lexical order; behind the elements stand zeros.
struct Subsets(Vec<Vec<[u8; ROWS]>>);

impl Subsets {
    fn of(&self, size: u8, elements: u8) -> &[[u8; ROWS]] {
        &self.0[usize::from(size - 9) * ROWS + usize::from(elements - 1)]
    }
}

static SUBSETS: LazyLock<Subsets> = LazyLock::new(|| {
    let subsets = |size: u8, elements: u8| -> Vec<[u8; ROWS]> {
        let one = (0..size).map(|a| [a, 0, 0]);
        let two = move || (0..size).flat_map(move |a| (a + 1..size).map(move |b| [a, b, 0]));
        let three = two().flat_map(|[a, b, _]| (b + 1..size).map(move |c| [a, b, c]));
        match elements {
            1 => one.collect(),
            2 => two().collect(),
            _ => three.collect(),
        }
    };
    Subsets((9..=11).flat_map(|size| (1..=3).map(move |elements| subsets(size, elements))).collect())
});

/// Room that is left in each row.
type Room = [u8; ROWS];

/// In how many ways columns of one and of two numbers can fill rows with this much room.
struct Ways(Vec<u32>);

impl Ways {
    const ROOMS: usize = 6;

    fn index(ones: u8, twos: u8, room: Room) -> usize {
        let room = room.iter().fold(0, |index, &room| index * Self::ROOMS + usize::from(room));
        (usize::from(ones) * (COLUMNS + 1) + usize::from(twos)) * Self::ROOMS.pow(3) + room
    }

    fn of(&self, ones: u8, twos: u8, room: Room) -> u32 {
        self.0[Self::index(ones, twos, room)]
    }
}

/// The rows that a column takes: each that it can, in order.
fn choices(count: u8) -> &'static [[bool; ROWS]] {
    const ONE: [[bool; ROWS]; 3] = [[true, false, false], [false, true, false], [false, false, true]];
    const TWO: [[bool; ROWS]; 3] = [[false, true, true], [true, false, true], [true, true, false]];
    match count {
        1 => &ONE,
        2 => &TWO,
        _ => &[[true; ROWS]],
    }
}

/// The room that is left behind a column that takes these rows, if there is enough.
fn without(room: Room, rows: [bool; ROWS]) -> Option<Room> {
    let mut left = room;
    for (room, taken) in left.iter_mut().zip(rows) {
        *room = room.checked_sub(u8::from(taken))?;
    }
    Some(left)
}

static WAYS: LazyLock<Ways> = LazyLock::new(|| {
    let most = COLUMNS as u8;
    let mut ways = Ways(vec![0; (COLUMNS + 1) * (COLUMNS + 1) * Ways::ROOMS.pow(3)]);
    for (ones, twos) in (0..=most).flat_map(|ones| (0..=most).map(move |twos| (ones, twos))) {
        for room in (0..Ways::ROOMS.pow(3)).map(|index| [index / 36, index / 6 % 6, index % 6].map(|room| room as u8)) {
            let count = match (ones, twos) {
                (0, 0) => u32::from(room == [0; ROWS]),
                (0, _) => sum(&ways, choices(2), 0, twos - 1, room),
                _ => sum(&ways, choices(1), ones - 1, twos, room),
            };
            ways.0[Ways::index(ones, twos, room)] = count;
        }
    }
    ways
});

fn sum(ways: &Ways, choices: &[[bool; ROWS]], ones: u8, twos: u8, room: Room) -> u32 {
    choices.iter().filter_map(|&rows| without(room, rows)).map(|room| ways.of(ones, twos, room)).sum()
}

/// How many columns have one, two and three numbers.
fn kinds(counts: &ColumnCounts) -> [u8; 3] {
    [1, 2, 3].map(|kind| counts.iter().filter(|&&count| count == kind).count() as u8)
}

/// In how many ways the numbers of columns with these counts can be in rows.
pub(super) fn layouts(counts: &ColumnCounts) -> u32 {
    let [ones, twos, threes] = kinds(counts);
    // A column of three is in each row.
    IN_A_ROW.checked_sub(threes).map_or(0, |room| WAYS.of(ones, twos, [room; ROWS]))
}

/// The rows of each column in the layout with this number, below [`layouts`].
fn layout_of(counts: &ColumnCounts, mut layout: u32) -> [[bool; ROWS]; COLUMNS] {
    let [mut ones, mut twos, threes] = kinds(counts);
    let mut room = [IN_A_ROW - threes; ROWS];
    counts.map(|count| {
        match count {
            1 => ones -= 1,
            2 => twos -= 1,
            _ => return [true; ROWS],
        }
        for &rows in choices(count) {
            let Some(left) = without(room, rows) else { continue };
            let ways = WAYS.of(ones, twos, left);
            if layout < ways {
                room = left;
                return rows;
            }
            layout -= ways;
        }
        unreachable!("a layout's number is below the count of layouts")
    })
}
