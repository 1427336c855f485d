//! What swarm and bench need of the machine: open files and processor cores.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
