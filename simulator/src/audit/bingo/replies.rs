//! Replies to calls: no valid call in its window is refused, and each reason of a refusal is true.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::bingo::{CallBy, TicketPrize};

use super::super::rundown::Refusal;
use super::book::BingoBook;

/// Whether a call is refused for a reason that is true; none if its round is no ball.
pub(in crate::audit) fn is_true(refusal: &Refusal<'_>, book: &BingoBook, code: ErrorCode) -> Option<bool> {
    let claimed = refusal.reply.claimed;
    let ball = book.balls.get(&claimed.round)?;
    let called = TicketPrize::of(claimed.key);
    let windows = refusal.reading.journal.windows.get(&claimed.round);
    let explains = || book.explains(claimed.round, claimed.key, code);
    Some(match code {
        ErrorCode::UnknownQuestion => ball.begun_at > refusal.first_sent(),
        ErrorCode::BadChoice => {
            ball.part.setup.settings.call == CallBy::Auto
                || called.ticket >= ball.part.setup.tickets
                || ball.part.prize(called.prize).is_none()
                || refusal.exchange.sent.iter().any(|(_, value)| *value != ClaimValue::Bits(0))
        }
        ErrorCode::NotInPlay => refusal.connection.seat.is_none_or(|seat| {
            let is_out = book.removed.contains(&seat) || refusal.book.was_out(claimed.round, seat);
            is_out || ball.part.ticket(seat, called.ticket).is_none() || ball.part.is_barred(seat, called)
        }),
        ErrorCode::Voided => ball.is_void,
        ErrorCode::TooLate => {
            let closed = windows.and_then(|windows| windows.closed_at);
            explains() || closed.is_some_and(|closed| closed <= refusal.received_at())
        }
        ErrorCode::TooEarly => {
            let opens = windows.and_then(|windows| windows.first_opens_at());
            explains() || refusal.was_paused || opens.is_some_and(|opens| refusal.first_sent() < opens)
        }
        _ => false,
    })
}
