//! The open files that a show needs.

use anyhow::{Context, ensure};
use klaxon_simulator::machine::allow_open_files;

use crate::args::Args;

/// Open files besides the players' connections.
const BESIDES: u64 = 200;

/// Lets this process and the server have as many open files as the system allows, and checks that it is enough.
pub fn allow_enough_files(args: &Args) -> anyhow::Result<()> {
    let allowed = allow_open_files().context("the limit of open files can't be raised")?;
    let hostile = args.compare_hostile.unwrap_or(args.hostile);
    let people = u64::from(args.players) + u64::from(args.spectators) + u64::from(hostile);
    // Second devices, and cheats with a connection more.
    let needed = people + (f64::from(args.players) * (args.two_devices + args.cheats)).ceil() as u64 + BESIDES;
    ensure!(allowed >= needed, "this show needs {needed} open files and {allowed} are allowed: see `ulimit -Hn`");
    Ok(())
}
