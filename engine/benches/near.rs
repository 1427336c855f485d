//! What a ball of bingo costs: `cargo bench -p klaxon-engine --bench near` draws all balls over a million tickets, with all prizes open until
//! the last ball, and prints how long the slowest ball and the mean one took.

use std::time::{Duration, Instant};

use klaxon_engine::game::bingo::{Dealer, NearIndex, Seed, TicketKind, Tickets};
use klaxon_protocol::games::bingo::{Balls, BingoPrize, Pattern};

const TICKETS: u32 = 1_000_000;

/// What is played.
struct Game {
    name: &'static str,
    balls: Balls,
    patterns: &'static [Pattern],
}

const GAMES: [Game; 3] = [
    Game {
        name: "75 balls",
        balls: Balls::Of75,
        patterns: &[
            Pattern::Line,
            Pattern::TwoLines,
            Pattern::FourCorners,
            Pattern::X,
            Pattern::Frame,
            Pattern::Blackout,
        ],
    },
    Game {
        name: "90 balls",
        balls: Balls::Of90,
        patterns: &[
            Pattern::EarlyFive,
            Pattern::FourCorners,
            Pattern::TopLine,
            Pattern::MiddleLine,
            Pattern::BottomLine,
            Pattern::FullHouse,
            Pattern::SecondHouse,
            Pattern::ThirdHouse,
        ],
    },
    Game {
        name: "90 balls, cells",
        balls: Balls::Of90,
        patterns: &[Pattern::Line, Pattern::Cells, Pattern::FullHouse],
    },
];

fn main() {
    for game in GAMES {
        let prize = |pattern: &Pattern| BingoPrize {
            name: format!("{pattern:?}"),
            pattern: *pattern,
            masks: if *pattern == Pattern::Cells { vec![0b1, 0x7f, 0x3fe00, 0b1_0000_0001] } else { Vec::new() },
            amount: 0,
        };
        let prizes: Vec<BingoPrize> = game.patterns.iter().map(prize).collect();
        let began = Instant::now();
        let mut index = NearIndex::new(game.balls, &prizes);
        fill(&mut index, game.balls);
        let dealt = began.elapsed();
        let (mut all, mut slowest, mut at) = (Duration::ZERO, Duration::ZERO, 0);
        // 37 has no factor with 75 or 90, so all balls come, in an order without a pattern that a ticket has.
        for number in 0..u32::from(game.balls.count()) {
            let ball = (number * 37 % u32::from(game.balls.count())) as u8 + 1;
            let began = Instant::now();
            std::hint::black_box(index.draw(ball));
            let took = began.elapsed();
            all += took;
            if took > slowest {
                (slowest, at) = (took, number + 1);
            }
        }
        println!(
            "{:<16} {TICKETS} tickets, {} prizes: slowest ball {:.2} ms (the {at}th), mean {:.2} ms; dealt and indexed in {:.2} s",
            game.name,
            prizes.len(),
            slowest.as_secs_f64() * 1e3,
            all.as_secs_f64() * 1e3 / f64::from(game.balls.count()),
            dealt.as_secs_f64(),
        );
    }
}

fn fill(index: &mut NearIndex, balls: Balls) {
    let kind = match balls {
        Balls::Of75 => TicketKind::Balls75,
        Balls::Of90 => TicketKind::Balls90,
    };
    let mut dealer = Dealer::new(kind, Seed([7; 32]));
    for seat in 0..TICKETS {
        match dealer.deal(seat, 1) {
            Tickets::Balls75(tickets) => index.add(tickets[0].cells().as_flattened()),
            Tickets::Balls90(tickets) => index.add(tickets[0].cells().as_flattened()),
        }
    }
}
