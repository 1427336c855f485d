//! Access to the machine for swarm and bench: open files, processor cores and signals.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// Binds this process, and the threads that it starts later, to a core.
///
/// # Errors
/// If the core does not exist.
pub fn bind_to(core: usize) -> io::Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

/// Raises the limit of open files, for this process and those that it starts, to the system's maximum; returns it.
///
/// # Errors
/// If the system refuses.
pub fn allow_open_files() -> io::Result<u64> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    Ok(most.unwrap_or(u64::MAX))
}

/// Runs `work`, and drops it if this process receives a signal to stop.
///
/// # Errors
/// The error of `work`, or that it was interrupted.
pub async fn unless_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => return outcome,
        _ = terminate.recv() => {}
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    anyhow::bail!("interrupted")
}
