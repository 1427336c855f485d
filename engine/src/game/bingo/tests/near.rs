//! Whether the bitboards and the index agree with a checker that looks at the cells of each ticket.

use std::collections::HashSet;

use klaxon_protocol::games::bingo::{Balls, BingoPrize, Pattern};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Dealer, NearIndex, TicketKind, TicketNumber, Tickets};
use super::seed;

/// How many positions are compared: a ticket after a ball is one. `POSITIONS=1000000` compares a million.
const POSITIONS: usize = 40_000;
const TICKETS: usize = 200;

/// A ticket as rows of cells; 0 is no number.
pub(super) type Rows = Vec<Vec<u8>>;

#[test]
fn bitboards_agree_with_a_checker_that_looks_at_each_cell() {
    let wanted = std::env::var("POSITIONS").map_or(POSITIONS, |number| number.parse().expect("it is a number"));
    let mut positions = 0;
    for round in 0.. {
        if positions >= wanted {
            break;
        }
        for balls in [Balls::Of75, Balls::Of90] {
            positions += play(balls, round);
        }
    }
}

/// Plays with 200 tickets until all balls are drawn. Returns how many positions were compared.
fn play(balls: Balls, round: u8) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(round) << 8 | u64::from(balls.count()));
    let tickets = deal(balls, round);
    let prizes = prizes(balls, &mut rng);
    let mut index = NearIndex::new(balls, &prizes);
    tickets.iter().for_each(|ticket| index.add(&ticket.concat()));
    let mut order: Vec<u8> = (1..=balls.count()).collect();
    order.shuffle(&mut rng);
    let needed = tickets.iter().map(|rows| prizes.iter().map(|prize| Needed::of(rows, prize)).collect()).collect();
    let mut world = World { needed, drawn: [false; 91], closed: HashSet::new(), barred: HashSet::new() };
    let mut positions = 0;
    for ball in order {
        if rng.random_bool(0.1) {
            index.draw(ball);
            index.take_back(ball);
        }
        let before = world.missing();
        world.drawn[usize::from(ball)] = true;
        let after = world.missing();
        let mut completed: Vec<(u8, TicketNumber)> = index.draw(ball).to_vec();
        completed.sort_unstable();
        let is_new = |&(prize, ticket): &(u8, TicketNumber)| {
            let [before, after] = [&before, &after].map(|all| all[ticket as usize][usize::from(prize)]);
            before > 0 && after == 0 && world.counts(ticket, prize)
        };
        let all =
            (0..prizes.len() as u8).flat_map(|prize| (0..TICKETS as TicketNumber).map(move |ticket| (prize, ticket)));
        assert_eq!(completed, all.filter(is_new).collect::<Vec<_>>());
        world.change(&mut index, &mut rng);
        world.compare(&index, &after);
        positions += TICKETS;
    }
    positions
}

/// What the checker knows.
struct World {
    /// By ticket and prize.
    needed: Vec<Vec<Needed>>,
    /// By number.
    drawn: [bool; 91],
    closed: HashSet<u8>,
    barred: HashSet<(TicketNumber, u8)>,
}

impl World {
    /// By ticket and prize: how many numbers are missing.
    fn missing(&self) -> Vec<Vec<usize>> {
        let of_ticket = |needed: &Vec<Needed>| needed.iter().map(|needed| needed.missing(&self.drawn)).collect();
        self.needed.iter().map(of_ticket).collect()
    }

    fn counts(&self, ticket: TicketNumber, prize: u8) -> bool {
        !self.closed.contains(&prize) && !self.barred.contains(&(ticket, prize))
    }

    fn prizes(&self) -> u8 {
        self.needed[0].len() as u8
    }

    /// Closes a prize or opens it again, and bars a ticket or no longer.
    fn change(&mut self, index: &mut NearIndex, rng: &mut impl Rng) {
        let prize = rng.random_range(0..self.prizes());
        if rng.random_bool(0.1) {
            if self.closed.remove(&prize) {
                index.reopen(prize);
            } else {
                self.closed.insert(prize);
                index.close(prize);
            }
        }
        let ticket = rng.random_range(0..TICKETS) as TicketNumber;
        let barred: u32 = if rng.random() { rng.random() } else { 0 };
        for prize in 0..self.prizes() {
            if barred >> prize & 1 == 1 {
                self.barred.insert((ticket, prize));
            } else {
                self.barred.remove(&(ticket, prize));
            }
        }
        index.bar(ticket, barred);
    }

    /// Fails if the index differs.
    fn compare(&self, index: &NearIndex, missing: &[Vec<usize>]) {
        let mut near = vec![[0; 3]; self.needed[0].len()];
        for (ticket, missing) in (0..).zip(missing) {
            for (prize, &missing) in (0..).zip(missing) {
                assert_eq!(
                    usize::from(index.to_go(ticket, prize)),
                    missing.min(3),
                    "{ticket} {prize} {:?}",
                    self.drawn
                );
                if let Some(near) = near[usize::from(prize)].get_mut(missing).filter(|_| self.counts(ticket, prize)) {
                    *near += 1;
                }
            }
        }
        for (prize, near) in (0..).zip(near).filter(|(prize, _)| !self.closed.contains(prize)) {
            assert_eq!(index.near(prize), near, "prize {prize}");
        }
    }
}

fn deal(balls: Balls, round: u8) -> Vec<Rows> {
    let kind = match balls {
        Balls::Of75 => TicketKind::Balls75,
        Balls::Of90 => TicketKind::Balls90,
    };
    let mut dealer = Dealer::new(kind, seed(round));
    let rows = |tickets: Tickets| -> Vec<Rows> {
        match tickets {
            Tickets::Balls75(tickets) => tickets.iter().map(|ticket| ticket.cells().map(Vec::from).to_vec()).collect(),
            Tickets::Balls90(tickets) => tickets.iter().map(|ticket| ticket.cells().map(Vec::from).to_vec()).collect(),
        }
    };
    (0..TICKETS as u32).flat_map(|seat| rows(dealer.deal(seat, 1))).collect()
}

/// A prize of each pattern, and some masks that are drawn.
fn prizes(balls: Balls, rng: &mut impl Rng) -> Vec<BingoPrize> {
    const ALL: [Pattern; 15] = [
        Pattern::Line,
        Pattern::TwoLines,
        Pattern::FourCorners,
        Pattern::X,
        Pattern::Frame,
        Pattern::Blackout,
        Pattern::EarlyFive,
        Pattern::TopLine,
        Pattern::MiddleLine,
        Pattern::BottomLine,
        Pattern::FullHouse,
        Pattern::SecondHouse,
        Pattern::ThirdHouse,
        Pattern::Cells,
        Pattern::Numbers,
    ];
    let mut masks = |pattern: Pattern| {
        let all = pattern.own_mask(balls);
        all.map(|all| (0..4).map(|_| rng.random::<u32>() & rng.random::<u32>() & all | 1).collect()).unwrap_or_default()
    };
    let patterns = ALL.into_iter().filter(|pattern| pattern.is_for(balls));
    patterns
        .map(|pattern| BingoPrize { name: format!("{pattern:?}"), pattern, masks: masks(pattern), amount: 0 })
        .collect()
}

/// What a ticket needs for a prize, by looking at its cells.
pub(super) enum Needed {
    /// All numbers of one of these lists.
    One(Vec<Vec<u8>>),
    /// Five of these.
    Five(Vec<u8>),
}

impl Needed {
    pub(super) fn missing(&self, drawn: &[bool; 91]) -> usize {
        let missing = |numbers: &Vec<u8>| numbers.iter().filter(|&&number| !drawn[usize::from(number)]).count();
        match self {
            Self::One(lists) => lists.iter().map(missing).min().unwrap_or(99),
            Self::Five(numbers) => 5_usize.saturating_sub(numbers.len() - missing(numbers)),
        }
    }

    pub(super) fn of(rows: &Rows, prize: &BingoPrize) -> Self {
        let is_75 = rows.len() == 5;
        let at = |is_in: &dyn Fn(usize, usize) -> bool| -> Vec<u8> {
            let cells = rows
                .iter()
                .enumerate()
                .flat_map(|(row, cells)| cells.iter().enumerate().map(move |(column, &number)| (row, column, number)));
            cells
                .filter(|&(row, column, number)| number > 0 && is_in(row, column))
                .map(|(_, _, number)| number)
                .collect()
        };
        let row = |wanted: usize| at(&|row, _| row == wanted);
        let lines = || -> Vec<Vec<u8>> {
            let rows = (0..rows.len()).map(row);
            let columns = (0..5).map(|wanted| at(&|_, column| column == wanted));
            let diagonals = [at(&|row, column| row == column), at(&|row, column| row + column == 4)];
            if is_75 { rows.chain(columns).chain(diagonals).collect() } else { rows.collect() }
        };
        let all = at(&|_, _| true);
        let one = |numbers| Self::One(vec![numbers]);
        match prize.pattern {
            Pattern::Line => Self::One(lines()),
            Pattern::TwoLines => {
                let lines = lines();
                let pairs = (0..lines.len()).flat_map(|first| (0..first).map(move |second| (first, second)));
                let both = |(first, second): (usize, usize)| {
                    let mut both = [&lines[first][..], &lines[second]].concat();
                    both.sort_unstable();
                    both.dedup();
                    both
                };
                Self::One(pairs.map(both).collect())
            }
            Pattern::FourCorners if is_75 => one(at(&|row, column| row % 4 == 0 && column % 4 == 0)),
            Pattern::FourCorners => one([row(0)[0], row(0)[4], row(2)[0], row(2)[4]].to_vec()),
            Pattern::X => one(at(&|row, column| row == column || row + column == 4)),
            Pattern::Frame => one(at(&|row, column| row % 4 == 0 || column % 4 == 0)),
            Pattern::Blackout | Pattern::FullHouse | Pattern::SecondHouse | Pattern::ThirdHouse => one(all),
            Pattern::EarlyFive => Self::Five(all),
            Pattern::TopLine => one(row(0)),
            Pattern::MiddleLine => one(row(1)),
            Pattern::BottomLine => one(row(2)),
            Pattern::Cells | Pattern::Numbers => {
                let of = if prize.pattern == Pattern::Cells { rows.concat() } else { all };
                let chosen = |mask: &u32| -> Vec<u8> {
                    let chosen = of.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
                    chosen.map(|(_, &number)| number).filter(|&number| number > 0).collect()
                };
                Self::One(prize.masks.iter().map(chosen).filter(|numbers| !numbers.is_empty()).collect())
            }
        }
    }
}
