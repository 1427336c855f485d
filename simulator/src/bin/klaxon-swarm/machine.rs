//! What a swarm needs of the machine: open files and processor cores.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::args::Args;

/// Open files besides the players' connections.
const BESIDES: u64 = 200;

/// Lets this process and the server have as many open files as the system allows, and checks that it is enough.
pub fn allow_open_files(args: &Args) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("the limit of open files can't be raised")?;
    let hostile = args.compare_hostile.unwrap_or(args.hostile);
    let people = u64::from(args.players) + u64::from(args.spectators) + u64::from(hostile);
    // Second devices, and cheats with a connection more.
    let needed = people + (f64::from(args.players) * (args.two_devices + args.cheats)).ceil() as u64 + BESIDES;
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    ensure!(allowed >= needed, "this show needs {needed} open files and {allowed} are allowed: see `ulimit -Hn`");
    Ok(())
}

/// Binds this process, and the threads that it will start, to a processor core.
pub fn pin_to(core: u32) -> anyhow::Result<()> {
    let bound = Command::new("taskset")
        .args(["-cp", &core.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()
        .context("--pin needs the program taskset")?;
    ensure!(bound.success(), "--pin: taskset could not bind to core {core}");
    Ok(())
}
