//! What a show of bingo was like, for the report.

use std::collections::BTreeSet;

use serde::Serialize;

use super::book::BingoBook;
use super::patterns::missing;

/// What a part of bingo was like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BingoSummary {
    /// How many tickets were dealt.
    pub tickets: usize,
    /// The balls, in the order in which they were drawn.
    pub drawn: Vec<u8>,
    /// How many calls counted.
    pub calls: usize,
    /// How many of them were false.
    pub false_calls: u32,
    /// The prizes.
    pub prizes: Vec<PrizeSummary>,
}

/// How a prize was won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrizeSummary {
    /// The prize's name.
    pub name: String,
    /// How much it was, in minor units.
    pub amount: u64,
    /// Which ball won it, counted from 1; none if nobody did.
    pub ball: Option<usize>,
    /// How many tickets won it.
    pub winners: u32,
    /// What each of them got at least.
    pub share: u64,
    /// How many tickets had the pattern by then, called or not.
    pub complete: usize,
    /// How many tickets missed one number then.
    pub one_to_go: usize,
}

/// One for each part of bingo.
pub(in crate::audit) fn summaries(book: &BingoBook) -> Vec<BingoSummary> {
    let of_part = |part: &super::part::PartBook| {
        let balls = || book.balls.values().filter(|ball| ball.part.seed == part.seed && !ball.is_void);
        let settled = || balls().filter_map(|ball| Some((ball, &ball.verdicts.as_ref()?.1.settled)));
        let prizes = (0..).zip(&part.setup.prizes).map(|(index, prize)| {
            let won = settled().find_map(|(ball, settled)| {
                let won = settled.won.iter().find(|won| won.prize == index)?;
                Some((ball.part.state.drawn.len(), won.count, won.share))
            });
            let drawn = won.map_or(part.state.drawn.len(), |(ball, ..)| ball);
            let drawn: BTreeSet<u8> = part.state.drawn.iter().take(drawn).copied().collect();
            let near = |wanted: usize| {
                let tickets = part.tickets.values().flatten();
                tickets.filter(|ticket| missing(ticket, part.setup.balls, prize, &drawn) == Some(wanted)).count()
            };
            PrizeSummary {
                name: prize.name.clone(),
                amount: prize.amount,
                ball: won.map(|(ball, ..)| ball),
                winners: won.map_or(0, |(_, winners, _)| winners),
                share: won.map_or(0, |(.., share)| share),
                complete: near(0),
                one_to_go: near(1),
            }
        });
        BingoSummary {
            tickets: part.tickets.values().map(Vec::len).sum(),
            drawn: part.state.drawn.clone(),
            calls: balls().map(|ball| ball.calls.len()).sum(),
            false_calls: settled().map(|(_, settled)| settled.false_calls).sum(),
            prizes: prizes.collect(),
        }
    };
    book.parts().map(of_part).collect()
}
