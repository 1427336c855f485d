//! What processes cost: their processor time, by the kernel's own account.

use std::time::Duration;

use serde::Serialize;

/// The kernel counts in hundredths of a second (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// The processor time of processes that do the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Who they are.
    pub who: &'static str,
    /// How many there are.
    pub processes: usize,
    /// Seconds of one core, in user space and in the kernel, since they were started.
    pub seconds: f64,
}

impl Cost {
    /// What these processes have cost so far. One that is gone counts nothing.
    #[must_use]
    pub fn of(who: &'static str, processes: &[u32]) -> Self {
        let times = processes.iter().filter_map(|id| std::fs::read_to_string(format!("/proc/{id}/stat")).ok());
        let time: Duration = times.filter_map(|stat| time_in(&stat)).sum();
        Self { who, processes: processes.len(), seconds: time.as_secs_f64() }
    }
}

/// User and system time of a process with all its threads, from the text of `/proc/PID/stat`.
fn time_in(stat: &str) -> Option<Duration> {
    // The program's name stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(TICK * user + TICK * system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_from_the_kernel_s_words() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3 4 150 25 7 8 20 0 9 0 123 456 789";
        assert_eq!(time_in(stat), Some(Duration::from_millis(1750)));
        assert_eq!(time_in("42 (a"), None);
    }

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
        assert!(cost.seconds >= 2.0 * one);
        assert_eq!(cost.processes, 3);
    }
}
