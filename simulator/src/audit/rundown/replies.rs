//! Replies to claims in a show of several games: each reason of a refusal is true.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

use super::super::bingo;
use super::super::claims::ClaimAnswer;
use super::super::finding::Finding;
use super::super::reading::{Connection, Exchange, Reading, as_millis, millis};
use super::book::RundownBook;
use crate::evidence::Micros;

pub(super) fn judge(reading: &Reading<'_>, book: &RundownBook, finding: &mut Finding) -> u64 {
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

/// A claim that was refused.
pub(in crate::audit) struct Refusal<'r> {
    pub reading: &'r Reading<'r>,
    pub book: &'r RundownBook,
    pub connection: &'r Connection,
    pub exchange: &'r Exchange,
    pub reply: &'r ClaimAnswer<'r>,
    pub received: Micros,
    pub was_paused: bool,
}

impl Refusal<'_> {
    fn slack(&self) -> u64 {
        as_millis(self.reading.options.clock_slack)
    }

    /// The latest time at which the reply was received, on the server's clock.
    pub fn received_at(&self) -> Millis {
        Millis(millis(self.received).saturating_add(self.slack()))
    }

    /// The earliest time at which the first of the claims can have been read, on the server's clock.
    pub fn first_sent(&self) -> Millis {
        let first = self.exchange.sent.iter().map(|&(sent, _)| millis(sent)).min().unwrap_or_default();
        Millis(first.saturating_sub(self.slack()))
    }

    fn is_true(&self, code: ErrorCode) -> bool {
        match code {
            // Always possible: the bus or the arbiter may be unavailable, and a flood is refused whatever it contains.
            ErrorCode::Unavailable | ErrorCode::RateLimited => true,
            ErrorCode::SeatGivenAway => self.connection.lost_seat.is_some(),
            ErrorCode::Paused => self.was_paused,
            ErrorCode::AlreadyAnswered => {
                let first = self.exchange.sent.first().map(|(_, value)| value);
                self.exchange.sent.iter().any(|(_, value)| Some(value) != first)
                    || self.connection.seat.is_some_and(|seat| {
                        let counted = self.reading.journal.counted(self.reply.claimed, seat);
                        counted.is_some_and(|counted| Some(&counted.value) != first)
                    })
            }
            _ => self.is_true_in_its_round(code),
        }
    }

    fn is_true_in_its_round(&self, code: ErrorCode) -> bool {
        let claimed = self.reply.claimed;
        if let Some(is_true) = self.book.bingo.as_ref().and_then(|bingo| bingo::is_true(self, bingo, code)) {
            return is_true;
        }
        let round = self.book.rounds.get(&claimed.round);
        let windows = self.reading.journal.windows.get(&claimed.round);
        let seat = self.connection.seat;
        match code {
            ErrorCode::UnknownQuestion => round.is_none_or(|round| round.begun_at > self.first_sent()),
            ErrorCode::BadChoice => round.is_some_and(|round| {
                let was_corrected = seat.is_some_and(|seat| round.corrected.contains(&seat));
                let is_wrong = |value| !round.took(seat, claimed.key, value);
                was_corrected || self.exchange.sent.iter().any(|(_, value)| is_wrong(value))
            }),
            ErrorCode::NotInPlay => seat.is_none_or(|seat| {
                self.book.removals_ever.contains(&seat) || round.is_some_and(|round| round.kept_out.contains(&seat))
            }),
            ErrorCode::Voided => round.is_some_and(|round| round.voided),
            ErrorCode::TooLate => {
                let closed = windows.and_then(|windows| windows.closed_at);
                closed.is_some_and(|closed| closed <= self.received_at())
            }
            ErrorCode::TooEarly => {
                let opens = windows.and_then(|windows| windows.first_opens_at());
                self.was_paused || opens.is_some_and(|opens| self.first_sent() < opens)
            }
            _ => false,
        }
    }
}
