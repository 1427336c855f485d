//! Replies to calls: no valid call in its window is refused, and each reason of a refusal is true.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::bingo::TicketPrize;
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

use super::super::claims::ClaimAnswer;
use super::super::finding::Finding;
use super::super::reading::{Connection, Exchange, Reading, as_millis, millis};
use super::book::BingoBook;
use crate::evidence::Micros;

pub(super) fn judge(reading: &Reading<'_>, book: &BingoBook, finding: &mut Finding) -> u64 {
    let mut judged = 0;
    let was_paused =
        reading.journal.events.iter().any(|event| matches!(event, ToPlayer::Pause(_) | ToPlayer::Resume(_)));
    for (index, connection) in reading.connections.iter().enumerate() {
        for (claimed, exchange) in &connection.exchanges {
            for (earlier, &(received, frame)) in exchange.received.iter().enumerate() {
                let Some(reply) = reading.reply(frame) else { continue };
                let sent = exchange.sent.iter().filter(|&&(sent, _)| sent <= received).count();
                finding.check(earlier < sent, || {
                    let what = format!("{sent} claims were sent, and this is reply {}", earlier + 1);
                    reading.violation(index, what).question(claimed.round).at(received).frame(reply.message)
                });
                judged += 1;
                let Some(code) = reply.code else { continue };
                let case = Refusal { reading, book, connection, exchange, reply: &reply, received, was_paused };
                finding.check(case.is_true(code), || {
                    let what = format!("refused as {code}, which was not so");
                    reading.violation(index, what).question(claimed.round).at(received).frame(reply.message)
                });
            }
        }
    }
    judged
}

struct Refusal<'r> {
    reading: &'r Reading<'r>,
    book: &'r BingoBook,
    connection: &'r Connection,
    exchange: &'r Exchange,
    reply: &'r ClaimAnswer<'r>,
    received: Micros,
    was_paused: bool,
}

impl Refusal<'_> {
    fn slack(&self) -> u64 {
        as_millis(self.reading.options.clock_slack)
    }

    /// The latest time at which the reply was received, on the server's clock.
    fn received_at(&self) -> Millis {
        Millis(millis(self.received).saturating_add(self.slack()))
    }

    /// The earliest time at which the first of the claims can have been read, on the server's clock.
    fn first_sent(&self) -> Millis {
        let first = self.exchange.sent.iter().map(|&(sent, _)| millis(sent)).min().unwrap_or_default();
        Millis(first.saturating_sub(self.slack()))
    }

    fn is_true(&self, code: ErrorCode) -> bool {
        let claimed = self.reply.claimed;
        let ball = self.book.balls.get(&claimed.round);
        let called = TicketPrize::of(claimed.key);
        let windows = self.reading.journal.windows.get(&claimed.round);
        match code {
            // Always possible: the bus or the arbiter may be unavailable, and a flood is refused whatever it contains.
            ErrorCode::Unavailable | ErrorCode::RateLimited => true,
            ErrorCode::SeatGivenAway => self.connection.lost_seat.is_some(),
            ErrorCode::UnknownQuestion => ball.is_none_or(|ball| ball.begun_at > self.first_sent()),
            ErrorCode::BadChoice => {
                let is_none = |ball: &super::book::BallRound| {
                    called.ticket >= ball.part.setup.tickets || ball.part.prize(called.prize).is_none()
                };
                ball.is_some_and(is_none) || self.exchange.sent.iter().any(|(_, value)| *value != ClaimValue::Bits(0))
            }
            ErrorCode::NotInPlay => self.connection.seat.is_none_or(|seat| {
                let is_out = self.book.removed.contains(&seat);
                is_out
                    || ball.is_some_and(|ball| {
                        ball.part.ticket(seat, called.ticket).is_none() || ball.part.is_barred(seat, called)
                    })
            }),
            ErrorCode::Voided => ball.is_some_and(|ball| ball.is_void),
            ErrorCode::Paused => self.was_paused,
            ErrorCode::TooLate => {
                let closed = windows.and_then(|windows| windows.closed_at);
                self.book.explains(claimed.round, claimed.key, code)
                    || closed.is_some_and(|closed| closed <= self.received_at())
            }
            ErrorCode::TooEarly => {
                let opens = windows.and_then(|windows| windows.first_opens_at());
                self.book.explains(claimed.round, claimed.key, code)
                    || self.was_paused
                    || opens.is_some_and(|opens| self.first_sent() < opens)
            }
            ErrorCode::AlreadyAnswered => {
                let first = self.exchange.sent.first().map(|(_, value)| value);
                self.exchange.sent.iter().any(|(_, value)| Some(value) != first)
            }
            _ => false,
        }
    }
}
