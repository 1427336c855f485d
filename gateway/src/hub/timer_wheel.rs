//! A timer wheel with buckets of 100 ms, whose cost does not depend on the number of connections (Varghese and Lauck,
//! "Hashed and hierarchical timing wheels", 1987: scheme 4, one wheel).
//!
//! It stores slots by time. A connection keeps the [`Bucket`] in which it is checked next; its entries in other buckets
//! are stale, because it was moved to an earlier bucket or its slot has another connection now. So entries are never
//! searched for or removed. A connection that is checked before its deadline is put back, so deadlines may be beyond
//! the wheel's range: such a one is put into one of the late buckets, chosen by slot, so that connections that opened
//! together are not checked together.

use klaxon_protocol::time::{Millis, Span};

/// The duration of one bucket.
pub(super) const STEP: Span = Span(100);

/// The number of buckets.
const STEPS: u64 = 1024;

/// A bucket of the wheel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bucket(u16);

/// Slots by bucket.
pub(super) struct TimerWheel {
    steps: Box<[Vec<u32>]>,
    /// The last bucket that expired, as a number of steps since 1970.
    passed: u64,
}

impl TimerWheel {
    /// An empty wheel.
    pub fn new() -> Self {
        Self { steps: (0..STEPS).map(|_| Vec::new()).collect(), passed: 0 }
    }

    /// Adds a slot that has no entry.
    pub fn put(&mut self, slot: u32, due: Millis) -> Bucket {
        let steps = self.steps_until(due);
        self.put_in(slot, if steps < STEPS { steps } else { STEPS - 1 - u64::from(slot) % (STEPS / 2) })
    }

    /// Moves a slot to an earlier bucket if it is due before its bucket expires. Returns the bucket that it is in now.
    pub fn shorten(&mut self, slot: u32, bucket: Bucket, due: Millis) -> Bucket {
        let steps = self.steps_until(due);
        if steps < self.steps_to(bucket) { self.put_in(slot, steps) } else { bucket }
    }

    /// The next expired bucket, with its slots; none if no other has expired.
    pub fn expire(&mut self, now: Millis) -> Option<(Bucket, Vec<u32>)> {
        let over = now.0 / u64::from(STEP.0);
        if self.passed >= over {
            return None;
        }
        // After a long pause each bucket expires only once.
        self.passed = (self.passed + 1).max(over.saturating_sub(STEPS - 1));
        let bucket = bucket_of(self.passed);
        Some((bucket, std::mem::take(&mut self.steps[usize::from(bucket.0)])))
    }

    /// The number of steps from now until `due`, at most the length of the wheel.
    fn steps_until(&self, due: Millis) -> u64 {
        due.0.div_ceil(u64::from(STEP.0)).saturating_sub(self.passed).clamp(1, STEPS)
    }

    fn steps_to(&self, bucket: Bucket) -> u64 {
        (STEPS + u64::from(bucket.0) - u64::from(bucket_of(self.passed).0)) % STEPS
    }

    fn put_in(&mut self, slot: u32, steps: u64) -> Bucket {
        let bucket = bucket_of(self.passed + steps);
        self.steps[usize::from(bucket.0)].push(slot);
        bucket
    }
}

const fn bucket_of(step: u64) -> Bucket {
    Bucket((step % STEPS) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes up at this time.
    fn passed(wheel: &mut TimerWheel, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| wheel.expire(Millis(now))).flat_map(|(_, slots)| slots).collect()
    }

    /// A wheel that moves since then.
    fn wheel(now: u64) -> TimerWheel {
        let mut wheel = TimerWheel::new();
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
    fn only_an_earlier_time_moves_a_slot() {
        let mut wheel = wheel(1_000_000);
        let bucket = wheel.put(1, Millis(1_010_000));
        assert_eq!(wheel.shorten(1, bucket, Millis(1_020_000)), bucket);
        let shortened = wheel.shorten(1, bucket, Millis(1_000_200));
        assert_ne!(shortened, bucket);
        assert_eq!(wheel.expire(Millis(1_000_100)), Some((bucket_of(10_001), vec![])));
        assert_eq!(wheel.expire(Millis(1_000_200)), Some((shortened, vec![1])));
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_passes_nothing() {
        let mut wheel = wheel(1_000_000);
        wheel.put(1, Millis(0));
        assert_eq!(wheel.expire(Millis(1_000_000)), None);
        assert_eq!(wheel.expire(Millis(5)), None);
    }

    proptest! {
        /// As a shard has it: what comes up is put back unless it is due, and times change meanwhile.
        #[test]
        fn no_slot_comes_up_later_than_a_step_after_its_time_or_twice(
            start in 0_u64..2_000_000_000_000,
            changes in proptest::collection::vec((0_u32..8, 1_u64..200_000, 0_u64..150_000), 1..60),
        ) {
            let mut now = start;
            let mut wheel = TimerWheel::new();
            let mut waiting: [Option<(Bucket, u64)>; 8] = [None; 8];
            for (slot, after, pause) in changes {
                let due = now + after;
                let bucket = match waiting[slot as usize] {
                    None => wheel.put(slot, Millis(due)),
                    Some((bucket, _)) => wheel.shorten(slot, bucket, Millis(due)),
                };
                waiting[slot as usize] = Some((bucket, due));
                now += pause;
                while let Some((bucket, slots)) = wheel.expire(Millis(now)) {
                    for slot in slots {
                        let Some((_, due)) = waiting[slot as usize].filter(|(its, _)| *its == bucket) else { continue };
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
