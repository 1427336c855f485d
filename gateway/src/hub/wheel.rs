//! A timing wheel: which connections to look at in which tenth of a second, however many others there are.
//!
//! It knows of times and slots only. A connection keeps the [`Turn`] at which it is looked at next; an entry under another turn is
//! of no account any more, be it that the connection is to be looked at earlier, or that its slot has another one. So nothing has
//! to be found and taken out. Whoever is looked at too early is put back, and so the wheel may be shorter than the times in it: what
//! it can't reach is looked at before, each slot in another step, so that a crowd that came together does not stay together.

use klaxon_protocol::time::{Millis, Span};

/// The wheel moves on by so much at a time.
pub(super) const STEP: Span = Span(100);

/// Steps until the wheel has gone round.
const STEPS: u64 = 1024;

/// The step of the wheel in which something is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Turn(u16);

/// What is to be looked at, by step.
pub(super) struct Wheel {
    steps: Box<[Vec<u32>]>,
    /// The last step that was handed out, counted from 1970.
    passed: u64,
}

impl Wheel {
    /// A wheel with nothing on it.
    pub fn new() -> Self {
        Self { steps: (0..STEPS).map(|_| Vec::new()).collect(), passed: 0 }
    }

    /// Puts something on that was not there.
    pub fn put(&mut self, slot: u32, due: Millis) -> Turn {
        let steps = self.steps_until(due);
        self.put_in(slot, if steps < STEPS { steps } else { STEPS - 1 - u64::from(slot) % (STEPS / 2) })
    }

    /// Sees to it that what is looked at in this turn is looked at no later than when it is due. Returns its turn from now on.
    pub fn hasten(&mut self, slot: u32, turn: Turn, due: Millis) -> Turn {
        let steps = self.steps_until(due);
        if steps < self.steps_to(turn) { self.put_in(slot, steps) } else { turn }
    }

    /// The next step that is over, with what was put in it. None if there is no more such step now.
    pub fn pass(&mut self, now: Millis) -> Option<(Turn, Vec<u32>)> {
        let over = now.0 / u64::from(STEP.0);
        if self.passed >= over {
            return None;
        }
        // After a long pause each step comes once.
        self.passed = (self.passed + 1).max(over.saturating_sub(STEPS - 1));
        let turn = turn_of(self.passed);
        Some((turn, std::mem::take(&mut self.steps[usize::from(turn.0)])))
    }

    /// After how many steps from now on the time is over, at most a whole round.
    fn steps_until(&self, due: Millis) -> u64 {
        due.0.div_ceil(u64::from(STEP.0)).saturating_sub(self.passed).clamp(1, STEPS)
    }

    fn steps_to(&self, turn: Turn) -> u64 {
        (STEPS + u64::from(turn.0) - u64::from(turn_of(self.passed).0)) % STEPS
    }

    fn put_in(&mut self, slot: u32, steps: u64) -> Turn {
        let turn = turn_of(self.passed + steps);
        self.steps[usize::from(turn.0)].push(slot);
        turn
    }
}

const fn turn_of(step: u64) -> Turn {
    Turn((step % STEPS) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes up at this time.
    fn passed(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| wheel.pass(Millis(now))).flat_map(|(_, slots)| slots).collect()
    }

    /// A wheel that moves since then.
    fn wheel(now: u64) -> Wheel {
        let mut wheel = Wheel::new();
        assert_eq!(passed(&mut wheel, now), [0; 0]);
        wheel
    }

    #[test]
    fn each_comes_up_in_the_first_step_that_ends_when_it_is_due_or_later() {
        let mut wheel = wheel(1_000_000);
        wheel.put(1, Millis(1_000_500));
        wheel.put(2, Millis(1_000_501));
        assert_eq!(passed(&mut wheel, 1_000_499), [0; 0]);
        assert_eq!(passed(&mut wheel, 1_000_500), [1]);
        assert_eq!(passed(&mut wheel, 1_000_599), [0; 0]);
        assert_eq!(passed(&mut wheel, 1_000_600), [2]);
        assert_eq!(passed(&mut wheel, 2_000_000), [0; 0]);
    }

    #[test]
    fn what_is_due_already_comes_up_in_the_next_step() {
        let mut wheel = wheel(1_000_000);
        wheel.put(1, Millis(7));
        assert_eq!(passed(&mut wheel, 1_000_100), [1]);
    }

    #[test]
    fn what_is_due_far_away_comes_up_before_and_not_all_at_once() {
        let mut wheel = wheel(1_000_000);
        (0..512).for_each(|slot| _ = wheel.put(slot, Millis(u64::MAX)));
        let crowds: Vec<usize> = (1..STEPS).map(|step| passed(&mut wheel, 1_000_000 + step * 100).len()).collect();
        assert_eq!((crowds.iter().sum(), crowds.iter().max()), (512_usize, Some(&1)));
    }

    #[test]
    fn only_an_earlier_time_gives_another_turn() {
        let mut wheel = wheel(1_000_000);
        let turn = wheel.put(1, Millis(1_010_000));
        assert_eq!(wheel.hasten(1, turn, Millis(1_020_000)), turn);
        let hastened = wheel.hasten(1, turn, Millis(1_000_200));
        assert_ne!(hastened, turn);
        assert_eq!(wheel.pass(Millis(1_000_100)), Some((turn_of(10_001), vec![])));
        assert_eq!(wheel.pass(Millis(1_000_200)), Some((hastened, vec![1])));
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_passes_nothing() {
        let mut wheel = wheel(1_000_000);
        wheel.put(1, Millis(0));
        assert_eq!(wheel.pass(Millis(1_000_000)), None);
        assert_eq!(wheel.pass(Millis(5)), None);
    }

    proptest! {
        /// As a shard has it: whoever comes up is put back unless it is due, and times change meanwhile.
        #[test]
        fn nobody_comes_up_later_than_a_step_after_its_time_or_twice(
            start in 0_u64..2_000_000_000_000,
            changes in proptest::collection::vec((0_u32..8, 1_u64..200_000, 0_u64..150_000), 1..60),
        ) {
            let mut now = start;
            let mut wheel = Wheel::new();
            let mut waiting: [Option<(Turn, u64)>; 8] = [None; 8];
            for (slot, after, pause) in changes {
                let due = now + after;
                let turn = match waiting[slot as usize] {
                    None => wheel.put(slot, Millis(due)),
                    Some((turn, _)) => wheel.hasten(slot, turn, Millis(due)),
                };
                waiting[slot as usize] = Some((turn, due));
                now += pause;
                while let Some((turn, slots)) = wheel.pass(Millis(now)) {
                    for slot in slots {
                        let Some((_, due)) = waiting[slot as usize].filter(|(its, _)| *its == turn) else { continue };
                        waiting[slot as usize] = (due > now).then(|| (wheel.put(slot, Millis(due)), due));
                    }
                }
                let step = u64::from(STEP.0);
                for (_, due) in waiting.iter().flatten() {
                    prop_assert!(due.div_ceil(step) > now / step, "due at {due} and not up at {now}");
                }
            }
        }
    }
}
