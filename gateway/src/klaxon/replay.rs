//! `klaxon replay`: plays a journal again and compares every state with the recorded one.

use std::io::Write;

use anyhow::Context;
use klaxon_engine::replay;
use klaxon_gateway::cli::ReplayOptions;

pub fn replay(options: &ReplayOptions) -> anyhow::Result<()> {
    let path = options.journal.display();
    let bytes = std::fs::read(&options.journal).with_context(|| format!("can't read {path}"))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut printed = Ok(());
    let replayed = replay::replay(&bytes, |record, _| {
        if printed.is_ok() {
            printed = writeln!(out, "{}", replay::line(record));
        }
    });
    printed.and_then(|()| out.flush()).context("can't print the show")?;
    let rebuilt = replayed.with_context(|| path.to_string())?;
    writeln!(
        out,
        "identical: {} records of show {}, last state {:016x}",
        rebuilt.records,
        rebuilt.show,
        rebuilt.game.state_hash()
    )?;
    Ok(out.flush()?)
}
