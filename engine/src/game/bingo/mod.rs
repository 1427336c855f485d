//! Bingo with 75 and with 90 balls: how tickets are dealt, in which order the balls come, which tickets are near to a prize, and how calls
//! are judged. The rules are in docs/rules/bingo.md.

mod calls;
mod cards;
mod dealer;
mod dealing;
mod draws;
mod judging;
mod near;
mod order;
mod part;
mod patterns;
mod strip;
#[cfg(test)]
mod tests;
mod ticket75;
mod ticket90;
mod view;

pub use self::calls::{Call, Judgement, Settlement, Shares, Win, divide, settle};
pub use self::dealer::{Dealer, MAX_TICKETS, TicketKind, Tickets};
pub use self::draws::{Draws, Purpose, Seed};
pub use self::near::{NearIndex, TicketNumber};
pub use self::order::{RosterHash, RosterHasher, order};
pub use self::part::BingoPart;
pub use self::patterns::{Board, FAR, Goal, ToGo};
pub use self::strip::{Strip, TICKETS_OF_A_STRIP};
pub use self::ticket75::Ticket75;
pub use self::ticket90::Ticket90;
