//! The limit of open files for a show.

use anyhow::{Context, ensure};
use klaxon_simulator::machine::allow_open_files;

use crate::args::Args;

/// Open files besides the players' connections.
const BESIDES: u64 = 200;

/// Raises the limit of open files of this process and the server to the system's maximum, and checks that it suffices.
pub fn allow_enough_files(args: &Args) -> anyhow::Result<()> {
    let allowed = allow_open_files().context("the limit of open files can't be raised")?;
    let hostile = args.compare_hostile.unwrap_or(args.hostile);
    let people = u64::from(args.players) + u64::from(args.spectators) + u64::from(hostile);
    // Includes second devices, and the cheats' additional connections.
    let needed =
        people + (f64::from(args.players) * (args.shares.two_devices + args.shares.cheats)).ceil() as u64 + BESIDES;
    ensure!(allowed >= needed, "this show needs {needed} open files and {allowed} are allowed: see `ulimit -Hn`");
    Ok(())
}
