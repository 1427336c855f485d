//! What swarm and bench need of the machine: open files, processor cores and its signals.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// Binds this process, and the threads that it will start, to a core.
///
/// # Errors
/// If there is no such core.
pub fn bind_to(core: usize) -> io::Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

/// Lets this process and those that it starts have as many open files as the system allows; gives how many.
///
/// # Errors
/// If the system does not.
pub fn allow_open_files() -> io::Result<u64> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    Ok(most.unwrap_or(u64::MAX))
}

/// Does the work. It is dropped if this process is told to stop.
///
/// # Errors
/// Those of the work, or that it was interrupted.
pub async fn unless_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => return outcome,
        _ = terminate.recv() => {}
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    anyhow::bail!("interrupted")
}
