//! Patterns as bitboards: what has to be marked on a ticket to win a prize, and how much of it is missing.
//!
//! A [`Board`] has a bit for each place of a ticket that can be marked. With 75 balls the places are the 25 cells, row by row; the free one
//! is always marked. With 90 balls they are the 15 numbers, row by row. So most patterns are the same masks for every ticket. Only masks of
//! cells on tickets with 90 balls depend on where a ticket has its numbers.

use klaxon_protocol::games::bingo::{Balls, BingoPrize, Pattern};

/// The places of a ticket that are marked.
pub type Board = u32;

/// How many numbers are missing for a pattern: 0, 1, 2, or [`FAR`].
pub type ToGo = u8;
/// Three numbers are missing, or more.
pub const FAR: ToGo = 3;

/// How many places a ticket has at most.
pub(super) const PLACES: u32 = 25;
/// How many numbers the early five needs.
const EARLY: u32 = 5;
/// Places of a ticket with 75 balls in a row.
const SIDE: u32 = 5;
/// Numbers of a ticket with 90 balls in a row.
const IN_A_ROW: u32 = 5;
/// Cells of a ticket with 90 balls in a row.
const COLUMNS: u32 = 9;
/// All masks of a row of cells.
const ROW_MASKS: usize = 1 << COLUMNS;
const ROWS: usize = 3;

/// What wins a prize.
#[derive(Debug, Clone)]
pub struct Goal(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// One of these masks.
    Masks(Masks),
    /// So many numbers.
    Count(u32),
    /// One of these masks of cells, on tickets with 90 balls.
    Cells(Vec<CellMask>),
}

/// Masks that are the same for all tickets.
#[derive(Debug, Clone)]
struct Masks {
    all: Vec<Board>,
    /// By place: those that have it.
    by_place: Vec<Vec<Board>>,
}

impl Goal {
    /// What wins this prize.
    ///
    /// # Panics
    /// If the pattern is not one of tickets with so many balls.
    #[must_use]
    pub fn of(prize: &BingoPrize, balls: Balls) -> Self {
        let lines = lines(balls);
        let kind = match (balls, prize.pattern) {
            (_, Pattern::Line) => Kind::masks(lines),
            (_, Pattern::TwoLines) => Kind::masks(pairs(&lines)),
            (Balls::Of75, Pattern::FourCorners) => Kind::masks(vec![places([(0, 0), (0, 4), (4, 0), (4, 4)])]),
            (Balls::Of90, Pattern::FourCorners) => Kind::masks(vec![1 | 1 << 4 | 1 << 10 | 1 << 14]),
            (Balls::Of75, Pattern::X) => Kind::masks(vec![places((0..SIDE).flat_map(|i| [(i, i), (i, SIDE - 1 - i)]))]),
            (Balls::Of75, Pattern::Frame) => {
                Kind::masks(vec![places((0..SIDE).flat_map(|i| [(0, i), (4, i), (i, 0), (i, 4)]))])
            }
            (Balls::Of75, Pattern::Blackout) => Kind::masks(vec![(1 << balls.cells()) - 1]),
            (Balls::Of75, Pattern::Cells) | (Balls::Of90, Pattern::Numbers) => Kind::masks(prize.masks.clone()),
            (Balls::Of90, Pattern::Cells) => Kind::Cells(prize.masks.iter().copied().map(CellMask::new).collect()),
            (Balls::Of90, Pattern::EarlyFive) => Kind::Count(EARLY),
            (Balls::Of90, Pattern::TopLine) => Kind::masks(vec![lines[0]]),
            (Balls::Of90, Pattern::MiddleLine) => Kind::masks(vec![lines[1]]),
            (Balls::Of90, Pattern::BottomLine) => Kind::masks(vec![lines[2]]),
            (Balls::Of90, pattern) if pattern.is_house() => Kind::masks(vec![(1 << balls.numbers()) - 1]),
            (_, pattern) => panic!("{pattern:?} is no pattern with {} balls", balls.count()),
        };
        Self(kind)
    }

    /// Whether it depends on where tickets have their numbers.
    pub(super) const fn needs_layout(&self) -> bool {
        matches!(self.0, Kind::Cells(_))
    }

    /// How many numbers are missing on a ticket. `layout`: which cells of a ticket with 90 balls have a number; not used for others.
    #[must_use]
    pub fn to_go(&self, board: Board, layout: u32) -> ToGo {
        match &self.0 {
            Kind::Masks(masks) => least(&masks.all, board),
            Kind::Count(count) => few(count.saturating_sub(board.count_ones())),
            Kind::Cells(masks) => masks.iter().map(|mask| mask.to_go(board, layout)).min().unwrap_or(FAR),
        }
    }

    /// Whether marking this place, which is marked on `board`, has reduced what is missing from `before`, at least 1, by one. A mark never
    /// reduces it by more.
    pub(super) fn has_fallen(&self, board: Board, layout: u32, place: u32, before: ToGo) -> bool {
        match &self.0 {
            // Masks without the place miss as many as before.
            Kind::Masks(masks) => any_misses_less(&masks.by_place[place as usize], board, before),
            Kind::Count(_) | Kind::Cells(_) => self.to_go(board, layout) < before,
        }
    }

    /// Whether marking this place can change what is missing.
    pub(super) fn depends_on(&self, place: u32) -> bool {
        match &self.0 {
            Kind::Masks(masks) => !masks.by_place[place as usize].is_empty(),
            Kind::Count(_) | Kind::Cells(_) => true,
        }
    }
}

impl Kind {
    fn masks(all: Vec<Board>) -> Self {
        let with = |place: u32| all.iter().copied().filter(|mask| mask >> place & 1 == 1).collect();
        Self::Masks(Masks { by_place: (0..PLACES).map(with).collect(), all })
    }
}

/// The fewest numbers that one of these masks misses.
fn least(masks: &[Board], board: Board) -> ToGo {
    masks.iter().map(|mask| ones(mask & !board)).min().unwrap_or(FAR)
}

/// Whether one of these masks misses less than `before`. Without branches, so that the compiler looks at several masks at a time.
fn any_misses_less(masks: &[Board], board: Board, before: ToGo) -> bool {
    let any = |misses_less: fn(u32) -> bool| masks.iter().fold(false, |any, mask| any | misses_less(mask & !board));
    match before {
        1 => any(|missing| missing == 0),
        2 => any(|missing| without_one(missing) == 0),
        _ => any(|missing| without_one(without_one(missing)) == 0),
    }
}

/// The bits without the lowest one that is set.
const fn without_one(bits: u32) -> u32 {
    bits & bits.wrapping_sub(1)
}

/// How many bits are set, up to three.
const fn ones(bits: u32) -> ToGo {
    let (one, two) = (without_one(bits), without_one(without_one(bits)));
    (bits != 0) as ToGo + (one != 0) as ToGo + (two != 0) as ToGo
}

fn few(missing: u32) -> ToGo {
    ToGo::try_from(missing).unwrap_or(FAR).min(FAR)
}

/// The mask of these cells of a ticket with 75 balls, by row and column.
fn places(cells: impl IntoIterator<Item = (u32, u32)>) -> Board {
    cells.into_iter().fold(0, |mask, (row, column)| mask | 1 << (row * SIDE + column))
}

/// With 75 balls the rows, columns and diagonals; with 90 the rows, the top one first.
fn lines(balls: Balls) -> Vec<Board> {
    match balls {
        Balls::Of75 => {
            let rows = (0..SIDE).map(|row| places((0..SIDE).map(|column| (row, column))));
            let columns = (0..SIDE).map(|column| places((0..SIDE).map(|row| (row, column))));
            let down = places((0..SIDE).map(|i| (i, i)));
            let up = places((0..SIDE).map(|i| (i, SIDE - 1 - i)));
            rows.chain(columns).chain([down, up]).collect()
        }
        Balls::Of90 => (0..ROWS as u32).map(|row| ((1 << IN_A_ROW) - 1) << (row * IN_A_ROW)).collect(),
    }
}

fn pairs(lines: &[Board]) -> Vec<Board> {
    let pair = |(index, first): (usize, &Board)| lines[..index].iter().map(|second| first | second).collect::<Vec<_>>();
    lines.iter().enumerate().flat_map(pair).collect()
}

/// A mask of the 27 cells of a ticket with 90 balls.
#[derive(Debug, Clone)]
struct CellMask {
    /// By row: for each layout of the row, which of the ticket's numbers are under the mask, as bits of a [`Board`].
    rows: [Box<[u16]>; ROWS],
}

impl CellMask {
    fn new(mask: u32) -> Self {
        let rows = std::array::from_fn(|row| {
            let cells = mask >> (row as u32 * COLUMNS);
            (0..ROW_MASKS as u32).map(|layout| numbers_under(cells, layout) << (row as u32 * IN_A_ROW)).collect()
        });
        Self { rows }
    }

    fn to_go(&self, board: Board, layout: u32) -> ToGo {
        let mask = (0..ROWS).fold(0, |mask, row| {
            let layout = layout >> (row as u32 * COLUMNS) & (ROW_MASKS as u32 - 1);
            mask | u32::from(self.rows[row][layout as usize])
        });
        // What asks for no number of this ticket can't be won with it.
        if mask == 0 { FAR } else { ones(mask & !board) }
    }
}

/// Which of a row's numbers are in these cells, as a bit for each number; more than five numbers are in no row.
fn numbers_under(cells: u32, layout: u32) -> u16 {
    let columns = (0..COLUMNS).filter(|column| layout >> column & 1 == 1).take(IN_A_ROW as usize);
    (0..).zip(columns).filter(|(_, column)| cells >> column & 1 == 1).fold(0, |mask, (number, _)| mask | 1 << number)
}
