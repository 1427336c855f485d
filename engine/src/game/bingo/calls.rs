//! How the calls of a ball are judged, and a prize is divided. docs/rules/bingo.md has the rules.

use std::collections::HashSet;

use klaxon_protocol::games::bingo::{BingoPrize, BingoSettings, ShareBy, TicketOfSeat};
use klaxon_protocol::time::Millis;

/// The call that a ticket has won a prize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which ticket.
    pub ticket: TicketOfSeat,
    /// Which prize of the part, from 0.
    pub prize: u8,
    /// When it was read.
    pub at: Millis,
}

/// What a call is, by the balls that were drawn up to its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The pattern is complete, and this ball counts for it.
    Valid,
    /// The pattern was complete before this ball, which must complete it.
    Late,
    /// The pattern is not complete.
    False,
}

/// What the calls of a ball come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The prizes that are won, in their order.
    pub won: Vec<Win>,
    /// Calls of patterns that are not complete, in the order of the calls.
    pub false_calls: Vec<Call>,
    /// Calls of patterns that an earlier ball completed, in the order of the calls.
    pub late_calls: Vec<Call>,
}

/// A prize that is won.
#[derive(Debug, PartialEq, Eq)]
pub struct Win {
    /// Which prize.
    pub prize: u8,
    /// By seat and ticket.
    pub winners: Vec<TicketOfSeat>,
    /// What they get.
    pub shares: Shares,
}

/// How a prize is divided: each gets `share`, and the first `one_more` winners one unit more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// What each gets at least, in minor units.
    pub share: u64,
    /// How many get one unit more.
    pub one_more: u32,
}

impl Shares {
    /// What the winner at this index gets.
    #[must_use]
    pub const fn of(self, index: usize) -> u64 {
        self.share + (index < self.one_more as usize) as u64
    }
}

/// Divides an amount among the winners, to the last unit. If each would get less than `min_share`, each gets that, and more than the amount
/// is paid.
///
/// # Panics
/// If there is no winner.
#[must_use]
pub const fn divide(amount: u64, min_share: u64, winners: u32) -> Shares {
    let share = amount / winners as u64;
    if share < min_share {
        return Shares { share: min_share, one_more: 0 };
    }
    Shares { share, one_more: (amount % winners as u64) as u32 }
}

/// Settles the calls of a ball, of which no two have the same ticket and prize.
pub fn settle(
    prizes: &[BingoPrize],
    settings: &BingoSettings,
    calls: &[Call],
    mut judge: impl FnMut(&Call) -> Judgement,
) -> Settlement {
    let mut settlement = Settlement::default();
    let mut valid: Vec<Vec<Call>> = vec![Vec::new(); prizes.len()];
    for call in calls {
        match judge(call) {
            Judgement::Valid => valid[usize::from(call.prize)].push(*call),
            Judgement::Late => settlement.late_calls.push(*call),
            Judgement::False => settlement.false_calls.push(*call),
        }
    }
    // Tickets that won on this ball: filled only if that matters.
    let mut winning: HashSet<TicketOfSeat> = HashSet::new();
    for ((index, prize), mut valid) in (0_u8..).zip(prizes).zip(valid) {
        valid.retain(|call| !winning.contains(&call.ticket));
        let mut winners: Vec<TicketOfSeat> = match settings.share {
            ShareBy::All => valid.iter().map(|call| call.ticket).collect(),
            ShareBy::First => {
                valid.iter().min_by_key(|call| (call.at, call.ticket)).map(|call| call.ticket).into_iter().collect()
            }
        };
        winners.sort_unstable();
        let Some(count) = u32::try_from(winners.len()).ok().filter(|&count| count > 0) else { continue };
        if settings.one_prize_per_ticket {
            winning.extend(&winners);
        }
        settlement.won.push(Win { prize: index, shares: divide(prize.amount, settings.min_share, count), winners });
    }
    settlement
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::bingo::{LARGEST_AMOUNT, MIN_SHARE, Pattern};
    use klaxon_protocol::ids::Seat;
    use proptest::prelude::*;

    use super::*;

    fn prize(amount: u64) -> BingoPrize {
        BingoPrize { name: format!("{amount}"), pattern: Pattern::Line, masks: Vec::new(), amount }
    }

    fn ticket(seat: u32, ticket: u8) -> TicketOfSeat {
        TicketOfSeat { seat: Seat(seat), ticket }
    }

    fn call(seat: u32, number: u8, prize: u8, at: u64) -> Call {
        Call { ticket: ticket(seat, number), prize, at: Millis(at) }
    }

    #[test]
    fn what_does_not_divide_goes_to_the_first_by_seat_and_ticket() {
        let calls = [call(9, 0, 0, 1), call(2, 1, 0, 2), call(2, 0, 0, 3)];
        let settled = settle(&[prize(100)], &BingoSettings::default(), &calls, |_| Judgement::Valid);
        let shares = Shares { share: 33, one_more: 1 };
        let winners = vec![ticket(2, 0), ticket(2, 1), ticket(9, 0)];
        assert_eq!(settled.won, [Win { prize: 0, winners, shares }]);
        assert_eq!([shares.of(0), shares.of(1), shares.of(2)], [34, 33, 33]);
    }

    #[test]
    fn the_first_is_first_by_the_time_of_the_call() {
        let settings = BingoSettings { share: ShareBy::First, ..BingoSettings::default() };
        let calls = [call(5, 1, 0, 20), call(4, 0, 0, 21), call(5, 0, 0, 20), call(3, 0, 0, 19)];
        let settled = settle(&[prize(7)], &settings, &calls, |call| {
            if call.ticket.seat == Seat(3) { Judgement::False } else { Judgement::Valid }
        });
        let shares = Shares { share: 7, one_more: 0 };
        assert_eq!(settled.won, [Win { prize: 0, winners: vec![ticket(5, 0)], shares }]);
        assert_eq!(settled.false_calls, [calls[3]]);
    }

    #[test]
    fn a_ticket_that_can_win_one_prize_wins_the_first_in_their_order() {
        let one = BingoSettings { one_prize_per_ticket: true, ..BingoSettings::default() };
        let calls = [call(1, 0, 1, 1), call(1, 0, 0, 2), call(2, 0, 1, 3)];
        let prizes = [prize(10), prize(20)];
        let winners = |settings| -> Vec<Vec<TicketOfSeat>> {
            let settled = settle(&prizes, settings, &calls, |_| Judgement::Valid);
            settled.won.into_iter().map(|win| win.winners).collect()
        };
        assert_eq!(winners(&one), [vec![ticket(1, 0)], vec![ticket(2, 0)]]);
        assert_eq!(winners(&BingoSettings::default()), [vec![ticket(1, 0)], vec![ticket(1, 0), ticket(2, 0)]]);
    }

    #[test]
    fn late_calls_are_no_false_calls_and_win_nothing() {
        let calls = [call(1, 0, 0, 1)];
        let settled = settle(&[prize(10)], &BingoSettings::default(), &calls, |_| Judgement::Late);
        assert_eq!(settled, Settlement { late_calls: calls.to_vec(), ..Settlement::default() });
    }

    #[test]
    fn each_gets_the_least_that_was_promised() {
        assert_eq!(divide(100, 30, 3), Shares { share: 33, one_more: 1 });
        assert_eq!(divide(100, 34, 3), Shares { share: 34, one_more: 0 });
        assert_eq!(divide(0, 0, 5), Shares { share: 0, one_more: 0 });
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_amount_or_to_the_least_that_was_promised(
            amount in 0..=LARGEST_AMOUNT,
            min_share in MIN_SHARE,
            winners in 1_u32..=10_000,
        ) {
            for min_share in [0, min_share] {
                let shares = divide(amount, min_share, winners);
                let sum: u64 = (0..winners as usize).map(|index| shares.of(index)).sum();
                prop_assert_eq!(sum, amount.max(min_share * u64::from(winners)));
                prop_assert!(shares.of(0) - shares.of(winners as usize - 1) <= 1);
            }
        }
    }
}
