//! A part of bingo in the report: which ball won which prize, and how near others were.

use crate::audit::{BingoSummary, PrizeSummary};
use crate::report::words::{count, money};
use crate::report::{Block, Column, Table, TableRow};

/// The prizes, one line each.
pub(super) fn table(part: &BingoSummary, currency: &str) -> Block {
    let columns = [
        Column::text("prize"),
        Column::number("amount"),
        Column::number("ball"),
        Column::number("winners"),
        Column::number("each"),
        Column::number("complete"),
        Column::number("1 to go"),
    ];
    let note = format!(
        "{} balls for {} tickets, {} calls, {} of them false; complete and 1 to go: tickets at that ball, called or not",
        part.drawn.len(),
        count(part.tickets as u64),
        count(part.calls as u64),
        count(part.false_calls.into()),
    );
    let mut table = Table::new("bingo", note, &columns);
    table.rows.extend(part.prizes.iter().map(|prize| row(part, prize, currency)));
    Block::Table(table)
}

fn row(part: &BingoSummary, prize: &PrizeSummary, currency: &str) -> TableRow {
    let ball = prize.ball.map_or_else(String::new, |number| {
        let ball = number.checked_sub(1).and_then(|index| part.drawn.get(index));
        format!("{number}: {}", ball.map_or_else(String::new, ToString::to_string))
    });
    TableRow::from([
        prize.name.as_str().into(),
        money(prize.amount, currency).into(),
        ball.into(),
        count(prize.winners.into()).into(),
        money(prize.share, currency).into(),
        count(prize.complete as u64).into(),
        count(prize.one_to_go as u64).into(),
    ])
}
