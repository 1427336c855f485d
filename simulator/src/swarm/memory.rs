//! The resident memory of processes under test, sampled while they run.

use std::sync::Arc;
use std::time::Duration;

use klaxon_servers::usage::resident_memory;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at};

use crate::evidence::Micros;

/// The interval of the samples.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// Resident memory over time, in bytes; the sum over all processes.
pub type Resident = Vec<(Micros, u64)>;

#[derive(Debug, Default)]
struct Looked {
    processes: Vec<u32>,
    resident: Resident,
}

impl Looked {
    /// Adds a sample; nothing if one of the processes has ended.
    fn note(&mut self) {
        let all = self.processes.iter().map(|id| resident_memory(*id)).sum::<Option<u64>>();
        self.resident.extend(all.filter(|&bytes| bytes > 0).map(|bytes| (Micros::now(), bytes)));
    }
}

/// Samples the memory of processes until it is dropped.
#[derive(Debug)]
pub struct MemoryWatch {
    looked: Arc<Mutex<Looked>>,
    sampler: JoinHandle<()>,
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.sampler.abort();
    }
}

impl MemoryWatch {
    /// A watch without processes.
    #[must_use]
    pub fn start() -> Self {
        let looked: Arc<Mutex<Looked>> = Arc::default();
        let noted = Arc::clone(&looked);
        let sampler = tokio::spawn(async move {
            let mut ticks = interval_at(Instant::now() + SAMPLE_EVERY, SAMPLE_EVERY);
            loop {
                ticks.tick().await;
                noted.lock().note();
            }
        });
        Self { looked, sampler }
    }

    /// Sets the processes to sample, and takes the first sample at once, before any player connects.
    pub fn look_at(&self, processes: Vec<u32>) {
        let mut looked = self.looked.lock();
        looked.processes = processes;
        looked.note();
    }

    /// The samples so far.
    #[must_use]
    pub fn resident(&self) -> Resident {
        self.looked.lock().resident.clone()
    }

    /// Stops sampling; returns the samples.
    #[must_use]
    pub fn stop(&self) -> Resident {
        self.sampler.abort();
        self.resident()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn several_processes_are_added_up_and_one_that_is_gone_spoils_the_sum() {
        let watch = MemoryWatch::start();
        watch.look_at(vec![std::process::id()]);
        watch.look_at(vec![std::process::id(), std::process::id()]);
        let resident = watch.resident();
        assert!(resident[1].1 > resident[0].1 * 3 / 2, "{resident:?}");
        watch.look_at(vec![std::process::id(), u32::MAX]);
        assert_eq!(watch.stop().len(), 2);
    }
}
