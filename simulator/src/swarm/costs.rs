//! The processor time of processes, as measured by the kernel.

use std::time::Duration;

use klaxon_servers::usage::processor_time;
use serde::Serialize;

/// The processor time of a group of processes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// The name of the group.
    pub who: &'static str,
    /// The number of processes.
    pub processes: usize,
    /// Core seconds, in user space and in the kernel, since the processes were started.
    pub seconds: f64,
}

impl Cost {
    /// The processor time of these processes so far; a process that has ended counts as 0.
    #[must_use]
    pub fn of(who: &'static str, processes: &[u32]) -> Self {
        let time: Duration = processes.iter().filter_map(|&id| processor_time(id)).sum();
        Self { who, processes: processes.len(), seconds: time.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_do_the_same_are_added_up_and_one_that_is_gone_costs_nothing() {
        let me = std::process::id();
        let work = std::time::Instant::now();
        let mut sum = 0u64;
        while Cost::of("me", &[me]).seconds == 0.0 && work.elapsed() < Duration::from_secs(20) {
            sum = (0..1_000_000).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        }
        let one = Cost::of("me", &[me]).seconds;
        assert!(one > 0.0);
        let cost = Cost::of("me", &[me, me, u32::MAX]);
        // Summing seconds rounds differently from summing durations.
        assert!(cost.seconds >= 2.0 * one - 1e-6);
        assert_eq!(cost.processes, 3);
    }
}
