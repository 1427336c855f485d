//! The `klaxon` command.

use std::process::ExitCode;

use klaxon_gateway::cli::{Command, Klaxon};
use klaxon_gateway::console;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Klaxon::from_process().command {
        Command::Host(options) => console::run(&options, read_pack).await,
        Command::Serve(_) | Command::Replay(_) | Command::Pack(_) => anyhow::bail!("this build hosts shows only"),
    }
}

fn read_pack(path: &std::path::Path) -> anyhow::Result<klaxon_protocol::pack::Pack> {
    use anyhow::Context;
    let about = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(about)?;
    let pack: klaxon_protocol::pack::Pack = if path.extension().is_some_and(|extension| extension == "toml") {
        toml::from_str(&text).with_context(about)?
    } else {
        serde_json::from_str(&text).with_context(about)?
    };
    let problems: Vec<String> = pack.problems().iter().map(|problem| format!("  {problem}")).collect();
    anyhow::ensure!(problems.is_empty(), "{}:\n{}", path.display(), problems.join("\n"));
    Ok(pack)
}
