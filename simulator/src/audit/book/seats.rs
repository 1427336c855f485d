//! The state of each seat, and how a reveal or a void changes it.

use std::collections::{BTreeMap, HashMap};

use klaxon_protocol::games::trivia::{Choice, MOST_LIVES, Mode, Outcome, PlayerResult, QuestionId, Settings};
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::time::Span;

/// One seat.
#[derive(Debug, Clone)]
pub struct Held {
    pub player: PlayerId,
    pub name: Name,
    pub alive: bool,
    /// If the host removed the player: the number of questions that were revealed or void by then.
    pub removed: Option<usize>,
    pub lives: u8,
    pub score: u32,
    pub streak: u32,
    pub rights: u32,
    /// The time of all right answers, in milliseconds.
    pub time: u64,
    /// The question by which the seat was eliminated; 0 if none.
    pub out_at: u16,
}

impl Held {
    pub const fn new(player: PlayerId, name: Name, lives: u8) -> Self {
        Self { player, name, alive: true, removed: None, lives, score: 0, streak: 0, rights: 0, time: 0, out_at: 0 }
    }

    pub fn give_lives(&mut self, lives: u8) {
        self.lives = self.lives.saturating_add(lives).min(MOST_LIVES);
    }
}

/// The counted answers to a question: the choice, and how much of the time had passed.
pub type RoundAnswers = HashMap<Seat, (Choice, Span)>;

/// A seat's change by a reveal, so that a void can undo it.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    seat: Seat,
    streak: u32,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Right { gained: u32, elapsed: Span },
    LifeLost,
    Out,
    Nothing,
}

/// The outcome of a reveal.
#[derive(Debug, Default)]
pub struct Judged {
    pub changes: Vec<Change>,
    /// Each seat's result, without its rank.
    pub results: Vec<PlayerResult>,
    pub silent: u32,
}

/// Applies a reveal. A wrong or missing answer costs a life, or eliminates a seat without lives. A right answer gives
/// points in modes that have them, depending on how fast it was.
pub fn judge(
    seats: &mut [Held],
    settings: &Settings,
    question: QuestionId,
    right: Choice,
    total: Span,
    answers: &RoundAnswers,
) -> Judged {
    let Settings { mode, speed_points, streak_points, .. } = *settings;
    let mut judged = Judged::default();
    for (seat, held) in (0..).map(Seat).zip(seats) {
        let played = held.alive;
        let streak = held.streak;
        let answer = answers.get(&seat);
        let (outcome, what) = match answer {
            _ if !played => (Outcome::Watched, What::Nothing),
            Some(&(choice, elapsed)) if choice == right => {
                let gained = match (mode.scores(), streak_points) {
                    (true, true) => points(elapsed, total, streak, speed_points),
                    (true, false) => points(elapsed, total, 0, speed_points),
                    (false, _) => 0,
                };
                held.score += gained;
                held.streak += 1;
                held.rights += 1;
                held.time += u64::from(elapsed.0);
                (Outcome::Right, What::Right { gained, elapsed })
            }
            _ => {
                let what = lose(held, mode, question);
                judged.silent += u32::from(answer.is_none());
                (if answer.is_some() { Outcome::Wrong } else { Outcome::Silent }, what)
            }
        };
        if played {
            judged.changes.push(Change { seat, streak, what });
        }
        let gained = if let What::Right { gained, .. } = what { gained } else { 0 };
        let Held { alive, lives, score, .. } = *held;
        judged.results.push(PlayerResult { question, outcome, alive, lives, gained, score, rank: 0 });
    }
    judged
}

/// Applies a missing or wrong answer: the streak ends, and in an elimination the seat loses a life or is out.
fn lose(held: &mut Held, mode: Mode, question: QuestionId) -> What {
    held.streak = 0;
    if !mode.eliminates() {
        What::Nothing
    } else if held.lives > 0 {
        held.lives -= 1;
        What::LifeLost
    } else {
        (held.alive, held.out_at) = (false, question.0);
        What::Out
    }
}

/// Applies a missing answer to a restored player, who had been removed when this question was revealed.
pub fn miss(seat: Seat, held: &mut Held, mode: Mode, question: QuestionId) -> Change {
    Change { seat, streak: held.streak, what: lose(held, mode, question) }
}

/// Undoes the changes of a void question's reveal.
pub fn take_back(seats: &mut [Held], changes: Vec<Change>) {
    for Change { seat, streak, what } in changes {
        let Some(held) = seats.get_mut(seat.index()) else { continue };
        held.streak = streak;
        match what {
            What::Right { gained, elapsed } => {
                held.score -= gained;
                held.rights -= 1;
                held.time -= u64::from(elapsed.0);
            }
            What::LifeLost => held.give_lives(1),
            What::Out => (held.alive, held.out_at) = (held.removed.is_none(), 0),
            What::Nothing => {}
        }
    }
}

/// 500 points, and up to 500 more in steps of 10 for the time that was left (all 500 in a show without speed points),
/// and 100 for each right answer directly before, at most 500.
pub fn points(elapsed: Span, total: Span, streak: u32, speed_points: bool) -> u32 {
    let remaining = u64::from(total.0.saturating_sub(elapsed.0));
    let steps = if speed_points { remaining * 50 / u64::from(total.0.max(1)) } else { 50 };
    500 + u32::try_from(steps).unwrap_or(50) * 10 + 100 * streak.min(5)
}

/// The rank of each score among the seats in play: the number of seats with a higher score, plus 1.
pub fn ranks(seats: &[Held]) -> BTreeMap<u32, u32> {
    let mut holders: BTreeMap<u32, u32> = BTreeMap::new();
    for held in seats.iter().filter(|held| held.alive) {
        *holders.entry(held.score).or_default() += 1;
    }
    let mut better = 0;
    let ranked = holders.into_iter().rev().map(|(score, count)| {
        let rank = better + 1;
        better += count;
        (score, rank)
    });
    ranked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_of_the_rules() {
        let points = |elapsed, streak| points(Span(elapsed), Span(10_000), streak, true);
        assert_eq!([points(0, 0), points(1, 0), points(5000, 0), points(9999, 0)], [1000, 990, 750, 500]);
        assert_eq!([points(0, 1), points(0, 4), points(0, 5), points(0, 6)], [1100, 1400, 1500, 1500]);
        assert_eq!(points(12_000, 0), 500);
        assert_eq!([0, 9999, 12_000].map(|elapsed| super::points(Span(elapsed), Span(10_000), 2, false)), [1200; 3]);
    }

    #[test]
    fn equals_share_a_rank_and_the_next_is_skipped() {
        let held = |score, alive| {
            let held = Held::new(PlayerId::parse("p").unwrap(), Name::parse("P").unwrap(), 0);
            Held { score, alive, ..held }
        };
        let seats = [held(500, true), held(700, true), held(700, true), held(900, false), held(0, true)];
        assert_eq!(ranks(&seats), BTreeMap::from([(700, 1), (500, 3), (0, 4)]));
    }
}
