//! Memory and processor time of a process, from `/proc`.

use std::time::Duration;

/// The kernel counts processor time in hundredths of a second (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// The resident memory of a process in bytes; none if it has ended.
#[must_use]
pub fn resident_memory(process: u32) -> Option<u64> {
    memory_in(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// User and system time of a process with all its threads since its start; none if it has ended.
#[must_use]
pub fn processor_time(process: u32) -> Option<Duration> {
    time_in(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn memory_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn time_in(stat: &str) -> Option<Duration> {
    // The program's name is in parentheses and may contain any characters.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(TICK * user + TICK * system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_kernel_s_text() {
        assert_eq!(memory_in("Name:\tx\nVmRSS:\t   1234 kB\nVmData:\t1 kB\n"), Some(1234 * 1024));
        assert_eq!(memory_in("Name:\tx\n"), None);
    }

    #[test]
    fn processor_time_is_read_from_the_kernel_s_text() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3 4 150 25 7 8 20 0 9 0 123 456 789";
        assert_eq!(time_in(stat), Some(Duration::from_millis(1750)));
        assert_eq!(time_in("42 (a"), None);
    }

    #[test]
    fn this_process_uses_memory_and_one_that_is_gone_nothing() {
        assert!(resident_memory(std::process::id()) > Some(0) && processor_time(std::process::id()).is_some());
        assert_eq!((resident_memory(u32::MAX), processor_time(u32::MAX)), (None, None));
    }
}
