//! Who buzzed first.

use klaxon_protocol::games::quiz::AfterWrong;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;

use super::best;
use crate::game::rundown::Teams;

/// The seats that buzzed, first first: by when the buzz was read, then by seat; with teams the first of each.
pub fn order(most: usize, teams: Option<&Teams>, buzzes: impl Iterator<Item = (Seat, Span)>) -> Vec<Seat> {
    best::first(teams, most, buzzes.map(|(seat, elapsed)| (elapsed, seat)))
}

/// Who was right and who was wrong of those who buzzed with a choice, in this order: after the first right one none is asked, and after the
/// first wrong one the next only if the question goes on.
pub fn judge(order: &[Seat], is_right: impl Fn(Seat) -> bool, wrong: AfterWrong) -> (Option<Seat>, Vec<Seat>) {
    let mut were_wrong = Vec::new();
    for &seat in order {
        if is_right(seat) {
            return (Some(seat), were_wrong);
        }
        were_wrong.push(seat);
        if wrong == AfterWrong::Over {
            break;
        }
    }
    (None, were_wrong)
}
