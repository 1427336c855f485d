//! A process's processor time, with nanosecond resolution, and its resident memory.

use std::io;
use std::time::Duration;

use klaxon_servers::usage::resident_memory;
use nix::time::ClockId;
use nix::unistd::Pid;

/// The clock of a process's total processor time: its threads, ended threads, and the kernel's io_uring workers for it.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorClock {
    process: u32,
    clock: ClockId,
}

impl ProcessorClock {
    /// The clock of a process.
    ///
    /// # Errors
    /// If the process does not exist.
    pub fn of(process: u32) -> io::Result<Self> {
        let pid = i32::try_from(process).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Self { process, clock: ClockId::pid_cpu_clock_id(Pid::from_raw(pid))? })
    }

    /// The processor time so far, in user space and in the kernel.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn now(&self) -> io::Result<Duration> {
        Ok(self.clock.now()?.into())
    }

    /// The resident memory of the process in bytes.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn resident(&self) -> io::Result<u64> {
        resident_memory(self.process).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klaxon_servers::usage::processor_time;

    #[test]
    fn the_clock_agrees_with_the_kernel_s_coarser_count() {
        let me = std::process::id();
        let clock = ProcessorClock::of(me).unwrap();
        let mut sum = 0u64;
        while clock.now().unwrap() < Duration::from_millis(300) {
            sum = (0..100_000).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        }
        // Other tests in this process may run between the two reads.
        let before = clock.now().unwrap().as_secs_f64();
        let counted = processor_time(me).unwrap().as_secs_f64();
        let after = clock.now().unwrap().as_secs_f64();
        assert!(before - 0.05 <= counted && counted <= after + 0.05, "{before} {counted} {after}");
        assert!(clock.resident().unwrap() > 0);
    }

    #[test]
    fn a_process_that_is_gone_has_no_clock() {
        assert!(ProcessorClock::of(u32::MAX).is_err());
    }
}
